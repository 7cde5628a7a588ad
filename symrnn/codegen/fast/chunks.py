"""Elementwise work for all times, in chunks of times that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Symbol, expand

from symrnn.codegen.fast.merging import read
from symrnn.codegen.fast.steps import Call, Guarded, Item, Nest, Ref, Step, Times
from symrnn.expr import t

FIRST, STOP = Symbol("_first", integer=True), Symbol("_stop", integer=True)
"""The first time of a chunk, and the one behind its last."""
CHUNK, BLOCK = Symbol("chunk", integer=True, positive=True), Symbol("block", integer=True, positive=True)
"""The number of times of a chunk, and of a block whose columns are copied for gradients."""
ENTRIES = 2**15
"""How many entries of an array a chunk has, about."""


def runs(body: Sequence[Step | Guarded], kept: set[str]) -> Iterable[tuple[bool, list[Step]]]:
    """Cut what is done for all times into runs; yield with each whether it can be done in chunks of times.

    Args:
        body: The steps.
        kept: Arrays in between of which all times are needed at once.
    """
    run: list[Step] = []
    for step in [*body, None]:
        if isinstance(step, Call) and not between(step) & kept:
            run.append(step)
            continue
        if run:
            yield len(run) > 1 and in_chunks(run), run
            run = []
        if step is not None and not isinstance(step, Guarded):
            yield False, [step]


def in_chunks(run: Sequence[Step]) -> bool:
    """Tell whether no step needs what another one writes at a different time."""
    calls = [step for step in run if isinstance(step, Call)]
    written = {call.out.array for call in calls}
    refs = [ref for call in calls for ref in (*read(call), call.out)]
    return not any(ref.array in written and ref.time is not None and expand(ref.time - t) != 0 for ref in refs)


def kept_whole(items: Iterable[Item]) -> set[str]:
    """Return the arrays in between of which all times are needed: products take part, or one run makes what another one reads."""
    bodies = [item.body for item in items if isinstance(item, Nest) and item.step == 0]
    kept = {array for body in bodies for step in body if isinstance(step, Times) for array in between(step)}
    while True:
        found = {array for body in bodies for _, run in runs(body, kept) for array in read_before_made(run)} - kept
        if not found:
            return kept
        kept |= found


def read_before_made(run: Sequence[Step]) -> set[str]:
    """Return the arrays in between that a run of calls reads before it writes them."""
    made: set[str] = set()
    found: set[str] = set()
    for call in run:
        if isinstance(call, Call):
            found |= {ref.array for ref in read(call) if is_between(ref)} - made
            made |= between(call)
    return found


def between(step: Call | Times) -> set[str]:
    """Return the arrays in between that a step reads or writes."""
    return {ref.array for ref in (*read(step), step.out) if is_between(ref)}


def is_between(ref: Ref) -> bool:
    """Tell whether rows are those of an array in between."""
    return ref.time is None and not ref.vector
