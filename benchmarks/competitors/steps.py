"""One step of each cell, for every library whose arrays know ``@``: gates fused, the input product done before.

Shapes: p (B, G H) is the product of the input with its weights, bias added; h, c (B, H); W (H, G H) the weights of the
state, transposed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

State = tuple[Any, ...]


class Functions(NamedTuple):
    """What a library calls them."""

    tanh: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    split: Callable[[Any, int], Any]
    """Cut an array (B, n H) into n arrays (B, H)."""


def rnn(call: Functions, p: Any, state: State, W: Any, inner: Any) -> State:
    """h' = tanh(p + W h)."""
    (h,) = state
    return (call.tanh(p + h @ W),)


def lstm(call: Functions, p: Any, state: State, W: Any, inner: Any) -> State:
    """c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c')."""
    h, c = state
    i, f, g, o = call.split(p + h @ W, 4)
    new = call.sigmoid(f) * c + call.sigmoid(i) * call.tanh(g)
    return call.sigmoid(o) * call.tanh(new), new


def gru(call: Functions, p: Any, state: State, W: Any, inner: Any) -> State:
    """h' = z ⊙ h + (1 - z) ⊙ tanh(p_n + r ⊙ (W_n h + b))."""
    (h,) = state
    p_r, p_z, p_n = call.split(p, 3)
    s_r, s_z, s_n = call.split(h @ W, 3)
    r, z = call.sigmoid(p_r + s_r), call.sigmoid(p_z + s_z)
    n = call.tanh(p_n + r * (s_n + inner))
    return (n + z * (h - n),)


STEPS: Mapping[str, Callable[[Functions, Any, State, Any, Any], State]] = MappingProxyType({
    "rnn": rnn, "lstm": lstm, "gru-reset-after": gru,
})
STATES = MappingProxyType({"rnn": 1, "lstm": 2, "gru-reset-after": 1})
