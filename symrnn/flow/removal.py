"""What an early input really contributed: the network is run again without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.flow.run import Run
from symrnn.verify.points import size_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

BATCH_OF_RUNS = 64
"""Sequences that are run at once to see what an input contributed."""

MOST_REMOVED = 200
"""Lags at which an input is removed: all of them up to this number, then the first half of it and some further ones."""


def without_inputs(run: Run) -> Array:
    """Return ``log10 ‖h_T - h_T without x_{T-j}‖``: the network run again with the input of one time set to 0.

    NaN where the inputs are integers, and at lags that were left out of long sequences.
    """
    count, chain = len(run), run.chain
    out = np.full(count, np.nan)
    if chain.source is None:
        return out
    half = MOST_REMOVED // 2
    chosen = np.arange(count) if count <= MOST_REMOVED else np.unique(
        np.concatenate([np.arange(half), np.geomspace(half, count - 1, half).round().astype(int)]))
    given = next(g for g in chain.network.givens if g.quantity == chain.source and g.span is not None)
    first = size_in(given.span.lo, run.sizes)  # type: ignore[union-attr]
    shared = {g.name for g in chain.network.givens if g.kind in {"parameter", "direction"}}
    last = run.times[-1]
    whole = run.at(chain.hidden, run.times[-1:])[0]
    for lags in np.array_split(chosen, max(1, -(-len(chosen) // BATCH_OF_RUNS))):
        batch = {key: array if key in shared else np.repeat(array, len(lags), axis=0) for key, array in run.values.items()}
        batch[given.name] = batch[given.name].copy()
        for row, lag in enumerate(lags):
            batch[given.name][row, run.times[count - 1 - lag] - first] = 0.0
        found = chain.run_forward(batch)[str(chain.hidden.key)]
        spans = [e.span for e in chain.network.equations if e.quantity == chain.hidden and e.span is not None]
        ends = found[:, last - min(size_in(span.lo, run.sizes) for span in spans)]
        with np.errstate(divide="ignore"):
            out[lags] = np.log10(np.linalg.norm(ends - whole, axis=1))
    return out
