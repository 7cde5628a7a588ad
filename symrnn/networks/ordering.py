"""The order in which the equations of one step are evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import At, t
from symrnn.traverse import leaves


def ordered(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """Sort equations so that each reads, at its own time, only what stands before it; keep the given order where it does.

    Raises:
        SpecError: A cycle within a step, named by its members.
    """
    waiting = list(equations)
    done: list[Equation] = []
    while waiting:
        open_names = {e.quantity for e in waiting}
        ready = next((e for e in waiting if not reads_now(e) & open_names - _other_ranges(e, waiting)), None)
        if ready is None:
            names = " → ".join(e.name for e in a_cycle(waiting))
            raise SpecError(f"a cycle within a time step: {names}; read one of them at t-1 instead")
        waiting.remove(ready)
        done.append(ready)
    return tuple(done)


def a_cycle(waiting: list[Equation]) -> list[Equation]:
    """Return equations of which each reads the next one, and the last is the first, where none can be evaluated first."""
    path = [waiting[0]]
    while True:
        read = reads_now(path[-1]) - _other_ranges(path[-1], waiting)
        following = next(e for e in waiting if e.quantity in read)
        if following in path:
            return [*path[path.index(following):], following]
        path.append(following)


def reads_now(equation: Equation) -> set[object]:
    """Return the series that an equation reads at its own time."""
    return {leaf.series for leaf in leaves(equation.rhs) if isinstance(leaf, At) and leaf.time == t}


def _other_ranges(equation: Equation, waiting: list[Equation]) -> set[object]:
    """A quantity does not wait for an equation of itself that holds at other times."""
    return {equation.quantity} if sum(e.quantity == equation.quantity for e in waiting) > 1 else set()
