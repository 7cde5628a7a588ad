"""The activity of the gates beside the flow, over the same times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symrnn.errors import SpecError
from symrnn.flow.record import Flow
from symrnn.plots.canvas import STROKES, canvas, captioned, every_so_often, exponents, plain
from symrnn.plots.lines import above, masked, whole_axis
from symrnn.plots.wording import checked, setting_text, state_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_gates(flow: Flow, *, title: str | None = None) -> Figure:
    """Draw the mean activity of each gate, with its spread over the units, below the flow over the same times.

    Args:
        flow: Of a cell with gates.
        title: Instead of the usual one.

    Returns:
        The figure.

    Raises:
        SpecError: The cell has no gates.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    checked([flow])
    if not flow.gates:
        raise SpecError(f"{flow.name} has no gates to draw; use plot_decay, or a cell with gates such as lstm or gru")
    with canvas(7.2, 6.0) as figure:
        top, below = figure.subplots(2, 1, sharex=True)
        times = np.arange(flow.steps, flow.steps - len(flow.spectral), -1)
        top.plot(times, masked(flow.spectral), color="#000000", marker="o", markevery=every_so_often(len(times)), label="all paths")
        if flow.direct is not None:
            top.plot(times, masked(flow.direct), color="#000000", linestyle=(0, (7, 3)), linewidth=0.9, label="direct path alone")
            top.legend(fontsize=9, handlelength=3.2)
        exponents(top, [flow.spectral, [0.0]])
        top.set_ylabel(r"$\|\partial s_T/\partial s_k\|_2$")
        for place, name in enumerate(flow.gates):
            draw_gate(below, flow, name, place)
        below.set_ylim(-0.03, 1.03)
        below.set_ylabel("activity of the gates")
        below.set_xlabel(r"time $k$")
        whole_axis(below, 0, flow.steps)
        above(below, below.get_legend_handles_labels()[0], columns=6)
        captioned(figure, title or f"Gates beside the flow: {flow.name}", (
            f"Above: how much the last state feels the state at k, read from the right end backwards. Below: mean activity of each gate "
            f"over the units, 0 closed and 1 open; the bands hold the middle 80% of the units. {state_text([flow])} {setting_text([flow])}"))
    return figure


def draw_gate(axes: Axes, flow: Flow, name: str, place: int) -> None:
    """Draw one gate."""
    stroke = STROKES[place % len(STROKES)]
    mean = np.asarray(flow.gates[name], dtype=float)
    times = np.arange(1, len(mean) + 1)
    if name in flow.gates_low and name in flow.gates_high:
        axes.fill_between(times, flow.gates_low[name], flow.gates_high[name], color=stroke.color, alpha=0.12, linewidth=0)
    axes.plot(times, mean, color=stroke.color, linestyle=stroke.linestyle, marker=stroke.marker,
              markevery=every_so_often(len(mean), shift=place), label=gate_text(name))


def gate_text(name: str) -> str:
    """Write the name of a gate with its time, as a formula where it is a letter."""
    return rf"${name}_t$" if name.isascii() and name.isalpha() and len(name) == 1 else plain(name)
