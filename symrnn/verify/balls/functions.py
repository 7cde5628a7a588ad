"""Functions of one ball with their derivatives: what NumPy's object loops call by name.

Guarantees:
    Each ball that comes out contains the function, or its derivative, at every point of the ball that goes in; outside
    of the domain it is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from flint import arb

Unary = tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]

FUNCTIONS: MappingProxyType[str, Unary] = MappingProxyType({
    "exp": (arb.exp, lambda x, y: y),
    "expm1": (arb.expm1, lambda x, y: y + 1),
    "exp2": (lambda x: (x * arb(2).log()).exp(), lambda x, y: y * arb(2).log()),
    "log": (arb.log, lambda x, y: 1 / x),
    "log1p": (arb.log1p, lambda x, y: 1 / (x + 1)),
    "log2": (lambda x: x.log() / arb(2).log(), lambda x, y: 1 / (x * arb(2).log())),
    "log10": (lambda x: x.log() / arb(10).log(), lambda x, y: 1 / (x * arb(10).log())),
    "sqrt": (arb.sqrt, lambda x, y: 1 / (2 * y)),
    "cbrt": (lambda x: x.root(3) if x >= 0 else -(-x).root(3), lambda x, y: 1 / (3 * y * y)),
    "sin": (arb.sin, lambda x, y: x.cos()),
    "cos": (arb.cos, lambda x, y: -x.sin()),
    "tan": (arb.tan, lambda x, y: 1 + y * y),
    "arcsin": (arb.asin, lambda x, y: 1 / (1 - x * x).sqrt()),
    "arccos": (arb.acos, lambda x, y: -1 / (1 - x * x).sqrt()),
    "arctan": (arb.atan, lambda x, y: 1 / (1 + x * x)),
    "sinh": (arb.sinh, lambda x, y: x.cosh()),
    "cosh": (arb.cosh, lambda x, y: x.sinh()),
    "tanh": (arb.tanh, lambda x, y: 1 - y * y),
    "arcsinh": (arb.asinh, lambda x, y: 1 / (x * x + 1).sqrt()),
    "arctanh": (arb.atanh, lambda x, y: 1 / (1 - x * x)),
    "erf": (arb.erf, lambda x, y: 2 * (-x * x).exp() / arb.pi().sqrt()),
})
"""Functions of one ball: ``y = f(x)`` and ``f'(x)`` from ``x`` and ``y``."""
