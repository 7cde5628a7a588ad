"""What a judge says: one finding for each quantity that it compared."""

from __future__ import annotations

from dataclasses import dataclass

from symrnn.derivation import Derivation

AGREES, REFUTED, UNDECIDED = "agrees", "refuted", "undecided"


def unclipped(derivation: Derivation) -> str:
    """Say that gradients are judged before they are clipped, where they are."""
    return "; before clipping, which is no part of the derivative" if derivation.clipping is not None else ""


@dataclass(frozen=True)
class Finding:
    """The verdict on one quantity.

    Attributes:
        quantity: Name of the gradient or adjoint, such as ``d_W_f`` or ``d_h`` with the range of times of the line.
        verdict: ``agrees``, ``refuted`` or ``undecided``.
        detail: Numbers behind the verdict, in a line.
    """

    quantity: str
    verdict: str
    detail: str = ""


@dataclass(frozen=True)
class JudgeReport:
    """What one judge compared and found.

    Attributes:
        judge: Name of the judge.
        compared: What was held against what, with sizes.
        means: What agreement means, with its probability of error or number of digits.
        blind: What this judge cannot see.
        findings: One for each quantity.
        seconds: Time that it took.
    """

    judge: str
    compared: str
    means: str
    blind: str
    findings: tuple[Finding, ...]
    seconds: float = 0.0

    @property
    def refuted(self) -> tuple[Finding, ...]:
        """The findings that are wrong."""
        return tuple(f for f in self.findings if f.verdict == REFUTED)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """The findings that could not be decided."""
        return tuple(f for f in self.findings if f.verdict == UNDECIDED)

    @property
    def ok(self) -> bool:
        """Whether something was compared and everything agrees."""
        return bool(self.findings) and not self.refuted and not self.undecided

    def assert_ok(self) -> None:
        """Raise where a finding does not agree.

        Raises:
            AssertionError: With one line for each finding that does not agree.
        """
        if not self.ok:
            wrong = "\n".join(f"  {f.quantity}: {f.verdict} {f.detail}" for f in (*self.refuted, *self.undecided))
            raise AssertionError(f"{self.judge}: {wrong or 'nothing was compared'}")
