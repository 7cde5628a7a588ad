"""The second form: calls that read and write named arrays, in loops over time or for all times at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr

from symrnn.equations import Equation
from symrnn.times import Span


@dataclass(frozen=True)
class Ref:
    """Rows of an array, at a time.

    Attributes:
        array: Name of the array.
        lo: The first row.
        hi: The row behind the last.
        height: The number of rows of the array.
        time: ``t``, a time at a distance from it, or a fixed one; ``None`` for what has no times.
        pieces: The rows are seen as so many pieces, for a call that treats all of them alike.
        spread: Whether the rows stand for each piece of the others.
        vector: Whether this is a vector of a parameter, the same for all times and sequences.
    """

    array: str
    lo: Expr
    hi: Expr
    height: Expr
    time: Expr | None = None
    pieces: int = 1
    spread: bool = False
    vector: bool = False

    @property
    def whole(self) -> bool:
        """Whether these are all rows of the array."""
        return bool(self.lo == 0 and self.hi == self.height)


@dataclass(frozen=True)
class Number:
    """A scalar."""

    value: Expr


Operand = Ref | Number


@dataclass(frozen=True)
class Call:
    """An elementwise function that writes its result in place.

    Attributes:
        function: Name of the NumPy function.
        inputs: What it reads.
        out: Where it writes.
        equations: What it is part of.
    """

    function: str
    inputs: tuple[Operand, ...]
    out: Ref
    equations: tuple[Equation, ...] = ()


@dataclass(frozen=True)
class Times:
    """A matrix product ``W v``, or ``Wᵀ v``.

    Attributes:
        weight: Name of the matrix.
        turned: Whether it is transposed.
        operand: The value.
        out: Where the product is written.
        equations: What it is part of.
        plus: A vector that is added, for all times at once.
    """

    weight: str
    turned: bool
    operand: Ref
    out: Ref
    equations: tuple[Equation, ...] = ()
    plus: Ref | None = None


@dataclass(frozen=True)
class Assign:
    """An assignment of a value that is written as an expression: what has no calls of its own."""

    equation: Equation
    time: Expr | None

    @property
    def equations(self) -> tuple[Equation, ...]:
        """What it is."""
        return (self.equation,)


@dataclass(frozen=True)
class Probabilities:
    """A softmax and its logarithm, from the same exponentials.

    Attributes:
        operand: What they are taken of.
        softmax: Where the softmax is written.
        logarithm: Where its logarithm is written; may be the place of the operand.
        equations: What they are.
    """

    operand: Ref
    softmax: Ref
    logarithm: Ref
    equations: tuple[Equation, ...] = ()


Step = Call | Times | Assign | Probabilities


@dataclass(frozen=True)
class Guarded:
    """Steps that are taken at some times of a loop."""

    branches: tuple[tuple[Span, tuple[Step, ...]], ...]
    complete: bool


@dataclass(frozen=True)
class Nest:
    """Steps for all times of a range: one after another, or, with a step of 0, at once.

    Attributes:
        span: The times.
        step: 1, -1 or 0.
        body: What is done.
    """

    span: Span
    step: int
    body: tuple[Step | Guarded, ...]


@dataclass(frozen=True)
class Once:
    """Steps that are taken once, at a fixed time, or an equation without time."""

    body: tuple[Step, ...] = ()
    equation: Equation | None = None


Item = Nest | Once


def steps_of(item: Item) -> Iterator[Step]:
    """Yield the steps of an item."""
    for part in item.body:
        if isinstance(part, Guarded):
            for _, steps in part.branches:
                yield from steps
        else:
            yield part
