"""Places of the unrolled graph: steps across, layers from below, the loss at the top; ways between them that run through nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symrnn.expr import At
from symrnn.lecture.figures.steps import Step, Steps
from symrnn.lecture.figures.svg import Point

MARGIN, BOX, NODE, HIGH = 20.0, 58.0, 36.0, 26.0
"""Around all; the width of a step; the width and the height of a value."""
NEAR, FAR, RAIL, ROWS = 52.0, 46.0, 56.0, 58.0
"""From a step to what it gives; from there to the next step; between two states; between two rows."""
LANE = 52.0
"""Between two steps, more where an output is read by the next of them."""
APART = 4.0
"""From the middle of a way to its arrow, forward and back."""


@dataclass(frozen=True)
class Spot:
    """A value, a step or the loss at its place."""

    middle: Point
    width: float
    height: float

    def contains(self, x: float, low: float, high: float) -> bool:
        """Tell whether a line that runs up from one height to another touches it."""
        (a, b), half = self.middle, self.width / 2 + 7
        return abs(a - x) < half and low < b + self.height / 2 + 5 and b - self.height / 2 - 5 < high


@dataclass
class Places:
    """All places.

    Attributes:
        found: What is drawn.
        spots: Of values, steps and the loss.
        width: Of all.
        height: Of all.
        used: How many ways bend in the room below a row and beside a column.
    """

    found: Steps
    spots: dict[Any, Spot] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0
    used: dict[Any, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find all places."""
        rows = self.rows()
        columns = self.columns()
        for step in self.found.steps:
            count = len(self.found.states[step.layer])
            self.spots[step] = Spot((columns[step.group, step.time][1], rows["layer", step.layer] - RAIL * (count - 1) / 2), BOX, RAIL * count - 8)
        for value, kind in self.found.values.items():
            if kind == "state":
                self.spots[value] = self.state(value, columns, rows)
        for value, kind in self.found.values.items():
            if kind == "input":
                group = self.found.group[value.series]
                same = [v for v, k in self.found.values.items() if k == kind and v.time == value.time and self.found.group[v.series] == group]
                shift = NODE * 1.3 * (same.index(value) - (len(same) - 1) / 2)
                x = columns.get((group, int(value.time)), (0.0, MARGIN + 30, 0.0))[1]
                self.spots[value] = Spot((x + shift, rows["input", group]), NODE, HIGH)
        for kind in ("output", "loss"):
            for value in [v for v, k in self.found.values.items() if k == kind]:
                self.spots[value] = Spot((self.above(value, columns), rows[kind, self.found.group[value.series]]), NODE, HIGH)
        tops = [self.spots[arrow.start].middle[0] for arrow in self.found.arrows if self.is_loss(arrow.end)]
        loss = next((arrow.end for arrow in self.found.arrows if self.is_loss(arrow.end)), None)
        if loss is not None:
            self.spots[loss] = Spot(((min(tops) + max(tops)) / 2, rows["total", 0]), max(tops) - min(tops) + NODE, HIGH)
        right = max(spot.middle[0] + spot.width / 2 for spot in self.spots.values())
        self.width = right + MARGIN
        self.height = max(spot.middle[1] + spot.height / 2 for spot in self.spots.values()) + MARGIN

    def is_loss(self, end: Any) -> bool:
        """Tell whether an end of an arrow is the whole loss."""
        return not isinstance(end, Step | At)

    def rows(self) -> dict[tuple[str, int], float]:
        """Return the height of each row: that of the lowest rail for a layer."""
        kinds = set(self.found.values.values())
        groups = sorted(set(self.found.group.values()))
        y, out = MARGIN + HIGH / 2, {("total", 0): MARGIN + HIGH / 2}
        layers_of = {g: [k for k, states in self.found.states.items() if states and self.found.group[states[0]] == g] for g in groups}
        for kind in ("loss", "output"):
            if kind in kinds:
                y += ROWS
            for group in groups:
                out[kind, group] = y
        high = max((len(layers) for layers in layers_of.values()), default=0)
        lowest = y + 20 * (max((sum(a.end == v for a in self.found.arrows) for v, k in self.found.values.items() if k == "output"), default=1) - 1)
        for place in reversed(range(high)):
            here = [layers[place] for layers in layers_of.values() if place < len(layers)]
            lowest += ROWS + 18 + RAIL * (max(len(self.found.states[k]) for k in here) - 1) + (0 if place == high - 1 else 18)
            out |= {("layer", k): lowest for k in here}
        far = any(isinstance(a.end, Step) and isinstance(a.start, At) and a.start.series in self.found.states.get(a.end.layer, ())
                  and abs(int(a.start.time) - a.end.time) > 1 for a in self.found.arrows)
        return out | {("input", group): lowest + ROWS + (46 if far else 16) for group in groups}

    def columns(self) -> dict[tuple[int, int], tuple[float, float, float]]:
        """Return for each step of each sequence the middle of what layers that run backward give, of the boxes, of what others give."""
        slots: set[tuple[int, int]] = {(step.group, step.time) for step in self.found.steps}
        boxes = set(slots)
        slots |= {(self.found.group[v.series], int(v.time)) for v in self.found.values}
        both = {step.group for step in self.found.steps if step.layer in self.found.backward}
        ahead = {step.group for step in self.found.steps if step.layer not in self.found.backward}
        kinds = self.found.values
        room = FAR + (LANE if any(kinds.get(a.start) == "output" and kinds.get(a.end) == "input" for a in self.found.arrows) else 0)
        x, out = MARGIN, {}
        for slot in sorted(slots):
            left = x + NODE / 2
            middle = left + NODE / 2 + NEAR + BOX / 2 if slot[0] in both else x + BOX / 2
            right = middle + BOX / 2 + NEAR + NODE / 2 if slot[0] in ahead else middle
            if slot not in boxes:
                middle = right = left
            out[slot] = (left, middle, right)
            x = max(right + NODE / 2, middle + (BOX / 2 if slot in boxes else 0)) + room
        return out

    def state(self, value: At, columns: dict[tuple[int, int], tuple[float, float, float]], rows: dict[tuple[str, int], float]) -> Spot:
        """Place a state: beside the box of its step, on its rail."""
        layer = next(k for k, states in self.found.states.items() if value.series in states)
        rail = self.found.states[layer].index(value.series)
        count = len(self.found.states[layer])
        place = columns[self.found.group[value.series], int(value.time)]
        return Spot((place[0 if layer in self.found.backward else 2], rows["layer", layer] - RAIL * (count - 1 - rail)), NODE, HIGH)

    def above(self, value: At, columns: dict[tuple[int, int], tuple[float, float, float]]) -> float:
        """Return where an output or a loss stands: above what it reads, in the middle of several."""
        read = [self.spots[arrow.start].middle[0] for arrow in self.found.arrows if arrow.end == value and arrow.start in self.spots]
        group = self.found.group[value.series]
        near = [x for x in read if abs(x - columns.get((group, int(value.time)), (x, x, x))[1]) < 2 * BOX + 2 * NEAR]
        chosen = near or read or [columns[group, int(value.time)][1]]
        return sum(chosen) / len(chosen)

    def count(self, key: Any) -> int:
        """Return how many asked for a room before, and take the next place in it."""
        self.used[key] = self.used.get(key, -1) + 1
        return self.used[key]

    def way(self, start: Any, end: Any) -> list[Point]:
        """Return the middle of a way from one thing to another, as corners."""
        a, b = self.spots[start], self.spots[end]
        level = abs(a.middle[1] - b.middle[1]) < b.height / 2 if isinstance(end, Step) else abs(a.middle[1] - b.middle[1]) < 1
        if isinstance(start, Step):
            level = True
        if level and not self.between(a, b, start, end):
            y = a.middle[1] if not isinstance(start, Step) else b.middle[1]
            side = 1 if b.middle[0] > a.middle[0] else -1
            return [(a.middle[0] + side * a.width / 2, y), (b.middle[0] - side * b.width / 2, y)]
        return self.upwards(a, b, start, end, below=level)

    def between(self, a: Spot, b: Spot, start: Any, end: Any) -> bool:
        """Tell whether something stands on a level way."""
        low, high = sorted((a.middle[0], b.middle[0]))
        y = a.middle[1] if not isinstance(start, Step) else b.middle[1]
        return any(low < spot.middle[0] < high and abs(spot.middle[1] - y) < spot.height / 2
                   for key, spot in self.spots.items() if key not in (start, end))

    def upwards(self, a: Spot, b: Spot, start: Any, end: Any, *, below: bool) -> list[Point]:
        """Return a way to what stands above: straight, or around what is between; below its row for what stands beside."""
        if b.middle[1] > a.middle[1] + 1 and not below:
            return self.downwards(a, b, (start, end))
        if below:
            low = max(a.middle[1] + a.height / 2, b.middle[1] + b.height / 2) + 16 + 18 * (self.count(("below", round(b.middle[1]))) % 2)
            port = b.middle[0] + 16 + 16 * self.count(("port", end)) * (-1)
            return [(a.middle[0], a.middle[1] + a.height / 2), (a.middle[0], low), (port, low), (port, b.middle[1] + b.height / 2)]
        top, bottom = a.middle[1] - a.height / 2, b.middle[1] + b.height / 2
        wide = not isinstance(end, Step | At)
        target = a.middle[0] if wide else b.middle[0]
        if abs(target - a.middle[0]) < 1 and not self.blocked(target, bottom, top, (start, end)):
            return [(a.middle[0], top), (target, bottom)]
        port = target + (0.0 if wide else (-16.0 if a.middle[0] < target else 16.0))
        gap = bottom + 26 + 9 * self.count(("gap", end))
        if not self.blocked(a.middle[0], gap, top, (start,)):
            return [(a.middle[0], top), (a.middle[0], gap), (port, gap), (port, bottom)]
        first = top - 16
        shifts = sorted((sign * k * 8.0 for k in range(2, 40) for sign in (-1, 1)), key=abs)
        lane = next((a.middle[0] + by for by in shifts if not self.blocked(a.middle[0] + by, gap, first, (start, end))), a.middle[0])
        return [(a.middle[0], top), (a.middle[0], first), (lane, first), (lane, gap), (port, gap), (port, bottom)]

    def downwards(self, a: Spot, b: Spot, but: tuple[Any, ...]) -> list[Point]:
        """Return a way to what stands below: out at the side, down between all else, in at the side."""
        side = 1 if b.middle[0] > a.middle[0] else -1
        ends = a.middle[0] + side * a.width / 2, b.middle[0] - side * b.width / 2
        lanes = (ends[1] - side * by for by in range(10, int(max(12.0, abs(ends[1] - ends[0]))), 3))
        lane = next((x for x in lanes if not self.blocked(x, a.middle[1], b.middle[1], but)), (ends[0] + ends[1]) / 2)
        return [(ends[0], a.middle[1]), (lane, a.middle[1]), (lane, b.middle[1]), (ends[1], b.middle[1])]

    def blocked(self, x: float, low: float, high: float, but: tuple[Any, ...]) -> bool:
        """Tell whether something stands on a line that runs up."""
        return any(spot.contains(x, low, high) for key, spot in self.spots.items() if key not in but)
