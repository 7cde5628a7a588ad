"""What a wrong gradient is instead: a multiple of the right one. Clipped and truncated ones have files of their own.

Guarantees:
    *Factor*: every entry that was tried is the right one times one number. It is measured on numbers; no formula of a
    cell is known.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.verify.balls.dual import Undecided
from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, Mismatch, excludes_zero
from symrnn.verify.handwritten.judging import Judged, readable
from symrnn.verify.handwritten.trial import Subject, Trial, trial_at, unit

ENTRIES, FEWER, FEW = 10, 5, 2
"""Entries of each gradient that are compared one by one; fewer where more than a few gradients are wrong."""


@dataclass(frozen=True)
class Cause:
    """What a gradient is instead of the right one.

    Attributes:
        verdict: As in the report; empty where it is only wrong.
        detail: In words.
        factor: What it is multiplied by.
        steps: After how many steps it is truncated.
    """

    verdict: str = ""
    detail: str = ""
    factor: Fraction | None = None
    steps: int | None = None


def mismatch_at(trial: Trial, name: str, most: int = ENTRIES) -> Mismatch | None:
    """Compare some entries of a gradient one by one, at most so many, the largest among them; ``None`` where they cannot be read."""
    gradient, problem, _ = readable(trial, name)
    if problem is not None:
        return None
    indices = list(np.ndindex(gradient.shape))
    largest = max(indices, key=lambda index: float(abs(gradient[index].value).mid()))
    chosen = sorted({largest, *random.Random(name).sample(indices, min(most, len(indices)))})
    try:
        right = {index: trial.slope(name, unit(gradient.shape, index), index) for index in chosen}
    except Undecided:
        return None
    return Mismatch(gradient.shape, right, {index: gradient[index].value for index in chosen})


def trial_of(subject: Subject, judged: Judged, **options: Any) -> Trial:
    """Return the trial that showed something."""
    return trial_at(subject, judged.seed, **options)


def common_ratio(found: Mismatch) -> Any:
    """Return the ball of the one number that all entries are multiplied by; ``None`` where there is none."""
    moving = [index for index, right in found.right.items() if excludes_zero(right)]
    if not moving or any(index not in moving for index in found.wrong):
        return None
    ratios = [found.got[index] / found.right[index] for index in moving]
    return ratios[0] if all(abs(ratio - ratios[0]) < FLOAT_CONSTANTS * abs(ratios[0]) for ratio in ratios) else None


def size_named(factor: Fraction, sizes: Mapping[str, int]) -> str:
    """Write a factor in sizes: ``T``, ``1/N``, ``2/(N·T)``; empty where it is not made of them, or is 2 or ½ by itself."""
    if factor in (2, Fraction(1, 2)):
        return next((letter if factor == 2 else f"1/{letter}" for letter, size in sizes.items() if size == 2), "")
    for few, constant in itertools.product(range(1, 4), (Fraction(1), Fraction(2), Fraction(1, 2))):
        for letters in itertools.combinations([letter for letter, size in sizes.items() if size > 1], few):
            for powers in itertools.product((1, -1), repeat=few):
                if constant * math.prod(Fraction(sizes[x]) ** p for x, p in zip(letters, powers, strict=True)) == factor:
                    return fraction_text(constant, letters, powers)
    return ""


def fraction_text(constant: Fraction, letters: tuple[str, ...], powers: tuple[int, ...]) -> str:
    """Write a product of letters and their inverses."""
    over = [str(constant.numerator)] if constant.numerator != 1 else []
    under = [str(constant.denominator)] if constant.denominator != 1 else []
    over += [letter for letter, power in zip(letters, powers, strict=True) if power > 0]
    under += [letter for letter, power in zip(letters, powers, strict=True) if power < 0]
    below = "·".join(under)
    return ("·".join(over) or "1") + (f"/{below if len(under) == 1 else f'({below})'}" if under else "")


def only_at(upstream: Mapping[Any, Any], size: int, time: int) -> dict[Any, Any] | None:
    """Return an upstream gradient that is 0 at all times but one; ``None`` where nothing has that many times."""
    found: dict[Any, Any] = {}
    cut = False
    for path, weights in upstream.items():
        array = np.array(weights, dtype=object)
        axes = [axis for axis, length in enumerate(array.shape) if length == size]
        listed = [other for other in upstream if other[:-1] == path[:-1]]
        if axes:
            kept = np.zeros(array.shape, dtype=int).astype(object)
            where = tuple(slice(time, time + 1) if axis == axes[0] else slice(None) for axis in range(array.ndim))
            kept[where] = array[where]
            found[path], cut = kept, True
        elif len(listed) == size and path[-1].startswith("["):
            found[path] = array if listed.index(path) == time else array * 0
            cut = True
        else:
            found[path] = array * 0
    return found if cut else None


__all__ = ["Cause", "common_ratio", "mismatch_at", "only_at", "size_named", "trial_of"]
