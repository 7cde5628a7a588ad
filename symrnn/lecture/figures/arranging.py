"""Places of everything in the figure of a cell: boxes, names, lines and dots, in points."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from symrnn.lecture.figures.dataflow import Dataflow, Vertex, dataflow
from symrnn.lecture.figures.layers import HEIGHT, RADIUS, Item, Layered, Segment, is_bar, layered
from symrnn.lecture.figures.ordering import order
from symrnn.lecture.figures.placing import place
from symrnn.lecture.figures.routing import TRACK, Channel, Wire, route
from symrnn.lecture.figures.svg import Point
from symrnn.networks import Network
from symrnn.style import Style

MARGIN, ROOM, LEAD = 14.0, 18.0, 14.0
"""Around all; between two columns at least, for the head of an arrow; outside of the frame."""


@dataclass(frozen=True)
class Shape:
    """A box, a circle, a bar or a terminal.

    Attributes:
        vertex: What it stands for.
        x: Left.
        y: Top.
        width: Of it.
        height: Of it.
        round: Whether it is a circle.
    """

    vertex: Vertex
    x: float
    y: float
    width: float
    height: float
    round: bool

    @property
    def middle(self) -> Point:
        """Its middle."""
        return (self.x + self.width / 2, self.y + self.height / 2)


@dataclass(frozen=True)
class Line:
    """A piece of a line.

    Attributes:
        net: The node whose value it carries.
        points: Corners, from where it comes to where it goes.
        sharp: Corners that are not rounded, since lines part there.
        arrow: Whether it ends in the head of an arrow.
        highway: Whether a state goes on it through elementwise operations only.
        sign: ``-`` where it is subtracted at its end.
    """

    net: int
    points: tuple[Point, ...]
    sharp: frozenset[Point]
    arrow: bool
    highway: bool
    sign: str = ""


@dataclass
class Arrangement:
    """All places.

    Attributes:
        shapes: What is drawn for nodes.
        lines: Between them.
        dots: Where lines part.
        names: Formulas with the left end of their base lines.
        frame: Around what the cell computes: x, y, width, height.
        width: Of all.
        height: Of all.
    """

    shapes: list[Shape] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    dots: list[Point] = field(default_factory=list)
    names: list[tuple[str, Point]] = field(default_factory=list)
    frame: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True)
class Column:
    """A column across: its left end, the middle of its boxes, its right end; the first track behind it."""

    left: float
    middle: float
    right: float


def arrange(network: Network, style: Style, layer: int = 0) -> Arrangement:
    """Arrange the graph of one time step.

    Args:
        network: The network.
        style: Of the names.
        layer: Which of its layers, from 0.
    """
    graph = layered(dataflow(network, style, layer))
    order(graph)
    place(graph)
    channels = route(graph)
    columns = across(graph, channels)
    out = Arrangement()
    for item in (item for column in graph.columns for item in column):
        add_item(out, item, columns[item.layer], graph.flow)
    for k, channel in enumerate(channels):
        for wire in channel.wires:
            add_wire(out, wire, columns[k], columns[k + 1], graph)
    framed(out, graph, columns)
    return out


def across(graph: Layered, channels: list[Channel]) -> list[Column]:
    """Place the columns from left to right."""
    columns, x = [], MARGIN
    for k, items in enumerate(graph.columns):
        boxes = max((item.width for item in items), default=0.0)
        names = max((item.name_width - max(0.0, (boxes - item.width) / 2) for item in items), default=0.0)
        right = x + boxes + (LEAD if k == 0 else max(0.0, names))
        columns.append(Column(x, x + boxes / 2, right))
        if k < len(channels):
            x = right + ROOM + TRACK * channels[k].tracks + (LEAD if k == len(channels) - 1 else 0.0)
    return columns


def add_item(out: Arrangement, item: Item, column: Column, flow: Dataflow) -> None:
    """Place what stands in a column: a shape with its name, or a line through the column."""
    if item.vertex < 0:
        points = ((column.left, item.y), (column.right, item.y))
        out.lines.append(Line(item.net, points, frozenset(), False, item.lane >= 0))
        return
    vertex = flow.vertices[item.vertex]
    bar = is_bar(item, flow)
    round_ = vertex.kind in {"sum", "product"} and not bar
    height = 2 * RADIUS if round_ else HEIGHT
    if bar:
        offsets = [segment.offset for segment in item.inputs]
        height = max(offsets) - min(offsets) + HEIGHT
    left = column.middle - item.width / 2
    out.shapes.append(Shape(vertex, left, item.y - height / 2, item.width, height, round_))
    end = left + item.width
    if item.outputs and end < column.right:
        out.lines.append(Line(item.net, ((end, item.y), (column.right, item.y)), frozenset(), False, leaves_on_highway(item)))
    if vertex.name:
        out.names.append((vertex.name, (end + 4, item.y - 5)))


def leaves_on_highway(item: Item) -> bool:
    """Tell whether the value of an item goes on on a highway."""
    return any(segment.weight >= 1000.0 for segment in item.outputs)


def add_wire(out: Arrangement, wire: Wire, left: Column, right: Column, graph: Layered) -> None:
    """Place the lines of one value between two columns."""
    trunk = left.right + TRACK * (wire.track + 1)
    second = left.right + TRACK * (wire.second + 1)
    ways = []
    for segment in wire.segments:
        target = segment.end.y + segment.offset
        start: list[Point] = [(left.right, wire.y)]
        if wire.second >= 0:
            start += [(trunk, wire.y), (trunk, wire.between), (second, wire.between), (second, target)]
        elif abs(target - wire.y) > 0.01:
            start += [(trunk, wire.y), (trunk, target)]
        ways.append((segment, start + ending(segment, target, right, graph.flow)))
    dots = parting([way for _, way in ways])
    out.dots += sorted(dots)
    for segment, way in ways:
        vertex = graph.flow.vertices[segment.end.vertex] if segment.end.vertex >= 0 else None
        sign = vertex.signs[segment.read] if vertex is not None else ""
        out.lines.append(Line(wire.start.net, tuple(way), frozenset(dots), vertex is not None, segment.weight >= 1000.0, sign))


def ending(segment: Segment, target: float, right: Column, flow: Dataflow) -> list[Point]:
    """Return where a line ends: at the left side of a box, or from above or below at a circle."""
    item = segment.end
    if item.vertex < 0:
        return [(right.left, target)]
    vertex = flow.vertices[item.vertex]
    if vertex.kind in {"sum", "product"} and not is_bar(item, flow) and segment.offset:
        side = RADIUS if segment.offset > 0 else -RADIUS
        return [(right.middle, target), (right.middle, item.y + side)]
    return [(right.middle - item.width / 2, target)]


def parting(ways: list[list[Point]]) -> set[Point]:
    """Return the places at which lines of one value part: more than two directions meet there."""
    directions: dict[Point, set[tuple[int, int]]] = {}
    corners = {point for way in ways for point in way[1:-1]}
    for way in ways:
        for a, b in itertools.pairwise(way):
            step = (sign(b[0] - a[0]), sign(b[1] - a[1]))
            for point in corners:
                if on_piece(point, a, b):
                    here = directions.setdefault(point, set())
                    if point != a:
                        here.add((-step[0], -step[1]))
                    if point != b:
                        here.add(step)
    return {point for point, found in directions.items() if len(found) > 2}


def on_piece(point: Point, a: Point, b: Point) -> bool:
    """Tell whether a place lies on a piece that runs across or up."""
    inside = all(min(a[k], b[k]) - 0.01 <= point[k] <= max(a[k], b[k]) + 0.01 for k in (0, 1))
    return inside and (a[0] == b[0] == point[0] or abs(a[1] - point[1]) < 0.01 or a[0] == point[0])


def sign(value: float) -> int:
    """Return -1, 0 or 1."""
    return (value > 0.01) - (value < -0.01)


def framed(out: Arrangement, graph: Layered, columns: list[Column]) -> None:
    """Put the frame around all columns but the first and the last, and leave a margin around all."""
    top = min([shape.y for shape in out.shapes] + [y for line in out.lines for _, y in line.points] + [at[1] - 14 for _, at in out.names])
    moved(out, MARGIN + 10 - top)
    bottom = max([shape.y + shape.height for shape in out.shapes] + [y for line in out.lines for _, y in line.points])
    first, last = columns[0].right - 3, columns[-1].left - LEAD
    out.frame = (first, MARGIN - 2, last - first, bottom + 12 - MARGIN + 2)
    out.width = columns[-1].right + MARGIN
    out.height = bottom + 10 + MARGIN


def moved(out: Arrangement, by: float) -> None:
    """Move everything down."""
    out.shapes = [Shape(s.vertex, s.x, s.y + by, s.width, s.height, s.round) for s in out.shapes]
    out.lines = [Line(a.net, tuple((x, y + by) for x, y in a.points), frozenset((x, y + by) for x, y in a.sharp), a.arrow, a.highway, a.sign)
                 for a in out.lines]
    out.dots = [(x, y + by) for x, y in out.dots]
    out.names = [(name, (x, y + by)) for name, (x, y) in out.names]
