"""HIPS autograd on NumPy: gates fused, the input product and the readout once for all times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
from autograd import value_and_grad

from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays, Library, Recurrence
from symrnn.benchmarks.steps import recurrence

CALL = Library(anp, lambda a: 0.5 * anp.tanh(0.5 * a) + 0.5, lambda array, n: anp.split(array, n, axis=-1))


def loss_of(cell: Recurrence, w: Arrays, x: Any, onehot: Any) -> Any:
    """Return the loss summed over batch and time; x (T, B, D), onehot (T, B, K)."""
    T, B, D = x.shape
    rows, shared = cell.before(w, x.reshape(T * B, D))
    rows = tuple(anp.reshape(array, (T, B, -1)) for array in rows)
    state = tuple(anp.zeros((B, n), x.dtype) for n in cell.states)
    seen = []
    for t in range(T):
        state, h = cell.step(shared, state, tuple(array[t] for array in rows))
        seen.append(h)
    logits = anp.dot(anp.array(seen), w["W_out"].T) + w["b_out"]
    shifted = logits - anp.max(logits, axis=-1, keepdims=True)
    return anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=-1))) - anp.sum(onehot * shifted)


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Make the function."""
    cell = recurrence(case, CALL)
    x, onehot = case.times_first(case.x), case.times_first(case.onehot)
    function = value_and_grad(lambda w: loss_of(cell, w, x, onehot))
    return lambda: function(cell.weights), lambda result: (float(result[0]), cell.read(result[1]))
