"""HIPS autograd on NumPy: gates fused, the input product and the readout once for all times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
from autograd import value_and_grad

from competitors.cases import Arrays, Case, by_name, fused
from competitors.steps import STATES, STEPS, Functions

CALL = Functions(anp.tanh, lambda a: 0.5 * anp.tanh(0.5 * a) + 0.5, lambda array, n: anp.split(array, n, axis=-1))


def loss_of(cell: str, w: Arrays, x: Any, onehot: Any) -> Any:
    """Return the loss summed over batch and time; x (T, B, D), onehot (T, B, K)."""
    W, inner = w["W_state"].T, w.get("b_state")
    state = tuple(anp.zeros((x.shape[1], len(W)), x.dtype) for _ in range(STATES[cell]))
    projected = anp.dot(x, w["W_in"].T) + w["b_in"]
    seen = []
    for t in range(len(x)):
        state = STEPS[cell](CALL, projected[t], state, W, inner)
        seen.append(state[0])
    logits = anp.dot(anp.array(seen), w["W_out"].T) + w["b_out"]
    shifted = logits - anp.max(logits, axis=-1, keepdims=True)
    return anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=-1))) - anp.sum(onehot * shifted)


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Make the function."""
    w = fused(case.cell, case.params)
    x, onehot = case.times_first(case.x), case.times_first(case.onehot)
    function = value_and_grad(lambda w: loss_of(case.cell, w, x, onehot))
    return lambda: function(w), lambda result: (float(result[0]), by_name(case.cell, result[1]))
