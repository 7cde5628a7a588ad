"""The steps of a derivation: for each quantity, who reads it, the chain rule, the rules, and what it receives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import Basic, Symbol

from symrnn.derivation import Adjoint, Contribution, Derivation, Step
from symrnn.expr import At, Node, Series, t
from symrnn.printing.outline import fixed, only_time
from symrnn.printing.parts import labels
from symrnn.printing.pieces import Chain, Code, Equality, Equations, Line, Ratio, Section, Words
from symrnn.vjp import BY_NAME

IDENTITY = ("identity", "q = a  ⟹  δa += g", "the definition of the adjoint")


def step_sections(derivation: Derivation) -> tuple[Section, ...]:
    """Return one section for each quantity, in the order in which the adjoints are computed."""
    sections = [Section(("Steps",), (Words((
        "Each equation that reads a quantity adds one contribution to its adjoint. "
        "The reader is shown at the time at which it reads the quantity at ", t, ". "
        "A row without a left side repeats the row above with constant adjoints and the conditions put in.",
    )),))]
    sections += [quantity_section(adjoint, derivation) for adjoint in derivation.adjoints]
    return tuple(sections)


def quantity_section(adjoint: Adjoint, derivation: Derivation) -> Section:
    """One quantity with all its contributions, and the lines that they add up to."""
    value: Any = adjoint.of[t] if isinstance(adjoint.of, Series) else adjoint.of
    body: list[Words | Equations] = []
    for number, contribution in enumerate(adjoint.contributions, 1):
        body.extend(contribution_parts(adjoint, contribution, number, derivation))
    if not adjoint.contributions:
        body.append(Words(("Nothing that reaches the loss reads it.",)))
    lines = tuple(fixed(line.lhs, line.rhs, line.span) for line in adjoint.lines)
    together = (Words(("Together:",)), Equations(lines)) if len(adjoint.contributions) != 1 or len(lines) > 1 else ()
    label = labels(derivation.network).get(str(value.name))
    return Section((value, f", {adjoint.role}"), (*body, *together), level=2, layer=label.layer if label else None)


def contribution_parts(
    adjoint: Adjoint, contribution: Contribution, number: int, derivation: Derivation
) -> Iterator[Words | Equations]:
    """One contribution: the reader, its rules, the chain rule, and what is added at which times."""
    step = contribution.step
    moved = at_target(step, derivation)
    reader, operand, pullback = step.reader, moved(step.operand), moved(step.pullback)
    yield Words((f"{number}. It is read by ", Equality(moved(reader.lhs), moved(reader.rhs)), "."))
    for name in step.rules:
        yield Words(("Rule ", *rule_words(name)))
    lines = []
    if step.local is not None:
        ends = (moved(reader.lhs), operand)
        lines.append(Line(Ratio(*ends), moved(step.local)))
        lines.append(Line(Chain(*ends, moved(step.received)), pullback))
    whole = contribution.term if times_of(pullback, derivation) - {t} or not is_moved(step, derivation) else pullback
    one = fixed(adjoint.lhs, whole, contribution.span)
    lines.append(Line(one.left, one.right, one.span, sign="+="))
    added = fixed(adjoint.lhs, contribution.term, contribution.span).right
    if added != one.right:
        lines.append(Line(None, added))
    yield Equations(tuple(lines))


def rule_words(name: str) -> tuple[str | Code, ...]:
    """Name, statement and source of a rule."""
    rule = BY_NAME.get(name)
    label, statement, source = IDENTITY if rule is None else (rule.name, rule.statement, rule.source)
    return (Code(label), ": ", Code(statement.rstrip(".")), f" ({source})")


def times_of(node: Node, derivation: Derivation) -> set[Basic]:
    """Return the symbols of a formula that stand for times, lengths apart."""
    values = {symbol for leaf in node.atoms(At) for symbol in leaf.time.free_symbols}
    return {s for s in values if not s.name.startswith("_s")} - set(derivation.network.sizes)


def is_moved(step: Step, derivation: Derivation) -> bool:
    """Tell whether the pullback at another time is the whole contribution: nothing is added up over time."""
    moving = times_of(step.operand, derivation)
    return bool(moving) and (t in moving or step.reader.span is None)


def at_target(step: Step, derivation: Derivation) -> Callable[[Any], Any]:
    """Return the function that moves a formula of the reader so that it reads the quantity at ``t``."""
    moving = times_of(step.operand, derivation)
    others = sorted((times_of(step.pullback, derivation) | moving) - {t}, key=str)
    changes: dict[Basic, Any] = {s: Symbol(letter, integer=True) for s, letter in zip(others, "kjm", strict=False)}
    if (time := only_time(step.reader.span)) is not None:
        changes[t] = time
    elif is_moved(step, derivation):
        index = next(iter(moving))
        changes[index] = t - (step.operand.time - index)
    return lambda formula: formula.xreplace(changes)
