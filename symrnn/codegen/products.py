"""Matrix products: of rows of a batch, where the formula has columns of one sequence.

``W h`` is ``h @ W.T``, ``Wᵀ δ`` is ``d @ W``, ``uᵀ v`` is a sum over the last axis, ``δ hᵀ`` is an outer product for each
sequence, and, summed over the batch, ``d.T @ h``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sympy import Integer

from symrnn.codegen.values import (
    ATOM,
    PRODUCT,
    Scope,
    Shape,
    Value,
    as_matrix,
    axes,
    constant,
    expanded,
    is_vector,
    multiply,
    total,
    transposed,
)
from symrnn.expr import same

SIMPLE = re.compile(r"[\w.]+(\[[^\]]*\])*")
"""Code that needs no brackets as an operand: a name with subscripts."""


def chain(values: Sequence[Value], scope: Scope) -> Value:
    """Multiply matrices: first within the parts between inner sizes of 1, then across them."""
    return across(parts_of(values, scope))


def parts_of(values: Sequence[Value], scope: Scope) -> list[Value]:
    """Cut a product where the inner size is 1, and contract each part."""
    parts: list[list[Value]] = [[values[0]]]
    for value in values[1:]:
        if same(value.shape[0], 1):
            parts.append([value])
        else:
            parts[-1].append(value)
    return [contracted(part, scope) for part in parts]


def contracted(values: Sequence[Value], scope: Scope) -> Value:
    """Multiply from the side where the vector is, so that every step is a matrix times a vector."""
    if same(values[-1].shape[1], 1):
        value = values[-1]
        for left in reversed(values[:-1]):
            value = contract(left, value, scope)
        return value
    value = values[0]
    for right in values[1:]:
        value = contract(value, right, scope)
    return value


def scaled_chain(values: Sequence[Value], diagonals: Sequence[bool], scope: Scope) -> Value:
    """Multiply matrices of which some are diagonal and given as vectors: ``diag(v) A`` is ``v[..., None] * A``."""
    first = diagonals.index(False)
    value = values[first]
    if first:
        scale = multiply(values[:first], values[0].shape)
        value = scaled_by_vector(value, scale, f"{scale.atom}[..., None] * {value.atom}")
    for new, diagonal in zip(values[first + 1:], diagonals[first + 1:], strict=True):
        if diagonal:
            value = scaled_by_vector(value, new, f"{value.factor} * {new.atom}[..., None, :]")
        else:
            value = contract(value, new, scope)
    return value


def scaled_by_vector(matrix: Value, vector: Value, code: str) -> Value:
    """Return a matrix whose rows or columns are scaled."""
    return Value(code, PRODUCT, matrix.shape, batched=matrix.batched or vector.batched)


def contract(a: Value, b: Value, scope: Scope) -> Value:
    """``A B`` with an inner size that is not 1."""
    shape = (a.shape[0], b.shape[1])
    if a.scalar is not None:
        return spread(multiply((sums(b, -2, scope), a), (Integer(1), b.shape[1])), shape)
    if b.scalar is not None:
        return spread(multiply((sums(a, -1, scope), b), (a.shape[0], Integer(1))), shape)
    a, b = expanded(a, scope), expanded(b, scope)
    if same(shape[0], 1) and same(shape[1], 1):
        return total(multiply((a, b), b.shape), scope)
    if same(shape[1], 1):
        return matrix_times_vector(a, b)
    if same(shape[0], 1):
        return transposed(matrix_times_vector(transposed(b), transposed(a)))
    return Value(f"{a.factor} @ {b.atom}", PRODUCT, shape, batched=a.batched or b.batched)


def matrix_times_vector(a: Value, v: Value) -> Value:
    """``A v``: a batch of rows times ``Aᵀ``, or a batch of matrices times one column each."""
    shape = (a.shape[0], Integer(1))
    if not a.batched and v.batched:
        return Value(f"{v.factor} @ {transposed(a).atom}", PRODUCT, shape, batched=True)
    if not v.batched:
        return Value(f"{a.factor} @ {v.atom}", PRODUCT, shape, batched=a.batched)
    if a.level == ATOM and a.code.startswith("np.swapaxes(") and a.code.endswith(", -2, -1)"):
        code = f"({v.atom}[..., None, :] @ {transposed_back(a)})[..., 0, :]"
    else:
        code = f"({a.factor} @ {v.atom}[..., None])[..., 0]"
    return Value(code, ATOM, shape, batched=True)


def transposed_back(a: Value) -> str:
    """The matrix whose axes were swapped, as an operand."""
    code = a.code.removeprefix("np.swapaxes(").removesuffix(", -2, -1)")
    return code if SIMPLE.fullmatch(code) else f"({code})"


def sums(value: Value, axis: int, scope: Scope) -> Value:
    """``1ᵀ A``, the sums of the columns (axis -2), or ``A 1``, those of the rows (axis -1)."""
    rows, cols = value.shape
    shape, length = ((Integer(1), cols), rows) if axis == -2 else ((rows, Integer(1)), cols)
    if value.scalar is not None:
        return constant(value.scalar * length, shape, scope)
    if value.is_vector:
        return total(value, scope)
    return replace(value, code=f"np.sum({expanded(value, scope).code}, axis={axis})", level=ATOM, shape=shape, full=True)


def spread(value: Value, shape: Shape) -> Value:
    """Let a vector or a number stand for all rows or columns of a shape."""
    if axes(value.shape) == axes(shape) or is_vector(shape) or value.scalar is not None:
        return replace(value, shape=shape, full=value.full and axes(value.shape) == axes(shape))
    return replace(as_matrix(value), shape=shape, full=False)


def across(parts: Sequence[Value]) -> Value:
    """``u s vᵀ``: a column, scalars and a row, each of which may be missing."""
    shape = (parts[0].shape[0], parts[-1].shape[1])
    if is_vector(shape) or len(parts) == 1:
        return parts[0] if len(parts) == 1 else replace(multiply(parts, shape), shape=shape)
    return outer(replace(multiply(parts[:-1], parts[0].shape), shape=(shape[0], Integer(1))), parts[-1])


def outer(u: Value, v: Value) -> Value:
    """``u vᵀ`` for each sequence."""
    left = u if u.scalar is not None else replace(u, code=f"{u.atom}[..., None]", level=ATOM)
    right = v if v.scalar is not None else replace(v, code=f"{v.atom}[..., None, :]", level=ATOM)
    product = multiply((left, right), (u.shape[0], v.shape[1]))
    return replace(product, full=u.full and v.full)


def outer_over_batch(u: Value, v: Value, scope: Scope) -> Value:
    """``Σ_b u_b v_bᵀ`` as one product of the two batches."""
    u, v = expanded(u, scope), expanded(v, scope)
    return Value(f"{u.atom}.T @ {v.atom}", PRODUCT, (u.shape[0], v.shape[1]))
