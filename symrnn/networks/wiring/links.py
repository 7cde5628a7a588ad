"""What items hand to each other: a link, the signal that is read over it, and what an item adds to a network."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symrnn.equations import Equation
from symrnn.expr import Node, Series, Static, t
from symrnn.networks.graph import Given
from symrnn.times import Span


@dataclass(frozen=True)
class Signal:
    """What an item offers to those that read it.

    Attributes:
        quantity: A series, or a static quantity that has one value a sequence.
        span: The times of a series; ``None`` for a static quantity.
        step: 1 where it is computed from the first time to the last, -1 the other way.
    """

    quantity: Series | Static
    span: Span | None = None
    step: int = 1

    @property
    def now(self) -> Node:
        """The value at the generic ``t``."""
        return self.quantity if self.span is None else self.quantity[t]

    @property
    def last(self) -> Node:
        """The value where the scan ends."""
        return self.quantity if self.span is None else self.quantity[self.span.hi if self.step == 1 else self.span.lo]

    @property
    def size(self) -> Expr:
        """Number of rows."""
        return self.quantity.shape[0]


@dataclass(frozen=True)
class Built:
    """What an item adds to a network.

    Attributes:
        equations: In order; a reader of ``links`` at the same time comes after what it reads.
        givens: What comes from outside, initial states left out.
        static: Equations without time that follow from what is read, before the timed ones.
    """

    equations: tuple[Equation, ...] = ()
    givens: tuple[Given, ...] = ()
    static: tuple[Equation, ...] = ()


@dataclass(frozen=True)
class Link:
    """A name that an item reads.

    Attributes:
        name: Of the other item.
        what: The field that says so.
        now: Whether the value of the same time is read; else one of another time, or the whole sequence.
        whole: Whether the other's scan must have ended: its last value, or all values, are read.
    """

    name: str
    what: str = "reads"
    now: bool = True
    whole: bool = False
