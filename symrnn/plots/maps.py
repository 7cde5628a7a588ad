"""Maps over two times, and all singular values over lag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.errors import SpecError
from symrnn.flow.record import Flow
from symrnn.plots.canvas import canvas, captioned, every_so_often, load, power_axis, span
from symrnn.plots.lines import finish_axes, masked, whole_axis
from symrnn.plots.wording import checked, setting_text, state_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAP = "cividis"
"""Dark to light in one direction: it reads the same without colours, and for all common kinds of sight."""


def plot_heat(flow: Flow, *, title: str | None = None) -> Figure:
    """Draw the norm of every ``∂s_t/∂s_k`` as a map over both times.

    Args:
        flow: Measured with ``heat=True``.
        title: Instead of the usual one.

    Returns:
        The figure.

    Raises:
        SpecError: The map was not measured.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    checked([flow])
    if flow.heat is None:
        raise SpecError(f"the flow of {flow.name} has no map over two times; measure it with gradient_flow(..., heat=True)")
    times = np.arange(1, len(flow.heat) + 1) if flow.heat_times is None else np.asarray(flow.heat_times)
    with canvas(7.0, 6.0) as figure:
        axes = figure.subplots()
        low, high = span([flow.heat])
        drawn = axes.pcolormesh(times, times, masked(flow.heat), cmap=MAP, vmin=low, vmax=high, shading="nearest", rasterized=True)
        bar = figure.colorbar(drawn, ax=axes, label=r"$\|\partial s_t/\partial s_k\|_2$")
        power_axis(bar.ax.yaxis, high - low)
        contours(axes, times, flow.heat, low, high)
        axes.set_aspect("equal")
        axes.set_xlabel(r"time $k$ of the earlier state")
        axes.set_ylabel(r"time $t$ of the later state")
        axes.grid(visible=False)
        captioned(figure, title or f"Who feels whom: {flow.name}", (
            "How much the state at t feels the state at k: a row is what one state still knows of its past, a column how far one state "
            "reaches into the future. On the diagonal the norm is 1; right of it k would come after t, and there is nothing. "
            f"{state_text([flow])} {setting_text([flow])}"))
    return figure


def contours(axes: Axes, times: Any, heat: Any, low: float, high: float) -> None:
    """Draw lines of equal norm with their powers of ten, for a print without colours."""
    if len(times) < 4:
        return
    step = max(1, int(np.ceil((high - low) / 6)))
    levels = [level for level in range(int(np.ceil(low)), int(np.floor(high)) + 1) if level % step == 0]
    known = np.asarray(heat)[np.isfinite(np.asarray(heat))]
    levels = [level for level in levels if known.min() < level < known.max() and (level or known.max() > 0.5)]
    if levels:
        lines = axes.contour(times, times, np.ma.masked_invalid(np.asarray(heat, dtype=float)), levels=levels, colors="white", linewidths=1.0, linestyles="-")
        outline = load("matplotlib.patheffects").withStroke
        lines.set(path_effects=[outline(linewidth=2, foreground="black")])
        for text in axes.clabel(lines, fmt=lambda level: rf"$10^{{{level:g}}}$", fontsize=8):
            text.set_path_effects([outline(linewidth=1.6, foreground="black")])


def plot_singular_values(flow: Flow, *, title: str | None = None) -> Figure:
    """Draw all singular values of ``∂s_T/∂s_{T-j}`` over lag: the largest is the norm, the others the directions that fade.

    Args:
        flow: As ``gradient_flow`` returns it.
        title: Instead of the usual one.

    Returns:
        The figure.

    Raises:
        SpecError: No singular values were measured.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    checked([flow])
    values, lags = np.asarray(flow.singular, dtype=float), np.asarray(flow.singular_lags)
    if not values.size:
        raise SpecError(f"the flow of {flow.name} has no singular values; measure it with lags at which they are wanted")
    with canvas(7.2, 5.0) as figure:
        axes = figure.subplots()
        axes.plot(lags, masked(values), color="#aaaaaa", linewidth=0.6, label="_all")
        marks: dict[str, Any] = {"markevery": every_so_often(len(lags))}
        axes.plot(lags, masked(values[:, 0]), color="#000000", marker="o", label="largest", **marks)
        middle = values[:, (values.shape[1] - 1) // 2]
        axes.plot(lags, masked(middle), color="#0072B2", linestyle=(0, (5, 2)), marker="^", label="median", **marks)
        axes.plot(lags, masked(values[:, -1]), color="#D55E00", linestyle=(0, (6, 1.5, 1, 1.5)), marker="s", label="smallest", **marks)
        finish_axes(axes, [values], threshold=False)
        whole_axis(axes, 0, int(lags.max()))
        axes.set_ylabel(r"singular values of $\partial s_T/\partial s_{T-j}$")
        axes.legend(handlelength=3.2)
        captioned(figure, title or f"Singular values: {flow.name}", (
            f"Each grey line is one of the {values.shape[1]} singular values of the product of j Jacobians: how much one direction of "
            "the earlier state is stretched. What lies below the rounding of the largest is not drawn. "
            f"{state_text([flow])} {setting_text([flow])}"))
    return figure
