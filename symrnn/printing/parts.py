"""The parts of a network in print: what a heading calls each of them, and which lines stand together under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from symrnn.expr import At, t
from symrnn.networks import Network, Part
from symrnn.notation import mark_of
from symrnn.traverse import leaves

NOUNS = {"dense": "Dense layer", "previous": "Fed back"}
DIRECTIONS = {"fw": "forward", "bw": "backward"}
SIDES = {"enc": "Encoder", "dec": "Decoder"}

Row = TypeVar("Row")


@dataclass(frozen=True)
class LayerNumber:
    """The number of a layer in a heading: ``2``, or ``ℓ`` where one layer stands for several."""

    number: int


@dataclass(frozen=True)
class LayerRange:
    """The layers that one stands for: ``ℓ = 2, …, 5``, or ``ℓ = 5, …, 2``."""

    letter: str
    first: int
    last: int


@dataclass(frozen=True)
class Spelled:
    """A formula that no node says, in each medium."""

    latex: str
    unicode: str
    ascii: str


@dataclass(frozen=True)
class Label:
    """What stands over the lines of a part.

    Attributes:
        heading: Words, with the number of the layer in them.
        layer: The number of the layer, where the part has one.
    """

    heading: tuple[str | LayerNumber, ...]
    layer: int | None = None


Labels: TypeAlias = Mapping[str, Label]


def labels(network: Network) -> Labels:
    """Return the label of each quantity of a part; of none where the network is one layer with a readout."""
    if sum(part.role not in {"readout", "previous"} for part in network.parts) < 2:
        return {}
    found: dict[str, Label] = {}
    for part in network.parts:
        label = Label(heading(part), mark_of(part.mark).layer)
        for name in part.names:
            found.setdefault(name, label)
    return found


def heading(part: Part) -> tuple[str | LayerNumber, ...]:
    """Name a part: ``Layer 2 (gru)``, ``Encoder, layer 1, backward (lstm)``, ``Attention``, ``Embedding dec``."""
    mark = mark_of(part.mark)
    side = next((SIDES[word] for word in mark.words if word in SIDES), "")
    others = "".join(f" {word}" for word in mark.words if word not in {*SIDES, *DIRECTIONS})
    ways = "".join(f", {DIRECTIONS[word]}" for word in mark.words if word in DIRECTIONS)
    number: tuple[str | LayerNumber, ...] = () if mark.layer is None else ("layer ", LayerNumber(mark.layer))
    cell = f" ({part.cell})" if part.cell and part.role == "layer" else ""
    if part.role == "layer" and not side and number:
        return ("Layer ", *number[1:], f"{others}{ways}{cell}")
    noun = NOUNS.get(part.role, part.role.capitalize()) + (f" of the {side.lower()}" if side else "")
    if part.role == "layer":
        noun = side or "Layer"
    if noun == "Layer" and ways:
        noun, ways = f"{ways.removeprefix(', ').capitalize()} layer", ""
    return (f"{noun}{others}", *((", ", *number) if number else ()), f"{ways}{cell}")


def runs(rows: Iterable[Row], label: Callable[[Row], Label], node: Callable[[Row], tuple[str, Any]]) -> list[tuple[Label, list[Row]]]:
    """Put rows of one label together, where a reader meets no quantity before the row that defines it.

    Args:
        rows: In an order in which they can be computed.
        label: The label of a row.
        node: Name and formula of what a row defines.

    Returns:
        Labels with their rows. A label occurs twice where what stands between needs the first and is needed by the second.
    """
    found: list[tuple[Label, list[Row]]] = []
    for row in rows:
        if found and found[-1][0] == label(row):
            found[-1][1].append(row)
        else:
            found.append((label(row), [row]))
    place = 0
    while place < len(found):
        later = next((k for k in range(place + 1, len(found)) if found[k][0] == found[place][0]), None)
        if later is None:
            place += 1
            continue
        between = [row for _, some in found[place + 1: later] for row in some]
        if not needs(found[later][1], between, node):
            found[place][1].extend(found.pop(later)[1])
        elif not needs(between, found[place][1], node):
            found[later][1][:0] = found[place][1]
            found.pop(place)
        else:
            place += 1
    return found


def needs(readers: Sequence[Row], defined: Sequence[Row], node: Callable[[Row], tuple[str, Any]]) -> bool:
    """Tell whether rows read what others define, at other times than the step before or after."""
    names = {node(row)[0] for row in defined}
    return any(
        str(leaf.key if not isinstance(leaf, At) else leaf.series.key) in names and not is_lagged(leaf)
        for row in readers for leaf in leaves(node(row)[1])
    )


def is_lagged(leaf: Any) -> bool:
    """Tell whether a value is read one or more steps off the running time."""
    return isinstance(leaf, At) and leaf.time != t and bool((leaf.time - t).is_Integer)
