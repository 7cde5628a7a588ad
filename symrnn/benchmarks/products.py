"""The limit: the matrix products of loss and gradients, into arrays that are there already, and nothing else.

No gate, no loss and no sum is computed, so the numbers mean nothing; the time is what no NumPy code can go below. The
state lies as rows (B, H) or as columns (H, B); both are timed, and the faster one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symrnn.benchmarks.cases import GATES, Case
from symrnn.errors import NotSupportedError


def draw(case: Case, *shape: int) -> np.ndarray:
    """Return small numbers, of which none is subnormal."""
    return np.random.default_rng(0).uniform(0.1, 0.2, size=shape).astype(case.dtype)


def around_the_loop(case: Case) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the operands and results of the products over all T·B rows: input, readout, and all weight gradients."""
    B, T, D, H = case.sizes
    K, G, rows = D, len(GATES[case.cell].W_in) * H, T * B
    x, h, a_y, z = (draw(case, rows, n) for n in (D, H, K, G))
    W_in, W_out = draw(case, G, D), draw(case, K, H)
    return [
        (x, W_in.T, draw(case, rows, G)),
        (h, W_out.T, draw(case, rows, K)),
        (a_y, W_out, draw(case, rows, H)),
        (a_y.T, h, draw(case, K, H)),
        (z.T, x, draw(case, G, D)),
        (z.T, h, draw(case, G, H)),
    ]


def prepare_layout(case: Case, columns: bool) -> Callable[[], Any]:
    """Return a function that makes all products, the states as columns or as rows."""
    B, T, _, H = case.sizes
    G = len(GATES[case.cell].W_in) * H
    outside, dot = around_the_loop(case), np.dot
    W = draw(case, G, H)
    h, z = (draw(case, T, n, B) if columns else draw(case, T, B, n) for n in (H, G))
    out_z, out_h = z[0].copy(), h[0].copy()
    W_t = np.ascontiguousarray(W.T)

    def run() -> None:
        for left, right, out in outside:
            dot(left, right, out)
        if columns:
            for state in h:
                dot(W, state, out_z)
            for delta in z[1:]:
                dot(W_t, delta, out_h)
        else:
            for state in h:
                dot(state, W_t, out_z)
            for delta in z[1:]:
                dot(delta, W, out_h)

    return run


def prepare(case: Case) -> dict[str, Callable[[], Any]]:
    """Return the products by layout.

    Raises:
        NotSupportedError: The products of the cell are not known here.
    """
    if case.cell not in GATES:
        raise NotSupportedError(f"the products of {case.cell} are not counted")
    return {"products, rows": prepare_layout(case, columns=False), "products, columns": prepare_layout(case, columns=True)}
