"""JAX: ``lax.scan`` under ``jit``, gates fused, the input product and the readout once for all times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays, Library, Recurrence, State
from symrnn.benchmarks.steps import recurrence

jax.config.update("jax_enable_x64", True)
CALL = Library(jnp, jax.nn.sigmoid, lambda array, n: jnp.split(array, n, axis=-1))


def loss_of(cell: Recurrence, w: dict[str, jax.Array], x: jax.Array, onehot: jax.Array) -> jax.Array:
    """Return the loss summed over batch and time; x (T, B, D), onehot (T, B, K)."""
    T, B, D = x.shape
    rows, shared = cell.before(w, x.reshape(T * B, D))
    start = tuple(jnp.zeros((B, n), x.dtype) for n in cell.states)

    def step(state: State, now: State) -> tuple[State, jax.Array]:
        return cell.step(shared, state, now)

    seen = jax.lax.scan(step, start, tuple(array.reshape(T, B, -1) for array in rows))[1]
    return -jnp.sum(onehot * jax.nn.log_softmax(seen @ w["W_out"].T + w["b_out"]))


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Compile; a call waits until everything is there."""
    cell = recurrence(case, CALL)
    w = {name: jnp.asarray(array) for name, array in cell.weights.items()}
    x, onehot = (jnp.asarray(case.times_first(array)) for array in (case.x, case.onehot))
    function = jax.jit(jax.value_and_grad(lambda w, x, onehot: loss_of(cell, w, x, onehot)))
    compiled = function.lower(w, x, onehot).compile()

    def run() -> Any:
        return jax.block_until_ready(compiled(w, x, onehot))

    return run, lambda result: (float(result[0]), cell.read({n: np.asarray(g) for n, g in result[1].items()}))
