"""The model whose forward pass the user's forward is: found by trying, in float64.

Guarantees:
    A model that is returned gives every output that has an upstream gradient, or the loss up to a factor of sizes, to a
    relative 1e-9 at a random point. It is confirmed in balls with the gradients.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.diagnosis.dimensions import Sizes, assignments
from symrnn.diagnosis.entries import squeezed
from symrnn.diagnosis.formulas_as_code import UNRUNNABLE
from symrnn.diagnosis.matching import Reading, counts, matrices_fit, may_be, readings, sharings
from symrnn.diagnosis.models import Model, all_ends, altered, cells, model
from symrnn.diagnosis.observing import Code, Values, as_floats
from symrnn.diagnosis.running import Bench
from symrnn.equations import Cell
from symrnn.errors import SymrnnError
from symrnn.expr import Series
from symrnn.verify.handwritten.causes import size_named
from symrnn.verify.handwritten.structures import Path

CLOSE = 1e-9
SOME, FEW = 24, 4
"""In how many ways numbers are sizes and arrays have roles; and arrays are read as a cell that is not published."""


@dataclass(frozen=True)
class Match:
    """A model that a forward pass is.

    Attributes:
        reading: How the arrays are its quantities.
        outputs: For each output with an upstream gradient and each of its entries: the series, the time, the row, the sequence.
        factor: The code's loss as a multiple of the model's.
    """

    reading: Reading
    outputs: Mapping[Path, Any] = field(default_factory=dict)
    factor: Fraction = Fraction(1)

    @property
    def model(self) -> Model:
        """The model."""
        return self.reading.model


def bench_of(reading: Reading, vector: Any) -> Bench:
    """Return a model's forward pass at a point, not run yet.

    Args:
        reading: Where its quantities stand.
        vector: The point.
    """
    bench = Bench(reading.model.network, reading.numbers)
    for parameter, places in reading.parameters.items():
        bench.give(parameter, vector[places].sum(axis=0))
    for given in reading.model.network.givens:
        if not isinstance(given.quantity, Series) or given.span is None:
            continue
        lo, hi = bench.bounds(given.span)
        for moment in range(lo, hi + 1):
            bench.give(given.quantity, {moment: given_value(reading, bench, given.quantity, moment, vector)})
    return bench


def given_value(reading: Reading, bench: Bench, quantity: Series, moment: int, vector: Any) -> Any:
    """Return what is given for a series at a time: 0 where the code has nothing for it."""
    key = (quantity.name, moment)
    rows = bench.rows(quantity)
    if key in reading.tokens:
        numbers = np.array([round(float(x)) if not hasattr(x, "value") else int(float(x.value.mid())) for x in vector[reading.tokens[key]]])
        return np.eye(rows)[:, numbers] if vector.dtype != object else np.eye(rows, dtype=int).astype(object)[:, numbers]
    if key in reading.series:
        return vector[reading.series[key]]
    return np.zeros((rows, reading.sizes.B)) if vector.dtype != object else np.zeros((rows, reading.sizes.B), dtype=int).astype(object)


def candidates(code: Code, cell: Cell | None, shapes: Iterable[tuple[int, ...]]) -> Iterator[Reading | None]:
    """Yield the ways to read the code's arrays as a model, published cells first, then altered ones; ``None`` between two cells."""
    has_loss = bool(code.subject.binding.loss)
    ways = [(sizes, found, counts(found, sizes)) for sizes in itertools.islice(assignments(code.arrays, code.subject.sizes, shapes), SOME)
            for found in itertools.islice(sharings(code.arrays, sizes), SOME)]
    known = (cell,) if cell is not None else cells(lambda one: any(matrices_fit(one, have) for _, _, have in ways))
    tried: list[Cell] = []
    for one in known:
        tried.append(one)
        yield from of_ways(one, ways, has_loss)
    for one in tried:
        fitting = [way for way in ways if may_be(one, way[1], way[0])][:FEW]
        for other in altered(one):
            yield from of_ways(other, fitting, has_loss)


def of_ways(cell: Cell, ways: Iterable[tuple[Sizes, Mapping[str, Any], Any]], has_loss: bool) -> Iterator[Reading | None]:
    """Yield the ways to read arrays as a model of a cell."""
    for sizes, found, _ in ways:
        yield None
        if may_be(cell, found, sizes):
            yield from of_cell(cell, found, sizes, has_loss)


def of_cell(cell: Cell, found: Mapping[str, Any], sizes: Sizes, has_loss: bool) -> Iterator[Reading | None]:
    """Yield the ways to read arrays that have roles as a model of a cell."""
    targets = [*found.get("labels", ()), *found.get("target", ())]
    every = None if sizes.T == 1 or not targets else any(sizes.T in one.shape for one in targets)
    kind = targets[0].kind if targets else "real"
    for ends in all_ends(has_loss, "readout" in found, "readout bias" in found, kind, every):
        yield None
        try:
            made = model(cell, ends)
        except SymrnnError:
            continue
        yield from readings(made, found, sizes)


def find_model(code: Code, point: Values, *, cell: Cell | None = None, seconds: float = 2.0) -> Match | None:
    """Find the model that the forward pass is; ``None`` where none was found in time.

    Args:
        code: The user's code.
        point: Where it is run.
        cell: The only cell that is tried.
        seconds: Limit of time.
    """
    stop = time.process_time() + seconds
    outputs = code.run(point).outputs
    binding = code.subject.binding
    wanted = {path: as_floats(leaf) for path, leaf in outputs.items() if path[0] in {binding.loss, *binding.upstream}}
    vector = code.vector(point)
    for reading in candidates(code, cell, [squeezed(np.asarray(leaf)).shape for leaf in wanted.values()]):
        if time.process_time() > stop:
            return None
        if reading is None:
            continue
        bench = bench_of(reading, vector)
        try:
            with np.errstate(all="ignore"):
                bench.forward()
        except (*UNRUNNABLE, SymrnnError):
            continue
        found = by_loss(reading, bench, wanted) if binding.loss else by_outputs(reading, bench, wanted)
        if found is not None:
            return found
    return None


def by_loss(reading: Reading, bench: Bench, wanted: Mapping[Path, Any]) -> Match | None:
    """Hold the loss against the model's."""
    loss = float(sum(leaf.sum() for leaf in wanted.values()))
    own = float(np.sum(bench.space[reading.model.network.loss.key]))
    if not own or not np.isfinite(own):
        return None
    ratio = Fraction(loss / own).limit_denominator(2000)
    numbers = {letter: n for letter, n in reading.numbers.items() if n > 1}
    plain = ratio in (1, 2, Fraction(1, 2)) or bool(size_named(ratio, numbers))
    if not plain or abs(loss - float(ratio) * own) > CLOSE * abs(loss):
        return None
    return Match(reading, {}, ratio)


def by_outputs(reading: Reading, bench: Bench, wanted: Mapping[Path, Any]) -> Match | None:
    """Hold each output against the values of the model's series."""
    found = {}
    for path, leaf in wanted.items():
        entries = located(reading, bench, leaf)
        if entries is None:
            return None
        found[path] = entries
    return Match(reading, found)


def located(reading: Reading, bench: Bench, leaf: Any) -> Any:
    """Find where an output's entries stand in the model: an array of ``(series, time, row, sequence)`` in its shape."""
    for name, _ in reading.model.upstream:
        for first, last in [(1, bench.length), (0, bench.length), *((k, k) for k in range(bench.length, -1, -1))]:
            values = [bench.value(name, k) for k in range(first, last + 1)]
            if any(v is None for v in values):
                continue
            found = turned_to(np.stack(values), name, first, leaf)
            if found is not None:
                return found
    return None


def turned_to(stacked: Any, name: str, first: int, leaf: Any) -> Any:
    """Turn values over time so that they are an output; return the names of its entries, ``None`` where it is another array."""
    if stacked.size != leaf.size:
        return None
    wanted = squeezed(leaf)
    for axes in itertools.permutations(range(3)):
        turned = squeezed(stacked.transpose(axes))
        if turned.shape == wanted.shape and np.allclose(turned, wanted, rtol=CLOSE, atol=1e-12):
            names = np.empty(stacked.shape, dtype=object)
            for index in np.ndindex(stacked.shape):
                names[index] = (name, index[0] + first, index[1], index[2])
            return squeezed(names.transpose(axes)).reshape(leaf.shape)
    return None


def upstream_arrays(match: Match, given: Mapping[tuple[str, int], Any]) -> dict[Path, Any]:
    """Return upstream gradients as the code takes them, of those by series and time as the model takes them.

    Where two outputs hold one value, as all states and the last one do, the first of them gets the gradient.
    """
    made = {}
    claimed: set[tuple[str, int]] = set()
    for path, names in match.outputs.items():
        array = np.zeros(names.shape, dtype=object)
        mine = {(entry[0], entry[1]) for entry in names.flat} - claimed
        for index in np.ndindex(names.shape):
            name, moment, row, column = names[index]
            if (name, moment) in given and (name, moment) in mine:
                array[index] = given[name, moment][row, column]
        claimed |= mine
        made[path] = array
    return made
