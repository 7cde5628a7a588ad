"""A piece of generated code with what is known about the array that it makes.

Layout: a column of one sequence is a row of a batch. ``n×1`` and ``1×n`` are arrays ``(B, n)``, ``1×1`` is ``(B, 1)``,
``m×n`` is ``(B, m, n)``; what belongs to all sequences alike, such as a parameter, has no batch axis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from typing import Any

import sympy
from sympy import Basic, Expr, Integer, Symbol
from sympy.printing.numpy import NumPyPrinter

from symrnn.codegen.naming import Names
from symrnn.expr import same

SUM, PRODUCT, ATOM = range(3)
SWAPPED = re.compile(r"np\.swapaxes\(([\w.]+(?:\[[^\]]*\])*), -2, -1\)")
"""Code of the transposes of a batch of matrices that have a name."""
Shape = tuple[Expr, Expr]


@dataclass(frozen=True)
class Value:
    """Code, and the array that it makes.

    Attributes:
        code: A Python expression.
        level: How tightly its operator binds.
        shape: Rows and columns of the formula, per sequence.
        batched: Whether the array has a batch axis.
        full: Whether its last axes have their full lengths; where not, it is broadcast.
        scalar: The number, where the code is a Python number and no array.
    """

    code: str
    level: int
    shape: Shape
    batched: bool = False
    full: bool = True
    scalar: Expr | None = None

    @property
    def is_vector(self) -> bool:
        """Whether the array has one axis beside the batch."""
        return is_vector(self.shape)

    @property
    def atom(self) -> str:
        """The code, in brackets where something that binds tightly follows."""
        return self.code if self.level == ATOM else f"({self.code})"

    @property
    def factor(self) -> str:
        """The code as the first operand of a product."""
        return self.code if self.level >= PRODUCT else f"({self.code})"

    @property
    def is_one(self) -> bool:
        """Whether this is the number 1."""
        return self.scalar is not None and self.scalar == 1


@dataclass
class Used:
    """What a function turned out to need: sizes, helper functions, a dtype, functions that its caller gives."""

    sizes: set[Expr] = field(default_factory=set)
    helpers: dict[str, str] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    quantities: set[Basic] = field(default_factory=set)
    dtype: bool = False


@dataclass(frozen=True)
class Scope:
    """Where a formula is written.

    Attributes:
        names: The identifiers of the network.
        batch: The size letter of the batch.
        batched: The quantities that have a batch axis.
        used: What was used so far.
        indices: Identifiers of the times that are bound here.
    """

    names: Names
    batch: Expr
    batched: frozenset[Basic]
    used: Used
    indices: tuple[tuple[Expr, str], ...] = ()

    def bound(self, index: Expr) -> tuple[str, Scope]:
        """Give a bound index a letter."""
        taken = {letter for _, letter in self.indices}
        letter = next(name for name in self.names.indices if name not in taken)
        return letter, replace(self, indices=(*self.indices, (index, letter)))

    def number(self, value: Any) -> str:
        """Write a time, a size or a scalar; remember the sizes that it reads."""
        value = sympy.sympify(value)
        letters: dict[Basic, Basic] = {index: Symbol(letter) for index, letter in self.indices}
        for symbol in value.free_symbols - letters.keys():
            self.used.sizes.add(symbol)
            letters[symbol] = Symbol(self.names.sizes[symbol])
        return python_number(value.xreplace(letters))

    def dtype(self) -> str:
        """Write the dtype of new arrays."""
        self.used.dtype = True
        return "dtype"

    def dims(self, shape: Shape, *, batched: bool) -> str:
        """Write the shape of an array as a tuple."""
        sizes = [self.number(self.batch)] if batched else []
        sizes += [self.number(size) for size in axes(shape)]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


@cache
def python_number(value: Expr) -> str:
    """Write a scalar as Python; functions of numbers become Python floats, which take the dtype of the array."""
    if all(is_arithmetic(part) for part in sympy.preorder_traversal(value)):
        return re.sub(r"(?<!\*)([*/])(?!\*)", r" \1 ", str(value))
    return f"float({NumPyPrinter().doprint(value)})".replace("numpy.", "np.")


def is_arithmetic(part: Any) -> bool:
    """Tell whether Python writes a part of a scalar as SymPy does."""
    return bool(part.is_Symbol or part.is_Rational or part.is_Float or part.is_Add or part.is_Mul
                or (part.is_Pow and part.exp.is_Integer))


def is_vector(shape: Shape) -> bool:
    """Tell whether a shape is a column or a row."""
    return same(shape[0], 1) or same(shape[1], 1)


def axes(shape: Shape) -> tuple[Expr, ...]:
    """Return the lengths of the axes beside the batch."""
    rows, cols = shape
    if same(cols, 1):
        return (rows,)
    return (cols,) if same(rows, 1) else (rows, cols)


def constant(value: Any, shape: Shape, scope: Scope) -> Value:
    """A matrix whose entries are one number, left to broadcasting."""
    value = sympy.sympify(value)
    level = SUM if value.is_Add or value.could_extract_minus_sign() else ATOM if value.is_Atom else PRODUCT
    return Value(scope.number(value), level, shape, full=False, scalar=value)


def expanded(value: Value, scope: Scope, *, batched: bool | None = None) -> Value:
    """Give an array its full shape: with ``batched`` that of a quantity that has a batch axis."""
    batched = value.batched if batched is None else batched or value.batched
    if value.full and batched == value.batched:
        return value
    dims = scope.dims(value.shape, batched=batched)
    if value.scalar is not None:
        return replace(filled(value.scalar, value.shape, dims, scope), batched=batched)
    return replace(value, code=f"np.broadcast_to({value.code}, {dims})", level=ATOM, batched=batched, full=True)


def filled(number: Expr, shape: Shape, dims: str, scope: Scope) -> Value:
    """A new array of one number; a fraction is divided in the dtype, not before."""
    above, below = number.as_numer_denom()
    code = f"np.{'zeros' if number == 0 else 'ones'}({dims}, {scope.dtype()})"
    one = Value(code, ATOM, shape)
    return one if number == 0 else scaled_by(above, below, one, scope)


def scaled_by(above: Expr, below: Expr, value: Value, scope: Scope) -> Value:
    """``above * value / below``."""
    sign = ""
    if above.could_extract_minus_sign():
        sign, above = "-", -above
    code = value.factor if above == 1 else f"{bracketed(above, scope)} * {value.atom}"
    code = code if below == 1 else f"{code} / {bracketed(below, scope)}"
    if not sign and above == 1 and below == 1:
        return value
    return replace(value, code=sign + code, level=PRODUCT)


def bracketed(number: Expr, scope: Scope) -> str:
    """A scalar as an operand of a product."""
    code = scope.number(number)
    return code if number.is_Atom or code.startswith("float(") else f"({code})"


def multiply(values: Sequence[Value], shape: Shape) -> Value:
    """Entry by entry; ones vanish. The factors broadcast to the shape."""
    kept = [value for value in values if not value.is_one] or [values[0]]
    first, *rest = kept
    code = " * ".join([first.factor, *(value.atom for value in rest)]) if rest else first.code
    scalars = [value.scalar for value in kept if value.scalar is not None]
    return Value(
        code,
        PRODUCT if rest else first.level,
        shape,
        batched=any(value.batched for value in kept),
        full=any(value.full and axes(value.shape) == axes(shape) for value in kept),
        scalar=reduce(lambda a, b: a * b, scalars) if len(scalars) == len(kept) else None,
    )


def total(value: Value, scope: Scope) -> Value:
    """The sum of all entries, 1×1."""
    value, one = expanded(value, scope), (Integer(1), Integer(1))
    if value.is_vector:
        return replace(value, code=f"np.sum({value.code}, axis=-1, keepdims=True)", level=ATOM, shape=one)
    return replace(value, code=f"np.sum({value.code}, axis=(-2, -1), keepdims=True)[..., 0]", level=ATOM, shape=one)


def transposed(value: Value) -> Value:
    """The transpose: a vector's array is that of the vector, a matrix's axes are swapped."""
    rows, cols = value.shape
    turned = replace(value, shape=(cols, rows))
    if value.is_vector or value.scalar is not None:
        return turned
    swapped = SWAPPED.fullmatch(value.code)
    if swapped:
        return replace(turned, code=swapped[1], level=ATOM)
    if not value.batched and value.full:
        return replace(turned, code=value.code.removesuffix(".T") if is_turned(value) else f"{value.atom}.T", level=ATOM)
    return replace(turned, code=f"np.swapaxes({value.code}, -2, -1)", level=ATOM)


def is_turned(value: Value) -> bool:
    """Tell whether the code is a transpose."""
    return value.level == ATOM and value.code.endswith(".T")


def as_matrix(value: Value) -> Value:
    """A vector as an array with two axes beside the batch, for stacking with matrices."""
    if not value.is_vector:
        return value
    place = "[..., None]" if same(value.shape[1], 1) else "[..., None, :]"
    return replace(value, code=value.atom + place, level=ATOM)

