"""The forward pass: a paragraph and a formula for each equation, and the picture of a step."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.lecture.document import Block, Figure, Heading, Text
from symrnn.lecture.figures import cell_figure
from symrnn.lecture.sections.parts import part_of
from symrnn.lecture.sections.quantities import labels
from symrnn.lecture.sections.sentences import sentences
from symrnn.lecture.subject import Subject
from symrnn.lecture.typeset import formula_of


def forward(subject: Subject) -> Iterator[Block]:
    """Go through the equations in the order in which they run."""
    words = subject.words
    yield Heading(subject.title("forward.heading"), subject.anchored("forward"))
    yield Text(words("forward.intro_one"))
    picture = cell_figure(subject.network, subject.style, labels(subject))
    yield Figure(picture, words("forward.figure_alt"), words("forward.figure_caption"), subject.anchored("fig-cell"))
    before = ""
    for equation, line, anchor in subject.forward_lines:
        part = part_of(subject, equation.name)
        if part and part != before:
            yield Heading(part, f"{anchor}-part", 2)
            before = part
        yield Text(sentences(subject, equation))
        yield formula_of(line, subject.style, anchor)


__all__ = ["forward"]
