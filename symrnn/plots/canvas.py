"""What the pictures share: matplotlib loaded by name, its settings for one figure, axes of exponents, styles of lines, captions."""

from __future__ import annotations

import importlib
import importlib.util
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from symrnn.errors import NotSupportedError
from symrnn.plots.lettering import with_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SETTINGS = MappingProxyType({
    "font.family": "DejaVu Sans", "font.size": 10, "mathtext.fontset": "dejavusans", "axes.grid": True, "grid.color": "#dddddd",
    "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
    "lines.linewidth": 1.8, "lines.markersize": 5, "figure.dpi": 100, "savefig.dpi": 200, "svg.hashsalt": "symrnn",
    "figure.constrained_layout.use": True,
})
"""The settings of every figure, over matplotlib's own defaults; those of the user are left alone."""
CHARACTERS = 15.5
"""Characters of a caption to an inch of width."""
FEWEST = 2.0
"""The least number of powers of ten that an axis shows: a flat line is not blown up to a mountain."""
MISSING = "matplotlib is not installed; for pictures, pip install 'symrnn[plots]'"


class Stroke(NamedTuple):
    """How one line is drawn."""

    color: str
    linestyle: Any
    marker: str


STROKES = (
    Stroke("#000000", "-", "o"), Stroke("#D55E00", (0, (5, 2)), "s"), Stroke("#0072B2", (0, (6, 1.5, 1, 1.5)), "^"),
    Stroke("#009E73", (0, (2, 1)), "D"), Stroke("#CC79A7", "-", "v"), Stroke("#E69F00", (0, (8, 2)), "P"),
    Stroke("#56B4E9", (0, (3, 1, 1, 1, 1, 1)), "X"), Stroke("#777777", (0, (5, 2)), "*"), Stroke("#000000", (0, (2, 1)), "<"),
    Stroke("#D55E00", "-", ">"), Stroke("#0072B2", (0, (3, 1, 1, 1, 1, 1)), "d"), Stroke("#009E73", (0, (8, 2)), "p"),
)
"""Colours of Okabe and Ito without the yellow, dashes and markers: no two lines share more than one of the three."""


def load(module: str) -> Any:
    """Load a module of matplotlib.

    Raises:
        NotSupportedError: It is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise NotSupportedError(MISSING)
    return importlib.import_module(module)


@contextmanager
def settings() -> Iterator[None]:
    """Use the settings of the house, and put back what was there."""
    load("matplotlib")
    with load("matplotlib.style").context(["default", dict(SETTINGS)]):
        yield


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure to draw on; afterwards each of its texts gets fonts that have its letters.

    Args:
        width: In inches.
        height: In inches.

    Raises:
        NotSupportedError: matplotlib is not installed, or no font has the letters of a text.
    """
    with settings():
        figure = load("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
        yield figure
        with_fonts(figure, load("matplotlib.font_manager"))


RAISED = dict(zip("0123456789+-=()tkjTW", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵗᵏʲᵀᵂ", strict=True))
LOWERED = dict(zip("0123456789+-=()tkjaxmhi", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₜₖⱼₐₓₘₕᵢ", strict=True))


def set_in_type(text: str) -> str:
    """Write ``h_t`` and ``10^-3`` as hₜ and 10⁻³; what has no such signs stays."""
    def shifted(found: re.Match[str], signs: Mapping[str, str]) -> str:
        inner = next(group for group in found.groups() if group).replace(" ", "")
        return "".join(signs[sign] for sign in inner) if set(inner) <= signs.keys() else found[0]

    text = re.sub(r"\^(?:\{([^}]*)\}|\(([^()]*)\)|(-?\w+))", lambda found: shifted(found, RAISED), text)
    return re.sub(r"(?<=\S)_(?:\{([^}]*)\}|\(([^()]*)\)|([a-z0-9]+))", lambda found: shifted(found, LOWERED), text)


def plain(text: str) -> str:
    """Return a text in which a dollar is a dollar, and not the beginning of a formula."""
    return text.replace("$", r"\$")


def captioned(figure: Figure, title: str | None, caption: str) -> None:
    """Set the title and, below everything, the caption."""
    width = figure.get_size_inches()[0]
    if title:
        figure.suptitle(plain(title), fontsize=12)
    lines = [line for part in caption.split("\n") for line in textwrap.wrap(set_in_type(plain(part)), int(CHARACTERS * width), break_on_hyphens=False)]
    figure.supxlabel("\n".join(lines), fontsize=8, x=0.02, ha="left", color="#333333")


def exponents(axes: Axes, values: Sequence[Any], *, room: float = 0.06) -> None:
    """Make the y-axis a logarithmic one for values that are logarithms: its ticks read 10 to their power.

    The numbers stay exponents, so that norms far below what a float can hold are drawn as well.

    Args:
        axes: With the lines on it.
        values: What must be seen; other lines may leave the picture.
        room: Above and below, as a part of the range.
    """
    low, high = span(values)
    margin = room * (high - low)
    axes.set_ylim(low - margin, high + margin)
    power_axis(axes.yaxis, high - low)


def power_axis(axis: Any, decades: float) -> None:
    """Label an axis of logarithms: 10 to the power of each whole number, and small ticks between where there is room."""
    ticker = load("matplotlib.ticker")
    axis.set_major_locator(ticker.MaxNLocator(nbins=8, integer=True, min_n_ticks=2))
    axis.set_major_formatter(ticker.FuncFormatter(power))
    if decades <= 8:
        low, high = sorted(axis.get_view_interval())
        marks = [whole + np.log10(digit) for whole in range(int(np.floor(low)), int(np.ceil(high)) + 1) for digit in range(2, 10)]
        axis.set_minor_locator(ticker.FixedLocator([mark for mark in marks if low <= mark <= high]))


def power(value: float, position: int | None = None) -> str:
    """Write a logarithm as a power of ten."""
    return rf"$10^{{{value:g}}}$"


def span(values: Sequence[Any]) -> tuple[float, float]:
    """Return the least and the largest finite number, at least some powers of ten apart."""
    every = np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in values] or [np.zeros(1)])
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-1.0, 1.0)
    short = max(0.0, FEWEST - (high - low)) / 2
    return low - short, high + short


def every_so_often(number: int, *, shift: int = 0, marks: int = 9) -> tuple[int, int]:
    """Return where the markers of a line stand: not on all of its points, and not where those of the next line stand."""
    gap = max(1, number // marks)
    return (shift * gap // 4) % gap, gap
