"""Decay over lag: several networks in one picture or side by side, before and after training, remedies beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.flow.record import THRESHOLD, Flow
from symrnn.plots.canvas import STROKES, canvas, captioned, every_so_often, exponents, load, plain
from symrnn.plots.wording import (
    LAG,
    MEASURES,
    THRESHOLD_TEXT,
    checked,
    label_of,
    measure,
    memory_text,
    setting_text,
    state_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS, THIN = (0, (1, 1.5)), (0, (7, 3))
"""Dashes of a bound, and of the direct path."""
SIDES: tuple[tuple[Any, str], ...] = (("-", "before"), ((0, (5, 2)), "after"))
"""Dashes of what was measured before training and after it."""


def plot_decay(flows: Sequence[Flow], *, of: str = "spectral", side_by_side: bool = False, title: str | None = None) -> Figure:
    """Draw how a norm decays over lag, on a logarithmic axis, with the bound and the direct path where there are.

    Args:
        flows: One or several, as ``gradient_flow`` returns them.
        of: ``spectral``, ``frobenius``, ``delta``, ``inputs`` or ``removed``; the bound is one of the spectral norm.
        side_by_side: A panel for each network, with one axis, instead of all in one.
        title: Instead of the usual one.

    Returns:
        The figure.

    Raises:
        SpecError: No flows, or an unknown norm.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    found, (formula, about) = checked(flows), measure(of)
    panels = len(found) if side_by_side else 1
    with canvas(3.6 * panels + 0.8 if panels > 1 else 7.2, 5.0) as figure:
        every = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
        for place, flow in enumerate(found):
            draw_norm(every[place % panels], flow, getattr(flow, of), place, around=of == "spectral")
            if side_by_side:
                every[place].set_title(plain(flow.name), fontsize=10)
        for axes in every:
            finish_axes(axes, [getattr(flow, of) for flow in found])
        every[0].set_ylabel(formula)
        legends(every[0], found, around=of == "spectral", named=not side_by_side)
        words = [f"{about[0].upper()}{about[1:]}.", state_text(found), setting_text(found), THRESHOLD_TEXT if of == "spectral" else ""]
        lines = [" ".join(word for word in words if word), *(bound_lines(found) if of == "spectral" else ())]
        captioned(figure, title or "Gradient flow through time", "\n".join(lines))
    return figure


def draw_norm(axes: Axes, flow: Flow, values: Any, place: int, *, around: bool, name: str | None = None) -> None:
    """Draw one norm; around it the bound, and the norm of the direct path."""
    stroke = STROKES[place % len(STROKES)]
    lags = np.arange(len(values))
    axes.plot(lags, masked(values), label=plain(name or label_of(flow, values)), color=stroke.color, linestyle=stroke.linestyle,
              marker=stroke.marker, markevery=every_so_often(len(values), shift=place), zorder=3)
    for beside, linestyle, label in ((flow.bound, DOTS, "_bound"), (flow.direct, THIN, "_direct")):
        if around and beside is not None:
            axes.plot(lags, masked(beside), color=stroke.color, linestyle=linestyle, linewidth=1.0, label=label, zorder=2, marker=stroke.marker,
                      markersize=3.5, fillstyle="none", markevery=every_so_often(len(lags), shift=place + 2))


def masked(values: Any) -> Any:
    """Leave out what is no finite number: 0 has no logarithm."""
    found = np.asarray(values, dtype=float)
    return np.where(np.isfinite(found), found, np.nan)


def whole_axis(axes: Axes, first: int, last: int) -> None:
    """Set an x-axis of whole numbers, with room for the markers at its ends."""
    room = 0.012 * max(1, last - first)
    axes.set_xlim(first - room, max(first + 1, last) + room)
    axes.xaxis.set_major_locator(load("matplotlib.ticker").MaxNLocator(integer=True, nbins=10, steps=[1, 2, 5, 10]))


def finish_axes(axes: Axes, values: Sequence[Any], *, threshold: bool = True) -> None:
    """Set the axes of a decay."""
    longest = max(len(part) for part in values)
    whole_axis(axes, 0, longest - 1)
    axes.set_xlabel(LAG)
    exponents(axes, [*values, [0.0]])
    low, high = axes.get_ylim()
    if threshold and low < THRESHOLD < high:
        axes.axhline(THRESHOLD, color="#555555", linestyle=":", linewidth=1.2, label="_threshold")


def legends(axes: Axes, flows: Sequence[Flow], *, around: bool, named: bool, columns: int = 3) -> None:
    """Name the networks, and what thin lines beside them are."""
    line = load("matplotlib.lines").Line2D
    kinds = []
    if around and any(flow.bound is not None for flow in flows):
        kinds.append(line([], [], color="#333333", linestyle=DOTS, linewidth=1.0, label="upper bound"))
    if around and any(flow.direct is not None for flow in flows):
        kinds.append(line([], [], color="#333333", linestyle=THIN, linewidth=1.0, label="direct path alone"))
    handles = axes.get_legend_handles_labels()[0] if named else []
    if named:
        above(axes, [*handles, *kinds], columns=columns)
    elif kinds:
        axes.legend(handles=kinds, fontsize=9, handlelength=3.2)


def above(axes: Axes, handles: Sequence[Any], *, columns: int = 3) -> Any:
    """Put a legend above the axes, where it hides no line."""
    return axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(columns, len(handles)), fontsize=9, handlelength=3.2,
                       borderaxespad=0.3)


def bound_lines(flows: Sequence[Flow]) -> list[str]:
    """Return the theorems behind the bounds, each once, with the networks that they are about."""
    found: dict[str, list[str]] = {}
    for flow in flows:
        if flow.bound is not None and flow.bound_text:
            found.setdefault(flow.bound_text, []).append(flow.name)
    return [f"Bound, {', '.join(names)}: {shortened(text)}" for text, names in found.items()]


def shortened(text: str, most: int = 240) -> str:
    """Leave out the formula of a step in a long theorem about products; a condition and what still holds without it stay."""
    if len(text) <= most or not text.endswith(" No condition."):
        return text
    statement, condition = text.partition(": ")[0], text.rstrip(".").rpartition(". ")[2]
    return f"{statement} (symrnn.bounds has the formula). {condition}."


def plot_training(before: Flow, after: Flow, *, title: str | None = None) -> Figure:
    """Draw the flow before and after training: the decay, and what each kind of factor has to do with it.

    Args:
        before: At the beginning.
        after: Of the same network with trained parameters.
        title: Instead of the usual one.

    Returns:
        The figure.

    Raises:
        SpecError: Something that is no flow.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    found = checked([before, after])
    with canvas(9.6, 4.6) as figure:
        left, right = figure.subplots(1, 2)
        for place, (flow, when) in enumerate(zip(found, ("before training", "after training"), strict=True)):
            draw_norm(left, flow, flow.spectral, place, around=True, name=when)
        finish_axes(left, [flow.spectral for flow in found])
        left.set_ylabel(MEASURES["spectral"].formula)
        legends(left, found, around=True, named=True, columns=2)
        draw_shares(right, found)
        losses = [f"{flow.loss:.3g}" for flow in found if flow.loss is not None]
        loss = f" Loss {' before, '.join(losses)} after." if len(losses) == 2 else f" Loss after training: {losses[0]}." if losses else ""
        captioned(figure, title or f"Before and after training: {before.name}",
                  f"Left: {MEASURES['spectral'].about}. Right: the decay as a product of what each kind of factor contributes, "
                  f"summed up from lag 0. {state_text(found[:1])} {setting_text(found[:1])}{loss}\n" + "\n".join(bound_lines(found[:1])))
    return figure


def draw_shares(axes: Axes, flows: Sequence[Flow]) -> None:
    """Draw the contribution of each kind of factor, summed up over lag; solid before, dashed after."""
    sums: list[Any] = []
    for place, kind in enumerate(dict.fromkeys(kind for flow in flows for kind in flow.shares)):
        for flow, (linestyle, when) in zip(flows, SIDES, strict=True):
            if kind not in flow.shares:
                continue
            sums.append(np.concatenate([[0.0], np.cumsum(flow.shares[kind])]))
            axes.plot(np.arange(len(sums[-1])), masked(sums[-1]), linestyle=linestyle, color=STROKES[place].color, marker=STROKES[place].marker,
                      markevery=every_so_often(len(sums[-1]), shift=place), label=plain(f"{kind}, {when}"))
    line = load("matplotlib.lines").Line2D
    handles = [line([], [], color=STROKES[place].color, marker=STROKES[place].marker, label=plain(kind))
               for place, kind in enumerate(dict.fromkeys(kind for flow in flows for kind in flow.shares))]
    finish_axes(axes, sums or [[0.0]], threshold=False)
    axes.set_ylabel("contribution to the norm (factor)")
    if sums:
        above(axes, [*handles, *(line([], [], color="#777777", linestyle=style, label=when) for style, when in SIDES)])


def plot_remedies(flows: Sequence[Flow], *, title: str | None = None) -> Figure:
    """Draw the decay of a network and of what is done against it, with the length of the memory of each.

    Args:
        flows: The network itself first, then each remedy; the names say what was done.
        title: Instead of the usual one.

    Returns:
        The figure.

    Raises:
        SpecError: No flows.
        NotSupportedError: matplotlib is not installed, or no font has the letters of a name.
    """
    found = checked(flows)
    with canvas(10.4, 5.2) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for place, flow in enumerate(found):
            draw_norm(left, flow, flow.spectral, place, around=False)
        finish_axes(left, [flow.spectral for flow in found])
        left.set_ylabel(MEASURES["spectral"].formula)
        draw_memories(right, found)
        captioned(figure, title or "What helps against vanishing gradients", (
            f"Left: {MEASURES['spectral'].about}. Right: the first lag at which this norm is below 10^{THRESHOLD:g}; a hatched bar is a "
            f"norm that stays above it for all {found[0].steps} steps. {state_text(found)} {setting_text(found)}"))
    return figure


def draw_memories(axes: Axes, flows: Sequence[Flow]) -> None:
    """Draw the lengths of the memories as bars, each with the marker of its line, which name the lines as well."""
    for place, flow in enumerate(flows):
        stroke = STROKES[place % len(STROKES)]
        length = flow.steps if flow.memory is None else flow.memory
        axes.barh(place, length, height=0.55, facecolor="white" if flow.memory is None else stroke.color, edgecolor=stroke.color,
                  hatch="///" if flow.memory is None else None, alpha=0.9)
        axes.annotate(memory_text(flow), (length, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
        axes.plot([0], [place], color=stroke.color, linestyle=stroke.linestyle, marker=stroke.marker, markersize=7, clip_on=False, zorder=4,
                  markeredgecolor="white")
    axes.set_yticks(range(len(flows)), [plain(label_of(flow, flow.spectral).replace(" (", "\n(")) for flow in flows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.4 * max(flow.steps for flow in flows))
    axes.set_xlabel("length of the memory (steps)")
    axes.grid(visible=False, axis="y")
