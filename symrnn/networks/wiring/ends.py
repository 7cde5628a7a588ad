"""The readout of a network: what is predicted, at which times, and the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer

from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import Node, Ones, Series, Static, Total, dim, same, t
from symrnn.functions import check_size, parameter, series
from symrnn.networks.graph import Given, Relation
from symrnn.networks.readout import Y_HAT, Y, check_ends, readout_equations, total_loss
from symrnn.networks.wiring.links import Built, Link
from symrnn.networks.wiring.simple import Embedding
from symrnn.networks.wiring.wires import Item, Wires, described
from symrnn.times import Order, Span, hull

SCALES = ("sum", "mean")
TIMES = ("all", "last", "first")


@dataclass(frozen=True)
class Readout(Item):
    """What is predicted from what is read, and the loss.

    Attributes:
        name: Of the output, which others may read: ``y_hat``.
        reads: One name, or several that are put on top of each other.
        size: Size of the output; with ``tied``, that of the vocabulary.
        readout: ``softmax``, ``sigmoid`` or ``linear``; by default the one that goes with the loss.
        loss: ``cross-entropy``, ``binary-cross-entropy`` or ``squared-error``; by default the one that goes with the readout.
        times: Which times carry loss: ``all``, ``last``, ``first``, a time such as ``3`` or ``T``, a ``Span``, or a tuple.
        tied: An embedding whose table, transposed, is the weight.
        bias: Whether there is a bias.
        mask: A mask of size 1 that weights the loss of each time.
        over_time: ``sum`` or ``mean`` of the losses of the times.
        over_batch: ``sum`` or ``mean`` over the sequences of a batch; formulas are per sequence and carry ``1/B``.

    Shapes:
        The output and its target: K×1; W_hy: K×(what is read), b_y: K×1; the loss: 1×1.

    Raises:
        SpecError: Unknown names, options that do not go together, times outside of the sequence.
    """

    name: str = Y_HAT
    reads: Any = "l1"
    size: Any = "K"
    readout: str | None = None
    loss: str | None = None
    times: Any = "all"
    tied: str | None = None
    bias: bool = True
    mask: str | None = None
    over_time: str = "sum"
    over_batch: str = "sum"

    def check(self) -> None:
        self.names_in("reads", self.reads)
        check_size(self.name, self.size)
        self.choose("over_time", self.over_time, SCALES)
        self.choose("over_batch", self.over_batch, SCALES)
        check_ends(self.readout, self.loss)
        if isinstance(self.times, str) and not (self.times.isidentifier() and self.times.isupper()):  # T is a time as well
            self.choose("times", self.times, TIMES)

    def links(self, wires: Wires) -> Iterator[Link]:
        yield from map(Link, self.names_in("reads", self.reads))
        if self.tied is not None:
            yield Link(self.tied, "is tied to", now=False, whole=True)
        if self.mask is not None:
            yield Link(self.mask, "mask")

    def rows(self, wires: Wires) -> Expr:
        return dim(self.size) if self.tied is None else self.table(wires).shape[1]

    def quantity(self, wires: Wires) -> Series | Static:
        return series(self.name, wires.size(self.name))

    def table(self, wires: Wires) -> Static:
        """Return the table of the embedding that the weight is tied to.

        Raises:
            SpecError: No embedding.
        """
        embedding = wires.items[self.tied or ""]
        if not isinstance(embedding, Embedding):
            raise SpecError(f"{self.label} is tied to '{self.tied}', {described(embedding)}; expected an embedding, whose table it shares")
        return embedding.matrix(wires)

    def whole(self, wires: Wires) -> Span:
        """Return the times that could carry loss; what has one value is read out once, at the end of its sequence."""
        span = wires.span(self.name)
        if span is not None:
            return span
        ends = wires.ends(self.name) or Integer(1)
        return Span(ends, ends)

    def spans(self, wires: Wires) -> tuple[Span, ...]:
        """Return the times that carry loss.

        Raises:
            SpecError: A time outside of the sequence.
        """
        whole = self.whole(wires)
        if self.times in TIMES:
            return {"all": (whole,), "last": (Span(whole.hi, whole.hi),), "first": (Span(whole.lo, whole.lo),)}[self.times]
        spans, order = self.listed(), Order()
        for number, span in enumerate(spans):
            letters = [end for end in (span.lo, span.hi) if end.free_symbols - whole.lo.free_symbols - whole.hi.free_symbols]
            if letters or not order.covers(whole, span):
                raise SpecError(f"{self.label}: loss at times {span}, but what it reads is there at {whole}")
            if order.compare(span.hi, span.lo) < 0:
                raise SpecError(f"{self.label}: the times {span} end before they begin; write Span({span.hi}, {span.lo})")
            clash = next((s for s in spans[:number] if not order.disjoint(s, span)), None)
            if clash is not None:
                raise SpecError(f"{self.label}: the times {clash} and {span} overlap; name each time once")
        return tuple(s for lo in order.sort(s.lo for s in spans) for s in spans if s.lo == lo)

    def listed(self) -> tuple[Span, ...]:
        """Return the times that are written.

        Raises:
            SpecError: What is no time.
        """
        listed = self.times if isinstance(self.times, tuple | list) else (self.times,)
        found = []
        for time in listed:
            if isinstance(time, bool) or not isinstance(time, Span | int | Expr | str):
                raise SpecError(f"{self.label}: {time!r} is no time; times is all, last, first, a time, a Span, or a tuple of such")
            lo, hi = (time.lo, time.hi) if isinstance(time, Span) else (dim(time), dim(time))
            found.append(Span(positive(lo), positive(hi)))
        if not found:
            raise SpecError(f"{self.label}: no time carries loss; times is all, last, first, a time, a Span, or a tuple of such")
        return tuple(found)

    def ends(self, wires: Wires) -> tuple[Equation, ...]:
        """Return the equations of the loss, the loss itself last.

        Raises:
            SpecError: A mask for the loss of a single time.
        """
        spans = self.spans(wires)
        mask = None if self.mask is None else wires.mask(self, self.mask, 1, "mask")
        if mask is not None and all(span.single for span in spans):
            raise SpecError(
                f"a mask weights the losses of several times; {self.label} has one output; for sequences of different "
                "lengths give a loss at all times, and a mask that is 1 at the last time of each sequence"
            )
        return total_loss(spans, over_time=self.over_time, over_batch=self.over_batch, mask=mask)

    def build(self, wires: Wires) -> Built:
        spans = self.spans(wires)
        readout, loss = check_ends(self.readout, self.loss)
        read = wires.joined(self, self.names_in("reads", self.reads))
        weight, bias = parameter("W_hy", self.size, read.shape[0]), parameter("b_y", wires.size(self.name))
        parameters = [] if self.tied else [weight]
        logits: Node = self.tied_logits(read, wires) if self.tied else weight @ read
        if self.bias:
            parameters.append(bias)
            logits = logits + bias
        target = series(Y, wires.size(self.name))
        givens = (*(Given(p, "parameter") for p in parameters), Given(target, "target", hull(spans, Order())))
        shown = (self.whole(wires),) if self.is_read(wires) else spans
        return Built(readout_equations(logits, readout, loss, spans, shown=shown, name=self.name), givens)

    def is_read(self, wires: Wires) -> bool:
        """Tell whether others read the output, which is then there at every time."""
        return any(link.name == self.name for item in wires.items.values() for link in item.links(wires))

    def tied_logits(self, read: Node, wires: Wires) -> Node:
        """Return the product with the transposed table.

        Raises:
            SpecError: What is read has another size than the columns of the table.
        """
        table = self.table(wires)
        if not same(table.shape[0], read.shape[0]):
            raise SpecError(f"{self.label} is tied to '{self.tied}' with columns of size {table.shape[0]}, but reads a vector of "
                            f"size {read.shape[0]}; make them equal, or put a Dense of size {table.shape[0]} between")
        return table.T @ read

    def relations(self, wires: Wires) -> tuple[Relation, ...]:
        """Return what is assumed of the target: its entries sum to one, for cross-entropy."""
        _, loss = check_ends(self.readout, self.loss)
        return (Relation(Total(series(Y, wires.size(self.name))[t]), Ones(1, 1)),) if loss == "cross-entropy" else ()


def positive(time: Expr) -> Expr:
    """Return a time whose letters are those of lengths, so that ``Span(2, 'T')`` means ``T``."""
    meant: Expr = time.xreplace({letter: dim(str(letter)) for letter in time.free_symbols})
    return meant
