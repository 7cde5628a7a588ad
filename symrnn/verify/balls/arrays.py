"""Arrays of dual numbers, and the context in which foreign NumPy code makes them.

Code that was written for floats makes its buffers with ``np.zeros`` and stores into them; a float64 buffer would
refuse (or round) a ball. Under :func:`object_arrays` the makers of NumPy hand out object arrays filled with dual
numbers, and functions without a loop for objects (``isnan``, ``logaddexp``, …) get one.

Guarantees:
    The context replaces entries of the modules ``numpy`` and ``math`` and of the namespaces that it is given (for
    ``from numpy import zeros``), and restores each of them, whatever the code raises. Integer and boolean arrays stay
    as they are. ``np.empty`` hands out NaN, so that a slot that is read before it is written shows. Blind: a float64
    buffer made before the context was entered raises on the first ball that is stored into it.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.dual import Dual, as_dual, ball
from symrnn.verify.balls.functions import FUNCTIONS
from symrnn.verify.balls.products import product
from symrnn.verify.balls.randomness import guarded, is_random

_LOCK = threading.RLock()


def kept_or_dual(value: Any) -> Any:
    """Make a dual number of a number; keep anything else that somebody stores in an object array."""
    return value if type(value) is Dual or ball(value) is None else as_dual(value)


_DOT = np.dot
_strict = np.frompyfunc(as_dual, 1, 1)
_lift = np.frompyfunc(kept_or_dual, 1, 1)


class BallArray(np.ndarray):
    """An object array whose ``astype`` to a float type keeps the balls, and that multiplies matrices faster than NumPy."""

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Convert; to a float type this is a copy."""
        return self.copy() if becomes_balls(dtype) else super().astype(dtype, *args, **kwargs)

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
        return made.view(BallArray) if type(made) is np.ndarray and made.dtype == object else made

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Unpack results without dimensions, as NumPy does for plain arrays."""
        return array[()] if np.ndim(array) == 0 else np.ndarray.view(array, BallArray if array.dtype == object else np.ndarray)


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
    return np.asarray(_lift(np.asarray(values, dtype=object)), dtype=object).view(BallArray)


def _filled(original: Any, number: float | None = None) -> Any:
    """Wrap ``zeros(shape, dtype)`` and the like: what would be floats becomes dual numbers."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        if not becomes_balls(made.dtype):
            return made
        return lifted((made if number is None or made.dtype == object else np.full_like(made, number)).astype(object))

    return make


def _converted(original: Any) -> Any:
    """Wrap ``array(values, dtype)`` and the like: balls stay balls, whatever float type is asked for."""

    @functools.wraps(original)
    def make(values: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not (has_balls(values) and becomes_balls(dtype)):
            return original(values, dtype, *args, **kwargs)
        kept = original(values, object, *args, **kwargs)
        if not kept.flags.writeable:  # a broadcast array that was not copied
            kept = kept.copy()
        kept[...] = _lift(kept)
        return kept.view(BallArray)

    return make


def _multiplying(original: Any) -> Any:
    """Wrap ``matmul``, which is no function that arrays can take over."""

    @functools.wraps(original)
    def matmul(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        balls = not args and not kwargs and (isinstance(a, BallArray) or isinstance(b, BallArray))
        return np.asanyarray(a) @ np.asanyarray(b) if balls else original(a, b, *args, **kwargs)

    return matmul


def _entrywise(original: Any) -> Any:
    """Wrap a function of NumPy so that it reads plain numbers in object arrays too."""

    @functools.wraps(original)
    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        return original(lifted(x), *args, **kwargs)

    return function


def _looped(original: Any, scalar: Callable[..., Any]) -> Any:
    """Wrap a function of NumPy that has no loop for objects."""
    count = scalar.__code__.co_argcount
    loop = np.frompyfunc(lambda *numbers: scalar(*map(as_dual, numbers)), count, 1)

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        if not any(map(has_balls, args[:count])):
            return original(*args, **kwargs)
        return typed(loop(*args[:count]))

    def reduce(x: Any, *args: Any, **kwargs: Any) -> Any:
        return (loop if has_balls(x) else original).reduce(x, *args, **kwargs)

    function.reduce = reduce  # type: ignore[attr-defined]  # a function takes attributes
    return function


def _near(original: Any) -> Any:
    """Wrap ``isclose`` and ``allclose``, which ask for finite floats."""

    @functools.wraps(original)
    def function(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
        if not (has_balls(a) or has_balls(b)):
            return original(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)
        near = typed(np.frompyfunc(lambda x, y: is_near(as_dual(x).value, as_dual(y).value, rtol, atol), 2, 1)(a, b))
        return near if original is np.isclose else bool(np.all(near))

    return function


def is_near(x: Any, y: Any, rtol: float, atol: float) -> bool:
    """Tell whether two balls are within a tolerance of each other."""
    return Dual(abs(x - y)) <= Dual(atol + rtol * abs(y))


def typed(values: Any) -> Any:
    """Give an array of truth values its type, any other object array its view; unpack what has no dimensions."""
    array = np.asarray(values, dtype=object)
    if array.size and all(isinstance(v, bool) for v in array.flat):
        array = array.astype(bool)
    return array[()] if array.ndim == 0 else array if array.dtype == bool else array.view(BallArray)


def _scalar(original: Any, name: str) -> Any:
    """Wrap a function of ``math``, which would ask for a float."""

    @functools.wraps(original)
    def function(x: Any, *args: Any) -> Any:
        if type(x) is not Dual:
            return original(x, *args)
        y = getattr(x, name)()
        return y / getattr(as_dual(args[0]), name)() if args else y

    return function


class _FloatType(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, (float, Dual))


class BallFloat(float, metaclass=_FloatType):
    """Stands for ``float`` in the namespaces of foreign code: ``float(loss)`` keeps a dual number."""

    def __new__(cls, value: Any = 0.0) -> Any:
        """Return the dual number, or a float."""
        while isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(-1)[0]
        return value if type(value) is Dual else float(value)


MAKERS = ("zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "eye", "identity")
CONVERTERS = ("array", "asarray", "asanyarray", "ascontiguousarray")
LOOPS: dict[str, Callable[..., Any]] = {
    "isnan": lambda x: x.isnan(),
    "isfinite": lambda x: x.isfinite(),
    "isinf": lambda x: not (x.isnan() or x.isfinite()),
    "logaddexp": lambda a, b: (a.exp() + b.exp()).log(),
    "heaviside": lambda x, at_zero: at_zero if x == 0 else Dual(arb(int(x > 0))),
    "float_power": lambda a, b: a**b,
    "nan_to_num": lambda x: x,
}
MATH = ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan", "fabs",
        "isnan", "isfinite", "erf")


def _replacements() -> dict[int, tuple[Any, Any]]:
    """Pair what is replaced with what replaces it, by the identity of the first."""
    pairs = [(getattr(np, name), _filled(getattr(np, name))) for name in MAKERS]
    pairs += [(make, _filled(make, math.nan)) for make in (np.empty, np.empty_like)]
    pairs += [(getattr(np, name), _converted(getattr(np, name))) for name in CONVERTERS]
    pairs += [(getattr(np, name), _entrywise(getattr(np, name))) for name in FUNCTIONS if hasattr(np, name)]
    pairs += [(getattr(np, name), _looped(getattr(np, name), scalar)) for name, scalar in LOOPS.items()]
    pairs += [(np.matmul, _multiplying(np.matmul))]
    pairs += [(test, _near(test)) for test in (np.isclose, np.allclose)]
    pairs += [(getattr(math, name), _scalar(getattr(math, name), name)) for name in MATH]
    return {id(original): (original, replacement) for original, replacement in pairs}


_TABLE = _replacements()
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
        shadowed = [space for space in namespaces if "float" not in space]
        try:
            for space, known in ((vars(np), _ORIGINALS), (vars(math), _OF_MATH), *((own, own) for own in namespaces)):
                for name in list(known):
                    value = space[name]
                    if id(value) in _TABLE:
                        swapped.append((space, name, value))
                        space[name] = _TABLE[id(value)][1]
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
