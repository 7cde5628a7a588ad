"""Scalar SymPy expressions, and their derivatives by SymPy's ``diff``, as functions of numbers modulo a prime.

The operands of an expression are the symbols ``slot(0), slot(1), …``; a compiled expression takes their values as a
list. Node types that nobody listed here are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy import Add, Expr, KroneckerDelta, Mul, Piecewise, Pow, Rational, Symbol
from sympy.core.numbers import NumberSymbol
from sympy.core.relational import Equality, Ge, Gt, Le, Lt, Unequality
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or
from sympy.matrices.expressions.matexpr import MatrixElement

from symrnn.activations import UnspecifiedFunction
from symrnn.errors import NotSupportedError
from symrnn.verify.entrywise.modular import Generators, P, root

Values = Sequence[int]
Compiled = Callable[[Values, Generators], Any]


@lru_cache(maxsize=4096)
def slot(number: int) -> Symbol:
    """Return the symbol of an operand."""
    return Symbol(f"v{number}", real=True)


def elements(expr: Expr) -> Iterator[MatrixElement]:
    """Yield the entries of quantities in an expression, from left to right, each time that one occurs."""
    if isinstance(expr, MatrixElement):
        yield expr
        return
    for arg in expr.args:
        yield from elements(arg)


class ScalarFunction:
    """An expression in slots, compiled; each derivative is taken when it is first asked for.

    Args:
        expr: The expression.
    """

    def __init__(self, expr: Expr) -> None:
        self.expr = expr
        self.value = build(expr)
        self._derivatives: dict[int, Compiled] = {}

    @cached_property
    def _terms(self) -> dict[Symbol, list[Expr]]:
        """The summands in which each operand occurs; the others have derivative 0."""
        found: dict[Symbol, list[Expr]] = {}
        for term in Add.make_args(self.expr):
            for symbol in term.free_symbols:
                found.setdefault(symbol, []).append(term)
        return found

    def derivative(self, number: int) -> Compiled:
        """Return the derivative in one operand."""
        if number not in self._derivatives:
            operand = slot(number)
            self._derivatives[number] = build(Add(*(term.diff(operand) for term in self._terms.get(operand, ()))))
        return self._derivatives[number]


@lru_cache(maxsize=4096)
def scalar_function(expr: Expr) -> ScalarFunction:
    """Compile an expression once, however many entries have its form."""
    return ScalarFunction(expr)


def build(expr: Any) -> Compiled:
    """Compile an expression.

    Raises:
        NotSupportedError: A node without a value modulo a prime.
    """
    for kind in type(expr).__mro__:
        if kind in BUILDERS:
            return BUILDERS[kind](expr)
    raise NotSupportedError(f"the entrywise judge has no value for {type(expr).__name__} in {expr}; it knows "
                            + ", ".join(sorted(kind.__name__ for kind in BUILDERS)))


def build_symbol(expr: Any) -> Compiled:
    """An operand."""
    number = int(expr.name[1:])
    return lambda values, generators: values[number]


def build_rational(expr: Any) -> Compiled:
    """``p/q``."""
    number = expr.p * pow(expr.q, -1, P) % P
    return lambda values, generators: number


def build_float(expr: Any) -> Compiled:
    """Refuse: a product of floats is rounded, so that equal formulas differ."""
    raise NotSupportedError(f"the entrywise judge compares exactly and cannot take the float {expr}; write a Rational")


def build_constant(expr: Any) -> Compiled:
    """A constant such as π: unknown, the same everywhere, and a square."""
    if expr is sympy.E:
        return lambda values, generators: generators.exp(1)
    return lambda values, generators: pow(generators.of(expr, 0), 4, P)


def build_add(expr: Any) -> Compiled:
    """``a + b``."""
    terms = [build(arg) for arg in expr.args]
    return lambda values, generators: sum([term(values, generators) for term in terms]) % P


def build_mul(expr: Any) -> Compiled:
    """``a b``."""
    factors = [build(arg) for arg in expr.args]

    def product(values: Values, generators: Generators) -> int:
        result = 1
        for factor in factors:
            result = result * factor(values, generators) % P
        return result

    return product


def build_pow(expr: Any) -> Compiled:
    """``a^n`` with an integer or half-integer ``n``."""
    base, twice = build(expr.base), 2 * expr.exp
    if not twice.is_Integer:
        raise NotSupportedError(f"the entrywise judge has no value for {expr}; powers are integers or halves of integers")
    halves, varies = int(twice), bool(expr.base.free_symbols)

    def power(values: Values, generators: Generators) -> int:
        value = base(values, generators)
        if halves % 2:
            value = generators.root(value) if varies else root(value)
        value = generators.inverse(value) if halves < 0 else value
        return pow(value, abs(halves) if halves % 2 else abs(halves) // 2, P)

    return power


def build_function(method: Callable[[Generators, int], int]) -> Callable[[Any], Compiled]:
    """A function that the generators know."""

    def builder(expr: Any) -> Compiled:
        argument = build(expr.args[0])
        return lambda values, generators: method(generators, argument(values, generators))

    return builder


def build_unspecified(expr: Any) -> Compiled:
    """``φ^{(k)}(z)``."""
    order, argument = int(expr.args[0]), build(expr.args[1])
    return lambda values, generators: generators.of(("phi", order), argument(values, generators))


def build_kronecker(expr: Any) -> Compiled:
    """1 where two numbers are equal, else 0."""
    left, right = (build(arg) for arg in expr.args[:2])
    return lambda values, generators: int((left(values, generators) - right(values, generators)) % P == 0)


def build_piecewise(expr: Any) -> Compiled:
    """The value of the first branch whose condition holds."""
    branches = [(build(value), build(condition)) for value, condition in expr.args]

    def chosen(values: Values, generators: Generators) -> int:
        return next(value(values, generators) for value, condition in branches if condition(values, generators))

    return chosen


def build_relation(holds: Callable[[Generators, int], bool]) -> Callable[[Any], Compiled]:
    """A comparison, decided by the difference of its sides."""

    def builder(expr: Any) -> Compiled:
        left, right = build(expr.lhs), build(expr.rhs)
        return lambda values, generators: holds(
            generators, (left(values, generators) - right(values, generators)) % P
        )

    return builder


def build_logic(combine: Callable[[list[bool]], bool]) -> Callable[[Any], Compiled]:
    """A combination of conditions."""

    def builder(expr: Any) -> Compiled:
        parts = [build(arg) for arg in expr.args]
        return lambda values, generators: combine([part(values, generators) for part in parts])

    return builder


BUILDERS: dict[type, Callable[[Any], Compiled]] = {
    Symbol: build_symbol,
    Rational: build_rational,
    sympy.Float: build_float,
    NumberSymbol: build_constant,
    Add: build_add,
    Mul: build_mul,
    Pow: build_pow,
    sympy.exp: build_function(Generators.exp),
    sympy.log: build_function(Generators.log),
    sympy.tanh: build_function(Generators.tanh),
    sympy.sin: build_function(Generators.sin),
    sympy.cos: build_function(Generators.cos),
    UnspecifiedFunction: build_unspecified,
    KroneckerDelta: build_kronecker,
    Piecewise: build_piecewise,
    Gt: build_relation(lambda generators, gap: generators.positive(gap)),
    Lt: build_relation(lambda generators, gap: generators.positive(-gap % P)),
    Ge: build_relation(lambda generators, gap: gap == 0 or generators.positive(gap)),
    Le: build_relation(lambda generators, gap: gap == 0 or generators.positive(-gap % P)),
    Equality: build_relation(lambda generators, gap: gap == 0),
    Unequality: build_relation(lambda generators, gap: gap != 0),
    And: build_logic(all),
    Or: build_logic(any),
    Not: build_logic(lambda parts: not parts[0]),
    BooleanTrue: build_logic(lambda parts: True),
    BooleanFalse: build_logic(lambda parts: False),
}
"""One builder for each type of a scalar expression; a subclass uses that of its nearest base."""
