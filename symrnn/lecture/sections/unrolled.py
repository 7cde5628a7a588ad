"""The derivation written out for three steps: substitution, backward pass time by time, the gradient as a sum over paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any

from symrnn.derivation import Derivation
from symrnn.errors import NotSupportedError
from symrnn.expr import Series, t
from symrnn.lecture.document import Block, Fold, Heading, Text
from symrnn.lecture.subject import Subject
from symrnn.lecture.typeset import formulas_of
from symrnn.printing.pieces import Line, Ratio
from symrnn.printing.words import written
from symrnn.rewrite import added
from symrnn.style import Style, generic_time, time_text
from symrnn.unrolling import Unrolled, unroll
from symrnn.unrolling.lettering import READS, Lettering, states_series
from symrnn.unrolling.outline import kept_values, multiplies_state, symbolic_or_none, timed_lines
from symrnn.unrolling.paths import arriving_series, jacobian_series, reaching_series, summands
from symrnn.unrolling.texts import explicit_lines, substituted_lines, symbolic_lines

STEPS = 3
"""How many steps are written out."""


@lru_cache(maxsize=16)
def written_out(derivation: Derivation, steps: int) -> Unrolled:
    """Unroll a derivation; it is done once."""
    return unroll(derivation, steps)


def by_paths(derivation: Derivation) -> Derivation | None:
    """Return the derivation for three steps with the gradient that is shown as a sum over paths; nothing where there is no such sum."""
    whole = written_out(derivation, STEPS)
    name = recurrent_parameter(whole)
    try:
        return replace(whole, wrt=name).by_paths() if whole.states and name is not None else None
    except NotSupportedError:
        return None


def unrolled(subject: Subject) -> Iterator[Block]:
    """Write out three steps."""
    words = subject.words
    whole = written_out(subject.derivation, STEPS)
    yield Heading(subject.title("unroll.heading"), subject.anchored("unroll"))
    lines = tuple(substituted_lines(whole.forward, subject.style))
    if lines:
        yield Text(words("unroll.text", steps=STEPS))
        yield formulas_of(lines, subject.style, subject.anchored("unroll-forward"))
        if values := kept_values(whole):
            yield Text(words("unroll.values"))
            yield formulas_of(values, subject.style, subject.anchored("unroll-values"))
    name = recurrent_parameter(whole)
    part = whole.explicit if name is None else whole.explicit.leading_to(name)
    yield Text(words("unroll.backward"))
    yield from by_time(subject, part)
    if name is not None:
        yield from sums(subject, whole, name)


def recurrent_parameter(whole: Unrolled) -> str | None:
    """Return the name of a matrix that multiplies a state, or of any parameter."""
    named = [g.name for g in whole.derivation.wanted if g.kind == "parameter"]
    return min(named, key=lambda name: not multiplies_state(name, whole.derivation, whole.states), default=None)


def by_time(subject: Subject, part: Derivation) -> Iterator[Block]:
    """Yield the backward pass, a fold for each time."""
    for time, group in groupby(timed_lines(part), key=lambda item: item[1]):
        title = subject.words("unroll.once") if time is None else subject.words("unroll.time", time=f"${time_text(time, subject.style)}$")
        yield Fold(title, (formulas_of([line for *_, line in group], subject.style),))


def sums(subject: Subject, whole: Unrolled, name: str) -> Iterator[Block]:
    """Yield the gradient as a sum of three terms, and as a sum over paths."""
    words, explicit = subject.words, whole.explicit
    given = explicit.given(name)
    parts = list(summands(explicit.by_quantity[given.quantity].lines[0].rhs))
    yield Text(words("unroll.gradient", q=subject.formula(given.quantity), count=len(parts)))
    line = Line(Ratio(explicit.network.loss, given.quantity), added(*parts))
    yield formulas_of([line], subject.style, subject.anchored("unroll-gradient"))
    if not whole.states:
        yield Text(words("unroll.no_recurrence"))
        return
    try:
        yield from paths(subject, whole, name)
    except NotSupportedError:
        yield Text(words("unroll.no_paths"))


def paths(subject: Subject, whole: Unrolled, name: str) -> list[Block]:
    """Return the sum over paths: with symbols for any length, and its terms for three steps.

    Raises:
        NotSupportedError: The steps are no products of matrices.
    """
    words = subject.words
    found = whole.recurrences
    style = Lettering.of(whole.derivation, found, subject.style).style
    (total,) = replace(whole, wrt=name).sums
    blocks: list[Block] = [Text(words("unroll.paths"))]
    symbolic = symbolic_or_none(whole, whole.derivation, found, name)
    if symbolic is not None:
        loss = whole.derivation.network.loss
        blocks.append(formulas_of(symbolic_lines(loss, symbolic, style), style, subject.anchored("unroll-paths")))
        owners = dict.fromkeys(id(term.of) for term in symbolic.terms if term.of is not None)
        blocks += [Text(letters(subject, one, symbolic, style)) for one in found if id(one) in owners]
    blocks.append(Text(words("unroll.terms", steps=STEPS, count=len(total.terms))))
    blocks.append(Fold(words("labels.unfold"), (formulas_of(explicit_lines(whole.explicit.network.loss, total, style), style),)))
    return blocks


def letters(subject: Subject, of: Any, symbolic: Any, style: Style) -> str:
    """Say what the letters of a sum over paths are."""
    words = subject.words
    read = {series for term in symbolic.terms for series in term.body.atoms(Series)}
    reaching = {q: series for q in of.members if isinstance(q, Series) and (series := reaching_series(of, q)) in read}
    stacked = [words("unroll.stacked", state=f"${written(states_series(of)[t], style)}$", states=subject.listed(q[t] for q in of.states))]
    running, reads = (f"${letter}$" for letter in (generic_time(style), style.indices[READS]))
    return " ".join([
        *(stacked if len(of.states) > 1 else ()),
        words("unroll.jacobian", jacobian=f"${written(jacobian_series(of)[t], style)}$"),
        words("unroll.arriving", arriving=f"${written(arriving_series(of)[t], style)}$", running=running, reads=reads),
        *(words("unroll.reaching", reaching=f"${written(series[t], style)}$", q=subject.formula(q[t])) for q, series in reaching.items()),
    ])


__all__ = ["by_paths", "recurrent_parameter", "unrolled", "written_out"]
