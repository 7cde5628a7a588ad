"""Stacking: products with a common operand become one product.

``W_f h_{t-1}``, ``W_i h_{t-1}``, … are the rows of ``[W_f; W_i; …] h_{t-1}``; ``W_fᵀ δa_f + W_iᵀ δa_i`` is
``[W_f; W_i]ᵀ [δa_f; δa_i]``; the gradients of weights that read one value are the rows of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Integer

from symrnn.equations import Equation
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    Plus,
    Product,
    Rows,
    Stacked,
    Static,
    TimeSum,
    Transposed,
    Zeros,
    same,
    t,
)
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.arranging import arranged
from symrnn.scheduling.form import Form, column, equations_of, matrix, recurrent
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of


@dataclass(frozen=True)
class Term:
    """A product of a weight with a value at a time, as a term of an equation.

    Attributes:
        equation: The equation.
        weight: The static matrix, without its transposition.
        operand: The value.
        whole: The term.
    """

    equation: Equation
    weight: Static
    operand: At
    whole: Any


def stacked(form: Form) -> Form:
    """Make one product of those with a common operand, and one of those whose sum is taken."""
    taken: set[str] = set()
    ranks = order_of(form)
    form = stacked_sums(form, ranks, taken)
    form = stacked_gradients(form, ranks, taken)
    return stacked_products(form, ranks, taken)


# The order


def order_of(form: Form) -> dict[Any, int]:
    """Return the place of each value whose products are added up, and of each weight with it."""
    sums = [group for e in form.equations for group in summed(e)]
    gradients = [group for group in common_reader(form).values() if len(group) > 1]
    sets = [frozenset(term.operand.series for term in group) for group in sums]
    sets += [frozenset(left.series for _, left in group) for group in gradients]
    items = list(dict.fromkeys(e.quantity for e in form.equations if any(e.quantity in one for one in sets)))
    kinds = kinds_of(form)
    places = {item: place for place, item in enumerate(arranged(sets, items, lambda item: kinds.get(item, ())))}
    weights = {term.weight: places[term.operand.series] for group in sums for term in group if term.operand.series in places}
    named = {given.quantity.name: given.quantity for given in form.network.givens}
    for group in gradients:
        for e, left in group:
            if e.quantity.name in named:
                weights.setdefault(named[e.quantity.name], places[left.series])
    return places | weights


def kinds_of(form: Form) -> dict[Any, tuple[Any, ...]]:
    """Return what is done with each adjoint's value in the forward pass, and what recurrent value it is a multiple of."""
    functions = {
        quantity_of(leaf).name: e.rhs.function.name for e in form.equations if isinstance(e.rhs, Elementwise) for leaf in leaves(e.rhs)
    }
    multiples = {e.quantity: quantity_of(e.rhs.args[0]) for e in form.equations if isinstance(e.rhs, Hadamard) and isinstance(e.rhs.args[0], At)}
    return {e.quantity: (functions.get(e.name), multiples.get(e.quantity)) for e in form.equations}


def in_order(items: Sequence[Any], rank: dict[Any, int], key: Any) -> list[Any]:
    """Return items by their place; those without one stand behind, as they were."""
    return sorted(items, key=lambda item: rank.get(key(item), len(rank)))


# Sums of products


def summed(equation: Equation) -> list[list[Term]]:
    """Return the groups of products ``W_kᵀ v_{k,t+1}`` with values at one time that a right side adds up."""
    groups: dict[Any, list[Term]] = {}
    for term in terms_of(equation):
        if isinstance(term.whole.args[0], Transposed):
            groups.setdefault((term.operand.time, term.weight.shape[1]), []).append(term)
    return [group for group in groups.values() if len({term.operand for term in group}) == len(group) > 1]


def stacked_sums(form: Form, rank: dict[Any, int], taken: set[str]) -> Form:
    """Write sums of products of weights with values as one product."""
    wholes: dict[Any, Any] = {}
    for equation in form.equations:
        new = equation
        for group in summed(equation):
            terms = in_order(group, rank, lambda term: term.operand.series)
            values = tuple(term.operand.series for term in terms)
            if any(values not in wholes and not defined_alike(form, values) for _ in terms):
                continue
            form, whole = with_whole(form, values, wholes, taken)
            form, weight = with_whole(form, tuple(term.weight for term in terms), wholes, taken)
            product = Product(Transposed(weight), At(whole, terms[0].operand.time))
            gone = {term.whole for term in terms}
            rest = [part for part in new.rhs.args if part not in gone]
            new = replace(new, rhs=Plus(*rest, product))
        if new is not equation:
            form = inserted(form, {equation: new}, [])
    return form


def defined_alike(form: Form, values: Sequence[Any]) -> bool:
    """Tell whether series are each defined by one equation, over the same times, in one place."""
    found = [(number, e) for number, block in enumerate(form.blocks) for e in definitions(block) if e.quantity in values]
    inside = {number if recurrent_block(form.blocks[number]) else None for number, _ in found}
    return len(found) == len(values) and len({e.span for _, e in found}) == 1 and len(inside) == 1


def definitions(block: Block) -> list[Equation]:
    """Return the equations of a block without those that say that a value beside the ends is zero."""
    return [e for e in equations_of(block) if not isinstance(e.rhs, Zeros)]


def recurrent_block(block: Block) -> bool:
    """Tell whether a block is a recurrence."""
    return isinstance(block, Scan) and recurrent(block)


def with_whole(form: Form, parts: tuple[Any, ...], wholes: dict[Any, Any], taken: set[str]) -> tuple[Form, Any]:
    """Return the quantity whose rows are those of some parts; define it where the last of them is defined."""
    if len(parts) == 1 or parts in wholes:
        return form, wholes.get(parts, parts[0])
    name = form.fresh(common_name([part.name for part in parts]), taken)
    height = sum((part.shape[0] for part in parts), Integer(0))
    if isinstance(parts[0], Static):
        whole: Any = matrix(name, height, parts[0].shape[1])
        wholes[parts] = whole
        return replace(form, blocks=(Equation(whole, Stacked(*parts)), *form.blocks)), whole
    orders = parts[0].orders
    whole = column(name, height) if not orders else type(parts[0])(name, orders, height, 1)
    wholes[parts] = whole
    last = max(number for number, block in enumerate(form.blocks) for e in definitions(block) if e.quantity in parts)
    span = next(e.span for block in form.blocks for e in definitions(block) if e.quantity == parts[0])
    new = Equation(whole[t], Stacked(*(part[t] for part in parts)), span, "value")
    blocks = list(form.blocks)
    block = blocks[last]
    if isinstance(block, Scan) and recurrent(block):
        blocks[last] = Scan((*block.equations, new), block.step)
    else:
        blocks.insert(last + 1, Scan((new,)))
    beside = [e.span for e in form.equations if e.quantity == parts[0] and isinstance(e.rhs, Zeros)]
    zeros = [Scan((Equation(whole[t], Zeros(height, 1), span),)) for span in beside]
    return replace(form, blocks=(*zeros, *blocks)), whole


def common_name(names: Sequence[str]) -> str:
    """Return a name for several: ``a_f``, ``a_i`` give ``a_fi``."""
    base = names[0].partition("_")[0]
    return f"{base}_{''.join(name.rpartition('_')[2] for name in names)}"


# Products with a common operand


def stacked_products(form: Form, rank: dict[Any, int], taken: set[str]) -> Form:
    """Make one product of those that read one value: within a recurrence, and among all that stands beside recurrences."""
    wholes: dict[Any, Any] = {
        tuple(e.rhs.args): e.quantity for e in form.equations if e.span is None and isinstance(e.rhs, Stacked)
    }
    while (group := next((g for g in common_operand(form) if len(g) > 1), None)) is not None:
        terms = in_order(group, rank, lambda term: term.weight)
        form, weight = with_whole(form, tuple(term.weight for term in terms), wholes, taken)
        biases = tuple(bias_of(term) for term in terms)
        if None not in biases:
            form, bias = with_whole(form, biases, wholes, taken)
        form = with_product(form, terms, weight, bias if None not in biases else None, taken)
    return form


def common_operand(form: Form) -> list[list[Term]]:
    """Return the products with a common operand, over the same times, that can be computed at once."""
    groups: dict[Any, list[Term]] = {}
    for number, block in enumerate(form.blocks):
        inside = number if recurrent_block(block) else None
        for e in equations_of(block):
            for term in terms_of(e):
                if not isinstance(term.whole.args[0], Transposed):
                    groups.setdefault((inside, term.operand, e.span), []).append(term)
    return [group for group in groups.values() if len({term.weight for term in group}) == len(group)]


def terms_of(equation: Equation) -> list[Term]:
    """Return the products of a weight and a value among the terms of a right side."""
    found = []
    for term in equation.rhs.args if isinstance(equation.rhs, Plus) else (equation.rhs,):
        if not isinstance(term, Product) or len(term.args) != 2 or equation.span is None:
            continue
        front, operand = term.args
        weight = front.args[0] if isinstance(front, Transposed) else front
        if isinstance(weight, Static) and isinstance(operand, At) and not any(same(size, 1) for size in weight.shape):
            found.append(Term(equation, weight, operand, term))
    return found


def with_product(form: Form, group: list[Term], weight: Any, bias: Any, taken: set[str]) -> Form:
    """Compute the products of a group as the rows of one, biases that all of them have included."""
    operand, span = group[0].operand, group[0].equation.span
    name = common_name([term.equation.name for term in group])
    product = column(form.fresh(name, taken), weight.shape[0])
    changed: dict[Equation, Equation] = {}
    start: Expr = Integer(0)
    for term in group:
        stop = start + term.weight.shape[0]
        gone = {term.whole} if bias is None else {term.whole, bias_of(term)}
        before = changed.get(term.equation, term.equation)
        parts = before.rhs.args if isinstance(before.rhs, Plus) else (before.rhs,)
        kept = [part for part in parts if part not in gone]
        changed[term.equation] = replace(before, rhs=Plus(Rows(product[t], start, stop), *kept))
        start = stop
    value = Product(weight, operand) if bias is None else Plus(Product(weight, operand), bias)
    return inserted(form, changed, [Equation(product[t], value, span, "value")])


def bias_of(term: Term) -> Any:
    """Return the static column that is added to a product, where there is one and nothing else is."""
    rest = [part for part in term.equation.rhs.args if part != term.whole] if isinstance(term.equation.rhs, Plus) else []
    return rest[0] if len(rest) == 1 and isinstance(rest[0], Static) else None


def inserted(form: Form, changed: dict[Equation, Equation], added: list[Equation]) -> Form:
    """Return a form in which equations are changed; what is added stands in the recurrence of the first of them, or before it."""
    blocks: list[Block] = []
    waiting = list(added)
    for block in form.blocks:
        if not any(e in changed for e in equations_of(block)):
            blocks.append(block)
            continue
        new = [changed.get(e, e) for e in equations_of(block)]
        if recurrent_block(block):
            new, waiting = [*waiting, *new], []
        blocks += [Scan((e,)) for e in waiting]
        waiting = []
        blocks.append(Scan(tuple(new), block.step) if isinstance(block, Scan) else new[0])
    return replace(form, blocks=tuple(blocks))


# Gradients of weights


def common_reader(form: Form) -> dict[Any, list[tuple[Equation, At]]]:
    """Return the sums ``Σ_t u_t v_tᵀ`` by what they have in common: ``v``, the times, and the time of ``u``."""
    groups: dict[Any, list[tuple[Equation, At]]] = {}
    place = {
        e.quantity: number if recurrent_block(block) else None
        for number, block in enumerate(form.blocks) for e in definitions(block)
    }
    for e in form.equations:
        if e.span is not None or not isinstance(e.rhs, TimeSum):
            continue
        body, _, lo, hi = e.rhs.args
        factors = body.args if isinstance(body, Product) and len(body.args) == 2 else (body, None)
        left, right = factors
        plain = right is None or (isinstance(right, Transposed) and isinstance(right.args[0], At))
        if isinstance(left, At) and plain and same(left.shape[1], 1):
            key = (right, left.time, Span(lo, hi), left.series.orders, place.get(left.series))
            groups.setdefault(key, []).append((e, left))
    return groups


def stacked_gradients(form: Form, rank: dict[Any, int], taken: set[str]) -> Form:
    """Compute the gradients of weights that read one value as the rows of one product."""
    wholes: dict[Any, Any] = {
        tuple(part.series for part in e.rhs.args): e.quantity
        for e in form.equations
        if e.span is not None and isinstance(e.rhs, Stacked) and all(isinstance(part, At) and part.time == t for part in e.rhs.args)
    }
    for (right, time, span, _, _), members in common_reader(form).items():
        group = in_order(members, rank, lambda member: member[1].series)
        values = tuple(left.series for _, left in group)
        if len(set(values)) < 2 or len(set(values)) < len(values) or (values not in wholes and not defined_alike(form, values)):
            continue
        form, whole = with_whole(form, values, wholes, taken)
        form = with_gradient(form, [e for e, _ in group], At(whole, time), right, span, taken)
    return form


def with_gradient(form: Form, group: list[Equation], left: At, right: Any, span: Span, taken: set[str]) -> Form:
    """Define one gradient, and those of a group as its rows."""
    index = group[0].rhs.args[1]
    body = left if right is None else Product(left, right)
    total = TimeSum(body, index, span.lo, span.hi)
    name = form.fresh(common_name([e.name for e in group]), taken)
    whole = type(group[0].lhs)(name, group[0].lhs.orders, *total.shape)
    changed, start = {}, Integer(0)
    for e in group:
        stop = start + e.lhs.shape[0]
        changed[e] = replace(e, rhs=Rows(whole, start, stop))
        start = stop
    blocks: list[Block] = []
    for block in form.blocks:
        if block in group and not any(isinstance(b, Equation) and b.quantity == whole for b in blocks):
            blocks.append(Equation(whole, total))
        blocks.append(changed.get(block, block) if isinstance(block, Equation) else block)
    return replace(form, blocks=tuple(blocks))


