"""Stacking: products with a common operand become one product.

``W_f h_{t-1}``, ``W_i h_{t-1}``, … are the rows of ``[W_f; W_i; …] h_{t-1}``; ``W_fᵀ δa_f + W_iᵀ δa_i`` is
``[W_f; W_i]ᵀ [δa_f; δa_i]``; the gradients of weights that read one value are the rows of one.
"""

from __future__ import annotations

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
    Transposed,
    same,
    t,
)
from symrnn.scheduling.arranging import arranged
from symrnn.scheduling.form import Form, column, equations_of
from symrnn.scheduling.gradients import common_reader, stacked_gradients
from symrnn.scheduling.wholes import common_name, defined_alike, in_order, inserted, recurrent_block, with_whole
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
