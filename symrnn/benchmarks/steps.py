"""One step of each cell of ``torch.nn`` as a person writes it for a library that differentiates: gates in one product.

Shapes: x (N, D) are rows, one for each time and sequence; p (B, G H) is the product of the input with its weights, bias
added; h, c (B, H); W (H, G H) the weights of the state, transposed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from symrnn.benchmarks.arranged import by_equations
from symrnn.benchmarks.cases import GATES, Case, by_name, fused
from symrnn.benchmarks.recurrence import Library, Recurrence, State


def rnn(call: Library, p: Any, state: State, W: Any, inner: Any) -> State:
    """h' = tanh(p + W h)."""
    (h,) = state
    return (call.np.tanh(p + h @ W),)


def lstm(call: Library, p: Any, state: State, W: Any, inner: Any) -> State:
    """c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c')."""
    h, c = state
    i, f, g, o = call.split(p + h @ W, 4)
    new = call.sigmoid(f) * c + call.sigmoid(i) * call.np.tanh(g)
    return call.sigmoid(o) * call.np.tanh(new), new


def gru(call: Library, p: Any, state: State, W: Any, inner: Any) -> State:
    """h' = z ⊙ h + (1 - z) ⊙ tanh(p_n + r ⊙ (W_n h + b))."""
    (h,) = state
    p_r, p_z, p_n = call.split(p, 3)
    s_r, s_z, s_n = call.split(h @ W, 3)
    r, z = call.sigmoid(p_r + s_r), call.sigmoid(p_z + s_z)
    n = call.np.tanh(p_n + r * (s_n + inner))
    return (n + z * (h - n),)


STEPS: Mapping[str, Callable[[Library, Any, State, Any, Any], State]] = MappingProxyType({
    "rnn": rnn, "lstm": lstm, "gru-reset-after": gru,
})
STATES = MappingProxyType({"rnn": 1, "lstm": 2, "gru-reset-after": 1})


def recurrence(case: Case, call: Library) -> Recurrence:
    """Return the cell for a library: by hand where there is one, otherwise as its equations say.

    Raises:
        NotSupportedError: The equations are not of the form that ``by_equations`` knows.
    """
    if case.cell not in GATES:
        return by_equations(case, call)
    step = STEPS[case.cell]

    def before(w: Mapping[str, Any], x: Any) -> tuple[State, State]:
        return (x @ w["W_in"].T + w["b_in"],), (w["W_state"].T, w.get("b_state"))

    def one(shared: State, state: State, now: State) -> tuple[State, Any]:
        new = step(call, now[0], state, *shared)
        return new, new[0]

    states = (case.sizes[3],) * STATES[case.cell]
    return Recurrence(fused(case.cell, case.params), states, before, one, lambda arrays: by_name(case.cell, arrays))
