"""The picture of how gradients decay: formulas and names of cells are its only words, so that it serves every language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, isfinite
from typing import Any

from symrnn.errors import SymrnnError
from symrnn.flow.measure import gradient_flow
from symrnn.flow.record import THRESHOLD, Flow
from symrnn.lecture.figures.svg import INK, MUTED, document, formula, number, words, words_width
from symrnn.networks.graph import Network
from symrnn.plots.canvas import STROKES, every_so_often

STEPS, HIDDEN, SEED = 40, 16, 0
"""The size of what is measured: large enough to see the decay, small enough to take no time."""
LEAST, MOST = -16.0, 6.0
"""Powers of ten at which the axis is cut off."""
WIDTH, HEIGHT = 600.0, 330.0
LEFT, RIGHT, BELOW = 66.0, 16.0, 46.0
ROW = 22.0
BOUND, DIRECT = "1.5 3", "9 4"
"""Dashes of a bound, and of the direct path."""


@lru_cache(maxsize=32)
def measured(network: Network, name: str) -> Flow | None:
    """Measure the flow at random weights, of the first layer where steps run in two directions; nothing where they form no chain."""
    marks = [part.mark for part in network.parts if part.role == "layer" and part.mark]
    for layer in (None, *marks[:1]):
        try:
            return gradient_flow(network, steps=STEPS, hidden=HIDDEN, seed=SEED, layer=layer, lags=[STEPS], lyapunov=False, removed=False, name=name)
        except SymrnnError:
            continue
    return None


@dataclass(frozen=True)
class Axes:
    """Where a lag and a power of ten stand."""

    last: int
    low: float
    high: float
    top: float

    @classmethod
    def of(cls, flows: Sequence[Flow], top: float) -> Axes:
        """Make axes on which the norms of all flows are seen."""
        values = [float(v) for flow in flows for v in flow.spectral if isfinite(v)] + [0.0]
        low, high = max(LEAST, min(values)), min(MOST, max(values))
        return cls(max(len(flow.spectral) for flow in flows) - 1, floor(low - 0.2), ceil(high + 0.2), top)

    def x(self, lag: float) -> float:
        """Return the place of a lag."""
        return LEFT + (WIDTH - LEFT - RIGHT) * lag / max(1, self.last)

    def y(self, power: float) -> float:
        """Return the place of a power of ten."""
        bottom = HEIGHT - BELOW
        return bottom - (bottom - self.top) * (power - self.low) / (self.high - self.low)


def decay_svg(flows: Sequence[Flow], state: str, title: str, description: str) -> str:
    """Draw the norms of one or several networks over the lag, with the bound and the direct path where there are.

    Args:
        flows: As measured.
        state: The letter of the state, as LaTeX.
        title: What the picture is.
        description: What it shows, for readers who do not see it.
    """
    legend, rows = legend_of(flows)
    axes = Axes.of(flows, 16.0 + ROW * rows)
    drawn = [*legend, *grid(axes, state)]
    for place, flow in enumerate(flows):
        stroke = STROKES[place % len(STROKES)]
        for values, dashes in ((flow.bound, BOUND), (flow.direct, DIRECT)):
            if values is not None:
                drawn.append(curve(axes, values, stroke.color, 1.1, dashes))
        drawn.append(curve(axes, flow.spectral, stroke.color, 2.0, dashes_of(stroke)))
        first, gap = every_so_often(len(flow.spectral), shift=place)
        drawn += [marker(axes.x(lag), axes.y(float(flow.spectral[lag])), place, stroke.color) for lag in range(first, len(flow.spectral), gap)
                  if axes.low <= float(flow.spectral[lag]) <= axes.high]
    return document(WIDTH, HEIGHT, title, description, drawn)


def grid(axes: Axes, state: str) -> Iterator[str]:
    """Yield the axes with their numbers and formulas, and the threshold below which an input counts as forgotten."""
    left, right, bottom = axes.x(0), axes.x(axes.last), axes.y(axes.low)
    span = int(axes.high - axes.low)
    for power in range(int(axes.low), int(axes.high) + 1, max(1, ceil(span / 8))):
        yield straight(left, axes.y(power), right, axes.y(power), "#dddddd")
        yield formula(f"10^{{{power}}}", (left - 8, axes.y(power) + 4), size=12, anchor="end")
    for lag in range(0, axes.last + 1, max(1, ceil(axes.last / 8 / 5) * 5)):
        yield straight(axes.x(lag), bottom, axes.x(lag), bottom + 4, INK)
        yield formula(str(lag), (axes.x(lag), bottom + 15), size=12)
    yield straight(left, bottom, right, bottom, INK)
    yield straight(left, axes.y(axes.high), left, bottom, INK)
    if axes.low < THRESHOLD < axes.high:
        yield straight(left, axes.y(THRESHOLD), right, axes.y(THRESHOLD), MUTED, "1 4")
    yield formula("j", ((left + right) / 2, bottom + 34), size=14)
    label = formula(rf"‖\partial {state}_T / \partial {state}_{{T-j}}‖", (0, 0), size=14)
    yield f'<g transform="translate(16 {number((axes.y(axes.high) + bottom) / 2)}) rotate(-90)">{label}</g>'


def legend_of(flows: Sequence[Flow]) -> tuple[list[str], int]:
    """Name the lines where there are several."""
    drawn, x, row = [], LEFT, 0
    entries = [(flow.name, place) for place, flow in enumerate(flows)] if len(flows) > 1 else []
    for text, place in entries:
        width = 62 + words_width(text)
        if x + width > WIDTH - RIGHT and x > LEFT:
            x, row = LEFT, row + 1
        y, stroke = 16 + ROW * row, STROKES[place % len(STROKES)]
        drawn += [straight(x, y, x + 36, y, stroke.color, dashes_of(stroke), 2.0), marker(x + 18, y, place, stroke.color), words(text, (x + 44, y + 4))]
        x += width
    return drawn, row + 1 if entries else 0


def dashes_of(stroke: Any) -> str:
    """Return the dashes of a stroke of the plots."""
    return "" if isinstance(stroke.linestyle, str) else " ".join(number(2 * length) for length in stroke.linestyle[1])


def straight(x: float, y: float, to_x: float, to_y: float, colour: str, dashes: str = "", width: float = 1.0) -> str:
    """Draw a straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{number(x)},{number(y)} L{number(to_x)},{number(to_y)}" stroke="{colour}" stroke-width="{number(width)}" fill="none"{dashed}/>'


def curve(axes: Axes, values: Any, colour: str, width: float, dashes: str) -> str:
    """Draw a curve, in pieces where it leaves the picture or its norm is 0."""
    parts, inside = [], False
    for lag, value in enumerate(map(float, values)):
        seen = isfinite(value) and axes.low <= value <= axes.high
        if seen:
            parts.append(f"{'L' if inside else 'M'}{number(axes.x(lag))},{number(axes.y(value))}")
        inside = seen
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{" ".join(parts)}" stroke="{colour}" stroke-width="{number(width)}" fill="none" stroke-linejoin="round"{dashed}/>' if parts else ""


def marker(x: float, y: float, place: int, colour: str) -> str:
    """Draw the mark of a curve: disc, square, triangle, diamond in turn."""
    shapes = ("M-3.4,0 a3.4,3.4 0 1,0 6.8,0 a3.4,3.4 0 1,0 -6.8,0", "M-3,-3 H3 V3 H-3 z", "M0,-4 L3.8,3 H-3.8 z", "M0,-4.4 L4.4,0 L0,4.4 L-4.4,0 z",
              "M0,4 L3.8,-3 H-3.8 z")
    return f'<path d="{shapes[place % len(shapes)]}" transform="translate({number(x)} {number(y)})" fill="{colour}"/>'


__all__ = ["HIDDEN", "SEED", "STEPS", "decay_svg", "measured"]
