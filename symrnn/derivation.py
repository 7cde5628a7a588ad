"""A derivation: pure data. Named quantities, their adjoints, and for each contribution the step that justifies it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count
from typing import Any

from sympy import Basic, Expr, expand

from symrnn.clipping import Clipping
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError, SpecError, unknown
from symrnn.expr import At, Leaf, Node, Plus, Series, Static, Total, Zeros, t
from symrnn.networks.graph import DIFFERENTIABLE, Block, Given, Network, Relation, Scan
from symrnn.shown import Shown
from symrnn.times import Order, Span


@dataclass(frozen=True)
class Step(Shown):
    """Why a contribution is what it is.

    Attributes:
        reader: The equation that reads the quantity.
        operand: The occurrence that is differentiated, as it stands in the equation: ``h_{t-1}``.
        rules: Names of the rules from the equation's root down to the operand.
        received: What the equation passes back: the adjoint of its left side.
        pullback: The contribution at the reader's time, before it is moved to the time of the quantity.
        local: The local derivative ``∂lhs/∂operand`` as a matrix, where the contribution is its transpose times the
            adjoint; ``None`` where it is not, as for a weight matrix.
    """

    reader: Equation
    operand: Leaf
    rules: tuple[str, ...]
    received: Node
    pullback: Node
    local: Node | None

    def shown(self) -> tuple[str, Iterable[Any]]:
        return ", ".join(self.rules), [self.reader]


@dataclass(frozen=True)
class Contribution(Shown):
    """One term of an adjoint, at the target's generic ``t``.

    Attributes:
        term: The formula.
        span: The times of the target at which it is added; ``None`` for a static target.
        step: Its justification.
    """

    term: Node
    span: Span | None
    step: Step

    def shown(self) -> tuple[str, Iterable[Any]]:
        order = max((order for leaf in self.step.received.atoms(Leaf) for order in key_of(leaf).orders), default=1)
        of = key_of(self.step.operand)
        lhs = of.adjoint_series(order)[t] if isinstance(of, Series) else of.adjoint_static(order)
        return ", ".join(self.step.rules), [self.step.reader, Equation(lhs, self.term, self.span)]


@dataclass(frozen=True)
class Adjoint(Shown):
    """``δq = ∂L/∂q`` with its contributions, and the lines that are printed.

    Attributes:
        of: The quantity.
        lhs: The adjoint at the generic ``t``, or static.
        contributions: In the order in which the derivation found them.
        lines: ``lhs = formula`` over ranges of times, in the order of times.
        role: The role of the quantity: gate, hidden state, parameter, input, …
    """

    of: Basic
    lhs: Leaf
    contributions: tuple[Contribution, ...]
    lines: tuple[Equation, ...]
    role: str

    def shown(self) -> tuple[str, Iterable[Any]]:
        return self.role, self.lines


@dataclass(frozen=True)
class Derivation(Shown):
    """Backpropagation through time of one network.

    Attributes:
        network: What was differentiated.
        adjoints: Of all quantities, in the order in which they are computed, then of what is given.
        order: 1 for a first derivation, 2 for a derivation of a derivation.
        conditions: The relations of the network that were used.
        least: The least length of each sequence for which the printed lines hold.
        clipping: What is done to the gradients afterwards; no line has it.
    """

    network: Network
    adjoints: tuple[Adjoint, ...]
    order: int
    conditions: tuple[Relation, ...]
    least: tuple[tuple[Expr, int], ...]
    clipping: Clipping | None = None

    @cached_property
    def by_quantity(self) -> dict[Basic, Adjoint]:
        """Adjoints by the quantity that they belong to."""
        return {adjoint.of: adjoint for adjoint in self.adjoints}

    def shown(self) -> tuple[str, Iterable[Any]]:
        return f"{self.network.name}, backward pass", self.lines

    @property
    def wanted(self) -> tuple[Given, ...]:
        """The given quantities that a gradient is taken in."""
        return tuple(g for g in self.network.givens if g.kind in DIFFERENTIABLE)

    @cached_property
    def lines(self) -> tuple[Equation, ...]:
        """Every printed line of the backward pass, in order."""
        return tuple(line for adjoint in self.adjoints for line in adjoint.lines)

    def given(self, name: str) -> Given:
        """Look up a given quantity that has a gradient.

        Raises:
            SpecError: Unknown name; or a target, a mask or integers, in which no gradient is taken.
        """
        names = [g.name for g in self.wanted]
        found = next((g for g in self.network.givens if g.name == name), None)
        if found is None:
            raise unknown("quantity", name, names)
        if found.kind not in DIFFERENTIABLE:
            raise SpecError(f"no gradient is taken in {name}, a {found.kind}; choose one of {', '.join(names)}")
        return found

    def adjoint(self, name: str) -> Adjoint:
        """Return the adjoint of a quantity by name: of a parameter, an input, a state, a gate.

        Raises:
            SpecError: Nobody defines the name, or no gradient is taken in it.
        """
        for adjoint in self.adjoints:
            if name in {str(adjoint.of.key), str(adjoint.lhs.key), f"d_{adjoint.of.key}"}:
                return adjoint
        return self.by_quantity[self.given(name).quantity]

    def gradient(self, name: str) -> Node:
        """Return ``∂L/∂name`` as one formula in named quantities.

        Raises:
            SpecError: Nobody defines the name, or no gradient is taken in it.
            NotSupportedError: The gradient is a value at each time, with different lines for different times.
        """
        given = self.given(name)
        adjoint = self.by_quantity[given.quantity]
        lines = [e for e in adjoint.lines if given.span is None or e.span is None or overlap(e.span, given.span, self)]
        if len(lines) > 1:
            raise NotSupportedError(f"∂L/∂{name} has {len(lines)} lines for different times; read adjoint('{name}').lines")
        line = lines[0]
        return line.rhs.xreplace({t: line.span.lo}) if line.span is not None and line.span.single else line.rhs

    def leading_to(self, name: str) -> Derivation:
        """Return the part of the derivation that the gradient in ``name`` needs.

        Raises:
            SpecError: Nobody defines the name, or no gradient is taken in it.
        """
        waiting, kept = [self.adjoint(name)], set()
        by_lhs = {key_of(adjoint.lhs): adjoint for adjoint in self.adjoints}
        while waiting:
            adjoint = waiting.pop()
            if adjoint.of in kept:
                continue
            kept.add(adjoint.of)
            for line in adjoint.lines:
                read = line.rhs.atoms(Series) | line.rhs.atoms(Static)
                waiting.extend(by_lhs[q] for q in read if q in by_lhs)
        chosen = tuple(a for a in self.adjoints if a.of in kept)
        return replace(self, adjoints=chosen)

    def as_network(self) -> Network:
        """Return forward and backward pass as one network, which can be run, or derived again.

        The scans of the backward pass run the other way. The loss is that of the original network.
        """
        backward: list[Block] = []
        done: set[Basic] = set()
        for block in reversed(self.network.blocks):
            equations = block.equations if isinstance(block, Scan) else (block,)
            quantities = [q for q in dict.fromkeys(e.quantity for e in equations) if q in self.by_quantity]
            lines = [line for q in quantities if q not in done for line in self.by_quantity[q].lines]
            done.update(quantities)
            backward.extend(as_blocks(lines, -block.step if isinstance(block, Scan) else 1))
        rest = [list(adjoint.lines) for adjoint in self.adjoints if adjoint.of not in done]
        for lines in rest:  # a scan each: inputs of sequences of different lengths run over different times
            backward.extend(as_blocks([line for line in lines if line.span is not None], -1))
        backward.extend(line for lines in rest for line in lines if line.span is None)
        return Network(
            name=f"{self.network.name}, with its gradient",
            givens=self.network.givens,
            blocks=(*self.network.blocks, *backward),
            loss=self.network.loss,
            relations=self.network.relations,
            cell=self.network.cell,
            outputs=tuple(key_of(self.by_quantity[g.quantity].lhs) for g in self.wanted),
            parts=self.network.parts,
        )


def key_of(leaf: Leaf) -> Basic:
    """Return the series or static quantity of a leaf."""
    return leaf.series if isinstance(leaf, At) else leaf


def overlap(a: Span, b: Span, derivation: Derivation) -> bool:
    """Tell whether two spans have a time in common."""
    return not derivation.network.order.disjoint(a, b)


def as_blocks(lines: list[Equation], step: int) -> list[Block]:
    """Make blocks of lines: a scan of those that have times, and the others as they are."""
    timed = tuple(line for line in lines if line.span is not None)
    return [*([Scan(timed, step)] if timed else []), *(line for line in lines if line.span is None)]


def segments(
    lhs: Leaf, domain: tuple[Span, ...], contributions: tuple[Contribution, ...], role: str, order: Order,
    add: Callable[..., Node] = Plus,
) -> tuple[Equation, ...]:
    """Cut the times of a quantity where its contributions begin and end, and add up what applies to each part.

    Args:
        lhs: The adjoint.
        domain: The times at which the quantity exists; cuts never join two of these.
        contributions: Terms with their ranges.
        role: For the lines.
        order: Compares times.
        add: Adds terms up.

    Returns:
        The printed lines, in the order of times.
    """
    if not domain:
        return (line_of(lhs, None, [c.term for c in contributions], role, add),)
    spans = [c.span for c in contributions if c.span is not None]
    marks = [s.lo for s in spans] + [expand(s.hi + 1) for s in spans]
    lines: list[tuple[Span, list[Node]]] = []
    for whole in (s for lo in order.sort(d.lo for d in domain) for s in domain if s.lo == lo):
        pieces: list[tuple[Span, list[Node]]] = []
        for piece in order.cut(whole, marks):
            terms = [c.term for c in contributions if c.span is not None and order.covers(c.span, piece)]
            if pieces and pieces[-1][1] == terms:
                pieces[-1] = (Span(pieces[-1][0].lo, piece.hi), terms)
            else:
                pieces.append((piece, terms))
        lines.extend(pieces)
    return tuple(line_of(lhs, span, terms, role, add) for span, terms in lines)


def line_of(lhs: Leaf, span: Span | None, terms: list[Node], role: str, add: Callable[..., Node]) -> Equation:
    """One line; no term at all means that the quantity does not reach the loss at these times."""
    return Equation(lhs, add(*terms) if terms else Zeros(*lhs.shape), span, role)


def hessian_vector_network(derivation: Derivation) -> Network:
    """Return the network of ``s = Σ_p ⟨v_p, ∂L/∂p⟩`` over the parameters ``p``, with a given direction ``v_p`` each.

    Deriving it gives Hessian-vector products: ``∂s/∂p = Σ_q (∂²L/∂p∂q) v_q``.
    """
    network = derivation.as_network()
    mark = "" if derivation.order == 1 else str(derivation.order)
    given, terms = [], []
    for parameter in derivation.network.parameters:
        direction = Static(f"v{mark}_{parameter.name}", (), *parameter.shape)
        given.append(Given(direction, "direction"))
        terms.append(Total(direction * derivation.by_quantity[parameter].lhs))
    taken = {q.name for q in (*(g.quantity for g in network.givens), *(e.quantity for e in network.equations))}
    wanted = chain([f"s{mark}"], (f"s{mark}_{number}" for number in count(2)))
    loss = Static(next(name for name in wanted if name not in taken))
    return Network(
        name=f"{derivation.network.name}, directional derivative",
        givens=(*network.givens, *given),
        blocks=(*network.blocks, Equation(loss, Plus(*terms), None, "loss")),
        loss=loss,
        relations=network.relations,
        cell=network.cell,
        parts=network.parts,
    )
