"""Arithmetic modulo the prime 2^61 - 1: roots, random values for functions, and vectors packed into one integer.

A function such as ``tanh`` has no value modulo a prime. It becomes a *generator*: a random value for each argument, the
same one for equal arguments. What is true of the real functions and needed to compare formulas is kept:
``exp(c z) = exp(z)^c`` for small rationals ``c``, ``log`` and ``exp`` undo each other, ``tanh`` and ``sin`` are odd,
``cos`` is even, ``sin² + cos² = 1``, and of ``z > 0`` and ``-z > 0`` at most one holds. Half of all numbers have no root
modulo the prime, so ``√z`` of what varies is a generator too, whose powers are those of a root but whose square is not
``z``: a line that holds only because of that would be refuted.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from random import Random

from symrnn.errors import DataError, NotSupportedError

P = 2**61 - 1
"""The prime; it is 3 modulo 4, so that -1 has no root and 1 + u² is never 0."""

POWER = 12
"""``exp`` of a new argument is a twelfth power, so that ``exp(z/2)``, ``exp(z/3)`` and ``exp(z/4)`` exist."""

_SMALL = [(c, d) for c in range(-4, 5) for d in range(1, 5) if c and gcd(c, d) == 1]
_RATIOS = [(d * pow(c, -1, P) % P, POWER * c // d) for c, d in _SMALL]


def has_root(value: int) -> bool:
    """Tell whether a number has a square root modulo the prime."""
    return pow(value, (P - 1) // 2, P) in {0, 1}


def root(value: int) -> int:
    """Return the square root that is itself a square; these roots multiply as real ones do.

    Raises:
        NotSupportedError: There is none modulo the prime.
    """
    if not has_root(value):
        raise NotSupportedError(f"√{value} has no value modulo 2^61 - 1; give the size under the root another value, such as 2 or 5")
    return pow(value, (P + 1) // 4, P)


class Generators:
    """Values of functions at one random point.

    Args:
        random: Source of randomness.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self._bases: dict[int, int] = {}
        self._exp: dict[int, int] = {0: 1}
        self._log: dict[int, int] = {1: 0}
        self._inverses: dict[int, int] = {}
        self._others: dict[tuple[object, int], int] = {}

    @property
    def inversions(self) -> int:
        """How many different numbers were inverted."""
        return len(self._inverses)

    @property
    def exponentials(self) -> int:
        """How many independent values of ``exp`` there are."""
        return len(self._bases)

    @property
    def arguments(self) -> int:
        """How many arguments functions were taken at."""
        return len(self._exp) + len(self._log) + len(self._others)

    def fresh(self) -> int:
        """Draw a number that is not 0."""
        return self.random.randrange(1, P)

    def of(self, function: object, argument: int) -> int:
        """Return the value of an unrelated function, drawn at the first call."""
        key = (function, argument)
        if key not in self._others:
            self._others[key] = self.fresh()
        return self._others[key]

    def inverse(self, value: int) -> int:
        """Return ``1/value``.

        Raises:
            DataError: The value is 0.
        """
        if value not in self._inverses:
            if value % P == 0:
                raise DataError("a formula divides by 0 at every point; the entrywise judge needs a denominator that varies")
            self._inverses[value] = pow(value, -1, P)
        return self._inverses[value]

    def exp(self, z: int) -> int:
        """Return ``exp(z)``."""
        if z not in self._exp:
            value = self._new_exp(z)
            self._exp[z] = value
            self._log.setdefault(value, z)
        return self._exp[z]

    def _new_exp(self, z: int) -> int:
        """``exp(c z) = exp(z)^c`` where ``exp(z)`` is known, else a new value."""
        for ratio, power in _RATIOS:
            base = self._bases.get(z * ratio % P)
            if base is not None:
                return pow(base, power, P)
            known = self._exp.get(z * ratio % P)  # the argument of an exp whose value came first, through a log
            if known is not None and power % POWER == 0:
                return pow(known, power // POWER, P)
        self._bases[z] = self.fresh()
        return pow(self._bases[z], POWER, P)

    def log(self, value: int) -> int:
        """Return ``log(value)``."""
        if value not in self._log:
            self._log[value] = self.fresh()
            self._exp[self._log[value]] = value
        return self._log[value]

    def root(self, z: int) -> int:
        """Return ``√z`` of what varies."""
        return self.of("root", z)

    def tanh(self, z: int) -> int:
        """``tanh(-z) = -tanh(z)``."""
        return self._odd(z, lambda positive: self.of("tanh", positive))

    def sin(self, z: int) -> int:
        """``2u / (1 + u²)``, odd."""
        return self._odd(z, lambda positive: 2 * self._half_angle(positive)[0] * self._half_angle(positive)[1] % P)

    def cos(self, z: int) -> int:
        """``(1 - u²) / (1 + u²)``, even."""
        if z == 0:
            return 1
        u, inverse = self._half_angle(min(z, P - z))
        return (1 - u * u) * inverse % P

    def _half_angle(self, z: int) -> tuple[int, int]:
        u = self.of("half angle", z)
        return u, self.inverse((1 + u * u) % P)

    def positive(self, z: int) -> bool:
        """Decide ``z > 0``."""
        if z == 0:
            return False
        return bool(self.of("sign", min(z, P - z)) & 1) == (z <= P - z)

    @staticmethod
    def _odd(z: int, function: Callable[[int], int]) -> int:
        if z == 0:
            return 0
        return function(z) if z <= P - z else P - function(P - z)


class Packing:
    """Vectors modulo the prime, each packed into one integer with a slot for each entry.

    A sum of multiples is one addition and one multiplication of integers; ``fold`` brings the slots back below 2^62.
    With multipliers below 2^61 a sum may have up to 2^36 terms before it is folded.

    Args:
        slots: Number of entries.
    """

    WIDTH = 160

    def __init__(self, slots: int) -> None:
        self.slots = slots
        ones = ((1 << self.WIDTH * slots) - 1) // ((1 << self.WIDTH) - 1)
        self._low = ones * P
        self._high = ones * ((1 << (self.WIDTH - 61)) - 1)

    def unit(self, slot: int) -> int:
        """Return the unit vector of a slot."""
        return 1 << self.WIDTH * slot

    def fold(self, vector: int) -> int:
        """Reduce each slot, using ``2^61 = 1``."""
        for _ in range(2):
            vector = (vector & self._low) + ((vector >> 61) & self._high)
        return vector

    def unpack(self, vector: int) -> list[int]:
        """Return the entries."""
        step = self.WIDTH // 8
        raw = vector.to_bytes(step * self.slots, "little")
        return [int.from_bytes(raw[k : k + step], "little") % P for k in range(0, len(raw), step)]
