"""The smallest example that shows a wrong gradient: sizes of 1 and 2, small integers, found by trying."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, excludes_zero, number
from symrnn.verify.handwritten.inputs import Inputs, Slot, letters_of
from symrnn.verify.handwritten.judging import Plan, all_right, readable
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.program import kept_leaves
from symrnn.verify.handwritten.report import Example
from symrnn.verify.handwritten.structures import written
from symrnn.verify.handwritten.trial import Subject, Trial, unit

PATIENCE = 1.0
"""Seconds of processor time that are spent on the search."""
DRAWS = 2
LONGEST = 120
"""Characters of an array that is shown."""
MOST = 40
"""Entries of an array that are tried one by one."""


def smaller(sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield sizes from the smallest on: one letter above 1, then two."""
    yield dict.fromkeys(sizes, 1)
    for few in range(1, 3):
        for letters in itertools.combinations(sorted(sizes, key=lambda letter: letter != "T"), few):
            for numbers in itertools.product((2, 3, 5), repeat=few):
                if all(n <= sizes[x] for n, x in zip(numbers, letters, strict=True)):
                    yield dict.fromkeys(sizes, 1) | dict(zip(letters, numbers, strict=True))


def at_sizes(subject: Subject, sizes: Mapping[str, int], inputs: Inputs | None = None) -> Subject:
    """Return the subject at other sizes: what it keeps is made anew.

    Raises:
        Stopped: It cannot be made at these sizes.
    """
    program = replace(subject.program, inputs=(inputs or subject.program.inputs).at(sizes))
    state = program.state(sizes)
    shapes = {written(path): leaf.shape for path, leaf in kept_leaves(state)}
    before, own = {slot.name for slot in subject.program.inputs.slots}, program.inputs.slots
    others = [slot if any(map(letters_of, slot.shape)) else replace(slot, shape=shapes.get(slot.name, slot.shape))
              for slot in subject.slots if slot.name not in before]
    return replace(subject, program=program, sizes=sizes, state=state, slots=(*own, *others))


def related(subject: Subject, bits: int) -> Subject:
    """Return the subject with the relations between its sizes under which the code runs at other sizes."""
    inputs = subject.program.inputs
    if not inputs.others:
        return subject
    small = dict(zip(inputs.sizes, (2, 3, 5, 7, 11, 13), strict=False))
    for other in (inputs, *inputs.others):
        with precision(bits):
            try:
                moved = at_sizes(subject, small | dict.fromkeys(inputs.sizes.keys() - small.keys(), 2), other)
                Trial(moved, moved.values("related"), "related").frame  # noqa: B018  # runs both passes
            except (Stopped, Undecided, ValueError, IndexError, KeyError):
                continue
        return at_sizes(subject, subject.sizes, other)
    return subject


def smallest_examples(subject: Subject, names: list[str], bits: int) -> dict[str, Example]:
    """Find the smallest example for each wrong gradient.

    Args:
        subject: The code.
        names: Arrays in which its gradients are wrong.
        bits: Precision.
    """
    found: dict[str, Example] = {}
    end = time.process_time() + PATIENCE
    with subject.clock.phase("smallest example"):
        subject = related(subject, bits)
        for sizes in [*smaller(subject.sizes), subject.sizes]:
            if len(found) == len(names):
                break
            if time.process_time() > end and sizes is not subject.sizes:
                continue
            for draw in range(DRAWS):
                found |= shown_at(subject, sizes, f"small {draw}", [n for n in names if n not in found], bits)
    return found


def shown_at(subject: Subject, sizes: Mapping[str, int], seed: str, names: list[str], bits: int) -> dict[str, Example]:
    """Return the examples at some sizes; none where the code does not run there."""
    found = {}
    with precision(bits):
        try:
            small = at_sizes(subject, sizes)
            trial = Trial(small, small.values(seed, small=True), seed, small=True)
            for name in () if all_right(trial, [n for n in names if n in small.wanted], Plan(seed=0)) else names:
                example = wrong_entry(trial, name) if name in small.wanted else None
                if example is not None:
                    found[name] = example
        except (Stopped, Undecided, ValueError, IndexError, KeyError, ZeroDivisionError):
            return found
    return found


def wrong_entry(trial: Trial, name: str) -> Example | None:
    """Return the first entry that is proved wrong, as an example."""
    gradient, problem, _ = readable(trial, name)
    if problem is not None:
        return None
    for index in itertools.islice(np.ndindex(gradient.shape), MOST):
        right = trial.slope(name, unit(gradient.shape, index), index)
        got = gradient[index].value
        if excludes_zero(got - right) and abs(got - right) > FLOAT_CONSTANTS * abs(right):
            place = f"[{', '.join(map(str, index))}]" if index else ""
            path = written(trial.subject.binding.matched[name])
            used = {letter for slot in trial.subject.slots for size in slot.shape for letter in letters_of(size)}
            sizes = {letter: size for letter, size in trial.subject.sizes.items() if letter in used}
            return Example(sizes, values_text(trial), f"{path}{place}", number(got), number(right))
    return None


def values_text(trial: Trial) -> dict[str, str]:
    """Write the arrays of an example, and the upstream gradients."""
    shown = {name: array_text(array) for name, array in trial.point.items()}
    if not trial.subject.binding.loss:
        shown |= {f"d{written(path)}": array_text(array) for path, array in trial.upstream.items()}
    return shown if all(len(text) <= LONGEST for text in shown.values()) else {}


def array_text(array: Any) -> str:
    """Write an array of integers as nested lists; a long one by its first entries."""
    plain = np.frompyfunc(lambda entry: int(entry) if entry == int(entry) else float(entry), 1, 1)
    return str(np.asarray(plain(array), dtype=object).tolist())


__all__ = ["Slot", "smallest_examples"]
