"""How much memory fast code takes, counted before any array is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from sympy import Basic, Expr, Integer

from symrnn.codegen.arguments import BATCH
from symrnn.codegen.fast.chunks import BLOCK, CHUNK
from symrnn.codegen.fast.columns import COLUMNS
from symrnn.codegen.fast.function import FastFunction
from symrnn.codegen.fast.workspace import Buffer, buffers, chunk_size
from symrnn.errors import SpecError, unknown


@dataclass(frozen=True)
class MemoryPlan:
    """The arrays of a function, and their sizes in bytes.

    Attributes:
        rows: What each array holds, its shape, and its bytes; the largest first.
        total: The bytes of all of them.
    """

    rows: tuple[tuple[str, tuple[int, ...], int], ...]
    total: int


def memory_plan(fast: FastFunction, sizes: Mapping[str, int], itemsize: int) -> MemoryPlan:
    """Count the arrays of a function.

    Args:
        fast: The function.
        sizes: A number for each size letter, the batch ``B`` included.
        itemsize: Bytes of a number.

    Raises:
        SpecError: A letter is missing, or strange.
    """
    known = numbers(fast, sizes)
    size = chunk_size(fast.views)
    if size is not None:
        known[CHUNK] = Integer(max(1, int(size.xreplace(known))))
    known[BLOCK] = Integer(max(1, COLUMNS // sizes["B"]))
    listed = buffers(fast.views, fast.integers)
    rows = [(held(b), tuple(int(d.xreplace(known)) for d in b.dims), b.bytes(known, itemsize)) for b in listed]
    rows.sort(key=lambda row: -row[2])
    return MemoryPlan(tuple(rows), sum(row[2] for row in rows))


def numbers(fast: FastFunction, sizes: Mapping[str, int]) -> dict[Basic, Expr]:
    """Return a number for each size letter of a function."""
    letters = {str(letter): letter for letter in (BATCH, *fast.form.sizes)}
    for name in sizes:
        if name not in letters:
            raise unknown("size", name, letters)
    missing = [name for name in letters if name not in sizes]
    if missing:
        raise SpecError(f"the size {missing[0]} is missing; give numbers for {', '.join(letters)}")
    return {letters[name]: Integer(number) for name, number in sizes.items()}


def held(buffer: Buffer) -> str:
    """Say what lies in an array: the first and the last of many."""
    names = buffer.holds
    return ", ".join(names) if len(names) <= 4 else f"{names[0]}, {names[1]}, …, {names[-1]}"


def window_length(steps: int) -> int:
    """Return the number of steps of a window of code with checkpoints."""
    root = isqrt(steps)
    return max(1, root + (steps - root * root > root))


def memory_text(plan: MemoryPlan, title: str) -> str:
    """Print a plan as a table."""
    width = max(len(what) for what, _, _ in plan.rows)
    shapes = [" × ".join(map(str, shape)) for _, shape, _ in plan.rows]
    wide = max(map(len, shapes))
    lines = [f"{what:<{width}}  {shape:<{wide}}  {size:>13,} bytes" for (what, _, size), shape in zip(plan.rows, shapes, strict=True)]
    return "\n".join([title, "", *lines, "", f"{'together':<{width}}  {'':<{wide}}  {plan.total:>13,} bytes, {plan.total / 2**20:.1f} MiB"])
