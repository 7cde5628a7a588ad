"""The arrays of a measurement: those that are given, checked, and those that are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symrnn.codegen.arguments import BATCH, arguments_of
from symrnn.codegen.checks import checked
from symrnn.codegen.naming import names_of
from symrnn.errors import DataError, SpecError
from symrnn.networks.graph import Network
from symrnn.verify.points import default_sizes, lengths, random_point


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
    lengths_of = [pair for a in present for pair in zip(a.dims, arrays[a.given.name].shape, strict=False)]
    known = {dim.name: int(length) for dim, length in lengths_of if dim.is_Symbol}
    for dim, length in lengths_of:
        solved(dim, int(length), known)
    sizes = {**known, "B": known.get("B", 1)}
    times = {letter.name for letter in lengths(network)}
    small = default_sizes(network)
    width = inputs or sizes.get("H") or hidden
    for letter in network.sizes:
        by_letter = hidden if letter.name[0] in "HAE" else width if letter.name[0] == "D" else small[letter.name]
        sizes.setdefault(letter.name, steps if letter.name in times else by_letter)
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
