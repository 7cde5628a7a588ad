"""Truncated backpropagation through time: a network of which a part of the gradient is stopped.

Two forms. With *windows* of ``K`` steps the state is carried over from one window to the next, and is not differentiated
where a window starts: one equation ``h_t = tanh(W sg_{K | t-1 > 0}(h_{t-1}) + …)``, and in the backward pass one factor,
``δh_t = … + [K ∤ t] Wᵀ δa_{t+1}``. With a *lag* of ``K`` the loss of each time goes back through exactly ``K`` steps.

Source: R. J. Williams and J. Peng, An efficient gradient-based algorithm for on-line training of recurrent network
trajectories, Neural Computation 2 (1990) 490-501: BPTT(h; h') is the first form for h = h', and the second for h' = 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from keyword import iskeyword
from types import MappingProxyType
from typing import Any

from sympy import Basic, Expr, Integer, Symbol

from symrnn.equations import Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import At, Divides, Series, StopGradient, dim, t
from symrnn.networks.graph import Block, Network, Part, Scan
from symrnn.times import Order, Span, hull
from symrnn.traverse import leaves, rebuilt

FORMS: Mapping[str, str] = MappingProxyType({
    "window": "the state is carried over, but not differentiated, at the starts of windows of K steps",
    "lag": "the loss of each time goes back through exactly K steps",
})


def truncated(network: Network, window: int | str, *, form: str = "window") -> Network:
    """Truncate the gradient of a network; its loss stays the same.

    ``K`` counts steps, that is evaluations of the cell. In windows of ``K`` steps a forward scan over ``1 … T`` starts
    windows at the times ``1, K+1, 2K+1, …``; what a step reads of its own scan from before its window is carried over
    and not differentiated, while given initial states, read by the first window, keep their gradient. The windows of a
    backward scan are counted from the end: they start at ``T, T-K, T-2K, …``. With a lag, the loss at ``t`` sees the steps
    ``t-K+1 … t``; ``K = 1`` leaves no gradient through time. Reads of other scans are never cut.

    A lag is made of levels: level ``j`` reads level ``j - 1`` at the time before, level 0 is not differentiated, and
    everything outside of the scan reads the last level. All levels have the same values, and generated code computes
    each of them: ``K`` times the work of a forward pass.

    Args:
        network: Any network with a recurrence.
        window: ``K``, a positive whole number; with windows also a letter that is no size of the network.
        form: A key of ``FORMS``: ``window`` or ``lag``.

    Returns:
        A network whose derivation, code and checks are those of the truncated gradient.

    Raises:
        SpecError: No network, no recurrence, an unknown form, or a window that is no positive whole number or new letter.
    """
    if not isinstance(network, Network):
        raise SpecError(f"truncated takes a network; got a {type(network).__name__}; write truncated(network(cell), 5)")
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    size = checked(window, form, network)
    if not any(carried(block) for block in network.blocks):
        raise SpecError(f"the network '{network.name}' has no recurrence: no scan reads its own past; derive it as it is")
    if form == "window":
        blocks = tuple(windowed(b, size, network.order) if isinstance(b, Scan) else b for b in network.blocks)
        return replace(network, name=f"{network.name}, truncated to windows of {size}", blocks=blocks, order=Order())
    return lagged(network, int(size))


def checked(window: Any, form: str, network: Network) -> Expr:
    """Return the length of a window, or refuse it."""
    letter = isinstance(window, str | Symbol) and str(window).isidentifier()
    if letter and str(window) in {str(size) for size in network.sizes}:
        raise SpecError(f"the window {window} is a size of the network '{network.name}'; give it a letter of its own, such as J")
    if letter and (str(window) in network.names or iskeyword(str(window))):
        what = "a word of Python" if iskeyword(str(window)) else f"a quantity of the network '{network.name}'"
        raise SpecError(f"the window {window} is {what}; give it a letter of its own, such as J")
    if letter and form == "lag":
        raise SpecError(f"a lag must be a positive whole number, since it makes one level for each step; got {window}")
    if letter and str(window) not in {"t", "B", "l", "O", "I"}:  # the time, the batch, and letters that look like digits
        return dim(str(window))
    if isinstance(window, bool) or not isinstance(window, int | Integer) or window < 1:
        raise SpecError(f"the window must be a positive whole number or a letter such as J; got {window!r}")
    return Integer(window)


def carried(block: Block) -> set[Basic]:
    """Return the series of a scan that the scan itself reads at another step."""
    if not isinstance(block, Scan):
        return set()
    own = {e.quantity for e in block.equations}
    return {leaf.series for e in block.equations for leaf in leaves(e.rhs) if reaches_back(leaf, own)}


def reaches_back(leaf: Any, own: Iterable[Basic]) -> bool:
    """Tell whether a leaf is a value of a scan's own at a fixed distance before."""
    return isinstance(leaf, At) and leaf.series in own and (leaf.time - t).is_Integer and leaf.time != t


def recurrent_times(scan: Scan, order: Order) -> Span:
    """Return the times of the steps that read an earlier one."""
    own = {e.quantity for e in scan.equations}
    reading = [e.span for e in scan.equations if any(reaches_back(leaf, own) for leaf in leaves(e.rhs))]
    return hull((span for span in reading if span is not None), order)


def windowed(scan: Scan, size: Expr, order: Order) -> Scan:
    """Stop the gradient of what a step reads from before its window."""
    states = carried(scan)
    if not states:
        return scan
    whole = recurrent_times(scan, order)

    def cut(leaf: Any) -> Any:
        if not reaches_back(leaf, states):
            return leaf
        for back in reversed(range(abs(int(leaf.time - t)))):  # a start at each of these times lies in between
            done = t - back - whole.lo if scan.step == 1 else whole.hi - t - back
            leaf = StopGradient(leaf, Divides(size, done, 1))
        return leaf

    return Scan(tuple(replace(e, rhs=rebuilt(e.rhs, cut)) for e in scan.equations), scan.step)


def lagged(network: Network, size: int) -> Network:
    """Write the recurrence of each scan once for each level."""
    blocks: list[Block] = []
    names: dict[str, list[str]] = {}
    taken = {*network.names, *(p.name for p in network.parameters)}
    mark = next(m for m in marks() if not any(f"{name}_{m}{j}" in taken for name in network.names for j in range(1, size)))
    for block in network.blocks:
        if not isinstance(block, Scan) or not carried(block):
            blocks.append(block)
            continue
        core = recurrence(block)
        levels = [{q: level_of(q, f"{mark}{j}") for q in core} for j in range(1, size)] + [{q: q for q in core}]
        blocks.append(Scan(tuple(at_levels(block, core, levels, network)), block.step))
        for level in levels[:-1]:
            for q, copy in level.items():
                names.setdefault(q.name, []).append(copy.name)
    parts = tuple(with_names(part, names) for part in network.parts)
    return replace(
        network, name=f"{network.name}, truncated to a lag of {size}", blocks=tuple(blocks), parts=parts, order=Order()
    )


def marks() -> Iterator[str]:
    """Yield marks of levels, until one is free."""
    yield "k"
    yield from (f"k{number}_" for number in count(2))


def level_of(series: Any, mark: str) -> Series:
    """Return the copy of a series for one level."""
    return Series(f"{series.name}_{mark}", *series.args[1:])


def with_names(part: Part, copies: Mapping[str, list[str]]) -> Part:
    """Count the copies of a part's quantities to the part."""
    return replace(part, names=(*part.names, *(copy for name in part.names for copy in copies.get(name, ()))))


def recurrence(scan: Scan) -> list[Any]:
    """Return what a scan computes between one state and the next: from an earlier step, and for a later one."""
    own = [e.quantity for e in scan.equations]
    reads = {q: set[Any]() for q in own}
    back = {q: set[Any]() for q in own}
    for e in scan.equations:
        for leaf in leaves(e.rhs):
            if isinstance(leaf, At) and leaf.series in reads:
                (back if reaches_back(leaf, own) else reads)[e.quantity].add(leaf.series)
    after = closed({q for q in own if back[q]}, {q: {r for r in own if q in reads[r]} for q in own})
    before = closed({state for q in own for state in back[q]}, reads)
    return [q for q in dict.fromkeys(own) if q in after & before]


def closed(start: set[Any], following: Mapping[Any, set[Any]]) -> set[Any]:
    """Return everything that is reached."""
    found, waiting = set(start), list(start)
    while waiting:
        new = following.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def at_levels(scan: Scan, core: list[Any], levels: list[dict[Any, Any]], network: Network) -> Iterator[Equation]:
    """Yield the equations of a scan with its recurrence at every level."""
    for number, level in enumerate(levels):
        last = number == len(levels) - 1
        for quantity, copy in level.items() if not last else ():
            own = [e.span for e in scan.equations if e.quantity == quantity]
            for span in network.spans_of(quantity):
                if span not in own:  # values from elsewhere, such as initial states, are those of every level
                    yield Equation(copy[t], quantity[t], span, "initial")
        for e in scan.equations:
            if e.quantity in level or last:
                lhs = level.get(e.quantity, e.quantity)[e.lhs.time]
                yield replace(e, lhs=lhs, rhs=rebuilt(e.rhs, reader(core, levels, number)))


def reader(core: list[Any], levels: list[dict[Any, Any]], number: int) -> Any:
    """Return the function that turns reads of the recurrence into those of a level."""

    def change(leaf: Any) -> Any:
        if not isinstance(leaf, At) or leaf.series not in core or not (leaf.time - t).is_Integer:
            return leaf
        below = number - abs(int(leaf.time - t))
        return levels[below][leaf.series][leaf.time] if below >= 0 else StopGradient(leaf)

    return change
