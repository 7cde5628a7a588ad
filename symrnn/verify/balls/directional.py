"""Foreign code on balls: its loss, its gradients, and the rigorous directional derivative of its own forward pass.

Guarantees:
    :meth:`Accused.slope` is a ball that contains the derivative of the code's own forward pass at a point, along a
    direction, by dual arithmetic: no step size, no formula of ours. The code gets fresh arrays in each call, so that
    what it changes in place is not seen by the next. Blind: between branches (a comparison that a small step would
    change raises ``Undecided``), and to derivatives that the code means to leave out, such as a stopped gradient.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symrnn.errors import DataError
from symrnn.verify.balls.arrays import BallArray, dual_array, object_arrays
from symrnn.verify.balls.dual import Dual, as_dual

Values = dict[str, Any]
GRID = 2**63
"""Directions are drawn from this many numbers on each side of 0: one direction misses a difference once in 2^64."""


@dataclass(frozen=True)
class Point:
    """Exact numbers for what the code is given.

    Attributes:
        values: Arrays of fractions, integers or floats by name; arrays of an integer or boolean type that are not
            wanted are handed to the code as they are, all others as balls.
        wanted: Names of the arrays in which a gradient is compared.
        note: What is said of a finding at this point.
    """

    values: Mapping[str, Any]
    wanted: tuple[str, ...]
    note: str = ""

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return np.shape(self.values[name])

    def livelier(self) -> Point:
        """Return a point at which no wanted array is small: each is doubled until its root mean square is at least ½.

        An error of a high order in small weights, such as that of a truncation, grows; the rounding of a constant
        does not.
        """
        scaled = {name: self.values[name] * np.array(doubling(self.values[name]), dtype=object) for name in self.wanted}
        return Point({**self.values, **scaled}, self.wanted, " (at weights of at least ½)")

    def balls(self, moving: str = "", direction: Any = None) -> Values:
        """Return fresh arrays of dual numbers; one of them moves along a direction.

        Args:
            moving: Name of the array that moves.
            direction: Exact numbers of the shape of that array.
        """
        made: Values = {n: dual_array(v) if n in self.wanted else array_of(v) for n, v in self.values.items()}
        if moving:
            array = made[moving]
            for index, velocity in np.ndenumerate(direction):
                array[index] = Dual(array[index].value, as_dual(velocity).value)
        return made

    def direction(self, name: str, seed: object) -> Any:
        """Draw a direction for an array: dyadic fractions between -1 and 1, the same ones for the same seed."""
        rng = random.Random(f"{seed}, {name}")
        drawn = np.empty(self.shape(name), dtype=object)
        for index in np.ndindex(drawn.shape):
            drawn[index] = Fraction(rng.randint(-GRID, GRID), GRID)
        return drawn

    def unit(self, name: str, index: tuple[int, ...]) -> Any:
        """Return the direction of one entry of an array."""
        drawn = np.zeros(self.shape(name), dtype=int)
        drawn[index] = 1
        return drawn


def doubling(values: Any) -> int:
    """Return the power of two that lifts the root mean square of some numbers to at least ½; 1 where they are all 0."""
    numbers = np.asarray(values, dtype=float)
    size = math.sqrt(np.mean(numbers**2)) if numbers.size else 0.0
    return int(2 ** max(0, math.ceil(-1 - math.log2(size)))) if size else 1


def array_of(values: Any) -> Any:
    """Return a fresh array: of the same type for integers and truth values, of dual numbers otherwise."""
    array = np.array(values)
    return array if array.dtype.kind in "iub" else dual_array(array)


@dataclass(frozen=True)
class Accused:
    """Code to be judged.

    Attributes:
        forward: From values by name to the loss.
        backward: From values by name to gradients by name.
        namespaces: Globals of the code's modules, see :func:`symrnn.verify.balls.arrays.object_arrays`.
    """

    forward: Callable[[Values], Any]
    backward: Callable[[Values], Mapping[str, Any]]
    namespaces: tuple[dict[str, Any], ...] = ()

    def loss(self, values: Values) -> Dual:
        """Run the forward pass.

        Raises:
            DataError: It returns something else than one number.
        """
        with object_arrays(*self.namespaces):
            returned = self.forward(values)
        if np.size(returned) != 1:
            raise DataError(f"the forward pass must return one number, the loss; it returned shape {np.shape(returned)}")
        return as_dual(np.asarray(returned, dtype=object).reshape(-1)[0])

    def gradients(self, point: Point) -> dict[str, Any]:
        """Run the backward pass on balls that do not move.

        Raises:
            DataError: It returns something else than a mapping.
        """
        with object_arrays(*self.namespaces):
            returned = self.backward(point.balls())
        if not isinstance(returned, Mapping):
            raise DataError(f"the backward pass must return a dict of gradients by name; it returned {type(returned).__name__}")
        return dict(returned)

    def slope(self, point: Point, name: str, direction: Any) -> Any:
        """Return the ball of the derivative of the loss along a direction in one array; NaN where the loss is not finite."""
        loss = self.loss(point.balls(name, direction))
        if not loss.isfinite():
            return arb.nan()
        return arb(0) if loss.tangent is None else loss.tangent

    def partials(self, point: Point, name: str, indices: Iterable[tuple[int, ...]]) -> dict[tuple[int, ...], Any]:
        """Return the balls of the derivatives of the loss in single entries of one array."""
        return {index: self.slope(point, name, point.unit(name, index)) for index in indices}


def true_gradient(forward: Callable[[Values], Any], point: Point, name: str, *namespaces: dict[str, Any]) -> BallArray:
    """Return the gradient of the code's own forward pass in one array, entry by entry, at the precision of the moment."""
    accused = Accused(forward, lambda values: {}, namespaces)
    found = np.empty(point.shape(name), dtype=object)
    for index, slope in accused.partials(point, name, np.ndindex(found.shape)).items():
        found[index] = Dual(slope)
    return found.view(BallArray)
