"""Mistakes in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy import expand

from symrnn import writer
from symrnn.diagnosis.mistake import Mistake
from symrnn.diagnosis.rules import Rule, Term
from symrnn.diagnosis.variations import Change
from symrnn.expr import At, Scaled, TimeSum, split_scalar


def shown(node: Any) -> str:
    """Print a formula; nothing is 0."""
    return "0" if node is None else writer.text(node)


def left(rule: Rule) -> str:
    """Print the left side of a rule."""
    return writer.text(rule.lhs) if isinstance(rule.lhs, At) else f"∂L/∂{writer.text(rule.of)}"


SENTENCES: dict[str, Callable[[Change], str]] = {
    "missing derivative": lambda c: f"with the derivative {shown(c.due)} left out",
    "wrong derivative": lambda c: f"with {shown(c.stands)} for the derivative {shown(c.due)}",
    "missing carry": lambda c: f"with {shown(c.due)} left out: what flows back from the next step is not added",
    "missing term": lambda c: f"with the term {shown(c.due)} left out",
    "doubled term": lambda c: f"with {shown(c.due)} counted twice",
    "a term too much": lambda c: f"with {shown(c.stands)} added",
    "missing factor": lambda c: f"with the factor {shown(c.due)} left out",
    "a factor too much": lambda c: f"with the factor {shown(c.stands)} too often",
    "wrong quantity": lambda c: f"with {shown(c.stands)} for {shown(c.due)}",
    "wrong time": lambda c: f"with {shown(c.stands)} for {shown(c.due)}: another time step",
    "wraps around": lambda c: "with the last value for the one before the first: an index -1 wraps around",
    "missing transpose": lambda c: f"with {shown(c.stands)} for {shown(c.due)}: a transpose is missing",
    "wrong sign": lambda c: f"with {shown(c.stands)} for {shown(c.due)}: a sign is wrong",
    "not accumulated": lambda c: f"with {kept(c)} for the sum over time: it is overwritten, not added up",
    "brackets": lambda c: f"with {shown(c.stands)} for {shown(c.due)}: a factor multiplies a part of the sum only",
    "wrong scale": lambda c: f"multiplied by {ratio(c)}",
}
"""What a kind of mistake is in a sentence that begins with the gradient."""


def kept(change: Change) -> str:
    """Say which term of a sum is kept."""
    core = split_scalar(change.due)[1] if change.due is not None else None
    times = {leaf.time for leaf in change.stands.atoms(At) if leaf.series.orders} if change.stands is not None else set()
    which = "the last" if isinstance(core, TimeSum) and core.args[3] in times else "the first"
    return f"the term of {which} time step, {shown(change.stands)},"


def ratio(change: Change) -> str:
    """Say by which number something is multiplied."""
    if isinstance(change.stands, Scaled) and change.due is not None:
        own, due = split_scalar(change.stands)[0], split_scalar(change.due)[0]
        return str(own / due).replace("B", "N").replace("*", " ")
    return "another number"


def sentence(mistake: Mistake, outputs: Sequence[str], variable: str) -> str:
    """Say what a mistake is.

    Args:
        mistake: The mistake.
        outputs: What the code calls the gradients that it spoils.
        variable: The variable of the code that holds the wrong value; empty where it is not known.
    """
    places = list(dict.fromkeys(left(rule) for rule in mistake.before))
    first, others = places[0], places[1:]
    what = "; ".join(dict.fromkeys(SENTENCES[mistake.kind](change) for change in mistake.changes[:1]))
    also = f", and in the same way in {', '.join(others)}" if others else ""
    at_start = " at t = 0" if mistake.start else ""
    spoiled = f"; this spoils {', '.join(outputs)}" if outputs else ""
    where = f" (in the code: {variable})" if variable else ""
    return f"{first}{at_start}{where} is the right gradient {what}{also}{spoiled}"


def formulas(mistake: Mistake) -> tuple[str, str]:
    """Print the formula as it should be, and as the code has it."""
    before, after = mistake.before[0], mistake.after[0]
    return line(before, mistake.start), line(after, mistake.start)


def line(rule: Rule, start: bool = False) -> str:
    """Print a rule, what flows back from another time last."""
    terms = sorted((term for term in rule.terms if start or lasting(term)), key=lambda term: term.carry)
    terms = [term for term in terms if term.carry] if start else terms
    merged = " + ".join(shown(term.node) for term in terms).replace("+ -", "- ") or "0"
    return f"{left(rule)} = {merged}"


def lasting(term: Term) -> bool:
    """Tell whether a term holds at other times than the initial one."""
    return not term.spans or any(expand(span.hi) != 0 for span in term.spans)
