"""The figure of a cell: one time step as a graph, from left to right."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from symrnn.lecture.figures.arranging import MARGIN, Arrangement, Line, Shape, arrange
from symrnn.lecture.figures.labels import worded
from symrnn.lecture.figures.svg import (
    FORWARD,
    INK,
    MUTED,
    box,
    circle,
    document,
    dot,
    formula,
    head,
    line,
    words,
    words_width,
)
from symrnn.networks import Network
from symrnn.style import Style

FILLS = {"state": "#dbe7f6", "result": "#dbe7f6", "input": "#e2f1e4", "weights": "#ffffff", "function": "#fde9b3", "sum": "#f9d9dc",
         "product": "#f9d9dc", "operator": "#efe7f7"}
FRAME, FRAME_EDGE = "#f6f7f9", "#c3c9d4"
SHORT = 9.0
"""Points of a last piece up to which the head of its arrow is smaller."""
TERMINALS = frozenset({"state", "input", "result"})


def cell_figure(network: Network, style: Style, labels: Mapping[str, str], *, layer: int = 0) -> str:
    """Draw one time step of a layer: its equations as a graph.

    Args:
        network: Any network.
        style: Of the names, for LaTeX.
        labels: Words of the language, with the keys of ``LABELS``.
        layer: Which of its layers, from 0.

    Returns:
        An SVG document.

    Raises:
        NotSupportedError: An optional package is not installed.
    """
    places = arrange(network, style, layer)
    kinds = {shape.vertex.kind for shape in places.shapes}
    legend, width, height = legend_rows(places, labels, kinds, style.notation.hadamard[1])
    x, y, wide, high = places.frame
    rows = [box(x, y, wide, high, fill=FRAME, stroke=FRAME_EDGE, rounded=14.0)]
    rows += dict.fromkeys(row for one in sorted(places.lines, key=lambda one: one.highway) for row in line_rows(one))
    rows += [dot(at) for at in places.dots]
    rows += [row for shape in places.shapes for row in shape_rows(shape)]
    rows += [formula(name, at, size=13.0, anchor="start", halo=True) for name, at in places.names]
    name = network.cell or network.name
    reads = [shape.vertex.text for shape in places.shapes if shape.vertex.kind in {"state", "input"}]
    results = [shape.vertex.text for shape in places.shapes if shape.vertex.kind == "result"]
    description = worded(labels, "cell_description", reads=", ".join(reads), results=", ".join(results))
    return document(width, height, worded(labels, "cell", name=name), description, [*rows, *legend])


def line_rows(one: Line) -> Iterator[str]:
    """Yield a line, the head of its arrow and the sign at its end."""
    colour, width = (FORWARD, 2.4) if one.highway else (INK, 1.2)
    points = list(one.points)
    if one.arrow:
        tip, before = points[-1], points[-2]
        away = abs(tip[0] - before[0]) + abs(tip[1] - before[1])
        by = min(4.0, away / 2) / away if away else 0.0
        points[-1] = (tip[0] + (before[0] - tip[0]) * by, tip[1] + (before[1] - tip[1]) * by)
    starts = [0, *(k for k in range(1, len(points) - 1) if points[k] in one.sharp), len(points) - 1]
    for a, b in itertools.pairwise(starts):
        yield line(points[a:b + 1], colour=colour, width=width)
    if one.arrow:
        short = sum(abs(a - b) for a, b in zip(one.points[-1], one.points[-2], strict=True)) < SHORT
        yield head(one.points[-1], one.points[-2], colour=colour, size=8.5 if one.highway else 5.5 if short else 7.0)
    if one.sign:
        (x, y), (_, before_y) = one.points[-1], one.points[-2]
        yield formula("-", (x + 8, y + (6 if before_y > y else -6)) if before_y != y else (x - 8, y - 7), size=14.0)


def shape_rows(shape: Shape) -> Iterator[str]:
    """Yield a shape and what stands in it."""
    kind = shape.vertex.kind
    if shape.round:
        yield circle(shape.middle, shape.width / 2, fill=FILLS[kind])
        if shape.vertex.text == r"\odot":  # the circle is the sign itself
            yield dot(shape.middle)
            return
    elif kind in FILLS:
        rounded = shape.height / 2 if kind in TERMINALS else 8.0 if kind in {"sum", "product"} else 3.0
        yield box(shape.x, shape.y, shape.width, shape.height, fill=FILLS[kind], rounded=rounded)
    yield formula(shape.vertex.text, shape.middle, size=16.0 if kind in {"sum", "product"} else 14.0)


def legend_rows(places: Arrangement, labels: Mapping[str, str], kinds: set[str], sign: str) -> tuple[list[str], float, float]:
    """Return what the signs mean, below the figure, and the size of all."""
    entries = [("weights", kinds & {"weights"}), ("function", kinds & {"function"}), ("elementwise", kinds & {"sum", "product"}),
               ("state_path", any(one.highway for one in places.lines))]
    rows, x, y, right = [], MARGIN, places.height + 8, places.width
    for key, wanted in entries:
        if not wanted:
            continue
        text = worded(labels, key, sign=sign)
        wide = 26 + words_width(text, 11.0) + 18
        if x > MARGIN and x + wide > max(places.width, 420.0):
            x, y = MARGIN, y + 20
        rows += sample(key, x, y)
        rows.append(words(text, (x + 26, y + 4), size=11.0, colour=MUTED))
        x += wide
        right = max(right, x)
    return rows, right, y + 16


def sample(key: str, x: float, y: float) -> list[str]:
    """Return a small picture of a sign."""
    if key == "elementwise":
        return [circle((x + 10, y), 7.0, fill=FILLS["sum"])]
    if key == "state_path":
        return [line([(x, y), (x + 14, y)], colour=FORWARD, width=2.4), head((x + 20, y), (x, y), colour=FORWARD, size=8.5)]
    return [box(x, y - 7, 20, 14, fill=FILLS[key], rounded=3.0)]
