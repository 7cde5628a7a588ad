"""Elementwise functions: one frozen row each.

A row holds the derivative (in terms of the output ``s`` where that is possible, else of the input ``z``), the printed
forms, the NumPy form as source text (so that nothing here imports NumPy) and the scalar SymPy form. The derivative and
the SymPy form are written independently of each other: the entrywise judge uses only the latter, and so catches a
wrong derivative.

``derivative(z, s)`` builds a node with the operators of :mod:`symrnn.expr`; ``z.apply(name)`` applies another row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Function, Piecewise

from symrnn.errors import unknown


class UnspecifiedFunction(Function):
    """The scalar ``φ^{(k)}(z)``: a function that is not specified, differentiated ``k`` times."""

    nargs = 2

    def fdiff(self, argindex: int = 2) -> Expr:
        """Return ``φ^{(k+1)}(z)``, the derivative in ``z``."""
        order, z = self.args
        return UnspecifiedFunction(order + 1, z)


@dataclass(frozen=True)
class Activation:
    """One elementwise function ``s = f(z)``.

    Attributes:
        name: Key in the table and in equations.
        latex: LaTeX of the function's name.
        text: Unicode of the function's name.
        derivative: ``(z, s) -> node`` with ``f'(z)``.
        numpy: NumPy source of the value, with ``{z}`` for the argument; calls ``helper`` where there is one.
        scalar: ``z -> SymPy expression`` of one entry.
        helper: Source of a Python function that ``numpy`` calls, or ``""``.
        slope: Supremum of ``|f'|``, or ``None`` where there is none or it is not known.
    """

    name: str
    latex: str
    text: str
    derivative: Callable[[Any, Any], Any]
    numpy: str
    scalar: Callable[[Any], Expr]
    helper: str = ""
    slope: float | None = None


SIGMOID = '''
def sigmoid(z):
    """1 / (1 + exp(-z)), written so that it cannot overflow and runs on every dtype."""
    return 0.5 * np.tanh(0.5 * z) + 0.5
'''

SOFTPLUS = '''
def softplus(z):
    """log(1 + exp(z)); the larger exponent is taken out first, so that nothing overflows."""
    m = np.where(z.real > 0, z.real, 0 * z.real)
    return m + np.log(np.exp(-m) + np.exp(z - m))
'''

ELU = '''
def elu(z):
    """z where z > 0, else exp(z) - 1."""
    return np.where(z.real > 0, z, np.exp(np.where(z.real > 0, 0 * z, z)) - 1)
'''

RELU = '''
def relu(z):
    """z where z > 0, else 0."""
    return np.where(z.real > 0, z, 0 * z)
'''

LEAKY_RELU = '''
def leaky_relu(z):
    """z where z > 0, else z / 100."""
    return np.where(z.real > 0, z, z / 100)
'''

STEP = '''
def step(z):
    """1 where z > 0, else 0."""
    return np.where(z.real > 0, 1 + 0 * z, 0 * z)
'''

RSQRT = '''
def rsqrt(z):
    """1 / sqrt(z)."""
    return 1 / np.sqrt(z)
'''

LEAKY_SLOPE = sympy.Rational(1, 100)

_ROWS = (
    Activation(
        "tanh", r"\tanh", "tanh", lambda z, s: 1 - s * s, "np.tanh({z})", sympy.tanh, slope=1.0,
    ),
    Activation(
        "sigmoid", r"\sigma", "σ", lambda z, s: s * (1 - s), "sigmoid({z})", lambda z: 1 / (1 + sympy.exp(-z)),
        SIGMOID, 0.25,
    ),
    Activation(
        "relu", r"\operatorname{ReLU}", "ReLU", lambda z, s: z.apply("step"),
        "relu({z})", lambda z: Piecewise((z, z > 0), (0, True)), RELU, 1.0,
    ),
    Activation(
        "leaky_relu", r"\operatorname{LReLU}", "LReLU",
        lambda z, s: z.apply("step") + LEAKY_SLOPE * (1 - z.apply("step")),
        "leaky_relu({z})", lambda z: Piecewise((z, z > 0), (z * LEAKY_SLOPE, True)), LEAKY_RELU, 1.0,
    ),
    Activation(
        "softplus", r"\operatorname{softplus}", "softplus", lambda z, s: z.apply("sigmoid"), "softplus({z})",
        lambda z: sympy.log(1 + sympy.exp(z)), SOFTPLUS, 1.0,
    ),
    Activation(
        "elu", r"\operatorname{ELU}", "ELU", lambda z, s: z.apply("step") + (1 - z.apply("step")) * (1 + s),
        "elu({z})", lambda z: Piecewise((z, z > 0), (sympy.exp(z) - 1, True)), ELU, 1.0,
    ),
    Activation("sin", r"\sin", "sin", lambda z, s: z.apply("cos"), "np.sin({z})", sympy.sin, slope=1.0),
    Activation("cos", r"\cos", "cos", lambda z, s: -z.apply("sin"), "np.cos({z})", sympy.cos, slope=1.0),
    Activation("identity", r"\operatorname{id}", "id", lambda z, s: 0 * z + 1, "{z}", lambda z: z, slope=1.0),
    Activation(
        "step", r"\mathbf{1}_{>0}", "𝟙₊", lambda z, s: 0 * z, "step({z})",
        lambda z: Piecewise((1, z > 0), (0, True)), STEP, 0.0,
    ),
    Activation("exp", r"\exp", "exp", lambda z, s: s, "np.exp({z})", sympy.exp),
    Activation("log", r"\log", "log", lambda z, s: z.apply("reciprocal"), "np.log({z})", sympy.log),
    Activation("reciprocal", r"\operatorname{inv}", "inv", lambda z, s: -(s * s), "1 / {z}", lambda z: 1 / z),
    Activation(
        "rsqrt", r"\operatorname{rsqrt}", "rsqrt", lambda z, s: -sympy.Rational(1, 2) * (s * s * s), "rsqrt({z})",
        lambda z: 1 / sympy.sqrt(z), RSQRT,
    ),
)

ACTIVATIONS: dict[str, Activation] = {row.name: row for row in _ROWS}
if len(ACTIVATIONS) != len(_ROWS):  # a table checks its own invariants at import
    raise ValueError("two activations have one name")


def unspecified(order: int) -> Activation:
    """Return the row of an unspecified ``φ`` that was differentiated ``order`` times; it prints ``φ'``."""
    primes = "'" * order
    name = "phi" + primes
    source = ("phi", "phi_prime")[order] if order < 2 else f"phi_{order}"
    return Activation(
        name, r"\varphi" + primes, "φ" + "′" * order, lambda z, s: z.apply(name + "'"), source + "({z})",
        lambda z: UnspecifiedFunction(order, z),
    )


def is_unspecified(name: str) -> bool:
    """Tell whether ``name`` is ``phi``, ``phi'``, ``phi''`` and so on."""
    return name.startswith("phi") and not name[3:].strip("'")


def activation(name: str) -> Activation:
    """Look up one row.

    Raises:
        SpecError: Nobody defines the name; the nearest ones are offered.
    """
    if is_unspecified(name):
        return unspecified(len(name) - 3)
    try:
        return ACTIVATIONS[name]
    except KeyError:
        raise unknown("activation", name, [*ACTIVATIONS, "phi"]) from None
