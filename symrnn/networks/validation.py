"""What must hold before a network is derived: every read was defined before, no quantity twice at one time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import At, Columns, Divides, Leaf, Static, TimeSum, t
from symrnn.times import Order, Span
from symrnn.traverse import quantity_of


def validate(givens: Iterable[Any], blocks: Sequence[Any], loss: Static, order: Order) -> None:
    """Check a network.

    Args:
        givens: What comes from outside: quantities with the times at which they are there.
        blocks: Scans and static equations, in the order in which they run.
        loss: What is differentiated.
        order: Compares times.

    Raises:
        SpecError: The first thing that is wrong, by name.
    """
    known: dict[Basic, list[Span | None]] = {}
    names: set[str] = set()
    inputs: set[Basic] = set()
    for given in givens:
        inputs |= {given.quantity} if given.kind == "input" else set()
        if given.name in names:
            raise SpecError(f"two given quantities are called {given.name}; rename one of them")
        names.add(given.name)
        define(known, given.quantity, given.span, order)
    listed = [(block,) if isinstance(block, Equation) else block.equations for block in blocks]
    for number, (block, equations) in enumerate(zip(blocks, listed, strict=True)):
        for equation in equations:
            define(known, equation.quantity, equation.span, order)
        own = {e.quantity for e in equations}
        for equation in equations:
            for leaf, span in reads(equation):
                check_later(equation, leaf, span, known, order, listed[number + 1:])
                check_read(equation, leaf, span, known, order, inputs)
                if not isinstance(block, Equation) and quantity_of(leaf) in own and leaf.time != t:
                    check_direction(equation, leaf, block.step)
    if loss not in known:
        raise SpecError(f"the loss {loss.name} has no equation; add one")


def define(known: dict[Basic, list[Span | None]], quantity: Basic, span: Span | None, order: Order) -> None:
    """Record a definition, and refuse a second one for the same times."""
    earlier = known.setdefault(quantity, [])
    for other in earlier:
        if span is None or other is None or not order.disjoint(span, other):
            raise SpecError(f"two equations for {quantity.name}" + (f" at times {span}" if span else "") + "; keep one")
    earlier.append(span)


def reads(equation: Equation) -> Iterator[tuple[Leaf, Span | None]]:
    """Yield each quantity that an equation reads with the times at which it does."""
    yield from _reads(equation.rhs, {} if equation.span is None else {t: equation.span}, equation)


def _reads(node: Basic, ranges: dict[Basic, Span], equation: Equation) -> Iterator[tuple[Leaf, Span | None]]:
    if isinstance(node, Static):
        yield node, None
    elif isinstance(node, At):
        moving = sorted(node.time.free_symbols & ranges.keys(), key=str)
        if not moving:
            yield node, Span(node.time, node.time)
        elif len(moving) == 1 and (node.time - moving[0]).is_Integer:
            yield node, ranges[moving[0]].shifted(node.time - moving[0])
        else:
            raise SpecError(f"{equation.name} reads {writer.text(node)}; a time must be t+k, a fixed time, or a sum's index")
    elif isinstance(node, Divides):
        if t in node.free_symbols - ranges.keys():
            raise SpecError(f"{equation.name} has no time t, but reads {writer.text(node)}; ask for a fixed time, or under a sum")
    elif isinstance(node, TimeSum | Columns):
        body, index, lo, hi = node.args
        yield from _reads(body, {**ranges, index: Span(lo, hi)}, equation)
    else:
        for arg in node.args:
            yield from _reads(arg, ranges, equation)


def check_later(
    equation: Equation, leaf: Leaf, span: Span | None, known: dict[Basic, list[Span | None]], order: Order,
    later: Iterable[Iterable[Equation]],
) -> None:
    """Refuse a read of what a later scan, or a later static equation, computes."""
    found = next((e for equations in later for e in equations if e.quantity == quantity_of(leaf)), None)
    if found is None:
        return
    spans = [s for s in known.get(quantity_of(leaf), []) if s is not None]
    if span is None or not covered(span, spans, order):
        what = "equation" if found.span is None else "scan"
        raise SpecError(f"the equation for {equation.name} reads {shown(leaf)}, which a later {what} computes; put that {what} before it")


def check_read(
    equation: Equation, leaf: Leaf, span: Span | None, known: dict[Basic, list[Span | None]], order: Order, inputs: set[Basic]
) -> None:
    """Refuse a read of what is not there."""
    spans = known.get(quantity_of(leaf))
    if spans is None:
        raise SpecError(f"the equation for {equation.name} reads {shown(leaf)}, which nobody defines before it")
    if span is not None and not covered(span, [s for s in spans if s is not None], order):
        where = ", ".join(str(s) for s in spans)
        hint = f"; {kept(leaf)}" if quantity_of(leaf) in inputs and earlier(leaf) else ""
        raise SpecError(f"the equation for {equation.name} reads {leaf.name} at times {span}, but it is there only at {where}{hint}")


def earlier(leaf: Leaf) -> bool:
    """Tell whether a value of a step before is read."""
    return isinstance(leaf, At) and (leaf.time - t).is_Integer and bool(leaf.time - t < 0)


def kept(leaf: Leaf) -> str:
    """Say how a cell reads the input of the step before: in a state, whose first value is given."""
    return f"there is no input before the first: keep it in a state, p[t] = {leaf.name}[t], and read p[t-1]"


def shown(leaf: Leaf) -> str:
    """Return a quantity for a message; one that is read over a whole sequence by its name alone."""
    whole = isinstance(leaf, At) and any(s.name.startswith("_s") for s in leaf.time.free_symbols)
    return leaf.name if whole else writer.text(leaf)


def covered(span: Span, spans: list[Span], order: Order) -> bool:
    """Tell whether adjacent spans together cover one."""
    ranked = {s.lo: s for s in spans}
    reached = span.lo
    for lo in order.sort(ranked):
        if order.compare(lo, reached) <= 0 and order.compare(reached, ranked[lo].hi + 1) <= 0:
            reached = ranked[lo].hi + 1
    return order.compare(span.hi, reached) < 0


def check_direction(equation: Equation, leaf: Leaf, step: int) -> None:
    """Refuse a read of what a scan computes only later."""
    gap = leaf.time - t
    if gap.is_Integer and gap * step > 0:
        way = "forward" if step == 1 else "backward"
        raise SpecError(f"{equation.name} reads {writer.text(leaf)} in a {way} scan, which computes it only later")
