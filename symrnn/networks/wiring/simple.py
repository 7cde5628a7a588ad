"""Items without a state of their own: embeddings, affine maps, merges, and looks at other times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symrnn.activations import ACTIVATIONS
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import Elementwise, Gather, Node, Plus, Stacked, Static, dim, same, t
from symrnn.functions import check_name, check_size, parameter, series
from symrnn.networks.graph import Given
from symrnn.networks.wiring.given import Tokens, until
from symrnn.networks.wiring.links import Built, Link
from symrnn.networks.wiring.wires import Item, Wires, fits
from symrnn.times import Span
from symrnn.traverse import at_time

MERGES = ("concat", "sum")


@dataclass(frozen=True)
class Embedding(Item):
    """``u_t = [E]_{:,w_t}``: the column of a table that belongs to the token of the time.

    Attributes:
        name: Of the quantity too.
        reads: Tokens.
        size: Size of a column.
        table: Name of the table; embeddings that name one table share it.

    Shapes:
        u_t: size×1, the table: size×vocabulary.
    """

    name: str = "u"
    reads: str = "w"
    size: Any = "D"
    table: str = "E_w"

    def check(self) -> None:
        self.name_in("reads", self.reads)
        check_name(self.table)
        check_size(self.name, self.size)

    def links(self, wires: Wires) -> Iterator[Link]:
        yield Link(self.reads)

    def tokens(self, wires: Wires) -> Tokens:
        """Return the tokens that it reads.

        Raises:
            SpecError: It reads something else.
        """
        tokens = wires.items[self.reads]
        if not isinstance(tokens, Tokens):
            raise SpecError(f"{self.label} reads {tokens.label}; an embedding reads tokens: add Tokens('w')")
        return tokens

    def matrix(self, wires: Wires) -> Static:
        """Return the table."""
        return parameter(self.table, self.size, self.tokens(wires).vocabulary)

    def rows(self, wires: Wires) -> Expr:
        return dim(self.size)

    def build(self, wires: Wires) -> Built:
        signal, table = wires.signal(self.name), self.matrix(wires)
        looked_up = Gather(table, wires.signal(self.reads).now)
        first = next(e for e in wires.of_type(Embedding) if e.table == self.table)
        if first.matrix(wires) != table:
            raise SpecError(f"{self.label} and {first.label} share the table {self.table}, but not its shape")
        return Built(
            (Equation(signal.now, looked_up, signal.span, "embedding"),),
            (Given(table, "parameter"),) if first is self else (),
        )


@dataclass(frozen=True)
class Dense(Item):
    """``f(W x + b)`` of what has a value at each time, or of what has one.

    Attributes:
        name: Of the quantity too.
        reads: One name, or several that are put on top of each other.
        size: Size of the result.
        activation: A row of the activation table.
        bias: Whether there is a bias.

    Shapes:
        The result: size×1; W: size×(what is read), b: size×1.
    """

    reads: Any = "x"
    size: Any = "H"
    activation: str = "identity"
    bias: bool = True

    def check(self) -> None:
        self.names_in("reads", self.reads)
        check_size(self.name, self.size)
        self.choose("activation", self.activation, ACTIVATIONS)

    def links(self, wires: Wires) -> Iterator[Link]:
        yield from map(Link, self.names_in("reads", self.reads))

    def rows(self, wires: Wires) -> Expr:
        return dim(self.size)

    def build(self, wires: Wires) -> Built:
        signal = wires.signal(self.name)
        read = wires.joined(self, self.names_in("reads", self.reads))
        weight, bias = parameter(f"W_{self.name}", self.size, read.shape[0]), parameter(f"b_{self.name}", self.size)
        affine = weight @ read + bias if self.bias else weight @ read
        given = (Given(weight, "parameter"), *((Given(bias, "parameter"),) if self.bias else ()))
        if self.activation == "identity":
            return placed((Equation(signal.now, affine, signal.span, "value"),), given)
        name = f"a_{self.name}"
        a = Static(name, (), self.size) if signal.span is None else series(name, self.size)[t]
        return placed((
            Equation(a, affine, signal.span, "pre-activation"),
            Equation(signal.now, Elementwise(self.activation, a), signal.span, "value"),
        ), given)


@dataclass(frozen=True)
class Merge(Item):
    """Several put on top of each other, or added: the two directions of a bidirectional layer, a residual link.

    Attributes:
        name: Of the quantity too.
        reads: At least two names.
        how: ``concat`` or ``sum``.
    """

    reads: tuple[str, ...] = ()
    how: str = "concat"

    def check(self) -> None:
        self.choose("merge", self.how, MERGES)
        if len(self.names_in("reads", self.reads)) < 2:
            raise SpecError(f"{self.label} reads one item; give at least two")

    def links(self, wires: Wires) -> Iterator[Link]:
        yield from map(Link, self.reads)

    def mark(self, wires: Wires) -> str:
        """Return what its name ends in behind the letter, so that ``h_l1`` is of layer 1."""
        return self.name.partition("_")[2]

    def rows(self, wires: Wires) -> Expr:
        sizes = [wires.size(name) for name in self.reads]
        for name, size in zip(self.reads, sizes, strict=True):
            if self.how == "sum":
                fits(self, name, size, sizes[0], f"the size of '{self.reads[0]}', to which it is added")
        return sizes[0] if self.how == "sum" else sum(sizes[1:], sizes[0])

    def ended(self, wires: Wires) -> Node:
        own = wires.signal(self.name)
        values = [wires.last(name) for name in self.reads]
        if own.span is None or values == [at_time(wires.signal(name).now, own.span.hi) for name in self.reads]:
            return own.last
        return Plus(*values) if self.how == "sum" else Stacked(*values)

    def build(self, wires: Wires) -> Built:
        signal = wires.signal(self.name)
        values = [wires.joined(self, [name]) for name in self.reads]
        merged: Node = Plus(*values) if self.how == "sum" else wires.joined(self, self.reads)
        return placed((Equation(signal.now, merged, signal.span, "value"),))


@dataclass(frozen=True)
class Previous(Item):
    """``p_t = q_{t-1}``, and at the first time something else: how an output is fed back.

    Attributes:
        name: Of the quantity too.
        reads: What is looked back at.
        first: What has one value and comes first; ``None``: it is given.
        length: Letter (or formula) of the last time; that of ``reads`` by default.
    """

    reads: str = "y_hat"
    first: str | None = None
    length: Any = None

    def check(self) -> None:
        self.name_in("reads", self.reads)

    def links(self, wires: Wires) -> Iterator[Link]:
        yield Link(self.reads, now=False)
        if self.first is not None:
            yield Link(self.first, "first", now=False, whole=True)

    def own_span(self, wires: Wires) -> Span | None:
        return None if self.length is None else until(self.length)

    def rows(self, wires: Wires) -> Expr:
        return wires.size(self.reads)

    def build(self, wires: Wires) -> Built:
        signal, read = wires.signal(self.name), wires.signal(self.reads)
        span = signal.span
        if span is None or read.span is None:
            raise SpecError(f"{self.label} reads '{self.reads}', which has one value; it reads a series")
        if not same(read.span.hi, span.hi) and not same(read.span.hi, span.hi - 1):
            raise SpecError(f"{self.label} has times {span}, but reads '{self.reads}' at times {read.span}; it reads a series of "
                            f"{span.hi} times, or of one less")
        start = Span(span.lo, span.lo)
        back = Equation(signal.now, read.quantity[t - 1], Span(span.lo + 1, span.hi), "input")
        if self.first is None:
            return Built((back,), (Given(signal.quantity, "input", start),))
        first = wires.signal(self.first)
        fits(self, self.first, first.size, signal.size, f"the size of '{self.reads}'")
        return Built((Equation(signal.now, wires.last(self.first), start, "input"), back))


@dataclass(frozen=True)
class Last(Item):
    """The value of a series where its scan ends: at the last time, of a backward layer at the first.

    Attributes:
        name: Of the quantity too.
        reads: A layer, or another series.
    """

    reads: str = "enc"

    def check(self) -> None:
        self.name_in("reads", self.reads)

    def links(self, wires: Wires) -> Iterator[Link]:
        yield Link(self.reads, now=False, whole=True)

    def rows(self, wires: Wires) -> Expr:
        return wires.size(self.reads)

    def build(self, wires: Wires) -> Built:
        if wires.span(self.reads) is None:
            raise SpecError(f"{self.label} reads '{self.reads}', which has one value; read that as it is")
        return placed((Equation(wires.signal(self.name).now, wires.last(self.reads), None, "value"),))


def placed(equations: tuple[Equation, ...], givens: tuple[Given, ...] = ()) -> Built:
    """Put equations without time before those with."""
    return Built(tuple(e for e in equations if e.span is not None), givens, tuple(e for e in equations if e.span is None))
