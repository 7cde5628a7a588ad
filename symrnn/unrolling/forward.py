"""Forward substitution: states put into themselves, back to the initial ones or some steps back.

What is read once is put where it is read. What several formulas read keeps its name and gets a line of its own, and so does
a state below which so many steps are nested that nobody could read more: the text grows in proportion to the steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr

from symrnn.equations import Equation
from symrnn.expr import At, Node, t
from symrnn.networks import Network
from symrnn.times import Span
from symrnn.traverse import at_time, leaves, rebuilt

KEPT_ROLES = frozenset({"gate", "candidate"})
"""What stays under its name where only states are substituted."""


@dataclass(frozen=True)
class Substituted:
    """One line of the substitution: a value at a time, and what it is."""

    lhs: At
    rhs: Node


@dataclass(frozen=True)
class Substitution:
    """What is put into what.

    Attributes:
        network: With numbers for lengths, or with symbolic lengths for a generic time.
        kept: Series that keep their names.
        states: Series whose nesting counts as steps.
        nesting: So many steps are nested in one line.
        back_to: How many steps before the generic ``t`` it ends; ``None`` to go down to what is given.
    """

    network: Network
    kept: frozenset[Basic]
    states: frozenset[Basic]
    nesting: int
    back_to: int | None = None

    def rhs(self, leaf: At) -> Node | None:
        """Return what a value is, or ``None`` where it stays: given, kept, or too far back."""
        if leaf.series in self.kept:
            return None
        if self.back_to is not None:
            gap = leaf.time - t
            if not gap.is_Integer or abs(gap) >= self.back_to:
                return None
            equation = generic_equation(self.network, leaf.series)
        else:
            equation = equation_at(self.network, leaf.series, leaf.time)
        return None if equation is None else at_time(equation.rhs, leaf.time)

    def lines(self, targets: Iterable[At]) -> tuple[Substituted, ...]:
        """Return the lines that give some values, each after what it reads."""
        wanted = tuple(targets)
        known = dict(self._ordered(wanted))
        uses = Counter(leaf for rhs in known.values() for leaf in leaves(rhs) if leaf in known)
        whole: dict[At, Node] = {}
        depth: dict[At, int] = {}
        out = []
        for leaf, rhs in known.items():
            depth[leaf] = max((depth[read] for read in set(leaves(rhs)) if read in whole), default=0) + (leaf.series in self.states)
            value = rebuilt(rhs, lambda part: whole.get(part, part))
            if uses[leaf] == 1 and leaf not in wanted and depth[leaf] < self.nesting:
                whole[leaf] = value
            else:
                out.append(Substituted(leaf, value))
        return tuple(out)

    def _ordered(self, targets: tuple[At, ...]) -> Iterator[tuple[At, Node]]:
        """Yield the values that are substituted, each after what it reads; without recursion, for any number of steps."""
        done: set[At] = set()
        waiting: list[tuple[At, bool]] = [(target, False) for target in reversed(targets)]
        while waiting:
            leaf, ready = waiting.pop()
            rhs = self.rhs(leaf)
            if leaf in done or rhs is None:
                continue
            if ready:
                done.add(leaf)
                yield leaf, rhs
                continue
            waiting.append((leaf, True))
            waiting.extend((read, False) for read in reversed(list(leaves(rhs))) if isinstance(read, At) and read not in done)


def equation_at(network: Network, series: Basic, time: Expr) -> Equation | None:
    """Return the equation of a series at a time that is a number."""
    if not time.is_Integer:
        return None
    here = Span(time, time)
    return next((e for e in network.equations if e.quantity == series and e.span is not None and network.order.covers(e.span, here)), None)


def generic_equation(network: Network, series: Basic) -> Equation | None:
    """Return the equation of a series that holds at most times."""
    own = [e for e in network.equations if e.quantity == series and e.span is not None]
    return next((e for e in reversed(own) if not e.span or not e.span.single), None)


def inside_step(network: Network, series: Basic) -> Node | None:
    """Return the equation's right side with the pre-activations that it alone reads put in."""
    equation = generic_equation(network, series)
    if equation is None:
        return None

    def change(part: Any) -> Any:
        inner = generic_equation(network, part.series) if isinstance(part, At) and part.time == t else None
        return inner.rhs if inner is not None and inner.role == "pre-activation" else part

    return rebuilt(equation.rhs, change)


def first_and_last(span: Span, step: int) -> tuple[Expr, Expr]:
    """Return the first and the last time in the order of the scan."""
    return (span.lo, span.hi) if step == 1 else (span.hi, span.lo)


__all__ = ["KEPT_ROLES", "Substituted", "Substitution", "equation_at", "first_and_last", "inside_step"]
