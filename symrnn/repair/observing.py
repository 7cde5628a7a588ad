"""A run in which every statement tells what is alive: which statements are of the backward pass, and what they can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.repair.naming import adjoint_names, share_carries
from symrnn.repair.running import Stage
from symrnn.repair.scopes import (
    MOST,
    SCALAR,
    Atom,
    Scope,
    brings_carry,
    carries_of,
    looks_adjoint,
    read_values,
    texts_in,
)
from symrnn.repair.source import CHOICE, TURN, WATCH, Statement, Unit, compiled
from symrnn.repair.swapping import swapped

MOST_TURNS = 2000


@dataclass
class Seen:
    """What a run showed of one statement.

    Attributes:
        visits: How often it ran.
        env: Local names at the second visit, or at the first where there is no second.
        values: What could be read there, by text.
    """

    visits: int = 0
    env: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class Watcher:
    """Gets told of every statement that is about to run: counts first, and reads what is alive at the second visit."""

    def __init__(self, units: Sequence[Unit], counted: Mapping[Statement, Seen] | None = None) -> None:
        self.units, self.counted = units, counted
        self.statements = {(s.unit, s.index): s for unit in units for s in unit.ordered}
        self.texts = [texts_in(unit) for unit in units] if counted is not None else []
        self.seen: dict[Statement, Seen] = {}

    def __call__(self, unit: int, index: int, env: dict[str, Any]) -> None:
        statement = self.statements[unit, index]
        seen = self.seen.setdefault(statement, Seen())
        seen.visits += 1
        if self.counted is not None and statement in self.counted and seen.visits == min(2, self.counted[statement].visits):
            seen.env = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in env.items()}
            seen.values = read_values(self.units[unit], statement, seen.env, self.texts[unit])


class Turns:
    """Counts the turns of ``while`` loops; an edit may have made one endless."""

    def __init__(self) -> None:
        self.left = MOST_TURNS

    def __call__(self) -> bool:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError(f"a loop does not end within {MOST_TURNS} turns")
        return True


@contextmanager
def choosing(units: Sequence[Unit], watcher: Any = None) -> Iterator[list[dict[str, Any]]]:
    """Put the globals in place by which variants are chosen and statements tell; they are removed afterwards."""
    spaces = list({id(unit.function.__globals__): unit.function.__globals__ for unit in units}.values())
    for space in spaces:
        space[CHOICE], space[WATCH], space[TURN] = 0, watcher, Turns()
    try:
        yield spaces
    finally:
        for space in spaces:
            space.pop(CHOICE, None)
            space.pop(WATCH, None)
            space.pop(TURN, None)


def watched_run(stage: Stage, units: Sequence[Unit], call: Any, counted: Mapping[Statement, Seen] | None) -> dict[Statement, Seen]:
    """Run both passes with all statements telling.

    Args:
        stage: The code in float64.
        units: Its functions.
        call: Runs the backward pass.
        counted: How often each statement runs, where what is alive shall be read.

    Returns:
        What was seen in the backward pass, of functions that the forward did not run.
    """
    watcher = Watcher(units)
    codes = {unit.function: compiled(unit, {}, watch=True) for unit in units}
    with choosing(units, watcher) as spaces, swapped(codes):
        stage.settle()
        ran = set() if stage.whole else {s.unit for s in watcher.seen}
        watcher = Watcher(units, counted)
        for space in spaces:
            space[WATCH] = watcher
        stage.gradients(call)
    stage.settle()
    return {s: seen for s, seen in watcher.seen.items() if s.unit not in ran}


def observed(stage: Stage, units: Sequence[Unit]) -> dict[Statement, Scope]:
    """Find out what is alive at each statement of the backward pass.

    Args:
        stage: The code in float64.
        units: Its functions.
    """
    counted = watched_run(stage, units, stage.call(stage.drawn(1)), None)
    first = watched_run(stage, units, stage.call(stage.drawn(1)), counted)
    varied = not stage.subject.binding.loss
    second = watched_run(stage, units, stage.call(stage.drawn(2)), counted) if varied else {}
    carries = [carries_of(unit) for unit in units]
    share_carries(units, carries)
    adjoint = adjoint_names(units, set() if stage.whole else {statement.unit for statement in first}, carries)
    found = {}
    for statement, seen in first.items():
        unit = units[statement.unit]
        other = second.get(statement)
        mine = adjoint[statement.unit] if not varied else changed_texts(seen, other)
        found[statement] = scope_of(unit, seen, mine, carries[statement.unit])
    for unit in units:
        heads_alike(unit, found)
    return found


def changed_texts(seen: Seen, other: Seen | None) -> frozenset[str]:
    """Return what differs between two runs with other upstream gradients, and what looks like a gradient and is 0."""
    if other is None:
        return frozenset(text for text in seen.values if looks_adjoint(text))
    return frozenset(text for text, value in seen.values.items()
                     if not np.array_equal(value, other.values.get(text, np.nan)) or (looks_adjoint(text) and not np.any(value) and np.ndim(value))
                     or (looks_adjoint(text) and isinstance(value, int | float) and value == 0))


def scope_of(unit: Unit, seen: Seen, adjoint: frozenset[str], carries: set[str]) -> Scope:
    """Return what was alive as something to make edits of: each value once, under its shortest text."""
    atoms: list[Atom] = []
    met: set[tuple[Any, ...]] = set()
    numbers: dict[str, int] = {}
    for text, value in seen.values.items():
        if isinstance(value, int | np.integer):
            numbers[text] = int(value)
        zero = not np.any(value)
        if isinstance(value, SCALAR) and not (zero and text in adjoint):
            continue
        array = np.asarray(value, dtype=float)
        gradient = text in adjoint or root_of(text) in adjoint
        mark = (array.shape, array.tobytes(), text if zero or gradient else "")
        if mark in met or len(atoms) >= MOST:
            continue
        met.add(mark)
        atoms.append(Atom(text, array.shape, gradient, brings_carry(text, carries), zero, float(array.min(initial=np.inf)), float(array.max(initial=-np.inf))))
    return Scope(seen.env, unit.function.__globals__, tuple(atoms), numbers, adjoint, frozenset(carries))


def root_of(text: str) -> str:
    """Return the name at the beginning of a reference."""
    return text.partition("[")[0].partition(".")[0]


def heads_alike(unit: Unit, found: dict[Statement, Scope]) -> None:
    """Give the heads of loops and conditions the scope of what follows them."""
    ordered = unit.ordered
    for k, statement in enumerate(ordered):
        if statement.head and statement not in found:
            after = next((found[s] for s in ordered[k + 1:] if s in found), None)
            if after is not None:
                found[statement] = after


Scopes = Mapping[Statement, Scope]
