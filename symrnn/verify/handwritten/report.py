"""What is said of a gradient that somebody wrote: one verdict of a closed set for each, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from symrnn.verify.handwritten.findings import Diagnosis

RIGHT = "right"
CONSTANTS = "right up to float64 constants"
WRONG = "wrong"
FACTOR = "right up to a factor"
CLIPPED = "clipped"
TRUNCATED = "truncated"
SIDE_EFFECT = "side effect"
UNCHECKED = "not checked"
VERDICTS = (RIGHT, CONSTANTS, WRONG, FACTOR, CLIPPED, TRUNCATED, SIDE_EFFECT, UNCHECKED)
REFUSED = (WRONG, FACTOR, CLIPPED, TRUNCATED)
"""Verdicts that make the exit status 1, unless they are accepted."""
WARNED = (CONSTANTS, SIDE_EFFECT)
ACCEPTABLE = {"wrong": WRONG, "factor": FACTOR, "clipped": CLIPPED, "truncated": TRUNCATED, "unchecked": UNCHECKED,
              "side_effect": SIDE_EFFECT}
"""What ``[accept]`` may name, and the verdict that it accepts."""


@dataclass(frozen=True)
class Example:
    """The smallest example that shows a mistake.

    Attributes:
        sizes: Numbers by letter.
        values: Arrays, as text, by name; with the upstream gradients.
        entry: The entry that differs, such as ``dWh[0, 1]``.
        returned: What the code returned there.
        right: The derivative of its forward.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, str]
    entry: str
    returned: str
    right: str

    def __str__(self) -> str:
        sizes = ", ".join(f"{letter} = {number}" for letter, number in self.sizes.items())
        values = ", ".join(f"{name} = {text}" for name, text in self.values.items()) or "random numbers"
        return f"{sizes}{': ' if sizes else ''}{values} → {self.entry} is {self.returned}, and {self.right} is right"


@dataclass(frozen=True)
class Verdict:
    """The verdict on one output of the backward pass.

    Attributes:
        name: Of the output: ``dWh``.
        array: What it should be the gradient in: ``Wh``.
        verdict: One of ``VERDICTS``.
        detail: The numbers behind it, or why it was not checked, in a line.
        evidence: ``proved`` in balls; ``difference quotients``, ``float64`` where it is only evidence.
        factor: What the gradient is multiplied by, for ``right up to a factor``: ``T``, ``1/N``.
        steps: After how many steps it is truncated; ``None`` for other verdicts.
        digits: How many digits agree, where it is right.
        example: What shows a mistake.
        accepted: Whether ``[accept]`` names it.
    """

    name: str
    array: str
    verdict: str
    detail: str = ""
    evidence: str = "proved"
    factor: str = ""
    steps: int | None = None
    digits: int | None = None
    example: Example | None = None
    accepted: bool = False

    @property
    def title(self) -> str:
        """The verdict in words: ``proved wrong``, ``right up to the factor T``."""
        proved = self.evidence == "proved"
        words = {
            RIGHT: f"right to {self.digits} digits" if self.digits else "right",
            WRONG: "proved wrong" if proved else "wrong",
            FACTOR: f"right up to the factor {self.factor}",
            TRUNCATED: f"truncated after {self.steps} step{'' if self.steps == 1 else 's'}",
        }
        return words.get(self.verdict, self.verdict) + ("" if proved else f" (by {self.evidence})")


@dataclass(frozen=True)
class Report:
    """What was found out about a backward pass.

    Attributes:
        subject: What was verified: ``lstm_forward and lstm_backward``.
        verdicts: One for each output, then one for each side effect.
        compared: What was held against what.
        sizes: Numbers by letter at which it was compared.
        notes: What was decided without being told, and what was seen on the way.
        seconds: What the time went into, by phase.
        bits: Precision of the first try.
        problem: The one line that says why nothing was compared; empty where something was.
        diagnosis: The mistakes by name, where something was refused and they were found.
    """

    subject: str
    verdicts: tuple[Verdict, ...]
    compared: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    bits: int = 333
    problem: str = ""
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    @property
    def refused(self) -> tuple[Verdict, ...]:
        """The verdicts that are wrong, off by a factor, clipped or truncated, and not accepted."""
        return tuple(v for v in self.verdicts if v.verdict in REFUSED and not v.accepted)

    @property
    def unchecked(self) -> tuple[Verdict, ...]:
        """What could not be checked, and is not accepted."""
        return tuple(v for v in self.verdicts if v.verdict == UNCHECKED and not v.accepted)

    @property
    def warnings(self) -> tuple[Verdict, ...]:
        """Side effects and float64 constants."""
        return tuple(v for v in self.verdicts if v.verdict in WARNED and not v.accepted)

    @property
    def status(self) -> int:
        """The exit status: 1 refused, 2 nothing could be run, 3 something not checked, 0 otherwise."""
        if self.problem:
            return 2
        if self.refused:
            return 1
        return 3 if self.unchecked or not self.verdicts else 0

    @property
    def ok(self) -> bool:
        """Whether the exit status is 0."""
        return self.status == 0

    def assert_ok(self) -> None:
        """Raise where the exit status is not 0.

        Raises:
            AssertionError: With the report as its text.
        """
        if not self.ok:
            raise AssertionError(str(self))

    def accepting(self, accept: Mapping[str, Any]) -> Report:
        """Return the report in which some verdicts are accepted.

        Args:
            accept: ``True`` or names of outputs by kind: ``wrong``, ``factor``, ``clipped``, ``truncated``, ``unchecked``, ``side_effect``.
        """
        def is_accepted(verdict: Verdict) -> bool:
            given = next((value for kind, value in accept.items() if ACCEPTABLE[kind] == verdict.verdict), False)
            return given is True or (not isinstance(given, bool) and bool({verdict.name, verdict.array} & set(given)))

        return replace(self, verdicts=tuple(replace(v, accepted=is_accepted(v)) for v in self.verdicts))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as what JSON can hold."""
        return {"version": 2, "ok": self.ok, "status": self.status} | asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Report:
        """Read back what :meth:`as_dict` returned."""
        verdicts = tuple(
            Verdict(**{**row, "example": Example(**row["example"]) if row["example"] else None}) for row in data["verdicts"])
        rest = {key: value for key, value in data.items() if key not in ("version", "ok", "status", "verdicts", "notes", "diagnosis")}
        return Report(verdicts=verdicts, notes=tuple(data["notes"]), diagnosis=Diagnosis.from_dict(data["diagnosis"]), **rest)

    def __str__(self) -> str:
        if self.problem:
            return f"{self.subject}: {self.problem}"
        width = max((len(v.name) for v in self.verdicts), default=0)
        lines = [self.headline, ""]
        for v in self.verdicts:
            accepted = ", accepted" if v.accepted else ""
            lines.append(f"  {v.name:<{width}}  {v.title}{accepted}{': ' if v.detail else ''}{v.detail}")
            if v.example is not None:
                lines.append(f"  {'':<{width}}  smallest example: {v.example}")
        lines += ["", *told] if (told := self.diagnosis.text()) else []
        lines += ["", self.compared] if self.compared else []
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join([*lines, self.time_text])

    @property
    def headline(self) -> str:
        """The whole in one line."""
        counts = [f"{sum(v.verdict == kind for v in self.verdicts)} {kind}" for kind in VERDICTS
                  if any(v.verdict == kind for v in self.verdicts)]
        return f"{self.subject}: {', '.join(counts) or 'nothing was compared'}"

    @property
    def time_text(self) -> str:
        """What the time went into."""
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.seconds.items() if seconds >= 0.005)
        return f"time: {sum(self.seconds.values()):.2f} s" + (f" ({parts})" if parts else "")
