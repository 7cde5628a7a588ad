"""Each returned gradient against the derivative of the forward, along random directions, with more bits until it is certain.

Guarantees:
    *wrong* is proved: the ball of the difference excludes 0 by a relative mismatch of at least 2^-45. *right* holds to
    at least 90 digits at 333 bits, at each of the points; an entry that differs is missed by one direction with a
    probability of 2^-64. A direction goes through all arrays at once where that settles the matter: the digits are then
    counted by the smallest of the gradients. Blind: to branches that no point took, and to other sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.agreement import (
    CONSTANTS,
    DIGITS_PER_BIT,
    EQUAL,
    OPEN,
    WRONG,
    Outcome,
    digits_of,
    precisions,
    weigh,
)
from symrnn.verify.balls.dual import Dual, Undecided, as_dual, precision
from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, excludes_zero
from symrnn.verify.handwritten.structures import entries, is_number, is_real
from symrnn.verify.handwritten.trial import Subject, Trial, direction_in, trial_at

BITS, MAX_BITS = 333, 3000
POINTS = 2
QUOTIENT_ERROR = 1e-60


@dataclass(frozen=True)
class Judged:
    """What is known of one gradient.

    Attributes:
        outcome: ``EQUAL``, ``CONSTANTS``, ``WRONG`` or ``OPEN`` with its numbers.
        seed: Of the point that showed it.
        bits: The precision that showed it.
        note: Something beside the verdict, such as a shape that differs by axes of length 1.
        evidence: Empty for balls; otherwise what took their place.
        whole: Whether it is wrong as a whole: no array, or of another shape.
    """

    outcome: Outcome
    seed: object = 0
    bits: int = BITS
    note: str = ""
    evidence: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Plan:
    """How hard to try.

    Attributes:
        bits: Precision of the first try.
        max_bits: Precision is tripled up to this.
        directions: Random directions in each array.
        points: Number of points.
        seed: Of points and directions.
    """

    bits: int = BITS
    max_bits: int = MAX_BITS
    directions: int = 2
    points: int = POINTS
    seed: int = 0


def judge(subject: Subject, plan: Plan, *, clipping: bool = True, names: Iterable[str] | None = None) -> dict[str, Judged]:
    """Compare the gradients that the code returns with the derivative of its own forward.

    Args:
        subject: The code.
        plan: How hard to try.
        clipping: Whether what the backward clips is clipped.
        names: Arrays to compare gradients in; all that were returned by default.

    Returns:
        What is known of the gradient in each array, by name.
    """
    found: dict[str, Judged] = {}
    waiting = list(subject.wanted if names is None else names)
    for number in range(plan.points):
        for bits in precisions(plan.bits, plan.max_bits):
            open_names = [n for n in waiting if n not in found or found[n].seed != point_seed(plan, number) or is_open(found[n])]
            for name, judged in at_point(subject, plan, number, bits, clipping, open_names).items():
                found[name] = worse(found.get(name), judged)
        waiting = [n for n in waiting if found[n].outcome.kind != WRONG]
    return found


def point_seed(plan: Plan, number: int) -> str:
    """Return the seed of a point."""
    return f"{plan.seed}, point {number}"


def is_open(judged: Judged) -> bool:
    """Tell whether nothing was decided."""
    return judged.outcome.kind == OPEN


def worse(before: Judged | None, now: Judged) -> Judged:
    """Keep what was proved before what was left open, and what is wrong before what is right."""
    if before is None or (is_open(before) and not before.whole):
        return now
    if is_open(now):
        return before
    return now if now.outcome.kind >= before.outcome.kind else before


def at_point(subject: Subject, plan: Plan, number: int, bits: int, clipping: bool, names: list[str]) -> dict[str, Judged]:
    """Compare some gradients at one point and precision."""
    if not names:
        return {}
    seed = point_seed(plan, number)
    with precision(bits):
        trial = trial_at(subject, seed, clipping=clipping)
        try:
            trial.frame  # noqa: B018  # runs both passes
        except Undecided as undecided:
            return {name: Judged(Outcome(OPEN, f"the code stops: {undecided}"), seed, bits) for name in names}
        return compared(trial, names, plan, bits)


def compared(trial: Trial, names: Iterable[str], plan: Plan, bits: int) -> dict[str, Judged]:
    """Compare some gradients at the point and precision of a trial."""
    found: dict[str, Judged] = {}
    gradients: dict[str, Any] = {}
    notes: dict[str, str] = {}
    worst: dict[str, Outcome] = {}
    for name in names:
        gradient, problem, note = readable(trial, name)
        if problem is None:
            gradients[name], notes[name], worst[name] = gradient, note, Outcome(OPEN, "no direction was tried")
        else:
            found[name] = Judged(problem, trial.seed, bits, whole=True)
    for k in range(plan.directions):
        waiting = {name: g for name, g in gradients.items() if worst[name].kind != WRONG}
        for name, outcome in along(trial, k, waiting, plan, bits).items():
            worst[name] = outcome if k == 0 or outcome.kind > worst[name].kind else worst[name]
    return found | {name: Judged(as_evidence(outcome) if trial.evidence else outcome, trial.seed, bits, notes[name], trial.evidence)
                    for name, outcome in worst.items()}


def as_evidence(outcome: Outcome) -> Outcome:
    """Read what a difference quotient says: it is right up to its own error, which is far below that of a constant."""
    if outcome.kind == CONSTANTS and float(outcome.detail.rsplit(" ", 1)[1]) < QUOTIENT_ERROR:
        return Outcome(EQUAL, outcome.detail.removeprefix("up to float64 constants: "))
    return outcome


def along(trial: Trial, k: int, gradients: Mapping[str, Any], plan: Plan, bits: int) -> dict[str, Outcome]:
    """Compare some gradients along one random direction: in all arrays together, then alone what that does not settle."""
    directions = {name: direction_in(name, trial.shape(name), f"{plan.seed}, {k}") for name in gradients}
    found = together(trial, gradients, directions, plan.bits) if len(gradients) > 1 else {}
    for name in gradients.keys() - found.keys():
        try:
            found[name] = weigh(trial.slope(name, directions[name], k), gradients[name], directions[name], bits, plan.bits)
        except Undecided as undecided:
            found[name] = Outcome(OPEN, f"the forward stops: {undecided}")
    return found


def all_right(trial: Trial, names: Iterable[str], plan: Plan) -> bool:
    """Tell whether some gradients are right, by one run along one direction in all of their arrays."""
    read = {name: readable(trial, name) for name in names}
    if any(problem is not None for _, problem, _ in read.values()):
        return False
    gradients = {name: gradient for name, (gradient, _, _) in read.items()}
    directions = {name: direction_in(name, trial.shape(name), f"{plan.seed}, 0") for name in gradients}
    weights = {name: [as_dual(along).value for along in direction.flat] for name, direction in directions.items()}
    try:
        slope = trial.weighed(trial.tangents_along(directions))
    except Undecided:
        return False
    terms = [e.value * w for name, g in gradients.items() for e, w in zip(g.flat, weights[name], strict=True)]
    difference = sum(terms, -slope)
    return bool(difference.is_finite() and (not excludes_zero(difference) or abs(difference) < FLOAT_CONSTANTS * sum(map(abs, terms), arb(0))))


def together(trial: Trial, gradients: Mapping[str, Any], directions: Mapping[str, Any], wanted_bits: int) -> dict[str, Outcome]:
    """Compare gradients along one direction in all their arrays together; return those that this proves right.

    The ball of the difference contains 0, and is so small that it demands the wanted digits of each gradient by itself.
    """
    try:
        slope = trial.weighed(trial.tangents_along(directions))
    except Undecided:
        return {}
    terms = {name: [entry.value * as_dual(along).value for entry, along in zip(g.flat, directions[name].flat, strict=True)]
             for name, g in gradients.items()}
    difference = sum((term for own in terms.values() for term in own), -slope)
    if not difference.is_finite() or excludes_zero(difference):
        return {}
    if difference.is_zero():
        return {name: Outcome(EQUAL, "equal without any rounding") for name, own in terms.items() if not all(t.is_zero() for t in own)}
    sizes = {name: sum(map(abs, own), arb(0)) for name, own in terms.items()}
    digits = {name: digits_of(difference.rad() / size) for name, size in sizes.items() if not size.contains(0)}
    return {name: Outcome(EQUAL, f"{number} digits") for name, number in digits.items() if number >= round(DIGITS_PER_BIT * wanted_bits)}


def readable(trial: Trial, name: str) -> tuple[Any, Outcome | None, str]:
    """Return a gradient as balls; or why it cannot be compared; and a note."""
    leaf = trial.gradient(name)
    if leaf is None or not is_real(leaf):
        return None, Outcome(WRONG, "no gradient was returned" if leaf is None else f"a {type(leaf).__name__} was returned"), ""
    if lost(leaf):
        return None, Outcome(OPEN, "it lost its precision: it came out as float64, through an array that the code "
                                   "did not make with np.zeros and the like"), ""
    gradient, note = entries(leaf), ""
    wanted = trial.shape(name)
    if gradient.shape != wanted:
        got = gradient.shape
        if [s for s in got if s != 1] != [s for s in wanted if s != 1]:
            return None, Outcome(WRONG, f"it has shape {got} instead of {wanted}"), ""
        gradient, note = gradient.reshape(wanted), f"its shape is {got} instead of {wanted}"
    if not all(entry.isfinite() for entry in gradient.flat):
        return None, Outcome(OPEN, "it holds NaN or infinity: a slot read before it was written, 0/0, log 0"), ""
    return gradient, None, note


def lost(leaf: Any) -> bool:
    """Tell whether an array of floats came out where balls went in; whole numbers lose nothing."""
    array = np.asarray(leaf)
    if array.dtype == object:
        return not all(type(entry) is Dual or not is_number(entry) or float(entry).is_integer() for entry in array.flat)
    return array.dtype.kind == "f" and not bool(np.all(array == np.round(array)))


def equal_to(gradient: Any, other: Any) -> bool:
    """Tell whether two arrays of balls can hold the same numbers, up to the rounding of constants."""
    for a, b in zip(gradient.flat, other.flat, strict=True):
        difference = a.value - b.value
        if not (difference.contains(0) or abs(difference) < arb(2) ** -45 * abs(b.value)):
            return False
    return True


__all__ = ["CONSTANTS", "EQUAL", "OPEN", "WRONG", "Judged", "Plan", "at_point", "compared", "equal_to", "judge", "readable"]
