"""How foreign arrays are a model's quantities: places in the vector of all entries, found by trying, held against the forward."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from symrnn.diagnosis.blocks import Convention, conventions, families, gates_in_order, is_square, key_of
from symrnn.diagnosis.dimensions import Sizes, roles_of
from symrnn.diagnosis.entries import Held
from symrnn.diagnosis.models import Model, roles
from symrnn.equations import Cell

SINGLE = {"x": 1, "tokens": 1, "labels": 1, "target": 1, "readout": 1, "readout bias": 1, "start": 2}
WEIGHTS = {"input", "state", "joint", "biased", "bias", "peephole"}


@dataclass(frozen=True)
class Reading:
    """Places of a model's given quantities.

    Attributes:
        model: The model.
        sizes: Numbers of the sizes.
        parameters: Places of each, with a leading axis for arrays that are added up.
        series: Places of values at a time, by name and time, of shape ``(rows, B)``.
        tokens: Likewise, of whole numbers that stand for one-hot columns.
        convention: How square and joint matrices are read.
    """

    model: Model
    sizes: Sizes
    parameters: Mapping[Any, Any]
    series: Mapping[tuple[str, int], Any] = field(default_factory=dict)
    tokens: Mapping[tuple[str, int], Any] = field(default_factory=dict)
    convention: Convention = field(default_factory=Convention)

    @property
    def numbers(self) -> dict[str, int]:
        """Numbers by letter, as the model's formulas call them."""
        s = self.sizes
        return {"H": s.H, "D": s.D, "B": s.B, "T": s.T, "K": s.K}


def over_time(places: Any, rows: int, sizes: Sizes, times: int) -> Iterator[Any]:
    """Yield the ways to read an array as values over time: of shape ``(times, rows, B)``."""
    wanted = (times, rows, sizes.B)
    padded = places.reshape(places.shape + (1,) * (3 - places.ndim)) if places.ndim <= 3 else places
    if padded.ndim != 3:
        return
    seen = set()
    for axes in itertools.permutations(range(3)):
        turned = padded.transpose(axes)
        if turned.shape == wanted and (key := turned.tobytes()) not in seen:
            seen.add(key)
            yield turned


def sharings(arrays: Sequence[Held], sizes: Sizes, most: int = 5_000) -> Iterator[dict[str, list[Held]]]:
    """Yield the ways to give each array one of the roles that its shape allows, those that its name suggests first."""
    options = [(one, sorted(roles_of(one, sizes) or ("",), key=lambda role: role != suggested(one))) for one in arrays]
    for chosen in itertools.islice(itertools.product(*(allowed for _, allowed in options)), most):
        numbers = {role: chosen.count(role) for role in chosen}
        if numbers.get("x", 0) + numbers.get("tokens", 0) == 1 and all(numbers.get(role, 0) <= number for role, number in SINGLE.items()):
            found: dict[str, list[Held]] = {}
            for (one, _), role in zip(options, chosen, strict=True):
                found.setdefault(role, []).append(one)
            yield found


def suggested(one: Held) -> str:
    """Return the role that the name of an array of vectors suggests."""
    name = one.name.rpartition(".")[2].strip("']").rpartition("['")[2].lower()
    if name.startswith(("p", "v")) or "peep" in name:
        return "peephole"
    if name.startswith("b") or name.endswith(("b", "bias")) or "_b" in name:
        return "bias"
    return "start" if one.name.isidentifier() and name.startswith(("h", "c", "s", "a", "m", "prev", "init")) else ""


def counts(found: Mapping[str, Sequence[Held]], sizes: Sizes) -> dict[str, int]:
    """Count the blocks of arrays by what they meet: ``x``, ``h``, ``1``, ``*``."""
    blocks = {role: sum(max(a.shape) // sizes.H if len(a.shape) == 1 else rows_of(a, role, sizes) // sizes.H for a in arrays)
              for role, arrays in found.items() if role in WEIGHTS}
    joint, biased = blocks.get("joint", 0), blocks.get("biased", 0)
    return {"x": blocks.get("input", 0) + joint + biased, "h": blocks.get("state", 0) + joint + biased,
            "1": blocks.get("bias", 0) + biased, "*": blocks.get("peephole", 0)}


def rows_of(one: Held, role: str, sizes: Sizes) -> int:
    """Return the length of the axis of a matrix that has the gates."""
    inner = {"input": sizes.D, "state": sizes.H, "joint": sizes.H + sizes.D, "biased": sizes.H + sizes.D + 1}[role]
    a, b = one.shape
    return a if b == inner else b


def may_be(cell: Cell, found: Mapping[str, Sequence[Held]], sizes: Sizes) -> bool:
    """Tell whether there are as many blocks as the cell has parameters."""
    numbers, have = wanted(cell), counts(found, sizes)
    sets = have["1"] / numbers["1"] if numbers["1"] else 0
    return matrices_fit(cell, have) and (have["1"] == 0 if not numbers["1"] else 1 <= sets <= 2) and \
        len(found.get("start", ())) <= len(cell.states)


def matrices_fit(cell: Cell, have: Mapping[str, int]) -> bool:
    """Tell whether there are as many matrices, and vectors that multiply entry by entry, as a cell has."""
    numbers = wanted(cell)
    return all(numbers[key] == have[key] for key in "xh*")


@cache
def wanted(cell: Cell) -> dict[str, int]:
    """Count the parameters of a cell by what they meet."""
    keys = [key_of(role) for role in roles(cell)]
    return {key: keys.count(key) for key in "xh1*"}


def readings(model: Model, found: Mapping[str, Sequence[Held]], sizes: Sizes) -> Iterator[Reading]:
    """Yield the ways to read the arrays as the given quantities of a model.

    Args:
        model: The model.
        found: The arrays, by role.
        sizes: Numbers of the sizes.
    """
    own = model.roles
    ends = {p.name: p for p in model.network.parameters if p not in model.cell.parameters}
    for convention in conventions(found):
        for parameters in gates_in_order(families(found, sizes, convention), own):
            for read, top in itertools.product(given_series(model, found, sizes), readouts(found, ends, sizes)):
                stacked = {p: np.stack(places) for p, places in (parameters | top).items()}
                yield Reading(model, sizes, stacked, read[0], read[1], convention)


def readouts(found: Mapping[str, Sequence[Held]], ends: Mapping[str, Any], sizes: Sizes) -> Iterator[dict[Any, list[Any]]]:
    """Yield the ways to read the readout's arrays."""
    if not ends:
        yield {}
        return
    V = found["readout"][0]
    bias = {ends["b_y"]: [found["readout bias"][0].places[:, None]]} if "b_y" in ends else {}
    for places in (V.places, V.places.T) if is_square(V) else (V.places if V.shape[0] == sizes.K else V.places.T,):
        yield {ends["W_hy"]: [places], **bias}


Given = tuple[dict[tuple[str, int], Any], dict[tuple[str, int], Any]]


def given_series(model: Model, found: Mapping[str, Sequence[Held]], sizes: Sizes) -> Iterator[Given]:
    """Yield the ways to read inputs, targets and initial states."""
    times, x = sizes.T, next(iter(q.name for q in model.cell.inputs), "x")
    options: list[list[Given]] = [[({(x, k + 1): places for k, places in enumerate(turned)}, {}) for turned in over_time(one.places, sizes.D, sizes, times)]
                                  for one in found.get("x", ())]
    options += [[({}, {(x, k + 1): places[0] for k, places in enumerate(turned)}) for turned in over_time(one.places, 1, sizes, times)]
                for one in found.get("tokens", ())]
    ends = 1 if "many-to-one" in model.ends else times
    for one in found.get("labels", ()):
        options.append([({}, {("y", times - ends + k + 1): places[0] for k, places in enumerate(turned)}) for turned in over_time(one.places, 1, sizes, ends)])
    for one in found.get("target", ()):
        options.append([({("y", times - ends + k + 1): places for k, places in enumerate(turned)}, {})
                        for turned in over_time(one.places, sizes.K, sizes, ends)])
    options.append(list(starts(model, found.get("start", ()), sizes)))
    for chosen in itertools.product(*options):
        yield ({k: v for series, _ in chosen for k, v in series.items()}, {k: v for _, tokens in chosen for k, v in tokens.items()})


def starts(model: Model, arrays: Sequence[Held], sizes: Sizes) -> Iterator[Given]:
    """Yield the ways to give initial states, those that have the state's letter first; a state without an array starts from 0."""
    states = [q.name for q in model.cell.states]

    def strange(order: tuple[str, ...]) -> int:
        return sum(state not in one.name.replace("prev", "").lower() for state, one in zip(order, arrays, strict=True))

    for order in sorted(itertools.permutations(states, len(arrays)), key=strange):
        ways = [list(over_time(one.places, sizes.H, sizes, 1)) for one in arrays]
        for chosen in itertools.product(*ways):
            yield {(state, 0): places[0] for state, places in zip(order, chosen, strict=True)}, {}
