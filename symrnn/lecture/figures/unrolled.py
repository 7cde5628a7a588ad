"""The figure of a network over a few steps: forward in one colour, the gradients that flow back in another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symrnn.errors import NotSupportedError
from symrnn.expr import At
from symrnn.lecture.figures.graph_places import APART, MARGIN, Places
from symrnn.lecture.figures.labels import worded
from symrnn.lecture.figures.letters import lettering
from symrnn.lecture.figures.steps import Arrow, Step, steps_of
from symrnn.lecture.figures.svg import (
    BACKWARD,
    FORWARD,
    MUTED,
    Point,
    box,
    document,
    formula,
    head,
    line,
    words,
    words_width,
)
from symrnn.networks import Network
from symrnn.style import Style
from symrnn.unrolling import unroll

FILLS = {"input": "#e2f1e4", "state": "#dbe7f6", "output": "#fde9b3", "loss": "#f9d9dc"}
STEP_FILL, STEP_EDGE = "#f1f3f7", "#5b6577"
LEVEL = 36.0
"""Points from which on a label stands at a piece that runs across, rather than at one that runs up."""


def unrolled_figure(network: Network, style: Style, labels: Mapping[str, str], steps: int = 3) -> str:
    """Draw a network over a few steps, with the gradients that flow back.

    Args:
        network: Any network that reads no whole sequence at once.
        style: Of the names, for LaTeX.
        labels: Words of the language, with the keys of ``LABELS``.
        steps: How many.

    Returns:
        An SVG document.

    Raises:
        NotSupportedError: A network that reads a whole sequence at once or has no states, or an optional package that is not installed.
        SpecError: A number of steps that is none.
    """
    found = steps_of(unroll(network, steps, notation=style.notation), style)
    if not found.values:
        raise NotSupportedError("the drawing shows who reads whom at which time, and this network has neither states nor outputs; give it a readout")
    places = Places(found)
    ways = {arrow: places.way(arrow.start, arrow.end) for arrow in places.found.arrows if arrow.start in places.spots}
    rows = [row for arrow, way in ways.items() for row in arrow_rows(arrow, way)]
    rows += [row for key in places.spots for row in spot_rows(key, places)]
    texts = [one for arrow, way in ways.items() for one in said(arrow, way)]
    rows += [one.row() for one in texts]
    y = max([places.height] + [point[1] + MARGIN for way in ways.values() for point in way]) + 6
    rows += legend(labels, y)
    right = max([places.width, *(one.ends[1] + MARGIN for one in texts)])
    width = max(right, 2 * MARGIN + 70 + words_width(worded(labels, "forward"), 11.5) + 60 + words_width(worded(labels, "backward"), 11.5))
    values = {"name": network.cell or network.name, "steps": steps}
    return document(width, y + 18, worded(labels, "unrolled", **values), worded(labels, "unrolled_description", **values), rows)


def beside(way: list[Point], by: float) -> list[Point]:
    """Return a way moved to its left, as seen by who goes along it."""
    out = []
    for k, here in enumerate(way):
        pieces = [(way[j], way[j + 1]) for j in (k - 1, k) if 0 <= j < len(way) - 1]
        x, y = here
        for a, b in pieces:
            if a[0] == b[0]:
                x = here[0] + (by if b[1] > a[1] else -by)
            else:
                y = here[1] + (-by if b[0] > a[0] else by)
        out.append((x, y))
    return out


def arrow_rows(arrow: Arrow, way: list[Point]) -> Iterator[str]:
    """Yield the arrow forward, and the dashed one back beside it."""
    forward = beside(way, APART) if arrow.back else way
    yield from headed(forward, FORWARD, dashed=False)
    if arrow.back:
        yield from headed(list(reversed(beside(way, -APART))), BACKWARD, dashed=True)


def headed(way: list[Point], colour: str, *, dashed: bool) -> Iterator[str]:
    """Yield a line with the head of an arrow."""
    tip, before = way[-1], way[-2]
    away = abs(tip[0] - before[0]) + abs(tip[1] - before[1])
    share = min(5.0, away / 2) / away if away else 0.0
    short = (tip[0] + (before[0] - tip[0]) * share, tip[1] + (before[1] - tip[1]) * share)
    yield line([*way[:-1], short], colour=colour, width=1.5, dashed=dashed)
    yield head(tip, before, colour=colour, size=7.5)


def spot_rows(key: Any, places: Places) -> Iterator[str]:
    """Yield a step, a value or the loss."""
    spot = places.spots[key]
    x, y = spot.middle[0] - spot.width / 2, spot.middle[1] - spot.height / 2
    if isinstance(key, Step):
        name = places.found.steps[key]
        yield box(x, y, spot.width, spot.height, fill=STEP_FILL, stroke=STEP_EDGE, rounded=8.0)
        size = min(12.0, 12.0 * (spot.width - 8) / words_width(name, 12.0))
        yield words(name, (spot.middle[0], spot.middle[1] + size * 0.35), size=size, anchor="middle")
        return
    value = isinstance(key, At)
    text = places.found.texts[key][0] if value else places.found.loss
    fill = FILLS[places.found.values[key]] if value else FILLS["loss"]
    yield box(x, y, spot.width, spot.height, fill=fill, rounded=spot.height / 2)
    yield formula(text, spot.middle, size=fitted(text, 14.0, spot.width - 8))


def fitted(text: str, size: float, width: float) -> float:
    """Return the size of letters at which a formula is no wider than its room."""
    wide = lettering(text, size).width
    return size if wide <= width else round(size * width / wide, 1)


@dataclass(frozen=True)
class Said:
    """A formula beside an arrow: its place as in :func:`formula`."""

    text: str
    at: Point
    size: float
    colour: str
    anchor: str

    def row(self) -> str:
        """Draw it."""
        return formula(self.text, self.at, size=self.size, colour=self.colour, anchor=self.anchor, halo=True)

    @property
    def ends(self) -> tuple[float, float]:
        """Where it begins and ends."""
        wide = lettering(self.text, self.size).width
        start = self.at[0] - {"start": 0.0, "middle": wide / 2, "end": wide}[self.anchor]
        return start, start + wide


def said(arrow: Arrow, way: list[Point]) -> Iterator[Said]:
    """Yield what multiplies on the way, on the side of each arrow."""
    a, b = max(itertools.pairwise(way), key=lambda piece: (level(piece) and length(piece) > LEVEL, length(piece)))
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    upright = a[0] == b[0]
    ahead = 1 if (b[1] > a[1] if upright else b[0] < a[0]) else -1
    for text, colour, sign in ((arrow.text, FORWARD, ahead), (arrow.back_text, BACKWARD, -ahead)):
        if text and upright:
            yield Said(text, (middle[0] + sign * (APART + 5), middle[1] + 4), 12.0, colour, "end" if sign < 0 else "start")
        elif text:
            size = fitted(text, 12.0, max(length((a, b)) - 6, 20.0))
            yield Said(text, (middle[0], middle[1] + sign * (APART + 10)), size, colour, "middle")


def level(piece: tuple[Point, Point]) -> bool:
    """Tell whether a piece of a way runs across."""
    return piece[0][1] == piece[1][1]


def length(piece: tuple[Point, Point]) -> float:
    """Return how long a piece of a way is."""
    return abs(piece[0][0] - piece[1][0]) + abs(piece[0][1] - piece[1][1])


def legend(labels: Mapping[str, str], y: float) -> Iterator[str]:
    """Yield what the two kinds of arrows are."""
    x = MARGIN
    for key, colour, dashed in (("forward", FORWARD, False), ("backward", BACKWARD, True)):
        yield from headed([(x, y), (x + 30, y)], colour, dashed=dashed)
        text = worded(labels, key)
        yield words(text, (x + 37, y + 4), size=11.5, colour=MUTED)
        x += 37 + words_width(text, 11.5) + 24



