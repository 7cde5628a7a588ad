"""JAX: ``lax.scan`` under ``jit``, gates fused, the input product and the readout once for all times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from competitors.cases import Arrays, Case, by_name, fused
from competitors.steps import STATES, STEPS, Functions

jax.config.update("jax_enable_x64", True)
CALL = Functions(jnp.tanh, jax.nn.sigmoid, lambda array, n: jnp.split(array, n, axis=-1))


def loss_of(cell: str, w: dict[str, jax.Array], x: jax.Array, onehot: jax.Array) -> jax.Array:
    """Return the loss summed over batch and time; x (T, B, D), onehot (T, B, K)."""
    W, inner = w["W_state"].T, w.get("b_state")
    start = tuple(jnp.zeros((x.shape[1], len(W)), x.dtype) for _ in range(STATES[cell]))

    def step(state: tuple[jax.Array, ...], p: jax.Array) -> tuple[tuple[jax.Array, ...], jax.Array]:
        new = STEPS[cell](CALL, p, state, W, inner)
        return new, new[0]

    seen = jax.lax.scan(step, start, x @ w["W_in"].T + w["b_in"])[1]
    return -jnp.sum(onehot * jax.nn.log_softmax(seen @ w["W_out"].T + w["b_out"]))


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Compile; a call waits until everything is there."""
    w = {name: jnp.asarray(array) for name, array in fused(case.cell, case.params).items()}
    x, onehot = (jnp.asarray(case.times_first(array)) for array in (case.x, case.onehot))
    function = jax.jit(jax.value_and_grad(lambda w, x, onehot: loss_of(case.cell, w, x, onehot)))
    compiled = function.lower(w, x, onehot).compile()

    def run() -> Any:
        return jax.block_until_ready(compiled(w, x, onehot))

    return run, lambda result: (float(result[0]), by_name(case.cell, {n: np.asarray(g) for n, g in result[1].items()}))
