"""The arrays of a workspace, and the names under which a function reads and writes parts of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Expr, Integer, expand

from symrnn.codegen.arguments import BATCH
from symrnn.codegen.fast.chunks import FIRST
from symrnn.codegen.fast.places import Places
from symrnn.codegen.fast.steps import Ref
from symrnn.codegen.formatting import grouped
from symrnn.codegen.values import Scope
from symrnn.expr import Series, t
from symrnn.scheduling.form import times_known
from symrnn.times import Span, hull


@dataclass
class Views:
    """Names of arrays, and of rows of them.

    Attributes:
        places: Where the columns lie.
        names: Identifiers of series.
        batch_first: Whether the batch comes before the rows.
        used: Names that a function uses, with the code that makes them in the workspace.
        statics: Arrays without time, such as stacked weights, with their shapes.
        scratch: Arrays for values in between: their heights, and the times of those for all times at once.
    """

    places: Places
    names: dict[Basic, str]
    batch_first: bool
    used: dict[str, str] = field(default_factory=dict)
    statics: dict[str, tuple[Expr, ...]] = field(default_factory=dict)
    scratch: dict[str, tuple[Expr, Expr | None]] = field(default_factory=dict)
    covering: dict[tuple[str, Any, Any], str] = field(default_factory=dict)
    tops: dict[tuple[str, Expr], str] = field(default_factory=dict)
    bottoms: dict[tuple[str, Expr], str] = field(default_factory=dict)
    ends: dict[str, Expr] = field(default_factory=dict)
    starts: dict[str, Expr] = field(default_factory=dict)
    brief: set[str] = field(default_factory=set)
    kept: dict[str, tuple[Expr, int]] = field(default_factory=dict)
    chunked: set[str] = field(default_factory=set)
    chunk_heights: set[Expr] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Name the arrays by what lies in them, and find how long they are."""
        form = self.places.form
        spans = times_known(form)
        for series, place in self.places.of.items():
            key = self.keys[id(place.array)]
            if place.array.brief:
                self.brief.add(key)
            lo, hi = place.rows
            self.cover(key, expand(lo), expand(hi), self.names[series])
            self.extend(key, spans.get(series, []))
        for series in spans:
            if isinstance(series, Series) and series not in self.places.of:
                self.extend(self.names[series], spans[series])

    def cover(self, key: str, lo: Expr, hi: Expr, name: str) -> None:
        """Remember a name for rows of an array."""
        self.covering[key, lo, hi] = name
        self.tops.setdefault((key, lo), name)
        self.bottoms.setdefault((key, hi), name)

    def keep(self, name: str, height: Expr, more: int) -> None:
        """Ask for memory for rows of a block of times, and of some times more; the most that is asked for counts."""
        self.kept[name] = (height, max(more, self.kept.get(name, (height, 0))[1]))

    @property
    def keys(self) -> dict[int, str]:
        """The names of the arrays."""
        return self.places.arrays

    def extend(self, key: str, spans: Iterable[Span]) -> None:
        """Remember the first time of an array, 0 or earlier, and the last one."""
        for span in spans:
            if span.lo.is_negative:
                self.starts[key] = min(self.starts.get(key, Integer(0)), span.lo)
            known = [Span(Integer(0), self.ends[key])] if key in self.ends else []
            self.ends[key] = hull([*known, Span(Integer(0), span.hi)], self.places.form.order).hi

    def length(self, key: str) -> Expr:
        """Return the number of times of an array."""
        return self.ends[key] - self.starts.get(key, Integer(0)) + 1

    def key_of(self, series: Any) -> str:
        """Return the array in which a series lies."""
        return self.keys[id(self.places.of[series].array)] if series in self.places.of else self.names[series]

    def index(self, key: str, time: Expr) -> Expr:
        """Return the place of a time in an array: the time itself, unless there are times before 0."""
        return expand(time - self.starts.get(key, Integer(0)))

    def text(self, ref: Ref, span: Span | None, scope: Scope) -> str:
        """Write rows at a time, or at all times of a span."""
        number = scope.number
        if ref.time is None:
            return self.timeless(ref, span, scope)
        name = self.name(ref, number)
        if span is None or not ref.time.has(t):
            return f"{self.use(name, ref, number, each=span is None)}[{number(self.index(ref.array, ref.time))}]"
        first, last = (self.index(ref.array, end + ref.time - t) for end in (span.lo, span.hi + 1))
        return f"{self.use(name, ref, number)}[{number(first)}:{number(last)}]"

    def timeless(self, ref: Ref, span: Span | None, scope: Scope) -> str:
        """Write a vector of a parameter, or an array for a value in between."""
        if ref.array in self.scratch:
            self.used.setdefault(ref.array, "")
            if span is not None and span.lo == FIRST:
                self.chunked.add(ref.array)
                return f"{ref.array}[:stop - first]"
            return ref.array
        if ref.array in self.brief:
            return self.now(ref, scope)
        return ref.array if self.batch_first else f"{ref.array}[:, None]"

    def now(self, ref: Ref, scope: Scope) -> str:
        """Write rows of an array that has no times."""
        number = scope.number
        name = f"{self.name(ref, number)}_now"
        if name not in self.used:
            lo, hi = number(expand(ref.lo)), number(expand(ref.hi))
            rows = "" if ref.whole else f"[:, {lo}:{hi}]" if self.batch_first else f"[{lo}:{hi}]"
            height, batch = number((ref.hi - ref.lo) / ref.pieces), number(BATCH)
            own = f"{batch}, {ref.pieces}, {height}" if self.batch_first else f"{ref.pieces}, {height}, {batch}"
            seen = ("[:, None]" if self.batch_first else "[None]") if ref.spread else f".reshape({own})" if ref.pieces > 1 else ""
            self.used[name] = ref.array + rows + seen
        return name

    def name(self, ref: Ref, number: Any) -> str:
        """Return a name for rows of an array: that of the quantity that lies there, or of the first and the last of them."""
        lo, hi = expand(ref.lo), expand(ref.hi)
        found = self.covering.get((ref.array, lo, hi))
        if found is None:
            first, last = self.tops.get((ref.array, lo)), self.bottoms.get((ref.array, hi))
            whole = self.covering.get((ref.array, Integer(0), expand(ref.height)), ref.array)
            rows = f"{whole}_{number(lo)}_{number(hi)}".replace(" ", "").replace("*", "")
            found = f"{first}_to_{last}" if first and last else re.sub(r"\W", "_", rows)
            self.cover(ref.array, lo, hi, found)
        if ref.spread:
            return f"{found}_each"
        return f"{found}_by_{ref.pieces}" if ref.pieces > 1 else found

    def use(self, name: str, ref: Ref, number: Any, *, each: bool = False) -> str:
        """Remember that a name is used; return it with ``_at`` for one time, or ``_all``."""
        full = f"{name}_all"
        if full not in self.used:
            lo, hi = number(expand(ref.lo)), number(expand(ref.hi))
            rows = "" if ref.whole else f"[:, :, {lo}:{hi}]" if self.batch_first else f"[:, {lo}:{hi}]"
            self.used[full] = ref.array + rows + self.seen(ref, number)
        if each:
            self.used.setdefault(f"{name}_at", f"list({full})")
            return f"{name}_at"
        return full

    def seen(self, ref: Ref, number: Any) -> str:
        """Write how rows are seen as pieces."""
        if ref.spread:
            return "[:, :, None]" if self.batch_first else "[:, None]"
        if ref.pieces == 1:
            return ""
        height, length, batch = number((ref.hi - ref.lo) / ref.pieces), number(self.length(ref.array)), number(BATCH)
        own = f"{batch}, {ref.pieces}, {height}" if self.batch_first else f"{ref.pieces}, {height}, {batch}"
        return f".reshape({length}, {own})"

    def place_ref(self, series: Basic, time: Any = None) -> Ref:
        """Return where a column lies."""
        place = self.places.of[series]
        lo, hi = place.rows
        return Ref(self.keys[id(place.array)], lo, hi, place.array.height, time)

    def all_of(self, series: Any, scope: Scope) -> str:
        """Return the name of all values of a series, as arrays with the batch first."""
        if series in self.places.of:
            ref = self.place_ref(series)
            return self.use(self.names[series], ref, scope.number)
        self.used.setdefault(f"{self.names[series]}_all", self.names[series])
        return f"{self.names[series]}_all"

    def leaf(self, series: Any, time: Expr, scope: Scope, *, last: Expr | None = None) -> str:
        """Write the value of a series at a time, or at all times up to a last one, with the batch before the rows."""
        if series in self.places.of and self.places.of[series].array.brief:
            code = self.now(self.place_ref(series), scope)
            return code if self.batch_first else f"{code}.T"
        key, number = self.key_of(series), scope.number
        times = number(self.index(key, time)) + ("" if last is None else f":{number(self.index(key, last + 1))}")
        code = f"{self.all_of(series, scope)}[{times}]"
        return code if self.batch_first or series not in self.places.of else f"{code}.swapaxes({'0, 1' if last is None else '1, 2'})"

    def by_time(self, series: Any, scope: Scope) -> str:
        """Return the values of a series such that a subscript takes one, with the batch before the rows."""
        name = self.all_of(series, scope)
        return name if self.batch_first or series not in self.places.of else f"{name}.swapaxes(1, 2)"

    def bound(self, lines: Iterable[str]) -> list[str]:
        """Write the lines that take out of a workspace what some code reads."""
        read = {word for line in lines if not line.lstrip().startswith("#") for word in re.findall(r"\w+", line)}
        names = sorted({*self.used, *self.statics, *self.kept, *(["chunk"] if self.chunk_heights else []), *(["block"] if self.kept else [])} & read)
        return grouped(names, lambda some: f"{', '.join(some)} = {', '.join(f'workspace.{name}' for name in some)}", most=5)
