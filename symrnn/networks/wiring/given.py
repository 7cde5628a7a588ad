"""What comes from outside: vectors, masks, tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer

from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import Series, Static, Zeros, dim, same
from symrnn.functions import check_size, series
from symrnn.networks.graph import Given
from symrnn.networks.wiring.links import Built
from symrnn.networks.wiring.wires import Item, Wires
from symrnn.times import Span

KINDS = ("input", "mask")


def until(length: Any) -> Span:
    """Return the times from 1 to a length."""
    return Span(Integer(1), dim(length))


@dataclass(frozen=True)
class Input(Item):
    """What comes from outside: a vector at each time, or one for the whole sequence.

    Attributes:
        name: Of the quantity too.
        size: Size of the vector.
        length: Letter (or formula) of the last time; ``None`` for one vector or matrix a sequence.
        columns: Number of columns of a matrix, for ``length=None``: the locations of an image.
        kind: ``input``, or ``mask`` for zeros and ones (or other weights) in which no gradient is taken.
        first: Whether it is given at the first time only, and zero afterwards.

    Shapes:
        size×1 at each time, or size×columns.

    Raises:
        SpecError: An unknown kind, or a size or length that is none.
    """

    name: str = "x"
    size: Any = "D"
    length: Any = "T"
    columns: Any = 1
    kind: str = "input"
    first: bool = False

    def check(self) -> None:
        self.choose("kind", self.kind, KINDS)
        for size in (self.size, self.columns, *(() if self.length is None else (self.length,))):
            check_size(self.name, size)
        if self.length is not None and not same(dim(self.columns), 1):
            raise SpecError(f"{self.label}: a value at each time is a vector; write length=None for one matrix a sequence")

    def own_span(self, wires: Wires) -> Span | None:
        return None if self.length is None else until(self.length)

    def rows(self, wires: Wires) -> Expr:
        return dim(self.size)

    def quantity(self, wires: Wires) -> Series | Static:
        return Static(self.name, (), self.size, self.columns) if self.length is None else series(self.name, self.size)

    def build(self, wires: Wires) -> Built:
        signal = wires.signal(self.name)
        if not self.first or signal.span is None:
            return Built(givens=(Given(signal.quantity, self.kind, signal.span),))
        lo, hi = signal.span.lo, signal.span.hi
        later = Equation(signal.now, Zeros(*signal.quantity.shape), Span(lo + 1, hi), "input")
        return Built((later,), (Given(signal.quantity, self.kind, Span(lo, lo)),))


@dataclass(frozen=True)
class Tokens(Item):
    """An integer at each time, counted from 0: a character, a word.

    Attributes:
        name: Of the quantity too.
        vocabulary: How many different ones there are.
        length: Letter (or formula) of the last time.

    Shapes:
        1×1 at each time.
    """

    name: str = "w"
    vocabulary: Any = "V"
    length: Any = "T"

    def check(self) -> None:
        for size in (self.vocabulary, self.length):
            check_size(self.name, size)

    def own_span(self, wires: Wires) -> Span | None:
        return until(self.length)

    def rows(self, wires: Wires) -> Expr:
        return Integer(1)

    def build(self, wires: Wires) -> Built:
        signal = wires.signal(self.name)
        return Built(givens=(Given(signal.quantity, "integer", signal.span),))


