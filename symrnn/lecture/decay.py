"""The picture of how gradients decay: formulas are its only words, so that it serves every language."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from symrnn.errors import SymrnnError
from symrnn.flow.measure import gradient_flow
from symrnn.flow.record import Flow
from symrnn.lecture.subject import Subject
from symrnn.networks.graph import Network
from symrnn.plots.canvas import canvas, exponents, load, settings
from symrnn.plots.lines import DOTS, THIN, draw_norm, whole_axis

STEPS, HIDDEN, SEED = 40, 16, 0
"""The size of what is measured: large enough to see the decay, small enough to take no time."""
LEAST = -16.0
"""Powers of ten below which the axis is cut off."""


def measured(subject: Subject) -> Flow | None:
    """Measure the flow at random weights; nothing where the steps of a network form no single chain."""
    return measured_of(subject.network, subject.name)


def measured_of(network: Network, name: str) -> Flow | None:
    """Measure the flow of a network, of its first layer where its steps run in two directions."""
    marks = [part.mark for part in network.parts if part.role == "layer" and part.mark]
    for layer in (None, *marks[:1]):
        try:
            return gradient_flow(network, steps=STEPS, hidden=HIDDEN, seed=SEED, layer=layer, lags=[STEPS], lyapunov=False, removed=False, name=name)
        except SymrnnError:
            continue
    return None


def decay_svg(flows: Sequence[Flow]) -> str:
    """Draw the norms of one or several networks over the lag.

    Args:
        flows: As measured.

    Raises:
        NotSupportedError: matplotlib is not installed.
    """
    with canvas(6.4, 3.6) as figure:
        axes = figure.subplots()
        for place, flow in enumerate(flows):
            draw_norm(axes, flow, flow.spectral, place, around=True)
        whole_axis(axes, 0, max(len(flow.spectral) for flow in flows) - 1)
        exponents(axes, [[max(LEAST, float(value)) for value in flow.spectral] for flow in flows] + [[0.0]])
        axes.set_xlabel(r"$j$")
        axes.set_ylabel(r"$\|\partial s_T/\partial s_{T-j}\|$")
        legend(axes, flows)
    stream = io.BytesIO()
    with settings():
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue().decode()


def legend(axes: Any, flows: Sequence[Flow]) -> None:
    """Name the lines where there are several, and the thin ones by their formulas."""
    line = load("matplotlib.lines").Line2D
    handles = list(axes.get_legend_handles_labels()[0]) if len(flows) > 1 else []
    if any(flow.bound is not None for flow in flows):
        handles.append(line([], [], color="#333333", linestyle=DOTS, linewidth=1.0, label=r"$\leq$"))
    if any(flow.direct is not None for flow in flows):
        handles.append(line([], [], color="#333333", linestyle=THIN, linewidth=1.0, label=r"$\|\prod_j D_j\|$"))
    if handles:
        axes.legend(handles=handles, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(5, len(handles)), handlelength=3.2)


__all__ = ["HIDDEN", "SEED", "STEPS", "decay_svg", "measured"]
