"""Where a wrong gradient is wrong: entry by entry against the derivative of the code's own forward pass.

Guarantees:
    Each entry that is called wrong is proved wrong: the ball of the difference excludes 0. Up to ``LIMIT`` entries are
    tried, drawn at random; the text says how many of them. A factor is named where every tried entry has it, to
    the digits of the balls.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from flint import arb

from symrnn.verify.balls.directional import Accused, Point

LIMIT = 100
FLOAT_CONSTANTS = arb(2) ** -45
"""Below this relative mismatch, a difference is that of two roundings of one constant."""

Index = tuple[int, ...]


def excludes_zero(number: Any) -> bool:
    """Tell whether a ball proves that its number is not 0."""
    return bool(number > 0) or bool(number < 0)


@dataclass(frozen=True)
class Mismatch:
    """Entries of a returned gradient, and what they should be.

    Attributes:
        shape: Of the gradient.
        right: Derivatives of the forward pass, for the entries that were tried.
        got: The returned numbers, for the same entries.
    """

    shape: tuple[int, ...]
    right: Mapping[Index, Any]
    got: Mapping[Index, Any]

    @property
    def wrong(self) -> tuple[Index, ...]:
        """The entries that are proved wrong by more than the rounding of a constant."""
        return tuple(
            i for i, right in self.right.items()
            if excludes_zero(self.got[i] - right) and not abs(self.got[i] - right) < FLOAT_CONSTANTS * abs(right)
        )

    @property
    def worst(self) -> Index:
        """The wrong entry with the largest difference."""
        return max(self.wrong, key=lambda i: abs(self.got[i] - self.right[i]).mid())

    @property
    def factor(self) -> Fraction | None:
        """What every entry is multiplied by, where that is one fraction with a small denominator."""
        moving = [i for i, right in self.right.items() if excludes_zero(right)]
        if not moving or any(i not in moving for i in self.wrong):
            return None
        ratios = [self.got[i] / self.right[i] for i in moving]
        guess = Fraction(float(ratios[0].mid())).limit_denominator(1000)
        exact = arb(flint.fmpq(guess.numerator, guess.denominator))
        return guess if all(abs(ratio - exact) < FLOAT_CONSTANTS for ratio in ratios) else None

    @property
    def places(self) -> str:
        """Which indices tell wrong entries from right ones: ``all at index 0 of axis 1``; empty where none do."""
        found = []
        for axis, size in enumerate(self.shape):
            wrong = {i[axis] for i in self.wrong}
            right = {i[axis] for i in self.right} - wrong
            if size > 1 and right:
                word, which = ("all at", wrong) if len(wrong) <= len(right) else ("none at", right)
                found.append(f", {word} index {', '.join(map(str, sorted(which)))} of axis {axis}")
        return "".join(found)

    def __str__(self) -> str:
        tried = len(self.right)
        several = f"{len(self.wrong)} of {tried} entries{'' if tried == np.prod(self.shape, dtype=int) else ' tried'} differ"
        if not self.wrong:
            return "no single entry that was tried differs"
        worst = self.worst
        at = f"[{', '.join(map(str, worst))}]" if worst else "the one entry"
        values = f"largest difference at {at}: {number(self.got[worst])} returned, {number(self.right[worst])} is right"
        factor = self.factor
        if factor == 0:
            return f"the returned gradient is 0; {values}"
        if factor is not None:
            return f"every entry is {factor} times what is right; {values}"
        return f"{several}{self.places}; {values}"


def number(value: Any) -> str:
    """Write a ball as a short decimal number."""
    return str(value.mid().str(6, radius=False))


def find_mismatch(accused: Accused, point: Point, name: str, gradient: Any) -> Mismatch:
    """Compare a gradient with the derivative of the forward pass, entry by entry.

    Args:
        accused: The code.
        point: Where.
        name: The array in which the gradient is taken.
        gradient: Array of dual numbers of the shape of that array.
    """
    indices = list(np.ndindex(point.shape(name)))
    chosen = sorted(random.Random(name).sample(indices, min(LIMIT, len(indices))))
    right = accused.partials(point, name, chosen)
    return Mismatch(point.shape(name), right, {index: gradient[index].value for index in chosen})
