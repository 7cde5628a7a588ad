"""Gradients that are truncated after some steps.

Guarantees:
    *Truncated after K steps* is one of three measurements; no formula of a cell is known.
    Of the gradient in a sequence, or in a list over time: for an upstream gradient at the last time alone (or for the loss)
    it is right in what enters at the last K times, and exactly 0 in what enters before, where the derivative is not 0.
    Of any gradient, where outputs have a time: right for an upstream gradient at each of the first K times alone, wrong for
    one at each later time. Of any gradient, where the length of the sequences can be varied: right for K times, wrong for
    every larger number up to the given one; then also of one that is exactly 0 beside such ones, as that in an initial state.
    What is called the length is ``T``, or a size along which the first and the last act together, as examples of a batch do not.
    For K = 1 the last two are also what a wrong carry looks like, or a sum that keeps one term. So there a change at the last
    time alone must change all gradients, right ones too, by matrices whose rank does not grow with the number of times, as
    that of a carry does.
    Blind: to a truncation after more steps than the sequences have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.handwritten.causes import Cause, only_at, trial_of
from symrnn.verify.handwritten.judging import Judged, Plan
from symrnn.verify.handwritten.lengths import Lengths, local, time_letters
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.sequences import agrees_along, steps_in_list, steps_in_sequence, whole_direction
from symrnn.verify.handwritten.structures import Path, entries
from symrnn.verify.handwritten.trial import Subject, Trial

GOOD, BAD, UNKNOWN = "right", "wrong", "unknown"
PROVED = 2
"""After how many lengths at which all gradients are wrong, none of them is called truncated."""


def truncations(subject: Subject, plan: Plan, wrong: Mapping[str, Judged]) -> dict[str, Cause]:
    """Find the gradients that are truncated after some steps, among wrong ones.

    Args:
        subject: The code.
        plan: Seed and precision.
        wrong: What is known of the wrong gradients.
    """
    names = [name for name, judged in wrong.items() if not judged.whole]
    if not names:
        return {}
    with precision(plan.bits):
        trial = trial_of(subject, wrong[names[0]])
        try:
            found = in_sequences(trial, names)
        except (Undecided, Stopped):
            found = {}
        left = [name for name in names if name not in found]
        least = min((cause.steps or 0 for cause in found.values()), default=0)
        found |= by_states(subject, plan, trial, left, least) if left else {}
        return found | cut_off(trial, [name for name in names if name not in found], found)


def cut_off(trial: Trial, names: list[str], found: Mapping[str, Cause]) -> dict[str, Cause]:
    """Return the cause of gradients that are exactly 0, as that in an initial state, beside ones that are truncated."""
    gradients = {name: trial.gradient(name) for name in names} if found else {}
    zero = [name for name, g in gradients.items() if g is not None and all(entry.value.is_zero() for entry in entries(g).flat)]
    least = min((cause.steps or 0 for cause in found.values()), default=0)
    return {name: cause(least, "what entered earlier gets exactly 0") for name in zero}


def in_sequences(trial: Trial, names: list[str]) -> dict[str, Cause]:
    """Find truncated gradients in sequences, with an upstream gradient at the last time alone."""
    sizes = trial.subject.sizes
    for size in [sizes["T"]] if "T" in sizes else shared_sizes(trial, names):
        last = only_at(trial.upstream, size, size - 1)
        upstream = trial.upstream if trial.subject.binding.loss or last is None else last
        frame = trial.backward(upstream) if upstream is not trial.upstream else trial.frame
        steps = {name: steps_in_sequence(trial, frame, upstream, name, size) for name in names}
        steps |= steps_in_list(trial, frame, upstream, names)
        found = {name: number for name, number in steps.items() if number is not None}
        if found:
            return {name: cause(number, "what entered earlier gets exactly 0") for name, number in found.items()}
    return {}


def shared_sizes(trial: Trial, names: list[str]) -> list[int]:
    """Return the sizes that outputs share with arrays, and those of arrays with three axes: one can be the number of times."""
    outputs = {size for weights in trial.upstream.values() for size in np.shape(weights)}
    found = {size for name in names for size in trial.shape(name)
             if size > 2 and (size in outputs or not outputs or len(trial.shape(name)) == 3)}
    return sorted(found | set(lists_of(names).values()), reverse=True)


def lists_of(names: list[str]) -> dict[str, int]:
    """Return the lists among names of arrays, such as ``xs`` of ``xs[0]``, with their lengths."""
    roots = [group_of(name) for name in names if group_of(name) != name]
    return {root: roots.count(root) for root in roots if roots.count(root) > 2}


def group_of(name: str) -> str:
    """Return the list that an array stands in: ``xs`` of ``xs[3]``; the name itself for any other."""
    return re.sub(r"\[\d+\]$", "", name)


def cause(steps: int, why: str) -> Cause:
    """Return the cause of a gradient that is truncated."""
    return Cause("truncated", f"the gradient flows back through {plural(steps)} only: {why}", steps=steps)


def plural(steps: int) -> str:
    """Write a number of steps."""
    return f"{steps} step{'' if steps == 1 else 's'}"


def by_states(subject: Subject, plan: Plan, trial: Trial, names: list[str], known: int) -> dict[str, Cause]:
    """Find truncated gradients by the times, or the lengths, for which they are right.

    Args:
        subject: The code.
        plan: Seed and precision.
        trial: The point that showed that they are wrong.
        names: Arrays in which they are wrong.
        known: The steps that were found in a sequence; 0 for none.
    """
    why = "right for an upstream gradient within the first {steps}, wrong for later ones"
    steps, letter = steps_by_state(upstream_states(trial, names), strict=True), ""
    if not steps:
        why = "right for sequences of {steps}, wrong for longer ones"
        tried = ((time, steps_by_state(states, strict=False)) for time, states in length_states(subject, plan, names))
        letter, steps = next(((time, found) for time, found in tried if found), ("", {}))
    if not steps:
        return {}
    least = known or min(steps.values())
    chosen = [name for name, number in steps.items() if number in (least, least + 1)]
    if not known and least == 1 and not local(subject, plan, list(subject.wanted), letter):
        return {}
    return {name: cause(least, why.format(steps=times(least))) for name in chosen}


def times(steps: int) -> str:
    """Write a number of times."""
    return f"{steps} time{'' if steps == 1 else 's'}"


def steps_by_state(states: Mapping[str, Sequence[str]], *, strict: bool) -> dict[str, int]:
    """Return after how many steps each gradient is truncated: it is right up to there, and wrong for all that is longer.

    Args:
        states: For each gradient, what it is for 1, 2, … times.
        strict: Whether it must be right for all that is shorter; else, from two steps on, it need not run there.
    """
    found = {}
    for name, row in states.items():
        last = max((number for number, state in enumerate(row, 1) if state == GOOD), default=0)
        after, before = row[last:], row[:last]
        if last and after and all(state == BAD for state in after) and (all(state == GOOD for state in before) or (last > 1 and not strict)):
            found[name] = last
    return found


def upstream_states(trial: Trial, names: list[str]) -> dict[str, list[str]]:
    """Tell for an upstream gradient at each time alone whether gradients are right; nothing where outputs have no time."""
    sizes = trial.subject.sizes
    if trial.subject.binding.loss:
        return {}
    for size in [sizes["T"]] if "T" in sizes else dict.fromkeys([*shared_sizes(trial, names), *output_sizes(trial)]):
        upstreams = [upstream for time in range(size) if (upstream := only_at(trial.upstream, size, time)) is not None]
        try:
            found = rows_while_possible(trial, upstreams, names) if len(upstreams) == size else {}
        except (Undecided, Stopped):
            found = {}
        if found:
            return found
    return {}


def rows_while_possible(trial: Trial, upstreams: Sequence[Mapping[Path, Any]], names: list[str]) -> dict[str, list[str]]:
    """Tell for one upstream gradient after the other whether gradients are right, of those that can be truncated by what is known.

    These are right for the first one, and not right again for one after which they were wrong.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    left = list(names)
    for upstream in upstreams:
        row = states_for(trial, upstream, left) if left else {}
        for name in left:
            found[name].append(row[name])
        left = [name for name in left if found[name][0] == GOOD and not (row[name] == GOOD and BAD in found[name])]
    return {name: found[name] for name in left}


def output_sizes(trial: Trial) -> list[int]:
    """Return the sizes of outputs, and the lengths of lists of them, that can be a number of times."""
    found = {size for weights in trial.upstream.values() for size in np.shape(weights) if size > 2}
    roots = [path[:-1] for path in trial.upstream if path[-1].startswith("[")]
    return sorted(found | {roots.count(root) for root in roots if roots.count(root) > 2}, reverse=True)


def states_for(trial: Trial, upstream: Mapping[Path, Any], names: list[str]) -> dict[str, str]:
    """Tell for one upstream gradient whether gradients are right."""
    frame = trial.backward(upstream)
    found = {}
    for name in names:
        gradient = trial.gradient(name, frame)
        if gradient is None or np.shape(gradient) != trial.shape(name):
            found[name] = UNKNOWN
            continue
        direction = whole_direction(trial.shape(name))
        slope = trial.slope(name, direction, "all", upstream)
        found[name] = GOOD if agrees_along(entries(gradient), direction, slope) else BAD
    return found


def length_states(subject: Subject, plan: Plan, names: list[str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Tell for sequences of 1, 2, … times whether gradients are right, for each letter that can be the number of times.

    Each gradient is looked at by itself for one time and two, and where some were right for one time less; elsewhere they
    are called wrong where they are not right together.
    """
    for letter in time_letters(subject, plan):
        lengths = Lengths(subject, plan, letter)
        rows: list[dict[str, bool]] = []
        for number in range(1, subject.sizes[letter]):
            if len(rows) == PROVED and all(rows) and not any(any(row.values()) for row in rows):
                break
            known = not rows or len(rows) == 1 or any(rows[-1].values())
            row = lengths.right(number, names, each=False)
            rows.append(row if all(row.values()) or not known else lengths.right(number, names, each=True))
        groups = {name: [n for n in names if group_of(n) == group_of(name)] for name in names}
        yield letter, {name: [*(state_of(row, groups[name]) for row in rows), BAD] for name in names}


def state_of(row: Mapping[str, bool], members: list[str]) -> str:
    """Return what a gradient, or all gradients of a list together, are at one length."""
    found = [row[name] for name in members if name in row]
    return UNKNOWN if not found else GOOD if all(found) else BAD


__all__ = ["truncations"]
