"""The graph of a step in layers from left to right: who stands in which column, and where lines pass through columns between."""

from __future__ import annotations

from dataclasses import dataclass, field

from symrnn.lecture.figures.dataflow import Dataflow
from symrnn.lecture.figures.letters import lettering

PITCH = 36.0
"""From one box to the next below it."""
RADIUS = 11.0
"""Of a circle."""
HEIGHT = 24.0
"""Of a box."""
HALF = 16.0
"""Room above and below the middle of a box; two boxes and the gap between them are a pitch."""
FEW = 3
"""Inputs that a circle takes: from the left, from above and from below; more make it a bar."""


@dataclass(eq=False)
class Item:
    """What stands in a column: a node of the graph, or a line that passes through.

    Attributes:
        vertex: The node; -1 for a line.
        net: The node whose value the line carries; the node itself.
        layer: The column.
        width: Of the box.
        name_width: Of the name behind the box.
        up: Room above the middle.
        down: Room below the middle.
        inputs: Segments that end here, in the order of their ports from above.
        y: Of the middle.
        lane: Number of its highway; -1 for none.
    """

    vertex: int
    net: int
    layer: int
    width: float = 0.0
    name_width: float = 0.0
    up: float = 8.0
    down: float = 8.0
    inputs: list[Segment] = field(default_factory=list)
    outputs: list[Segment] = field(default_factory=list)
    y: float = 0.0
    lane: int = -1


@dataclass(eq=False)
class Segment:
    """A piece of a line from one column to the next.

    Attributes:
        start: On the left.
        end: On the right.
        read: Which of the reads of the node it is; -1 where the line goes on.
        offset: Of its port from the middle of the end.
        weight: How much it wants to be straight.
    """

    start: Item
    end: Item
    read: int
    offset: float = 0.0
    weight: float = 1.0


@dataclass
class Layered:
    """Columns of items."""

    flow: Dataflow
    columns: list[list[Item]]
    items: dict[int, Item]

    @property
    def segments(self) -> list[Segment]:
        """All segments, from left to right."""
        return [segment for column in self.columns for item in column for segment in item.outputs]


def depths(flow: Dataflow) -> list[int]:
    """Return the column of each node: as far left as it can stand, but what feeds one node only stands close to it."""
    vertices, readers = flow.vertices, readers_of(flow)
    depth = [0] * len(vertices)
    sources = {k for k, v in enumerate(vertices) if not v.reads}
    for k, vertex in enumerate(vertices):
        depth[k] = max((depth[read] + 1 for read in vertex.reads), default=0)
    last = max(depth)
    for k, vertex in enumerate(vertices):
        if vertex.kind == "result":
            depth[k] = max(2, last)
    on_highway = {k for way in flow.highways for k in way[1:]}
    for k in reversed(range(len(vertices))):
        vertex = vertices[k]
        shared = len(vertex.reads) == 1 and (vertex.reads[0] in sources or len(readers[vertex.reads[0]]) > 1)
        if (shared or k in on_highway or vertex.kind == "parameter") and readers[k] and vertex.kind != "result":
            latest = min(depth[reader] for reader in readers[k]) - 1
            inner = [reader for reader in readers[k] if vertices[reader].kind != "result"]
            depth[k] = max(depth[k], latest) if inner else depth[k]
    return depth


def readers_of(flow: Dataflow) -> list[list[int]]:
    """Return who reads each node."""
    readers: list[list[int]] = [[] for _ in flow.vertices]
    for k, vertex in enumerate(flow.vertices):
        for read in vertex.reads:
            readers[read].append(k)
    return readers


def layered(flow: Dataflow) -> Layered:
    """Put the nodes into columns, with an item wherever a line passes through one."""
    depth, readers = depths(flow), readers_of(flow)
    columns: list[list[Item]] = [[] for _ in range(max(depth) + 1)]
    lanes = {k: lane for lane, way in enumerate(flow.highways) for k in way}
    items = {}
    for k in range(len(flow.vertices)):
        items[k] = sized(Item(k, k, depth[k]), flow)
        items[k].lane = lanes.get(k, -1)
        columns[depth[k]].append(items[k])
    for k in range(len(flow.vertices)):
        far = max((depth[reader] for reader in readers[k]), default=0)
        chain = {depth[k]: items[k]}
        for layer in range(depth[k] + 1, far):
            chain[layer] = Item(-1, k, layer)
            columns[layer].append(chain[layer])
            join(chain[layer - 1], chain[layer], -1, 4.0)
        for reader in dict.fromkeys(readers[k]):
            for read, source in enumerate(flow.vertices[reader].reads):
                if source == k:
                    join(chain[depth[reader] - 1], items[reader], read, 2.0)
    for way in flow.highways:
        on_lane(way, items, flow, lanes[way[0]])
    for column in columns:
        for item in column:
            if item.vertex >= 0:
                ports(item, flow)
    return Layered(flow, columns, items)


def join(start: Item, end: Item, read: int, weight: float) -> None:
    """Lay a segment."""
    segment = Segment(start, end, read, weight=weight)
    start.outputs.append(segment)
    end.inputs.append(segment)


def on_lane(way: tuple[int, ...], items: dict[int, Item], flow: Dataflow, lane: int) -> None:
    """Mark what a highway passes through, up to the terminal at its end."""
    end = next(k for k, v in enumerate(flow.vertices) if v.kind == "result" and v.reads == [way[-1]])
    for k in (*way[1:], end):
        items[k].lane = lane
        before = way[way.index(k) - 1] if k in way else way[-1]
        segment = next(s for s in items[k].inputs if s.start.net == before)
        segment.weight = 1000.0
        item = segment.start
        while item.vertex < 0:
            item.lane = lane
            item.inputs[0].weight = 1000.0
            item = item.inputs[0].start
        item.lane = lane


def sized(item: Item, flow: Dataflow) -> Item:
    """Give a node the size of its box and of the name behind it."""
    vertex = flow.vertices[item.vertex]
    text = lettering(vertex.text, 14.0)
    if vertex.kind in {"sum", "product"}:
        item.width = 2 * RADIUS
    elif vertex.kind in {"state", "input", "result"}:
        item.width = max(34.0, text.width + 16)
    else:
        item.width = text.width + 6 if vertex.kind == "parameter" else max(28.0, text.width + 14)
    item.name_width = lettering(vertex.name, 13.0).width + 10 if vertex.name else 0.0
    item.up = item.down = HALF
    return item


def is_bar(item: Item, flow: Dataflow) -> bool:
    """Tell whether a node has ports on its left side only, one below the other."""
    vertex = flow.vertices[item.vertex]
    return len(vertex.reads) > 1 and (vertex.ordered or len(vertex.reads) > FEW or vertex.kind not in {"sum", "product"})


def ports(item: Item, flow: Dataflow) -> None:
    """Place the ports of a node, in the order of its inputs, and the room that they need."""
    count = len(item.inputs)
    bar = is_bar(item, flow)
    if bar and flow.vertices[item.vertex].ordered:
        item.inputs.sort(key=lambda segment: segment.read)
    straight = next((k for k, segment in enumerate(item.inputs) if segment.weight >= 1000.0), -1)
    for k, segment in enumerate(item.inputs):
        segment.offset = PITCH * (k - (count - 1) / 2)
        if not bar and count == 2 and straight >= 0:
            segment.offset = (k - straight) * PITCH / 2
        if not bar and count == 3 and straight in {0, 2}:
            segment.offset = 0.0 if k == straight else (-1.0 if k < 1 or (k == 1 and straight == 2) else 1.0) * PITCH / 2
    if not bar and count == 3 and straight in {0, 2}:
        others = [segment for k, segment in enumerate(item.inputs) if k != straight]
        others[0].offset, others[1].offset = -PITCH / 2, PITCH / 2
    reach = [abs(segment.offset) for segment in item.inputs if segment.offset]
    above = max((-s.offset for s in item.inputs), default=0.0)
    below = max((s.offset for s in item.inputs), default=0.0)
    room = HEIGHT / 2 if bar else 0.0
    item.up = max(HALF, above + max(room, 8.0) if reach else 0.0)
    item.down = max(HALF, below + max(room, 8.0) if reach else 0.0)
    if flow.vertices[item.vertex].name:
        item.up = max(item.up, 22.0)
