"""Times as they are written on the command line: ``T``, ``2..T``, ``1,3,T-1``."""

from __future__ import annotations

import re
from typing import Any

from sympy import Expr, Integer

from symrnn.errors import SpecError
from symrnn.expr import dim
from symrnn.times import Order, Span

WORDS = ("all", "last", "first")
TIME = re.compile(r"(?:(?P<letter>[A-Za-z])(?P<shift>[+-]\d+)?|(?P<number>\d+))", re.ASCII)


def read_times(text: str) -> Any:
    """Read times that carry loss.

    Args:
        text: ``all``, ``last`` or ``first``; or times and ranges with commas in between: a number, a letter such as ``T``,
            ``T-1``, ``2..T``.

    Returns:
        The word, or a tuple of spans.

    Raises:
        SpecError: What is no time, or a range that ends before it begins.
    """
    if text in WORDS:
        return text
    return tuple(span(part.strip(), text) for part in text.split(","))


def span(part: str, text: str) -> Span:
    """Read a time or a range."""
    first, dots, last = part.partition("..")
    lo, hi = time(first, text), time(last if dots else first, text)
    if Order().compare(hi, lo) < 0:
        raise SpecError(f"--times {text}: the range {part} ends before it begins; write it the other way round")
    return Span(lo, hi)


def time(written: str, text: str) -> Expr:
    """Read one time."""
    found = TIME.fullmatch(written.strip())
    if found is None:
        raise SpecError(f"--times {text}: '{written}' is no time; write times such as 1,3,T-1, ranges such as 2..T, or all, last, first")
    if found["number"]:
        return Integer(found["number"])
    letter: Expr = dim(found["letter"])
    return letter + int(found["shift"] or 0)
