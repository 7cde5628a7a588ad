"""What a stopped gradient leaves out: for each stopped read, the contribution that the full gradient would have.

A stop with a condition passes ``g (1 - c)``, and leaves out ``g c``; one without a condition leaves out all of ``g``. What
is left out goes on to every quantity below the stop by the same rules as any other term. With the contributions that are
left out put back, the lines of a derivation become those of its network without stops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic

from symrnn.bptt import adjoint_name, backwards, contributions, moving, pulled_back
from symrnn.derivation import Contribution, Derivation
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import (
    At,
    Leaf,
    Node,
    Product,
    StopGradient,
    Zeros,
    is_condition,
    split_scalar,
    t,
    weighted,
    without_stops,
)
from symrnn.networks.graph import Network, Scan
from symrnn.rewrite import added, collected, named_values, settled
from symrnn.shown import Shown
from symrnn.times import Span
from symrnn.traverse import leaves
from symrnn.vjp import Binder, rule_of

Pulled = Iterator[tuple[Leaf, Node, tuple[Binder, ...], tuple[str, ...]]]


@dataclass(frozen=True)
class LeftOut(Shown):
    """A term that an adjoint of the full gradient would have, and this one has not.

    Attributes:
        of: The quantity whose adjoint lacks the term.
        lhs: Its adjoint.
        term: The term, its condition included: ``[K ∣ t] Wᵀ δa_{t+1}``; 0 at the times at which nothing is left out.
        condition: Where the term is left out, a 1×1 constant; ``None`` where always, or where it is no factor of the term.
        span: The times of the quantity at which it may be left out; ``None`` for a static quantity.
        contributions: One for each stopped read; their terms add up to the term.
    """

    of: Basic
    lhs: Leaf
    term: Node
    condition: Node | None
    span: Span | None
    contributions: tuple[Contribution, ...]

    def shown(self) -> tuple[str, Iterable[Any]]:
        return "left out", [Equation(self.lhs, self.term, self.span)]

    @property
    def bare(self) -> Node:
        """The term without its condition."""
        if self.condition is None:
            return self.term
        return added(*(apart(c.term)[1] for c in self.contributions))


def left_out(derivation: Derivation) -> tuple[LeftOut, ...]:
    """Return what the stops of a network leave out of its gradient.

    Args:
        derivation: Of a network with stopped gradients: a truncated one, or one with ``StopGradient`` in its equations.

    Returns:
        For each quantity, condition and range of times the term that is left out; nothing where no gradient is stopped.
        The adjoints that a term reads are those of the derivation, in which the other terms are left out as well.

    Raises:
        SpecError: Something else than a derivation.
    """
    if not isinstance(derivation, Derivation):
        raise SpecError(f"left_out takes a derivation; got a {type(derivation).__name__}; write left_out(derive(network))")
    found: dict[Any, list[Contribution]] = {}
    for target, contribution in stopped_contributions(derivation):
        term = without_stops(contribution.term)
        term = collected(settled(term, {} if contribution.span is None else {t: contribution.span}))
        key = (target, apart(term)[0], contribution.span)
        found.setdefault(key, []).append(replace(contribution, term=term))
    return tuple(
        LeftOut(of, adjoint_name(of, derivation.order), added(*(c.term for c in terms)), condition, span, tuple(terms))
        for (of, condition, span), terms in found.items()
    )


def stopped_contributions(derivation: Derivation) -> Iterator[tuple[Basic, Contribution]]:
    """Yield what each equation with a stop would pass on beyond it."""
    network, order = derivation.network, derivation.order
    if not any(e.rhs.has(StopGradient) for e in network.equations):
        return
    active, values = moving(network), named_values(network)
    for equation in backwards(network):
        if equation.rhs.has(StopGradient) and (equation.quantity in derivation.by_quantity or equation.quantity == network.loss):
            yield from contributions(equation, order, active, values, network, pull=stopped_back)


def stopped_back(
    node: Any, g: Node, value: Node, active: set[Basic], binders: tuple[Binder, ...] = (), rules: tuple[str, ...] = (),
) -> Pulled:
    """Walk from the root of a formula to its stops, and from there on with what does not pass them."""
    if isinstance(node, Leaf) or not node.has(StopGradient):
        return
    rule = rule_of(node)
    if isinstance(node, StopGradient):
        inner = without_stops(node.args[0])
        stopped = g if node.condition is None else weighted(g, node.condition)
        yield from pulled_back(inner, stopped, inner, active, binders, (*rules, rule.name))
    for operand, passed, binder in rule.apply(node, g, value):
        inner_binders = binders if binder is None else (*binders, binder)
        yield from stopped_back(operand, passed, operand, active, inner_binders, (*rules, rule.name))


def apart(term: Node) -> tuple[Node | None, Node]:
    """Split a term into its condition, where that is a factor, and the rest."""
    c, core = split_scalar(term)
    held = [f for f in core.args if is_condition(f)] if isinstance(core, Product) else []
    if not held:
        return None, term
    return Product(*held), c * Product(*(f for f in core.args if f not in held))


def for_reading(derivation: Derivation) -> Derivation:
    """Return a derivation whose lines and steps read ``h_{t-1}`` where they read its stopped value.

    The values are the same. A stop in a line of the backward pass says what a second derivation would not pass, and
    nothing to who reads or runs the line.
    """
    if not any(e.rhs.has(StopGradient) for e in derivation.network.equations):
        return derivation

    def contribution(c: Contribution) -> Contribution:
        step = replace(c.step, pullback=without_stops(c.step.pullback))
        return replace(c, term=without_stops(c.term), step=step)

    return replace(derivation, adjoints=tuple(
        replace(
            adjoint,
            contributions=tuple(map(contribution, adjoint.contributions)),
            lines=tuple(replace(line, rhs=without_stops(line.rhs)) for line in adjoint.lines),
        )
        for adjoint in derivation.adjoints
    ))


def steps_kept(network: Network) -> int | None:
    """Return how many steps a loss reaches, its own included, where stops cut every recurrence; ``None`` where one goes on.

    The most steps back on a way through the equations of the scans that passes no stop, and one.
    """
    reads: dict[Basic, list[tuple[Basic, int]]] = {}
    for equation in (e for block in network.blocks if isinstance(block, Scan) for e in block.equations):
        if equation.span is not None and equation.span.single:
            continue  # what a state starts from
        open_rhs = equation.rhs.xreplace({stop: Zeros(*stop.shape) for stop in equation.rhs.atoms(StopGradient)
                                          if len(stop.args) == 1})
        moved = [leaf for leaf in leaves(open_rhs) if isinstance(leaf, At) and (leaf.time - t).is_Integer]
        reads.setdefault(equation.quantity, []).extend((leaf.series, abs(int(leaf.time - t))) for leaf in moved)
    furthest: dict[Basic, int | None] = {}

    def far(quantity: Basic, passed: frozenset[Basic]) -> int | None:
        if quantity in passed:
            return None
        if quantity not in furthest:
            ways = [(far(q, passed | {quantity}), back) for q, back in reads.get(quantity, ())]
            known = [way + back for way, back in ways if way is not None]
            furthest[quantity] = None if len(known) < len(ways) else max(known, default=0)
        return furthest[quantity]

    found = [far(quantity, frozenset()) for quantity in reads]
    return None if None in found else 1 + max((way for way in found if way is not None), default=0)
