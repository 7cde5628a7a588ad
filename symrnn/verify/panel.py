"""The three judges on one derivation and its code, or on the Jacobian of a step and its code.

Guarantees: what each judge proves, and where it is blind, stands in its report (``means``, ``blind``). The judges share
no rule with what they judge; they share the network, so that a network wired wrongly is judged as it is wired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from symrnn.codegen import to_numpy
from symrnn.derivation import Derivation
from symrnn.errors import SpecError, unknown
from symrnn.jacobians import StepJacobian
from symrnn.jacobians.program import step_programs
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise, judge_steps_entrywise
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.report import JudgeReport
from symrnn.verify.steps import judge_steps_balls, judge_steps_numeric

JUDGES: Mapping[str, Callable[[Derivation, int], JudgeReport]] = MappingProxyType({
    "entrywise": lambda derivation, seed: judge_entrywise(derivation, seed=seed),
    "balls": lambda derivation, seed: judge_balls(to_numpy(derivation), seed=seed),
    "numeric": lambda derivation, seed: judge_numeric(to_numpy(derivation), seed=seed),
})


STEP_JUDGES: Mapping[str, Callable[[StepJacobian, int], JudgeReport]] = MappingProxyType({
    "entrywise": lambda jacobian, seed: judge_steps_entrywise(jacobian, seed=seed),
    "balls": lambda jacobian, seed: judge_steps_balls(step_programs(jacobian), seed=seed),
    "numeric": lambda jacobian, seed: judge_steps_numeric(step_programs(jacobian), seed=seed),
})
"""The same judges on the Jacobian of a step."""


def check(
    derivation: Derivation | StepJacobian, *, judges: Sequence[str] | None = None, seed: int = 0,
    before: Callable[[str], None] = lambda name: None,
) -> tuple[JudgeReport, ...]:
    """Run the judges.

    Args:
        derivation: What is judged, with the code that it gives; or the Jacobian of a step.
        judges: Keys of ``JUDGES``; all by default.
        seed: Of the random points.
        before: Called with the name of each judge before it runs, and with an empty text at the end.

    Returns:
        One report a judge; ``report.assert_ok()`` raises where something does not agree.

    Raises:
        SpecError: Unknown judge, or one name instead of a list.
    """
    if isinstance(judges, str):
        raise SpecError(f"judges is a list of names; got the text '{judges}'; write judges=['{judges}']")
    if not isinstance(derivation, Derivation | StepJacobian):
        raise SpecError(f"check takes a derivation; got {type(derivation).__name__}; write check(derive(network(...)))")
    chosen = list(dict.fromkeys(judges or JUDGES))
    for name in chosen:
        if name not in JUDGES:
            raise unknown("judge", name, JUDGES)
    reports = []
    try:
        for name in chosen:
            before(name)
            if isinstance(derivation, StepJacobian):
                reports.append(STEP_JUDGES[name](derivation, seed))
            else:
                reports.append(JUDGES[name](derivation, seed))
    finally:
        before("")
    return tuple(reports)
