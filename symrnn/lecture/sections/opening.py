"""The opening: what the lecture is about, where the cell comes from, what the signs mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from symrnn.cells import CELLS
from symrnn.expr import Elementwise, Node, Ones, Series, Softmax, StopGradient, t
from symrnn.lecture.document import Block, Box, Heading, Text
from symrnn.lecture.sections.idea import idea
from symrnn.lecture.sections.sentences import function_of
from symrnn.lecture.subject import EXERCISE, SHORT, Subject
from symrnn.lecture.uses import is_gate
from symrnn.printing.pieces import Ratio
from symrnn.printing.words import written
from symrnn.style import span_text, time_text


def opening(subject: Subject) -> Iterator[Block]:
    """Say what is derived, and why."""
    words = subject.words
    yield Heading(words("intro.heading"), "intro")
    yield from about(subject)
    loss = subject.formula(subject.network.loss)
    yield Text(" ".join([
        words("intro.network", network=network_name(subject), loss=loss),
        words("intro.question", steps=lengths(subject)),
    ]))
    yield Text(words({EXERCISE: "intro.plan_exercise", SHORT: "intro.plan_short"}.get(subject.level, "intro.plan")))
    yield from conventions(subject)


def opening_of_several(subjects: Sequence[Subject]) -> Iterator[Block]:
    """Introduce several cells at once; what is common to them is said once."""
    first, words = subjects[0], subjects[0].words
    yield Heading(words("intro.heading"), "intro")
    if common := general(subjects):
        yield Text(common)
    for subject in subjects:
        yield Text(" ".join([*introduction(subject), *purpose(subject)]))
    yield Text(words("intro.question", steps=lengths(first)))
    yield Text(words("intro.plan_compare"))
    if first.level != EXERCISE:
        yield from idea(first)
    yield from conventions(first)


def about(subject: Subject) -> Iterator[Block]:
    """Introduce the cell: title, source, what it is good for."""
    yield Text(" ".join([*introduction(subject), general([subject]), *purpose(subject)]).strip())


def introduction(subject: Subject) -> list[str]:
    """Name the cell, and say where it is from."""
    words, cell = subject.words, subject.cell
    told = []
    if cell is not None and words.has(f"titles.{cell.name}") and cell.name in CELLS:
        told.append(words("intro.cell", name=subject.name, title=words(f"titles.{cell.name}")))
        told += [words("intro.source", source=cell.source)] if cell.source else []
    elif cell is not None:
        told.append(words("intro.cell_own", name=cell.name, title=cell.title) if cell.title else
                    words("intro.cell_untitled", name=cell.name, equations=len(cell.equations)))
        told += [words("intro.source_own", source=cell.source)] if cell.source else []
    return told


def general(subjects: Sequence[Subject]) -> str:
    """Say what a state is for, and what gates are for, where there are any."""
    words = subjects[0].words
    told = [words("intro.recurrent")] if any(s.states for s in subjects) else []
    return " ".join([*told, *([words("intro.gates_are")] if told and any(map(gates_of, subjects)) else [])])


def gates_of(subject: Subject) -> list[Any]:
    """Return the gates."""
    return list(dict.fromkeys(e.quantity for e in subject.network.equations if is_gate(e, subject.network)))


def purpose(subject: Subject) -> Iterator[str]:
    """Say which states and gates there are."""
    words, states = subject.words, subject.listed(q[t] for q in subject.states)
    if not states:
        yield words("intro.purpose_none")
        return
    yield words("intro.state", states=states)
    gates = gates_of(subject)
    names = ", ".join(dict.fromkeys(f"{words.first(f'roles.{subject.roles[q]}', 'roles.gate')} {subject.formula(q[t])}" for q in gates))
    yield words("intro.gates", gates=names) if gates else words("intro.gates_none")


def network_name(subject: Subject) -> str:
    """Return the name of the network with its words in the language: ``LSTM, many-to-one``."""
    parts = subject.network.name.split(", ")
    return ", ".join(subject.words(f"task.{part}") if subject.words.has(f"task.{part}") else subject.shown(part) for part in parts)


def lengths(subject: Subject) -> str:
    """Write the lengths of the sequences."""
    spans = [e.span for e in subject.network.equations if e.span is not None]
    letters = sorted({s for span in spans for s in span.hi.free_symbols}, key=str) or sorted({span.hi for span in spans}, key=str)
    return ", ".join(f"${time_text(letter, subject.style)}$" for letter in letters[-1:]) or "1"


def conventions(subject: Subject) -> Iterator[Block]:
    """Say what the signs mean, what is assumed, and when the formulas hold."""
    words, derivation = subject.words, subject.derivation
    quantity = (subject.states or tuple(e.quantity for e in subject.network.equations if isinstance(e.quantity, Series)))[:1]
    told = [adjoints(subject, quantity[0])] if quantity else []
    told += signs(subject)
    told += [words("intro.condition", condition=f"${written(c.lhs, subject.style)} = {written(c.rhs, subject.style)}$")
             for c in derivation.conditions]
    bounds = ", ".join(rf"${time_text(length, subject.style)} \ge {least}$" for length, least in derivation.least)
    told += [words("intro.least", bounds=bounds)] if bounds else []
    told.append(words("intro.batch"))
    told += [words("intro.clipping", limit=f"${derivation.clipping.limit}$")] if derivation.clipping is not None else []
    yield Box("note", words("intro.conventions"), tuple(map(Text, told)))


def adjoints(subject: Subject, quantity: Any) -> str:
    """Say what the sign of an adjoint means."""
    style, q = subject.style, quantity[t]
    name = subject.formula(q)
    adjoint = subject.formula(quantity.adjoint_series(subject.derivation.order)[t])
    ratio = f"${written(Ratio(subject.network.loss, q), style)}$"
    if style.notation.rows:
        return subject.words("intro.rows", adjoint=adjoint if adjoint != ratio else ratio, quantity=name)
    if adjoint == ratio:
        return subject.words("intro.columns_alike", ratio=ratio, quantity=name)
    return subject.words("intro.columns", adjoint=adjoint, quantity=name)


def signs(subject: Subject) -> Iterator[str]:
    """Explain the signs that the formulas have."""
    words = subject.words
    nodes = [node for e in subject.network.equations for node in e.rhs.atoms(Node)]
    functions = [node for node in nodes if isinstance(node, Elementwise)]
    matrix = next((q for q in subject.network.parameters if q.shape[1] != 1), None)
    if functions and matrix is not None:
        yield words("intro.hadamard", sign=sign_of_product(subject), function=function_of(subject, functions[0]),
                    matrix=subject.formula(matrix), transpose=subject.formula(matrix.T))
    if any(isinstance(node, Softmax) and node.mask is not None for node in nodes):
        yield words("intro.masked_softmax")
    if any(isinstance(node, StopGradient) for node in nodes):
        yield words("intro.stop")


def sign_of_product(subject: Subject) -> str:
    """Return the sign of the product entry by entry, as it is printed between two values."""
    q = subject.states[0][t] if subject.states else Ones(2, 1)
    left = subject.formula(q).strip("$")
    whole = subject.formula(q * Series("_other", (), *q.shape)[t]).strip("$")
    return f"${whole.removeprefix(left).strip().split(' ')[0]}$"


def times_text(subject: Subject, span: Any) -> str:
    """Write a range of times for a sentence."""
    return f"${span_text(span, subject.style)}$" if span is not None else ""


__all__ = ["about", "conventions", "network_name", "opening", "opening_of_several", "times_text"]
