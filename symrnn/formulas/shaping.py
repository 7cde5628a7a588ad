"""Sums and products of operands some of which have no shape of their own: numbers, ones, zeros, one-hot columns.

A size that is not known yet is an unknown of its own; what stands beside it decides it.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from sympy import Expr, Symbol, expand, sympify

from symrnn import writer
from symrnn.errors import SpecError
from symrnn.expr import Elementwise, Hadamard, Node, Ones, Plus, Product, Scaled, Transposed, Zeros, weighted
from symrnn.expr.node import described, same

UNKNOWN = "_size"
Value = Any
"""A node, or a SymPy expression: a number or a scalar in sizes, which fits every shape."""
_numbers = count(1)


def unknown_size() -> Symbol:
    """Return a size that is not known yet."""
    return Symbol(f"{UNKNOWN}{next(_numbers)}", integer=True, positive=True)


def unknowns(value: Any) -> list[Symbol]:
    """Return the sizes of a value that are not known."""
    return sorted((s for s in sympify(value).atoms(Symbol) if s.name.startswith(UNKNOWN)), key=str) if value is not None else []


def is_node(value: Value) -> bool:
    """Tell whether a value has a shape."""
    return isinstance(value, Node)


def solved(a: Any, b: Any) -> dict[Any, Any]:
    """Return what an unknown must be for two sizes to agree.

    Raises:
        SpecError: They cannot agree.
    """
    gap = expand(a - b)
    if gap == 0:
        return {}
    for unknown in unknowns(gap):
        slope = gap.coeff(unknown, 1)
        if slope in {1, -1}:
            size = expand(unknown - gap / slope)
            if not (size.is_Integer and size < 1):
                return {unknown: size}
    raise SpecError("sizes do not agree")


def agreeing(a: Node, b: Node, pairs: Any) -> tuple[Node, Node]:
    """Put sizes into two nodes such that some of their sizes agree.

    Args:
        a: A node.
        b: A node.
        pairs: Which sizes of ``a`` and ``b`` agree: pairs of 0 for rows and 1 for columns.
    """
    for i, j in pairs:
        put = solved(a.shape[i], b.shape[j])
        a, b = (a.xreplace(put), b.xreplace(put)) if put else (a, b)
    return a, b


def lifted(value: Value, shape: Any) -> Node:
    """Make a matrix of a number."""
    return value if is_node(value) else Scaled(value, Ones(*shape))


def added(a: Value, b: Value) -> Value:
    """``a + b``."""
    if not is_node(a) and not is_node(b):
        return a + b
    a, b = lifted(a, getattr(b, "shape", None)), lifted(b, getattr(a, "shape", None))
    try:
        a, b = agreeing(a, b, ((0, 0), (1, 1)))
    except SpecError:
        raise SpecError(f"{described(a)} and {described(b)} have different shapes and cannot be added") from None
    return Plus(a, b)


def negated(a: Value) -> Value:
    """``-a``."""
    return Scaled(-1, a) if is_node(a) else -a


def elementwise(a: Value, b: Value) -> Value:
    """``a ⊙ b``."""
    if not (is_node(a) and is_node(b)):
        return multiplied(a, b)
    try:
        a, b = agreeing(a, b, ((0, 0), (1, 1)))
    except SpecError:
        raise SpecError(f"{described(a)} and {described(b)} have different shapes and cannot be multiplied elementwise") from None
    return Hadamard(a, b)


def multiplied(a: Value, b: Value) -> Value:
    """``a b``, where a 1×1 matrix weights what it stands beside."""
    if not is_node(a):
        return Scaled(a, b) if is_node(b) else a * b
    if not is_node(b):
        return Scaled(b, a)
    try:
        left, right = agreeing(a, b, ((1, 0),))
        return Product(left, right)
    except SpecError:
        if b.shape == (1, 1):
            return weighted(a, b)
        if a.shape == (1, 1):
            return weighted(b, a)
    raise SpecError(f"{described(a)} and {described(b)} cannot be multiplied: the inner sizes differ{fitting_turn(a, b)}")


def fitting_turn(a: Node, b: Node) -> str:
    """Say which transpose would make a product fit."""
    if same(a.shape[0], b.shape[0]):
        return f"; {writer.text(Transposed(a))} would fit"
    return f"; {writer.text(Transposed(b))} would fit" if same(a.shape[1], b.shape[1]) else ""


def chained(values: list[Value]) -> Value:
    """Multiply several matrices; 1×1 ones weight the product of the others.

    Columns side by side, as in ``f_t (1 - f_t)``, have no matrix product: they are multiplied entry by entry.
    """
    matrices = [v for v in values if is_node(v) and v.shape != (1, 1)]
    rest = [v for v in values if not is_node(v) or v.shape == (1, 1)]
    if not matrices:
        matrices, rest = rest[:1], rest[1:]
    total = matrices[0]
    if len(matrices) > 1 and all(m.shape == total.shape and 1 in m.shape for m in matrices):
        total, matrices = Hadamard(*matrices), matrices[:1]
    for value in matrices[1:]:
        total = multiplied(total, value)
    for value in rest:
        total = multiplied(total, value)
    return total


def divided(a: Value, b: Value) -> Value:
    """``a / b`` for a number or a 1×1 ``b``."""
    if not is_node(b):
        if b == 0:
            raise SpecError("a division by 0")
        return Scaled(1 / b, a) if is_node(a) else a / b
    if b.shape != (1, 1):
        raise SpecError(f"a division by {described(b)}; only a number can divide")
    return multiplied(a, inverted(b))


def inverted(b: Node) -> Node:
    """``1 / b``, entry by entry."""
    if isinstance(b, Elementwise) and b.function.name == "reciprocal":
        return b.args[1]
    return Elementwise("reciprocal", b)


def turned(a: Value) -> Value:
    """``aᵀ``."""
    return Transposed(a) if is_node(a) else a


def powered(a: Value, power: Expr) -> Value:
    """``a²``: of a column or a row entry by entry.

    Raises:
        SpecError: A matrix, whose power could be meant entry by entry or as a product.
    """
    if not is_node(a):
        return a**power
    if 1 not in a.shape:
        raise SpecError(f"a power of {described(a)} can be meant entry by entry or as a product; write it out")
    return a ** int(power)


def shaped(value: Value, shape: Any) -> Node:
    """Give a value a shape.

    Raises:
        SpecError: It has another one.
    """
    if not is_node(value):
        return Zeros(*shape) if value == 0 else lifted(value, shape)
    try:
        return agreeing(value, Ones(*shape), ((0, 0), (1, 1)))[0]
    except SpecError:
        rows, cols = shape
        raise SpecError(f"{described(value)} does not have the shape {rows}×{cols} that is asked for") from None
