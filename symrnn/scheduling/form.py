"""The form in which work is arranged: what is given, what must come out, and blocks of equations in between.

The passes of this package turn one form into another of the same value. A form reads as a network does, so that everything
that evaluates networks can evaluate the form before and after a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Basic, Expr

from symrnn.equations import Equation
from symrnn.expr import At, Leaf, Series, Static, Zeros
from symrnn.networks.graph import Block, Given, Network, Part, Scan, size_letters
from symrnn.times import Order, Span
from symrnn.traverse import leaves, quantity_of


@dataclass(frozen=True)
class Form:
    """Blocks of equations, in the order in which they run.

    Attributes:
        network: The network that is computed: what is given, and its loss.
        blocks: Scans and static equations.
        results: The quantities that must be there in the end, and at which times.
    """

    network: Network
    blocks: tuple[Block, ...]
    results: Mapping[Basic, Span | None]

    @property
    def givens(self) -> tuple[Given, ...]:
        """What is given."""
        return self.network.givens

    @cached_property
    def sizes(self) -> tuple[Expr, ...]:
        """The size letters."""
        return size_letters(self.givens, self.equations)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all quantities, without adjoint marks."""
        return tuple(dict.fromkeys(q.name for q in self.quantities()))

    @property
    def loss(self) -> Static:
        """The loss."""
        return self.network.loss

    @property
    def cell(self) -> str:
        """Name of the cell, for notation."""
        return self.network.cell

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the network, for notation."""
        return self.network.parts

    @property
    def order(self) -> Order:
        """Compares times."""
        return self.network.order

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """All equations, in order."""
        return tuple(e for block in self.blocks for e in equations_of(block))

    @cached_property
    def defined(self) -> dict[Basic, list[Span | None]]:
        """The times at which equations define each quantity, zeros beside the ends aside."""
        found: dict[Basic, list[Span | None]] = {}
        for e in self.equations:
            if not isinstance(e.rhs, Zeros):
                found.setdefault(e.quantity, []).append(e.span)
        return found

    def readers(self) -> dict[Basic, list[tuple[Equation, Leaf]]]:
        """Return who reads a quantity, and how, once for each time that it occurs."""
        found: dict[Basic, list[tuple[Equation, Leaf]]] = {}
        for equation in self.equations:
            for leaf in leaves(equation.rhs):
                found.setdefault(quantity_of(leaf), []).append((equation, leaf))
        return found

    def fresh(self, wanted: str, taken: set[str]) -> str:
        """Return a name that no quantity has; it is taken then."""
        if not taken:
            taken |= {q.name for q in self.quantities()}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        taken.add(name)
        return name

    def quantities(self) -> Iterator[Any]:
        """Yield every quantity that is given or computed."""
        yield from (g.quantity for g in self.network.givens)
        yield from (e.quantity for e in self.equations)

    def as_network(self) -> Network:
        """Return the form as a network whose outputs are the results."""
        return replace(self.network, blocks=self.blocks, outputs=tuple(sorted(self.results, key=str)))


def equations_of(block: Block) -> tuple[Equation, ...]:
    """Return the equations of a block."""
    return block.equations if isinstance(block, Scan) else (block,)


def made_by(equations: Iterable[Equation]) -> set[Basic]:
    """Return what some equations define."""
    return {e.quantity for e in equations}


def read_by(node: Any) -> set[Basic]:
    """Return the quantities that a formula reads."""
    return {quantity_of(leaf) for leaf in leaves(node)}


def recurrent(scan: Scan) -> bool:
    """Tell whether the equations of a scan depend on each other: whether its times must run one after another."""
    own = made_by(scan.equations)
    return any(read_by(e.rhs) & own for e in scan.equations)


def times_known(form: Form) -> dict[Basic, list[Span]]:
    """Return the times at which each series is given or defined."""
    found: dict[Basic, list[Span]] = {}
    for given in form.network.givens:
        if given.span is not None:
            found.setdefault(given.quantity, []).append(given.span)
    for e in form.equations:
        if e.span is not None:
            found.setdefault(e.quantity, []).append(e.span)
    return found


def apart(a: Span, b: Span, order: Order) -> bool:
    """Tell whether two ranges of times have none in common; those of sequences of different lengths may have."""
    return comparable(a, b) and order.disjoint(a, b)


def within(outer: Span, inner: Span, order: Order) -> bool:
    """Tell whether one range of times lies in another; one of a sequence of a different length does not."""
    return comparable(outer, inner) and order.covers(outer, inner)


def comparable(a: Span, b: Span) -> bool:
    """Tell whether all ends of two ranges can be compared."""
    return len({letter for span in (a, b) for end in (span.lo, span.hi) for letter in end.free_symbols}) <= 1


def segments(equations: Iterable[Equation]) -> Counter[Basic]:
    """Count the equations of each quantity."""
    return Counter(e.quantity for e in equations)


def column(name: str, rows: Expr) -> Series:
    """Return a new series of columns."""
    return Series(name, (), rows, 1)


def matrix(name: str, rows: Expr, cols: Expr) -> Static:
    """Return a new static quantity."""
    return Static(name, (), rows, cols)


def at(leaf: Any, time: Expr) -> bool:
    """Tell whether a leaf is the value of a series at a time."""
    return isinstance(leaf, At) and leaf.time == time
