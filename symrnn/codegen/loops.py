"""From a scan to a loop over times, with what stands before and after it.

An equation that holds only at one end of the loop stands beside it, where what it reads and what reads it allow; the
equations of one quantity at different times become a choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sympy import Basic, Expr, expand

from symrnn.equations import Equation
from symrnn.networks.graph import Scan
from symrnn.times import Order, Span, hull
from symrnn.traverse import leaves, quantity_of


@dataclass(frozen=True)
class Line:
    """One equation at a place of the program.

    Attributes:
        equation: The equation; its right side is the addend where ``adds`` is true.
        time: The fixed time at which it is evaluated, or ``None``: at the loop's ``t``, or static.
        adds: Whether the value is added to what is there.
    """

    equation: Equation
    time: Expr | None = None
    adds: bool = False


@dataclass(frozen=True)
class Choice:
    """Lines of which each holds at some times of a loop.

    Attributes:
        branches: Times and lines; disjoint.
        complete: Whether one of them holds at every time of the loop.
    """

    branches: tuple[tuple[Span, tuple[Line, ...]], ...]
    complete: bool


@dataclass(frozen=True)
class Loop:
    """A loop over times.

    Attributes:
        span: The times.
        step: 1 or -1.
        body: Lines and choices, in order.
        sums: Quantities that the loop adds up; they start from 0.
    """

    span: Span
    step: int
    body: tuple[Line | Choice, ...]
    sums: tuple[Equation, ...] = ()


Work = Line | Loop


def joined(equations: Sequence[Equation], order: Order) -> tuple[Equation, ...]:
    """Join equations of one quantity with one formula at adjacent times."""
    out: list[Equation] = []
    for e in equations:
        twin = next((o for o in out if (o.lhs, o.rhs) == (e.lhs, e.rhs) and adjacent(o, e)), None)
        if twin is None or twin.span is None or e.span is None:
            out.append(e)
        else:
            out[out.index(twin)] = replace(twin, span=hull((twin.span, e.span), order))
    return tuple(out)


def adjacent(a: Equation, b: Equation) -> bool:
    """Tell whether one equation goes on where the other ends."""
    if a.span is None or b.span is None:
        return False
    return expand(a.span.hi + 1 - b.span.lo) == 0 or expand(b.span.hi + 1 - a.span.lo) == 0


def arranged(scan: Scan, order: Order) -> list[Work]:
    """Split a scan into what stands before its loop, the loop, and what stands after it."""
    rest = list(scan.equations)
    before: list[Line] = []
    after: list[Line] = []
    while rest and not times_of(rest, order).single:
        moved = at_end(rest, scan.step, order)
        if moved:
            after = [*map(at_one_time, moved), *after]
        else:
            moved = at_start(rest, scan.step, order)
            before += map(at_one_time, moved)
        if not moved:
            break
        rest = [e for e in rest if e not in moved]
    if rest and times_of(rest, order).single:
        return [*before, *map(at_one_time, rest), *after]
    span = times_of(rest, order)
    return [*before, Loop(span, scan.step, tuple(body_of(rest, span, order))), *after]


def at_one_time(equation: Equation) -> Line:
    """An equation with a span of one time, beside a loop."""
    return Line(equation, equation.span.lo if equation.span is not None else None)


def times_of(equations: Iterable[Equation], order: Order) -> Span:
    """Return the times from the first to the last."""
    return hull((e.span for e in equations if e.span is not None), order)


def at_end(equations: list[Equation], step: int, order: Order) -> list[Equation]:
    """Return what can run after the loop: it holds at the last time only, and nothing in the loop reads it."""
    whole = times_of(equations, order)
    last = whole.hi if step == 1 else whole.lo
    moved = [e for e in equations if e.span == Span(last, last)]
    if alone_at(last, moved, equations, order):
        return moved
    while True:
        stay = [e for e in equations if e not in moved]
        read = {quantity_of(leaf) for e in stay for leaf in leaves(e.rhs)} | {e.quantity for e in stay}
        kept = [e for e in moved if e.quantity not in read]
        if kept == moved:
            return moved
        moved = kept


def at_start(equations: list[Equation], step: int, order: Order) -> list[Equation]:
    """Return what can run before the loop: it holds at the first time only, and reads nothing that the loop makes."""
    whole = times_of(equations, order)
    first = whole.lo if step == 1 else whole.hi
    moved = [e for e in equations if e.span == Span(first, first)]
    if alone_at(first, moved, equations, order):
        return moved
    while True:
        made = {e.quantity for e in equations if e not in moved}
        kept = [e for e in moved if e.quantity not in made and not made & {quantity_of(leaf) for leaf in leaves(e.rhs)}]
        if kept == moved:
            return moved
        moved = kept


def alone_at(time: Expr, moved: list[Equation], equations: list[Equation], order: Order) -> bool:
    """Tell whether no other equation holds at a time."""
    here = Span(time, time)
    others = [e for e in equations if e not in moved and e.span is not None]
    return bool(moved) and all(order.disjoint(e.span, here) for e in others if e.span is not None)


def body_of(equations: list[Equation], span: Span, order: Order) -> list[Line | Choice]:
    """Put the equations of one quantity together: a line, or a choice between lines."""
    last = {e.quantity: e for e in equations}
    body: list[Line | Choice] = []
    for equation in equations:
        if last[equation.quantity] is not equation:
            continue
        group = joined([e for e in equations if e.quantity == equation.quantity], order)
        if len(group) == 1 and covers(group[0], span, order):
            body.append(Line(group[0]))
        else:
            add_choice(body, choice_of(group, span, order))
    return body


def covers(equation: Equation, span: Span, order: Order) -> bool:
    """Tell whether an equation holds at every time of a span."""
    return equation.span is None or order.covers(equation.span, span)


def choice_of(group: Sequence[Equation], span: Span, order: Order) -> Choice:
    """Order the equations of one quantity: single times first, the widest last."""
    ranked = sorted(group, key=lambda e: e.span is not None and not e.span.single)
    branches = tuple((e.span, (Line(e),)) for e in ranked if e.span is not None)
    return Choice(branches, covered(span, [s for s, _ in branches], order))


def covered(span: Span, parts: list[Span], order: Order) -> bool:
    """Tell whether disjoint spans together are a whole one."""
    reached = span.lo
    for lo in order.sort(part.lo for part in parts):
        if lo == reached:
            reached = expand(next(part.hi for part in parts if part.lo == lo) + 1)
    return bool(reached == expand(span.hi + 1))


def add_choice(body: list[Line | Choice], choice: Choice) -> None:
    """Append a choice; one that asks the same single question as the one before joins it."""
    last = body[-1] if body else None
    if isinstance(last, Choice) and len(last.branches) == len(choice.branches) == 1:
        (span, lines), (other, more) = last.branches[0], choice.branches[0]
        if span == other:
            body[-1] = Choice(((span, (*lines, *more)),), choice.complete)
            return
    body.append(choice)


def made_by(work: Work) -> set[Basic]:
    """Return the quantities that a line or a loop makes."""
    return {line.equation.quantity for line in lines_of(work)}


def lines_of(work: Work | Choice) -> Iterable[Line]:
    """Yield the lines of a piece of work."""
    if isinstance(work, Line):
        yield work
    elif isinstance(work, Choice):
        for _, lines in work.branches:
            yield from lines
    else:
        for item in work.body:
            yield from lines_of(item)
