"""Gradients that code returns against the derivative of its own forward pass, in balls of hundreds of bits.

The code, ours or a user's, runs unmodified on object arrays of dual numbers over balls: its forward pass along random
directions in one array at a time gives rigorous directional derivatives, and its backward pass must return a gradient
``g`` with ``⟨g, direction⟩`` equal to them. No formula is known here.

Guarantees:
    *refuted* is proved: the ball of the difference excludes 0, by a relative mismatch of at least 2^-45. *agrees* holds
    to at least 90 digits (at 333 bits; in proportion at others) of the sum of ``|g_i d_i|``, also where the gradient has
    decayed to 1e-50; an entry that differs by more is missed by one direction with a probability of 2^-64. A mismatch
    that is proved but below 2^-45 is *agrees* with the detail ``up to float64 constants``, where it is as small at
    another point, and at one where no array is small: what a truncation loses there is not. *undecided*: balls
    overlapped in a comparison, or NaN appeared, at every precision and point that was tried.
    Blind: to branches that no point took; to what the code does at other sizes; to an error that stays below 2^-45 of
    the gradient at all these points; and to a forward pass that is itself not what its author meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from symrnn.errors import DataError
from symrnn.verify.balls.directional import Accused, Point, Values, array_of
from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, excludes_zero, find_mismatch, number
from symrnn.verify.report import AGREES, REFUTED, UNDECIDED, Finding

BITS, MAX_BITS, RAISE = 333, 3000, 3
DIGITS_PER_BIT, VANISHED_PER_BIT = 0.27, 0.22
EQUAL, CONSTANTS, WRONG, OPEN = range(4)


@dataclass(frozen=True)
class Outcome:
    """What one point and precision say about one array: ``EQUAL``, ``CONSTANTS``, ``WRONG`` or ``OPEN``, and why."""

    kind: int
    detail: str

    def finding(self, name: str) -> Finding:
        """Return the verdict in words."""
        verdict = {WRONG: REFUTED, OPEN: UNDECIDED}.get(self.kind, AGREES)
        return Finding(name, verdict, self.detail)


def compare_gradients(
    forward: Callable[[Values], Any],
    backward: Callable[[Values], Mapping[str, Any]],
    points: Sequence[Point],
    *,
    bits: int = BITS,
    max_bits: int = MAX_BITS,
    directions: int = 2,
    seed: int = 0,
    namespaces: Sequence[dict[str, Any]] = (),
) -> tuple[Finding, ...]:
    """Compare the gradients that code returns with the derivatives of its own forward pass.

    Args:
        forward: From values by name to the loss.
        backward: From values by name to gradients by name, of the shapes of the values.
        points: Where to compare; the later ones are used where the earlier ones do not decide.
        bits: Precision of the first try.
        max_bits: Precision is tripled up to this.
        directions: Random directions in each array.
        seed: Of the directions.
        namespaces: Globals of the code's modules, so that ``from numpy import zeros`` and ``float(loss)`` work.

    Returns:
        One finding for each wanted array, in the order of the first point.

    Raises:
        DataError: No points; a loss that is not one number; gradients that are no mapping.
    """
    if not points:
        raise DataError("there is no point to compare gradients at; give at least one")
    accused = Accused(forward, backward, tuple(namespaces))
    levels = precisions(bits, max_bits)
    found: dict[str, Outcome] = {}
    final: set[str] = set()
    for point in points:
        waiting = [name for name in point.wanted if name not in final]
        for name, outcome in settle(accused, point, waiting, levels, directions, seed).items():
            repeated = name in found and found[name].kind == outcome.kind
            found[name] = max(found.get(name, outcome), outcome, key=rank)
            if outcome.kind in (EQUAL, WRONG) or (outcome.kind == CONSTANTS and repeated):
                final.add(name)
    excused = [name for name, outcome in found.items() if outcome.kind == CONSTANTS]
    for name, outcome in settle(accused, points[-1].livelier(), excused, levels, directions, seed).items():
        found[name] = max(found[name], outcome, key=rank)
    return tuple(found[name].finding(name) for name in points[0].wanted)


def settle(
    accused: Accused, point: Point, names: Sequence[str], levels: Sequence[int], directions: int, seed: int
) -> dict[str, Outcome]:
    """Compare the gradients in some arrays at one point, with more bits for those that are left open."""
    found: dict[str, Outcome] = {}
    for bits in levels:
        waiting = [name for name in names if name not in found or found[name].kind == OPEN]
        found |= examine(accused, point, waiting, bits, levels[0], directions, seed)
    return found


def rank(outcome: Outcome) -> int:
    """Order outcomes: what was proved counts more than what was left open."""
    return outcome.kind if outcome.kind != OPEN else -1


def precisions(bits: int, max_bits: int) -> tuple[int, ...]:
    """Return the numbers of bits that are tried, in order."""
    levels = [bits]
    while levels[-1] * RAISE <= max_bits:
        levels.append(levels[-1] * RAISE)
    return tuple(levels)


def examine(
    accused: Accused, point: Point, names: Sequence[str], bits: int, wanted_bits: int, directions: int, seed: int
) -> dict[str, Outcome]:
    """Compare the gradients in some arrays at one point and precision."""
    if not names:
        return {}
    with precision(bits):
        try:
            gradients = accused.gradients(point)
        except Undecided as undecided:
            return dict.fromkeys(names, Outcome(OPEN, f"the backward pass stops: {undecided}"))
        return {
            name: examine_one(accused, point, name, gradients.get(name), bits, wanted_bits, directions, seed)
            for name in names
        }


def examine_one(
    accused: Accused, point: Point, name: str, gradient: Any, bits: int, wanted_bits: int, directions: int, seed: int
) -> Outcome:
    """Compare the gradient in one array at the precision of the moment."""
    if gradient is None:
        return Outcome(WRONG, "no gradient was returned")
    if np.shape(gradient) != point.shape(name):
        return Outcome(WRONG, f"the gradient has shape {np.shape(gradient)} instead of {point.shape(name)}")
    gradient = array_of(np.asarray(gradient, dtype=object))
    if not all(entry.isfinite() for entry in gradient.flat):
        return Outcome(OPEN, "the returned gradient holds NaN or infinity: a slot read before it was written, 0/0, log 0")
    worst = Outcome(OPEN, "no direction was tried")
    for k in range(directions):
        direction = point.direction(name, f"{seed}, {k}")
        try:
            outcome = weigh(accused.slope(point, name, direction), gradient, direction, bits, wanted_bits)
        except Undecided as undecided:
            return Outcome(OPEN, f"the forward pass stops: {undecided}")
        if outcome.kind == WRONG:
            return Outcome(WRONG, f"{outcome.detail}{point.note}; {explain(accused, point, name, gradient)}")
        worst = outcome if k == 0 or outcome.kind > worst.kind else worst
    return worst


def explain(accused: Accused, point: Point, name: str, gradient: Any) -> str:
    """Say which entries of a refuted gradient are wrong."""
    try:
        return str(find_mismatch(accused, point, name, gradient))
    except Undecided as undecided:
        return f"entries were not compared: {undecided}"


def weigh(slope: Any, gradient: Any, direction: Any, bits: int, wanted_bits: int) -> Outcome:
    """Compare a directional derivative with ``⟨gradient, direction⟩``.

    Args:
        slope: Ball of the derivative of the forward pass.
        gradient: Array of dual numbers.
        direction: Array of exact numbers.
        bits: Precision of the moment.
        wanted_bits: Precision that the demanded number of digits belongs to.
    """
    terms = [entry.value * along.value for entry, along in zip(gradient.flat, array_of(direction).flat, strict=True)]
    difference = sum(terms, arb(0)) - slope
    size = sum((abs(term) for term in terms), arb(0)).max(abs(slope))
    if difference.is_nan() or not slope.is_finite():
        return Outcome(OPEN, "the derivative of the forward pass is NaN or infinite")
    if excludes_zero(difference):
        mismatch = abs(difference) / size
        if mismatch < FLOAT_CONSTANTS:
            return Outcome(CONSTANTS, f"up to float64 constants: relative mismatch {mismatch.mid().str(2, radius=False)}")
        return Outcome(WRONG if mismatch > FLOAT_CONSTANTS else OPEN, f"relative mismatch {number(mismatch)}")
    if difference.is_zero():
        return Outcome(EQUAL, "both are exactly 0" if size.is_zero() else "equal without any rounding")
    if bits > wanted_bits and size < arb(10) ** -int(VANISHED_PER_BIT * bits):
        return Outcome(EQUAL, f"both are 0 to {digits_of(size)} digits")
    digits = digits_of(difference.rad() / size)
    if digits < round(DIGITS_PER_BIT * wanted_bits):
        return Outcome(OPEN, f"only {max(0, digits)} digits are certain at {bits} bits")
    return Outcome(EQUAL, f"{digits} digits")


def digits_of(small: Any) -> int:
    """Return the number of zeros after the point of a small positive number; 0 where the ball does not tell."""
    upper = abs(small).upper()
    return int(float((-upper.log() / arb(10).log()).mid())) if upper.is_finite() else 0
