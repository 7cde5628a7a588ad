"""Gradients that are clipped: at the drawn point, or only where they are larger than there.

Guarantees:
    *Clipped*, of a gradient that is wrong: it is right where ``np.clip`` (or ``np.minimum`` and ``np.maximum`` with a number)
    is turned off in the backward; or it is right where all that it is made of is small, the upstream gradient, or, where
    the loss is a number, the arrays; or each wrong entry is one number of few digits, and what is right is larger; or all
    gradients are right times one number below 1, or each has a norm that is a number of few digits.
    *Clipped*, of a gradient that is right: with an upstream gradient that is 2^40 times larger it does not grow in
    proportion; or, where the loss is a number, it is what came out of ``np.clip``, or is clipped in one of the senses
    above where some of the arrays are larger. Blind there to limits that none of these points reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.dual import Undecided, as_dual, precision
from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, Mismatch, excludes_zero
from symrnn.verify.handwritten.causes import Cause, common_ratio, mismatch_at, trial_of
from symrnn.verify.handwritten.judging import CONSTANTS, EQUAL, WRONG, Judged, Plan, at_point, compared
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.report import CLIPPED
from symrnn.verify.handwritten.structures import entries
from symrnn.verify.handwritten.trial import Subject, Trial, trial_at

LOUD, QUIET = 2**40, Fraction(1, 2**60)
"""What the upstream gradient is multiplied by."""
WIDE, NARROW = 64, Fraction(1, 2**10)
"""What arrays are multiplied by, where the loss is a number."""
MOST = 12
"""Arrays that are made larger one at a time."""


def clipped_causes(subject: Subject, plan: Plan, wrong: Mapping[str, Judged]) -> dict[str, Cause]:
    """Find the wrong gradients that are right where nothing is clipped."""
    names = [name for name, judged in wrong.items() if not judged.whole]
    free = unclipped_names(subject, plan, wrong)
    causes = {name: Cause(CLIPPED, f"right before {shown} in the backward") for name, shown in free.items()}
    left = [name for name in names if name not in causes]
    where = "the upstream gradient is" if not subject.binding.loss else "all arrays are"
    return causes | {name: Cause(CLIPPED, f"right where {where} small, cut where it is not") for name in right_where_small(subject, plan, left)}


def unclipped_names(subject: Subject, plan: Plan, wrong: Mapping[str, Judged]) -> dict[str, str]:
    """Return the wrong gradients that are right when nothing is clipped in the backward, and what clips them."""
    found: dict[str, str] = {}
    for judged in wrong.values():
        names = [name for name, other in wrong.items() if other.seed == judged.seed and name not in found and not other.whole]
        with precision(judged.bits):
            bound = trial_of(subject, judged).frame
            moved = [n for n in names if not same_gradient(subject, n, bound, free_frame(subject, judged), 1)] if bound.clips.seen and names else []
        if moved:
            again = at_point(subject, plan, int(str(judged.seed).rsplit(" ", 1)[1]), judged.bits, False, moved)
            found |= {name: bound.clips.seen[0] for name, other in again.items() if is_right(other)}
    return found


def free_frame(subject: Subject, judged: Judged) -> Any:
    """Return the run in which nothing is clipped; ``None`` where the code stops then."""
    try:
        return trial_of(subject, judged, clipping=False).frame
    except (Undecided, Stopped):
        return None


def is_right(judged: Judged) -> bool:
    """Tell whether a gradient was found right."""
    return judged.outcome.kind in (EQUAL, CONSTANTS)


def right_where_small(subject: Subject, plan: Plan, names: list[str]) -> list[str]:
    """Name the gradients that are right where everything is small; where the loss is a number, only if something may clip."""
    seed = f"{plan.seed}, point 0"
    with precision(plan.bits):
        if not names or (subject.binding.loss and not trial_at(subject, seed).frame.clips.possible):
            return []
        if subject.binding.loss:
            small = Trial(subject, scaled(subject, seed, dict.fromkeys(reals(subject), NARROW)), seed)
        else:
            small = trial_at(subject, seed, scale=QUIET)
            names = not_linear(subject, names, trial_at(subject, seed), small)
        return [name for name, judged in quick(small, plan, names).items() if is_right(judged)]


def not_linear(subject: Subject, names: list[str], usual: Trial, small: Trial) -> list[str]:
    """Name the gradients that do not shrink in proportion to the upstream gradient."""
    try:
        return [name for name in names if not same_gradient(subject, name, usual.frame, small.frame, QUIET)]
    except (Undecided, Stopped):
        return []


def reals(subject: Subject) -> list[str]:
    """Name the arrays of real numbers."""
    return [slot.name for slot in subject.slots if slot.moves]


def scaled(subject: Subject, seed: object, factors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a point with some arrays multiplied."""
    values = subject.values(seed)
    return {name: array * np.array(factors[name], dtype=object) if name in factors else array for name, array in values.items()}


def quick(trial: Trial, plan: Plan, names: Iterable[str]) -> dict[str, Judged]:
    """Compare gradients at a trial along one direction; nothing where the code stops."""
    try:
        trial.frame  # noqa: B018  # runs both passes
        return compared(trial, names, replace(plan, directions=1), plan.bits)
    except (Undecided, Stopped):
        return {}


def measured_causes(subject: Subject, found: Mapping[str, Mismatch], ratios: Mapping[str, Any], whole: Mapping[str, Any], *, every: bool) -> dict[str, Cause]:
    """Find the gradients that are cut at a value, or are the right ones times a number below 1: one for all, or one that gives a norm of few digits.

    Args:
        subject: The code.
        found: Entries of the wrong gradients.
        ratios: What each is multiplied by; ``None`` where it is no number.
        whole: The returned gradients, as arrays of balls.
        every: Whether every gradient that was returned is among them.
    """
    cut = {name: limit for name, mismatch in found.items() if (limit := value_limit(mismatch, whole[name]))}
    causes = {name: Cause(CLIPPED, f"the entries that are wrong are cut at ±{limit}") for name, limit in cut.items()}
    shrunk = {name: ratio for name, ratio in ratios.items()
              if name not in cut and ratio is not None and 0 < ratio < 1 and found[name].factor is None}
    if not shrunk:
        return causes
    ratio = next(iter(shrunk.values()))
    if every and len(shrunk) == len(ratios) and all((other - ratio).contains(0) for other in shrunk.values()):
        text = ratio.mid().str(6, radius=False)
        return {name: Cause(CLIPPED, f"all gradients are {text} times what is right, as if clipped by their norm") for name in shrunk}
    limits = {name: few_digits(sum((e.value**2 for e in whole[name].flat), arb(0)).sqrt()) for name in shrunk}
    return causes | {name: Cause(CLIPPED, f"every entry is {shrunk[name].mid().str(6, radius=False)} times what is right, so that the norm is {limit}")
            for name, limit in limits.items() if limit}


def value_limit(mismatch: Mismatch, whole: Any) -> str:
    """Return the number that a gradient is cut at, where all its entries are within it and the wrong ones are that number; empty where none is."""
    cut = {few_digits(abs(mismatch.got[index])) for index in mismatch.wrong}
    limit = next(iter(cut), "")
    if len(cut) != 1 or not limit:
        return ""
    exact = arb(float(limit))
    larger = all(abs(mismatch.right[i]) > exact and mismatch.right[i] * mismatch.got[i] > 0 for i in mismatch.wrong)
    return limit if larger and not any(abs(e.value) > exact * (1 + FLOAT_CONSTANTS) for e in whole.flat) else ""


def few_digits(number: Any) -> str:
    """Write a ball that holds a number of up to four digits; empty for others."""
    text = f"{float(number.mid()):.4g}"
    near = arb(float(text))
    return text if near > 0 and abs(number - near) < FLOAT_CONSTANTS * near else ""


def hidden_clips(subject: Subject, plan: Plan, names: list[str]) -> dict[str, str]:
    """Find gradients that are right where they are small, and clipped where they are large.

    Args:
        subject: The code.
        plan: How hard to try.
        names: Arrays in which the gradients are right.

    Returns:
        What clips, by name.
    """
    seed = f"{plan.seed}, point 0"
    with precision(plan.bits):
        try:
            usual = trial_at(subject, seed).frame
            if subject.binding.loss:
                return clipped_when_larger(subject, plan, names, usual)
            loud = trial_at(subject, seed, scale=LOUD).frame
        except (Undecided, Stopped):
            return {}
        return {name: clipper(loud) for name in names if not same_gradient(subject, name, usual, loud, LOUD)}


def clipped_when_larger(subject: Subject, plan: Plan, names: list[str], usual: Any) -> dict[str, str]:
    """Find gradients of a loss that come out of a clip, or are clipped where arrays are larger."""
    found = {name: clipper(usual) for name in names if is_clipped(subject, name, usual)}
    for values in louder(subject, f"{plan.seed}, point 0") if usual.clips.possible else ():
        left = [name for name in names if name not in found]
        if not left:
            break
        bound = Trial(subject, values, f"{plan.seed}, point 0")
        wrong = [name for name, judged in quick(bound, plan, left).items() if judged.outcome.kind == WRONG and not judged.whole]
        if not wrong:
            continue
        if subject.program.backward is not None:  # else a clip of the forward would be turned off too
            free = quick(Trial(subject, values, f"{plan.seed}, point 0", clipping=False), plan, wrong)
            found |= {name: clipper(bound.frame) for name, judged in free.items() if is_right(judged)}
        found |= cut_by_hand(subject, bound, [name for name in wrong if name not in found])
    return found


def louder(subject: Subject, seed: object) -> Iterator[dict[str, Any]]:
    """Yield points at which gradients of a loss can be large: targets, then the arrays, all of them and one at a time."""
    wanted = [name for name in reals(subject) if name in subject.wanted]
    others = [name for name in reals(subject) if name not in wanted]
    if others:
        yield scaled(subject, seed, dict.fromkeys(others, LOUD))
    yield scaled(subject, seed, dict.fromkeys(reals(subject), WIDE))
    for name in wanted[:MOST]:
        yield scaled(subject, seed, {name: WIDE})


def cut_by_hand(subject: Subject, trial: Trial, names: list[str]) -> dict[str, str]:
    """Name the gradients at a trial that are cut at a value or by their norm."""
    found = {name: mismatch for name in names if (mismatch := mismatch_at(trial, name)) is not None and mismatch.wrong}
    ratios = {name: common_ratio(mismatch) for name, mismatch in found.items()}
    whole = {name: entries(trial.gradient(name)) for name in found}
    causes = measured_causes(subject, found, ratios, whole, every=True)
    return {name: f"where arrays are larger, {cause.detail}" for name, cause in causes.items()}


def clipper(frame: Any) -> str:
    """Say what clips."""
    shown = list(dict.fromkeys(frame.clips.seen))
    return f"{shown[0]} in the backward" if shown else "it does not grow in proportion to the upstream gradient"


def is_clipped(subject: Subject, name: str, frame: Any) -> bool:
    """Tell whether a gradient is the array that came out of a clip."""
    leaf = frame.results.get(subject.binding.matched[name])
    return any(leaf is outcome for outcome in frame.clips.outcomes)


def same_gradient(subject: Subject, name: str, one: Any, other: Any, factor: Any) -> bool:
    """Tell whether a gradient in another run can be a multiple of what it is in one; where one of them is not finite that is not known."""
    path = subject.binding.matched[name]
    if other is None or path not in one.results or path not in other.results:
        return True
    pairs = list(zip(entries(one.results[path]).flat, entries(other.results[path]).flat, strict=False))
    if not all(a.isfinite() and b.isfinite() for a, b in pairs):
        return True
    exact = as_dual(factor).value
    return all(not excludes_zero(b.value - a.value * exact) or abs(b.value - a.value * exact) < FLOAT_CONSTANTS * abs(b.value) for a, b in pairs)


__all__ = ["clipped_causes", "hidden_clips", "measured_causes"]
