"""What stands for functions of ``numpy``, ``math`` and ``scipy.special`` while foreign code runs on balls.

Guarantees:
    Without balls among the arguments each does what it stands for, except that makers of float arrays hand out arrays of
    dual numbers. ``np.empty`` hands out NaN, so that a slot that is read before it is written shows.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.ball_arrays import BallArray, becomes_balls, has_balls, lifted, lifting, typed
from symrnn.verify.balls.dual import Dual, as_dual
from symrnn.verify.balls.functions import FUNCTIONS
from symrnn.verify.balls.scipy_functions import SHARED, SPECIAL


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
        kept[...] = lifting(kept)
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
        return near if original.__name__ == "isclose" else bool(np.all(near))

    return function


def is_near(x: Any, y: Any, rtol: float, atol: float) -> bool:
    """Tell whether two balls are within a tolerance of each other."""
    return Dual(abs(x - y)) <= Dual(atol + rtol * abs(y))


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
    """Types whose instances are floats and dual numbers."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, (*cls.__bases__, Dual))


def _balls_of(value: Any) -> Any:
    """Return the dual number, or the array of them, in what a float is asked of; ``None`` where there is none."""
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim:
        return lifted(value.copy())
    while isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value if type(value) is Dual else None


class BallFloat(float, metaclass=_FloatType):
    """Stands for ``float`` in the namespaces of foreign code: ``float(loss)`` keeps a dual number."""

    def __new__(cls, value: Any = 0.0) -> Any:
        """Return the dual number, or a float."""
        while isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(-1)[0]
        return value if type(value) is Dual else float(value)


class BallFloat64(np.float64, metaclass=_FloatType):
    """Stands for ``np.float64``, as a type of arrays and as a function."""

    def __new__(cls, value: Any = 0.0) -> Any:
        """Return dual numbers, or a float."""
        balls = _balls_of(value)
        return _FLOAT64(value) if balls is None else balls


class BallFloat32(np.float32, metaclass=_FloatType):
    """Stands for ``np.float32``, as a type of arrays and as a function."""

    def __new__(cls, value: Any = 0.0) -> Any:
        """Return dual numbers, or a float."""
        balls = _balls_of(value)
        return _FLOAT32(value) if balls is None else balls


_FLOAT64, _FLOAT32 = np.float64, np.float32


def _limits(original: Any) -> Any:
    """Wrap ``finfo``: balls have the limits of the floats that they stand for."""

    @functools.wraps(original, updated=())
    def finfo(dtype: Any) -> Any:
        return original(_FLOAT64 if type(dtype) is Dual or np.dtype(getattr(dtype, "dtype", dtype)).kind == "O" else dtype)

    return finfo


def _subtype(original: Any) -> Any:
    """Wrap ``issubdtype``: arrays of balls stand for arrays of floats."""

    @functools.wraps(original)
    def issubdtype(one: Any, other: Any) -> Any:
        return original(_FLOAT64 if isinstance(one, np.dtype) and one.kind == "O" else one, other)

    return issubdtype


def _over(original: Any, ours: Callable[..., Any]) -> Any:
    """Wrap a function of SciPy."""

    @functools.wraps(original, updated=())
    def function(*args: Any, **kwargs: Any) -> Any:
        return (ours if any(map(has_balls, args)) else original)(*args, **kwargs)

    return function


def of_scipy(special: Any) -> dict[int, tuple[Any, Any]]:
    """Pair functions of ``scipy.special`` with what replaces them, by the identity of the first."""
    pairs = [(getattr(special, name), _over(getattr(special, name), ours)) for name, ours in SPECIAL.items() if hasattr(special, name)]
    pairs += [(getattr(special, name), _over(getattr(special, name), getattr(np, name))) for name in SHARED if hasattr(special, name)]
    return {id(original): (original, replacement) for original, replacement in pairs}


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


def replacements() -> dict[int, tuple[Any, Any]]:
    """Pair what is replaced with what replaces it, by the identity of the first."""
    pairs = [(getattr(np, name), _filled(getattr(np, name))) for name in MAKERS]
    pairs += [(make, _filled(make, math.nan)) for make in (np.empty, np.empty_like)]
    pairs += [(getattr(np, name), _converted(getattr(np, name))) for name in CONVERTERS]
    pairs += [(getattr(np, name), _entrywise(getattr(np, name))) for name in FUNCTIONS if hasattr(np, name)]
    pairs += [(getattr(np, name), _looped(getattr(np, name), scalar)) for name, scalar in LOOPS.items()]
    pairs += [(np.float64, BallFloat64), (np.float32, BallFloat32), (np.finfo, _limits(np.finfo)), (np.issubdtype, _subtype(np.issubdtype))]
    pairs += [(np.matmul, _multiplying(np.matmul))]
    pairs += [(test, _near(test)) for test in (np.isclose, np.allclose)]
    pairs += [(getattr(math, name), _scalar(getattr(math, name), name)) for name in MATH]
    return {id(original): (original, replacement) for original, replacement in pairs}
