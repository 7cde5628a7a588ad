"""The order of items in each column: highways above all others, the rest so that few lines cross."""

from __future__ import annotations

from itertools import combinations

from symrnn.lecture.figures.layers import Item, Layered, Segment, ports

ROUNDS = 8


def order(layered: Layered) -> None:
    """Order the columns in place, and the ports of each node with them."""
    start(layered)
    best, fewest = snapshot(layered), crossings(layered)
    for turn in range(ROUNDS):
        forward = turn % 2 == 0
        columns = layered.columns[1:] if forward else layered.columns[-2::-1]
        for column in columns:
            by_neighbours(column, layered, forward)
        swap(layered)
        count = crossings(layered)
        if count < fewest - 1e-9:
            best, fewest = snapshot(layered), count
    layered.columns = best
    sort_ports(layered)


def snapshot(layered: Layered) -> list[list[Item]]:
    """Copy the order."""
    return [list(column) for column in layered.columns]


def start(layered: Layered) -> None:
    """Begin with the order in which a walk from the results finds the items, from the first to the last of what each reads."""
    seen: dict[Item, int] = {}

    def walk(item: Item) -> None:
        stack = [item]
        while stack:
            one = stack.pop()
            if one in seen:
                continue
            seen[one] = len(seen)
            stack += [segment.start for segment in sorted(one.inputs, key=lambda s: -s.read)]

    for item in layered.columns[-1]:
        walk(item)
    for column in layered.columns:
        for item in column:
            walk(item)
        column.sort(key=lambda item: (lane_key(item), seen[item]))


def lane_key(item: Item) -> float:
    """Sort highways above all others."""
    return item.lane if item.lane >= 0 else 1000


def by_neighbours(column: list[Item], layered: Layered, forward: bool) -> None:
    """Sort a column by the mean place of what its items are joined to on one side."""
    places = {item: k for other in layered.columns for k, item in enumerate(other)}
    keys = {}
    for k, item in enumerate(column):
        joined = [places[s.start] for s in item.inputs] if forward else [places[s.end] + s.offset / 1000 for s in item.outputs]
        keys[item] = sum(joined) / len(joined) if joined else float(k)
    column.sort(key=lambda item: (lane_key(item), keys[item]))


def swap(layered: Layered) -> None:
    """Exchange neighbours as long as fewer lines cross."""
    for column in layered.columns:
        better = True
        while better:
            better = False
            for k in range(len(column) - 1):
                a, b = column[k], column[k + 1]
                if lane_key(a) < lane_key(b):
                    continue
                if crossed(a, b, layered) > crossed(b, a, layered) + 1e-9:
                    column[k], column[k + 1] = b, a
                    better = True


def crossed(above: Item, below: Item, layered: Layered) -> float:
    """Count the crossings of the lines of two neighbours."""
    sides = [layered.columns[k] for k in (above.layer - 1, above.layer + 1) if 0 <= k < len(layered.columns)]
    places = {item: k for side in sides for k, item in enumerate(side)}
    count = 0.0
    for side in ("inputs", "outputs"):
        for one in getattr(above, side):
            for other in getattr(below, side):
                ends = [places[s.start if side == "inputs" else s.end] + ordered_port(s, layered) * (side == "outputs") for s in (one, other)]
                count += (ends[0] > ends[1]) * share(one) * share(other)
    return count


def ordered_port(segment: Segment, layered: Layered) -> float:
    """Return a small number that grows with the port where the order of the ports is fixed."""
    vertex = segment.end.vertex
    return segment.read / 100 if vertex >= 0 and layered.flow.vertices[vertex].ordered else 0.0


def share(segment: Segment) -> float:
    """Return how much a crossing of a line counts: less where the value has many branches, which leave one trunk."""
    return 1.0 / len(segment.start.outputs)


def crossings(layered: Layered) -> float:
    """Count the crossings of all lines."""
    count = 0.0
    for left, right in zip(layered.columns, layered.columns[1:], strict=False):
        places = {item: k for column in (left, right) for k, item in enumerate(column)}
        ends = [(places[s.start], places[s.end] + ordered_port(s, layered), share(s)) for item in left for s in item.outputs]
        count += sum(a[2] * b[2] for a, b in combinations(ends, 2) if (a[0] - b[0]) * (a[1] - b[1]) < 0)
    return count


def sort_ports(layered: Layered) -> None:
    """Order the ports of each node as what feeds them stands."""
    places = {item: k for column in layered.columns for k, item in enumerate(column)}
    for column in layered.columns:
        for item in column:
            item.inputs.sort(key=lambda segment: places[segment.start])
            item.outputs.sort(key=lambda segment: places[segment.end])
            if item.vertex >= 0:
                ports(item, layered.flow)
