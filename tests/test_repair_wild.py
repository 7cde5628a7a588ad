"""Repairs of order and place: sequences the other way round, slices, axes, indices that come twice, conditions."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_repair import Mistake, assert_named, diagnosed, edited, loaded

RUNNING = '''import numpy as np


def forward(x, W, U):
    h = np.zeros((len(x) + 1, x.shape[1], len(U)))
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ W + h[t] @ U)
    return np.cumsum(h[1:], axis=0), h


def backward(dy, x, W, U, h):
    dh = np.cumsum(dy[::-1], axis=0)[::-1]
    da, dU = np.zeros(dh.shape), np.zeros(U.shape)
    carry = np.zeros(dh[0].shape)
    for t in reversed(range(len(x))):
        da[t] = (dh[t] + carry) * (1 - h[t + 1] ** 2)
        dU += h[t].T @ da[t]
        carry = da[t] @ U.T
    dW = np.einsum("tni,tnj->ij", x, da)
    dV = np.einsum("tni,tnj->ij", h[:-1], da)
    dx = np.array([s @ W.T for s in da])
    return dx, dW, (dU + dV) / 2
'''

WRAPPING = '''import numpy as np


def forward(x, W, U):
    h = [np.tanh(x[0] @ W)]
    for t in range(1, len(x)):
        h.append(np.tanh(x[t] @ W + h[t - 1] @ U))
    return np.array(h), (x, W, U, h)


def backward(dy, cache):
    x, W, U, h = cache
    dW, dU, carry = np.zeros(W.shape), np.zeros(U.shape), np.zeros(h[0].shape)
    for t in reversed(range(len(x))):
        da = (dy[t] + carry) * (1 - h[t] ** 2)
        dW += x[t].T @ da
        if t > 0:
            dU += h[t - 1].T @ da
        carry = da @ U.T
    return dW, dU
'''

BOTH_WAYS = '''import numpy as np


def through(xs, W):
    hs = [np.zeros((len(xs[0]), W.shape[1]))]
    for x in xs:
        hs.append(np.tanh(x @ W + hs[-1]))
    return hs


def back(dhs, xs, hs, W):
    dW, dxs = np.zeros(W.shape), []
    carry = 0
    for dh, x, h in zip(reversed(dhs), reversed(xs), reversed(hs[1:])):
        carry = (dh + carry) * (1 - h * h)
        dW += x.T @ carry
        dxs.append(carry @ W.T)
    return np.array(dxs[::-1]), dW


def forward(x, W, V):
    left, right = through(x, W), through(x[::-1], V)
    return np.array([a + b for a, b in zip(left[1:], right[1:][::-1])]), (x, W, V, left, right)


def backward(dy, cache):
    x, W, V, left, right = cache
    dl, dW = back(dy, x, left, W)
    dr, dV = back(dy[::-1], x[::-1], right, V)
    dx = dl + dr[::-1]
    return dx, dW, dV
'''

PLACES = '''import numpy as np

ROWS = np.array([2, 0, 2, 1, 1, 0])


def forward(W, s, u):
    e = np.exp(s)
    a = e / e.sum(axis=1, keepdims=True)
    h = W[ROWS] @ a
    return h * (h > 0) + u, (W, a, h)


def backward(dy, cache):
    W, a, h = cache
    dh = dy.copy()
    dh[h <= 0] = 0
    dW = np.zeros(W.shape)
    np.add.at(dW, ROWS, dh @ a.T)
    da = W[ROWS].T @ dh
    ds = a * (da - (da * a).sum(axis=1, keepdims=True))
    du = dy.sum(axis=0)
    return dW, ds, du
'''

PARTS = '''import numpy as np


def forward(x, h, m, U):
    z = np.concatenate([x, h])
    k = U @ z
    return np.tanh(k) * m + (1 - m) * k, (x, m, U, z, k)


def backward(dy, cache):
    x, m, U, z, k = cache
    D, H = len(x), len(z) - len(x)
    dm = dy * (np.tanh(k) - k)
    dk = dy * m * (1 - np.tanh(k) ** 2) + (1 - m) * dy
    dU = [[dk[i] * z[j] for j in range(len(z))] for i in range(len(k))]
    dz = np.array([sum(U[i, j] * dk[i] for i in range(len(k))) for j in range(len(z))])
    dx, dh = dz[:D], dz[-H:]
    return dx, dh, dm, np.array(dU)
'''

RUNNING_SHAPES = {"x": (4, 3, 2), "W": (2, 5), "U": (5, 5)}
TWO_SHAPES = {"x": (4, 3, 5), "W": (5, 5), "V": (5, 5)}
PLACES_SHAPES = {"W": (3, 4), "s": (4, 5), "u": (5,)}
PARTS_SHAPES = {"x": (3,), "h": (4,), "m": (7,), "U": (7, 7)}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("program", "shapes", "returns", "mistake"), [
    (RUNNING, RUNNING_SHAPES, "dx dW dU", Mistake("np.cumsum(dy[::-1], axis=0)[::-1]", "np.cumsum(dy, axis=0)", "wrong time", "dh =")),
    (RUNNING, RUNNING_SHAPES, "dx dW dU", Mistake("dU += h[t].T", "dU += h[t + 1].T", "wrong time", "dU +=")),
    (RUNNING, RUNNING_SHAPES, "dx dW dU", Mistake("for s in da]", "for s in da[::-1]]", "wrong time", "dx =")),
    (RUNNING, RUNNING_SHAPES, "dx dW dU", Mistake("h[:-1], da)", "h[1:], da)", "wrong time", "dV =")),
    (BOTH_WAYS, TWO_SHAPES, "dx dW dV", Mistake("back(dy[::-1], x", "back(dy, x", "wrong time", "dr, dV =")),
    (BOTH_WAYS, TWO_SHAPES, "dx dW dV", Mistake("dl + dr[::-1]", "dl + dr", "wrong time", "dx =")),
    (BOTH_WAYS, TWO_SHAPES, "dx dW dV", Mistake("reversed(hs[1:])", "reversed(hs[:-1])", "wrong time", "for dh")),
    (PLACES, PLACES_SHAPES, "dW ds du", Mistake("np.add.at(dW, ROWS, dh @ a.T)", "dW[ROWS] += dh @ a.T", "not accumulated", "dW[ROWS]")),
    (PLACES, PLACES_SHAPES, "dW ds du", Mistake("sum(axis=1, keepdims=True))\n    du", "sum(axis=0, keepdims=True))\n    du", "not accumulated", "ds =")),
    (PLACES, PLACES_SHAPES, "dW ds du", Mistake("dh[h <= 0]", "dh[h <= 1]", "wrong derivative", "dh[")),
    (PARTS, PARTS_SHAPES, "dx dh dm dU", Mistake("dz[-H:]", "dz[:H]", "wrong quantity", "dx, dh")),
    (PARTS, PARTS_SHAPES, "dx dh dm dU", Mistake("U[i, j] * dk[i]", "U[j, i] * dk[i]", "missing transpose", "dz =")),
    (PARTS, PARTS_SHAPES, "dx dh dm dU", Mistake(" + (1 - m) * dy", "", "missing term", "dk =")),
], ids=lambda value: value.new if isinstance(value, Mistake) else "")
def test_order_and_place(program: str, shapes: dict[str, tuple[int, ...]], returns: str, mistake: Mistake, tmp_path: Path) -> None:
    source = edited(program, mistake)
    module = loaded(source, tmp_path)
    assert_named(diagnosed(module.forward, module.backward, shapes, returns=returns.split()), source, (mistake,))


def test_a_comparison_in_a_condition(tmp_path: Path) -> None:
    mistake = Mistake("if t > 0:", "if t >= 0:", "wraps around", "if t")
    source = edited(WRAPPING, mistake)
    module = loaded(source, tmp_path)
    assert_named(diagnosed(module.forward, module.backward, {"x": (4, 3, 2), "W": (2, 5), "U": (5, 5)}, returns=["dW", "dU"]), source, (mistake,))
