"""Heights: items of a column stand apart, and lines are as straight as that allows.

Each column is solved exactly for the heights that its neighbours want (an isotonic regression in absolute values), column after column,
until nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from symrnn.lecture.figures.layers import Item, Layered

GAP = 4.0
ROUNDS = 24


@dataclass
class Group:
    """Items that touch each other, at a common height of what their lines want."""

    wants: list[tuple[float, float]]
    count: int

    def height(self) -> float:
        """The weighted median: between two that weigh the same, the middle."""
        ordered = sorted(self.wants)
        total, half = 0.0, sum(weight for _, weight in ordered) / 2
        for k, (place, weight) in enumerate(ordered):
            total += weight
            if total > half + 1e-9:
                return place
            if abs(total - half) <= 1e-9:
                return (place + ordered[k + 1][0]) / 2
        return ordered[-1][0]


def place(layered: Layered) -> None:
    """Give each item its height, with the highest at 0."""
    for column in layered.columns:
        y = 0.0
        for before, item in zip([None, *column], column, strict=False):
            y += apart(before, item) if before is not None else 0.0
            item.y = y
    best: list[tuple[Item, float]] = []
    least = float("inf")
    for turn in range(ROUNDS):
        forward = turn % 2 == 0
        for column in layered.columns if forward else reversed(layered.columns):
            settle(column, both=turn >= 4, forward=forward)
        length = stretched(layered)
        if length < least:
            least, best = length, [(item, item.y) for column in layered.columns for item in column]
    for item, y in best:
        item.y = y
    top = min(item.y - item.up for column in layered.columns for item in column)
    for column in layered.columns:
        for item in column:
            item.y = round(item.y - top, 2)


def apart(above: Item, below: Item) -> float:
    """Return how far apart two neighbours must stand at least."""
    return above.down + below.up + GAP


def settle(column: list[Item], *, both: bool, forward: bool) -> None:
    """Move the items of one column to where their lines want them."""
    shift, shifts, groups = 0.0, [], []
    for before, item in zip([None, *column], column, strict=False):
        shift += apart(before, item) if before is not None else 0.0
        shifts.append(shift)
        groups.append(Group([(want - shift, weight) for want, weight in wants(item, both=both, forward=forward)], 1))
        while len(groups) > 1 and groups[-2].height() > groups[-1].height():
            last = groups.pop()
            groups[-1] = Group(groups[-1].wants + last.wants, groups[-1].count + last.count)
    heights = [height for group in groups for height in [group.height()] * group.count]
    for item, height, own in zip(column, heights, shifts, strict=True):
        item.y = height + own


def wants(item: Item, *, both: bool, forward: bool) -> list[tuple[float, float]]:
    """Return the heights that the lines of an item want it at, with their weights; its own weighs almost nothing."""
    out = [(item.y, 0.001)]
    if forward or both:
        out += [(s.start.y - s.offset, s.weight) for s in item.inputs]
    if not forward or both:
        out += [(s.end.y + s.offset, s.weight) for s in item.outputs]
    return out


def stretched(layered: Layered) -> float:
    """Return how far all lines go up and down."""
    return sum(s.weight * abs(s.start.y - s.end.y - s.offset) + 2.0 * (abs(s.start.y - s.end.y - s.offset) > 0.5) * s.weight
               for s in layered.segments)
