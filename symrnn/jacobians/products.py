"""Products of local derivatives, brought into textbook form by named rules.

A rule looks at two factors that stand beside each other and returns what takes their place, or ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sympy import Integer

from symrnn.expr import (
    Diag,
    Hadamard,
    Identity,
    Node,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Transposed,
    Zeros,
    same,
    split_scalar,
)

Pair = Callable[[Any, Any], Any]


def is_diagonal(node: Any) -> bool:
    """Tell whether a matrix is written as a multiple of a diagonal matrix or of the identity."""
    return isinstance(split_scalar(node)[1], Diag | Identity)


def is_uniform(node: Any) -> bool:
    """Tell whether a diagonal repeats one 1×1 value, as ``diag(1 m)`` does."""
    inner = node.args[0] if isinstance(node, Diag) else None
    return isinstance(inner, Product) and isinstance(inner.args[0], Ones) and inner.args[0].shape[1] == 1


def uniform(value: Node, size: Any) -> Node:
    """Return ``m I`` for a 1×1 ``m``, as ``diag(1 m)``."""
    return Diag(Product(Ones(size, 1), value))


def merge_diagonals(a: Any, b: Any) -> Any:
    """``diag(a) diag(b)`` becomes ``diag(a ∘ b)``."""
    return Diag(Hadamard(a.args[0], b.args[0])) if isinstance(a, Diag) and isinstance(b, Diag) else None


def diagonal_on_column(a: Any, b: Any) -> Any:
    """``diag(a) b`` becomes ``a ∘ b`` for a column ``b``."""
    return Hadamard(a.args[0], b) if isinstance(a, Diag) and b.shape[1] == 1 else None


def row_on_diagonal(a: Any, b: Any) -> Any:
    """``aᵀ diag(b)`` becomes ``(a ∘ b)ᵀ``."""
    return Transposed(Hadamard(Transposed(a), b.args[0])) if isinstance(b, Diag) and a.shape[0] == 1 != a.shape[1] else None


def selected_rows(a: Any, b: Any) -> Any:
    """``[I]_{i:j} A`` becomes ``[A]_{i:j}``; of a block of columns of ``I`` it is ``I`` or ``0``."""
    if not (isinstance(a, Rows) and isinstance(a.args[0], Identity)):
        return None
    _, start, stop = a.args
    chosen = selection(b)
    if chosen is None:
        return Rows(b, start, stop)
    if same(chosen[0], start) and same(chosen[1], stop):
        return Identity(a.shape[0])
    apart = [(stop - chosen[0]).is_nonpositive, (chosen[1] - start).is_nonpositive]
    return Zeros(a.shape[0], b.shape[1]) if any(apart) else None


def selected_columns(a: Any, b: Any) -> Any:
    """``A [I]_{i:j}ᵀ`` becomes the columns ``i:j`` of ``A``."""
    chosen = selection(b)
    return None if chosen is None else Transposed(Rows(Transposed(a), *chosen))


def selection(node: Any) -> tuple[Any, Any] | None:
    """Return the places of the columns of ``I`` that a matrix consists of."""
    inner = node.args[0] if isinstance(node, Transposed) else None
    if isinstance(inner, Rows) and isinstance(inner.args[0], Identity):
        return inner.args[1], inner.args[2]
    return None


RULES: tuple[Pair, ...] = (merge_diagonals, diagonal_on_column, row_on_diagonal, selected_rows, selected_columns)


def multiplied(*factors: Any) -> Any:
    """Multiply matrices, and apply the rules until none applies."""
    scalar, flat = Integer(1), list[Any]()
    for factor in factors:
        c, core = split_scalar(factor)
        parts = core.args if isinstance(core, Product) else (core,)
        for part in parts:
            number, bare = unscaled(part)
            flat.append(bare)
            scalar = scalar * number
        scalar = scalar * c
    flat = uniform_first(flat)
    while (place := next((k for k in range(len(flat) - 1) if replaced(flat[k], flat[k + 1]) is not None), None)) is not None:
        number, bare = unscaled(replaced(flat[place], flat[place + 1]))
        scalar = scalar * number
        flat[place : place + 2] = [bare]
    return Scaled(scalar, Product(*flat))


def unscaled(part: Any) -> tuple[Any, Any]:
    """Take a number out of a factor: ``diag(-a)`` becomes ``-1`` and ``diag(a)``; ``diag(m)`` is ``m`` for a 1×1 ``m``."""
    if isinstance(part, Diag):
        number, inner = split_scalar(part.args[0])
        return number, inner if inner.shape == (1, 1) else Diag(inner)
    number, bare = split_scalar(part)
    return number, bare


def replaced(a: Any, b: Any) -> Any:
    """Return what takes the place of two factors, or ``None``."""
    if isinstance(a, Identity):
        return b
    if isinstance(b, Identity):
        return a
    return next((new for rule in RULES if (new := rule(a, b)) is not None), None)


def uniform_first(factors: list[Any]) -> list[Any]:
    """Move ``diag(1 m)`` to the front: a multiple of the identity commutes with everything."""
    held = [f for f in factors if is_uniform(f)]
    rest = [f for f in factors if not is_uniform(f)]
    size = rest[0].shape[0] if rest else None
    return [uniform(Product(*f.args[0].args[1:]), size) for f in held] + rest if rest else held


def added(terms: Iterable[Any]) -> Any:
    """Add matrices; diagonal ones become one: ``diag(a) + diag(b)`` becomes ``diag(a + b)``."""
    listed = list(terms)
    diagonal = [term for term in listed if is_diagonal(term)]
    if len(diagonal) < 2:
        return Plus(*listed)
    entries = Plus(*(Scaled(c, core.args[0] if isinstance(core, Diag) else Ones(core.shape[0], 1))
                     for c, core in map(split_scalar, diagonal)))
    number, core = split_scalar(entries)
    merged = Zeros(*diagonal[0].shape) if isinstance(entries, Zeros) else Scaled(number, Diag(core))
    return Plus(merged, *(term for term in listed if not is_diagonal(term)))
