"""Where values lie: arrays over time, and the rows of them that belong to one quantity.

Values that are read together lie beside each other, so that one call reads all of them; a value that only its successor
reads is overwritten by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn.codegen.fast.overwriting import (
    brief_values,
    is_column,
    is_stack,
    one_equation,
    overwritten,
    read_apart,
    wholes,
)
from symrnn.codegen.fast.probabilities import pairs
from symrnn.equations import Equation
from symrnn.expr import At, Hadamard, LogSoftmax, Rows, Series, Zeros, same, t
from symrnn.scheduling.form import Form


@dataclass(eq=False)
class Segment:
    """Rows of an array that belong together.

    Attributes:
        height: Their number.
        brief: Whether they hold a value for one time only.
        array: The array that they are part of.
    """

    height: Expr
    brief: bool = False
    array: Array = field(init=False)

    def __post_init__(self) -> None:
        """Begin as an array of its own."""
        self.array = Array([self])

    @property
    def start(self) -> Expr:
        """The first row in the array."""
        place = self.array.segments.index(self)
        return sum((segment.height for segment in self.array.segments[:place]), Integer(0))


@dataclass(eq=False)
class Array:
    """Segments that lie beside each other."""

    segments: list[Segment]

    @property
    def brief(self) -> bool:
        """Whether the array has no times."""
        return self.segments[0].brief

    @property
    def height(self) -> Expr:
        """The number of rows."""
        return sum((segment.height for segment in self.segments), Integer(0))


@dataclass(frozen=True)
class Place:
    """Rows ``lo … hi - 1`` of a run of segments, counted from its first.

    Attributes:
        run: Segments of one array, one after the other.
        lo: The first row.
        hi: The row behind the last.
    """

    run: tuple[Segment, ...]
    lo: Expr
    hi: Expr

    @property
    def array(self) -> Array:
        """The array."""
        return self.run[0].array

    @property
    def rows(self) -> tuple[Expr, Expr]:
        """The rows in the array."""
        start = self.run[0].start
        return start + self.lo, start + self.hi

    def part(self, lo: Expr, hi: Expr) -> Place:
        """Return some of the rows; of a run, only the segments that they touch where that can be told."""
        top = Integer(0)
        for segment in self.run:
            if self.lo == 0 and same(top, lo) and same(segment.height, hi - lo):
                return Place((segment,), Integer(0), segment.height)
            top = top + segment.height
        return Place(self.run, self.lo + lo, self.lo + hi)


@dataclass
class Places:
    """The place of each series of columns.

    Attributes:
        form: What is computed.
        of: The places.
        brief: Values that are read in the step that makes them only: an array for one time holds them.
        copied: Stacked quantities whose parts lie elsewhere, and are copied.
        pairs: A softmax and its logarithm that are written together, by both quantities.
        arrays: A name for each array.
    """

    form: Form
    of: dict[Basic, Place] = field(default_factory=dict)
    brief: set[Basic] = field(default_factory=set)
    copied: set[Basic] = field(default_factory=set)
    pairs: dict[Basic, tuple[Equation, Equation]] = field(default_factory=dict)
    arrays: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find a place for everything."""
        self.pairs = pairs(self.form)
        for given in self.form.network.givens:
            if isinstance(given.quantity, Series) and is_column(given.quantity) and given.kind != "integer":
                self.of.setdefault(given.quantity, alone(given.quantity.shape[0]))
        readers = self.form.readers()
        self.brief = brief_values(self.form, readers)
        for e in self.form.equations:
            if e.span is not None and is_column(e.quantity) and e.quantity not in self.of and not isinstance(e.rhs, Zeros):
                self.of[e.quantity] = self.found(e, readers)
        for e in self.form.equations:
            if is_stack(e) and not self.joined([part.series for part in e.rhs.args], e.quantity):
                self.copied.add(e.quantity)
        self.align()
        for place in self.of.values():
            self.arrays.setdefault(id(place.array), f"array_{len(self.arrays) + 1}")

    def found(self, e: Equation, readers: dict[Basic, Any]) -> Place:
        """Return the place of what an equation defines: that of a value that it overwrites, or one of its own."""
        if isinstance(e.rhs, Rows) and isinstance(e.rhs.args[0], At) and e.rhs.args[0].time == t:
            return self.of[e.rhs.args[0].series].part(*e.rhs.args[1:])
        free = [(leaf, rows) for leaf, rows in overwritten(e.rhs) if self.may_go(leaf.series, e, rows, readers)]
        free.sort(key=lambda pair: self.of[pair[0].series].array.brief)
        for operand, rows in free[:1]:
            place = self.of[operand.series]
            return place if rows is None else place.part(*rows)
        return alone(e.quantity.shape[0], brief=e.quantity in self.brief)

    def may_go(self, source: Any, e: Equation, rows: Any, readers: dict[Basic, Any]) -> bool:
        """Tell whether a value, or rows of it, may be overwritten by the one equation that reads it."""
        if source not in self.of or source in self.form.results or any(source == g.quantity for g in self.form.network.givens):
            return False
        read = readers[source]
        if any(leaf.time != t for _, leaf in read) or not one_equation(self.form, source, e.quantity):
            return False
        if self.of[source].array.brief and e.quantity not in self.brief:
            return False
        pair = [reader for reader, _ in read] == list(self.pairs.get(e.quantity, ())) and isinstance(e.rhs, LogSoftmax)
        alone = pair or len(read) == 1 if rows is None else read_apart(source, readers)
        return alone and all(self.only_pieces(whole, readers) for whole in wholes(source, self.form))

    def only_pieces(self, whole: Basic, readers: dict[Basic, Any]) -> bool:
        """Tell whether nobody reads a value but in pieces, each where it is made: then one who reads a piece may overwrite it."""
        if whole in self.form.results or any(whole == g.quantity for g in self.form.network.givens):
            return False
        return all(leaf.time == t for _, leaf in readers[whole]) and read_apart(whole, readers)

    def joined(self, parts: list[Series], whole: Basic) -> bool:
        """Let parts lie one after the other; tell whether that could be done."""
        places = [self.of[part] for part in parts]
        if any(len(place.run) != 1 or place.lo != 0 or not same(place.hi, place.run[0].height) for place in places):
            return False
        run = [place.run[0] for place in places]
        if len(set(map(id, run))) < len(run) or len({segment.brief for segment in run}) > 1 or not self.bring_together(run):
            return False
        self.of[whole] = Place(tuple(run), Integer(0), sum((segment.height for segment in run), Integer(0)))
        return True

    def bring_together(self, run: list[Segment]) -> bool:
        """Join arrays so that segments lie in a row."""
        placed = [segment for segment in run if len(segment.array.segments) > 1]
        if not placed:
            join(run)
            return True
        array = placed[0].array
        first = run.index(placed[0])
        held = run[first:first + len(placed)]
        if held != placed or any(segment.array is not array for segment in placed):
            return False
        at = array.segments.index(placed[0])
        if array.segments[at:at + len(placed)] != placed:
            return False
        front, back = run[:first], run[first + len(placed):]
        if (front and at != 0) or (back and at + len(placed) != len(array.segments)):
            return False
        join([*front, *array.segments, *back])
        return True

    def align(self) -> None:
        """Let factors lie in the order of the values that they are factors of, so that one call multiplies all of them."""
        made = {id(self.of[e.quantity].run[0]): e for e in self.form.equations if e.quantity in self.of and len(self.of[e.quantity].run) == 1}
        for array in list({id(place.array): place.array for place in self.of.values()}.values()):
            run: list[Segment] = []
            for segment in [*array.segments, None]:
                factor = self.factor_of(made.get(id(segment))) if segment is not None else None
                if factor is not None and factor not in run:
                    run.append(factor)
                    continue
                if len(run) > 1:
                    join(run)
                run = []

    def factor_of(self, e: Equation | None) -> Segment | None:
        """Return the segment of the factor that multiplies a recurrent value, where it lies alone."""
        if e is None or not isinstance(e.rhs, Hadamard) or not all(isinstance(part, At) for part in e.rhs.args):
            return None
        place = self.of.get(e.rhs.args[-1].series)
        if place is None or len(place.run) != 1 or len(place.array.segments) > 1 or place.lo != 0:
            return None
        given = any(g.quantity == e.rhs.args[-1].series for g in self.form.network.givens)
        return None if given or not same(place.hi, place.run[0].height) else place.run[0]


def alone(height: Expr, *, brief: bool = False) -> Place:
    """Return a new array."""
    return Place((Segment(height, brief),), Integer(0), height)


def join(segments: list[Segment]) -> None:
    """Make one array of segments."""
    array = Array(list(segments))
    for segment in segments:
        segment.array = array
