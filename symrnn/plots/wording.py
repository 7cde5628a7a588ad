"""What the axes and captions of the pictures say of a flow."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from symrnn.errors import SpecError, unknown
from symrnn.flow.record import THRESHOLD, Flow

LAG = r"lag $j$ (steps back from $T$)"


class Measure(NamedTuple):
    """One of the norms of a flow: the formula of its axis, and what it is."""

    formula: str
    about: str


MEASURES = MappingProxyType({
    "spectral": Measure(r"$\|\partial s_T/\partial s_{T-j}\|_2$", "how much the state at T feels the state j steps before, at most (largest singular value)"),
    "frobenius": Measure(r"$\|\partial s_T/\partial s_{T-j}\|_F$", "how much the state at T feels the state j steps before, in all directions together (Frobenius norm)"),
    "delta": Measure(r"$\|\delta s_{T-j}\|_2$", "the gradient that arrives j steps back"),
    "inputs": Measure(r"$\|\partial h_T/\partial x_{T-j}\|_F$", "how much the last state feels the input j steps before"),
    "removed": Measure(r"$\|h_T - h_T^{\mathrm{without}\ x_{T-j}}\|_2$", "how far the last state moves when the input j steps before is taken away"),
})
"""The norms that can be drawn over lag."""


def measure(name: str) -> Measure:
    """Return a norm by its name.

    Raises:
        SpecError: Unknown name.
    """
    if name not in MEASURES:
        raise unknown("norm", name, MEASURES)
    return MEASURES[name]


def checked(flows: Flow | Sequence[Flow]) -> list[Flow]:
    """Return flows as a list.

    Raises:
        SpecError: None, or something that is no flow.
    """
    found: list[Flow] = [flows] if isinstance(flows, Flow) else list(flows)
    for flow in found:
        if not isinstance(flow, Flow):
            raise SpecError(f"pictures are made of a Flow, as gradient_flow returns it; got a {type(flow).__name__}")
    if not found:
        raise SpecError("pictures are made of flows; got none; call gradient_flow first")
    return found


def state_text(flows: Sequence[Flow]) -> str:
    """Say what the letter s stands for."""
    named: dict[str, list[str]] = {}
    for flow in flows:
        named.setdefault(state_of(flow), []).append(flow.name)
    if len(named) == 1:
        return f"s_t: {next(iter(named))}."
    most = max(named, key=lambda state: len(named[state]))
    texts = [f"{state} for {', '.join(names)}" for state, names in named.items() if state != most or len(names) < 3]
    return "s_t: " + "; ".join([*texts, *([f"{most} for the others"] if len(named[most]) > 2 else [])]) + "."


def state_of(flow: Flow) -> str:
    """Write the state of one flow."""
    names = [f"{name}_t" for name in flow.states]
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def setting_text(flows: Sequence[Flow]) -> str:
    """Say how large the networks are."""
    sizes = sorted({(flow.hidden, flow.steps) for flow in flows})
    return " ".join(f"H\xa0=\xa0{hidden}, T\xa0=\xa0{steps}." for hidden, steps in sizes)


def memory_text(flow: Flow) -> str:
    """Say when the norm falls below the threshold."""
    return f"more than {flow.steps}" if flow.memory is None else str(flow.memory)


def vanished(values: Any) -> int | None:
    """Return the first lag at which a norm is exactly 0."""
    found = np.flatnonzero(np.isneginf(np.asarray(values, dtype=float)))
    return int(found[0]) if found.size else None


def label_of(flow: Flow, values: Any) -> str:
    """Return the name of a line; one that ends because the norm is 0 says so."""
    gone = vanished(values)
    return flow.name if gone is None else f"{flow.name} (exactly 0 from lag {gone})"


THRESHOLD_TEXT = f"Below the dotted line at 10^{THRESHOLD:g} an input counts as forgotten."
