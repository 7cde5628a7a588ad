"""A picture: circles with names and arrows between them, at places in points, for SVG and TikZ alike."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Any

from sympy import Expr

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.expr import At, Node, Series, Transposed
from symrnn.networks import Network
from symrnn.style import Style
from symrnn.unrolling.drawing.graph import READ, Edge, edges, lanes, sequence_of

ACROSS, UP = 156.0, 124.0
RADIUS = 23.0
APART = 7.0
"""Points between the arrow of the forward pass and that of the gradient, each from the line in the middle."""
BULGE = 92.0
FEW = 5
"""Up to so many steps each is drawn; of more, the first two and the last."""

Point = tuple[float, float]

FLOWS_BACK = "gradients flow back (slopes left out)"
"""What the dashed arrows are, for the legend."""


@dataclass(frozen=True)
class Mark:
    """A value: a circle with a name, or dots for steps that are not drawn.

    Attributes:
        at: Its middle; the second number grows downwards.
        text: Its name in the medium of the picture; empty for dots.
        kind: ``input``, ``state``, ``output``, ``loss`` or ``dots``.
    """

    at: Point
    text: str
    kind: str


@dataclass(frozen=True)
class Arrow:
    """An arrow.

    Attributes:
        start: Where it begins.
        end: Where it points.
        bend: The control point of a curve; ``None`` for a straight line.
        text: What multiplies on the way; empty where it is not said.
        place: Where the text stands.
        back: Whether it is the flow of a gradient.
    """

    start: Point
    end: Point
    bend: Point | None
    text: str
    place: Point
    back: bool


@dataclass(frozen=True)
class Picture:
    """Circles and arrows.

    Attributes:
        title: What is drawn.
        marks: The circles.
        arrows: The arrows.
        width: Of all.
        height: Of all.
    """

    title: str
    marks: tuple[Mark, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


class Places:
    """Where each value stands: times across, from left to right, lanes from the bottom up.

    Args:
        derivation: With numbers for lengths.
        symbolic: The network with letters for them.
        drawn: The series, from the bottom up.
        steps: How many.
        found: Who reads whom.
    """

    def __init__(self, derivation: Derivation, symbolic: Network, drawn: list[Series], steps: int, found: list[Edge]) -> None:
        self.drawn = drawn
        groups = list(dict.fromkeys(sequence_of(series, symbolic) for series in drawn))
        self.groups = {series: groups.index(sequence_of(series, symbolic)) for series in drawn}
        self.steps = steps
        own = {group: [series for series in drawn if self.groups[series] == group] for group in self.groups.values()}
        self.rows = {series: own[group].index(series) for series, group in self.groups.items()}
        self.high = max(self.rows.values())
        self.used = dict.fromkeys(value for edge in found for value in (edge.start, edge.end))
        self.columns: dict[tuple[int, int], int] = {}
        shown = sorted({(self.groups[v.series], self._slot(v.time)) for v in self.used})
        for key in shown:
            self.columns[key] = len(self.columns)

    def _slot(self, time: Expr) -> int:
        """Return the time, or the place of the dots for a time that is not drawn."""
        hidden = self.steps > FEW and 2 < time < self.steps
        return 3 if hidden else int(time)

    def is_hidden(self, value: At) -> bool:
        """Tell whether dots stand for a value."""
        return self.steps > FEW and bool(2 < value.time < self.steps)

    def __getitem__(self, value: At) -> Point:
        column = self.columns[self.groups[value.series], self._slot(value.time)]
        return (70 + ACROSS * column, 50 + UP * (self.high - self.rows[value.series]))

    @property
    def size(self) -> Point:
        """Width and height of all, with room for a line below."""
        return (175 + ACROSS * (len(self.columns) - 1), 110 + UP * self.high)


def picture(
    derivation: Derivation, states: tuple[Series, ...], steps: int, style: Style, *, symbolic: Network, wrt: str | None = None,
) -> Picture:
    """Arrange the unrolled graph.

    Args:
        derivation: With numbers for lengths.
        states: What is read at other times.
        steps: How many.
        style: Of the names.
        symbolic: The network with letters for lengths.
        wrt: An input whose gradient is drawn as well.

    Raises:
        NotSupportedError: A network that reads a whole sequence at once.
    """
    drawn = lanes(derivation, states)
    found = edges(derivation, drawn, lambda time: steps <= FEW or time <= 3 or time >= steps - 1)
    places = Places(derivation, symbolic, drawn, steps, found)
    inputs = {g.quantity for g in derivation.network.givens if g.kind in READ and str(g.quantity.key) != wrt}
    marks = {places[v]: Mark(places[v], "" if places.is_hidden(v) else writer.formula(v, style), kind_of(v, places, derivation))
             for v in places.used if not places.is_hidden(v) or v.series in states_drawn(drawn, states)}
    arrows: dict[tuple[Point, Point, bool], Arrow] = {}
    for edge in found:
        if places.is_hidden(edge.start) and places.is_hidden(edge.end):
            continue
        if edge.start.series != edge.end.series and (places.is_hidden(edge.start) or places.is_hidden(edge.end)):
            continue
        for back in (False, True):
            if back and not flows(edge, derivation, inputs):
                continue
            made = arrow(edge, places, style, back, alone=edge.start.series in inputs)
            arrows.setdefault((made.start, made.end, back), made)
    width, height = places.size
    return Picture(derivation.network.name, tuple(marks.values()), tuple(arrows.values()), width, height)


def flows(edge: Edge, derivation: Derivation, inputs: set[Any]) -> bool:
    """Tell whether a gradient goes back on an edge; between loss and output it does, though logits may have taken its place."""
    if edge.stopped or edge.start.series in inputs:
        return False
    return edge.start.series in derivation.by_quantity or not (edge.weights or edge.gates)


def states_drawn(drawn: list[Series], states: tuple[Series, ...]) -> set[Series]:
    """Return the lanes on which dots stand: those that go on from step to step."""
    names = {state.name for state in states}
    return {series for series in drawn if series.name in names}


def kind_of(value: At, places: Places, derivation: Derivation) -> str:
    """Return what a value is."""
    if places.is_hidden(value):
        return "dots"
    if any(g.quantity == value.series and g.kind in READ for g in derivation.network.givens):
        return "input"
    role = next((e.role for e in derivation.network.equations if e.quantity == value.series), "")
    return role if role in {"loss", "output"} else "state"


def arrow(edge: Edge, places: Places, style: Style, back: bool, *, alone: bool) -> Arrow:
    """Draw one arrow, to the left of its way: so the two of a pair stand beside each other."""
    a, b = places[edge.start], places[edge.end]
    if back:
        a, b = b, a
    away = hypot(b[0] - a[0], b[1] - a[1])
    dx, dy = (b[0] - a[0]) / away, (b[1] - a[1]) / away
    side = (dy, -dx)
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    text = label(edge, style, back, straight=a[0] == b[0] or a[1] == b[1], first=places[edge.start][0] <= 70)
    if abs(b[1] - a[1]) > UP * 1.5 and a[0] == b[0]:
        bend = moved(middle, side, BULGE)
        start, end = towards(a, bend, RADIUS), towards(b, bend, RADIUS + 3)
        return Arrow(start, end, bend, text, moved(along(a, b, 0.25 if back else 0.75), side, BULGE * 0.375 + 24), back)
    start = (a[0] + dx * RADIUS + side[0] * APART, a[1] + dy * RADIUS + side[1] * APART)
    end = (b[0] - dx * (RADIUS + 2) + side[0] * APART, b[1] - dy * (RADIUS + 2) + side[1] * APART)
    if a[0] != b[0] and a[1] != b[1]:
        return Arrow(start, end, None, text, moved(along(a, b, 0.36), side, APART), back)
    beside = -12.0 - 12 * len(edge.weights) if alone else APART + (12 if a[1] == b[1] else 18)
    return Arrow(start, end, None, text, moved(middle, side, beside), back)


def along(a: Point, b: Point, share: float) -> Point:
    """Return a point on the way from one to another."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def moved(point: Point, side: Point, by: float) -> Point:
    """Move a point along a direction."""
    return (point[0] + side[0] * by, point[1] + side[1] * by)


def towards(point: Point, other: Point, by: float) -> Point:
    """Move a point towards another."""
    away = hypot(other[0] - point[0], other[1] - point[1])
    return (point[0] + (other[0] - point[0]) / away * by, point[1] + (other[1] - point[1]) / away * by)


def label(edge: Edge, style: Style, back: bool, *, straight: bool, first: bool) -> str:
    """Write what multiplies on an edge: parameters, or gates where there are none."""
    if not straight and not first:
        return ""
    nodes: tuple[Node, ...] = edge.weights[:4] or edge.gates[:1]
    if not nodes or (back and not straight and len(nodes) > 1):
        return ""
    if edge.weights and back:
        nodes = tuple(Transposed(node) if node.shape[1] != 1 else node for node in nodes)
    dots = style.pick(r", \dots", ", …", ", ...") if len(edge.weights) > 4 else ""
    sign = "" if edge.weights else style.pick(*style.notation.hadamard, ".*") + " "
    return sign + ", ".join(writer.formula(node, style) for node in nodes) + dots
