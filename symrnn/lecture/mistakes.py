"""Exercises from a derivation: a term that is taken out, and a mistake that is planted. The entrywise judge proves both wrong.

A mistake changes one line: a term is dropped or has the wrong sign, a transpose or the slope of the other nonlinearity stands
there, a value is read at the wrong time. Candidates that the judge does not refute, since they change nothing, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from symrnn.derivation import Adjoint, Contribution, Derivation
from symrnn.equations import Equation
from symrnn.expr import At, Elementwise, Hadamard, Plus, Product, Scaled, Transposed, same, t
from symrnn.lecture.checking import is_refuted
from symrnn.printing.outline import given_of
from symrnn.times import Span
from symrnn.traverse import leaves, rebuilt

Change = tuple[str, Any, Any]
"""Kind, the wrong right side, and the term as it should be."""


@dataclass(frozen=True)
class Mistake:
    """A line with a mistake.

    Attributes:
        kind: ``dropped``, ``sign``, ``transposed``, ``slope`` or ``time``.
        adjoint: Whose line it is.
        line: The right line.
        wrong: The wrong one.
        term: The term as it should be.
        refuted: How many findings of the judge are refuted, and how many there are.
    """

    kind: str
    adjoint: Adjoint
    line: Equation
    wrong: Equation
    term: Any
    refuted: tuple[int, int]


@dataclass(frozen=True)
class Gap:
    """A line with a term taken out.

    Attributes:
        adjoint: Whose line it is.
        line: The complete line.
        place: Of the term in the sum.
        contribution: Where the term comes from.
    """

    adjoint: Adjoint
    line: Equation
    place: int
    contribution: Contribution


def with_line(derivation: Derivation, adjoint: Adjoint, line: Equation, other: Equation) -> Derivation:
    """Return a derivation in which another line stands in the place of one."""
    changed = replace(adjoint, lines=tuple(other if one == line else one for one in adjoint.lines))
    return replace(derivation, adjoints=tuple(changed if one == adjoint else one for one in derivation.adjoints))


def on_the_way(derivation: Derivation) -> list[Adjoint]:
    """Return the adjoints that gradients are computed from."""
    return [adjoint for adjoint in derivation.adjoints if given_of(adjoint, general_line(adjoint), derivation) is None]


def general_line(adjoint: Adjoint) -> Equation:
    """Return the line that holds at most times, with the most terms."""
    return max(adjoint.lines, key=lambda line: (not (isinstance(line.span, Span) and line.span.single), len(terms_of(line.rhs))))


def terms_of(node: Any) -> tuple[Any, ...]:
    """Return the terms of a sum."""
    return tuple(node.args) if isinstance(node, Plus) else (node,)


def gaps(derivation: Derivation, most: int) -> list[Gap]:
    """Return lines with a term to fill in, of different quantities, whose lack the judge refutes."""
    found: list[Gap] = []
    for adjoint in on_the_way(derivation):
        line = general_line(adjoint)
        terms = terms_of(line.rhs)
        if len(terms) < 2 or len(found) >= most:
            continue
        places = [(place, c) for place, term in enumerate(terms) for c in adjoint.contributions if c.term == term]
        for place, contribution in places[len(places) // 2:][:1]:
            rest = Plus(*(term for n, term in enumerate(terms) if n != place))
            if is_refuted(with_line(derivation, adjoint, line, replace(line, rhs=rest)))[0]:
                found.append(Gap(adjoint, line, place, contribution))
    return found


def mistakes(derivation: Derivation, most: int) -> list[Mistake]:
    """Return mistakes of different kinds, each in the line of another quantity where there are enough."""
    found: list[Mistake] = []
    for kind, change in CHANGES.items():
        for adjoint in on_the_way(derivation):
            if len(found) >= most:
                return found
            if any(adjoint.of == other.adjoint.of for other in found):
                continue
            made = first_refuted(derivation, adjoint, kind, change)
            if made is not None:
                found.append(made)
                break
    return found


def first_refuted(derivation: Derivation, adjoint: Adjoint, kind: str, change: Callable[..., Iterator[Change]]) -> Mistake | None:
    """Return the first change of a kind that the judge refutes."""
    line = general_line(adjoint)
    for _, rhs, term in change(line.rhs, adjoint):
        if rhs == line.rhs or not all(same(a, b) for a, b in zip(rhs.shape, line.rhs.shape, strict=True)):
            continue
        wrong = replace(line, rhs=rhs)
        refuted = is_refuted(with_line(derivation, adjoint, line, wrong))
        if refuted[0]:
            return Mistake(kind, adjoint, line, wrong, term, refuted)
    return None


def with_term(terms: tuple[Any, ...], place: int, term: Any) -> Any:
    """Return a sum with another term at a place."""
    return Plus(*terms[:place], term, *terms[place + 1:])


def transposed(rhs: Any, adjoint: Adjoint) -> Iterator[Change]:
    """``Wᵀ δa`` becomes ``W δa``, where ``W`` is square."""
    terms = terms_of(rhs)
    for place, term in enumerate(terms):
        first = term.args[0] if isinstance(term, Product) else None
        if isinstance(first, Transposed) and same(*first.shape):
            yield "transposed", with_term(terms, place, Product(first.args[0], *term.args[1:])), term


def sloped(rhs: Any, adjoint: Adjoint) -> Iterator[Change]:
    """``1 - s ∘ s``, the slope of tanh, becomes ``s ∘ (1 - s)``, that of the sigmoid, and the other way round."""
    for contribution in adjoint.contributions:
        reader = contribution.step.reader
        if not isinstance(reader.rhs, Elementwise) or reader.rhs.function.name not in {"tanh", "sigmoid"} or not isinstance(reader.lhs, At):
            continue
        s = reader.lhs
        slopes = {"tanh": (1 - s * s, s * (1 - s)), "sigmoid": (s * (1 - s), 1 - s * s)}
        right, wrong = slopes[reader.rhs.function.name]
        factors = tuple(right.args) if isinstance(right, Hadamard) else (right,)
        terms = terms_of(rhs)
        for place, term in enumerate(terms):
            own = list(term.args) if isinstance(term, Hadamard) else [term]
            if all(factor in own for factor in factors):
                rest = [factor for factor in own if factor not in factors]
                yield "slope", with_term(terms, place, Hadamard(*rest, wrong) if rest else wrong), right


def late(rhs: Any, adjoint: Adjoint) -> Iterator[Change]:
    """A value of the forward pass at ``t+1`` becomes that at ``t``."""
    terms = terms_of(rhs)
    for place, term in enumerate(terms):
        values = [leaf for leaf in leaves(term) if isinstance(leaf, At) and not leaf.series.orders and leaf.time != t and (leaf.time - t).is_Integer]
        if values:
            moved = rebuilt(term, lambda part: part.series[t] if part in values else part)  # noqa: B023
            yield "time", with_term(terms, place, moved), term


def dropped(rhs: Any, adjoint: Adjoint) -> Iterator[Change]:
    """A term is missing."""
    terms = terms_of(rhs)
    for place in range(len(terms) - 1, -1, -1) if len(terms) > 1 else ():
        yield "dropped", Plus(*terms[:place], *terms[place + 1:]), terms[place]


def signed(rhs: Any, adjoint: Adjoint) -> Iterator[Change]:
    """A term has the other sign."""
    terms = terms_of(rhs)
    for place, term in enumerate(terms) if len(terms) > 1 else ():
        yield "sign", with_term(terms, place, Scaled(-1, term)), term


CHANGES: dict[str, Callable[..., Iterator[Change]]] = {
    "transposed": transposed, "slope": sloped, "time": late, "dropped": dropped, "sign": signed,
}
"""Kinds of mistakes, with what makes them; the ones that students make most often first."""

__all__ = ["Gap", "Mistake", "gaps", "general_line", "mistakes", "terms_of", "with_line"]
