"""The order in which the equations of one step are evaluated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import At, t
from symrnn.traverse import leaves


def ordered(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """Sort equations so that each reads, at its own time, only what stands before it; keep the given order where it does.

    Raises:
        SpecError: A cycle within a step, named by its members.
    """
    waiting = [(e, e.quantity, reads_now(e)) for e in equations]
    undone: Counter[object] = Counter(quantity for _, quantity, _ in waiting)
    done: list[Equation] = []
    while waiting:
        place = next((n for n, (_, own, read) in enumerate(waiting) if not must_wait(own, read, undone)), None)
        if place is None:
            names = " → ".join(e.name for e in a_cycle([e for e, _, _ in waiting]))
            raise SpecError(f"a cycle within a time step: {names}; read one of them at t-1 instead")
        ready, quantity, _ = waiting.pop(place)
        undone[quantity] -= 1
        done.append(ready)
    return tuple(done)


def must_wait(own: object, read: set[object], undone: Mapping[object, int]) -> bool:
    """Tell whether an equation reads what is not there yet; it does not wait for equations of its own quantity at other times."""
    return any(undone[q] > 0 and not (q == own and undone[q] > 1) for q in read)


def a_cycle(waiting: list[Equation]) -> list[Equation]:
    """Return equations of which each reads the next one, and the last is the first, where none can be evaluated first."""
    path = [waiting[0]]
    undone = Counter(e.quantity for e in waiting)
    while True:
        own, read = path[-1].quantity, reads_now(path[-1])
        following = next(e for e in waiting if e.quantity in read and must_wait(own, {e.quantity}, undone))
        if following in path:
            return [*path[path.index(following):], following]
        path.append(following)


def reads_now(equation: Equation) -> set[object]:
    """Return the series that an equation reads at its own time."""
    return {leaf.series for leaf in leaves(equation.rhs) if isinstance(leaf, At) and leaf.time == t}
