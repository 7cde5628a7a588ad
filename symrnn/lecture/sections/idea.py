"""The rule that every backward pass follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symrnn.expr import Series, t
from symrnn.lecture.document import Block, Formula, Text
from symrnn.lecture.subject import Subject
from symrnn.printing.pieces import Chain
from symrnn.printing.words import written


def idea(subject: Subject) -> Iterator[Block]:
    """State the rule that everything follows from."""
    words, style, order = subject.words, subject.style, subject.derivation.order
    q = (subject.states or tuple(a.of for a in subject.derivation.adjoints if isinstance(a.of, Series)))[0]
    reader = Series("r", (), q.shape[0], q.shape[1])
    lettered = replace(style, letters={**style.letters, "r": "r"})
    own, other = q[t], reader[t]
    yield Text(words("backward.idea", q=subject.formula(own), adjoint=subject.formula(q.adjoint_series(order)[t])))
    chain = written(Chain(other, own, reader.adjoint_series(order)[t]), lettered)
    rule = rf"{written(q.adjoint_series(order)[t], style)} = \sum_{{r}} {chain}"
    yield Formula(rule, subject.anchored("rule"), words("backward.idea_note", reader="$r$", q=subject.formula(own)))
    yield Text(words("backward.idea_time"))


__all__ = ["idea"]
