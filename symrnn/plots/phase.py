"""The phase diagram of a sweep: where gradients vanish, where they explode, and what the theorem promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.errors import SpecError
from symrnn.plots.canvas import STROKES, canvas, captioned, load, plain
from symrnn.plots.lines import above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Rows = Sequence[Mapping[str, Any]]

AXES = MappingProxyType({
    "radius": r"spectral radius $\rho(W)$", "gain": "gain of the input weights", "forget_bias": "forget bias $b_f$",
    "hidden": "size $H$ of the hidden state", "steps": "number $T$ of steps",
})
GROWTH = r"growth per step, $(1/T)\;\log_{10}\|\partial s_T/\partial s_0\|_2$"
LINE = r"$\gamma\,\sigma_{\max}(W) = 1$"


def plot_phase(rows: Rows, *, title: str | None = None) -> Figure:
    """Draw the growth of the gradient per step over one swept name, or as a map over two.

    Below 0 gradients vanish, above 0 they explode. Where ``γ σ_max(W) < 1`` they vanish for certain: this line is drawn from
    the values of the matrices themselves, beside the radius that was asked for.

    Args:
        rows: What ``run_sweep`` or ``read_sweep`` returns, of one cell or several; a map is of one cell.
        title: Instead of the usual one.

    Returns:
        The figure; medians over the draws of a point.

    Raises:
        SpecError: No rows, no swept number or more than two, or a map of several cells.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    found = list(rows)
    if not found:
        raise SpecError("a phase diagram is made of the rows of a sweep; got none")
    names = [name for name in AXES if len({row[name] for row in found if name in row}) > 1]
    cells = list(dict.fromkeys(str(row["cell"]) for row in found))
    if not 1 <= len(names) <= 2:
        got = ", ".join(names) or "none"
        raise SpecError(f"a phase diagram has one or two axes, of {', '.join(AXES)}; this sweep has {got}; sweep one or two of them")
    if len({row.get("init") for row in found}) > 1:
        raise SpecError("a phase diagram is of one initialisation; this sweep has several; draw the rows of one of them")
    if len(names) == 2 and len(cells) > 1:
        raise SpecError(f"a map over {names[0]} and {names[1]} is of one cell; got {', '.join(cells)}; draw the rows of one of them")
    usual = f"Vanishing and exploding gradients: {', '.join(cells)}"
    draws = len({row.get("draw") for row in found})
    if len(names) == 1:
        return along(found, names[0], cells, title or usual, draws)
    return over(found, names, title or usual, draws)


def grouped(rows: Rows, names: Sequence[str]) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Put the draws of each point together, the points in order."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return dict(sorted(found.items()))


def promised(row: Mapping[str, Any]) -> float:
    """Return ``γ σ_max`` of one draw, or NaN where there is none."""
    return float("nan") if row.get("sigma_max") is None or row.get("gamma") is None else row["gamma"] * row["sigma_max"]


def middle(values: Sequence[float]) -> float:
    """Return the median; a norm of 0 counts as less than any other."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else float("nan")


def along(rows: Rows, name: str, cells: Sequence[str], title: str, draws: int) -> Figure:
    """Draw the growth over one swept name, with the spread of the draws."""
    with canvas(7.6, 5.2) as figure:
        axes = figure.subplots()
        crossings = []
        for place, cell in enumerate(cells):
            points = grouped([row for row in rows if row["cell"] == cell], [name])
            xs = [key[0] for key in points]
            draw_growth(axes, xs, [[row["growth"] for row in part] for part in points.values()], place, cell)
            crossings += [(cell, x) for x in crossing(xs, [middle([promised(row) for row in part]) for part in points.values()])]
        axes.axhline(0, color="#555555", linewidth=1)
        ends = axes.get_xlim()
        for cell, x in crossings:
            draw_line(axes, x, LINE if len(cells) == 1 else f"{LINE}, " + plain(cell), STROKES[cells.index(cell)].color)
        if name == "radius" and ends[0] < 1 < ends[1]:
            axes.axvline(1, color="#555555", linestyle=":", linewidth=1.2, label=r"$\rho(W) = 1$")
        axes.set_xlabel(AXES[name])
        axes.set_ylabel(GROWTH)
        axes.legend(handlelength=3.2, fontsize=9)
        captioned(figure, title, " ".join(filter(None, (
            f"Median of {draws} draws of the weights; the band holds the middle 80%." if draws > 1 else "One draw of the weights a point.",
            "Below 0 gradients vanish, above 0 they explode.", promise(crossings, rows)))))
    return figure


def draw_growth(axes: Axes, xs: Sequence[float], groups: Sequence[Sequence[float]], place: int, cell: str) -> None:
    """Draw the medians with a band."""
    stroke = STROKES[place % len(STROKES)]
    known = [[value for value in part if np.isfinite(value)] for part in groups]
    low, high = ([float(np.quantile(part, q)) if part else float("nan") for part in known] for q in (0.1, 0.9))
    axes.fill_between(xs, low, high, color=stroke.color, alpha=0.15, linewidth=0)
    medians = [middle(part) for part in groups]
    axes.plot(xs, np.where(np.isfinite(medians), medians, np.nan), color=stroke.color, linestyle=stroke.linestyle, marker=stroke.marker,
              label=plain(cell))


def draw_line(axes: Axes, x: float, label: str, color: str) -> None:
    """Draw where the promise of the theorem ends."""
    axes.axvline(x, color=color, linestyle=(0, (6, 1.5, 1, 1.5)), linewidth=1.6, label=label)


def crossing(xs: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return where a curve passes 1, between its points by straight lines."""
    return [float(x0 + (1 - y0) / (y1 - y0) * (x1 - x0)) for x0, x1, y0, y1 in zip(xs, xs[1:], values, values[1:], strict=False)
            if (y0 - 1) * (y1 - 1) <= 0 and y0 != y1]


def promise(crossings: Any, rows: Rows) -> str:
    """Say what the theorem promises on the two sides of its line, or on which of them everything lies."""
    values = [value for row in rows if not np.isnan(value := promised(row))]
    if not values:
        return "The matrix of this cell is not one: the theorem for a single matrix does not apply."
    if crossings:
        return ("The line is where the median draw has γ σ_max(W) = 1: a draw below 1 vanishes for certain; above 1 the theorem promises nothing, "
                "and the curve shows what happens.")
    if max(values) < 1:
        return f"Everywhere here γ σ_max(W) < 1 (at most {max(values):.3g}): they vanish for certain."
    return f"γ σ_max(W) lies from {min(values):.3g} to {max(values):.3g}: above 1 the theorem promises nothing, and the curve shows what happens."


def over(rows: Rows, names: Sequence[str], title: str, draws: int) -> Figure:
    """Draw the growth as a map over two swept names."""
    points = grouped(rows, names)
    xs, ys = (sorted({key[place] for key in points}) for place in (0, 1))
    growth, gamma_sigma = (np.array([[middle([of(row) for row in points.get((x, y), [])]) for x in xs] for y in ys])
                           for of in (lambda row: row["growth"], promised))
    growth = np.where(np.isfinite(growth), growth, np.nan)
    with canvas(7.6, 5.8) as figure:
        axes = figure.subplots()
        drawn = axes.pcolormesh(xs, ys, growth, cmap="cividis", shading="nearest", rasterized=True)
        figure.colorbar(drawn, ax=axes, label=GROWTH)
        level(axes, xs, ys, growth, 0.0, ("white", "-", 2.2, "growth 0"))
        level(axes, xs, ys, gamma_sigma, 1.0, ("#D55E00", (0, (5, 2)), 2.2, LINE))
        axes.set_xlabel(AXES[names[0]])
        axes.set_ylabel(AXES[names[1]])
        axes.grid(visible=False)
        if axes.get_legend_handles_labels()[0]:
            legend = above(axes, axes.get_legend_handles_labels()[0])
            legend.set_frame_on(True)
            legend.get_frame().set_facecolor("#999999")
        crossed = bool(np.nanmin(gamma_sigma) < 1 < np.nanmax(gamma_sigma)) if np.isfinite(gamma_sigma).any() else False
        side = ("Along the dashed line the median draw has γ σ_max(W) = 1: a draw below 1 vanishes for certain; above 1 the theorem promises nothing."
                if crossed else promise([], rows))
        captioned(figure, title, f"{'Median of ' + str(draws) + ' draws' if draws > 1 else 'One draw'} of the weights a point. Below 0 (dark) "
                                 f"gradients vanish, above 0 (bright) they explode. {side}")
    return figure


def level(axes: Axes, xs: Any, ys: Any, values: Any, at: float, how: tuple[str, Any, float, str]) -> None:
    """Draw where a map has a value, and name the line."""
    color, linestyle, width, label = how
    known = values[np.isfinite(values)]
    if not known.size or not known.min() < at < known.max():
        return
    under = load("matplotlib.patheffects").withStroke(linewidth=width + 1.6, foreground="black")
    axes.contour(xs, ys, np.ma.masked_invalid(values), levels=[at], colors=[color], linestyles=[linestyle], linewidths=width).set(path_effects=[under])
    axes.plot([], [], color=color, linestyle=linestyle, linewidth=width, label=label, path_effects=[under])
