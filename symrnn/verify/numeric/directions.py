"""A program at a point: its derivatives along random directions, and the numbers that they are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from symrnn.derivation import Derivation
from symrnn.verify.points import Values
from symrnn.verify.stopping import STOP, names_of, replaced

EPS = float(np.finfo(np.float64).eps)
EXACT, ROUGH = 1e-12, 1e-8
"""Relative errors that are allowed: to a complex step and to PyTorch; to differences."""
NOISE = 8 * EPS
"""What rounding may leave of a sum that cancels, relative to the natural scale of a derivative at the point."""
LOSS_NOISE = 1e-10
"""What rounding may leave in a difference quotient, relative to the loss."""
EXPONENT, LEAST_EXPONENT = -100, -900
"""The complex step is a power of 2 with such an exponent."""
COARSER = 2.0**-27
"""Rounding of float64 as a part of that of float32, with two bits to spare."""
STEPS = (1e-3, 1e-4, 1e-5)
"""Steps of differences; the best counts, since a long one may cross a kink of a ReLU and a short one loses digits."""

Gradients = dict[str, Any]


class Program(Protocol):
    """What the judge runs: code that was generated from a derivation."""

    @property
    def derivation(self) -> Derivation:
        """What the code was made from."""

    @property
    def accepted(self) -> Sequence[str]:
        """Every name that it takes: given quantities, and functions and sizes that no array tells."""

    def loss(self, values: Values) -> Any:
        """Return the loss of a batch."""

    def gradients(self, values: Values) -> tuple[Any, Gradients]:
        """Return the loss of a batch and its gradients by name."""


@dataclass(frozen=True)
class Comparison:
    """One number held against another: its method, the relative error and what is allowed."""

    method: str
    error: float
    allowed: float

    def __str__(self) -> str:
        return f"{self.method} {self.error:.1e}" + ("" if self.error <= self.allowed else f" (allowed {self.allowed:.0e})")


@dataclass(frozen=True)
class Point:
    """A program at a point, with a random direction for each gradient.

    Attributes:
        program: The accused.
        values: What the network is given.
        loss: What the program computes there.
        gradients: What the program computes there.
        directions: A unit direction for each gradient.
        extra: Witnesses for functions that the network leaves open, and sizes that no array tells.
    """

    program: Program
    values: Values
    loss: float
    gradients: Gradients
    directions: Gradients
    extra: Values = field(default_factory=dict)

    def moved(self, names: tuple[str, ...], step: complex) -> Values:
        """Return the point moved along the directions of some gradients, in complex numbers if the step is one."""
        dtype = np.complex128 if isinstance(step, complex) else np.float64
        floats = {k: v if v.dtype.kind == "i" else v.astype(dtype) for k, v in self.values.items()}
        return {**{k: v + step * self.directions[k] if k in names else v for k, v in floats.items()}, **self.extra}

    def loss_at(self, names: tuple[str, ...], step: complex) -> Any:
        """Return the loss at a moved point; a stopped gradient does not move."""
        with replaced(names_of(self.program), STOP, standing_still):
            return self.program.loss(self.moved(names, step))

    @cached_property
    def imaginary(self) -> float:
        """The complex step: so short that what it changes stays far below one, however fast the loss grows."""
        growth = int(np.frexp(max(1.0, self.scale))[1])
        return float(2.0 ** max(EXPONENT - growth, LEAST_EXPONENT))

    def slope(self, names: tuple[str, ...], start: float = 0.0) -> float:
        """Return the derivative of the loss along the directions by a complex step."""
        return float(np.imag(self.loss_at(names, complex(start, self.imaginary)))) / self.imaginary

    def size(self, name: str) -> float:
        """Return ``Σ |g_k v_k|``, the scale on which the directional derivative of a gradient is rounded."""
        return float(np.sum(np.abs(self.gradients[name] * self.directions[name])))

    @cached_property
    def rounding(self) -> Gradients:
        """What rounding may change in each gradient, where differences cancel: its distance from float32, brought down."""
        floats = {k: v if v.dtype.kind == "i" else v.astype(np.float32) for k, v in self.values.items()}
        coarse = self.program.gradients({**floats, **self.extra})[1]
        changes = {k: COARSER * np.abs(np.asarray(coarse[k], np.float64) - g) for k, g in self.gradients.items()}
        return {k: np.where(np.isfinite(change), change, 0.0) for k, change in changes.items()}

    @property
    def scale(self) -> float:
        """The natural scale of a derivative: the largest of these sizes, or the loss, since what is given is of order one."""
        return max(abs(self.loss), *(self.size(name) for name in self.gradients))


def standing_still(values: Any, here: bool = True) -> Any:
    """Return the values without what moves, where the gradient stops."""
    return np.real(values) if here else values


def relative(a: float, b: float, scale: float, floor: float, allowed: float) -> float:
    """Return ``|a - b| / scale``, where a difference of ``floor`` counts as ``allowed``."""
    gap = abs(a - b)
    return gap / (scale + floor / allowed) if gap else 0.0


def compare_loss(point: Point, expected: float | None) -> list[Comparison]:
    """The loss that comes with the gradients against the loss alone, and against PyTorch."""
    found = [("the loss alone", float(point.loss_at((), 0.0)))]
    if expected is not None:
        found.append(("PyTorch", expected))
    return [Comparison(m, relative(point.loss, other, abs(other), NOISE, EXACT), EXACT) for m, other in found]


def compare_step(point: Point, name: str) -> Comparison:
    """``⟨g, v⟩`` against ``Im L(p + iεv) / ε``."""
    mine = float(np.sum(point.gradients[name] * point.directions[name]))
    other = point.slope((name,))
    scale = max(point.size(name), abs(other))
    floor = NOISE * point.scale + float(np.sum(point.rounding[name] * np.abs(point.directions[name])))
    return Comparison("complex step", relative(mine, other, scale, floor, EXACT), EXACT)


def stencil(f: Callable[[float], float], h: float) -> float:
    """Return ``f'(0)`` with an error of order ``h⁴``."""
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def best_quotient(mine: float, f: Callable[[float], float], scale: float, noise: float) -> Comparison:
    """Hold a derivative against difference quotients of several steps; the best one counts."""
    error = np.inf
    for h in STEPS:
        other = stencil(f, h)
        error = min(error, relative(mine, other, max(scale, abs(other)), noise, ROUGH))
        if error <= ROUGH:
            break
    return Comparison("differences", float(error), ROUGH)


def compare_differences(point: Point, name: str) -> Comparison:
    """``⟨g, v⟩`` against central differences of the loss."""
    mine = float(np.sum(point.gradients[name] * point.directions[name]))
    noise = LOSS_NOISE * max(abs(point.loss), EPS)
    return best_quotient(mine, lambda e: float(point.loss_at((name,), e)), point.size(name), noise)


def compare_second(point: Point) -> Comparison:
    """``⟨dg/dε, v⟩`` along all directions against differences of the complex-step derivative of the loss."""
    names = tuple(point.gradients)
    moved = point.program.gradients(point.moved(names, complex(0, point.imaginary)))[1]
    terms = [np.imag(moved[k]) / point.imaginary * point.directions[k] for k in names]
    mine, scale = float(sum(np.sum(a) for a in terms)), float(sum(np.sum(np.abs(a)) for a in terms))
    return best_quotient(mine, lambda e: point.slope(names, e), scale, LOSS_NOISE * max(point.scale, EPS))


def compare_torch(point: Point, name: str, expected: Gradients, leading: int) -> Comparison:
    """Each entry of ``g`` against autograd, relative to the largest of its vector; for a series, at each time."""
    mine, other = np.asarray(point.gradients[name]), expected[name]
    axes = tuple(range(leading, other.ndim))
    floor = NOISE * max(abs(point.loss), *(float(np.max(np.abs(g))) for g in expected.values()))
    gap = np.max(np.abs(mine - other), axis=axes)
    scale = np.max(np.abs(other), axis=axes) + (floor + np.max(point.rounding[name], axis=axes)) / EXACT
    return Comparison("PyTorch", float(np.max(np.divide(gap, scale, out=np.zeros_like(gap), where=gap > 0))), EXACT)
