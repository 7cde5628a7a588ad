"""Backpropagation through time: ``derive`` turns a network into its derivation.

Reverse mode on named quantities. In reverse order of the equations, each operand of ``q_t = e`` receives one term by
the rules of the nodes between the root of ``e`` and the operand. A read at ``t + k`` becomes, at the time of what is
read, a term in the adjoint at ``t - k``. Nothing is expanded, so the size of the result does not depend on the lengths.

Source: P. J. Werbos, Backpropagation through time: what it does and how to do it, Proc. IEEE 78 (1990) 1550-1560.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.clipping import Clipping, as_clipping
from symrnn.derivation import Adjoint, Contribution, Derivation, Step, segments
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import At, Leaf, Node, Ones, Series, Zeros, t, time_sum
from symrnn.networks.graph import DIFFERENTIABLE, Network, Scan
from symrnn.rewrite import (
    added,
    collected,
    is_trivial,
    local_derivative,
    named_values,
    reuse_named_value,
    settled,
    use_relation,
)
from symrnn.times import Order, Span
from symrnn.traverse import leaves, quantity_of, with_values
from symrnn.vjp import Binder, rule_of

Found = dict[Basic, list[Contribution]]
Pull = Callable[[Any, Node, Node, set[Basic]], Iterator[tuple[Leaf, Node, tuple[Binder, ...], tuple[str, ...]]]]


def derive(network: Network, *, assume: bool = True, clip: Clipping | float | None = None) -> Derivation:
    """Derive backpropagation through time.

    Args:
        network: Scans, readout and loss. The result of ``Derivation.as_network`` or ``hessian_vector_network`` works
            as well: then the adjoints are of the next order.
        assume: Whether to use the network's relations, such as ``1ᵀ y_t = 1`` for a target that is a distribution.
        clip: A ``Clipping``, or a number for one by the norm: carried by the derivation, printed and generated as a step
            of its own after the backward pass.

    Returns:
        Adjoints of every quantity that reaches the loss, and of every parameter, input and initial state. ``∂L/∂A``
        has the shape of ``A`` (denominator layout).

    Raises:
        SpecError: Something else than a network, or a limit that is no positive number.
        NotSupportedError: A node or a time that the rules do not cover.
    """
    if not isinstance(network, Network):
        raise SpecError(f"derive takes a network; got a {type(network).__name__}; write derive(network(cell))")
    order = 1 + max((o for q in _quantities(network) for o in q.orders), default=0)
    found = reaching(network, order)
    comparer = Order()
    simplified, used = simplify(found, network, order, comparer, assume=assume)
    ordered = [e.quantity for e in backwards(network)] + [g.quantity for g in _by_kind(network)]
    adjoints = [
        adjoint_of(q, tuple(simplified.get(q, ())), network, order, comparer)
        for q in dict.fromkeys(ordered) if simplified.get(q) or is_wanted(q, network)
    ]
    least = tuple(sorted(comparer.least.items(), key=str))
    return Derivation(network, tuple(adjoints), order, used, least, as_clipping(clip))


def _quantities(network: Network) -> list[Any]:
    return [g.quantity for g in network.givens] + [e.quantity for e in network.equations]


def _by_kind(network: Network) -> list[Any]:
    rank = {"input": 0, "initial": 1, "parameter": 2, "direction": 3}
    return sorted((g for g in network.givens if g.kind in DIFFERENTIABLE), key=lambda g: rank[g.kind])


def is_wanted(quantity: Basic, network: Network) -> bool:
    """Tell whether a gradient is taken in a given quantity."""
    return any(g.quantity == quantity and g.kind in DIFFERENTIABLE for g in network.givens)


def backwards(network: Network) -> Iterator[Equation]:
    """Yield the equations from the last to the first."""
    for block in reversed(network.blocks):
        yield from reversed(block.equations) if isinstance(block, Scan) else (block,)


def reaching(network: Network, order: int) -> Found:
    """Return the contributions to every quantity that the loss depends on, from the last equation to the first."""
    targets = moving(network)
    values = named_values(network)
    every = [(e.quantity, list(contributions(e, order, targets, values, network))) for e in backwards(network)]
    reached, size = {network.loss}, 0
    while len(reached) != size:
        size = len(reached)
        reached |= {target for reader, received in every if reader in reached for target, _ in received}
    found: Found = {}
    for reader, received in every:
        for target, contribution in received if reader in reached else ():
            found.setdefault(target, []).append(contribution)
    return found


def moving(network: Network) -> set[Basic]:
    """Return the quantities that depend on something that a gradient is taken in."""
    found, size = {g.quantity for g in network.givens if g.kind in DIFFERENTIABLE}, 0
    while len(found) != size:
        size = len(found)
        found |= {e.quantity for e in network.equations if any(quantity_of(leaf) in found for leaf in leaves(e.rhs))}
    return found


def adjoint_name(quantity: Any, order: int) -> Leaf:
    """Return ``δq`` at the generic ``t``, or static."""
    return quantity.adjoint_series(order)[t] if isinstance(quantity, Series) else quantity.adjoint_static(order)


def contributions(
    equation: Equation, order: int, active: set[Basic], values: dict[Node, Equation], network: Network,
    pull: Pull | None = None,
) -> Iterator[tuple[Basic, Contribution]]:
    """Yield, for each operand of an equation, what its adjoint receives from the equation's by a walk to the operands."""
    received = Ones(1, 1) if equation.quantity == network.loss else adjoint_name(equation.quantity, order)
    for operand, term, binders, rules in (pull or pulled_back)(equation.rhs, received, equation.lhs, active):
        own = () if equation.span is None else (Binder(t, equation.span.lo, equation.span.hi),)
        ranges = {b.index: Span(b.lo, b.hi) for b in (*own, *binders)}
        term = reuse_named_value(term, values, ranges, network.order)
        moved, span = at_target(operand, term, (*own, *binders))
        if isinstance(moved, Zeros):
            continue
        local = None if isinstance(received, Ones) else local_derivative(term, received)
        if binders:  # the index of a sum is no time of the reader: say it at the time of what is read
            operand, term = operand.xreplace({b.index: t for b in binders}), moved
        step = Step(equation, operand, rules or ("identity",), received, term, local)
        yield quantity_of(operand), Contribution(moved, span, step)


def pulled_back(
    node: Any, g: Node, value: Node, active: set[Basic], binders: tuple[Binder, ...] = (), rules: tuple[str, ...] = (),
) -> Iterator[tuple[Leaf, Node, tuple[Binder, ...], tuple[str, ...]]]:
    """Walk from the root of a formula to its operands, from left to right, applying the rule of each node."""
    if isinstance(node, Leaf):
        if quantity_of(node) in active:
            yield node, g, binders, rules
        return
    if not any(quantity_of(leaf) in active for leaf in leaves(node)):
        return
    rule = rule_of(node)
    for held in (node.args[place] for place in rule.data if place < len(node.args)):
        refuse_moving_data(node, held, active)
    for operand, passed, binder in rule.apply(node, g, value):
        inner = binders if binder is None else (*binders, binder)
        yield from pulled_back(operand, passed, operand, active, inner, (*rules, rule.name))


def refuse_moving_data(node: Any, held: Any, active: set[Basic]) -> None:
    """Refuse an operand for which a rule takes data, such as a mask, where it would receive a gradient."""
    for leaf, *_ in pulled_back(held, Ones(*held.shape), held, active):
        raise NotSupportedError(
            f"no gradient is taken in {writer.text(held)} of {writer.text(node)}, but it depends on {leaf.name}; "
            "give it as data of kind mask, or put it under StopGradient"
        )


def at_target(operand: Leaf, term: Node, binders: tuple[Binder, ...]) -> tuple[Node, Span | None]:
    """Move a term to the time of what is read, and add up over every index that this time does not fix.

    ``q_t`` with ``t`` in ``lo … hi`` reads ``p_{t+k}``: at ``p``'s own time the term is that of ``t - k``, for times
    in ``lo + k … hi + k``. A read at a fixed time, or of a static quantity, receives the sum over all ``t``.
    """
    time = operand.time if isinstance(operand, At) else None
    fixing = [b for b in binders if time is not None and b.index in time.free_symbols]
    if len(fixing) > 1 or (fixing and not (time - fixing[0].index).is_Integer):
        raise NotSupportedError(f"cannot differentiate a read at time {time}; use t+k, a fixed time, or a sum's index")
    for binder in reversed([b for b in binders if b not in fixing]):
        term = time_sum(term, binder.lo, binder.hi, over=binder.index)
    if time is None:
        return term, None
    if not fixing:
        return term, Span(time, time)
    shift = time - fixing[0].index
    return term.xreplace({fixing[0].index: t - shift}), Span(fixing[0].lo, fixing[0].hi).shifted(shift)


def simplify(
    found: Found, network: Network, order: int, comparer: Order, *, assume: bool
) -> tuple[Found, tuple[Any, ...]]:
    """Bring the terms into textbook form with the rules of :mod:`symrnn.rewrite`; say which relations were used."""
    trivial: dict[Basic, Node] = {}
    used: dict[Any, None] = {}

    def simple(term: Node) -> Node:
        term = with_values(term, trivial)
        for relation in network.relations if assume else ():
            after = use_relation(term, relation)
            if after != term:
                used[relation] = None
            term = after
        return collected(term)

    out: Found = {}
    for equation in backwards(network):
        quantity = equation.quantity
        if quantity not in found or quantity in out:
            continue
        out[quantity] = [replace(c, term=simple(c.term)) for c in found[quantity]]
        spans = network.spans_of(quantity)
        whole = len(out[quantity]) == 1 and len(spans) <= 1 and all(out[quantity][0].span == s for s in spans)
        if whole and is_trivial(out[quantity][0].term):
            lhs = adjoint_name(quantity, order)
            trivial[lhs.series if isinstance(lhs, At) else lhs] = out[quantity][0].term
    for quantity in found:
        if quantity not in out:
            out[quantity] = [replace(c, term=simple(c.term)) for c in found[quantity]]
    return out, tuple(used)


def adjoint_of(
    quantity: Any, terms: tuple[Contribution, ...], network: Network, order: int, comparer: Order
) -> Adjoint:
    """Put the contributions of one quantity together."""
    lhs = adjoint_name(quantity, order)
    role = next((e.role for e in network.equations if e.quantity == quantity), None)
    if role is None:
        role = next(g.kind for g in network.givens if g.quantity == quantity)
    whole = segments(lhs, network.spans_of(quantity), terms, role, comparer, add=added)
    lines = tuple(replace(e, rhs=settled(e.rhs, {} if e.span is None else {t: e.span})) for e in whole)
    return Adjoint(quantity, lhs, terms, lines, role)


