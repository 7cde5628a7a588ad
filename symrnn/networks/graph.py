"""The data of a network: what is given, and an ordered list of blocks.

A block is a scan (equations at a generic ``t``, run over a range of times, forward or backward) or one static
equation. An expression may read a quantity at the same time, at an offset, at a fixed time, or as a whole sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sympy import Basic, Expr

from symrnn.equations import Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import Node, Static, dim
from symrnn.networks.ordering import ordered
from symrnn.networks.validation import validate
from symrnn.shown import Shown
from symrnn.times import Order, Span, hull

DIFFERENTIABLE = frozenset({"parameter", "input", "initial", "direction"})
"""Kinds of given quantities that a gradient is taken in; targets, masks and integers are refused."""


@dataclass(frozen=True)
class Given:
    """A quantity that comes from outside.

    Attributes:
        quantity: A series or a static quantity.
        kind: ``parameter``, ``input``, ``initial``, ``target``, ``mask``, ``integer`` or ``direction``.
        span: The times at which a series is given.
    """

    quantity: Basic
    kind: str
    span: Span | None = None

    @cached_property
    def name(self) -> str:
        """Name of the quantity, with the time for an initial state: ``h_0``, ``h_bw_Tp1``."""
        key = str(self.quantity.key)
        if self.kind != "initial" or self.span is None:
            return key
        time = str(self.span.lo).replace(" ", "").replace("-", "m").replace("+", "p")
        return f"{key}_{time}"


@dataclass(frozen=True)
class Scan:
    """Equations run over a range of times.

    Attributes:
        equations: Sorted so that each reads, at its own time, only what stands before it.
        step: 1 from the first time to the last, -1 from the last to the first.
    """

    equations: tuple[Equation, ...]
    step: int = 1

    def __post_init__(self) -> None:
        """Sort the equations."""
        object.__setattr__(self, "equations", ordered(self.equations))

    def span(self, order: Order) -> Span:
        """The times from the first equation's first to the last equation's last."""
        return hull((e.span for e in self.equations if e.span is not None), order)


Block = Scan | Equation


@dataclass(frozen=True)
class Relation:
    """An equality that the given numbers satisfy, such as ``1ᵀ y_t = 1`` for a target that is a distribution."""

    lhs: Node
    rhs: Node


@dataclass(frozen=True)
class Part:
    """A named part of a network: a layer, an embedding, an attention, the readout.

    Attributes:
        role: ``layer``, ``embedding``, ``attention``, ``merge``, ``dense`` or ``readout``.
        mark: What its names end in, so that two layers of one cell can be told apart: ``l2``, ``fw``, ``enc_l1``; empty
            where nothing needs to be told apart.
        cell: Name of its cell, for notation; empty where it has none.
        names: The names of its parameters and of what its equations define.
    """

    role: str
    mark: str
    cell: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Network(Shown):
    """Scans wired together, with a loss.

    Attributes:
        name: A short name, such as ``lstm, many-to-one``.
        givens: What comes from outside.
        blocks: In the order in which they run.
        loss: The static quantity that is differentiated.
        relations: Equalities that the given numbers satisfy.
        cell: Name of the cell, for notation.
        outputs: Quantities that are of interest beside the loss.
        parts: Its layers and other parts, in order.
    """

    name: str
    givens: tuple[Given, ...]
    blocks: tuple[Block, ...]
    loss: Static
    relations: tuple[Relation, ...] = ()
    cell: str = ""
    outputs: tuple[Basic, ...] = ()
    parts: tuple[Part, ...] = ()
    order: Order = field(default_factory=Order, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check that everything that is read was defined before.

        Raises:
            SpecError: A read that nobody defines, two equations for one quantity and time, a wrong order.
        """
        validate(self.givens, self.blocks, self.loss, self.order)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """All equations, in the order in which they run."""
        return tuple(self.walk())

    def walk(self) -> Iterator[Equation]:
        """Yield the equations, in the order in which they run."""
        for block in self.blocks:
            yield from block.equations if isinstance(block, Scan) else (block,)

    @property
    def parameters(self) -> tuple[Static, ...]:
        """The parameters, in order."""
        return tuple(g.quantity for g in self.givens if g.kind == "parameter")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all quantities, without adjoint marks, in order."""
        return tuple(dict.fromkeys([q.quantity.name for q in self.givens] + [e.name for e in self.equations]))

    @property
    def sizes(self) -> tuple[Expr, ...]:
        """The size letters, sorted by name; lengths of sequences included."""
        return size_letters(self.givens, self.equations)

    def shown(self) -> tuple[str, Iterable[Any]]:
        return self.name, self.equations

    def given(self, name: str) -> Given:
        """Look up a given quantity by its name.

        Raises:
            SpecError: Nobody defines it; the nearest names are offered.
        """
        for given in self.givens:
            if name == given.name:
                return given
        raise unknown("quantity", name, [g.name for g in self.givens])

    def spans_of(self, quantity: Basic) -> tuple[Span, ...]:
        """Return the ranges of times at which a series is given or defined, in that order."""
        given = [g.span for g in self.givens if g.quantity == quantity and g.span is not None]
        return tuple(given + [e.span for e in self.equations if e.quantity == quantity and e.span is not None])

    def with_sizes(self, sizes: Mapping[Any, Any]) -> Network:
        """Return the network with size letters replaced by numbers or other letters.

        Args:
            sizes: Letters, as symbols or as text, and what takes their place.

        Raises:
            SpecError: A letter that the network does not have, or a number that is no size.
        """
        letters = {str(letter): letter for letter in self.sizes}
        for letter in sizes:
            if str(letter) not in letters:
                raise unknown("size", str(letter), letters)
            if dim(sizes[letter]).is_positive is not True:
                raise SpecError(f"{letter} must be a letter or a positive whole number; got {sizes[letter]}")
        sizes = {letters[str(letter)]: dim(size) for letter, size in sizes.items()}

        def equation(e: Equation) -> Equation:
            return Equation(e.lhs.xreplace(sizes), e.rhs.xreplace(sizes), span(e.span), e.role)

        def span(s: Span | None) -> Span | None:
            return None if s is None else Span(s.lo.xreplace(sizes), s.hi.xreplace(sizes))

        return replace(
            self,
            givens=tuple(Given(g.quantity.xreplace(sizes), g.kind, span(g.span)) for g in self.givens),
            blocks=tuple(
                Scan(tuple(map(equation, b.equations)), b.step) if isinstance(b, Scan) else equation(b)
                for b in self.blocks
            ),
            loss=self.loss.xreplace(sizes),
            relations=tuple(Relation(r.lhs.xreplace(sizes), r.rhs.xreplace(sizes)) for r in self.relations),
            outputs=tuple(q.xreplace(sizes) for q in self.outputs),
            order=Order(),
        )


def size_letters(givens: Iterable[Given], equations: Iterable[Equation]) -> tuple[Expr, ...]:
    """Return the size letters of quantities and equations, sorted by name; lengths of sequences included."""
    found: set[Expr] = set()
    for e in equations:
        found |= {s for d in (*e.lhs.shape, *((e.span.lo, e.span.hi) if e.span else ())) for s in d.free_symbols}
        found |= {s for s in e.rhs.free_symbols if s.is_Symbol and s.is_positive}
    for g in givens:
        found |= {s for d in g.quantity.shape for s in d.free_symbols}
    return tuple(sorted(found, key=str))
