"""Ranges of times with symbolic ends, compared for all sequences of at least some length."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cmp_to_key
from typing import Any

from sympy import Expr, Integer, Poly, expand, sympify

from symrnn.errors import SpecError


@dataclass(frozen=True)
class Span:
    """The times ``lo … hi``, both included."""

    lo: Expr
    hi: Expr

    def __post_init__(self) -> None:
        """Accept plain integers."""
        object.__setattr__(self, "lo", sympify(self.lo))
        object.__setattr__(self, "hi", sympify(self.hi))

    def shifted(self, by: Any) -> Span:
        """Return the span moved by a number of steps."""
        return Span(expand(self.lo + by), expand(self.hi + by))

    @property
    def single(self) -> bool:
        """Whether the span is one time."""
        return bool(self.lo == self.hi)

    def __str__(self) -> str:
        return str(self.lo) if self.single else f"{self.lo}…{self.hi}"


@cache
def compared(a: Expr, b: Expr) -> tuple[int, tuple[tuple[Expr, int], ...]]:
    """Return the order of two times, and the least length of the sequence for which it holds, where they depend on one."""
    gap = expand(a - b)
    if gap.is_Integer:
        return int(bool(gap > 0)) - int(bool(gap < 0)), ()
    lengths = sorted(gap.free_symbols, key=str)
    if len(lengths) != 1:
        raise SpecError(f"cannot order the times {a} and {b}; they belong to sequences of different lengths")
    slope, offset = Poly(gap, lengths[0]).all_coeffs()
    return (1 if slope > 0 else -1), ((lengths[0], math.ceil(-offset / slope)),)


@dataclass
class Order:
    """Compares symbolic times, and keeps the least length of each sequence for which every comparison holds."""

    least: dict[Expr, int] = field(default_factory=dict)

    def compare(self, a: Expr, b: Expr) -> int:
        """Return -1, 0 or 1 as ``a`` is before, at or after ``b`` in all long enough sequences.

        Raises:
            SpecError: The order depends on the lengths of two different sequences.
        """
        sign, least = compared(a, b)
        for length, number in least:
            self.least[length] = max(self.least.get(length, 1), number)
        return sign

    def sort(self, times: Iterable[Expr]) -> list[Expr]:
        """Sort times without repeats."""
        return sorted(dict.fromkeys(expand(time) for time in times), key=cmp_to_key(self.compare))

    def covers(self, outer: Span, inner: Span) -> bool:
        """Tell whether every time of ``inner`` lies in ``outer``."""
        return self.compare(outer.lo, inner.lo) <= 0 and self.compare(inner.hi, outer.hi) <= 0

    def disjoint(self, a: Span, b: Span) -> bool:
        """Tell whether two spans have no time in common."""
        return self.compare(a.hi, b.lo) < 0 or self.compare(b.hi, a.lo) < 0

    def cut(self, span: Span, marks: Iterable[Expr]) -> list[Span]:
        """Cut a span before each mark that lies inside it; in the shortest sequences one of the pieces may be empty."""
        inside = [m for m in self.sort(marks) if self.compare(span.lo, m) < 0 and self.compare(m - Integer(1), span.hi) < 0]
        starts = [span.lo, *inside]
        ends = [expand(m - Integer(1)) for m in inside] + [span.hi]
        return [Span(lo, hi) for lo, hi in zip(starts, ends, strict=True)]


def hull(spans: Iterable[Span], order: Order) -> Span:
    """Return the smallest span that contains all of ``spans``."""
    listed = list(spans)
    return Span(order.sort(s.lo for s in listed)[0], order.sort(s.hi for s in listed)[-1])
