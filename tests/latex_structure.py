"""A structural check of LaTeX formulas: scripts, groups, brackets, ``\\left`` and ``\\right``, environments."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\\(?:begin|end)\{[a-z]+\*?\}|\\(?:left|right)\s*(?:\\[{}|]|.)|\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
PAIRS = {"{": "}", "(": ")", "[": "]"}


def closing_of(token: str) -> str | None:
    """Return what closes a token that opens something."""
    if token.startswith(r"\begin{"):
        return token.replace(r"\begin", r"\end")
    if re.match(r"\\left\W", token):
        return r"\right" + PAIRS.get(token[-1], token[-1])
    return PAIRS.get(token)


def assert_well_formed(formula: str) -> None:
    """Fail where no base may carry what stands there, or where what opens does not close.

    Raises:
        AssertionError: With what is wrong and the formula.
    """
    opened: list[str] = []
    carried: list[set[str]] = [set()]
    awaiting = ""
    for token in TOKEN.findall(formula):
        if token.isspace():
            continue
        if token in {"^", "_"}:
            assert not awaiting, f"{token} directly after {awaiting} in {formula}"
            assert token not in carried[-1], f"a second {token} on one base in {formula}"
            carried[-1].add(token)
            awaiting = token
            continue
        script, awaiting = bool(awaiting), ""
        if closing := closing_of(token):
            opened.append(closing)
            carried.append(set())
            if not script:
                carried[-2] = set()
            continue
        if token in PAIRS.values() or token.startswith((r"\right", r"\end{")):
            assert opened, f"{token} closes nothing in {formula}"
            expected = opened.pop()
            assert token.replace(" ", "") == expected, f"{token} where {expected} is due in {formula}"
            carried.pop()
        elif token != "'" and not script:
            carried[-1] = set()
    assert not awaiting, f"nothing after {awaiting} in {formula}"
    assert not opened, f"{opened[-1]} is missing in {formula}"
