"""Hand-written recurrent nets with their backward passes, right unless an error is planted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.verify.balls.directional import Point

NAMES = ("U", "W", "b", "x", "h0")


def rnn_forward(v, scale=1.0):
    h, loss = v["h0"], 0.0
    for t in range(v["x"].shape[1]):
        h = np.tanh(v["x"][:, t] @ v["U"] + h @ v["W"] + v["b"])
        loss = loss + np.sum((h - v["y"][:, t]) ** 2)
    return loss / (2 * v["x"].shape[0]) * scale


@dataclass(frozen=True)
class Planted:
    """A backward pass for ``rnn_forward``, right unless an error is planted."""

    sign: int = 1
    transpose: bool = True
    carry: bool = True
    window: int = 1000
    skipped: int = -1
    factor: Any = 1
    mean: bool = False
    derivative: bool = True
    missing: str = ""
    squeezed: str = ""
    last: bool = True

    def __call__(self, v):
        x, T, N = v["x"], v["x"].shape[1], v["x"].shape[0]
        h = [v["h0"]]
        for t in range(T):
            h.append(np.tanh(x[:, t] @ v["U"] + h[-1] @ v["W"] + v["b"]))
        grad = {name: np.zeros(v[name].shape) for name in NAMES}
        carried = np.zeros_like(h[0])
        for t in reversed(range(T)):
            error = h[t + 1] - v["y"][:, t]
            dh = error * (1.0 / N) if self.mean else error / N
            dh += carried
            da = dh * (1 - h[t + 1] ** 2) if self.derivative else dh * (1 - h[t + 1])
            if T - t <= self.window:
                grad["U"] += x[:, t].T @ da
                grad["W"] += h[t].T @ da if t != self.skipped else 0
                grad["b"] += da.sum(axis=0)
                grad["x"][:, t] = da @ v["U"].T
            carried = self.sign * da @ (v["W"].T if self.transpose else v["W"]) if self.carry else 0 * da
        grad["h0"] = carried
        grad = {name: self.factor * g for name, g in grad.items() if name != self.missing}
        return {name: g[..., None] if name == self.squeezed else g for name, g in grad.items()}


def point(seed=0, *, N=3, T=6, D=4, H=5, weight=0.5, wanted=NAMES):
    rng = np.random.default_rng(seed)
    shapes = {"U": (D, H), "W": (H, H), "b": (H,), "x": (N, T, D), "h0": (N, H), "y": (N, T, H)}
    return Point({name: (weight if name in "UW" else 1) * rng.standard_normal(s) for name, s in shapes.items()}, wanted)


def rnn_forward_last(v):
    """The loss is that of the last state alone, so that early times reach it through W only."""
    h = v["h0"]
    for t in range(v["x"].shape[1]):
        h = np.tanh(v["x"][:, t] @ v["U"] + h @ v["W"] + v["b"])
    return np.sum((h - v["y"][:, -1]) ** 2) / 2


def last_step_backward(v, keep):
    x, h = v["x"], [v["h0"]]
    T = x.shape[1]
    for t in range(T):
        h.append(np.tanh(x[:, t] @ v["U"] + h[-1] @ v["W"] + v["b"]))
    dU, dW, db, dx = (np.zeros_like(v[name]) for name in ("U", "W", "b", "x"))
    dh = h[-1] - v["y"][:, -1]
    for t in reversed(range(T - keep, T)):
        da = dh * (1 - h[t + 1] ** 2)
        dU, dW, db = dU + x[:, t].T @ da, dW + h[t].T @ da, db + da.sum(axis=0)
        dx[:, t] = da @ v["U"].T
        dh = da @ v["W"].T
    return {"U": dU, "W": dW, "b": db, "x": dx, "h0": dh}


def relu_forward(v):
    return np.sum(np.maximum(v["w"] * v["x"] - v["b"], 0))


def relu_backward(v):
    on = v["w"] * v["x"] - v["b"] > 0
    return {"w": np.where(on, v["x"], 0)}
