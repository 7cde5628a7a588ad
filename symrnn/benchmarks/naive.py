"""NumPy as people write it, after ``min-char-rnn`` and the exercises of cs231n.

Each gate has its own product, each step makes new arrays and keeps them in lists, the readout and the loss are computed at
each step, and the gradients of the weights are added up in the backward loop. B sequences stand in rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays
from symrnn.errors import NotSupportedError

Step = Any


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a))."""
    return 1 / (1 + np.exp(-a))


def rnn_forward(p: Arrays, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, ...], Step]:
    """Return the new state, and what the way back needs."""
    h = np.tanh(x @ p["W_xh"].T + state[0] @ p["W_hh"].T + p["b_h"])
    return (h,), (x, state[0], h)


def rnn_backward(p: Arrays, g: Arrays, step: Step, delta: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Add to the gradients, and return the derivative in the state before."""
    x, before, h = step
    da = delta[0] * (1 - h * h)
    g["W_xh"] += da.T @ x
    g["W_hh"] += da.T @ before
    g["b_h"] += da.sum(axis=0)
    return (da @ p["W_hh"],)


def lstm_forward(p: Arrays, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, ...], Step]:
    """Return the new state, and what the way back needs."""
    h, c = state
    i = sigmoid(x @ p["U_i"].T + h @ p["W_i"].T + p["b_i"])
    f = sigmoid(x @ p["U_f"].T + h @ p["W_f"].T + p["b_f"])
    o = sigmoid(x @ p["U_o"].T + h @ p["W_o"].T + p["b_o"])
    g = np.tanh(x @ p["U_c"].T + h @ p["W_c"].T + p["b_c"])
    new = f * c + i * g
    return (o * np.tanh(new), new), (x, h, c, i, f, o, g, new)


def lstm_backward(p: Arrays, g: Arrays, step: Step, delta: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Add to the gradients, and return the derivative in the state before."""
    x, h, c, i, f, o, candidate, new = step
    dh, dc = delta
    tanh_c = np.tanh(new)
    dc = dc + dh * o * (1 - tanh_c**2)
    gates = {
        "i": dc * candidate * i * (1 - i),
        "f": dc * c * f * (1 - f),
        "o": dh * tanh_c * o * (1 - o),
        "c": dc * i * (1 - candidate**2),
    }
    dh = np.zeros_like(h)
    for name, da in gates.items():
        g["U_" + name] += da.T @ x
        g["W_" + name] += da.T @ h
        g["b_" + name] += da.sum(axis=0)
        dh += da @ p["W_" + name]
    return dh, dc * f


def gru_forward(p: Arrays, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, ...], Step]:
    """Return the new state, and what the way back needs."""
    (h,) = state
    r = sigmoid(x @ p["W_r"].T + h @ p["U_r"].T + p["b_r"])
    z = sigmoid(x @ p["W_z"].T + h @ p["U_z"].T + p["b_z"])
    inner = h @ p["U_n"].T + p["b_Un"]
    n = np.tanh(x @ p["W_n"].T + p["b_Wn"] + r * inner)
    return (z * h + (1 - z) * n,), (x, h, r, z, inner, n)


def gru_backward(p: Arrays, g: Arrays, step: Step, delta: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Add to the gradients, and return the derivative in the state before."""
    x, h, r, z, inner, n = step
    (dh,) = delta
    da_n = dh * (1 - z) * (1 - n**2)
    d_inner = da_n * r
    gates = {"r": da_n * inner * r * (1 - r), "z": dh * (h - n) * z * (1 - z)}
    before = dh * z + d_inner @ p["U_n"]
    for name, da in gates.items():
        g["W_" + name] += da.T @ x
        g["U_" + name] += da.T @ h
        g["b_" + name] += da.sum(axis=0)
        before += da @ p["U_" + name]
    g["W_n"] += da_n.T @ x
    g["b_Wn"] += da_n.sum(axis=0)
    g["U_n"] += d_inner.T @ h
    g["b_Un"] += d_inner.sum(axis=0)
    return (before,)


WRITTEN: Mapping[str, tuple[Callable[..., Any], Callable[..., Any], int]] = MappingProxyType({
    "rnn": (rnn_forward, rnn_backward, 1),
    "lstm": (lstm_forward, lstm_backward, 2),
    "gru-reset-after": (gru_forward, gru_backward, 1),
})
"""Forward step, backward step, number of states."""


def loss_and_gradients(cell: str, p: Arrays, x: np.ndarray, classes: np.ndarray) -> tuple[Any, Arrays]:
    """Return the loss summed over batch and time, and the gradients by name."""
    forward, backward, number = WRITTEN[cell]
    B, T, _ = x.shape
    rows, start = np.arange(B), np.zeros((B, p["W_hy"].shape[1]), dtype=x.dtype)
    state, loss, steps = (start,) * number, 0, []
    for t in range(T):
        state, step = forward(p, x[:, t], state)
        logits = state[0] @ p["W_hy"].T + p["b_y"]
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances = e / e.sum(axis=1, keepdims=True)
        loss += -np.log(chances[rows, classes[:, t]]).sum()
        steps.append((step, state[0], chances))
    g = {name: np.zeros_like(array) for name, array in p.items()}
    delta = (np.zeros_like(start),) * number
    for t in reversed(range(T)):
        step, h, chances = steps[t]
        dy = chances.copy()
        dy[rows, classes[:, t]] -= 1
        g["W_hy"] += dy.T @ h
        g["b_y"] += dy.sum(axis=0)
        delta = backward(p, g, step, (dy @ p["W_hy"] + delta[0], *delta[1:]))
    return loss, g


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """There is nothing to prepare.

    Raises:
        NotSupportedError: The cell is not written here.
    """
    if case.cell not in WRITTEN:
        raise NotSupportedError(f"{case.cell} is not written by hand; compare with readable")
    return lambda: loss_and_gradients(case.cell, case.params, case.x, case.classes), lambda result: result
