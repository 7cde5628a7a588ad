"""Matrix products of dual numbers: in one call of FLINT for each part instead of one Python operation for each term.

Guarantees:
    Each ball contains what exact arithmetic would give, as in the loop that NumPy would run; a sum of products is rounded
    once. Matrices of more than ``LARGEST`` rows, columns and terms are left to NumPy: FLINT would multiply them in blocks,
    with error bounds that small entries share with large ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb, arb_mat

from symrnn.verify.balls.dual import Dual, as_dual

LARGEST = 40
"""FLINT multiplies matrices in the classical way up to this size and more."""
EMPTY = np.empty
"""The maker itself: while foreign code runs, another one goes by its name."""


def product(a: Any, b: Any) -> Any:
    """Return ``a @ b`` as an object array of dual numbers; ``None`` where that is left to NumPy.

    Shapes:
        a: any, with K as the last axis
        b: (K, M) or (K,)
    """
    if np.ndim(a) == 0 or np.ndim(b) not in (1, 2) or np.shape(a)[-1] != np.shape(b)[0] or np.size(a) * np.size(b) == 0:
        return None
    rows, columns = a.reshape(-1, a.shape[-1]), b.reshape(b.shape[0], -1)
    left, right = duals_of(rows), duals_of(columns)
    if left is None or right is None or min(*rows.shape, columns.shape[1]) > LARGEST:
        return None
    entries = [Dual(value, tangent) for value, tangent in zip(*multiplied(left, right), strict=True)]
    made = EMPTY(len(entries), dtype=object)
    made[:] = entries
    return made.reshape(a.shape[:-1] + b.shape[1:])


def duals_of(matrix: Any) -> list[list[Dual]] | None:
    """Return the rows of a matrix of numbers; ``None`` where it holds something else."""
    if matrix.dtype.kind in "biuf":
        return [[as_dual(entry) for entry in row] for row in matrix.tolist()]
    kinds = set(map(type, matrix.flat)) if matrix.dtype == object else {object}
    if not kinds <= {Dual, int, float}:
        return None
    rows: list[list[Dual]] = matrix.tolist()
    return rows if kinds == {Dual} else [[as_dual(entry) for entry in row] for row in rows]


def multiplied(left: list[list[Dual]], right: list[list[Dual]]) -> tuple[list[Any], list[Any]]:
    """Return the values and the tangents of a product, row by row."""
    x, y = (arb_mat([[entry.value for entry in row] for row in rows]) for rows in (left, right))
    dx, dy = tangents_of(left), tangents_of(right)
    values = (x * y).entries()
    if dx is None and dy is None:
        return values, [None] * len(values)
    moving = x * dy if dx is None else dx * y if dy is None else dx * y + x * dy
    return values, [None if tangent.is_zero() else tangent for tangent in moving.entries()]


def tangents_of(rows: list[list[Dual]]) -> Any:
    """Return the matrix of tangents; ``None`` where nothing moves."""
    if all(entry.tangent is None for row in rows for entry in row):
        return None
    zero = arb(0)
    return arb_mat([[zero if entry.tangent is None else entry.tangent for entry in row] for row in rows])
