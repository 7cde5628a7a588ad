"""A gradient as the explicit sum over paths: one term for each time ``t`` of what arrives, and each step ``k`` that reads.

    ∂L/∂W = Σ_t Σ_{k≤t} F_k((∂s_k/∂a_k)ᵀ J_{k+1}ᵀ ⋯ J_tᵀ e_t)

``F_k`` is how the gradient of the reader goes over to ``W``, such as ``δa_k ↦ δa_k h_{k-1}ᵀ``; it is read off the derivation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Integer

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Leaf, Node, Plus, Product, Scaled, Series, TimeSum, Transposed, Zeros, t
from symrnn.rewrite import settled
from symrnn.times import Span
from symrnn.traverse import at_time, leaves, rebuilt
from symrnn.unrolling.recurrences import Recurrence, beside, owner_of, stacked

SHORT = 2
"""Values in a derivative that is printed where it stands."""


@dataclass(frozen=True)
class PathTerm:
    """One path.

    Attributes:
        arrives: The time ``t`` at which the loss, or what stands above, comes in.
        reads: The time ``k`` of the step that reads the quantity.
        term: In named Jacobians.
    """

    arrives: int
    reads: int
    term: Node


@dataclass(frozen=True)
class PathSum:
    """The gradient in one quantity as a sum over paths.

    Attributes:
        target: A parameter, or a value at a time.
        terms: By ``t``, then by ``k`` from ``t`` on.
        rest: What reaches it beside the recurrences, or above them.
        definitions: What the names in the terms stand for: ``J_j``, ``e_t``, ``∂s_k/∂a_k``.
    """

    target: Leaf
    terms: tuple[PathTerm, ...]
    rest: tuple[Node, ...]
    definitions: tuple[Equation, ...]

    def formula(self) -> Node:
        """Return the sum without the names: in the quantities of the network and what arrives."""
        known = {at_time(e.lhs, e.span.lo): e.rhs for e in self.definitions if e.span is not None}
        whole = [rebuilt(p.term, lambda part: known.get(part, part)) for p in self.terms]
        return Plus(*self.rest, *whole) if self.rest or whole else Zeros(*self.target.shape)


def jacobian_series(of: Recurrence) -> Series:
    """Return ``J``, the name of the Jacobian of a recurrence; printed with a letter that is free."""
    return Series(of.name("Jacobian"), (), of.size, of.size)


def arriving_series(of: Recurrence) -> Series:
    """Return ``e``, the name of what arrives at the states of a recurrence."""
    return Series(of.name("Arriving"), (), of.size, 1)


def reaching_series(of: Recurrence, quantity: Series) -> Series:
    """Return the name of ``∂s_k/∂q_k``."""
    return Series(f"Reaching_{quantity.name}", (), of.size, quantity.shape[0])


def jacobian_node(of: Recurrence, piece: Span) -> Node:
    """Return ``J_t`` at the times of a piece."""
    return beside([stacked(of.states, of.jacobian(old, piece), old.shape[0]) for old in of.states])


def reaching_node(of: Recurrence, quantity: Series, piece: Span) -> Node:
    """Return ``∂s_k/∂q_k`` at the times of a piece."""
    return stacked(of.states, of.through(quantity, piece), quantity.shape[0])


def arriving_node(of: Recurrence, time: Expr) -> Node:
    """Return ``e_t`` at a time."""
    blocks = {}
    here = Span(time, time)
    for state in of.states:
        found = [at_time(c.term, time) for c in of.arriving(state) if c.span is None or of.derivation.network.order.covers(c.span, here)]
        blocks[state] = settled(Plus(*found), {}) if found else Zeros(*state.shape)
    return stacked(of.states, blocks, Integer(1))


def is_short(of: Recurrence, quantity: Series, piece: Span) -> bool:
    """Tell whether ``∂s_k/∂q_k`` is printed where it stands, without a name: one short matrix, or the identity."""
    node = reaching_node(of, quantity, piece)
    return len(of.states) == 1 and not isinstance(node, Plus | Zeros) and sum(1 for _ in leaves(node)) <= SHORT


def vector(of: Recurrence, quantity: Series, reads: Expr, chain: Sequence[Node], arrives: Expr, piece: Span) -> Node:
    """Return ``(∂s_k/∂q_k)ᵀ J_{k+1}ᵀ ⋯ J_tᵀ e_t`` with names."""
    near = reaching_node(of, quantity, piece) if is_short(of, quantity, piece) else reaching_series(of, quantity)[reads]
    return Product(Transposed(at_time(near, reads)), *chain, arriving_series(of)[arrives])


class Paths:
    """The sums over paths of a network with numbers for lengths.

    Args:
        derivation: Of that network.
        found: Its recurrences.
    """

    def __init__(self, derivation: Derivation, found: tuple[Recurrence, ...]) -> None:
        self.derivation = derivation
        self.found = found
        self._known: dict[At, Node] = {}

    def sums(self, name: str) -> tuple[PathSum, ...]:
        """Return the gradient in a quantity as a sum over paths: one, or one for each time at which it has a value.

        Raises:
            SpecError: Nobody defines the name, or no gradient is taken in it.
            NotSupportedError: A step that is no product of matrices.
        """
        given = self.derivation.given(name)
        span = given.span
        times = [None] if span is None else [Integer(time) for time in range(int(span.lo), int(span.hi) + 1)]
        return tuple(self._sum(given.quantity, time) for time in times)

    def _sum(self, quantity: Any, time: Expr | None) -> PathSum:
        terms: list[PathTerm] = []
        rest: list[Node] = []
        for node in self._read(quantity, time):
            adjoints = list(dict.fromkeys((leaf, owner) for leaf in leaves(node) if (owner := owner_of(leaf, self.found)) is not None))
            if not adjoints:
                rest.append(node)
                continue
            if len(adjoints) > 1:
                raise NotSupportedError(f"a term of ∂L/∂{quantity.key} holds several adjoints, {writer.text(node)}; see symrnn derive")
            (leaf, (of, reader)), = adjoints
            terms += self._terms(node, leaf, of, reader)
        ordered = sorted(terms, key=lambda p: (p.arrives, abs(p.arrives - p.reads)))
        target = quantity if time is None else quantity[time]
        used = dict.fromkeys(leaf for p in ordered for leaf in leaves(p.term) if leaf in self._known)
        used.update(dict.fromkeys(leaf for leaf, node in self._known.items() if terms and isinstance(node, Zeros) and leaf.shape[1] != 1))
        named = sorted(used, key=lambda leaf: (str(leaf.series.name), leaf.time))
        definitions = tuple(
            Equation(leaf.series[t], self._known[leaf], Span(leaf.time, leaf.time)) for leaf in named
        )
        return PathSum(target, tuple(ordered), tuple(rest), definitions)

    def _read(self, quantity: Any, time: Expr | None) -> Iterator[Node]:
        """Yield how the gradient of each reader goes over, one term for each time of the reader."""
        adjoint = self.derivation.by_quantity[quantity]
        for contribution in adjoint.contributions:
            if contribution.span is None:
                yield from summands(contribution.term)
            elif time is not None and contribution.span.lo <= time <= contribution.span.hi:
                term = settled(at_time(contribution.term, time), {})
                if not isinstance(term, Zeros):
                    yield term

    def _terms(self, node: Node, leaf: Leaf, of: Recurrence, reader: Series) -> Iterator[PathTerm]:
        """Yield the paths of one read: from each time at which something arrives."""
        reads = int(leaf.time)
        here = Span(reads, reads)
        if not of.through(reader, here):
            return
        last = of.span.hi if of.step == 1 else of.span.lo
        chain: list[Node] = []
        for arrives in range(reads, int(last) + of.step, of.step):
            if arrives != reads:
                jacobian = jacobian_series(of)[Integer(arrives)]
                if isinstance(self._define(jacobian, of), Zeros):
                    return
                chain.append(Transposed(jacobian))
            if isinstance(self._define(arriving_series(of)[Integer(arrives)], of), Zeros):
                continue
            if not is_short(of, reader, here):
                self._known[reaching_series(of, reader)[Integer(reads)]] = reaching_node(of, reader, here)
            value = vector(of, reader, Integer(reads), chain, Integer(arrives), here)
            yield PathTerm(arrives, reads, node.xreplace({leaf: value}))

    def _define(self, leaf: At, of: Recurrence) -> Node:
        """Return what a Jacobian or an arriving gradient is at a time, and keep it."""
        if leaf not in self._known:
            arriving = leaf.series == arriving_series(of)
            self._known[leaf] = arriving_node(of, leaf.time) if arriving else jacobian_node(of, Span(leaf.time, leaf.time))
        return self._known[leaf]


def summands(term: Node) -> Iterator[Node]:
    """Write a sum over numbered times term by term."""
    scalar, core = (term.args[0], term.args[1]) if isinstance(term, Scaled) else (Integer(1), term)
    if isinstance(core, TimeSum):
        body, index, lo, hi = core.args
        for time in range(int(lo), int(hi) + 1):
            found = settled(Scaled(scalar, body.xreplace({index: Integer(time)})), {})
            if not isinstance(found, Zeros):
                yield found
    elif isinstance(core, Plus):
        for part in core.args:
            yield from summands(Scaled(scalar, part))
    else:
        yield term


def by_paths(derivation: Derivation, sums: Sequence[PathSum]) -> Derivation:
    """Return the derivation with some gradients as sums over paths, so that judges and code can take them."""
    changed = []
    for adjoint in derivation.adjoints:
        own = [s for s in sums if (s.target.series if isinstance(s.target, At) else s.target) == adjoint.of]
        if own and isinstance(own[0].target, At):
            times = [s.target.time for s in own]
            kept = [e for e in each_time(adjoint.lines) if e.span is not None and e.span.lo not in times]
            added = [Equation(adjoint.lhs, s.formula(), Span(s.target.time, s.target.time), adjoint.role) for s in own]
            adjoint = replace(adjoint, lines=(*kept, *added))
        elif own:
            adjoint = replace(adjoint, lines=(Equation(adjoint.lhs, own[0].formula(), None, adjoint.role),))
        changed.append(adjoint)
    return replace(derivation, adjoints=tuple(changed))


def each_time(lines: Sequence[Equation]) -> Iterator[Equation]:
    """Yield a line for each of the numbered times of each line."""
    for line in lines:
        if line.span is not None:
            for time in range(int(line.span.lo), int(line.span.hi) + 1):
                yield replace(line, span=Span(time, time))
