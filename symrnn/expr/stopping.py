"""Gradients that are stopped: everywhere, or at the times that a condition tells, such as the starts of windows."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Expr, Gt, Integer, Mod, Piecewise, expand, sympify
from sympy.logic.boolalg import And

from symrnn import writer
from symrnn.errors import SpecError
from symrnn.expr.algebra import Hadamard, Plus, Product, Scaled
from symrnn.expr.node import Node, Ones, Shape, Zeros, described, dim


class Divides(Node):
    """The Iverson bracket ``[K | t]``, a 1×1 constant: 1 where ``K`` divides the time, else 0.

    Args:
        modulus: A positive whole number, or a letter for one.
        time: A time: in the generic ``t``, in a bound index, or fixed.
        positive: Count only times above 0: ``[K | t > 0]``.
    """

    def __new__(cls, modulus: Any, time: Any, positive: Any = 0) -> Any:
        number, when = dim(modulus), expand(sympify(time))
        if not (number.is_integer and number.is_positive):
            raise SpecError(f"what divides a time must be a positive whole number or a letter; got {modulus}")
        if not when.is_integer:
            raise SpecError(f"[{number} | {when}] needs a time that is a whole number; got {when}")
        if when.is_Integer and positive and when <= 0:
            return Zeros(1, 1)
        if when.is_Integer and number.is_Integer:
            return Zeros(1, 1) if when % number else Ones(1, 1)
        if not positive and (number == 1 or when == 0):
            return Ones(1, 1)
        return cls.make(number, when, Integer(1)) if positive else cls.make(number, when)

    @property
    def shape(self) -> Shape:
        return (Integer(1), Integer(1))

    @property
    def positive(self) -> bool:
        """Whether only times above 0 count."""
        return len(self.args) == 3

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        number, time = self.args[:2]
        holds = Eq(Mod(time, number), 0)
        return Piecewise((Integer(1), And(Gt(time, 0), holds) if self.positive else holds), (Integer(0), True))

    def _numpycode(self, printer: Any) -> str:
        number, time = (printer._print(arg) for arg in self.args[:2])
        return f"numpy.array([[float(({time}) % {number} == 0{f' and ({time}) > 0' if self.positive else ''})]])"


def complement(condition: Any) -> Any:
    """Return ``1 - c``: 1 where a condition is 0."""
    return Plus(Ones(1, 1), Scaled(-1, condition))


def weighted(matrix: Any, weight: Any) -> Any:
    """Return ``c A`` for a 1×1 ``c`` and a matrix of any shape."""
    rows, cols = matrix.shape
    if cols == 1:
        return Product(matrix, weight)
    return Hadamard(matrix, Product(Ones(rows, 1), weight, Ones(1, cols)))


def is_condition(node: Any) -> bool:
    """Tell whether a node is a condition: 0, 1, ``[K | t]``, products of conditions, and ``1 - c``."""
    if node.shape != (1, 1):
        return False
    if isinstance(node, Product):
        return all(map(is_condition, node.args))
    if isinstance(node, Plus):
        rest = complement(node)
        return not isinstance(rest, Plus) and is_condition(rest)
    return isinstance(node, Divides | Zeros | Ones)


class StopGradient(Node):
    """The value of its operand; no gradient passes, or, with a condition, none where the condition is 1.

    A stop inside one without a condition says nothing new and vanishes, as does one that is repeated at once; others
    stay. So a gradient passes two stops where neither condition holds.

    Args:
        matrix: Any matrix.
        condition: A 1×1 constant that is 0 or 1, such as ``Divides(K, t - 1)``: ``δA += g (1 - condition)``.
    """

    def __new__(cls, matrix: Node, condition: Any = None) -> Any:
        if condition is None or condition == Ones(1, 1):
            return cls.make(without_stops(matrix))
        if not (isinstance(condition, Node) and is_condition(condition)):
            got = described(condition) if isinstance(condition, Node) else repr(condition)
            raise SpecError(
                f"the condition of a stop on {writer.text(matrix)} must be a constant 0 or 1 such as Divides(K, t - 1), "
                f"1 - Divides(K, t - 1) or a product of these; got {got}"
            )
        if condition == Zeros(1, 1) or isinstance(matrix, Zeros | Ones):
            return matrix
        if isinstance(matrix, StopGradient) and matrix.condition in {None, condition}:
            return matrix
        return cls.make(matrix, condition)

    @property
    def condition(self) -> Any:
        """Where the gradient stops, or ``None``: everywhere."""
        return self.args[1] if len(self.args) == 2 else None

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0]._entry(i, j)

    def _numpycode(self, printer: Any) -> str:
        return str(printer._print(self.args[0]))


def without_stops(node: Any) -> Any:
    """Return a formula with every stop taken away: its value is the same, and the whole gradient passes."""
    while node.has(StopGradient):
        node = node.xreplace({stop: stop.args[0] for stop in node.atoms(StopGradient)})
    return node
