"""Arrays of dual numbers: object arrays that keep their balls through ``astype``, and multiply matrices in FLINT."""

from __future__ import annotations

from typing import Any

import numpy as np

from symrnn.verify.balls.dual import Dual, as_dual, ball
from symrnn.verify.balls.products import product


def kept_or_dual(value: Any) -> Any:
    """Make a dual number of a number; keep anything else that somebody stores in an object array."""
    return value if type(value) is Dual or ball(value) is None else as_dual(value)


_DOT = np.dot
_CHOOSING = (np.maximum, np.minimum, np.fmax, np.fmin)
_strict = np.frompyfunc(as_dual, 1, 1)
lifting = np.frompyfunc(kept_or_dual, 1, 1)


class BallArray(np.ndarray):
    """An object array whose ``astype`` to a float type keeps the balls, and that multiplies matrices faster than NumPy."""

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Convert; to a float type this is a copy."""
        return self.copy() if self.dtype == object and becomes_balls(dtype) else super().astype(dtype, *args, **kwargs)

    def clip(self, min: Any = None, max: Any = None, out: Any = None, **named: Any) -> Any:  # NumPy's names
        """Clip, by the functions that go by their names in NumPy now."""
        low, high = named.get("a_min", min), named.get("a_max", max)
        made = self if low is None else np.maximum(self, low)
        made = made if high is None else np.minimum(made, high)
        if out is None:
            return made.copy() if made is self else made
        out[...] = made
        return out

    def __matmul__(self, other: Any) -> Any:
        """Multiply matrices."""
        made = product(self, other) if isinstance(other, np.ndarray) else None
        return super().__matmul__(other) if made is None else typed(made)

    def __rmatmul__(self, other: Any) -> Any:
        """Multiply matrices."""
        made = product(other, self) if isinstance(other, np.ndarray) else None
        return super().__rmatmul__(other) if made is None else typed(made)

    def dot(self, other: Any, *args: Any, **kwargs: Any) -> Any:
        """Multiply matrices."""
        return np.dot(self, other, *args, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Keep balls in arrays of this type: what is joined, chosen or moved about."""
        if function is _DOT and len(args) == 2 and not kwargs and all(isinstance(a, np.ndarray) for a in args):
            fast = product(*args)
            if fast is not None:
                return typed(fast)
        made = super().__array_function__(function, types, args, kwargs)
        return all_balls(made) if isinstance(made, np.ndarray) and made.dtype == object else made

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Unpack results without dimensions, as NumPy does for plain arrays; a number that was chosen becomes a ball."""
        if context is not None and context[0] in _CHOOSING:
            array = lifting(array)
        return array[()] if np.ndim(array) == 0 else np.ndarray.view(array, BallArray if array.dtype == object else np.ndarray)


def all_balls(array: Any) -> Any:
    """Return an object array in which each plain number is a ball; a view of another array as it is."""
    kept = array if array.base is not None or set(map(type, array.flat)) <= {Dual} else np.asarray(lifting(array), dtype=object)
    return kept.view(BallArray)


def becomes_balls(dtype: Any) -> bool:
    """Tell whether an array that is asked for in this type holds balls instead: floats, complex, objects, no type."""
    return dtype is None or np.dtype(dtype).kind in "fcO"


def has_balls(values: Any) -> bool:
    """Tell whether an object array or nested lists hold a dual number."""
    if isinstance(values, (list, tuple)):
        return any(has_balls(v) for v in values)
    return type(values) is Dual or (isinstance(values, np.ndarray) and values.dtype == object)


def dual_array(values: Any) -> BallArray:
    """Make an array of dual numbers of anything that NumPy makes an array of numbers of.

    Raises:
        TypeError: An entry is no real number.
    """
    return np.asarray(_strict(np.array(values, dtype=object)), dtype=object).view(BallArray)


def lifted(values: Any) -> Any:
    """Replace the plain numbers in an object array by dual numbers; return anything else as it is."""
    if type(values) is Dual or not has_balls(values):
        return values
    return np.asarray(lifting(np.asarray(values, dtype=object)), dtype=object).view(BallArray)


def typed(values: Any) -> Any:
    """Give an array of truth values its type, any other object array its view; unpack what has no dimensions."""
    array = np.asarray(values, dtype=object)
    if array.size and all(isinstance(v, bool) for v in array.flat):
        array = array.astype(bool)
    return array[()] if array.ndim == 0 else array if array.dtype == bool else array.view(BallArray)
