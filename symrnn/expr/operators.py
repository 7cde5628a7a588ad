"""Python's operators on nodes: ``+ - @ *`` build sums, matrix products and elementwise products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sympy import Expr, Integer, sympify

from symrnn import writer
from symrnn.errors import SpecError


class Operators:
    """What ``Node`` does with operators; the node types are looked up in the closed set by name."""

    registry: ClassVar[dict[str, Any]] = {}

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        raise TypeError(f"{type(self).__name__} does not say its shape")

    @staticmethod
    def _node(name: str) -> Callable[..., Any]:
        return Operators.registry[name]

    def _lift(self, value: Any) -> Any:
        """Turn a number into a constant matrix of this shape; pass nodes through."""
        return value if isinstance(value, Operators) else self._node("Scaled")(value, self._node("Ones")(*self.shape))

    def _matrix(self, value: Any) -> Any:
        if not isinstance(value, Operators):
            raise SpecError(f"the right side of @ must be a matrix; got {value!r}; to scale, write *")
        return value

    def __add__(self, other: Any) -> Any:
        return self._node("Plus")(self, self._lift(other))

    def __radd__(self, other: Any) -> Any:
        return self._node("Plus")(self._lift(other), self)

    def __sub__(self, other: Any) -> Any:
        return self._node("Plus")(self, self._node("Scaled")(-1, self._lift(other)))

    def __rsub__(self, other: Any) -> Any:
        return self._node("Plus")(self._lift(other), self._node("Scaled")(-1, self))

    def __neg__(self) -> Any:
        return self._node("Scaled")(-1, self)

    def __matmul__(self, other: Any) -> Any:
        return self._node("Product")(self, self._matrix(other))

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Operators):
            return self._node("Scaled")(other, self)
        if other.shape == (1, 1) and self.shape[1] == 1:
            return self._node("Product")(self, other)
        if self.shape == (1, 1) and other.shape[1] == 1:
            return self._node("Product")(other, self)
        return self._node("Hadamard")(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._node("Scaled")(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._node("Scaled")(1 / sympify(other), self)

    def __pow__(self, power: Any) -> Any:
        if not (isinstance(power, int | Integer) and power > 0):
            raise SpecError(f"cannot raise {writer.text(self)} to {power}; expected a positive integer power, taken elementwise")
        return self._node("Hadamard")(*[self] * int(power))
