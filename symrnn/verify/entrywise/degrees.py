"""Bounds on the degree of what the entrywise judge compares, for its probability of error.

Two rational functions that differ agree at a random point modulo ``p`` with probability at most degree / ``p``
(Schwartz and Zippel). Here everything is a polynomial in independent random numbers (the given entries, and one for
each value of a function) and in inverses of such polynomials; clearing the inverses gives the degree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import mul, or_
from typing import Any

import sympy
from sympy import Add, Expr, Function, KroneckerDelta, Mul, Piecewise, Pow, Symbol

from symrnn.activations import activation
from symrnn.expr import Elementwise, Hadamard, Leaf, LogSoftmax, OneHot, Product, Softmax, StopGradient
from symrnn.verify.entrywise.modular import POWER
from symrnn.verify.entrywise.scalars import slot


@dataclass(frozen=True)
class Degree:
    """A bound for a value and for its tangents.

    Attributes:
        value: Degree of the value, each inverse counting 1.
        tangent: Degree of its derivatives in anything.
        nesting: How deep inverses are nested.
        inverted: Largest degree of what is inverted.
    """

    value: int = 0
    tangent: int = 0
    nesting: int = 0
    inverted: int = 0

    def __or__(self, other: Degree) -> Degree:
        """Of a sum."""
        return Degree(*map(max, self.fields, other.fields))

    def __mul__(self, other: Degree) -> Degree:
        """Of a product: one of the factors is differentiated."""
        tangent = max(self.tangent + other.value, self.value + other.tangent)
        return Degree(self.value + other.value, tangent, *map(max, self.fields[2:], other.fields[2:]))

    @property
    def fields(self) -> tuple[int, int, int, int]:
        """The four numbers."""
        return self.value, self.tangent, self.nesting, self.inverted

    @property
    def inverse(self) -> Degree:
        """Of the inverse, a new unknown."""
        return Degree(1, 0, self.nesting + 1, max(self.value, self.inverted))

    def cleared(self, inversions: int, exponentials: int) -> int:
        """Degree of the polynomial that is left when all denominators are cleared.

        Args:
            inversions: How many numbers were inverted.
            exponentials: How many generators may have negative powers.
        """
        return self.value * (1 + inversions * self.inverted) ** self.nesting * (1 + exponentials)


NUMBER = Degree()
EXP, CIRCLE = Degree(POWER), Degree(3, 0, 1, 2)
"""``exp`` is a twelfth power; sine and cosine are fractions of degree 2 in a generator; others are generators."""

SOFTMAX = EXP * EXP.inverse


def scalar_degree(expr: Expr, argument: Degree) -> Degree:
    """Return bounds for the value of a scalar expression in one operand."""
    if isinstance(expr, Symbol):
        return argument
    if isinstance(expr, Add | Mul):
        return reduce(or_ if isinstance(expr, Add) else mul, (scalar_degree(arg, argument) for arg in expr.args))
    if isinstance(expr, Pow) and expr.exp.is_Integer:
        base = scalar_degree(expr.base, argument)
        return reduce(mul, [base.inverse if expr.exp < 0 else base] * abs(int(expr.exp)), NUMBER)
    if isinstance(expr, Pow) and expr.base.free_symbols:  # a power of a root, which is a generator
        return reduce(mul, [Degree(1).inverse if expr.exp < 0 else Degree(1)] * abs(int(2 * expr.exp)), NUMBER)
    if isinstance(expr, Piecewise):
        return reduce(or_, (scalar_degree(value, argument) for value, _ in expr.args))
    if isinstance(expr, sympy.exp):
        return EXP
    if isinstance(expr, sympy.sin | sympy.cos):
        return CIRCLE
    return Degree(1) if isinstance(expr, Function) and not isinstance(expr, KroneckerDelta) else NUMBER


@lru_cache(maxsize=256)
def function_degree(form: Expr, argument: Degree) -> Degree:
    """Return bounds for ``f(z)`` and ``f'(z) dz``, from the SymPy form of ``f``."""
    still = Degree(argument.value, 0, argument.nesting, argument.inverted)
    value, slope = scalar_degree(form, still), scalar_degree(form.diff(slot(0)), still)
    return Degree(value.value, slope.value + argument.tangent, *(value | slope | argument).fields[2:])


def degree(node: Any, of: Callable[[Leaf], Degree]) -> Degree:
    """Return bounds for a formula from those of the quantities that it reads."""
    if isinstance(node, Leaf):
        return of(node)
    parts = [degree(arg, of) for arg in node.args]
    if isinstance(node, Product | Hadamard):
        return reduce(mul, parts)
    result = reduce(or_, parts, NUMBER)
    if isinstance(node, Elementwise):
        return function_degree(activation(str(node.args[0])).scalar(slot(0)), result)
    if isinstance(node, Softmax):
        power = reduce(mul, parts[1:], EXP)
        output = power * power.inverse
        tangent = 2 * output.value + result.tangent
        return Degree(output.value, tangent, max(output.nesting, result.nesting), max(output.inverted, result.inverted))
    if isinstance(node, LogSoftmax):
        tangent = SOFTMAX.value + result.tangent
        return Degree(max(1, result.value), tangent, max(1, result.nesting), max(POWER, result.inverted))
    still = isinstance(node, OneHot) or (isinstance(node, StopGradient) and node.condition is None)
    return Degree(result.value, 0, *result.fields[2:]) if still else result
