"""The flow before and after training, on a task that needs a long memory.

The task: inputs are random signs, and the answer at the end is the first input. It can be learned only if the gradient arrives
there. Each step of descent draws a new batch; gradients are computed by the generated code, clipped, and added up with momentum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.equations import Cell
from symrnn.errors import SpecError
from symrnn.flow.arrays import sizes_and_arrays
from symrnn.flow.measure import chain_for, gradient_flow, titled
from symrnn.flow.record import Flow
from symrnn.flow.weights import check_number, random_params
from symrnn.networks import network as network_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOMENTUM, BATCH, LIMIT = 0.9, 32, 1.0


def flow_along_training(
    source: Cell, *, steps: int = 20, hidden: int = 32, inputs: int = 2, updates: int = 400, records: int = 2, rate: float = 0.05,
    seed: int = 0, init: str = "gaussian", radius: float | None = None, gain: float | None = None, forget_bias: float | None = None,
    **options: Any,
) -> tuple[Flow, ...]:
    """Train a network to remember its first input, and measure it on the way.

    Args:
        source: The cell; a linear readout of the last state answers, with squared error.
        steps: Length of the sequences.
        hidden: The size of the states.
        inputs: The size of the inputs, and of the answer.
        updates: Steps of gradient descent in all.
        records: How many records are made: the first before training, the last after it.
        rate: Learning rate, for the mean over a batch of 32 sequences, gradients clipped to norm 1, momentum 0.9.
        seed: Of weights and batches.
        init: How parameters are drawn: a key of ``symrnn.flow.weights.INITS``.
        radius: Spectral radius of recurrent matrices.
        gain: Factor of the other matrices.
        forget_bias: Bias of the gate of the direct path.
        options: Further ones of ``gradient_flow``, such as ``heat``.

    Returns:
        The records, measured on one sequence that no batch has; ``loss`` is the mean squared error of each answer on 256 sequences,
        where 1 is what the answer 0 gives.

    Raises:
        SpecError: Neither a cell, nor whole numbers from 1 on.
        DataError: A rate that is negative.
    """
    check_training(source, updates, records, rate)
    network = network_of(source, task="many-to-one", loss="squared-error", readout="linear")
    chain = chain_for(network, None, {"steps": steps, "hidden": hidden, "inputs": inputs})
    rng = np.random.default_rng(seed)
    letters = [p.shape[0] for p in network.parameters][-1]
    sizes = sizes_and_arrays(network, None, None, steps, hidden, inputs)[0] | {str(letters): inputs}
    params = random_params(chain, sizes, rng, init=init, radius=radius, gain=gain, forget_bias=forget_bias)
    said = {"radius": radius, "gain": gain, "forget bias": forget_bias}
    program = to_numpy(derive(network)).names["loss_and_gradients"]
    test, probe = sequences(rng, 256, steps, inputs), sequences(rng, 1, steps, inputs)
    out, velocity = [], {name: np.zeros_like(array) for name, array in params.items()}
    for part in np.array_split(np.arange(updates), max(1, records - 1)) if records > 1 else []:
        out.append((int(part[0]), params))
        for _ in part:
            params, velocity = updated(program, params, velocity, sequences(rng, BATCH, steps, inputs), rate)
    out.append((updates if records > 1 else 0, params))
    title = titled(source, said, init, given=False)
    flows = [gradient_flow(network, params=now, data={"x": probe[0]}, name=f"{title}, after {done} updates", **options) for done, now in out]
    losses = [float(program(now, *test)[0]) / (128 * inputs) for _, now in out]
    return tuple(replace(flow, loss=loss) for flow, loss in zip(flows, losses, strict=True))


def check_training(source: Any, updates: Any, records: Any, rate: float) -> None:
    """Refuse what no training can be.

    Raises:
        SpecError: Neither a cell, nor whole numbers from 1 on.
        DataError: A rate that is negative.
    """
    if not isinstance(source, Cell):
        raise SpecError(f"flow_along_training takes a cell; got a {type(source).__name__}; it builds the network of its task itself")
    for what, number in (("updates", updates), ("records", records)):
        if not isinstance(number, int) or number < 1:
            raise SpecError(f"{what} is a whole number from 1 on; got {number!r}")
    check_number("rate", rate, least=0.0)


def sequences(rng: np.random.Generator, count: int, steps: int, inputs: int) -> tuple[Array, Array]:
    """Draw sequences of random signs, and what has to be remembered."""
    x = rng.choice([-1.0, 1.0], (count, steps, inputs))
    return x, x[:, 0].copy()


def updated(
    program: Any, params: Mapping[str, Array], velocity: Mapping[str, Array], batch: tuple[Array, Array], rate: float
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Take one step of descent."""
    _, gradients = program(params, *batch)
    gradients = {name: gradients[name] / len(batch[0]) for name in params}
    norm = np.sqrt(sum(np.sum(g * g) for g in gradients.values()))
    scale = min(1.0, LIMIT / norm) if norm > 0 else 1.0
    moved = {name: MOMENTUM * velocity[name] - rate * scale * gradients[name] for name in params}
    return {name: params[name] + moved[name] for name in params}, moved
