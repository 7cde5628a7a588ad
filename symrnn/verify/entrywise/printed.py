"""Values of printed formulas modulo a prime, node type by node type; matrices are lists of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Self

from sympy import Basic, Expr, Integer

from symrnn.activations import activation
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    At,
    Column,
    Columns,
    Diag,
    Divides,
    Elementwise,
    Gather,
    Hadamard,
    Identity,
    LogSoftmax,
    OneHot,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Softmax,
    Stacked,
    Static,
    StopGradient,
    TimeSum,
    Total,
    Transposed,
    Zeros,
)
from symrnn.traverse import quantity_of
from symrnn.verify.entrywise.modular import Generators, P
from symrnn.verify.entrywise.scalars import Compiled, scalar_function, slot

Matrix = list[list[int]]
Key = tuple[Basic, int | None]


@dataclass(frozen=True)
class Times:
    """What sizes and times in a formula are.

    Attributes:
        numbers: Values of sizes, of the generic ``t`` and of bound indices.
        known: Maps a quantity to the one that is looked up, with sizes put in.
    """

    numbers: Mapping[Basic, Expr]
    known: Callable[[Basic], Basic]

    def integer(self, expr: Expr) -> int:
        """Return a size or a time."""
        return int(expr.xreplace(self.numbers))

    def over(self, binder: Any) -> Iterator[Self]:
        """Yield what holds in the body of a sum over time, or of a collection of columns, at each of its times."""
        _, index, lo, hi = binder.args
        for time in range(self.integer(lo), self.integer(hi) + 1):
            yield replace(self, numbers={**self.numbers, index: Integer(time)})

    def key(self, leaf: Any) -> Key:
        """Return quantity and time of a leaf."""
        return self.known(quantity_of(leaf)), self.integer(leaf.time) if isinstance(leaf, At) else None


@dataclass(frozen=True)
class Scope(Times):
    """What a formula is evaluated in.

    Attributes:
        value: Looks up a quantity at a time.
        generators: Values of functions.
    """

    value: Callable[[Key], Matrix]
    generators: Generators

    def scalar(self, expr: Expr) -> int:
        """Return a scalar factor."""
        return scalar_function(expr.xreplace(self.numbers)).value((), self.generators)


def reads(node: Any, scope: Times) -> Iterator[Key]:
    """Yield what a formula reads, at which times."""
    if isinstance(node, At | Static):
        yield scope.key(node)
    elif isinstance(node, TimeSum | Columns):
        for inner in scope.over(node):
            yield from reads(node.args[0], inner)
    else:
        for arg in node.args:
            yield from reads(arg, scope)


def evaluate(node: Any, scope: Scope) -> Matrix:
    """Return the value of a formula.

    Raises:
        NotSupportedError: A node type without an evaluation.
    """
    if type(node) not in EVALUATIONS:
        raise NotSupportedError(f"the entrywise judge cannot evaluate {type(node).__name__}; add it to EVALUATIONS")
    return EVALUATIONS[type(node)](node, scope)


def value_leaf(node: Any, scope: Scope) -> Matrix:
    """A quantity."""
    return scope.value(scope.key(node))


def filled(entry: Callable[[int, int], int], node: Any, scope: Scope) -> Matrix:
    """Make a matrix of the shape of a node."""
    rows, cols = (scope.integer(size) for size in node.shape)
    return [[entry(i, j) for j in range(cols)] for i in range(rows)]


def added(a: Matrix, b: Matrix) -> Matrix:
    """``A + B``."""
    return [[(x + y) % P for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def multiplied(a: Matrix, b: Matrix) -> Matrix:
    """``A B``."""
    columns = list(zip(*b, strict=True))
    return [[sum(x * y for x, y in zip(row, column, strict=True)) % P for column in columns] for row in a]


def hadamard(a: Matrix, b: Matrix) -> Matrix:
    """``A ∘ B``."""
    return [[x * y % P for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def value_plus(node: Any, scope: Scope) -> Matrix:
    """``A + B + …``."""
    return reduce(added, (evaluate(arg, scope) for arg in node.args))


def value_product(node: Any, scope: Scope) -> Matrix:
    """``A B …``."""
    return reduce(multiplied, (evaluate(arg, scope) for arg in node.args))


def value_hadamard(node: Any, scope: Scope) -> Matrix:
    """``A ∘ B ∘ …``."""
    return reduce(hadamard, (evaluate(arg, scope) for arg in node.args))


def value_scaled(node: Any, scope: Scope) -> Matrix:
    """``c A``."""
    factor = scope.scalar(node.args[0])
    return [[factor * x % P for x in row] for row in evaluate(node.args[1], scope)]


def value_transposed(node: Any, scope: Scope) -> Matrix:
    """``Aᵀ``."""
    return [list(column) for column in zip(*evaluate(node.args[0], scope), strict=True)]


def value_elementwise(node: Any, scope: Scope) -> Matrix:
    """``f(A)``, by the SymPy form of ``f`` alone."""
    function: Compiled = scalar_function(activation(str(node.args[0])).scalar(slot(0))).value
    return [[function((x,), scope.generators) for x in row] for row in evaluate(node.args[1], scope)]


def exponentials(node: Any, scope: Scope) -> tuple[Matrix, Matrix, list[int]]:
    """Return ``A``, ``exp(A)`` and the sums of its columns; with a mask, each row of ``exp(A)`` times its entry."""
    argument = evaluate(node.args[0], scope)
    weights = evaluate(node.args[1], scope) if len(node.args) == 2 else [[1]] * len(argument)
    powers = [[m * scope.generators.exp(x) % P for x in row] for row, (m,) in zip(argument, weights, strict=True)]
    return argument, powers, [sum(column) % P for column in zip(*powers, strict=True)]


def value_softmax(node: Any, scope: Scope) -> Matrix:
    """``exp(a_i) / Σ_k exp(a_k)``, or ``m_i exp(a_i) / Σ_k m_k exp(a_k)``, in each column."""
    _, powers, sums = exponentials(node, scope)
    return [[x * scope.generators.inverse(s) % P for x, s in zip(row, sums, strict=True)] for row in powers]


def value_log_softmax(node: Any, scope: Scope) -> Matrix:
    """``a_i - log Σ_k exp(a_k)`` in each column."""
    argument, _, sums = exponentials(node, scope)
    return [[(x - scope.generators.log(s)) % P for x, s in zip(row, sums, strict=True)] for row in argument]


def value_total(node: Any, scope: Scope) -> Matrix:
    """``1ᵀ A 1``."""
    return [[sum(map(sum, evaluate(node.args[0], scope))) % P]]


def value_diag(node: Any, scope: Scope) -> Matrix:
    """``diag(a)``."""
    vector = evaluate(node.args[0], scope)
    return filled(lambda i, j: vector[i][0] if i == j else 0, node, scope)


def value_one_hot(node: Any, scope: Scope) -> Matrix:
    """``e_w``."""
    number = evaluate(node.args[0], scope)[0][0]
    return filled(lambda i, j: int(i == number), node, scope)


def value_divides(node: Any, scope: Scope) -> Matrix:
    """``[K | t]``."""
    modulus, time = map(scope.integer, node.args[:2])
    return [[int(time % modulus == 0 and (time > 0 or not node.positive))]]


def value_gather(node: Any, scope: Scope) -> Matrix:
    """Column ``w``, counted from 0."""
    table, number = (evaluate(arg, scope) for arg in node.args)
    return [[row[number[0][0]]] for row in table]


def value_column(node: Any, scope: Scope) -> Matrix:
    """A column, counted from 1."""
    number = scope.integer(node.args[1])
    return [[row[number - 1]] for row in evaluate(node.args[0], scope)]


def value_rows(node: Any, scope: Scope) -> Matrix:
    """Rows ``start … stop - 1``."""
    return evaluate(node.args[0], scope)[scope.integer(node.args[1]) : scope.integer(node.args[2])]


def value_stacked(node: Any, scope: Scope) -> Matrix:
    """``[A; B; …]``."""
    return [row for arg in node.args for row in evaluate(arg, scope)]


def value_time_sum(node: Any, scope: Scope) -> Matrix:
    """``Σ_s A_s``; 0 where there is no time."""
    zero = filled(lambda i, j: 0, node, scope)
    return reduce(added, (evaluate(node.args[0], inner) for inner in scope.over(node)), zero)


def value_columns(node: Any, scope: Scope) -> Matrix:
    """``[a_1 … a_S]``."""
    columns = [[x for (x,) in evaluate(node.args[0], inner)] for inner in scope.over(node)]
    return [list(row) for row in zip(*columns, strict=True)]


EVALUATIONS: Mapping[type, Callable[[Any, Scope], Matrix]] = {
    At: value_leaf,
    Static: value_leaf,
    Plus: value_plus,
    Product: value_product,
    Hadamard: value_hadamard,
    Scaled: value_scaled,
    Transposed: value_transposed,
    Elementwise: value_elementwise,
    Softmax: value_softmax,
    LogSoftmax: value_log_softmax,
    Total: value_total,
    Diag: value_diag,
    Identity: lambda node, scope: filled(lambda i, j: int(i == j), node, scope),
    Ones: lambda node, scope: filled(lambda i, j: 1, node, scope),
    Zeros: lambda node, scope: filled(lambda i, j: 0, node, scope),
    OneHot: value_one_hot,
    Gather: value_gather,
    Column: value_column,
    Columns: value_columns,
    Rows: value_rows,
    Stacked: value_stacked,
    TimeSum: value_time_sum,
    Divides: value_divides,
    StopGradient: lambda node, scope: evaluate(node.args[0], scope),
}
"""One evaluation for each node type."""
