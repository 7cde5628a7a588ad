"""The table of quantities with their shapes, the picture of the shapes, and the terms that a reader may point at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symrnn.expr import At, t
from symrnn.lecture.document import Block, Figure, Heading, Table, Term, Text
from symrnn.lecture.figures import shapes_figure
from symrnn.lecture.sections.opening import times_text
from symrnn.lecture.subject import SHORT, STARTS, Subject, at_running_time, written_at
from symrnn.printing.outline import values_of
from symrnn.style import shape_text, symbol_text
from symrnn.traverse import leaves, quantity_of
from symrnn.writer import formula


def quantities(subject: Subject) -> Iterator[Block]:
    """List every quantity with what it is and its shape."""
    words = subject.words
    yield Heading(subject.title("quantities.heading"), subject.anchored("quantities"))
    letters = subject.network.sizes
    sizes = ", ".join(size_text(subject, size) for size in letters)
    if sizes:
        yield Text(words("quantities.text", sizes=sizes))
    header = tuple(words(f"quantities.head_{key}") for key in ("symbol", "role", "shape", "times"))
    yield Table(header, tuple(rows(subject)), words("quantities.caption"), subject.anchored("tab-quantities"))
    if subject.level != SHORT and (equations := shaped(subject)):
        picture = shapes_figure(equations, subject.style, labels(subject))
        yield Figure(picture, words("quantities.shapes_alt"), words("quantities.shapes_caption"), subject.anchored("fig-shapes"))


def labels(subject: Subject) -> dict[str, str]:
    """Return the words inside pictures, with the name of the cell."""
    name = subject.name.replace("{", "{{").replace("}", "}}")
    return {key: text.replace("{name}", name) for key, text in subject.words.tables["figures"].items()}


def shaped(subject: Subject) -> list[Any]:
    """Return the equations whose shapes are drawn: those of one step that read a matrix."""
    matrices = {q for q in subject.network.parameters if q.shape[1] != 1}
    return [e for e in subject.network.equations if matrices & set(leaves(e.rhs))][:2]


def size_text(subject: Subject, size: Any) -> str:
    """Say what a size letter is the size of."""
    key = f"quantities.size_{size}"
    return subject.words(key if subject.words.has(key) else "quantities.size_other", size=f"${symbol_text(size, subject.style)}$")


def rows(subject: Subject) -> Iterator[tuple[str, ...]]:
    """Yield given quantities, then computed ones; those of one role and shape together."""
    grouped: dict[tuple[str, str, str], list[Any]] = {}
    for given in subject.network.givens:
        role = subject.words("roles.initial") if given.kind == "initial" else subject.role(given.quantity)
        when = "" if given.span is None or given.kind == "initial" else times_text(subject, given.span)
        for value in values_of(given):
            grouped.setdefault((role, subject.shape(given.quantity), when), []).append(value)
    own = {given.quantity for given in subject.network.givens if given.kind != "initial"}
    for equation in subject.network.equations:
        if equation.quantity not in own:
            role = subject.words("roles.initial") if equation.role in STARTS else subject.role(equation.quantity)
            key = (role, subject.shape(equation.lhs), "" if equation.role in STARTS else times_text(subject, equation.span))
            grouped.setdefault(key, []).append(written_at(equation))
    for (role, shape, when), values in grouped.items():
        yield subject.listed(values), role, shape, when


def terms(subject: Subject) -> Iterator[Term]:
    """Yield the quantities at each time at which they are written, with what they are."""
    network, words = subject.network, subject.words
    adjoints = {adjoint.lhs.series if isinstance(adjoint.lhs, At) else adjoint.lhs: adjoint for adjoint in subject.derivation.adjoints}
    formulas = [side for e in (*network.equations, *subject.derivation.lines) for side in (e.lhs, e.rhs)]
    initial = [q[t - 1] for q in subject.states]
    seen: set[str] = set()
    for leaf in dict.fromkeys(at_running_time(leaf) for node in (*formulas, *initial) for leaf in leaves(node)):
        quantity, text = quantity_of(leaf), formula(leaf, subject.style)
        if text in seen:
            continue
        seen.add(text)
        shape = shape_text(quantity.shape, "×", subject.style) or "1"
        if quantity in adjoints:
            of = adjoints[quantity].of
            anchor = next((subject.anchors[line] for line in adjoints[quantity].lines), "")
            yield Term(text, words("quantities.term_gradient", role=subject.role(of), shape=plain(shape)), anchor)
        else:
            yield Term(text, words("quantities.term", role=subject.role(quantity), shape=plain(shape)), subject.defined(quantity))


def plain(shape: str) -> str:
    """Write a shape without LaTeX."""
    return shape.replace("{", "").replace("}", "").replace("_", "").replace("\\", "")


__all__ = ["labels", "quantities", "terms"]

