"""Elementwise work for all times, in chunks of times that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Symbol, expand

from symrnn.codegen.fast.merging import read
from symrnn.codegen.fast.steps import Call, Guarded, Item, Nest, Ref, Step, Times, steps_of
from symrnn.expr import t

FIRST, STOP = Symbol("_first", integer=True), Symbol("_stop", integer=True)
"""The first time of a chunk, and the one behind its last."""
ENTRIES = 2**15
"""How many entries of an array a chunk has, about."""


def runs(body: Sequence[Step | Guarded], kept: set[str]) -> Iterable[tuple[bool, list[Step]]]:
    """Cut what is done for all times into runs; yield with each whether it can be done in chunks of times.

    Args:
        body: The steps.
        kept: Arrays in between that are read as a whole.
    """
    run: list[Step] = []
    for step in [*body, None]:
        if isinstance(step, Call):
            run.append(step)
            continue
        if run:
            yield len(run) > 1 and in_chunks(run, kept), run
            run = []
        if step is not None and not isinstance(step, Guarded):
            yield False, [step]


def in_chunks(run: Sequence[Step], kept: set[str]) -> bool:
    """Tell whether no step needs what another one writes at a different time, and nothing in between is read as a whole."""
    calls = [step for step in run if isinstance(step, Call)]
    written = {call.out.array for call in calls}
    refs = [ref for call in calls for ref in (*read(call), call.out)]
    moved = any(ref.array in written and ref.time is not None and expand(ref.time - t) != 0 for ref in refs)
    return not moved and not any(ref.array in kept for ref in refs)


def read_as_a_whole(items: Iterable[Item]) -> set[str]:
    """Return the arrays in between that products read."""
    steps = [step for item in items if isinstance(item, Nest) and item.step == 0 for step in steps_of(item)]
    refs: list[Ref] = [step.operand for step in steps if isinstance(step, Times)]
    return {ref.array for ref in refs if ref.time is None}


