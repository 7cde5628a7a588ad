"""Everything that is read off the products ``P_j = ∂s_T/∂s_{T-j}``, in one way from the last step to the first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.flow.chain import LOG2, Scaled, Top
from symrnn.flow.run import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ROUNDING = 1e-15
"""Singular values below this part of the largest are rounding errors of the product."""


@dataclass
class Survey:
    """Numbers by lag, as logarithms to base 10; see :class:`symrnn.flow.record.Flow`.

    Attributes:
        run: The steps.
        lags: At which all singular values are computed.
        exponents: Whether Lyapunov exponents are computed.
    """

    run: Run
    lags: Sequence[int]
    exponents: bool = True
    spectral: Array = field(init=False)
    frobenius: Array = field(init=False)
    smallest: Array = field(init=False)
    inputs: Array = field(init=False)
    angle: Array = field(init=False)
    errors: Array = field(init=False)
    certain: Array = field(init=False)
    singular: list[Array] = field(default_factory=list)
    lyapunov: Array | None = None
    direction: Array | None = None

    def __post_init__(self) -> None:
        """Make room."""
        count, n = len(self.run), self.run.size
        self.spectral, self.frobenius, self.errors, self.certain = (np.zeros(count + 1) for _ in range(4))
        self.smallest = np.full(count + 1, np.nan)
        self.inputs, self.angle = np.full(count, np.nan), np.full(count, np.nan)
        self.top, self.held = Top(), Scaled(np.eye(n))
        self.frame, self.logs = np.eye(n), np.zeros(n)
        self.wanted = set(self.lags)
        self.spare = [np.empty((n, n)), np.empty((n, n))]

    def take(self) -> Survey:
        """Go through the steps."""
        last = self.run.rows[self.run.chain.hidden]
        lag = 0
        self.look(0)
        for part in self.run.chunks():
            jacobians, inputs = self.run.jacobians(part)
            for k in range(len(jacobians) - 1, -1, -1):
                if inputs is not None:
                    reached = np.dot(self.held.array[last], inputs[k])
                    self.inputs[lag] = self.held.log10(float(np.linalg.norm(reached)))
                self.held = Scaled(np.dot(self.held.array, jacobians[k], self.spare[lag % 2]), self.held.exponent)
                if self.exponents:
                    self.turn(jacobians[k])
                lag += 1
                self.look(lag)
        self.direction = self.top.vector
        if self.exponents and lag:
            self.lyapunov = np.sort(self.logs / lag)[::-1]
        return self

    def look(self, lag: int) -> None:
        """Take the norms of one product."""
        before, held = self.top.vector, self.held
        self.spectral[lag] = held.log10(self.top.of(held.array, held.square))
        self.frobenius[lag] = held.log10(math.sqrt(held.square))
        self.errors[lag], self.certain[lag] = self.top.estimate, self.top.certain
        if lag > 1 and before is not None and self.top.vector is not None and held.square:
            cosine = abs(float(np.dot(before, self.top.vector)))
            gone = self.top.vector - math.copysign(1.0, float(np.dot(before, self.top.vector))) * before
            self.angle[lag - 1] = math.degrees(2 * math.asin(min(1.0, float(np.linalg.norm(gone)) / 2))) if cosine < 1 else 0.0
        if lag in self.wanted:
            values = np.linalg.svd(held.array, compute_uv=False)
            lost = values < ROUNDING * held.array.shape[0] * values[0]
            with np.errstate(divide="ignore"):
                logs = np.log10(values) + LOG2 * held.exponent
            self.singular.append(np.where(lost & (values > 0), np.nan, logs))
            self.smallest[lag] = self.singular[-1][-1]

    def turn(self, jacobian: Array) -> None:
        """Let ``Jᵀ`` act on an orthonormal frame, and keep the logarithms of the lengths: Benettin's method."""
        self.frame, triangle = np.linalg.qr(np.dot(jacobian.T, self.frame))
        with np.errstate(divide="ignore"):
            self.logs += np.log(np.abs(np.diagonal(triangle)))


def heat_of(run: Run, count: int) -> tuple[Array, Array]:
    """Return ``log10 ‖∂s_t/∂s_k‖`` over a grid of at most ``count + 1`` times, and the times.

    Products of the steps between two times of the grid are made once, and multiplied; ``NaN`` for ``k > t``.
    """
    places = np.unique(np.linspace(0, len(run), min(count, len(run)) + 1).round().astype(int))
    between = [Scaled(np.eye(run.size)) for _ in places[1:]]
    for part in run.chunks():
        jacobians, _ = run.jacobians(part)
        for k in range(len(jacobians) - 1, -1, -1):
            which = int(np.searchsorted(places, part.start + k, side="right")) - 1
            between[which] = Scaled(between[which].array @ jacobians[k], between[which].exponent)
    heat = np.full((len(places), len(places)), np.nan)
    for row in range(len(places)):
        held, top = Scaled(np.eye(run.size)), Top()
        heat[row, row] = 0.0
        for column in range(row - 1, -1, -1):
            factor = between[column]
            held = Scaled(held.array @ factor.array, held.exponent + factor.exponent)
            heat[row, column] = held.log10(top.of(held.array, held.square))
    before = run.times[0] - run.chain.group.step
    return heat, np.array([before, *run.times])[places]
