"""Products of Jacobians ``P_j = J_T J_{T-1} ⋯ J_{T-j+1}`` at every lag, with their norms, at any number of steps.

A product is kept as an array times a power of two, so that nothing overflows or underflows. Its largest singular value is
that of a few steps of Golub-Kahan-Lanczos bidiagonalisation, started from the left singular vector of the lag before. With
a unit vector ``y``, ``‖Pᵀy‖ = σ`` and ``‖PPᵀy - σ²y‖ = ρ``, the largest eigenvalue of ``[[σ², ρ], [ρ, ‖P‖_F² - σ²]]`` is an
upper bound of the square of the norm: this certifies the result, with one product of a matrix and a vector where ``P`` has
become a matrix of rank one. Where the bound is too wide, the error is estimated from ``ρ`` and the gap to the second value.

Guarantees:
    ``spectral`` is a lower bound of the norm up to rounding. It agrees with an SVD to 1e-8 where the two largest singular
    values are apart, and to 3e-4 where they nearly coincide (an orthogonal ``W``). ``certain`` holds at every lag whatever
    the matrices; ``estimate`` supposes that no larger singular value is hidden from the start vector.

Sources: G. Golub and W. Kahan, Calculating the singular values and pseudo-inverse of a matrix, SIAM J. Numer. Anal. B 2 (1965)
205-224; B. Parlett, The symmetric eigenvalue problem, 1998, sections 10 and 11; for Lyapunov exponents, G. Benettin, L.
Galgani, A. Giorgilli and J.-M. Strelcyn, Meccanica 15 (1980) 9-20.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LOG2 = math.log10(2)
TOLERANCE = 2e-9
"""Relative error of a norm at which the iteration stops."""

LONGEST = 14
"""Steps of bidiagonalisation after which it starts again from the best vector."""

RESTARTS = 6
NOISE = 1e-3
"""What is added to the start vector where nothing is certain: it finds what the directions before never met."""

LARGE = 2.0**120
"""Squared Frobenius norms between this and its inverse are left as they are."""

SMALL = 40
"""Matrices up to this size are given to a dense SVD."""


@dataclass
class Scaled:
    """A matrix ``array · 2^exponent``.

    Attributes:
        array: Entries of moderate size.
        exponent: The power of two.
        square: The sum of the squares of ``array``.
    """

    array: Array
    exponent: int = 0
    square: float = field(init=False)

    def __post_init__(self) -> None:
        """Bring the entries to a moderate size."""
        flat = self.array.reshape(-1)
        with np.errstate(over="ignore", under="ignore"):
            self.square = float(np.dot(flat, flat))
        if 1 / LARGE < self.square < LARGE:
            return
        largest = float(np.abs(self.array).max(initial=0.0))
        if not math.isfinite(largest):
            raise DataError(f"a Jacobian has an entry {largest}; expected finite numbers; look at the parameters and the data")
        if largest:
            power = math.frexp(largest)[1]
            self.array = np.ldexp(self.array, -power)
            self.exponent += power
            flat = self.array.reshape(-1)
        self.square = float(np.dot(flat, flat))

    def log10(self, value: float) -> float:
        """Return the logarithm of a norm of ``array``, as that of the whole."""
        return math.log10(value) + LOG2 * self.exponent if value > 0 else -math.inf


def products(jacobians: Iterable[Array], n: int) -> Iterator[Scaled]:
    """Yield the identity, ``J_T``, ``J_T J_{T-1}`` and so on.

    Args:
        jacobians: ``J_T``, ``J_{T-1}``, … , each of shape ``(n, n)``.
        n: The size of the state.

    Yields:
        The products; an array is written over by the one two places behind.

    Raises:
        DataError: A Jacobian with NaN or infinity.
    """
    held = Scaled(np.eye(n))
    yield held
    spare = [np.empty((n, n)), np.empty((n, n))]
    for number, jacobian in enumerate(jacobians):
        held = Scaled(np.dot(held.array, jacobian, spare[number % 2]), held.exponent)
        yield held


@dataclass
class Top:
    """The largest singular value of slowly changing matrices.

    Attributes:
        vector: The left singular vector of the last one.
        certain: An upper bound of the relative error, that holds whatever the matrix.
        estimate: What the error is by the residual and the gap.
    """

    vector: Array | None = None
    certain: float = 0.0
    estimate: float = 0.0
    steps: int = 2
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def of(self, matrix: Array, square: float) -> float:
        """Return the largest singular value.

        Args:
            matrix: Of shape ``(n, n)``, or any other with the same number of rows as the ones before.
            square: The sum of the squares of its entries.
        """
        if square == 0.0:
            self.certain = self.estimate = 0.0
            return 0.0
        if self.vector is None or min(matrix.shape) <= SMALL:
            return self.dense(matrix)
        start = self.vector
        value, rest = self.first(matrix, start, square)
        if rest is None:
            return value
        start = start + NOISE / math.sqrt(len(start)) * self.rng.standard_normal(len(start))
        rows = np.einsum("ij,ij->i", matrix, matrix)
        row = int(rows.argmax())
        if rows[row] > value * value:
            start[row] += 1.0
        return self.iterated(matrix, start / math.sqrt(np.dot(start, start)), square)

    def dense(self, matrix: Array) -> float:
        """Take the value and the vector from a dense SVD."""
        left, values, _ = np.linalg.svd(matrix, full_matrices=False)
        self.vector, self.certain, self.estimate = left[:, 0].copy(), 1e-14, 1e-14
        return float(values[0])

    def first(self, matrix: Array, u: Array, square: float) -> tuple[float, Array | None]:
        """Take one step, and return the value with ``None`` where that is certainly enough."""
        w = np.dot(u, matrix)
        alpha = float(np.dot(w, w))
        if square - alpha < TOLERANCE * square:
            self.certain = self.estimate = max(0.5 * (square / alpha - 1), 0.0) + 1e-15
            return math.sqrt(alpha), None
        y = np.dot(matrix, w)
        length = float(np.dot(y, y))
        if length > 0 and self.accept(length / alpha, math.sqrt(max(length - alpha * alpha, 0.0)), alpha, square):
            self.vector = y / math.sqrt(length)
            return math.sqrt(length / alpha), None
        return math.sqrt(alpha), y

    def accept(self, better: float, rho: float, alpha: float, square: float) -> bool:
        """Tell whether the square of the norm is ``better`` for certain, by the residual of a vector with ``alpha``."""
        other = square - alpha
        upper = min(0.5 * (alpha + other + math.hypot(alpha - other, 2 * rho)), square)
        self.certain = max(0.5 * (upper / better - 1), 0.0) + 1e-15
        self.estimate = self.certain
        return self.certain < TOLERANCE

    def iterated(self, matrix: Array, start: Array, square: float) -> float:
        """Bidiagonalise until the error is small."""
        value, wanted = 0.0, self.steps
        for _ in range(RESTARTS):
            value, done, taken = self.bidiagonal(matrix, start, square, wanted)
            start = self.vector if self.vector is not None else start
            if done:
                self.steps = max(2, taken - 1 if taken == wanted else taken)
                return value
            wanted = LONGEST // 2
        self.steps = LONGEST // 2
        return value

    def bidiagonal(self, matrix: Array, u: Array, square: float, first: int) -> tuple[float, bool, int]:
        """Take up to ``LONGEST`` steps, and look at the result from step ``first`` on."""
        lefts, diagonal, below = [u], list[float](), list[float]()
        v, value = None, 0.0
        for k in range(1, LONGEST + 1):
            v = np.dot(u, matrix) if v is None else np.dot(u, matrix) - below[-1] * v
            a = math.sqrt(np.dot(v, v))
            if a > 0:
                v /= a
            diagonal.append(a)
            u = np.dot(matrix, v) - a * u
            b = math.sqrt(np.dot(u, u))
            if k >= first or k == LONGEST or b <= 1e-14 * a:
                value, done = self.ritz(lefts, diagonal, below, b, square)
                if done or k == LONGEST or b <= 1e-14 * a:
                    return value, done, k
            u /= b
            lefts.append(u)
            below.append(b)
        return value, False, LONGEST

    def ritz(self, lefts: list[Array], diagonal: list[float], below: list[float], b: float, square: float) -> tuple[float, bool]:
        """Take the best value and vector from the bidiagonal matrix; ``b`` is the length of what it leaves out."""
        k = len(diagonal)
        core = np.zeros((k, k))
        for i, a in enumerate(diagonal):
            core[i, i] = a
        for i, c in enumerate(below):
            core[i + 1, i] = c
        left, values, right = np.linalg.svd(core)
        value, residual = float(values[0]), b * abs(float(right[0, -1]))
        vector = np.dot(left[:, 0], lefts)
        self.vector = vector / math.sqrt(np.dot(vector, vector))
        sure = self.accept(value * value, value * residual, value * value, square)
        second = float(values[1]) if k > 1 else 0.0
        gap = value - second - residual
        self.estimate = min(self.certain, residual / value, residual**2 / (value * gap) if gap > 0 else math.inf)
        return value, sure or self.estimate < TOLERANCE
