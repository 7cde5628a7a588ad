"""The algebra of matrices: sums, products, scaling, transposes.

Shapes are checked when a node is made, symbolically. Constructors keep the order in which operands were written, and
put the result in canonical form (zeros vanish, nested sums flatten, scalars move to the front), so that substituting
into a formula simplifies it.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import Any

from sympy import Expr, Integer, Sum, sympify
from sympy.core.symbol import Dummy
from sympy.matrices.expressions.matexpr import MatrixExpr

from symrnn import writer
from symrnn.errors import SpecError
from symrnn.expr.node import Node, Ones, Shape, Zeros, described, same


def split_scalar(node: Node) -> tuple[Expr, Node]:
    """Split ``c A`` into ``(c, A)``."""
    return (node.args[0], node.args[1]) if isinstance(node, Scaled) else (Integer(1), node)


class Scaled(Node):
    """``c A`` with a scalar SymPy expression ``c``."""

    def __new__(cls, scalar: Any, matrix: Node) -> Any:
        inner, core = split_scalar(matrix)
        number = None if isinstance(scalar, str) else sympify(scalar)
        if not isinstance(number, Expr) or isinstance(number, MatrixExpr):
            raise SpecError(f"cannot scale {writer.text(matrix)} by {scalar}; expected a number or a scalar expression")
        c = number * inner
        if c == 0 or isinstance(core, Zeros):
            return Zeros(*core.shape)
        if c == 1:
            return core
        if c == -1 and isinstance(core, Plus):
            return Plus(*(Scaled(-1, term) for term in core.args))
        return cls.make(c, core)

    @property
    def shape(self) -> Shape:
        return self.args[1].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0] * self.args[1]._entry(i, j)

    def _numpycode(self, printer: Any) -> str:
        return f"(({printer._print(self.args[0])})*{printer._print(self.args[1])})"


class Plus(Node):
    """An ordered sum. Like terms are added to the first of them; zeros vanish."""

    def __new__(cls, *terms: Node) -> Any:
        if not terms:
            raise SpecError("an empty sum has no shape; give at least one term")
        first = terms[0]
        counts: dict[Node, Expr] = {}
        for term in terms:
            if not (same(term.shape[0], first.shape[0]) and same(term.shape[1], first.shape[1])):
                raise SpecError(
                    f"cannot add {described(first)} and {described(term)}; "
                    "the terms of a sum need one shape"
                )
            for part in term.args if isinstance(term, Plus) else (term,):
                c, core = split_scalar(part)
                counts[core] = counts.get(core, Integer(0)) + c
        kept = [Scaled(c, core) for core, c in counts.items() if c != 0 and not isinstance(core, Zeros)]
        if not kept:
            return Zeros(*first.shape)
        return kept[0] if len(kept) == 1 else cls.make(*kept)

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return sum((term._entry(i, j) for term in self.args), Integer(0))

    def _numpycode(self, printer: Any) -> str:
        return "(" + " + ".join(printer._print(term) for term in self.args) + ")"


def _gather_scalars(cls: type[Node], factors: tuple[Node, ...]) -> tuple[Expr, list[Node]]:
    """Flatten nested products of one kind and move their scalars to the front."""
    scalar = Integer(1)
    flat: list[Node] = []
    for factor in factors:
        c, core = split_scalar(factor)
        scalar = scalar * c
        flat.extend(core.args if isinstance(core, cls) else (core,))
    return scalar, flat


class Product(Node):
    """An ordered matrix product; a row of ones times a column is the sum of its entries."""

    def __new__(cls, *factors: Node) -> Any:
        for left, right in pairwise(factors):
            if not same(left.shape[1], right.shape[0]):
                raise SpecError(
                    f"cannot multiply {described(left)} and {described(right)}; "
                    "the inner sizes of a matrix product must agree"
                )
        rows, cols = factors[0].shape[0], factors[-1].shape[1]
        scalar, flat = _gather_scalars(cls, factors)
        if any(isinstance(factor, Zeros) for factor in flat):
            return Zeros(rows, cols)
        unit = Ones(1, 1)
        kept = _merge_ones([f for f in flat if f != unit and type(f).__name__ != "Identity"] or flat[:1])
        if len(kept) > 1 and isinstance(kept[0], Ones) and same(rows, 1) and same(cols, 1):
            return Scaled(scalar, cls._node("Total")(Product(*kept[1:])))
        return Scaled(scalar, kept[0] if len(kept) == 1 else cls.make(*kept))

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], self.args[-1].shape[1])

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return _product_entry(self.args, i, j)

    def _numpycode(self, printer: Any) -> str:
        return "(" + " @ ".join(printer._print(factor) for factor in self.args) + ")"


def _merge_ones(factors: list[Node]) -> list[Node]:
    """Write a column of ones times a row of ones as the matrix of ones."""
    out: list[Node] = []
    for factor in factors:
        if out and isinstance(factor, Ones) and isinstance(out[-1], Ones) and factor.shape[0] == 1:
            factor = Ones(out.pop().shape[0], factor.shape[1])
        out.append(factor)
    return out


def _product_entry(factors: tuple[Node, ...], i: Any, j: Any) -> Expr:
    """Entry of a product: a plain sum where the inner size is a number, a SymPy ``Sum`` where it is a symbol."""
    if len(factors) == 1:
        return factors[0]._entry(i, j)
    size = factors[0].shape[1]
    if size.is_Integer:
        pairs = (factors[0]._entry(i, k) * _product_entry(factors[1:], k, j) for k in map(Integer, range(int(size))))
        return sum(pairs, Integer(0))
    k = Dummy("k", integer=True, nonnegative=True)
    return Sum(factors[0]._entry(i, k) * _product_entry(factors[1:], k, j), (k, 0, size - 1))


class Hadamard(Node):
    """An ordered elementwise product."""

    def __new__(cls, *factors: Node) -> Any:
        first = factors[0]
        for factor in factors[1:]:
            if not (same(factor.shape[0], first.shape[0]) and same(factor.shape[1], first.shape[1])):
                raise SpecError(
                    f"cannot multiply {described(first)} and {described(factor)} "
                    "elementwise; the factors need one shape (for a matrix product write @)"
                )
        scalar, flat = _gather_scalars(cls, factors)
        if any(isinstance(factor, Zeros) for factor in flat):
            return Zeros(*first.shape)
        kept = [f for f in flat if not isinstance(f, Ones)] or flat[:1]
        spread = next((f for f in kept if len(kept) > 1 and _is_spread(f)), None)
        if spread is not None:
            kept.remove(spread)
            return Scaled(scalar, Product(Hadamard(*kept), *spread.args[1:]))
        return Scaled(scalar, kept[0] if len(kept) == 1 else cls.make(*kept))

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return reduce(lambda a, b: a * b, (factor._entry(i, j) for factor in self.args))

    def _numpycode(self, printer: Any) -> str:
        return "(" + " * ".join(printer._print(factor) for factor in self.args) + ")"


def _is_spread(node: Node) -> bool:
    """Tell whether a column repeats one 1×1 value, as ``1 (m_t)`` does."""
    return isinstance(node, Product) and isinstance(node.args[0], Ones) and node.args[0].shape[1] == 1 == node.shape[1]


class Transposed(Node):
    """The transpose; a product turns round, everything else is kept whole, as in ``h_tᵀ``."""

    def __new__(cls, matrix: Node) -> Any:
        scalar, core = split_scalar(matrix)
        if scalar != 1:
            return Scaled(scalar, Transposed(core))
        if core.shape == (1, 1):
            return core
        if isinstance(core, Transposed):
            return core.args[0]
        if isinstance(core, Product):
            return Product(*(Transposed(factor) for factor in reversed(core.args)))
        if isinstance(core, Zeros | Ones):
            return core.func(core.shape[1], core.shape[0])
        return core if type(core).__name__ in {"Diag", "Identity"} else cls.make(core)

    @property
    def shape(self) -> Shape:
        rows, cols = self.args[0].shape
        return (cols, rows)

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0]._entry(j, i)

    def _numpycode(self, printer: Any) -> str:
        return f"{printer._print(self.args[0])}.T"
