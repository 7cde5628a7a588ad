"""The gradients of what is given: sums over time for parameters, lines for inputs and initial states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symrnn.equations import Equation
from symrnn.expr import Series, t
from symrnn.lecture.document import Block, Formula, Heading, Text
from symrnn.lecture.subject import Subject
from symrnn.lecture.typeset import formula_of
from symrnn.networks import Given
from symrnn.printing.columns import ColumnOf, column_form
from symrnn.printing.outline import given_of, only_time
from symrnn.printing.pieces import Line, Ratio
from symrnn.printing.words import written
from symrnn.traverse import at_time

KINDS = (("parameters", {"parameter", "direction"}), ("inputs", {"input"}), ("initials", {"initial"}))


def gradients(subject: Subject) -> Iterator[Block]:
    """List the gradients by kind."""
    words, found = subject.words, list(gradients_of(subject))
    yield Heading(subject.title("gradients.heading"), subject.anchored("gradients"))
    yield Text(words("gradients.text"))
    for key, kinds in KINDS:
        own = [(given, line) for given, line in found if given.kind in kinds]
        if own:
            yield Text(words(f"gradients.{key}"))
        for given, line in own:
            yield from shown(subject, given, line)
        if key == "parameters" and own:
            yield Text(shape_text(subject, own[0][0]))


def gradients_of(subject: Subject) -> Iterator[tuple[Given, Equation]]:
    """Yield what is given, with each line of its gradient."""
    for adjoint in subject.derivation.adjoints:
        for line in adjoint.lines:
            given = given_of(adjoint, line, subject.derivation)
            if given is not None:
                yield given, line


def line_of(subject: Subject, given: Given, line: Equation) -> Line:
    """Return ``∂L/∂W = …`` for print."""
    value: Any = given.quantity[t] if isinstance(given.quantity, Series) else given.quantity
    time = only_time(line.span)
    left, right = (at_time(side, t if time is None else time) for side in (value, line.rhs))
    return Line(Ratio(subject.network.loss, left), right, line.span if time is None else None)


def shown(subject: Subject, given: Given, line: Equation) -> Iterator[Formula | Text]:
    """Show one gradient; of a table also what it says of one column."""
    own = line_of(subject, given, line)
    yield formula_of(own, subject.style, subject.anchors[line])
    form = column_form(line.rhs)
    if form is not None:
        yield Text(subject.words("gradients.column"))
        yield formula_of(Line(ColumnOf(own.left), form), subject.style)


def shape_text(subject: Subject, given: Given) -> str:
    """Say that the shapes fit."""
    ratio = f"${written(Ratio(subject.network.loss, given.quantity), subject.style)}$"
    return subject.words("gradients.shape", gradient=ratio, shape=subject.shape(given.quantity), q=subject.formula(given.quantity))


__all__ = ["gradients", "gradients_of", "line_of"]
