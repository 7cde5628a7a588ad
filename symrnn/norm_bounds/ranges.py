"""What the functions of a network promise for all values: ranges of gates, and suprema of slopes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from sympy import Expr, Integer, Max, Rational, oo

from symrnn.activations import activation
from symrnn.equations import Equation
from symrnn.expr import At, Elementwise, Hadamard, Ones, Plus, Scaled, Softmax, t
from symrnn.networks.graph import Network
from symrnn.norm_bounds.norms import CONSTANT, ENTRY, Atom, NormBound, atom, number

Interval: TypeAlias = tuple[Expr, Expr]

RANGES: Mapping[str, Interval] = MappingProxyType({
    "sigmoid": (Integer(0), Integer(1)),
    "tanh": (Integer(-1), Integer(1)),
    "sin": (Integer(-1), Integer(1)),
    "cos": (Integer(-1), Integer(1)),
    "step": (Integer(0), Integer(1)),
})
"""Smallest and largest value of functions that are bounded."""


def slopes_of(network: Network) -> dict[Any, str]:
    """Return the slope of each function application that has a name, with the name of the function: ``f ∘ (1 - f)``."""
    found: dict[Any, str] = {}
    for e in network.equations:
        if isinstance(e.rhs, Elementwise) and e.rhs.function.name != "identity":
            slope = e.rhs.function.derivative(e.rhs.args[1], e.lhs)
            if not isinstance(slope, Ones):
                found[slope] = e.rhs.function.name
    return found


def uniform(bound: NormBound, network: Network) -> NormBound:
    """Put what holds for all values in the place of atoms: ``γ`` for a slope, 1 for a gate.

    Args:
        bound: A bound in the values of one step.
        network: Its equations tell which function a value is the output of. Values of the step before are kept: an
            initial state may be anything.
    """
    slopes, equations = slopes_of(network), {e.quantity: e for e in network.equations if e.span is not None and not e.span.single}

    def change(one: Atom) -> NormBound:
        if one.kind != ENTRY:
            return NormBound(atom(one.kind, one.node).terms)
        if one.node in slopes:
            name = slopes[one.node]
            if name.startswith("phi"):
                return atom(CONSTANT, one.node)
            gamma = activation(name).slope
            return atom(one.kind, one.node) if gamma is None else number(Rational(str(gamma)))
        low, high = interval(one.node, equations)
        return atom(one.kind, one.node) if oo in (high, -low) else number(Max(abs(low), abs(high)))

    return bound.replaced(change)


def interval(node: Any, equations: Mapping[Any, Equation]) -> Interval:
    """Return a range that holds every entry of a column; infinite ends where nothing is promised."""
    if isinstance(node, Ones):
        return Integer(1), Integer(1)
    if isinstance(node, Scaled):
        low, high = interval(node.args[1], equations)
        ends = (node.args[0] * low, node.args[0] * high)
        return (ends[0], ends[1]) if node.args[0].is_nonnegative else (ends[1], ends[0])
    if isinstance(node, Plus):
        parts = [interval(term, equations) for term in node.args]
        if any(oo in (high, -low) for low, high in parts):
            return -oo, oo
        return sum((p[0] for p in parts), Integer(0)), sum((p[1] for p in parts), Integer(0))
    if isinstance(node, Hadamard):
        return product_of([interval(factor, equations) for factor in node.args])
    if isinstance(node, Elementwise):
        return RANGES.get(node.function.name, (-oo, oo))
    if isinstance(node, Softmax):
        return Integer(0), Integer(1)
    if isinstance(node, At) and node.time == t and node.series in equations:
        return interval(equations[node.series].rhs, equations)
    return -oo, oo


def product_of(parts: list[Interval]) -> Interval:
    """The range of a product of independent factors; nothing is promised where one has no bound."""
    if any(oo in (high, -low) for low, high in parts):
        return -oo, oo
    low, high = parts[0]
    for other in parts[1:]:
        ends = [a * b for a in (low, high) for b in other]
        low, high = min(ends), max(ends)
    return low, high
