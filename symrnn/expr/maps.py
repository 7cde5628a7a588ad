"""Nodes that act on entries or columns: elementwise functions, softmax, sums of entries, diagonals, one-hot columns."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer, KroneckerDelta, Sum, exp, log
from sympy.core.symbol import Dummy, Str

from symrnn.activations import activation
from symrnn.errors import SpecError
from symrnn.expr.algebra import Product, Scaled, split_scalar
from symrnn.expr.node import Node, Ones, Shape, Zeros, described, dim, same


class Elementwise(Node):
    """``f(A)`` with an elementwise function of the activation table."""

    place = 1
    """Which of the operands the function is applied to."""

    def __new__(cls, name: Any, matrix: Node) -> Any:
        row = activation(str(name))
        return matrix if row.name == "identity" else cls.make(Str(row.name), matrix)

    @property
    def function(self) -> Any:
        """The row of the activation table."""
        return activation(str(self.args[0]))

    @property
    def shape(self) -> Shape:
        return self.args[1].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.function.scalar(self.args[1]._entry(i, j))

    def _numpycode(self, printer: Any) -> str:
        return NUMPY_FORMS.get(self.function.name, self.function.numpy).format(z=printer._print(self.args[1]))


NUMPY_FORMS = {
    "tanh": "numpy.tanh({z})",
    "sigmoid": "(0.5*numpy.tanh(0.5*{z}) + 0.5)",
    "relu": "numpy.maximum({z}, 0)",
    "leaky_relu": "numpy.where({z} > 0, {z}, {z}/100)",
    "softplus": "numpy.logaddexp(0, {z})",
    "elu": "numpy.where({z} > 0, {z}, numpy.expm1(numpy.minimum({z}, 0)))",
    "sin": "numpy.sin({z})",
    "cos": "numpy.cos({z})",
    "step": "numpy.heaviside({z}, 0)",
    "exp": "numpy.exp({z})",
    "log": "numpy.log({z})",
    "reciprocal": "(1/{z})",
    "rsqrt": "(1/numpy.sqrt({z}))",
}
"""Closed forms for ``sympy.lambdify``: one expression each, with NumPy's full name."""


class Softmax(Node):
    """Softmax of each column: ``exp(a_i) / Σ_k exp(a_k)``; with a mask, over the rows that count alone.

    With a mask ``m``, a column of zeros and ones, an entry is ``m_i exp(a_i) / Σ_k m_k exp(a_k)``: exactly 0 where ``m_i``
    is 0, and so is what ``a_i`` receives. The mask is data: a mask that depends on something in which a gradient is taken
    is refused when the network is derived.

    Args:
        matrix: What the exponentials are taken of.
        mask: A column with a row for each row of the matrix, or ``None``: all rows count.

    Shapes:
        matrix: n×k, mask: n×1.

    Raises:
        SpecError: The mask has another shape, or leaves out every row.
    """

    place = 0

    def __new__(cls, matrix: Node, mask: Node | None = None) -> Any:
        if mask is None or (isinstance(mask, Ones) and same(mask.shape[0], matrix.shape[0]) and same(mask.shape[1], 1)):
            return cls.make(matrix)
        if not (same(mask.shape[0], matrix.shape[0]) and same(mask.shape[1], 1)):
            raise SpecError(f"the mask of a softmax of {described(matrix)} must be {matrix.shape[0]}×1; got {described(mask)}")
        if isinstance(mask, Zeros):
            raise SpecError(f"the mask of a softmax of {described(matrix)} is 0; at least one row must count")
        return cls.make(matrix, mask)

    @property
    def mask(self) -> Node | None:
        """The column that says which rows count, or ``None``."""
        return self.args[1] if len(self.args) == 2 else None

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        weight = Integer(1) if self.mask is None else self.mask._entry(i, Integer(0))
        return weight * exp(self.args[0]._entry(i, j)) / _sum_rows(self.args[0], j, self.mask)

    def _numpycode(self, printer: Any) -> str:
        code = printer._print(self.args[0])
        if self.mask is None:
            return f"(lambda e: e/e.sum(0))({_shifted_exp(code)})"
        top = "(lambda a, m: (lambda z: m*numpy.exp(z - z.max(0)))(numpy.where(m != 0, a, numpy.where(m != 0, a, -numpy.inf).max(0))))"
        return f"(lambda e: e/e.sum(0))({top}({code}, {printer._print(self.mask)}))"


class LogSoftmax(Node):
    """Logarithm of the softmax of each column: ``a_i - log Σ_k exp(a_k)``; finite where the softmax underflows."""

    place = 0

    def __new__(cls, matrix: Node) -> Any:
        return cls.make(matrix)

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0]._entry(i, j) - log(_sum_rows(self.args[0], j))

    def _numpycode(self, printer: Any) -> str:
        return f"(lambda z: z - numpy.log(numpy.exp(z).sum(0)))((lambda a: a - a.max(0))({printer._print(self.args[0])}))"


def _shifted_exp(source: str) -> str:
    return f"(lambda a: numpy.exp(a - a.max(0)))({source})"


def _sum_rows(matrix: Node, j: Any, mask: Node | None = None) -> Expr:
    """``Σ_k exp(a_kj)``, or ``Σ_k m_k exp(a_kj)``."""
    rows = matrix.shape[0]

    def term(k: Any) -> Expr:
        power = exp(matrix._entry(k, j))
        return power if mask is None else mask._entry(k, Integer(0)) * power

    if rows.is_Integer:
        return sum((term(Integer(k)) for k in range(int(rows))), Integer(0))
    k = Dummy("k", integer=True, nonnegative=True)
    return Sum(term(k), (k, 0, rows - 1))


class Total(Node):
    """The sum of all entries, a 1×1 matrix: ``1ᵀ A 1``."""

    def __new__(cls, matrix: Node) -> Any:
        scalar, core = split_scalar(matrix)
        rows, cols = core.shape
        if isinstance(core, Zeros):
            return Zeros(1, 1)
        if isinstance(core, Ones):
            return Scaled(scalar * rows * cols, Ones(1, 1))
        if isinstance(core, Product) and core.args[-1].shape == (1, 1):
            return Scaled(scalar, Product(Total(Product(*core.args[:-1])), core.args[-1]))
        return Scaled(scalar, core if core.shape == (1, 1) else cls.make(core))

    @property
    def shape(self) -> Shape:
        return (Integer(1), Integer(1))

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        rows, cols = self.args[0].shape
        if rows.is_Integer and cols.is_Integer:
            places = ((Integer(k), Integer(m)) for k in range(int(rows)) for m in range(int(cols)))
            return sum((self.args[0]._entry(k, m) for k, m in places), Integer(0))
        k, m = Dummy("k", integer=True, nonnegative=True), Dummy("m", integer=True, nonnegative=True)
        return Sum(self.args[0]._entry(k, m), (k, 0, rows - 1), (m, 0, cols - 1))

    def _numpycode(self, printer: Any) -> str:
        return f"numpy.sum({printer._print(self.args[0])}, keepdims=True)"


class Diag(Node):
    """The diagonal matrix of a column vector."""

    def __new__(cls, vector: Node) -> Any:
        if not same(vector.shape[1], 1):
            raise SpecError(f"diag needs a column vector; got {described(vector)}")
        if isinstance(vector, Zeros):
            return Zeros(vector.shape[0], vector.shape[0])
        return Identity(vector.shape[0]) if isinstance(vector, Ones) else cls.make(vector)

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], self.args[0].shape[0])

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0]._entry(i, Integer(0)) * KroneckerDelta(i, j)

    def _numpycode(self, printer: Any) -> str:
        return f"numpy.diagflat({printer._print(self.args[0])})"


class Identity(Node):
    """The identity matrix."""

    def __new__(cls, size: Any) -> Any:
        return cls.make(dim(size))

    @property
    def shape(self) -> Shape:
        return (self.args[0], self.args[0])

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return KroneckerDelta(i, j)

    def _numpycode(self, printer: Any) -> str:
        return f"numpy.eye({printer._print(self.args[0])})"


class OneHot(Node):
    """The unit column ``e_w`` of an integer quantity ``w`` (1×1, counted from 0): 1 in row ``w``, else 0."""

    def __new__(cls, index: Node, size: Any) -> Any:
        if index.shape != (1, 1):
            raise SpecError(f"a one-hot column needs a 1×1 index; got {described(index)}")
        return cls.make(index, dim(size))

    @property
    def shape(self) -> Shape:
        return (self.args[1], Integer(1))

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return KroneckerDelta(i, self.args[0]._entry(Integer(0), Integer(0)))

    def _numpycode(self, printer: Any) -> str:
        index, size = (printer._print(arg) for arg in self.args)
        return f"(numpy.arange({size}).reshape(-1, 1) == {index}).astype(float)"
