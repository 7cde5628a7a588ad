"""``explain``: which lines of a backward pass are wrong, found by changing them until its gradients are right.

Guarantees:
    What is called confirmed is: with the edits that are named, every returned gradient is right in balls, as the report
    means it. Blind: to mistakes that no edit of the catalogue repairs, and to code whose source cannot be read. Other
    edits may repair the same program; those that are tried first are simpler.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symrnn.repair.bench import Bench, State
from symrnn.repair.guess import Guess
from symrnn.repair.observing import choosing, observed
from symrnn.repair.running import Stage, staged
from symrnn.repair.search import outcome, searched
from symrnn.repair.source import Unit, compiled, units_of
from symrnn.repair.swapping import closed_over, defaults_now, given_again, swapped
from symrnn.repair.telling import finding_of
from symrnn.repair.truth import Exam, exam_of, is_time
from symrnn.verify.balls.dual import Undecided
from symrnn.verify.handwritten.code_objects import functions_in
from symrnn.verify.handwritten.deciding import excused
from symrnn.verify.handwritten.examples import at_sizes
from symrnn.verify.handwritten.findings import Diagnosis, Finding
from symrnn.verify.handwritten.judging import CONSTANTS, EQUAL, Plan, judge
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.report import CLIPPED, REFUSED, Verdict
from symrnn.verify.handwritten.structures import written
from symrnn.verify.handwritten.trial import Subject
from symrnn.verify.handwritten.verifying import Request

SECONDS = 6.0
TIMES = 3
CONFIRMATIONS = 4
NO_SOURCE = "the source of the backward cannot be read, so that no edit was tried"
NOT_RUN = "the code does not run in float64 as it does in balls, so that no edit was tried"


@dataclass
class Confirmed:
    """Holds edits against the derivative of the forward, in balls.

    Attributes:
        subject: The code.
        units: Its functions.
        plan: How hard to try.
        defaults: Of the arguments of functions, as they were before anything ran.
        tries: How many are left.
    """

    subject: Subject
    units: Sequence[Unit]
    plan: Plan
    defaults: Sequence[tuple[Any, Any, Any]]
    tries: int = CONFIRMATIONS

    def __call__(self, state: State) -> bool:
        if self.tries == 0:
            return False
        self.tries -= 1
        subject = replace(self.subject)  # a copy has not run yet
        try:
            with given_again(self.defaults), swapped({unit.function: compiled(unit, {}, state.patch) for unit in self.units}):
                judged = excused(subject, self.plan, judge(subject, self.plan))
        except (Stopped, Undecided):
            return False
        return all(j.outcome.kind in (EQUAL, CONSTANTS) for j in judged.values())


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes:
        verdicts: On the gradients.
        plan: How hard to try when edits are confirmed.
        end: When to stop.
        guess: What somebody else says of the mistakes.
        defaults: Of the arguments of functions, as they were before anything ran.
    """

    verdicts: Sequence[Verdict]
    plan: Plan
    end: float
    guess: Guess
    defaults: Sequence[tuple[Any, Any, Any]]


def explain(
    subject: Subject, verdicts: Sequence[Verdict], request: Request, *, seconds: float = SECONDS, guess: Diagnosis | None = None,
) -> Diagnosis:
    """Find edits of the backward's source after which every gradient is right; each is a mistake by name.

    Args:
        subject: The code, explored on balls.
        verdicts: On its gradients.
        request: What was asked for.
        seconds: When to stop looking.
        guess: What somebody else says of the mistakes: edits of these kinds are tried first, and no others where it is complete.

    Returns:
        The mistakes, or a sentence that says that none was found, and why.
    """
    if not any(v.verdict in REFUSED for v in verdicts):
        return Diagnosis(statement="every gradient is right, so that no edit was tried")
    end = time.process_time() + seconds
    functions = functions_of(subject)
    units, defaults = units_of(functions), defaults_now(functions)
    if not units:
        return Diagnosis(statement=NO_SOURCE)
    try:
        with quiet(), ExitStack() as stack:
            made = placed(subject, units, stack, loud=any(v.verdict == CLIPPED for v in verdicts))
            search = Search(verdicts, request.plan, end, Guess.of(guess) if guess else Guess(), defaults)
            return Diagnosis(statement=NOT_RUN) if made is None else looked(subject, search, units, made)
    except (Stopped, Undecided) as problem:
        return Diagnosis(statement=f"{NOT_RUN}: {problem}")


def functions_of(subject: Subject) -> list[Any]:
    """Return the functions of the program, those that it closes over too."""
    program = subject.program
    passes = [f for f in (program.forward, program.backward) if callable(f)]
    return closed_over([*functions_in(program.spaces), *passes])


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what edited programs print and warn of."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def placed(subject: Subject, units: Sequence[Unit], stack: ExitStack, *, loud: bool) -> Exam | None:
    """Let the code run in float64, at few times where that shows the mistakes too; ``None`` where it does not run."""
    stack.enter_context(swapped({unit.function: compiled(unit, {}) for unit in units}))
    for sizes in (fewer(subject), None):
        with ExitStack() as trying:
            try:
                smaller = subject if sizes is None else at_sizes(subject, sizes)
                stage = trying.enter_context(staged(smaller, "repair"))
                exam = exam_of(stage, subject.wanted, loud=loud)
            except Exception:  # foreign code at other sizes may raise anything
                continue
            if exam is not None and shows(exam):
                stack.enter_context(trying.pop_all())
                return exam
    return None


def fewer(subject: Subject) -> dict[str, int] | None:
    """Return the sizes with fewer times; ``None`` where nothing says which letter that is."""
    sizes = dict(subject.sizes)
    letter = next((name for name in sizes if is_time(name) and sizes[name] > TIMES), "")
    if not letter or subject.program.inputs.labels:
        return None
    spare = next(n for n in (7, 9, 11, 13) if n not in sizes.values() or n == sizes[letter])
    return {name: TIMES if name == letter else spare if size == TIMES else size for name, size in sizes.items()}


def shows(exam: Exam) -> bool:
    """Tell whether the backward runs, and something is wrong."""
    numbers = exam.returned()
    return numbers is not None and not bool(np.all(exam.marks(numbers)))


def looked(subject: Subject, search: Search, units: Sequence[Unit], exam: Exam) -> Diagnosis:
    """Search, and say what was found."""
    scopes = observed(exam.stage, units)
    if not scopes:
        return Diagnosis(statement=NO_SOURCE)
    with choosing(units) as spaces:
        bench = Bench(exam, units, scopes, spaces, search.end, search.guess)
        found, best = searched(bench, Confirmed(subject, units, search.plan, search.defaults))
        state = found or (best if best.edits and newly_right(bench, best) else None)
        findings = findings_of(bench, state, search.verdicts) if state else ()
    return Diagnosis(findings, statement_of(bench, found is not None, findings), complete=found is not None)


def newly_right(bench: Bench, state: State) -> list[str]:
    """Name the arrays whose gradients the edits of a state make right."""
    before = outcome(bench, {})
    names = np.array(bench.exam.arrays())
    if before is None:
        return []
    return [name for name in dict.fromkeys(names) if all(bool(np.all(m[names == name])) for m in state.marks) and not np.all(before[0][names == name])]


def findings_of(bench: Bench, state: State, verdicts: Sequence[Verdict]) -> tuple[Finding, ...]:
    """Turn edits into findings, with the outputs that each spoils."""
    found = []
    for edit in state.edits:
        without = {e.statement: e.change.variant for e in state.edits if e is not edit}
        marks = outcome(bench, without)
        spoiled = () if marks is None else names_of(bench.exam.stage, bench.exam, state.marks[0] & ~marks[0], verdicts)
        found.append(finding_of(edit, bench.units[edit.statement.unit], spoiled))
    return tuple(found)


def names_of(stage: Stage, exam: Exam, entries: Any, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Name the outputs that entries belong to, as the verdicts do."""
    known = {v.name for v in verdicts}
    found: dict[str, None] = {}
    for (name, _), hit in zip(exam.entries, entries, strict=True):
        if hit:
            output = written(stage.subject.binding.matched[name])
            short = re.sub(r"(\[\d+\])+$", "", output)
            found[output if output in known or short not in known else short] = None
    return tuple(found)


def statement_of(bench: Bench, confirmed: bool, findings: Sequence[Finding]) -> str:
    """Say what the findings rest on."""
    late = ", when the time was over" if bench.late else ""
    if confirmed:
        edits = "this edit" if len(findings) == 1 else f"these {len(findings)} edits"
        return f"with {edits} of the backward every gradient is right in balls ({bench.runs} runs)"
    if findings:
        return f"with {'this edit' if len(findings) == 1 else 'these edits'} some gradients become right, others stay wrong: more is wrong ({bench.runs} runs{late})"
    return f"no edit of the backward that was tried makes its gradients right ({bench.runs} runs{late})"
