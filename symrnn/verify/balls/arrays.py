"""Arrays of dual numbers, and the context in which foreign NumPy code makes them.

Code that was written for floats makes its buffers with ``np.zeros`` and stores into them; a float64 buffer would
refuse (or round) a ball. Under :func:`object_arrays` the makers of NumPy hand out object arrays filled with dual
numbers, and functions without a loop for objects (``isnan``, ``logaddexp``, …) get one.

Guarantees:
    The context replaces entries of the modules ``numpy``, ``math`` and ``scipy.special`` (where that is loaded) and of the namespaces that it is given (for
    ``from numpy import zeros``), and restores each of them, whatever the code raises. Integer and boolean arrays stay
    as they are. ``np.empty`` hands out NaN, so that a slot that is read before it is written shows. Blind: a float64
    buffer made before the context was entered raises on the first ball that is stored into it.
"""

from __future__ import annotations

import functools
import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from symrnn.verify.balls.ball_arrays import BallArray, becomes_balls, dual_array, has_balls, kept_or_dual, lifted
from symrnn.verify.balls.randomness import guarded, is_random
from symrnn.verify.balls.stand_ins import BallFloat, of_scipy, replacements

__all__ = ["BallArray", "becomes_balls", "dual_array", "has_balls", "kept_or_dual", "lifted", "object_arrays"]

_LOCK = threading.RLock()
_special = functools.cache(of_scipy)
_TABLE = replacements()
_ORIGINALS = {name: value for name, value in vars(np).items() if id(value) in _TABLE or is_random(value)}
_OF_MATH = {name: value for name, value in vars(math).items() if id(value) in _TABLE}


@contextmanager
def object_arrays(*namespaces: dict[str, Any]) -> Iterator[None]:
    """Make NumPy hand out arrays of dual numbers while foreign code runs.

    Args:
        namespaces: The globals of the modules of that code, for functions that it imported by name and for ``float``.
    """
    with _LOCK:
        swapped: list[tuple[dict[str, Any], str, Any]] = []
        special = sys.modules.get("scipy.special")
        table, scipy = (_TABLE, {}) if special is None else (_TABLE | _special(special), vars(special))
        shadowed = [space for space in namespaces if "float" not in space]
        try:
            for space, known in ((vars(np), _ORIGINALS), (vars(math), _OF_MATH), (scipy, scipy), *((own, own) for own in namespaces)):
                for name in list(known):
                    value = space[name]
                    if id(value) in table:
                        swapped.append((space, name, value))
                        space[name] = table[id(value)][1]
                    elif is_random(value):
                        swapped.append((space, name, value))
                        space[name] = guarded(value, _ORIGINALS)
            for space in shadowed:
                space["float"] = BallFloat
            yield
        finally:
            for space in shadowed:
                space.pop("float", None)
            for space, name, value in swapped:
                space[name] = value
