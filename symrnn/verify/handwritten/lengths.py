"""The same code on shorter sequences, and what a change at the last time alone does to its gradients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.dual import Undecided, as_dual
from symrnn.verify.balls.mismatch import excludes_zero
from symrnn.verify.handwritten.causes import only_at
from symrnn.verify.handwritten.examples import at_sizes
from symrnn.verify.handwritten.inputs import Repeated, Slot, evaluated, letters_of
from symrnn.verify.handwritten.judging import CONSTANTS, EQUAL, OPEN, Plan, all_right, compared
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.structures import entries
from symrnn.verify.handwritten.trial import Subject, Trial

FAILS = (Stopped, Undecided, ValueError, IndexError, KeyError, ZeroDivisionError)
SHORT, LONG = 2, 5
"""Numbers of times at which ranks are compared."""


def time_letters(subject: Subject, plan: Plan) -> list[str]:
    """Return the letters that are a number of times: ``T`` first, then those of no parameter along which things act together."""
    sizes = subject.sizes
    certain = ["T"] if sizes.get("T", 0) > 1 else []
    shapes = [slot.shape for slot in subject.slots if slot.moves and slot.name in subject.wanted and len(slot.shape) < 3]
    taken = {letter for shape in shapes for size in shape for letter in letters_of(size)}
    listed = {letter for t in subject.program.inputs.templates.values() if isinstance(t, Repeated) for letter in letters_of(t.length)}
    others = [letter for letter in sizes if sizes[letter] > 2 and letter != "T" and (letter in listed or letter not in taken)]
    return [*certain, *(letter for letter in others if couples(subject, plan, letter))]


@dataclass(frozen=True)
class Lengths:
    """A subject whose sequences can have another length.

    Attributes:
        subject: The code.
        plan: Seed and precision.
        letter: The number of times.
    """

    subject: Subject
    plan: Plan
    letter: str

    def at(self, number: int, **others: int) -> Trial:
        """Return the trial with sequences of some length, and other numbers for other letters."""
        sizes = dict(self.subject.sizes) | {self.letter: number} | others
        moved = at_sizes(self.subject, sizes)
        seed = f"{self.plan.seed}, point 0"
        return Trial(moved, moved.values(seed), seed)

    def right(self, number: int, names: Iterable[str], *, each: bool) -> dict[str, bool]:
        """Tell of gradients with sequences of some length whether they are right; nothing where the code does not run.

        Args:
            number: The length.
            names: Of the arrays.
            each: Whether each is looked at by itself where they are not right together; else all of them are wrong then.
        """
        try:
            trial = self.at(number)
            present = [name for name in names if name in trial.subject.wanted]
            trial.frame  # noqa: B018  # runs both passes
            if not each:
                return dict.fromkeys(present, all_right(trial, present, self.plan))
            found = compared(trial, present, replace(self.plan, directions=1), self.plan.bits)
        except FAILS:
            return {}
        return {name: judged.outcome.kind in (EQUAL, CONSTANTS) for name, judged in found.items() if judged.outcome.kind != OPEN}


def couples(subject: Subject, plan: Plan, letter: str) -> bool:
    """Tell whether a size is a number of times: what stands first and what stands last along it act together on the outputs.

    Examples of a batch do not: what a change of the first does to a sum over outputs is then the same for any last one.
    """
    lengths = Lengths(subject, plan, letter)
    try:
        trial = lengths.at(LONG - 2)
        point, changed = trial.point, changed_at(trial, lengths, -1)
        both = changed_at(Trial(trial.subject, changed, trial.seed), lengths, 0)
        corners = (point, changed, changed_at(trial, lengths, 0), both)
        totals = [output_sum(Trial(trial.subject, corner, trial.seed)) for corner in corners]
    except FAILS:
        return False
    return bool(excludes_zero(totals[0] - totals[1] - totals[2] + totals[3]))


def output_sum(trial: Trial) -> Any:
    """Return the sum of what the forward returns, each output times its upstream gradient."""
    outputs = trial.still.outputs
    return sum((entry.value * as_dual(weight).value for path, weights in trial.upstream.items()
                for entry, weight in zip(entries(outputs[path]).flat, np.asarray(weights, dtype=object).flat, strict=True)), arb(0))


def local(subject: Subject, plan: Plan, names: list[str], letter: str) -> bool:
    """Tell whether what happens at the last time changes the gradients in one step only, whatever the number of times.

    The change of a gradient is then a matrix whose rank is that of one step; what a carry takes further back adds to it.

    Args:
        subject: The code.
        plan: Seed and precision.
        names: Arrays in which gradients are taken; matrices are looked at.
        letter: The number of times; empty to find out.
    """
    seen = False
    for time in [letter] if letter else time_letters(subject, plan):
        lengths = Lengths(subject, plan, time)
        for single in ("", *sorted(batch_letters(lengths))):
            try:
                one, other = (ranks_of_change(lengths, names, number, single) for number in (SHORT, LONG))
            except FAILS:
                continue
            known = [name for name in one if name in other and one[name] < room(subject, name, single)]
            if any(other[name] > one[name] for name in known):
                return False
            seen = seen or bool(known)
    return seen


def room(subject: Subject, name: str, single: str) -> int:
    """Return the largest rank that the gradient in an array can have, where a letter is 1."""
    slot = next(slot for slot in subject.slots if slot.name == name)
    return min(evaluated(size, dict(subject.sizes) | ({single: 1} if single else {})) for size in slot.shape)


def ranks_of_change(lengths: Lengths, names: list[str], number: int, single: str) -> dict[str, int]:
    """Return the ranks of what a change at the last time does to gradients, where one letter, such as that of a batch, is 1."""
    trial = lengths.at(number, **({single: 1} if single else {}))
    upstream = None if trial.subject.binding.loss else only_at(trial.upstream, number, number - 1)
    frames = [trial.backward(upstream)]
    if trial.subject.binding.loss:
        frames.append(Trial(trial.subject, changed_at(trial, lengths, -1), trial.seed).frame)
    found = {}
    for name in names:
        gradients = [trial.gradient(name, frame) for frame in frames]
        if name in trial.point and len(trial.shape(name)) == 2 and all(np.shape(g) == trial.shape(name) for g in gradients):
            change = [[e.value for e in row] for row in entries(gradients[0])]
            if len(gradients) > 1:
                change = [[a - b.value for a, b in zip(row, other, strict=True)] for row, other in zip(change, entries(gradients[1]), strict=True)]
            found[name] = rank(change)
    return found


def batch_letters(lengths: Lengths) -> set[str]:
    """Return the letters of data: one of them can be the size of the batch, that hides what adds to a rank."""
    subject = lengths.subject
    mine = [slot for slot in subject.slots if slot.kind in ("integers", "one_hot") or slot.name not in subject.wanted or len(slot.shape) > 2]
    found = {letter for slot in mine for size in slot.shape for letter in letters_of(size)}
    below = {letter for slot in subject.slots for letter in letters_of(slot.below) if slot.kind == "integers"}
    return found - below - {lengths.letter}


def changed_at(trial: Trial, lengths: Lengths, time: int) -> dict[str, Any]:
    """Return the numbers of a trial with other data at one time: in arrays over time that are no parameters.

    Raises:
        ValueError: There are none.
    """
    values = {name: np.array(array) for name, array in trial.point.items()}
    sizes = lengths.subject.sizes
    changes = 0
    for slot in trial.subject.slots:
        axes = [axis for axis, size in enumerate(slot.shape) if size in (lengths.letter, trial.subject.sizes[lengths.letter])
                and (slot.kind == "kept") == (size != lengths.letter)]
        if axes:
            where = tuple(slice(time, time + 1 or None) if axis == axes[0] else slice(None) for axis in range(len(slot.shape)))
            values[slot.name][where] = other_numbers(slot, values[slot.name][where], values[slot.name], sizes)
            changes += 1
    for template in trial.subject.program.inputs.templates.values():
        if isinstance(template, Repeated) and letters_of(template.length) == {lengths.letter}:
            one = template.slots_at(trial.subject.sizes)[time]
            if isinstance(one, Slot):
                values[one.name] = other_numbers(one, values[one.name], values[one.name], sizes)
                changes += 1
    if not changes:
        raise ValueError("there is no data at this time to change")
    return values


def other_numbers(slot: Slot, array: Any, whole: Any, sizes: Any) -> Any:
    """Return other numbers of the same kind; for integers that are kept, other ones of them."""
    if slot.kind == "kept":
        known = sorted(set(whole.flat))
        return np.vectorize(lambda n: known[known.index(n) - 1], otypes=[whole.dtype])(array)
    if slot.kind == "integers":
        return (array + 1) % evaluated(slot.below, sizes)
    if slot.kind == "one_hot":
        return np.roll(array, 1, axis=-1)
    return array * np.array(Fraction(3, 2), dtype=object) + np.array(Fraction(1, 8), dtype=object)


def rank(matrix: list[list[Any]]) -> int:
    """Return the rank of a matrix of balls, by elimination: pivots are proved not to be 0, what is left can be 0."""
    rows = [list(row) for row in matrix]
    found = 0
    while rows and rows[0]:
        pivot, i, j = max(((abs(entry).mid(), i, j) for i, row in enumerate(rows) for j, entry in enumerate(row)), key=lambda found: found[0])
        if not excludes_zero(rows[i][j]) or pivot == 0:
            break
        chosen = rows.pop(i)
        rows = [[entry - row[j] / chosen[j] * chosen[k] for k, entry in enumerate(row) if k != j] for row in rows]
        found += 1
    return found
