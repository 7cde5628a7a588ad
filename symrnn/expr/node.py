"""The base of all nodes, and the constant matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Expr, Integer, Symbol, expand, sympify
from sympy.matrices.expressions.matexpr import MatrixExpr

from symrnn import writer
from symrnn.expr.operators import Operators

Shape = tuple[Expr, Expr]


def dim(size: Any) -> Expr:
    """Return a size: a number, or a positive integer symbol for a letter."""
    return Symbol(size, integer=True, positive=True) if isinstance(size, str) else sympify(size)


def same(a: Any, b: Any) -> bool:
    """Tell whether two symbolic sizes are equal."""
    return bool(a == b) or expand(a - b) == 0


def shape_text(shape: Shape) -> str:
    """Return a shape as a reader writes it, such as ``H×1``."""
    return "×".join(str(size) for size in shape)


def described(node: Node) -> str:
    """Return a node and its shape for a message."""
    return f"{writer.text(node)} ({shape_text(node.shape)})"


class Node(Operators, MatrixExpr):
    """A matrix expression with symbolic shape. ``+ - @ *`` build sums, matrix products and Hadamard products."""

    _op_priority = 20.0
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Record the node type: the record is the closed set."""
        super().__init_subclass__(**kwargs)
        Operators.registry[cls.__name__] = cls

    @classmethod
    def make(cls, *args: Any) -> Any:
        """Make the raw SymPy object; only constructors call this, after canonicalising."""
        return Expr.__new__(cls, *args)

    @property
    def T(self) -> Any:
        """The transpose."""
        return self._node("Transposed")(self)

    def apply(self, name: str) -> Any:
        """Apply the elementwise function ``name`` of the activation table."""
        return self._node("Elementwise")(name, self)

    def __iter__(self) -> Iterator[Any]:
        """Refuse: the number of entries is symbolic."""
        raise TypeError(f"{described(self)} has symbolic shape and cannot be iterated; use as_explicit()")

    def _eval_transpose(self) -> None:
        """Keep ``h_tᵀ`` whole."""
        return

    def _latex(self, printer: Any, **_: Any) -> str:
        return writer.latex(self)

    def _sympystr(self, printer: Any) -> str:
        return writer.text(self)

    def _pretty(self, printer: Any) -> Any:
        return printer._print(writer.PlainText(writer.text(self)))

    def _repr_html_(self) -> None:
        return None


class Zeros(Node):
    """The zero matrix of a shape."""

    def __new__(cls, rows: Any, cols: Any) -> Any:
        return cls.make(dim(rows), dim(cols))

    @property
    def shape(self) -> Shape:
        return self.args

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return Integer(0)

    def _numpycode(self, printer: Any) -> str:
        return f"numpy.zeros(({printer._print(self.args[0])}, {printer._print(self.args[1])}))"


class Ones(Node):
    """The matrix whose entries are all 1."""

    def __new__(cls, rows: Any, cols: Any) -> Any:
        return cls.make(dim(rows), dim(cols))

    @property
    def shape(self) -> Shape:
        return self.args

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return Integer(1)

    def _numpycode(self, printer: Any) -> str:
        return f"numpy.ones(({printer._print(self.args[0])}, {printer._print(self.args[1])}))"
