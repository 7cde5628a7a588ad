"""Hypothesis strategies: arguments of a forward pass, at sizes where mistakes cannot hide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from symrnn.errors import SpecError
from symrnn.verify.handwritten.inputs import evaluated, letters_of


@st.composite
def sizes(draw: Any, letters: Sequence[str], *, most: int = 11, fixed: Mapping[str, int] | None = None) -> dict[str, int]:
    """Draw pairwise coprime numbers from 2 on for letters; at least 6 for ``T``.

    Args:
        draw: Given by Hypothesis.
        letters: The letters.
        most: The largest number.
        fixed: Numbers that are given.
    """
    found = dict(fixed or {})
    for letter in sorted(set(letters) - found.keys(), key=lambda name: name != "T"):
        low = 6 if letter == "T" else 2
        free = [n for n in range(low, max(most, low) + 1) if all(math.gcd(n, other) == 1 for other in found.values())]
        found[letter] = draw(st.sampled_from(free or [n for n in range(low, 60) if n not in found.values()]))
    return found


@st.composite
def arguments(draw: Any, shapes: Mapping[str, Sequence[int | str]], *, most: int = 11, fixed: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Draw the arguments of a forward pass by name: arrays of numbers between -1 and 1, none of them 0.

    Args:
        draw: Given by Hypothesis.
        shapes: A shape for each argument, such as ``{"x": ["N", "T", "D"], "Wx": ["D", "4*H"]}``.
        most: The largest size.
        fixed: Sizes that are given.

    Raises:
        SpecError: A shape is no list of letters and numbers.
    """
    for name, shape in shapes.items():
        if isinstance(shape, str) or not all(isinstance(size, (int, str)) for size in shape):
            raise SpecError(f"the shape of {name} is a list of letters and numbers such as ['N', 'D']; got {shape!r}")
    letters = {letter for shape in shapes.values() for size in shape for letter in letters_of(size)}
    numbers = draw(sizes(sorted(letters), most=most, fixed=fixed))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = {}
    for name, shape in shapes.items():
        values = rng.integers(16, 49, tuple(evaluated(size, numbers) for size in shape)) / 64.0
        made[name] = np.where(rng.random(values.shape) < 0.5, -values, values)
    return made
