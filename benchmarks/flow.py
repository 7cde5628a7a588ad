"""How long the norms of all products of Jacobians take, as ratios to the products themselves: H = 128, 1,000 steps, one thread.

Run by hand: ``python benchmarks/flow.py``; it starts itself again with one thread. Each ratio is the median of runs that alternate with the products. ``norms`` is the
spectral and the Frobenius norm at every lag; ``gradient_flow`` is everything of the record but Lyapunov exponents and removed
inputs, from the forward pass on. The last column is the error of the norms against an SVD at 60 lags.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import symrnn
from symrnn.flow.arrays import one_sequence, others
from symrnn.flow.chain import Top, products
from symrnn.flow.measure import chain_for
from symrnn.flow.run import Run
from symrnn.flow.weights import random_params

SIZE, STEPS, REPEATS, SAMPLES = 128, 1000, 5, 60
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("rnn", {"radius": 0.5}), ("rnn", {"radius": 1.0}), ("rnn", {"radius": 1.5}), ("rnn", {"init": "orthogonal"}), ("gru", {}),
)


def seconds(run: Callable[[], Any]) -> float:
    """Time one call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def bare(jacobians: Any) -> None:
    """The products alone, written over each other, and brought back to a largest entry of 1 at every 16th."""
    held, spare = np.eye(jacobians.shape[1]), [np.empty(jacobians.shape[1:]) for _ in range(2)]
    for number, jacobian in enumerate(jacobians):
        held = np.dot(held, jacobian, spare[number % 2])
        if number % 16 == 0:
            held /= np.abs(held).max()


def norms(jacobians: Any) -> list[float]:
    """Both norms at every lag."""
    top, found = Top(), []
    for product in products(jacobians, jacobians.shape[1]):
        found.append(product.log10(top.of(product.array, product.square)))
        product.log10(product.square**0.5)
    return found


def error(jacobians: Any, found: list[float]) -> float:
    """The largest relative error at some lags."""
    wanted = set(np.linspace(1, len(jacobians), SAMPLES).round().astype(int).tolist())
    return max(
        abs(10 ** (found[lag] - product.log10(float(np.linalg.norm(product.array, 2)))) - 1)
        for lag, product in enumerate(products(jacobians, jacobians.shape[1])) if lag in wanted
    )


def main() -> None:
    """Print a line for each case."""
    print(f"{'case':<24}{'products':>10}{'norms':>8}{'gradient_flow':>15}{'error':>10}")
    for name, options in CASES:
        chain = chain_for(symrnn.cell(name), None, {})
        sizes = {"B": 1, "T": STEPS, "H": SIZE, "D": SIZE, "K": 2}
        rng = np.random.default_rng(0)
        drawn = others(chain.network, sizes, rng)
        values = one_sequence(chain.network, {**drawn, **random_params(chain, sizes, rng, **options)}, 0)
        jacobians = np.ascontiguousarray(Run.of(chain, values, sizes).jacobians(slice(0, STEPS))[0][::-1])
        whole = {key: array for key, array in values.items() if key in {"x"}}
        params = {key: values[key] for key in (p.name for p in chain.network.parameters)}
        everything = partial(
            symrnn.gradient_flow, symrnn.cell(name), params=params, data=whole, lyapunov=False, removed=False, lags=[STEPS])
        rows = []
        for _ in range(REPEATS):
            base = seconds(partial(bare, jacobians))
            rows.append((base, seconds(partial(norms, jacobians)) / base, seconds(everything) / base))
        base, ratio, flow = (statistics.median(column) for column in zip(*rows, strict=True))
        said = ", ".join(f"{key} {value}" for key, value in options.items())
        print(f"{f'{name} {said}':<24}{base:>9.3f}s{ratio:>8.2f}{flow:>15.2f}{error(jacobians, norms(jacobians)):>10.0e}")


if __name__ == "__main__":
    wanted = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        kept = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**kept, **wanted})
    main()
