"""Forms, fast programs and numbers for them, and how their results are compared."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from sympy import Integer
from test_formulas_round_trip import WIRED, derivation_of

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.codegen import NumpyProgram, to_numpy
from symrnn.codegen.fast.overwriting import is_stack
from symrnn.codegen.fast.places import Places
from symrnn.codegen.functions import Function, Result
from symrnn.codegen.module import module
from symrnn.codegen.naming import identifier
from symrnn.derivation import Derivation, key_of
from symrnn.expr import At, Columns, Rows, TimeSum, Zeros, t
from symrnn.leftout import for_reading
from symrnn.networks import TASKS, network
from symrnn.networks.graph import Scan
from symrnn.scheduling import Form
from symrnn.scheduling.form import equations_of, recurrent
from symrnn.verify.points import default_sizes, random_point

LAYOUTS = ("batch-first", "feature-first")
WRT = ("all", "parameters")
TASKED = [f"{name}, {task}" for name in CELLS for task in TASKS]
NAMED = [*TASKED, *WIRED, "layer-normalised"]


@cache
def case(name: str) -> Derivation:
    """The derivation of a cell for a task, of a wired network, or of what else has a name."""
    kind, _, task = name.partition(", ")
    return derive(network(cell(kind), task=task)) if kind in CELLS and task else derivation_of(name)


def form_of(derivation: Derivation, wrt: str = "all") -> Form:
    """The equations of a derivation as they are, with its loss and gradients as results."""
    net = for_reading(derivation).as_network()
    given = [g for g in derivation.wanted if wrt == "all" or g.kind == "parameter"]
    results = {key_of(derivation.by_quantity[g.quantity].lhs): g.span for g in given}
    return Form(net, net.blocks, {net.loss: None} | results)


def values_of(form: Form, point: dict, sizes: dict) -> dict:
    """What the readable code of a form computes for its results, by name; nothing is summed over the batch."""
    results = tuple(Result(str(q.key), q, span) for q, span in form.results.items())
    source = module(form.as_network(), [Function("forward", "Return quantities.", results, "Arrays.", loss=False)], "Form.", "indexed")
    names: dict = {}
    exec(compile(source, "<form>", "exec"), names)
    known = {**sizes, **{identifier(name): array for name, array in point.items()}, "phi": np.sin, "phi_prime": np.cos}
    takes = inspect.signature(names["forward"]).parameters.keys() - {"params"}
    return names["forward"](params=point, **{name: known[name] for name in takes})


def random_values(derivation: Derivation, seed: int = 0, dtype: type = np.float64, **sizes: int) -> dict:
    """Numbers for everything that a program is given, and for the sizes that no array tells."""
    numbers = {**default_sizes(derivation), **sizes}
    point = random_point(derivation.network, numbers, np.random.default_rng(seed), dtype)
    for a in readable(derivation).arguments:
        if point[a.given.name].ndim < len(a.dims):  # a mask over rows of which there is one
            point[a.given.name] = point[a.given.name][..., None]
    return point | {name: numbers[name] for name in unseen(derivation)}


@cache
def readable(derivation: Derivation) -> NumpyProgram:
    return to_numpy(derivation)


@cache
def fast(derivation: Derivation, wrt: str | tuple[str, ...] = "all", layout: str | None = None) -> NumpyProgram:
    return to_numpy(derivation, style="fast", wrt=wrt, layout=layout)


@cache
def unseen(derivation: Derivation) -> tuple[str, ...]:
    """Letters that the functions of a program take, since no array tells them."""
    letters = {str(letter) for letter in derivation.network.sizes}
    return tuple(name for name in readable(derivation).accepted if name in letters)


def assert_same(found: dict, expected: dict, tolerance: float = 1e-12, least: float = 1e-13) -> None:
    """Every array is the same up to rounding, relative to its own entries, or to the largest of all where it vanishes."""
    assert found.keys() == expected.keys()
    whole = max((float(np.abs(array).max(initial=0)) for array in expected.values()), default=0.0)
    for name, array in expected.items():
        here = np.asarray(found[name])
        assert here.shape == array.shape, (name, here.shape, array.shape)
        np.testing.assert_allclose(here, array, rtol=0, atol=tolerance * float(np.abs(array).max(initial=0)) + least * whole, err_msg=name)


def assert_fast_is_readable(derivation: Derivation, program: NumpyProgram, values: dict, tolerance: float = 1e-12) -> None:
    """A fast program gives the loss and the gradients of the readable one."""
    loss, gradients = readable(derivation).gradients(values)
    known = program.accepted  # of the sizes that no array tells, some are needed by other code only
    found, mine = program.gradients({name: value for name, value in values.items() if name in known})
    assert_same({"loss": np.asarray(found)}, {"loss": np.asarray(loss)}, tolerance)
    assert mine
    assert_same(mine, {name: gradients[name] for name in mine}, tolerance)


@dataclass
class Memory:
    """Rows of arrays, each with the number of times that it was written; and those of each value when it was made.

    Attributes:
        places: What is checked.
        numbers: A number for each size.
    """

    places: Places
    numbers: dict
    written: Counter = field(default_factory=Counter)
    known: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)
    overwritten: int = 0

    def number(self, end):
        return int(end.xreplace(self.numbers))

    def times(self, span):
        return [None] if span is None else range(self.number(span.lo), self.number(span.hi) + 1)

    def rows(self, series, time):
        place = self.places.of[series]
        lo, hi = map(self.number, place.rows)
        return [(id(place.array), None if place.array.brief else time, row) for row in range(lo, hi)]

    def make(self, series, time, *, writes=True):
        if series in self.places.of:
            rows = self.rows(series, time)
            self.overwritten += any(self.written[row] for row in rows) and writes
            self.written.update(rows if writes else ())
            self.known[series, time] = [self.written[row] for row in rows]

    def read(self, series, time, reader, some=slice(None)):
        if series in self.places.of:
            now = [self.written[row] for row in self.rows(series, time)[some]]
            if self.known.get((series, time), [])[some] != now:
                self.faults.append(f"{reader} reads {series.key} at {time}")

    def read_all(self, node, numbers, reader):
        if isinstance(node, At):
            self.read(node.series, int(node.time.xreplace(numbers)), reader)
        elif isinstance(node, Rows) and isinstance(node.args[0], At):  # other rows may have been overwritten
            leaf, lo, hi = node.args
            self.read(leaf.series, int(leaf.time.xreplace(numbers)), reader, slice(self.number(lo), self.number(hi)))
        elif isinstance(node, TimeSum | Columns):
            body, index, lo, hi = node.args
            for number in range(int(lo.xreplace(numbers)), int(hi.xreplace(numbers)) + 1):
                self.read_all(body, {**numbers, index: Integer(number)}, reader)
        else:
            for arg in getattr(node, "args", ()):
                self.read_all(arg, numbers, reader)

    def step(self, e, time):
        pair = self.places.pairs.get(e.quantity)
        if pair is not None:
            self.together(e, pair, time)
            return
        self.read_all(e.rhs, self.numbers if time is None else {**self.numbers, t: Integer(time)}, e)
        if time is not None:
            self.make(e.quantity, time, writes=not (isinstance(e.rhs, Zeros) or self.is_part(e) or self.is_joined(e)))

    def together(self, e, pair, time):
        """A softmax and its logarithm read before either is written, where the first of them is defined."""
        if e == min(pair, key=self.places.form.equations.index):
            for one in pair:
                self.read_all(one.rhs, {**self.numbers, t: Integer(time)}, one)
            for one in pair:
                self.make(one.quantity, time)

    def is_part(self, e):
        """Whether a value is rows of another, where those lie."""
        if not isinstance(e.rhs, Rows) or not isinstance(e.rhs.args[0], At) or e.rhs.args[0].series not in self.places.of:
            return False
        whole, part = self.places.of[e.rhs.args[0].series], self.places.of.get(e.quantity)
        return part is not None and part.array is whole.array

    def is_joined(self, e):
        return is_stack(e) and e.quantity not in self.places.copied

    def run(self):
        form = self.places.form
        for g in form.network.givens:
            for time in self.times(g.span) if g.span is not None else ():
                self.make(g.quantity, time)
        for block in form.blocks:
            span = [(e, time) for e in equations_of(block) for time in self.times(e.span)]
            if isinstance(block, Scan) and recurrent(block):
                span.sort(key=lambda pair: block.step * pair[1])
            for e, time in span:
                self.step(e, time)
        for q, span in form.results.items():
            for time in self.times(span) if span is not None else ():
                self.read(q, time, "the result")
        return self


def memory_of(form, places=None):
    letters = {s for q in form.quantities() for size in q.shape for s in size.free_symbols} | set(form.network.sizes)
    sizes = default_sizes(form.network)
    return Memory(places or Places(form), {letter: Integer(sizes[letter.name]) for letter in letters}).run()
