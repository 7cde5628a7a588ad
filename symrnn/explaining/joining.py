"""Two diagnoses of one code as one: by formula, from wrong derivations of a cell, and by line, from edits of the source.

The first knows the formula as it should be, the second the line as it should be. What both name is told with both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symrnn.verify.handwritten.findings import Diagnosis, Finding


def joined(by_line: Diagnosis, by_formula: Diagnosis) -> Diagnosis:
    """Return what two diagnoses together say.

    Where both explain everything, the one with fewer mistakes is told, the lines where there are as many; its findings get
    from the other one what that says of the same mistake.

    Args:
        by_line: Mistakes as edits of lines.
        by_formula: Mistakes as wrong formulas.
    """
    if by_line.complete and by_formula.complete:
        fewer = len(by_formula.findings) < len(by_line.findings)
        told = by_formula if fewer else by_line
        pairs = pairs_of(by_line.findings, by_formula.findings)
        other = {id(pair[fewer]): pair for pair in pairs}
        findings = [both(*other[id(one)]) if id(one) in other else one for one in told.findings]
        return replace(told, findings=tuple(findings), model=by_formula.model, statement=said(by_line, by_formula, len(pairs)) if not fewer else told.statement)
    complete = [one for one in (by_formula, by_line) if one.complete]
    some = [one for one in (by_formula, by_line) if one.findings]
    return next(iter([*complete, *some]), by_formula if by_formula.statement else by_line)


def said(by_line: Diagnosis, by_formula: Diagnosis, shared: int) -> str:
    """Return what confirms the lines, and the formulas where they are the same mistakes."""
    same = shared == len(by_line.findings) == len(by_formula.findings)
    return f"{by_line.statement}; {by_formula.statement}" if same else by_line.statement


def pairs_of(by_line: Iterable[Finding], by_formula: Iterable[Finding]) -> list[tuple[Finding, Finding]]:
    """Pair the findings that are of one kind and spoil something together; each stands in one pair at most."""
    left = list(by_formula)
    found = []
    for one in by_line:
        same = [two for two in left if two.kind == one.kind and (set(one.outputs) & set(two.outputs) or not (one.outputs and two.outputs))]
        if same:
            best = max(same, key=lambda two: len(set(one.outputs) & set(two.outputs)) - len(set(one.outputs) ^ set(two.outputs)))
            left.remove(best)
            found.append((one, best))
    return found


def both(line: Finding, formula: Finding) -> Finding:
    """Return a mistake with its formula, and with its line as it should be."""
    return replace(formula, places=line.places, fix=line.fix, outputs=formula.outputs or line.outputs)
