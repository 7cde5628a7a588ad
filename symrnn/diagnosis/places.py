"""Where in the user's file a gradient is computed: the line after which a variable holds the wrong value.

Guarantees:
    A line that is named assigned, in a run that was watched, an array with the value of the wrong formula (of a term, of a
    sum so far, of a block of a fused array, transposed or not). Blind: to values that never have a name.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.diagnosis.watching import Record
from symrnn.verify.handwritten.findings import Place
from symrnn.verify.handwritten.naming import stems

CLOSE = 1e-9
AROUND = 3
"""How many lines more are looked at for one that is named as the quantity."""


def holds(array: Any, wanted: Any) -> bool:
    """Tell whether an array is another one, transposed or not, or has it as a block along an axis."""
    for form in (wanted, wanted.T) if wanted.ndim == 2 else (wanted,):
        if form.shape == array.shape:
            if near(array, form):
                return True
        elif form.ndim == array.ndim:
            for axis in range(form.ndim):
                others = [n for k, n in enumerate(array.shape) if k != axis] == [n for k, n in enumerate(form.shape) if k != axis]
                if others and array.shape[axis] % form.shape[axis] == 0 and array.shape[axis] // form.shape[axis] <= 4:
                    blocks = np.split(array, array.shape[axis] // form.shape[axis], axis=axis)
                    if any(near(block, form) for block in blocks):
                        return True
    return False


def near(a: Any, b: Any) -> bool:
    """Tell whether two arrays are equal up to rounding, and not 0."""
    size = float(np.abs(b).max(initial=0.0))
    return size > 0 and bool(np.abs(a - b).max(initial=0.0) <= CLOSE * size)


@dataclass(frozen=True)
class Wanted:
    """A value by which a line is known.

    Attributes:
        value: The array.
        skip: How many lines hold it rightly, before the one that holds it by mistake.
        strict: Whether there must be a line beyond those.
        letters: What the code may call the quantity whose gradient is wrong: a variable that is named so is taken before others.
    """

    value: Any
    skip: int = 0
    letters: tuple[str, ...] = ()
    strict: bool = False


def first_place(records: Sequence[Record], wanted: Iterable[Wanted], *, last: bool = False, outer: bool = False) -> tuple[Place, str] | None:
    """Return the first line that leaves one of some values behind, and the variable.

    Args:
        records: In order.
        wanted: The values, the most telling first.
        last: Whether the last assignment in a loop is wanted instead.
        outer: Whether the line of the loop is wanted that called the function of the line.
    """
    ordered = [r for r in reversed(records) if r.loop or r.calls] if last else records
    spare: Record | None = None
    for one in wanted:
        lines = lines_with(ordered, one)
        named = [record for record in lines if set(stems(last_name(record.name))) & set(one.letters)]
        if lines and not one.strict and not lines[0].copies and lines[-1].copies:
            lines = [record for record in lines if not record.copies]
            return placed(named[0] if len(named) == 1 else lines[min(one.skip, len(lines) - 1)], outer=outer)
        if len(lines) > one.skip:
            return placed(named[0] if len(named) == 1 else lines[one.skip], outer=outer)
        if named:
            return placed(named[-1], outer=outer)
        spare = spare or (lines[-1] if lines else None)
    return placed(spare, outer=outer) if spare is not None else None


def lines_with(records: Sequence[Record], wanted: Wanted) -> list[Record]:
    """Return the first record of each line that holds a value, not more than are asked for."""
    value = np.asarray(wanted.value, dtype=float)
    value = value.reshape(tuple(n for n in value.shape if n != 1))
    found: dict[int, Record] = {}
    if value.size > 1 and np.isfinite(value).all():
        for record in records:
            if record.line not in found and not (wanted.skip and record.adds) and holds(record.value, value):
                found[record.line] = record
                if len(found) > wanted.skip + (AROUND if wanted.letters else 0):
                    break
    return list(found.values())


def last_name(name: str) -> str:
    """Return the last name in a target: of ``grads['dbi']`` it is ``dbi``."""
    return re.findall(r"[^\W\d]\w*", name)[-1] if re.search(r"[^\W\d]", name) else name


def placed(record: Record, *, outer: bool) -> tuple[Place, str]:
    """Return the line of a record, or of the loop that called its function, and its variable."""
    line = record.calls if outer and record.calls else record.line
    return Place(line, linecache.getline(record.file, line).strip()), record.name


def clipping_places(lines: Iterable[tuple[str, int]]) -> tuple[Place, ...]:
    """Return the lines that clip, among those that were run: by ``clip``, or by a minimum and a maximum, or by a norm."""
    found = []
    for file, line in lines:
        source = linecache.getline(file, line).strip()
        if "clip" in source or ("minimum" in source and "maximum" in source):
            found.append(Place(line, source))
    return tuple(found)
