"""From items to a network: which scans there are, in which order, and what each of them holds."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Basic, Expr, expand

from symrnn.equations import Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import At, same, t
from symrnn.networks.graph import Block, Given, Network, Part, Scan
from symrnn.networks.wiring.attention import Attention
from symrnn.networks.wiring.ends import Readout
from symrnn.networks.wiring.layer import STARTS, Layer
from symrnn.networks.wiring.links import Built
from symrnn.networks.wiring.order import groups
from symrnn.networks.wiring.wires import Item, Wires
from symrnn.times import Order, Span, hull
from symrnn.traverse import leaves

KINDS = ("parameter", "input", "integer", "initial", "target", "mask")
"""The order in which a network lists what it is given; integers stand with the inputs."""


def wire(*items: Item, name: str = "own wiring", outputs: Iterable[str] = ()) -> Network:
    """Wire a network of items that name each other.

    Args:
        items: In any order: inputs, layers, attentions and so on, and one ``Readout``.
        name: Name of the network.
        outputs: Names of items that are of interest beside the output: ``to_numpy(...).forward`` returns them too.

    Raises:
        SpecError: A link to what is not there, a circle, lengths or sizes that do not fit; the message names the link.
    """
    wires, outputs = Wires(items), tuple(outputs)
    readouts = wires.of_type(Readout)
    if len(readouts) != 1:
        names = f" ({', '.join(repr(r.name) for r in readouts)}); keep one of them" if readouts else "; add one, as Readout(reads='l1')"
        raise SpecError(f"a network has one Readout; got {len(readouts)}{names}")
    wires.check_lengths()
    ordered = groups(wires)
    check_reached(wires, [readouts[0].name, *(check_item(name, wires) for name in outputs)])
    built = {item.name: item.build(wires) for item in wires.items.values()}
    check_names(wires, built)
    blocks = scans([[built[item.name] for item in group] for group in ordered], [min(item.step for item in group) for group in ordered])
    loss = readouts[0].ends(wires)
    equations = [e for block in blocks for e in (block.equations if isinstance(block, Scan) else (block,))]
    outside = [g for b in built.values() for g in b.givens]
    givens = outside + initial_states(equations, outside)
    rank = {kind: KINDS.index("input" if kind == "integer" else kind) for kind in KINDS}
    shown = [*readouts, *wires.of_type(Attention)]
    return Network(
        name=name,
        givens=tuple(sorted(givens, key=lambda g: rank[g.kind])),
        blocks=(*blocks, *loss),
        loss=loss[-1].lhs,
        relations=readouts[0].relations(wires),
        cell=next((layer.cell.name for layer in wires.of_type(Layer)), ""),
        outputs=(*(q for item in shown for q in outputs_of(item, wires)), *(wires.signal(n).quantity for n in outputs)),
        parts=tuple(part for item in wires.items.values() for part in parts_of(item, built[item.name], wires, loss)),
    )


def check_reached(wires: Wires, ends: Iterable[str]) -> None:
    """Refuse an item that nothing of interest reads, directly or through others: a forgotten link.

    Raises:
        SpecError: The first such item.
    """
    waiting, seen = list(ends), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [link.name for link in wires.items[name].links(wires)]
    idle = next((item for name, item in wires.items.items() if name not in seen), None)
    if idle is not None:
        raise SpecError(f"nothing that the readout reads comes from {idle.label}; link it, leave it out, or name it in outputs=")


def check_item(name: str, wires: Wires) -> str:
    """Refuse the name of an output that no item has."""
    if name not in wires.items:
        raise unknown("item", name, wires.items)
    return name


def outputs_of(item: Item, wires: Wires) -> tuple[Basic, ...]:
    """Return what is of interest: the output of a readout, the weights of an attention."""
    if isinstance(item, Attention):
        return tuple(q for e in item.build(wires).equations if e.role == "weights" for q in [e.quantity])
    return (wires.signal(item.name).quantity,)


def parts_of(item: Item, built: Built, wires: Wires, loss: tuple[Equation, ...]) -> Iterable[Part]:
    """Return the part that an item makes, where it makes one: what is only given makes none."""
    equations = [*built.static, *built.equations, *(loss if isinstance(item, Readout) else ())]
    names = [g.quantity.name for g in built.givens] + [e.name for e in equations]
    if equations and item.role != "input":
        yield Part(item.role, item.mark(wires), item.cell_name, tuple(dict.fromkeys(names)))


def check_names(wires: Wires, built: dict[str, Built]) -> None:
    """Refuse one name for two quantities.

    Raises:
        SpecError: The name, with both items.
    """
    owners: dict[str, Item] = {}
    for name, parts in built.items():
        item = wires.items[name]
        own = {e.name for e in (*parts.static, *parts.equations)} | {g.quantity.name for g in parts.givens}
        if isinstance(item, Readout):
            own |= {e.name for e in item.ends(wires)}
        for quantity in sorted(own):
            other = owners.setdefault(quantity, item)
            if other is not item:
                cells = [i for i in (other, item) if isinstance(i, Layer)]
                if len(cells) == 1 and any(isinstance(i, Readout) for i in (other, item)):
                    raise SpecError(f"cell '{cells[0].cell.name}' uses the name {quantity}, which the readout needs; rename it")
                raise SpecError(f"{other.label} and {item.label} both make a quantity called {quantity}; rename one of them")


def scans(groups: list[list[Built]], steps: list[int]) -> list[Block]:
    """Put the equations of items into scans; neighbours that can run in one loop share one."""
    blocks: list[Block] = []
    open_scan: list[Equation] = []
    open_step = 1
    for group, step in zip(groups, steps, strict=True):
        static = [e for built in group for e in built.static]
        timed = [e for built in group for e in built.equations]
        if open_scan and (static or (timed and not together(open_scan, open_step, timed, step))):
            blocks.append(Scan(tuple(open_scan), open_step))
            open_scan = []
        blocks += static
        if timed:
            open_step = step
            open_scan += timed
    return [*blocks, Scan(tuple(open_scan), open_step)] if open_scan else blocks


def together(running: list[Equation], step: int, timed: list[Equation], wanted: int) -> bool:
    """Tell whether equations can join a scan: same last time and direction, and nothing read of it but what is there."""
    if wanted != step or not same(last_of(running), last_of(timed)):
        return False
    own = {e.quantity for e in running}
    read = [leaf for e in timed for leaf in leaves(e.rhs) if isinstance(leaf, At) and leaf.series in own]
    return all((gap := leaf.time - t).is_Integer and gap * step <= 0 for leaf in read)


def last_of(equations: list[Equation]) -> Expr:
    """Return the last time of a scan, its initial states left out."""
    spans = [e.span for e in equations if e.span is not None and e.role != STARTS]
    longest = next((s for s in spans if not s.single), spans[-1])
    return longest.hi


def initial_states(equations: Iterable[Equation], outside: Iterable[Given]) -> list[Given]:
    """Return one given for each series that is read before its first time (or after its last) where nobody defines it.

    Args:
        equations: Of all scans.
        outside: What is given already, such as the first value of a series.
    """
    listed = [e for e in equations if e.span is not None]
    order = Order()
    spans: dict[Basic, list[Span]] = {}
    started: set[Basic] = set()
    for e in listed:
        if e.span is not None and e.role == STARTS:
            started.add(e.quantity)
        elif e.span is not None:
            spans.setdefault(e.quantity, []).append(e.span)
    for given in outside:
        if given.quantity in spans and given.span is not None:
            spans[given.quantity].append(given.span)
    found = []
    for quantity, own in spans.items():
        whole, read = hull(own, order), times_read(quantity, listed)
        before = [time for time in order.sort(read) if order.compare(time, whole.lo) < 0]
        after = [time for time in order.sort(read) if order.compare(time, whole.hi) > 0]
        skip = 2 if quantity in started else 1  # the next time has an equation, times beyond it have none
        sides = ([before[0], expand(whole.lo - skip)] if before else [], [expand(whole.hi + skip), after[-1]] if after else [])
        found += [Given(quantity, "initial", Span(*ends)) for ends in sides if ends and order.compare(*ends) <= 0]
    return found


def times_read(quantity: Basic, equations: list[Equation]) -> list[Expr]:
    """Return the first and last times at which equations read a series at another time than their own."""
    found = []
    for e in equations:
        for leaf in leaves(e.rhs):
            if e.span is not None and isinstance(leaf, At) and leaf.series == quantity and (leaf.time - t).is_Integer:
                found += [expand(end + leaf.time - t) for end in (e.span.lo, e.span.hi) if leaf.time != t]
    return found
