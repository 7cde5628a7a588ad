"""Mistakes by name: what a diagnosis says of a gradient that is wrong.

The kinds are those of the catalogue of mistakes in hand-written gradients; what finds them lives elsewhere, and is asked
only when something was refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

KINDS: Mapping[str, str] = MappingProxyType({
    "missing derivative": "the derivative of an activation, or of another function, is left out",
    "wrong derivative": "the derivative of an activation is taken at a wrong value, such as an activated one, or is another function's",
    "missing carry": "what flows back from the next time step is not added, or is cut after some steps",
    "missing term": "one of the paths into a gradient is left out",
    "doubled term": "one of the paths into a gradient is counted twice",
    "a term too much": "something is added that belongs to no path",
    "missing factor": "a factor of a product, such as a gate, is left out",
    "a factor too much": "a product has a factor that does not belong there",
    "wrong quantity": "another gate or variable stands where one is due",
    "wrong time": "the value of another time step stands where one is due",
    "wraps around": "an index before the first time reads the last one",
    "missing transpose": "a transpose is missing, or one too much",
    "wrong scale": "a number, such as 1/N or 2, multiplies a gradient, or one that is due does not",
    "wrong sign": "plus and minus are exchanged",
    "not accumulated": "a sum over time or over the batch keeps one of its terms only",
    "brackets": "a factor of a sum multiplies one of its terms only, or the other way round",
    "clipped": "a value is clipped on the way",
})
"""Kind of a mistake to what it means."""


@dataclass(frozen=True)
class Place:
    """A line of the user's code.

    Attributes:
        line: Its number in the file.
        source: The line, without indentation.
    """

    line: int
    source: str


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes:
        kind: One of ``KINDS``.
        text: What is wrong, in a sentence.
        outputs: Results of the backward that it spoils.
        right: The formula as it should be; empty where only the line is known.
        wrong: The formula as the code has it.
        places: Lines of the code where it is made, or, where that cannot be known, where the spoiled variable is assigned.
        fix: The line as it should be, or what should stand after it, or that it should go; empty where that is not known.
    """

    kind: str
    text: str
    outputs: tuple[str, ...] = ()
    right: str = ""
    wrong: str = ""
    places: tuple[Place, ...] = ()
    fix: str = ""

    def lines(self) -> list[str]:
        """Return the finding as lines of text."""
        found = [f"{self.kind}: {self.text}"]
        found += [f"  should be  {self.right}"] if self.right else []
        found += [f"  the code   {self.wrong}"] if self.wrong else []
        found += [f"  line {place.line}: {place.source}" for place in self.places]
        return found + ([f"  repaired   {self.fix}"] if self.fix else [])


@dataclass(frozen=True)
class Diagnosis:
    """All mistakes together.

    Attributes:
        findings: In the order in which they were found.
        statement: What confirms them, or that nothing was found, in a sentence.
        model: What the code was held against: ``lstm, rows, gates i f o g``; empty where it was its own forward.
        complete: Whether the findings together explain every number that the backward returned.
    """

    findings: tuple[Finding, ...] = ()
    statement: str = ""
    model: str = ""
    complete: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as what JSON can hold."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Diagnosis:
        """Read back what :meth:`as_dict` returned."""
        findings = tuple(Finding(**{**row, "outputs": tuple(row["outputs"]), "places": tuple(Place(**p) for p in row["places"])})
                         for row in data["findings"])
        return Diagnosis(**{**data, "findings": findings})

    def text(self) -> list[str]:
        """Return the diagnosis as lines of text; none where there is nothing to say."""
        if not self.statement:
            return []
        head = f"diagnosis{f' (the forward is {self.model})' if self.model else ''}: {self.statement}"
        return [head, *(("  " if k else f"  {number}. ") + ("   " if k else "") + line
                        for number, finding in enumerate(self.findings, 1) for k, line in enumerate(finding.lines()))]
