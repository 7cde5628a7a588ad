"""Lines between two columns: each value has a trunk of its own from which its branches leave, like the wires of a circuit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from symrnn.lecture.figures.layers import Item, Layered, Segment

TRACK = 9.0
CLOSE = 5.0
ROUNDS = 6


@dataclass(eq=False)
class Wire:
    """A value between two columns.

    Attributes:
        start: Where it comes from.
        segments: Where it goes.
        track: The number of its trunk from the left; -1 where it is straight.
        second: The trunk on which it goes on, where it has two; -1 for none.
        between: The height from the first trunk to the second.
    """

    start: Item
    segments: list[Segment]
    track: int = -1
    second: int = -1
    between: float = 0.0

    @property
    def y(self) -> float:
        """The height at which it comes."""
        return self.start.y

    @property
    def targets(self) -> list[float]:
        """The heights to which it goes."""
        return [segment.end.y + segment.offset for segment in self.segments]

    @property
    def bent(self) -> bool:
        """Whether it needs a trunk."""
        return any(abs(target - self.y) > 0.01 for target in self.targets)

    def covers(self, y: float) -> bool:
        """Tell whether its trunk passes a height."""
        low, high = min(self.y, *self.targets), max(self.y, *self.targets)
        return low - CLOSE < y < high + CLOSE


@dataclass
class Channel:
    """The room between two columns.

    Attributes:
        wires: All of them.
        tracks: How many trunks stand beside each other.
    """

    wires: list[Wire] = field(default_factory=list)
    tracks: int = 0


def route(layered: Layered) -> list[Channel]:
    """Return the channel behind each column but the last."""
    out = []
    for column in layered.columns[:-1]:
        channel = Channel([Wire(item, item.outputs) for item in column if item.outputs])
        bent = [wire for wire in channel.wires if wire.bent]
        assign(sequence(bent), channel)
        out.append(channel)
    return out


def cost(left: Wire, right: Wire) -> float:
    """Return what is lost where one trunk stands to the left of another: crossings, and lines on top of each other."""
    crossed = sum(right.covers(target) for target in left.targets if abs(target - left.y) > 0.01 or True) + left.covers(right.y)
    return crossed + 1000.0 * sum(abs(target - right.y) < CLOSE for target in left.targets)


def sequence(wires: list[Wire]) -> list[Wire]:
    """Order the trunks from left to right so that little is lost: each moves to its best place until none does."""
    ordered = sorted(wires, key=lambda wire: wire.y)
    for _ in range(ROUNDS):
        before = list(ordered)
        for wire in before:
            rest = [other for other in ordered if other is not wire]
            losses = []
            for k in range(len(rest) + 1):
                loss = sum(cost(other, wire) for other in rest[:k]) + sum(cost(wire, other) for other in rest[k:])
                losses.append((loss, k))
            k = min(losses)[1]
            ordered = [*rest[:k], wire, *rest[k:]]
        if ordered == before:
            break
    return ordered


def assign(ordered: list[Wire], channel: Channel) -> None:
    """Give each trunk the first track that is free, and a second trunk where a line would lie on another."""
    done: list[Wire] = []
    for wire in ordered:
        wire.track = max((other.track + 1 for other in done if meets(other, wire)), default=0)
        done.append(wire)
    channel.tracks = max((wire.track + 1 for wire in ordered), default=0)
    for k, wire in enumerate(ordered):
        if any(abs(target - other.y) < CLOSE for other in ordered[k + 1:] for target in wire.targets):
            wire.second = channel.tracks
            channel.tracks += 1
            wire.between = free_height(wire, channel)


def meets(a: Wire, b: Wire) -> bool:
    """Tell whether two trunks cannot stand above each other."""
    return any(b.covers(y) for y in (a.y, *a.targets)) or any(a.covers(y) for y in (b.y, *b.targets))


def free_height(wire: Wire, channel: Channel) -> float:
    """Return a height near a wire at which no other line goes."""
    used = sorted(y for other in channel.wires for y in (other.y, *other.targets, *([other.between] if other.second >= 0 else [])))
    middles = [(a + b) / 2 for a, b in itertools.pairwise(used) if b - a > 2 * CLOSE]
    middles += [used[0] - 2 * CLOSE, used[-1] + 2 * CLOSE]
    return min(middles, key=lambda y: abs(y - wire.y))
