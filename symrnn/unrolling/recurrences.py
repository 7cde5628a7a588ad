"""The recurrences of a network: what runs in a circle through time, its states, and how one step moves them.

A recurrence is a strongly connected set of quantities: each of them depends on each, some of them at an earlier time. Its
states are what is read at an earlier time, and what others read. The states of one time, stacked, are one column ``s_t``;
``J_t = ∂s_t/∂s_{t-1}`` has a row for each entry of ``s_t``. What the loss says of ``s_t`` on a way that does not pass
``s_{t+1}`` arrives from outside: ``e_t``. All of it is read off the contributions of a derivation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn import writer
from symrnn.derivation import Contribution, Derivation, key_of
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Diag, Hadamard, Identity, Node, Plus, Product, Scaled, Series, Stacked, Transposed, Zeros, t
from symrnn.expr.algebra import split_scalar
from symrnn.rewrite import settled
from symrnn.times import Span, hull
from symrnn.traverse import at_time, leaves, quantity_of
from symrnn.unrolling.pullbacks import pullback_matrix

Blocks = dict[Series, Node]


@dataclass(frozen=True)
class Recurrence:
    """One recurrence of a network.

    Attributes:
        derivation: Of the network, with symbolic lengths or with numbers.
        members: The quantities that depend on each other.
        step: 1 where it reads the time before, -1 where it reads the time after.
        states: What is carried from step to step or read from outside, in the order of their equations.
        mark: The mark of its part, such as ``l2`` or ``fw``; empty where it needs none.
    """

    derivation: Derivation
    members: frozenset[Basic]
    step: int
    states: tuple[Series, ...]
    mark: str = ""
    _through: dict[tuple[Basic, Span], Blocks] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Its equations, in the order in which they run."""
        return tuple(e for e in self.derivation.network.equations if e.quantity in self.members)

    @cached_property
    def span(self) -> Span:
        """Its times: those at which its states are computed from earlier ones."""
        spans = [e.span for e in self.equations if e.span is not None and any(self._carried(e))]
        return hull(spans, self.derivation.network.order)

    @property
    def size(self) -> Expr:
        """Rows of ``s_t``."""
        return sum((state.shape[0] for state in self.states), Integer(0))

    def pieces(self) -> list[Span]:
        """Cut its times where one of its equations begins or ends."""
        spans = [e.span for e in self.equations if e.span is not None]
        return self.derivation.network.order.cut(self.span, [mark for s in spans for mark in (s.lo, s.hi + 1)])

    def name(self, letter: str) -> str:
        """Return a name with the mark of this recurrence."""
        return f"{letter}_{self.mark}" if self.mark else letter

    def through(self, quantity: Basic, piece: Span) -> Blocks:
        """Return ``∂s_t/∂q_t`` along the ways inside one step, one block for each state; blocks that are 0 are left out.

        Raises:
            NotSupportedError: A step that is no product of matrices, such as attention.
        """
        key = (quantity, piece)
        if key not in self._through:
            found: Blocks = {quantity: Identity(quantity.shape[0])} if quantity in self.states else {}
            for contribution in self._read(quantity, Integer(0), piece):
                _add(found, self._passed(contribution, piece))
            self._through[key] = found
        return self._through[key]

    def jacobian(self, old: Series, piece: Span) -> Blocks:
        """Return the blocks ``∂new_t/∂old_{t-1}`` at the times of a piece; rows are entries of ``new``.

        Raises:
            NotSupportedError: A step that is no product of matrices, such as attention.
        """
        found: Blocks = {}
        for contribution in self._read(old, Integer(-self.step), piece):
            _add(found, self._passed(contribution, piece))
        return found

    def _passed(self, contribution: Contribution, piece: Span) -> Blocks:
        """The blocks of what reads a quantity, times how it reads it."""
        local = local_of(contribution, piece)
        if isinstance(local, Zeros):
            return {}
        return {state: multiplied(block, local) for state, block in self.through(contribution.step.reader.quantity, piece).items()}

    def _read(self, quantity: Basic, offset: Expr, piece: Span) -> Iterator[Contribution]:
        """Yield how a quantity is read inside the recurrence at an offset, at all times of a piece of the reader's times."""
        adjoint = self.derivation.by_quantity.get(quantity)
        for contribution in adjoint.contributions if adjoint is not None else ():
            step = contribution.step
            inside = step.reader.quantity in self.members and isinstance(step.operand, At) and step.operand.time - t == offset
            if inside and step.reader.span is not None and self.derivation.network.order.covers(step.reader.span, piece):
                yield contribution

    def _carried(self, equation: Equation) -> Iterator[At]:
        """Yield what an equation reads of the recurrence at another time than its own."""
        for leaf in leaves(equation.rhs):
            if isinstance(leaf, At) and leaf.series in self.members and leaf.time != t:
                yield leaf

    def arriving(self, state: Series) -> Iterator[Contribution]:
        """Yield the contributions to a state from outside the recurrence."""
        adjoint = self.derivation.by_quantity.get(state)
        for contribution in adjoint.contributions if adjoint is not None else ():
            if contribution.step.reader.quantity not in self.members:
                yield contribution


def local_of(contribution: Contribution, piece: Span) -> Node:
    """Return ``∂reader_t/∂operand`` as a matrix.

    Raises:
        NotSupportedError: The step is no product with a matrix.
    """
    step = contribution.step
    found = step.local
    if found is None:
        pullback = settled(at_time(step.pullback, piece.lo), {}) if piece.single else settled(step.pullback, {t: piece})
        received = at_time(step.received, piece.lo) if piece.single else step.received
        if isinstance(pullback, Zeros):
            return Zeros(step.received.shape[0], step.operand.shape[0])
        matrix = pullback_matrix(pullback, received) if received.shape[1] == 1 else None
        found = None if matrix is None else Transposed(matrix)
    if found is None:
        reader, read = writer.text(step.reader.lhs), writer.text(step.operand)
        raise NotSupportedError(f"∂{reader}/∂{read} is no matrix made of named quantities, so the sum over paths cannot be written "
                                "as products of Jacobians; the δ-lines hold, see symrnn derive")
    return at_time(found, piece.lo) if piece.single else found


def multiplied(left: Node, right: Node) -> Node:
    """Multiply two derivatives; diagonal matrices that meet become one, sums are multiplied out."""
    if isinstance(left, Plus):
        return Plus(*(multiplied(term, right) for term in left.args))
    if isinstance(right, Plus):
        return Plus(*(multiplied(left, term) for term in right.args))
    factors: list[Node] = []
    scalar, whole = split_scalar(Product(left, right))
    for factor in whole.args if isinstance(whole, Product) else (whole,):
        if factors and isinstance(factor, Diag) and isinstance(factors[-1], Diag):
            factor = Diag(Hadamard(factors.pop().args[0], factor.args[0]))
        factors.append(factor)
    return Scaled(scalar, Product(*factors))


def _add(found: Blocks, more: Blocks) -> None:
    for state, block in more.items():
        found[state] = Plus(found[state], block) if state in found else block


def stacked(states: tuple[Series, ...], blocks: Blocks, cols: Expr) -> Node:
    """Put the blocks of the states below each other."""
    parts = [blocks.get(state, Zeros(state.shape[0], cols)) for state in states]
    return parts[0] if len(parts) == 1 else Stacked(*parts)


def beside(parts: list[Node]) -> Node:
    """Put matrices beside each other: the transpose of a stack of transposes."""
    return parts[0] if len(parts) == 1 else Transposed(Stacked(*(Transposed(part) for part in parts)))


def recurrences(derivation: Derivation) -> tuple[Recurrence, ...]:
    """Find the recurrences of a network that its loss depends on, in the order in which they run.

    Raises:
        NotSupportedError: A recurrence that reads more than one step back, or at fixed times, or both ways.
    """
    reads: dict[Basic, set[Basic]] = {}
    for equation in derivation.network.equations:
        reads.setdefault(equation.quantity, set()).update(quantity_of(leaf) for leaf in leaves(equation.rhs))
    reach = {quantity: reached(quantity, reads) for quantity in reads}
    found: dict[frozenset[Basic], None] = {}
    for quantity, others in reach.items():
        if quantity in others and quantity in derivation.by_quantity:
            found[frozenset(other for other in others if quantity in reach.get(other, ()))] = None
    return tuple(recurrence(members, derivation, len(found) > 1) for members in found)


def reached(start: Basic, reads: dict[Basic, set[Basic]]) -> set[Basic]:
    """Return everything that a quantity depends on."""
    waiting, seen = [start], set()
    while waiting:
        for quantity in reads.get(waiting.pop(), ()):
            if quantity not in seen:
                seen.add(quantity)
                waiting.append(quantity)
    return seen


def recurrence(members: frozenset[Basic], derivation: Derivation, several: bool) -> Recurrence:
    """Describe one recurrence."""
    equations = [e for e in derivation.network.equations if e.quantity in members]
    carried: dict[Basic, Any] = {}
    offsets: set[Any] = set()
    for equation in equations:
        for leaf in leaves(equation.rhs):
            if isinstance(leaf, At) and leaf.series in members and leaf.time != t:
                offsets.add(leaf.time - t)
                carried[leaf.series] = leaf
    if offsets not in ({Integer(-1)}, {Integer(1)}):
        shown = ", ".join(sorted(writer.text(leaf) for leaf in carried.values()))
        raise NotSupportedError(f"the recurrence of {derivation.network.name} reads {shown}; a product of Jacobians needs steps of one "
                                "time in one direction; the δ-lines hold, see symrnn derive")
    outside = {
        q for q in members for c in (derivation.by_quantity[q].contributions if q in derivation.by_quantity else ())
        if c.step.reader.quantity not in members
    }
    order = dict.fromkeys(e.quantity for e in equations)
    states = tuple(q for q in order if isinstance(q, Series) and (q in carried or q in outside))
    names = {q.name for q in states}
    mark = next((p.mark for p in derivation.network.parts if names & set(p.names) and p.mark), "") if several else ""
    return Recurrence(derivation, members, -int(offsets.pop()), states, mark)


def owner_of(adjoint: Any, found: tuple[Recurrence, ...]) -> tuple[Recurrence, Series] | None:
    """Return the recurrence that an adjoint belongs to, and the quantity that it is the adjoint of."""
    for one in found:
        for quantity in one.members:
            known = one.derivation.by_quantity.get(quantity)
            if known is not None and isinstance(quantity, Series) and key_of(known.lhs) == key_of(adjoint):
                return one, quantity
    return None


__all__ = ["Recurrence", "beside", "multiplied", "owner_of", "recurrences", "stacked"]
