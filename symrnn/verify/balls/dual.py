"""The scalar of the ball judge: a dual number over balls of hundreds of bits.

``Dual(value, tangent)`` stands for ``value + ε tangent`` with ``ε² = 0``: ``value`` is a ball that contains the number
that the code means, ``tangent`` a ball that contains its derivative along one direction (``None``: it does not move).
NumPy's loops over object arrays use its operators and call its methods (``tanh``, ``exp``, ``log``, …), so that code
which was written for float64 arrays runs on arrays of it.

Guarantees:
    Every ball contains the number that exact arithmetic would give; integers, floats and dyadic fractions come in
    exactly. A comparison answers only where the balls leave one answer, and where a small step along the direction
    does not change it; otherwise it raises :class:`Undecided`. Nothing is rounded to a float: ``float()``, ``int()``,
    ``round()`` raise. NaN and infinity are carried. Blind: whoever formats a scalar and reads the text back rounds it.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, ClassVar, NoReturn

import flint
import numpy as np
from flint import arb

from symrnn.errors import SymrnnError
from symrnn.verify.balls.formatting import is_formatting
from symrnn.verify.balls.functions import FUNCTIONS


class Undecided(SymrnnError, ArithmeticError):  # noqa: N818  # a state of knowledge, not a mistake
    """Balls overlap where the code asks which is larger: try more bits, or another point."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with balls of this many bits, and restore the precision afterwards."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(number: Any) -> Any:
    """Return the ball of an exact number, or ``None`` where it is no real number.

    Integers, floats and NumPy scalars come in exactly; a fraction at the precision of the moment.
    """
    if isinstance(number, float) or type(number) in (int, arb):
        return arb(number)
    if isinstance(number, (np.bool_, numbers.Integral)):
        return arb(int(number))
    if isinstance(number, Fraction):
        return arb(flint.fmpq(number.numerator, number.denominator))
    if isinstance(number, np.floating):
        rounded = float(number)
        return arb(rounded) if rounded == number or rounded != rounded else ball(Fraction(*number.as_integer_ratio()))
    return None


class Dual:
    """A ball, and the ball of its derivative along one direction.

    Attributes:
        value: A ball.
        tangent: A ball, or ``None`` for 0: the number does not depend on what moves.
    """

    __slots__ = ("tangent", "value")

    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1
    compares: ClassVar[Callable[[Any], None] | None] = None
    """Told of each plain number that a dual number is compared with, by whoever watches code as it runs."""

    def __init__(self, value: Any, tangent: Any = None) -> None:
        self.value = value
        self.tangent = tangent

    def __add__(self, other: Any) -> Dual:
        if type(other) is Dual:
            a, b = self.tangent, other.tangent
            return Dual(self.value + other.value, b if a is None else a if b is None else a + b)
        number = ball(other)
        return NotImplemented if number is None else Dual(self.value + number, self.tangent)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dual:
        if type(other) is Dual:
            a, b = self.tangent, other.tangent
            return Dual(self.value - other.value, a if b is None else -b if a is None else a - b)
        number = ball(other)
        return NotImplemented if number is None else Dual(self.value - number, self.tangent)

    def __rsub__(self, other: Any) -> Dual:
        number = ball(other)
        return NotImplemented if number is None else Dual(number - self.value, None if self.tangent is None else -self.tangent)

    def __mul__(self, other: Any) -> Dual:
        if type(other) is Dual:
            x, y, a, b = self.value, other.value, self.tangent, other.tangent
            if a is None:
                return Dual(x * y, None if b is None else x * b)
            return Dual(x * y, a * y if b is None else a * y + x * b)
        number = ball(other)
        if number is None:
            return NotImplemented
        return Dual(self.value * number, None if self.tangent is None else self.tangent * number)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        if type(other) is not Dual:
            number = ball(other)
            if number is None:
                return NotImplemented
            return Dual(self.value / number, None if self.tangent is None else self.tangent / number)
        x, y, a, b = self.value, other.value, self.tangent, other.tangent
        quotient = x / y
        if b is None:
            return Dual(quotient, None if a is None else a / y)
        return Dual(quotient, (-quotient * b if a is None else a - quotient * b) / y)

    def __rtruediv__(self, other: Any) -> Dual:
        number = ball(other)
        return NotImplemented if number is None else Dual(number) / self

    def __pow__(self, other: Any) -> Dual:
        exponent = other.value if type(other) is Dual else ball(other)
        if exponent is None:
            return NotImplemented
        moving = other.tangent if type(other) is Dual else None
        power = self.value**exponent
        slope = None if self.tangent is None else exponent * self.value ** (exponent - 1) * self.tangent
        if exponent == 0:
            slope = None
        if moving is not None:
            turn = power * self.value.log() * moving
            slope = turn if slope is None else slope + turn
        return Dual(power, slope)

    def __rpow__(self, other: Any) -> Dual:
        number = ball(other)
        return NotImplemented if number is None else Dual(number) ** self

    def __neg__(self) -> Dual:
        return Dual(-self.value, None if self.tangent is None else -self.tangent)

    def __pos__(self) -> Dual:
        return self

    def __abs__(self) -> Dual:
        if self.tangent is None:
            return Dual(abs(self.value))
        return -self if self._order(0) < 0 else self

    def _order(self, other: Any) -> int:
        """Return -1, 0 or 1 as this number is below, equal to or above the other.

        Raises:
            Undecided: The balls overlap; or the numbers are equal and move apart, so that the answer is a kink.
        """
        if type(other) is not Dual and Dual.compares is not None:
            Dual.compares(other)
        theirs = other if type(other) is Dual else Dual(ball(other))
        if self.value < theirs.value:
            return -1
        if self.value > theirs.value:
            return 1
        if self is other and not self.value.is_nan():
            return 0
        if not self.value == theirs.value:
            raise Undecided(f"cannot compare {self} with {theirs} at {flint.ctx.prec} bits: the balls overlap")
        a, b = arb(0) if self.tangent is None else self.tangent, arb(0) if theirs.tangent is None else theirs.tangent
        if not a == b:
            raise Undecided(f"cannot differentiate a comparison of {self} with an equal number: the point is on a kink")
        return 0

    def __lt__(self, other: Any) -> bool:
        return self._order(other) < 0 if comparable(other) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self._order(other) <= 0 if comparable(other) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._order(other) > 0 if comparable(other) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._order(other) >= 0 if comparable(other) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._order(other) == 0 if comparable(other) else NotImplemented

    def __hash__(self) -> int:
        if not (self.value.is_exact() and self.value.is_finite()):
            return object.__hash__(self)
        exact = self.value.fmpq()
        return hash(Fraction(int(exact.p), int(exact.q)))

    def __bool__(self) -> bool:
        return self._order(0) != 0

    def __repr__(self) -> str:
        return self.value.str(8, radius=False)

    def __format__(self, spec: str) -> str:
        return format(float(self.value.mid()), spec) if spec else repr(self)

    def isnan(self) -> bool:
        """Whether the value or its derivative is not a number."""
        return bool(self.value.is_nan() or (self.tangent is not None and self.tangent.is_nan()))

    def isfinite(self) -> bool:
        """Whether the value and its derivative are finite."""
        return bool(self.value.is_finite() and (self.tangent is None or self.tangent.is_finite()))

    def arctan2(self, x: Any) -> Dual:
        """The angle of the point ``(x, self)``."""
        y, x = self, as_dual(x)
        turned = x * Dual(arb(0), y.tangent) - y * Dual(arb(0), x.tangent)
        return Dual(arb.atan2(y.value, x.value), None if turned.tangent is None else (turned / (x * x + y * y)).tangent)

    def hypot(self, other: Any) -> Dual:
        """The length of the vector ``(self, other)``."""
        return apply("sqrt", self * self + other * other)

    def __deepcopy__(self, memo: Any) -> Dual:
        return self

    def __copy__(self) -> Dual:
        return self

    def conjugate(self) -> Dual:
        """The number itself: it is real."""
        return self

    item = copy = conjugate
    fabs = __abs__
    real = T = property(conjugate)
    imag = property(lambda self: Dual(arb(0)))

    def _refuse(self, *_: Any) -> NoReturn:
        """Refuse what would lose digits without a word."""
        raise TypeError(
            "a ball is not rounded to a float or an integer; keep such values in arrays of dtype object (made by np.zeros "
            "and the like while the judge runs the code) and use NumPy functions instead of math"
        )

    def __float__(self) -> float:
        """Round for ``"loss %f" % loss``, which only shows it; refuse anything else."""
        return float(self.value.mid()) if is_formatting(sys._getframe(1)) else self._refuse()

    __int__ = __index__ = __complex__ = __round__ = __floor__ = __ceil__ = __trunc__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = rint = _refuse


def comparable(other: Any) -> bool:
    """Tell whether a dual number can be compared with it."""
    return type(other) is Dual or ball(other) is not None


def as_dual(number: Any) -> Dual:
    """Make a dual number that does not move; one that is a dual number already is kept.

    Raises:
        TypeError: It is no real number.
    """
    if type(number) is Dual:
        return number
    value = ball(number)
    if value is None:
        raise TypeError(f"a ball is made of a real number, not of {type(number).__name__}")
    return Dual(value)


def apply(name: str, x: Dual) -> Dual:
    """Apply a function of the table to a dual number."""
    function, derivative = FUNCTIONS[name]
    y = function(x.value)
    return Dual(y, None if x.tangent is None else derivative(x.value, y) * x.tangent)


def _method(name: str) -> Callable[[Dual], Dual]:
    def method(self: Dual) -> Dual:
        return apply(name, self)

    method.__name__ = method.__qualname__ = name
    return method


for _name in FUNCTIONS:  # the methods that NumPy's object loops call
    setattr(Dual, _name, _method(_name))
