"""A derivation as rules that can be changed one term at a time: ``δq_t`` is the sum of the terms whose times hold ``t``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, expand

from symrnn.derivation import Adjoint, Derivation
from symrnn.equations import Equation
from symrnn.expr import At, Leaf, Node, Plus, Scaled, Series, Zeros, t
from symrnn.times import Span


@dataclass(frozen=True)
class Term:
    """One term of a gradient.

    Attributes:
        node: The formula, at the generic ``t``.
        spans: The times at which it is added; empty for a gradient without time.
        carry: Whether it flows back from another time step.
    """

    node: Node
    spans: tuple[Span, ...] = ()
    carry: bool = False


@dataclass(frozen=True)
class Rule:
    """How one gradient is made.

    Attributes:
        of: The quantity that it is the gradient of.
        lhs: The gradient.
        terms: Its terms.
        role: Of the quantity: gate, hidden state, parameter.
        leads: Whether other gradients read it.
    """

    of: Any
    lhs: Leaf
    terms: tuple[Term, ...]
    role: str
    leads: bool

    @property
    def name(self) -> str:
        """Name of the quantity."""
        return str(self.of.name)

    def line(self) -> Equation:
        """Return the rule as one equation at the generic ``t``, with all its terms."""
        return Equation(self.lhs, Plus(*(term.node for term in self.terms)) if self.terms else Zeros(*self.lhs.shape), None if self.lhs.atoms(At) == set() else Span(t, t), self.role)


Rules = Mapping[Any, Rule]
"""Rules by quantity, in the order in which they are computed at one time."""


def rules_of(derivation: Derivation) -> dict[Any, Rule]:
    """Return the rules of a derivation."""
    read: set[Basic] = set()
    for adjoint in derivation.adjoints:
        for line in adjoint.lines:
            read |= {leaf.series if isinstance(leaf, At) else leaf for leaf in line.rhs.atoms(Leaf) if leaf != line.lhs}
    return {a.of: Rule(a.of, a.lhs, terms_of(a), a.role, (a.lhs.series if isinstance(a.lhs, At) else a.lhs) in read)
            for a in derivation.adjoints}


def terms_of(adjoint: Adjoint) -> tuple[Term, ...]:
    """Collect the terms of all lines of a gradient, each with its times."""
    found: dict[Node, list[Span]] = {}
    for line in adjoint.lines:
        for part in parts(line.rhs):
            spans = found.setdefault(generic(part, line), [])
            if line.span is not None:
                spans.append(line.span)
    return tuple(Term(node, tuple(spans), is_carry(node)) for node, spans in found.items())


def parts(node: Node) -> Iterable[Node]:
    """Return the terms of a sum."""
    return node.args if isinstance(node, Plus) else () if isinstance(node, Zeros) else (node,)


def generic(node: Any, line: Equation) -> Any:
    """Write a formula of one fixed time at the generic ``t``."""
    if line.span is None or not line.span.single:
        return node
    moved = {leaf: At(leaf.series, t + expand(leaf.time - line.span.lo)) for leaf in node.atoms(At) if t not in leaf.time.free_symbols}
    return node.xreplace(moved)


def is_carry(node: Any) -> bool:
    """Tell whether a term reads the gradient of another time."""
    return any(leaf.series.orders and expand(leaf.time - t) != 0 and t in leaf.time.free_symbols for leaf in node.atoms(At))


def with_terms(rules: Rules, changes: Mapping[Any, tuple[Term, ...]]) -> dict[Any, Rule]:
    """Return rules with the terms of some of them replaced."""
    return {of: replace(rule, terms=changes[of]) if of in changes else rule for of, rule in rules.items()}


def scaled(term: Term, factor: Any) -> Term:
    """Multiply a term by a number."""
    return replace(term, node=Scaled(factor, term.node))


def series_of(leaf: Any) -> Series | None:
    """Return the series of a value at a time."""
    return leaf.series if isinstance(leaf, At) else None


def reads(rules: Rules) -> dict[Any, set[Any]]:
    """Return, for each quantity, those whose gradients at the same time its gradient depends on, itself included."""
    owner = {rule.lhs.series: rule.of for rule in rules.values() if isinstance(rule.lhs, At)}
    direct = {of: {owner[leaf.series] for term in rule.terms if not term.carry for leaf in term.node.atoms(At) if leaf.series in owner}
              for of, rule in rules.items()}
    found: dict[Any, set[Any]] = {}
    for of in rules:
        waiting, seen = [of], {of}
        while waiting:
            for other in direct[waiting.pop()] - seen:
                seen.add(other)
                waiting.append(other)
        found[of] = seen
    return found
