"""``explain``: the repair first, which is fast; then the diagnosis, which knows the formulas; then the repair with what that says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symrnn import diagnosis, repair
from symrnn.explaining.joining import joined
from symrnn.verify.handwritten.findings import Diagnosis
from symrnn.verify.handwritten.report import Verdict
from symrnn.verify.handwritten.trial import Subject
from symrnn.verify.handwritten.verifying import FAILURES, Request

FIRST, FORMULAS, HUNT, SECOND = 3.0, 1.5, 8.0, 10.0
"""Seconds of processor time: for the lines; for formulas of lines that are known, and of mistakes that are not; for the lines again,
with what the formulas say, where the first time was not enough."""


def explain(subject: Subject, verdicts: Sequence[Verdict], request: Request) -> Diagnosis:
    """Name the mistakes of a backward pass that was refused.

    Args:
        subject: The code.
        verdicts: On its gradients.
        request: What was asked for.
    """
    by_line = asked(repair.explain, subject, verdicts, request, seconds=FIRST)
    by_formula = asked(diagnosis.explain, subject, verdicts, request, seconds=FORMULAS if by_line.complete else HUNT)
    if not by_line.complete:
        guided = asked(repair.explain, subject, verdicts, request, seconds=SECOND, guess=by_formula)
        by_line = guided if guided.complete or len(guided.findings) > len(by_line.findings) else by_line
    return joined(by_line, by_formula)


def asked(explain: Callable[..., Diagnosis], *about: Any, **options: Any) -> Diagnosis:
    """Return what one of the two says; a verdict is worth more than its explanation, which may fail in foreign code."""
    try:
        return explain(*about, **options)
    except FAILURES as error:
        return Diagnosis(statement=f"none was found: {type(error).__name__} while the mistakes were looked for: {error}")
