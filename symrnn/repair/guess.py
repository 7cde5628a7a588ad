"""What somebody else says of the mistakes: kinds and lines by which edits are ordered, and left out where all is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symrnn.verify.handwritten.findings import Diagnosis, Finding

RELATIVES: tuple[frozenset[str], ...] = (
    frozenset({"missing derivative", "wrong derivative", "missing factor", "a factor too much"}),
    frozenset({"missing term", "missing carry", "not accumulated"}),
    frozenset({"wrong quantity", "wrong time", "wraps around", "missing transpose"}),
    frozenset({"doubled term", "a term too much", "wrong scale"}),
)
"""Kinds that one and the same mistake can be called by."""
LIKELY, RELATED, NEAR = 1.0, 0.5, 0.4
"""How much likelier an edit is of a kind that was said, of a relative of such a kind, in a line that was said."""


@dataclass(frozen=True)
class Guess:
    """What is said of the mistakes.

    Attributes:
        kinds: Of mistakes.
        lines: In which they may be.
        whole: Whether all mistakes are among them, so that edits of other kinds are not tried.
    """

    kinds: frozenset[str] = frozenset()
    lines: frozenset[int] = frozenset()
    whole: bool = False

    @staticmethod
    def of(diagnosis: Diagnosis) -> Guess:
        """Read a diagnosis as a guess."""
        found: Iterable[Finding] = diagnosis.findings
        kinds = frozenset(one.kind for one in found)
        return Guess(kinds, frozenset(place.line for one in diagnosis.findings for place in one.places), diagnosis.complete and bool(kinds))

    @property
    def related(self) -> frozenset[str]:
        """The kinds, and their relatives."""
        return self.kinds.union(*(group for group in RELATIVES if group & self.kinds))

    def allows(self, kind: str) -> bool:
        """Tell whether an edit of a kind is worth a try."""
        return not self.whole or kind in self.related

    def favour(self, kind: str, line: int) -> float:
        """Return how much likelier an edit is than without the guess."""
        return (LIKELY if kind in self.kinds else RELATED if kind in self.related else 0.0) + NEAR * (line in self.lines)
