"""Functions of ``scipy.special`` that networks use, on arrays of dual numbers: its own compiled loops know floats only.

Nothing here imports SciPy: where foreign code has imported it, its functions are replaced by these while the code runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.ball_arrays import lifted
from symrnn.verify.balls.dual import Dual, apply, as_dual


def _one_xlogy(x: Any, y: Any) -> Any:
    """``x log(y)`` of two numbers."""
    return Dual(arb(0)) if x == 0 else x * apply("log", as_dual(y))


_erf = np.frompyfunc(lambda x: apply("erf", as_dual(x)), 1, 1)
_xlogy: Any = np.frompyfunc(_one_xlogy, 2, 1)


def expit(x: Any) -> Any:
    """``1 / (1 + e^-x)``."""
    return 1 / (1 + np.exp(-lifted(x)))


def log_expit(x: Any) -> Any:
    """``-log(1 + e^-x)``."""
    return -np.log1p(np.exp(-lifted(x)))


def logit(x: Any) -> Any:
    """``log(x / (1 - x))``."""
    return np.log(lifted(x) / (1 - lifted(x)))


def erf(x: Any) -> Any:
    """The error function."""
    return lifted(_erf(x))


def erfc(x: Any) -> Any:
    """``1 - erf(x)``."""
    return 1 - erf(x)


def xlogy(x: Any, y: Any) -> Any:
    """``x log(y)``, and 0 where x is 0."""
    return lifted(_xlogy(x, y))


def exp10(x: Any) -> Any:
    """``10^x``."""
    return 10 ** lifted(x)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """``log Σ b e^a``."""
    a = lifted(a)
    top = np.max(a, axis=axis, keepdims=True)
    total = np.sum(np.exp(a - top) if b is None else b * np.exp(a - top), axis=axis, keepdims=True)
    found = np.log(total) + top
    shape = np.shape(np.max(a, axis=axis))
    return found if keepdims or isinstance(found, Dual) else found.reshape(shape) if shape else found.reshape(-1)[0]


def softmax(x: Any, axis: Any = None) -> Any:
    """``e^x / Σ e^x``."""
    powers = np.exp(lifted(x) - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """``x - log Σ e^x``."""
    return lifted(x) - logsumexp(x, axis=axis, keepdims=True)


def _of_value(name: str) -> Callable[..., Any]:
    """Return a function of FLINT that has no rule for derivatives here."""

    def one(x: Any) -> Dual:
        number = as_dual(x)
        if number.tangent is not None:
            raise TypeError(f"{name} of a ball has no rule for its derivative; it is found by difference quotients where there is no other way")
        return Dual(getattr(arb, name)(number.value))

    loop = np.frompyfunc(one, 1, 1)
    return lambda x: lifted(loop(x))


SPECIAL: Mapping[str, Callable[..., Any]] = MappingProxyType({
    function.__name__: function
    for function in (expit, log_expit, logit, erf, erfc, xlogy, exp10, logsumexp, softmax, log_softmax)
} | {name: _of_value(own) for name, own in (("gamma", "gamma"), ("gammaln", "lgamma"), ("digamma", "digamma"), ("psi", "digamma"))})
"""By their names in ``scipy.special``."""
SHARED = ("expm1", "log1p", "exp2", "cbrt")
"""Functions of ``scipy.special`` that are NumPy's too."""
