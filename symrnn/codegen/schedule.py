"""The order of the work: which equations run in which loop, and which beside it.

Everything follows from the dependencies of the equations. What no result needs is left out; scans over the same times
that can share a loop do; an equation that holds only at one end stands beside the loop; a sum over the times of a loop,
such as the gradient of a weight, is collected in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sympy import Basic

from symrnn.codegen.emit import is_scattered
from symrnn.codegen.loops import Line, Loop, Work, arranged, made_by
from symrnn.equations import Equation
from symrnn.expr import At, Scaled, TimeSum, t
from symrnn.networks.graph import Network, Scan
from symrnn.times import Order, Span
from symrnn.traverse import leaves, quantity_of


def schedule(network: Network, outputs: Iterable[Basic]) -> tuple[Work, ...]:
    """Arrange the equations that the outputs need."""
    blocks = fused(needed_blocks(network, needed(network, outputs)), network.order)
    work: list[Work] = []
    for block in blocks:
        work.extend(arranged(block, network.order) if isinstance(block, Scan) else [Line(block)])
    return collected(work)


def needed(network: Network, outputs: Iterable[Basic]) -> set[Basic]:
    """Return the quantities that the outputs depend on, themselves included."""
    found, size = set(outputs), 0
    while len(found) != size:
        size = len(found)
        found |= {quantity_of(leaf) for e in network.equations if e.quantity in found for leaf in leaves(e.rhs)}
    return found


def needed_blocks(network: Network, wanted: set[Basic]) -> list[Scan | Equation]:
    """Return the blocks without the equations that nobody needs."""
    blocks: list[Scan | Equation] = []
    for block in network.blocks:
        if isinstance(block, Equation):
            blocks.extend([block] if block.quantity in wanted else [])
            continue
        kept = tuple(e for e in block.equations if e.quantity in wanted)
        blocks.extend([Scan(kept, block.step)] if kept else [])
    return blocks


def fused(blocks: list[Scan | Equation], order: Order) -> list[Scan | Equation]:
    """Let neighbouring scans over the same times share a loop where the later one reads no future value."""
    out: list[Scan | Equation] = []
    for block in blocks:
        last = out[-1] if out else None
        if isinstance(last, Scan) and isinstance(block, Scan) and can_share(last, block, order):
            out[-1] = Scan((*last.equations, *block.equations), block.step)
        else:
            out.append(block)
    return out


def can_share(first: Scan, second: Scan, order: Order) -> bool:
    """Tell whether two scans can run in one loop."""
    if first.step != second.step or loop_span(first, order) != loop_span(second, order):
        return False
    own = {e.quantity for e in first.equations}
    reads = [leaf for e in second.equations for leaf in leaves(e.rhs) if quantity_of(leaf) in own]
    gaps = [leaf.time - t for leaf in reads]
    return all(gap.is_Integer and gap * first.step <= 0 for gap in gaps)


def loop_span(scan: Scan, order: Order) -> Span | None:
    """Return the times of the loop that a scan becomes, or ``None`` where it needs none."""
    return next((work.span for work in arranged(scan, order) if isinstance(work, Loop)), None)


def collected(work: list[Work]) -> tuple[Work, ...]:
    """Move a sum over the times of a loop into the loop that makes the last of what it adds."""
    out: list[Work] = []
    for item in work:
        loop = collector_of(item, out)
        if loop is None or not isinstance(item, Line):
            out.append(item)
        else:
            body = (*loop.body, addend(item.equation))
            out[out.index(loop)] = replace(loop, body=body, sums=(*loop.sums, item.equation))
    return tuple(out)


def addend(equation: Equation) -> Line:
    """What one time adds to a sum."""
    coefficient, total = (equation.rhs.args if isinstance(equation.rhs, Scaled) else (1, equation.rhs))
    body, index, _, _ = total.args
    return Line(replace(equation, rhs=Scaled(coefficient, body.xreplace({index: t}))), adds=True)


def collector_of(item: Work, work: list[Work]) -> Loop | None:
    """Return the loop that can collect a static sum, if there is one."""
    if not isinstance(item, Line) or item.time is not None:
        return None
    total = item.equation.rhs.args[1] if isinstance(item.equation.rhs, Scaled) else item.equation.rhs
    if not isinstance(total, TimeSum) or is_scattered(total):
        return None
    body, index, lo, hi = total.args
    read = {quantity_of(leaf) for leaf in leaves(body)}
    loop = next((one for one in reversed(work) if made_by(one) & read), None)
    if not isinstance(loop, Loop) or loop.span != Span(lo, hi) or {e.quantity for e in loop.sums} & read:
        return None
    gaps = [leaf.time - index for leaf in leaves(body) if isinstance(leaf, At) and leaf.series in made_by(loop)]
    return loop if all(gap.is_Integer and gap * loop.step <= 0 for gap in gaps) else None
