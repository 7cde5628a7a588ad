"""How long a verdict of ``verify_gradient`` on a hand-written LSTM takes, beside PyTorch's ``gradcheck`` of the same code.

Run by hand: ``python benchmarks/gradcheck.py``; it starts itself again with one thread. Both get the same two NumPy functions:
``gradcheck`` as a ``torch.autograd.Function`` at its defaults, in float64; ours unmodified, in balls of 333 bits, at two points.
They run in turn in one process, after one round that is not counted; medians are compared. The last columns are ``gradcheck`` of the
same LSTM written in PyTorch, whose backward is PyTorch's own.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from symrnn.verify import verify_gradient

SIZES = ((3, 8, 4, 5), (2, 5, 4, 8))
ROUNDS = 7


def sigmoid(a: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def step_forward(x: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, ...]:
    """One step of the LSTM, rows, gates in the order i f o g."""
    H = h.shape[1]
    a = x @ Wx + h @ Wh + b
    i, f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H:2 * H]), sigmoid(a[:, 2 * H:3 * H]), np.tanh(a[:, 3 * H:])
    next_c = f * c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, h, c, Wx, Wh, i, f, o, g, next_c)


def step_backward(dnext_h: Any, dnext_c: Any, cache: Any) -> tuple[Any, ...]:
    """The gradient of a step."""
    x, h, c, Wx, Wh, i, f, o, g, next_c = cache
    t = np.tanh(next_c)
    dc_all = dnext_c + dnext_h * o * (1 - t ** 2)
    da = np.hstack([dc_all * g * i * (1 - i), dc_all * c * f * (1 - f), dnext_h * t * o * (1 - o), dc_all * i * (1 - g ** 2)])
    dx, dh, dc = da @ Wx.T, da @ Wh.T, dc_all * f
    dWx, dWh, db = x.T @ da, h.T @ da, da.sum(axis=0)
    return dx, dh, dc, dWx, dWh, db


def lstm_forward(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, Any]:
    """All steps, from a cell state of 0."""
    N, T, _ = x.shape
    H = h0.shape[1]
    hs, h, c, cache = np.zeros((N, T, H)), h0, np.zeros((N, H)), []
    for t in range(T):
        h, c, own = step_forward(x[:, t], h, c, Wx, Wh, b)
        hs[:, t] = h
        cache.append(own)
    return hs, cache


def lstm_backward(dhs: Any, cache: Any) -> tuple[Any, ...]:
    """The gradient of all steps."""
    N, T, H = dhs.shape
    Wx, Wh = cache[0][3], cache[0][4]
    dx, dWx, dWh, db = np.zeros((N, T, Wx.shape[0])), np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(4 * H)
    dh0, dc = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t], dh0, dc, own_x, own_h, own_b = step_backward(dhs[:, t] + dh0, dc, cache[t])
        dWx += own_x
        dWh += own_h
        db += own_b
    return dx, dh0, dWx, dWh, db


def torch_lstm(x: Any, h: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """The LSTM in PyTorch."""
    c, found = torch.zeros_like(h), []
    for x_t in x.unbind(1):
        h, c = torch_step(x_t, h, c, Wx, Wh, b)
        found.append(h)
    return torch.stack(found, 1)


def torch_step(x: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, Any]:
    """One step of the LSTM in PyTorch."""
    i, f, o, g = (x @ Wx + h @ Wh + b).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def as_torch(run: Callable[..., Any], back: Callable[..., Any], results: int) -> Callable[..., Any]:
    """Return hand-written NumPy passes as a function of PyTorch.

    Args:
        run: The forward; it returns its results, then the cache.
        back: The backward.
        results: Number of results.
    """
    class Written(torch.autograd.Function):
        """The two passes."""

        @staticmethod
        def forward(context: Any, *arguments: Any) -> Any:
            """Run the forward."""
            *found, context.cache = run(*(argument.numpy() for argument in arguments))
            made = tuple(map(torch.from_numpy, found))
            return made if results > 1 else made[0]

        @staticmethod
        def backward(context: Any, *upstream: Any) -> Any:
            """Run the backward."""
            return tuple(map(torch.from_numpy, back(*(u.numpy() for u in upstream), context.cache)))

    return Written.apply


def seconds(run: Callable[[], bool]) -> float:
    """Time one verdict, which has to be good."""
    begin = time.perf_counter()
    good = run()
    taken = time.perf_counter() - begin
    if not good:
        raise SystemExit("a right program was refused")
    return taken


def measured(run: Any, back: Any, native: Any, results: int, arguments: tuple[Any, ...]) -> list[float]:
    """Return the medians of ours, of ``gradcheck`` of the same code, and of ``gradcheck`` of PyTorch's own."""
    tensors = tuple(torch.tensor(argument, requires_grad=True) for argument in arguments)
    written = as_torch(run, back, results)
    verdicts = (
        lambda: verify_gradient(run, back, arguments).ok,
        lambda: torch.autograd.gradcheck(written, tensors),
        lambda: torch.autograd.gradcheck(native, tensors),
    )
    taken = [[seconds(verdict) for verdict in verdicts] for _ in range(ROUNDS + 1)][1:]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def main() -> None:
    """Print a line for each program and size."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    print(f"{'program':<10}{'N, T, D, H':<14}{'symrnn':>9}{'gradcheck':>12}{'ratio':>8}{'of torch code':>16}{'ratio':>8}")
    for N, T, D, H in SIZES:
        weights = tuple(rng.standard_normal(shape) / 2 for shape in ((D, 4 * H), (H, 4 * H), (4 * H,)))
        x, h, c = rng.standard_normal((N, T, D)), rng.standard_normal((N, H)), rng.standard_normal((N, H))
        for name, run, back, native, results, arguments in (
            ("step", step_forward, step_backward, torch_step, 2, (x[:, 0].copy(), h, c, *weights)),
            ("sequence", lstm_forward, lstm_backward, torch_lstm, 1, (x, h, *weights)),
        ):
            own, written, other = measured(run, back, native, results, arguments)
            print(f"{name:<10}{f'{N}, {T}, {D}, {H}':<14}{own:>8.3f}s{written:>11.3f}s{own / written:>8.2f}{other:>15.3f}s{own / other:>8.2f}",
                  flush=True)


if __name__ == "__main__":
    wanted = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        kept = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**kept, **wanted})
    main()
