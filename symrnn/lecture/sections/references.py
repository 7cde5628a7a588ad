"""The works that a lecture cites, in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import symrnn
from symrnn.lecture.citing import sources
from symrnn.lecture.document import Block, Heading, Items, Text
from symrnn.lecture.sections.backward import source_of_rule
from symrnn.lecture.sections.flow import bounds_of
from symrnn.lecture.subject import EXERCISE, Subject

ALWAYS = ("Werbos 1990",)


def references(subjects: Iterable[Subject]) -> Iterator[Block]:
    """List what is cited, by author."""
    listed = list(subjects)
    words = listed[0].words
    yield Heading(words("references.heading"), "references")
    cited = " ".join(text for subject in listed for text in cited_by(subject))
    found = {full for short, full in sources().items() if short in cited}
    own = {source for s in listed if s.cell is not None and (source := s.cell.source) and not any(short in source for short in sources())}
    yield Items(tuple(sorted(found | own, key=lambda text: text.partition(".")[2])))
    yield Text(words("references.made", version=symrnn.__version__, name=", ".join(dict.fromkeys(s.name for s in listed))))


def cited_by(subject: Subject) -> Iterator[str]:
    """Yield the short forms of what one subject cites: its cell, the rules that were used, the theorems."""
    yield from ALWAYS
    if subject.cell is not None:
        yield subject.cell.source
    if any(part.role == "attention" for part in subject.network.parts):
        yield "Bahdanau, Cho & Bengio 2015"
    if subject.level == EXERCISE:
        return
    rules = {name for a in subject.derivation.adjoints for c in a.contributions for name in c.step.rules}
    yield from map(source_of_rule, sorted(rules))
    if (bounds := bounds_of(subject.network)) is not None:
        yield "Bengio, Simard & Frasconi 1994"
        yield from (theorem.source for theorem in bounds.theorems.values())


__all__ = ["references"]
