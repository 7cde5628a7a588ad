"""Named quantities: static ones such as ``W_f``, and those that have a value at each time, such as ``h_t``.

A quantity's name carries the order of its adjoint: ``("h", ())`` is ``h``, ``("h", (1,))`` is ``δh``, the adjoint of
the first derivation, and ``("h", (1, 2))`` is the adjoint, in a second derivation, of ``δh``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Basic, Expr, Symbol, Tuple, sympify
from sympy.core.symbol import Str
from sympy.matrices.expressions.matexpr import MatrixElement

from symrnn import writer
from symrnn.expr.node import Node, Shape, dim

t = Symbol("t", integer=True)


class Series(Basic):
    """A quantity over time; ``h[t]``, ``h[t - 1]`` and ``h[0]`` are its values. Not a matrix itself.

    Args:
        name: The name in equations, such as ``"h"``.
        orders: The orders of the adjoint, empty for a quantity of the network.
        rows: Size of a column.
        cols: 1 for a vector.
    """

    is_symbol = True

    def __new__(cls, name: Any, orders: Any = (), rows: Any = 1, cols: Any = 1) -> Any:
        return super().__new__(cls, Str(str(name)), Tuple(*orders), dim(rows), dim(cols))

    @property
    def name(self) -> str:
        """The name without adjoint marks."""
        return self.args[0].name

    @property
    def orders(self) -> tuple[int, ...]:
        """The orders of the adjoint."""
        return tuple(int(order) for order in self.args[1])

    @property
    def shape(self) -> Shape:
        """Rows and columns of one value."""
        return (self.args[2], self.args[3])

    @property
    def key(self) -> str:
        """An identifier: ``h``, ``d_h`` for ``δh``, ``d2_d_h`` for the second-order adjoint of ``δh``."""
        return identifier(self.name, self.orders)

    @property
    def free_symbols(self) -> set[Basic]:
        return {self} | super().free_symbols

    def __getitem__(self, time: Any) -> At:
        return At(self, time)

    def __iter__(self) -> Iterator[Any]:
        """Refuse: the number of times is symbolic."""
        raise TypeError(f"{self.key} has a value at each time and cannot be iterated; write {self.key}[t]")

    def adjoint_series(self, order: int) -> Series:
        """Return the series of adjoints of this one."""
        return Series(self.name, (*self.orders, order), *self.shape)

    def _sympystr(self, printer: Any) -> str:
        return self.key

    def _latex(self, printer: Any, **_: Any) -> str:
        return writer.latex(self)

    def _lambdacode(self, printer: Any) -> str:
        return self.key

    _numpycode = _lambdacode
    _pythoncode = _lambdacode


def identifier(name: str, orders: tuple[int, ...]) -> str:
    """Return a Python identifier for a name and its adjoint orders."""
    marks = "".join("d_" if order == 1 else f"d{order}_" for order in reversed(orders))
    return marks + name


class Leaf(Node):
    """A quantity in a formula: static, or at a time."""

    is_symbol = True

    @property
    def name(self) -> str:
        """The name without adjoint marks."""
        raise TypeError(f"{type(self).__name__} has no name")

    @property
    def key(self) -> str:
        """A Python identifier."""
        raise TypeError(f"{type(self).__name__} has no key")

    @property
    def free_symbols(self) -> set[Basic]:
        return {self} | {size for dimension in self.shape for size in dimension.free_symbols}

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return MatrixElement(self, i, j)

    def _sympystr(self, printer: Any) -> str:
        """Print the identifier, which ``lambdify`` takes as the argument's name."""
        return self.key


class Static(Leaf):
    """A quantity without time: a parameter, the loss, or an adjoint of one of them.

    Args:
        name: The name in equations.
        orders: The orders of the adjoint.
        rows: Number of rows.
        cols: Number of columns; 1 for a vector.
    """

    def __new__(cls, name: Any, orders: Any = (), rows: Any = 1, cols: Any = 1) -> Any:
        return cls.make(Str(str(name)), Tuple(*orders), dim(rows), dim(cols))

    @property
    def name(self) -> str:
        return self.args[0].name

    @property
    def orders(self) -> tuple[int, ...]:
        """The orders of the adjoint."""
        return tuple(int(order) for order in self.args[1])

    @property
    def shape(self) -> Shape:
        return (self.args[2], self.args[3])

    @property
    def key(self) -> str:
        """An identifier: ``W_f``, ``d_W_f`` for its gradient."""
        return identifier(self.name, self.orders)

    def adjoint_static(self, order: int) -> Static:
        """Return the adjoint of this quantity."""
        return Static(self.name, (*self.orders, order), *self.shape)

    def _lambdacode(self, printer: Any) -> str:
        return self.key

    _numpycode = _lambdacode
    _pythoncode = _lambdacode


class At(Leaf):
    """The value of a series at a time: ``h_t``, ``h_{t-1}``, ``h_T``.

    Args:
        series: The quantity over time.
        time: A time: ``t + k``, a fixed time such as ``0`` or ``T``, or a bound index of a sum plus an offset.
    """

    def __new__(cls, series: Series, time: Any) -> Any:
        return cls.make(series, sympify(time))

    @property
    def series(self) -> Series:
        """The quantity over time."""
        return self.args[0]

    @property
    def time(self) -> Expr:
        """The time of this value."""
        return self.args[1]

    @property
    def name(self) -> str:
        return self.series.name

    @property
    def shape(self) -> Shape:
        return self.series.shape

    @property
    def key(self) -> str:
        """An identifier such as ``h_t``, ``h_tm1``, ``h_T``, ``d_h_tp1``."""
        time = str(self.time).replace(" ", "").replace("-", "m").replace("+", "p").replace("*", "")
        return f"{self.series.key}_{time}"

    def _lambdacode(self, printer: Any) -> str:
        return self.key

    def _numpycode(self, printer: Any) -> str:
        """Print ``h_t``, or ``h[s]`` under a sum over ``s``: then the argument is the series itself."""
        bound = any(symbol.name.startswith("_s") for symbol in self.time.free_symbols)
        return f"{self.series.key}[{printer._print(self.time)}]" if bound else self.key

    _pythoncode = _numpycode
