"""What was verified, and how: a table of the judges, what agreement means, where they are blind."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.lecture.checking import Verdict
from symrnn.lecture.document import Block, Heading, Items, Table, Text
from symrnn.lecture.subject import SHORT, Subject


def verification(subject: Subject) -> Iterator[Block]:
    """Report what the judges found."""
    words, verdicts = subject.words, subject.record.verdicts
    yield Heading(subject.title("verification.heading"), subject.anchored("verification"))
    yield Text(words("verification.text"))
    header = tuple(words(f"verification.head_{key}") for key in ("judge", "compared", "findings", "seconds"))
    rows = tuple((name_of(subject, v), compared(subject, v), f"{v.agree} / {v.total}", f"{v.seconds:.2f}") for v in verdicts)
    yield Table(header, rows, words("verification.caption"), subject.anchored("tab-verification"))
    if subject.level != SHORT:
        yield Items(tuple(means(subject, v) for v in verdicts if words.has(f"verification.{v.judge}_means")))
    sizes = "; ".join(dict.fromkeys(f"${v.sizes}$" for v in verdicts if v.sizes))
    yield Text(words("verification.blind", sizes=sizes))
    for v in verdicts:
        if v.undecided:
            yield Text(words("verification.undecided", judge=name_of(subject, v), count=v.undecided, total=v.total))
    if subject.record.kept:
        yield Text(words("verification.kept", date=subject.record.date))


def name_of(subject: Subject, verdict: Verdict) -> str:
    """Return the name of a judge."""
    return subject.words(f"verification.judge_{verdict.judge}")


def compared(subject: Subject, verdict: Verdict) -> str:
    """Say what a judge compared, and at which sizes."""
    values: dict[str, dict[str, object]] = {"entrywise": {"lines": verdict.total}, "balls": {"bits": verdict.numbers.get("bits", "")}, "numeric": {},
              "jacobian": {"lines": verdict.total}, "paths": {"lines": verdict.total, "steps": 3}}
    told = subject.words(f"verification.{verdict.judge}", **values[verdict.judge])
    return f"{told}, {subject.words('verification.sizes', sizes=f'${verdict.sizes}$')}" if verdict.sizes else told


def means(subject: Subject, verdict: Verdict) -> str:
    """Say what agreement with a judge means."""
    error = verdict.numbers.get("error", "")
    if error:
        base, _, exponent = error.partition("e")
        error = rf"${base} \cdot 10^{{{int(exponent)}}}$"
    values = {"entrywise": {"error": error}, "balls": {"digits": verdict.numbers.get("digits", "")}, "numeric": {}}[verdict.judge]
    return subject.words(f"verification.{verdict.judge}_means", **values)


__all__ = ["verification"]
