"""The backward pass, quantity by quantity: who reads it, the local derivative, the chain rule, the term, the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symrnn.derivation import Adjoint, Contribution
from symrnn.errors import NotSupportedError
from symrnn.expr import Elementwise, StopGradient
from symrnn.lecture.citing import short_form
from symrnn.lecture.document import Block, Figure, Fold, Heading, Items, Text
from symrnn.lecture.figures import unrolled_figure
from symrnn.lecture.sections.idea import idea
from symrnn.lecture.sections.parts import part_of
from symrnn.lecture.sections.quantities import labels
from symrnn.lecture.sections.sentences import function_of
from symrnn.lecture.subject import FULL, Subject, read_at
from symrnn.lecture.typeset import formula_of, formulas_of
from symrnn.printing.pieces import Chain, Line, Ratio
from symrnn.printing.steps import at_target, contribution_parts
from symrnn.style import span_text
from symrnn.times import Span
from symrnn.vjp import BY_NAME

STEPS = 3
"""Steps of the picture."""


def backward(subject: Subject) -> Iterator[Block]:
    """Derive the adjoints in the order in which they are computed."""
    words = subject.words
    yield Heading(subject.title("backward.heading"), subject.anchored("backward"))
    if not subject.several:
        yield from idea(subject)
    yield Text(words("backward.order"))
    if any(e.rhs.has(StopGradient) for e in subject.network.equations):
        yield Text(words("backward.truncated"))
    yield from picture(subject)
    before = ""
    for adjoint in subject.derivation.adjoints:
        lines = subject.on_the_way(adjoint)
        if not lines:
            continue
        part = part_of(subject, str(adjoint.of.name))
        if part and part != before:
            yield Heading(part, f"{subject.anchors[lines[0]]}-part", 2)
            before = part
        yield from derived(subject, adjoint)
    yield from boundary(subject)


def picture(subject: Subject) -> Iterator[Block]:
    """The unrolled graph, where a network has one: an attention that reads a whole sequence at once has none."""
    words = subject.words
    try:
        drawn = unrolled_figure(subject.network, subject.style, labels(subject), steps=STEPS)
    except NotSupportedError:
        return
    yield Figure(drawn, words("backward.figure_alt"), words("backward.figure_caption", steps=STEPS), subject.anchored("fig-unrolled"))


def derived(subject: Subject, adjoint: Adjoint) -> Iterator[Block]:
    """One quantity: its readers, a fold for each term, and the lines that they add up to."""
    words, lines = subject.words, subject.on_the_way(adjoint)
    value: Any = subject.value(adjoint.of)
    q = subject.formula(value)
    yield Heading(words("backward.quantity", q=subject.formula(adjoint.lhs), role=subject.role(adjoint.of)), f"{subject.anchors[lines[0]]}-at", 2)
    yield Text(" ".join(readers(subject, adjoint, q)))
    if subject.level == FULL:
        for contribution in adjoint.contributions:
            yield Fold(title_of(subject, contribution), tuple(steps(subject, adjoint, contribution)))
    yield Text(words("backward.together_one" if len(lines) == 1 else "backward.together_many"))
    for line in lines:
        yield formula_of(subject.printed(adjoint, line), subject.style, subject.anchors[line])


def readers(subject: Subject, adjoint: Adjoint, q: str) -> Iterator[str]:
    """Say which equations read a quantity."""
    words, found = subject.words, adjoint.contributions
    if adjoint.of == subject.network.loss or all(c.step.reader.lhs == subject.network.loss for c in found):
        yield words("backward.start")
    if not found:
        yield words("backward.read_none", q=q)
        return
    listed = ", ".join(reader_text(subject, c) for c in found)
    yield words("backward.read_one", q=q, readers=listed) if len(found) == 1 else \
        words("backward.read_many", q=q, count=len(found), readers=listed)


def moved_reader(subject: Subject, contribution: Contribution) -> Any:
    """Return the reader's quantity at the time at which it reads the value at ``t``."""
    return at_target(contribution.step, subject.derivation)(contribution.step.reader.lhs)


def reader_text(subject: Subject, contribution: Contribution) -> str:
    """Name a reader, and say at which step it reads."""
    lag = read_at(contribution.step.operand)
    key = "read_next" if lag < 0 else "read_before" if lag > 0 else "read_single"
    return subject.words(f"backward.{key}", reader=subject.formula(moved_reader(subject, contribution)))


def title_of(subject: Subject, contribution: Contribution) -> str:
    """Return the title of the fold of a term."""
    return subject.words("backward.contribution", reader=reader_text(subject, contribution))


def steps(subject: Subject, adjoint: Adjoint, contribution: Contribution) -> Iterator[Block]:
    """One term: the reader, the rules, the local derivative, the chain rule, what is added."""
    words, style, step = subject.words, subject.style, contribution.step
    moved = at_target(step, subject.derivation)
    yield Text(words("backward.reader", anchor=subject.anchors.get(step.reader, "")))
    yield formula_of(Line(moved(step.reader.lhs), moved(step.reader.rhs)), style)
    yield Items(tuple(rule_text(subject, name) for name in step.rules or ("identity",)))
    for function in activations(step.reader.rhs, step.operand):
        yield Text(words("backward.activation", function=function_of(subject, function),
                         derivative=subject.formula(moved(step.local)) if step.local is not None else ""))
    if step.local is not None:
        ends = (moved(step.reader.lhs), moved(step.operand))
        yield Text(words("backward.local"))
        yield formula_of(Line(Ratio(*ends), moved(step.local)), style)
        yield Text(words("backward.chain"))
        yield formula_of(Line(Chain(*ends, moved(step.received)), moved(step.pullback)), style)
    else:
        yield Text(words("backward.chain_no_local"))
    yield Text(words("backward.term"))
    *_, added = contribution_parts(adjoint, contribution, 1, subject.derivation)
    yield formulas_of([line for line in added.lines if line.sign == "+=" or line.left is None], style)  # type: ignore[union-attr]


def rule_text(subject: Subject, name: str) -> str:
    """Say a rule as a sentence, with its source."""
    words = subject.words
    rule = words(f"rules.{name}") if words.has(f"rules.{name}") else words("rules.other", name=name)
    source = source_of_rule(name)
    return words("backward.rule", rule=rule, source=source) if source else words("backward.rule_plain", rule=rule)


def source_of_rule(name: str) -> str:
    """Return author and year of the source of a rule."""
    rule = BY_NAME.get(name)
    return short_form(rule.source) if rule is not None else ""


def activations(rhs: Any, operand: Any) -> list[Any]:
    """Return the function that a reader applies to an operand itself."""
    return [rhs] if isinstance(rhs, Elementwise) and rhs.args[1] == operand else []


def boundary(subject: Subject) -> Iterator[Block]:
    """Say which lines differ at the ends of a sequence, and why."""
    words = subject.words
    differing = [lines for adjoint in subject.derivation.adjoints if len(lines := subject.on_the_way(adjoint)) > 1]
    yield Heading(words("backward.boundary"), subject.anchored("boundary"), 2)
    if not differing:
        yield Text(words("backward.boundary_none"))
        return
    yield Text(words("backward.boundary_text"))
    items = []
    for lines in differing:
        general = max(lines, key=lambda line: (not is_single(line), len(terms_of(line.rhs))))
        for line in lines:
            if line is not general and line.span is not None:
                values = {"times": f"${span_text(line.span, subject.style)}$", "line": f"@{{{subject.anchors[line]}}}"}
                fewer = is_single(line) and len(terms_of(line.rhs)) < len(terms_of(general.rhs))
                items.append(words("backward.boundary_last", count=len(terms_of(line.rhs)), general=len(terms_of(general.rhs)), **values)
                             if fewer else words("backward.boundary_single", **values))
    yield Items(tuple(items))


def is_single(line: Any) -> bool:
    """Tell whether a line holds at one time."""
    return isinstance(line.span, Span) and line.span.single


def terms_of(node: Any) -> tuple[Any, ...]:
    """Return the terms of a sum."""
    return node.args if type(node).__name__ == "Plus" else (node,)


__all__ = ["backward", "is_single", "moved_reader", "reader_text", "terms_of"]
