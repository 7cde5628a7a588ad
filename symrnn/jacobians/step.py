"""One step of a network: which scans step together, what they carry over, and the local derivatives between quantities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.bptt import adjoint_name, pulled_back
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Series, t
from symrnn.jacobians.linear import local_jacobian
from symrnn.jacobians.products import added, is_diagonal
from symrnn.networks.graph import Network, Scan
from symrnn.networks.truncation import recurrence
from symrnn.rewrite import named_values, reuse_named_value
from symrnn.times import Order, Span, hull
from symrnn.traverse import leaves


@dataclass(frozen=True)
class Local:
    """The local derivative of an equation's left side in what it reads.

    Attributes:
        operand: The quantity that is read.
        old: Whether it is read at the step before.
        matrix: Rows are the entries of the left side.
        rules: Names of the reverse-mode rules on the way.
    """

    operand: Series
    old: bool
    matrix: Any
    rules: tuple[str, ...]


@dataclass
class Group:
    """What runs together: in one direction, over one range of times.

    Attributes:
        step: 1 forward, -1 backward.
        span: The times of the steps.
        network: The network.
        equations: One for each quantity, at the generic ``t``, in the order in which they run.
    """

    step: int
    span: Span
    network: Network
    equations: dict[Any, Equation] = field(default_factory=dict)

    def add(self, equations: Iterable[Equation]) -> None:
        """Take in what holds at the generic time."""
        for e in equations:
            if e.span is None or e.span.single:
                continue
            if e.quantity in self.equations:
                raise NotSupportedError(
                    f"{e.name} has two equations, at times {self.equations[e.quantity].span} and {e.span}; "
                    "the Jacobian of a step needs one generic step"
                )
            self.equations[e.quantity] = e

    @property
    def states(self) -> tuple[Any, ...]:
        """What is read at the step before, in the order of the reads."""
        found: dict[Any, None] = {}
        for leaf in (leaf for e in self.equations.values() for leaf in leaves(e.rhs)):
            if isinstance(leaf, At) and leaf.series in self.equations and leaf.time - t == -self.step:
                found[leaf.series] = None
        return tuple(found)

    def moving(self) -> set[Basic]:
        """What depends on a state within a step."""
        states: set[Basic] = set(self.states)
        changed: set[Basic] = set()
        while True:
            new = {q for q, e in self.equations.items() if q not in changed
                   and any(isinstance(leaf, At) and (leaf.series in changed or (leaf.series in states and leaf.time != t))
                           for leaf in leaves(e.rhs))}
            if not new:
                return states | changed
            changed |= new


def groups(network: Network) -> list[Group]:
    """Return the steps of a network: one for each direction of each range of times, in the order in which they run.

    What has no recurrence, such as the concatenation of two directions, belongs to every step over its times; the
    recurrence of the other direction belongs to none, and is held fixed.

    Raises:
        NotSupportedError: A quantity whose equation differs between ranges of times.
    """
    scans = [(scan, span) for scan in network.blocks if isinstance(scan, Scan) and (span := whole(scan, network.order)) is not None]
    found: list[Group] = []
    for scan, span in scans:
        if any((group.step, group.span) == (scan.step, span) for group in found):
            continue
        group = Group(scan.step, span, network)
        for other, times in scans:
            if times == span:
                held = set(recurrence(other)) if other.step != scan.step else set()
                group.add(e for e in other.equations if e.quantity not in held)
        found.append(group)
    return [group for group in found if group.states]


def whole(scan: Scan, order: Order) -> Span | None:
    """Return the times of a scan; ``None`` where it holds at single times only."""
    spans = [e.span for e in scan.equations if e.span is not None and not e.span.single]
    return hull(spans, order) if spans else None


def locals_of(equation: Equation, group: Group) -> list[Local]:
    """Return the local derivatives of an equation in the columns that it reads, from left to right.

    Matrices that are computed on the way are passed through: the derivative goes on to the columns that they read.

    Raises:
        NotSupportedError: A read at another time than this step or the one before, or a formula without a matrix.
    """
    g = adjoint_name(equation.quantity, 1 + max((o for q in group.equations for o in q.orders), default=0))
    found: list[Local] = []
    for operand, old, term, rules in reached(equation, g, group, ()):
        found.append(Local(operand, old, local_jacobian(term, g), rules))
    return list(together(found))


def reached(
    equation: Equation, received: Any, group: Group, rules: tuple[str, ...]
) -> Iterator[tuple[Any, bool, Any, tuple[str, ...]]]:
    """Yield what reaches the columns that an equation reads, when its left side receives something."""
    values, order = named_values(group.network), Order()
    moving = group.moving()
    for operand, passed, binders, names in pulled_back(equation.rhs, received, equation.lhs, moving):
        if not isinstance(operand, At):
            continue
        when = operand.time - t
        if binders or when not in {0, -group.step}:
            raise NotSupportedError(
                f"{equation.name} reads {writer.text(operand)}, which is neither of this step nor of the one before; "
                "rewrite it with a state that carries the value over"
            )
        if when != 0 and operand.series not in group.states:
            continue
        spans = {t: equation.span} if equation.span is not None else {}
        term = reuse_named_value(passed, values, spans, order)
        if operand.shape[1] == 1:
            yield operand.series, when != 0, term, (*rules, *names)
        elif when != 0:
            raise NotSupportedError(f"the state {operand.name} is a matrix; the Jacobian of a step needs states that are columns")
        else:
            yield from reached(group.equations[operand.series], term, group, (*rules, *names))


def together(found: Iterable[Local]) -> Iterator[Local]:
    """Add up the diagonal derivatives in one operand: ``diag(h_{t-1}) - diag(h̃_t)`` becomes ``diag(h_{t-1} - h̃_t)``."""
    listed = list(found)
    for number, local in enumerate(listed):
        if not is_diagonal(local.matrix):
            yield local
            continue
        alike = [k for k, other in enumerate(listed)
                 if (other.operand, other.old) == (local.operand, local.old) and is_diagonal(other.matrix)]
        if alike[0] == number:
            yield Local(local.operand, local.old, added(listed[k].matrix for k in alike), local.rules)
