"""The report on one formula, as text and as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.equations import Equation
from symrnn.expr import At, Node, t
from symrnn.formulas.edits import Edit
from symrnn.formulas.examples import Example
from symrnn.style import Style, generic_time, span_text

EQUAL, DIFFERENT, UNDECIDED = "equal", "different", "undecided"
STATUS = {EQUAL: 0, DIFFERENT: 1, UNDECIDED: 3}


@dataclass(frozen=True)
class Shown:
    """How formulas are written in a report.

    Attributes:
        style: Notation and letters.
    """

    style: Style

    def text(self, node: Any) -> str:
        """Write a formula for a terminal."""
        own = replace(self.style, medium="unicode")
        unbound = {s for leaf in node.free_symbols if isinstance(leaf, At) for s in leaf.time.free_symbols if s.name.startswith("_s")}
        letters = dict(zip(sorted(unbound, key=str), (generic_time(own), *"sk"), strict=False))
        return writer.text(node, replace(own, indices=letters))


@dataclass(frozen=True)
class FormulaReport:
    """What came of comparing a formula.

    Attributes:
        target: What it is for.
        formula: As it was read.
        lines: The derived lines.
        verdict: ``equal``, ``different`` or ``undecided``.
        times: The times that were compared; ``None`` for a quantity without time.
        wrong: Those of them at which it is wrong.
        sizes: At which it was compared.
        chance: Bound on the probability that a wrong formula is called equal.
        conditions: Relations of the network that the derivation uses.
        edits: What differs: changes that make it right.
        example: The smallest numbers that show it.
        style: How formulas are written.
        length: How many times there are.
    """

    target: Node
    formula: Node
    lines: tuple[Equation, ...]
    verdict: str
    times: tuple[int | None, ...]
    wrong: tuple[int | None, ...]
    sizes: Mapping[Basic, int]
    chance: float
    conditions: tuple[Any, ...]
    edits: tuple[Edit, ...]
    example: Example | None
    style: Shown
    length: int

    @property
    def ok(self) -> bool:
        """Whether the formula is equal."""
        return self.verdict == EQUAL

    @property
    def status(self) -> int:
        """The exit status of the command: 0 equal, 1 different, 3 where nothing could be compared."""
        return STATUS[self.verdict]

    def assert_ok(self) -> None:
        """Raise where the formula is not equal.

        Raises:
            AssertionError: With the report.
        """
        if not self.ok:
            raise AssertionError(self.text())

    @property
    def findings(self) -> tuple[str, ...]:
        """What differs, one line each."""
        return tuple(sentence(edit, self.style) for edit in self.edits)

    def text(self) -> str:
        """Return the report for a terminal."""
        out = [f"{self.style.text(self.target)}: {self.verdict}{self.where()}", ""]
        out += self.formulas()
        out += [f"  {line}" for line in self.findings] + ([""] if self.edits else [])
        if self.verdict == DIFFERENT and not self.edits:
            out += ["  no single term or factor explains it", ""]
        if self.example is not None:
            out += [*self.example.text(self.style), ""]
        return "\n".join([*out, *self.means()]) + "\n"

    def json(self) -> str:
        """Return the report as JSON."""
        shown = self.style.text
        example = None if self.example is None else {
            "sizes": named(self.example.sizes), "time": self.example.time, "entry": self.example.place,
            "given": {shown(node): [[int(x) for x in row] for row in rows] for node, rows in self.example.given.items()},
            "value": self.example.value, "derivative": self.example.true,
        }
        return json.dumps({
            "version": 1, "for": shown(self.target), "verdict": self.verdict, "formula": shown(self.formula),
            "derived": [{"formula": shown(e.rhs), "times": None if e.span is None else str(e.span)} for e in self.lines],
            "times": self.times, "wrong_times": self.wrong, "sizes": named(self.sizes), "probability_of_error": self.chance,
            "findings": [{"kind": e.kind, "there": part(e.there, shown), "due": part(e.due, shown)} for e in self.edits],
            "example": example,
        }, ensure_ascii=False, indent=2) + "\n"

    def where(self) -> str:
        """Say at which times a formula is wrong, where it is not at all of them."""
        if self.verdict == UNDECIDED:
            return ": it reads at every time what is not there"
        right = [time for time in self.times if time not in self.wrong]
        if not self.wrong or not right:
            return ""
        return f" at t = {', '.join(map(str, self.wrong))}, right at t = {', '.join(map(str, right))}"

    def formulas(self) -> list[str]:
        """Write the formula and the derived lines, with marks under what differs."""
        out = marked("yours", self.style.text(self.formula), [self.style.text(e.there) for e in self.edits if e.there is not None])
        for line in self.lines:
            single = line.span is not None and line.span.single
            rhs = line.rhs.xreplace({t: line.span.lo}) if single and line.span is not None else line.rhs
            when = "" if line.span is None else f"   ({span_text(line.span, replace(self.style.style, medium='unicode'))})"
            out += marked("derived", self.style.text(rhs), [self.style.text(e.due) for e in self.edits if e.due is not None], when)
        return [*out, ""]

    def means(self) -> list[str]:
        """Say what the verdict means."""
        at = ", ".join(f"{letter} = {value}" for letter, value in sorted(self.sizes.items(), key=str))
        times = [time for time in self.times if time is not None]
        when = f", t = {', '.join(map(str, times))} of {self.length} times" if times else ""
        given = "".join(f"; it uses {self.style.text(c.lhs)} = {self.style.text(c.rhs)}" for c in self.conditions)
        if self.verdict == EQUAL:
            return [f"proved at {at}{when}: an identity modulo 2^61 - 1, wrong with a probability below {self.chance:.0e}{given}"]
        return [f"compared at {at}{when}, modulo 2^61 - 1"]


def named(sizes: Mapping[Basic, int]) -> dict[str, int]:
    """Return sizes by their letters."""
    return {str(letter): int(value) for letter, value in sizes.items()}


def part(node: Any, shown: Callable[[Any], str]) -> str | None:
    """Write a part of a formula, where there is one."""
    return None if node is None else shown(node)


def marked(label: str, text: str, parts: list[str], when: str = "") -> list[str]:
    """Write a formula behind a label, with marks under some of its parts."""
    head = f"  {label:<8} "
    line = [" "] * len(text)
    for part in parts:
        place = text.find(part)
        if part and part != text and place >= 0:
            line[place: place + len(part)] = "^" * len(part)
    marks = "".join(line).rstrip()
    return [head + text + when] + ([" " * len(head) + marks] if marks else [])


def sentence(edit: Edit, shown: Shown) -> str:
    """Say what is wrong."""
    if edit.there is None:
        return f"{edit.kind}: {shown.text(edit.due)}"
    if edit.due is None:
        return f"{edit.kind}: {shown.text(edit.there)}"
    return f"{edit.kind}: {shown.text(edit.there)} stands where {shown.text(edit.due)} is due"
