"""Measure the flow through one network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.equations import Cell
from symrnn.errors import DataError, SpecError
from symrnn.flow.arrays import one_sequence, others, sizes_and_arrays
from symrnn.flow.bounding import measured
from symrnn.flow.record import THRESHOLD, Flow
from symrnn.flow.removal import without_inputs
from symrnn.flow.run import Run
from symrnn.flow.shares import Backward
from symrnn.flow.steps import Chain, chain_of
from symrnn.flow.survey import Survey, heat_of
from symrnn.flow.weights import forget_biases, random_params, refuse_given
from symrnn.networks import network as network_of
from symrnn.networks.graph import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def gradient_flow(
    source: Cell | Network, *, steps: int = 100, hidden: int = 64, inputs: int | None = None,
    params: Mapping[str, Any] | None = None, data: Mapping[str, Any] | None = None, seed: int = 0, init: str = "gaussian",
    radius: float | None = None, gain: float | None = None, forget_bias: float | None = None, layer: int | str | None = None,
    sequence: int = 0, gradient: Any = None, lags: Any = None, heat: bool | int = False, lyapunov: bool = True,
    removed: bool = True, name: str | None = None,
) -> Flow:
    """Measure what is left of an early input, and what of a gradient arrives at an early step.

    Args:
        source: A network, or a cell, which stands for its network with an output at each time.
        steps: The number of steps, where ``data`` does not tell it.
        hidden: The size of the states, where ``params`` do not tell it.
        inputs: The size of the inputs; by default that of the states.
        params: Given parameters by name; others are drawn. Shapes as in the formulas, a bias as ``(H,)``.
        data: Given inputs, initial states and masks by name, ``(B, T, D)`` or ``(T, D)``; others are drawn, inputs from N(0, 1),
            initial states are 0.
        seed: Of everything that is drawn.
        init: How parameters are drawn: a key of ``symrnn.flow.weights.INITS``.
        radius: Spectral radius of recurrent matrices.
        gain: Factor of the other matrices.
        forget_bias: Bias of the gate of the direct path.
        layer: Whose states: a number, or a mark such as ``"bw"``; needed where steps run in two directions.
        sequence: Which one of the batch.
        gradient: ``∂L/∂s_T``, ``(n,)``, for ``delta``; by default a random one of norm 1.
        lags: At which all singular values are computed; by default about eight.
        heat: Whether the norms over pairs of times are computed; a number is that of the times of the grid.
        lyapunov: Whether Lyapunov exponents are computed.
        removed: Whether the forward pass is run again without each input.
        name: What the record is called; by default the cell and what was asked for.

    Returns:
        The record.

    Raises:
        SpecError: Steps or sizes below 1, an unknown rule, layer or name, or a rule for parameters that are given.
        DataError: An array of the wrong shape, NaN, an empty sequence, a negative radius.
    """
    chain = chain_for(source, layer, {"steps": steps, "hidden": hidden, "inputs": inputs})
    refuse_given(chain, params or (), radius=radius, gain=gain, forget_bias=forget_bias)
    rng = np.random.default_rng(seed)
    sizes, given = sizes_and_arrays(chain.network, params, data, steps, hidden, inputs)
    drawn = random_params(chain, sizes, rng, init=init, radius=radius, gain=gain, forget_bias=forget_bias)
    values = one_sequence(chain.network, {**others(chain.network, sizes, rng), **drawn, **given}, sequence)
    title = name or titled(source, {"radius": radius, "gain": gain, "forget bias": forget_bias}, init, given=params is not None)
    run = Run.of(chain, values, {**sizes, "B": 1})
    return record_of(run, title, rng, gradient=gradient, lags=lags, heat=heat, lyapunov=lyapunov, removed=removed)


def has_forget_bias(source: Cell | Network, *, layer: int | str | None = None) -> bool:
    """Tell whether a network has a gate with a bias on its direct path, which ``forget_bias`` sets.

    Args:
        source: A network, or a cell.
        layer: As for ``gradient_flow``.
    """
    return bool(forget_biases(chain_for(source, layer, {})))


def chain_for(source: Any, layer: int | str | None, numbers: Mapping[str, Any]) -> Chain:
    """Check what is asked for, and return the formulas and the code.

    Raises:
        SpecError: A number below 1, or neither a cell nor a network.
    """
    for what, number in numbers.items():
        if (number is not None or what != "inputs") and (not isinstance(number, int) or number < 1):
            raise SpecError(f"{what} is a whole number from 1 on; got {number!r}")
    if not isinstance(source, Cell | Network):
        raise SpecError(f"gradient_flow takes a network or a cell; got a {type(source).__name__}; write gradient_flow(cell('lstm'))")
    return cached_chain(network_of(source) if isinstance(source, Cell) else source, layer)


@lru_cache(maxsize=64)
def cached_chain(network: Network, layer: int | str | None) -> Chain:
    """Return the formulas and the code of the steps of a network; they are made once."""
    return chain_of(network, layer)


def titled(source: Cell | Network, numbers: Mapping[str, float | None], init: str, *, given: bool) -> str:
    """Name a record."""
    said = [f"{key} {number:g}" for key, number in numbers.items() if number is not None]
    start = ["given parameters"] if given else [init] if init != "gaussian" else []
    return ", ".join([source.name, *start, *said])


def record_of(
    run: Run, name: str, rng: np.random.Generator, *, gradient: Any, lags: Any, heat: bool | int, lyapunov: bool, removed: bool
) -> Flow:
    """Measure the steps of a run."""
    count = len(run)
    asked = default_lags(count) if lags is None else sorted({int(lag) for lag in lags if 0 <= int(lag) <= count})
    found = Survey(run, asked, exponents=lyapunov).take()
    start = start_gradient(run, gradient, rng)
    direction = found.direction if found.direction is not None else start
    pulled = Backward(run, np.stack([direction, start], axis=1)).take()
    bound = measured(run)
    grid, times = heat_of(run, 60 if heat is True else int(heat)) if heat else (None, None)
    gates = {q.name: run.at(q, run.times) for q in run.chain.gates}
    below = np.flatnonzero(found.spectral < THRESHOLD)
    rows = run.rows[run.chain.hidden]
    return Flow(
        name=name, steps=count, hidden=rows.stop - rows.start, states=tuple(q.name for q in run.chain.states),
        spectral=found.spectral, frobenius=found.frobenius, smallest=found.smallest,
        singular=np.array(found.singular), singular_lags=np.array(asked), direct=pulled.direct,
        bound=bound.bound, bound_text=bound.text, delta=pulled.logs[:, 1], inputs=found.inputs,
        removed=without_inputs(run) if removed else np.full(count, np.nan), angle=found.angle, heat=grid, heat_times=times,
        gates=MappingProxyType({key: array.mean(axis=1) for key, array in gates.items()}),
        gates_low=MappingProxyType({key: np.quantile(array, 0.1, axis=1) for key, array in gates.items()}),
        gates_high=MappingProxyType({key: np.quantile(array, 0.9, axis=1) for key, array in gates.items()}),
        shares=MappingProxyType(pulled.kinds), paths=MappingProxyType(pulled.paths),
        memory=int(below[0]) if len(below) else None, lyapunov=found.lyapunov,
        sigma_max=bound.sigma_max, radius=bound.radius, gamma=bound.gamma, error=float(found.errors.max()),
    )


def default_lags(count: int) -> list[int]:
    """Return about eight lags from 1 to the last."""
    return sorted({1, *np.unique(np.linspace(0, count, 8).round().astype(int))[1:].tolist()})


def start_gradient(run: Run, gradient: Any, rng: np.random.Generator) -> Array:
    """Return the gradient at the last step.

    Raises:
        DataError: Another shape, or NaN.
    """
    if gradient is None:
        drawn = rng.standard_normal(run.size)
        return np.asarray(drawn / np.linalg.norm(drawn))
    array = np.asarray(gradient, dtype=float)
    if array.shape != (run.size,) or not np.all(np.isfinite(array)):
        states = ", ".join(q.name for q in run.chain.states)
        raise DataError(f"gradient: expected {run.size} finite numbers, those of {states}; got shape {array.shape}")
    return array
