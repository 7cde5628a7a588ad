"""Measure the flow through one network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.codegen.arguments import BATCH, arguments_of
from symrnn.codegen.checks import checked
from symrnn.codegen.naming import names_of
from symrnn.equations import Cell
from symrnn.errors import DataError, SpecError
from symrnn.flow.bounding import measured
from symrnn.flow.record import THRESHOLD, Flow
from symrnn.flow.shares import Backward
from symrnn.flow.steps import Chain, Run, chain_of
from symrnn.flow.survey import Survey, heat_of
from symrnn.flow.weights import random_params
from symrnn.networks import network as network_of
from symrnn.networks.graph import Network
from symrnn.verify.points import default_sizes, lengths, random_point, size_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

BATCH_OF_RUNS = 64
"""Sequences that are run at once to see what an input contributed."""

MOST_REMOVED = 200
"""Lags at which an input is removed: all of them up to this number, then the first half of it and some further ones."""


def gradient_flow(
    source: Cell | Network,
    *,
    steps: int = 100,
    hidden: int = 64,
    inputs: int | None = None,
    params: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    seed: int = 0,
    init: str = "gaussian",
    radius: float | None = None,
    gain: float | None = None,
    forget_bias: float | None = None,
    layer: int | str | None = None,
    sequence: int = 0,
    gradient: Any = None,
    lags: Any = None,
    heat: bool | int = False,
    lyapunov: bool = True,
    removed: bool = True,
    name: str | None = None,
) -> Flow:
    """Measure what is left of an early input, and what of a gradient arrives at an early step.

    Args:
        source: A network, or a cell, which stands for its network with an output at each time.
        steps: The number of steps, where ``data`` does not tell it.
        hidden: The size of the states, where ``params`` do not tell it.
        inputs: The size of the inputs; by default that of the states.
        params: Given parameters by name; others are drawn.
        data: Given inputs, initial states and masks by name; others are drawn, from N(0, 1), initial states are 0.
        seed: Of everything that is drawn.
        init: How parameters are drawn: a key of ``symrnn.flow.weights.INITS``.
        radius: Spectral radius of recurrent matrices.
        gain: Factor of the other matrices.
        forget_bias: Bias of the gate of the direct path.
        layer: Whose states: the number of a layer, or its mark, such as ``"bw"``; needed where steps run in two directions.
        sequence: Which one of the batch.
        gradient: ``∂L/∂s_T``, ``(n,)``, for ``delta``; by default a random one.
        lags: At which all singular values are computed; by default about eight.
        heat: Whether the norms over all pairs of times are computed; a number is that of the times of the grid.
        lyapunov: Whether Lyapunov exponents are computed.
        removed: Whether the forward pass is run again without each input.
        name: What the record is called; by default the name of the cell and what was asked for.

    Returns:
        The record.

    Raises:
        SpecError: Steps or sizes below 1, an unknown rule or layer, a missing array.
        DataError: An array of the wrong shape, NaN, an empty sequence.
        NotSupportedError: A network whose step has no Jacobian.

    Shapes:
        Parameters as in the formulas, a bias as ``(H,)``; inputs ``(B, T, D)`` or, of one sequence, ``(T, D)``.
    """
    for what, number in (("steps", steps), ("hidden", hidden), ("inputs", inputs)):
        if number is not None and (not isinstance(number, int) or number < 1):
            raise SpecError(f"{what} is a whole number from 1 on; got {number!r}")
    if not isinstance(source, Cell | Network):
        raise SpecError(f"gradient_flow takes a network or a cell; got a {type(source).__name__}; write gradient_flow(cell('lstm'))")
    chain = cached_chain(network_of(source) if isinstance(source, Cell) else source, layer)
    rng = np.random.default_rng(seed)
    sizes, given = sizes_and_arrays(chain.network, params, data, steps, hidden, inputs)
    drawn = random_params(chain, sizes, rng, init=init, radius=radius, gain=gain, forget_bias=forget_bias)
    values = {**others(chain.network, sizes, rng), **drawn, **given}
    batch = one_sequence(chain.network, values, sequence)
    called = name or titled(source, {"radius": radius, "gain": gain, "forget bias": forget_bias}, init, given=params is not None)
    run = Run.of(chain, batch, {**sizes, "B": 1})
    return record_of(run, called, rng, gradient=gradient, lags=lags, heat=heat, lyapunov=lyapunov, removed=removed)


@lru_cache(maxsize=64)
def cached_chain(network: Network, layer: int | str | None) -> Chain:
    """Return the formulas and the code of the steps of a network; they are made once."""
    return chain_of(network, layer)


def sizes_and_arrays(
    network: Network, params: Mapping[str, Any] | None, data: Mapping[str, Any] | None, steps: int, hidden: int, inputs: int | None
) -> tuple[dict[str, int], dict[str, Any]]:
    """Check what is given, and return all sizes with it.

    Raises:
        SpecError: A name that the network does not have.
        DataError: A shape that does not fit, NaN, or a sequence without a step.
    """
    arguments = arguments_of(network, names_of(network, BATCH).arguments)
    values = {key: np.asarray(array) for key, array in {**(params or {}), **(data or {})}.items()}
    for key in values:
        network.given(key)
    present = tuple(a for a in arguments if a.given.name in values)
    for a in present:
        whole = values[a.given.name]
        if not a.shared and a.lasts and whole.ndim == len(a.dims) - 1:
            values[a.given.name] = whole = whole[None]
        if not whole.size:
            raise DataError(f"{a.given.name} is empty: shape {whole.shape}; expected {a.text} with at least one step")
    arrays = checked(values, present, dict.fromkeys(lengths(network), 1), check_finite=True) if present else {}
    known = {dim.name: int(length) for a in present for dim, length in zip(a.dims, arrays[a.given.name].shape, strict=False) if dim.is_Symbol}
    for a in present:
        for dim, length in zip(a.dims, arrays[a.given.name].shape, strict=False):
            solved(dim, int(length), known)
    sizes = {**known, "B": known.get("B", 1)}
    times = {letter.name for letter in lengths(network)}
    small = default_sizes(network)
    width = inputs or sizes.get("H") or hidden
    for letter in network.sizes:
        default = steps if letter.name in times else hidden if letter.name[0] in "HAE" else width if letter.name[0] == "D" else small[letter.name]
        sizes.setdefault(letter.name, default)
    return sizes, arrays


def solved(dim: Any, length: int, known: dict[str, int]) -> None:
    """Learn a size from a sum such as ``D + H`` with one letter that is not known yet."""
    missing = [letter for letter in dim.free_symbols if letter.name not in known]
    if len(missing) == 1:
        rest = dim.xreplace({letter: known[letter.name] for letter in dim.free_symbols if letter.name in known})
        number = (length - rest.xreplace({missing[0]: 0})) / rest.coeff(missing[0])
        if number.is_Integer and number > 0:
            known[missing[0].name] = int(number)


def others(network: Network, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, Any]:
    """Draw everything that is given beside parameters: inputs from N(0, 1); initial states are left out, masks are 1."""
    kinds = {g.name: g.kind for g in network.givens}
    drawn = random_point(network, sizes, rng)
    return {key: np.ones_like(array) if kinds[key] == "mask" else array for key, array in drawn.items()
            if kinds[key] not in {"initial", "parameter"}}


def one_sequence(network: Network, values: Mapping[str, Any], sequence: int) -> dict[str, Any]:
    """Keep one sequence of the batch.

    Raises:
        SpecError: There is none of that number.
    """
    shared = {g.name for g in network.givens if g.kind in {"parameter", "direction"}}
    out = {}
    for key, array in values.items():
        if key not in shared and not 0 <= sequence < len(array):
            raise SpecError(f"sequence {sequence}: the batch of {key} has {len(array)}, counted from 0")
        out[key] = array if key in shared else array[sequence : sequence + 1]
    return out


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
