"""What the user's backward returned at some points, cut into the parts that a model's gradients predict.

A part is one gradient of the model at one point: ``∂L/∂W_f``, the columns of ``dWx`` that belong to one gate; ``∂L/∂x_t`` at
one time. The upstream gradient of the first time alone is a point of its own: nothing flows back there, so that what is wrong
within a step is seen apart from what is wrong between steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.diagnosis.formulas_as_code import UNRUNNABLE
from symrnn.diagnosis.matching import Reading
from symrnn.diagnosis.models import Model
from symrnn.diagnosis.observing import Code, Values, as_floats
from symrnn.diagnosis.rules import Rule, Rules
from symrnn.diagnosis.running import Bench
from symrnn.diagnosis.search import Match, bench_of, upstream_arrays
from symrnn.expr import At, Series
from symrnn.verify.balls.dual import Dual
from symrnn.verify.handwritten.structures import Path

CLOSE = 1e-8
GRID = 64


@dataclass(frozen=True)
class Part:
    """A gradient of the model, and where it stands in what the code returned.

    Attributes:
        of: The quantity.
        time: Of a series; ``None`` for a parameter.
        places: In the vector of all entries, in the shape of the quantity.
        output: Name of the code's array.
    """

    of: Any
    time: int | None
    places: Any
    output: str


def parts_of(reading: Reading, code: Code, returned: Iterable[str]) -> list[Part]:
    """Return the parts of everything that was returned.

    Args:
        reading: How arrays are quantities.
        code: The code.
        returned: Names of the arrays whose gradient was returned.
    """
    owner = np.empty(code.entries.size, dtype=object)
    for name in code.entries.shapes:
        owner[code.entries.places(name)] = name
    known = set(returned)
    found = []
    for parameter, places in reading.parameters.items():
        found += [Part(parameter, None, one, str(owner[one.flat[0]])) for one in places]
    series = {g.quantity.name: g.quantity for g in reading.model.network.givens if isinstance(g.quantity, Series) and g.kind in {"input", "initial"}}
    for (name, time), places in reading.series.items():
        if name in series:
            found.append(Part(series[name], time, places, str(owner[places.flat[0]])))
    return [part for part in found if part.output in known]


@dataclass
class Point:
    """A point, and what the code returned there.

    Attributes:
        match: The model.
        code: The code.
        values: Exact numbers of all arrays.
        upstream: Upstream gradients by series and time, as exact numbers.
        local: Whether nothing flows back from another time.
        times: The times at which gradients are not 0, from the last to the first.
        clipping: Whether what the backward clips is clipped.
    """

    match: Match
    code: Code
    values: Values
    upstream: Mapping[tuple[str, int], Any]
    local: bool = False
    times: Sequence[int] = ()
    clipping: bool = True
    bench: Bench = field(init=False)
    returned: Any = field(init=False)
    names: tuple[str, ...] = field(init=False)
    parts: list[Part] = field(init=False)
    balls: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Run the code, and the model's forward."""
        frame = self.code.run(self.values, upstream_arrays(self.match, self.upstream), clipping=self.clipping)
        self.balls = self.code.gradients(frame)
        self.names = tuple(self.balls)
        self.returned = self.code.entries.vector({name: as_floats(array) for name, array in self.balls.items()})
        self.bench = self.ready(float)
        self.parts = parts_of(self.match.reading, self.code, self.names)
        if not self.times:
            self.times = range(self.bench.length, -1, -1)
        self.parts = [part for part in self.parts if part.time is None or part.time in self.times]

    @property
    def model(self) -> Model:
        """The model."""
        return self.match.model

    def ready(self, kind: Any) -> Bench:
        """Return the model's forward pass at this point, in float64 or in balls (``object``)."""
        bench = bench_of(self.match.reading, self.code.vector(self.values, kind))
        columns = self.match.reading.sizes.B
        for name, given in self.model.upstream:
            for time in range(1, bench.length + 1):
                array = self.upstream.get((name, time))
                exact = np.zeros((bench.rows(given), columns), dtype=int).astype(object) if array is None else array
                bench.give(given, {time: exact.astype(float) if kind is float else exact})
        with np.errstate(all="ignore"):
            bench.forward()
        return bench

    @property
    def factor(self) -> Any:
        """The code's loss as a multiple of the model's."""
        return self.match.factor

    def predicted(self, rules: Rules, bench: Bench | None = None) -> None:
        """Run wrong or right rules, so that :meth:`explained` can be asked."""
        (bench or self.bench).backward(rules, self.times)

    def value(self, rule: Rule, part: Part, bench: Bench | None = None) -> Any:
        """Return the gradient of a part by a rule, after :meth:`predicted`."""
        bench = bench or self.bench
        if part.time is None:
            return bench.static(rule) * self.scale(bench)
        total: Any = bench.plan(rule).zero
        for function, lo, hi in bench.terms(rule):
            if lo <= part.time <= hi:
                total = total + function(part.time)
        return total * self.scale(bench)

    def scale(self, bench: Bench) -> Any:
        """Return the factor of the loss as a number of the bench's kind."""
        if self.factor == 1:
            return 1
        return float(self.factor) if bench is self.bench else Dual(ball(self.factor))

    def is_explained(self, rule: Rule, part: Part) -> bool:
        """Tell whether a rule gives what the code returned for a part."""
        try:
            value = self.value(rule, part)
        except UNRUNNABLE:
            return False
        got = self.returned[part.places]
        if np.shape(value) != got.shape:
            return False
        size = max(float(np.abs(got).max(initial=0.0)), float(np.abs(value).max(initial=0.0)))
        return bool(np.abs(got - value).max(initial=0.0) <= CLOSE * size)


def ball(number: Any) -> Any:
    """Return an exact number as a ball."""
    made = Dual(0) + number
    return made.value


def whole_upstream(match: Match, seed: str, times: Iterable[int], names: Iterable[str]) -> dict[tuple[str, int], Any]:
    """Draw upstream gradients for some series at some times, where the code takes any."""
    taken = {(entry[0], entry[1]) for array in match.outputs.values() for entry in array.flat}
    rng = random.Random(seed)
    sizes = match.reading.sizes
    rows = {name: sizes.K if name == "y_hat" else sizes.H for name, _ in match.model.upstream}
    wanted = set(times)
    made = {}
    for name in names:
        for time in sorted(wanted):
            if (name, time) in taken:
                array = np.empty((rows[name], sizes.B), dtype=object)
                for index in np.ndindex(array.shape):
                    array[index] = fraction(rng)
                made[name, time] = array
    return made


def fraction(rng: random.Random) -> Any:
    """Draw an exact number of a size around ½."""
    return Fraction(rng.choice((-1, 1)) * rng.randint(GRID // 4, GRID), GRID)


def gradient_of(leaf: Any) -> Any:
    """Return the series of a gradient at a time."""
    return leaf.series if isinstance(leaf, At) else leaf


__all__ = ["Part", "Path", "Point", "parts_of", "whole_upstream"]
