"""Where edits are tried: what a run with some of them returns, and how much of it is right."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any

import numpy as np

from symrnn.repair.guess import Guess
from symrnn.repair.observing import MOST_TURNS
from symrnn.repair.scopes import Scope
from symrnn.repair.sites import Change, Off
from symrnn.repair.source import CHOICE, TURN, Patch, Statement, Unit, Variant, compiled
from symrnn.repair.truth import Exam


@dataclass(frozen=True)
class Edit:
    """A change of a statement."""

    statement: Statement
    change: Change


@dataclass(frozen=True)
class State:
    """Edits that were made one after the other, and what is right with them.

    Attributes:
        edits: In order.
        marks: For each situation which entries are right.
        score: Grows with what is right.
    """

    edits: tuple[Edit, ...]
    marks: tuple[Any, ...]
    score: float = 0.0

    @property
    def patch(self) -> dict[Statement, Variant]:
        """What stands in the place of statements."""
        return {edit.statement: edit.change.variant for edit in self.edits}

    @property
    def cost(self) -> float:
        """How unlikely the edits are."""
        return sum(edit.change.cost for edit in self.edits)

    @property
    def right(self) -> bool:
        """Whether every entry is right in every situation."""
        return all(bool(np.all(m)) for m in self.marks)

    @cached_property
    def telling(self) -> int | None:
        """The situation in which least is wrong, apart from the first; ``None`` where there is no other."""
        wrong = [(int(np.sum(~m)), k) for k, m in enumerate(self.marks) if k > 0 and not np.all(m)]
        return min(wrong)[1] if wrong else None


@dataclass
class Bench:
    """Where edits are tried.

    Attributes:
        exam: What a backward pass is asked.
        units: Functions.
        scopes: What is alive at the statements that may be edited.
        spaces: Globals of the functions.
        end: When to stop.
        guess: What somebody else says of the mistakes.
        runs: How many backward passes were run.
    """

    exam: Exam
    units: Sequence[Unit]
    scopes: Mapping[Statement, Scope]
    spaces: Sequence[dict[str, Any]]
    end: float
    guess: Guess = field(default_factory=Guess)
    runs: int = 0
    late: bool = False
    made: dict[tuple[Statement, str, Any, Off], list[Change]] = field(default_factory=dict)
    compiled: dict[Any, CodeType] = field(default_factory=dict)

    def over(self) -> bool:
        """Tell whether the time is over."""
        self.late = self.late or time.process_time() > self.end
        return self.late

    def choose(self, number: int) -> None:
        """Let a variant run."""
        for space in self.spaces:
            space[CHOICE] = number
            space[TURN].left = MOST_TURNS

    def numbers(self, number: int, situation: int) -> Any:
        """Run a variant, and return the entries that it gives."""
        self.runs += 1
        self.choose(number)
        return self.exam.returned(situation)

    def codes(self, patch: Patch, variants: Mapping[Statement, Mapping[int, Variant]]) -> dict[Any, CodeType]:
        """Compile all functions with a patch, and variants beside it."""
        found = {}
        for unit in self.units:
            mine = {s: v for s, v in variants.items() if s.unit == unit.number}
            key = (unit.number, tuple((s, v) for s, v in patch.items() if s.unit == unit.number))
            if mine or key not in self.compiled:
                code = compiled(unit, mine, patch)
                if not mine:
                    self.compiled[key] = code
            found[unit.function] = code if mine else self.compiled[key]
        return found

    def marks(self, number: int) -> tuple[Any, ...] | None:
        """Run a variant in all situations; ``None`` where it fails."""
        found = []
        for k in range(len(self.exam.situations)):
            numbers = self.numbers(number, k)
            if numbers is None:
                return None
            found.append(self.exam.marks(numbers, k))
        return tuple(found)

    def progress(self, number: int, before: State, usual: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run a variant in all situations, as long as it promises something; ``None`` where it does not.

        Args:
            number: Of the variant.
            before: What is right without it.
            usual: What is returned without it, by situation.
        """
        numbers = self.numbers(number, 0)
        if numbers is None or np.array_equal(numbers, usual[0], equal_nan=True):
            return None
        found = {0: self.exam.marks(numbers, 0)}
        if not self.keeps(before.marks[0], found[0]):
            return None
        if not np.any(found[0] & ~before.marks[0]):
            telling = before.telling
            if telling is None or not self.improves(number, telling, before, found):
                return None
        for k in range(len(self.exam.situations)):
            if k not in found:
                numbers = self.numbers(number, k)
                if numbers is None:
                    return None
                found[k] = self.exam.marks(numbers, k)
        return tuple(found[k] for k in range(len(self.exam.situations)))

    def improves(self, number: int, situation: int, before: State, found: dict[int, Any]) -> bool:
        """Tell whether a variant makes more right in one situation."""
        numbers = self.numbers(number, situation)
        if numbers is None:
            return False
        found[situation] = self.exam.marks(numbers, situation)
        return bool(np.any(found[situation] & ~before.marks[situation]))

    @cached_property
    def groups(self) -> Any:
        """Where the entries of each array begin."""
        names = self.exam.arrays()
        return np.array([k for k, name in enumerate(names) if k == 0 or names[k - 1] != name])

    def shares(self, right: Any) -> Any:
        """Return which share of each array is right."""
        ones = np.add.reduceat(right.astype(float), self.groups)
        return ones / np.diff([*self.groups, right.size])

    def score(self, marks: Sequence[Any]) -> float:
        """Grade what is right: entries, and arrays as a whole."""
        total = 0.0
        for k, right in enumerate(marks):
            shares = self.shares(right)
            total += (1.0 if k == 0 else 0.5) * float(np.mean(shares + (shares == 1.0)))
        return total

    def keeps(self, before: Any, after: Any) -> bool:
        """Tell whether what was right as a whole array stays right."""
        return bool(np.all((self.shares(before) < 1) | (self.shares(after) == 1)))
