"""From what was measured to the verdicts of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symrnn.verify.balls.agreement import Outcome
from symrnn.verify.balls.dual import precision
from symrnn.verify.balls.mismatch import Mismatch
from symrnn.verify.handwritten.causes import ENTRIES, FEW, FEWER, Cause, common_ratio, mismatch_at, size_named, trial_of
from symrnn.verify.handwritten.clipped import clipped_causes, hidden_clips, measured_causes
from symrnn.verify.handwritten.code_objects import epsilons_of, without_epsilons
from symrnn.verify.handwritten.examples import smallest_examples
from symrnn.verify.handwritten.judging import CONSTANTS, EQUAL, OPEN, WRONG, Judged, Plan, judge
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.report import CLIPPED, FACTOR, RIGHT, SIDE_EFFECT, TRUNCATED, UNCHECKED, Verdict
from symrnn.verify.handwritten.report import CONSTANTS as UP_TO_CONSTANTS
from symrnn.verify.handwritten.report import WRONG as IS_WRONG
from symrnn.verify.handwritten.structures import Path, entries, same, written
from symrnn.verify.handwritten.trial import Subject
from symrnn.verify.handwritten.truncated import truncations

SEVERITY = (RIGHT, UP_TO_CONSTANTS, UNCHECKED, CLIPPED, FACTOR, TRUNCATED, IS_WRONG)
LITTLE = 1e-3
DIGITS = re.compile(r"^(\d+) digits$")


def verdicts_of(subject: Subject, plan: Plan) -> tuple[Verdict, ...]:
    """Judge every returned gradient, and say what the wrong ones are instead.

    Args:
        subject: The code.
        plan: How hard to try.
    """
    judged = excused(subject, plan, judge(subject, plan))
    wrong = {name: j for name, j in judged.items() if j.outcome.kind == WRONG}
    right = [name for name, j in judged.items() if j.outcome.kind in (EQUAL, CONSTANTS)]
    refuse_random_backward(subject, plan, wrong)
    with subject.clock.phase("cause"):
        clips = hidden_clips(subject, plan, right) if right else {}
        causes, found = causes_of(subject, plan, wrong)
    plain = [name for name in wrong if name not in causes and not wrong[name].whole]
    examples = smallest_examples(subject, plain, plan.bits) if plain else {}
    made = [verdict_of(subject, name, j, causes.get(name), clips.get(name, ""), found.get(name)) for name, j in judged.items()]
    made = [replace(v, example=examples.get(v.array), evidence=judged[v.array].evidence or v.evidence) for v in made]
    return (*grouped(made), *unknown(subject), *side_effects(subject, plan))


def refuse_random_backward(subject: Subject, plan: Plan, wrong: Mapping[str, Judged]) -> None:
    """Refuse a backward whose wrong gradients are others in a second run on the same numbers.

    Raises:
        Stopped: It is random.
    """
    names = [name for name, j in wrong.items() if not j.whole and j.bits == plan.bits]
    for name in names[:1]:
        with precision(plan.bits):
            trial = trial_of(subject, wrong[name])
            again = trial.backward()
            other = [n for n in names if not all(map(same, *(entries(trial.gradient(n, frame)).flat for frame in (trial.frame, again))))]
        if other:
            raise Stopped(f"{subject.program.names[1]} is random: two runs on the same numbers return another "
                          f"{written(subject.binding.matched[other[0]])}; fix the seed inside it, or turn off what is random")


def excused(subject: Subject, plan: Plan, judged: dict[str, Judged]) -> dict[str, Judged]:
    """Excuse what is wrong by little, and right when the small constants of the code are 0."""
    spaces = subject.program.spaces
    names = [name for name, j in judged.items() if j.outcome.kind == WRONG and not j.whole and little(j)]
    found = epsilons_of(spaces) if names else []
    if not found:
        return judged
    try:
        with without_epsilons(spaces):
            again = judge(replace(subject), plan, names=names)  # a copy: it has run nothing yet
    except Stopped:
        return judged
    shown = ", ".join(f"{epsilon:g}" for epsilon in found)
    fine = {n: Outcome(CONSTANTS, f"up to the small constants of the code ({shown}): {judged[n].outcome.detail}; right where they are 0")
            for n, j in again.items() if j.outcome.kind in (EQUAL, CONSTANTS)}
    return {n: replace(j, outcome=fine[n]) if n in fine else j for n, j in judged.items()}


def little(judged: Judged) -> bool:
    """Tell whether a mismatch is as small as a small constant makes it."""
    found = re.search(r"relative mismatch ([-+.\de]+)", judged.outcome.detail)
    return bool(found) and float(found[1]) < LITTLE if found else False


def causes_of(subject: Subject, plan: Plan, wrong: Mapping[str, Judged]) -> tuple[dict[str, Cause], dict[str, Mismatch]]:
    """Find what wrong gradients are instead."""
    causes = clipped_causes(subject, plan, wrong)
    left = {name: j for name, j in wrong.items() if name not in causes and not j.whole}
    found: dict[str, Mismatch] = {}
    whole: dict[str, Any] = {}
    for name, j in left.items():
        with precision(j.bits):
            trial = trial_of(subject, j)
            mismatch = mismatch_at(trial, name, ENTRIES if len(left) <= FEW else FEWER)
            if mismatch is not None and mismatch.wrong:
                found[name], whole[name] = mismatch, entries(trial.gradient(name))
    every = len(left) == len(subject.wanted)
    causes |= factors(subject, found, every=every)
    with precision(plan.bits):
        unnamed = {name: m for name, m in found.items() if name not in causes}
        causes |= measured_causes(subject, unnamed, {name: common_ratio(m) for name, m in unnamed.items()}, whole, every=every)
    return causes | truncations(subject, plan, {name: j for name, j in left.items() if name not in causes}), found


def factors(subject: Subject, found: Mapping[str, Mismatch], *, every: bool) -> dict[str, Cause]:
    """Find the gradients that are the right ones times one number: of sizes, or the same number for all of them."""
    exact = {name: mismatch.factor for name, mismatch in found.items()}
    same = every and len(set(exact.values())) == 1
    causes = {}
    for name, factor in exact.items():
        named = size_named(factor, subject.sizes) if factor is not None and factor > 0 else ""
        if factor is not None and factor > 0 and (named or same):
            causes[name] = Cause(FACTOR, named, factor=factor)
    return causes


def verdict_of(subject: Subject, name: str, judged: Judged, cause: Cause | None, clip: str, found: Mismatch | None) -> Verdict:
    """Return the verdict on one gradient."""
    output = written(subject.binding.matched[name])
    detail = "; ".join(filter(None, (judged.outcome.detail, judged.note)))
    if judged.outcome.kind == OPEN:
        return Verdict(output, name, UNCHECKED, f"because {detail}")
    if judged.outcome.kind == WRONG:
        return wrong_verdict(output, name, judged, cause, found)
    if clip:
        return Verdict(output, name, CLIPPED, f"{clip}; right where nothing is clipped")
    digits = DIGITS.match(judged.outcome.detail)
    if judged.outcome.kind == CONSTANTS:
        return Verdict(output, name, UP_TO_CONSTANTS, detail.removeprefix("up to float64 constants: "))
    note = judged.note if digits else detail
    return Verdict(output, name, RIGHT, note, digits=int(digits.group(1)) if digits else None)


def wrong_verdict(output: str, name: str, judged: Judged, cause: Cause | None, found: Mismatch | None) -> Verdict:
    """Return the verdict on a gradient that is not the derivative."""
    if cause is not None and cause.verdict == FACTOR:
        factor = cause.factor or Fraction(1)
        detail = f"every entry is {factor} times what is right: the loss is scaled in one pass only" if cause.detail else \
            f"every gradient is {factor} times what is right"
        return Verdict(output, name, FACTOR, detail, factor=cause.detail or str(factor))
    if cause is not None:
        verdict = TRUNCATED if cause.verdict == "truncated" else CLIPPED
        return Verdict(output, name, verdict, cause.detail, steps=cause.steps)
    detail = str(found) if found is not None else judged.outcome.detail
    return Verdict(output, name, IS_WRONG, "; ".join(filter(None, (detail, judged.note))))


def grouped(verdicts: list[Verdict]) -> list[Verdict]:
    """Say once what holds for all parts of a list, such as ``dxs[0]`` to ``dxs[5]``."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(re.sub(r"(\[\d+\])+$", "", verdict.name), []).append(verdict)
    made = []
    for name, members in groups.items():
        if len(members) > 3:
            worst = max(members, key=lambda v: (SEVERITY.index(v.verdict), -(v.digits or 0)))
            array = re.sub(r"(\[\d+\])+$", "", worst.array)
            alike = [v.name for v in members if v.verdict == worst.verdict]
            where = "" if len(alike) == len(members) else f"{len(alike)} of {len(members)} arrays, {alike[0]} to {alike[-1]}; "
            example = next((v.example for v in members if v.example), None)
            made.append(replace(worst, name=name, array=array, detail=where + worst.detail, example=example))
        else:
            made += members
    return made


def unknown(subject: Subject) -> list[Verdict]:
    """Say of which results nothing tells what they are the gradient of."""
    slots = [slot.name for slot in subject.slots if slot.moves and slot.name not in subject.binding.matched]
    return [Verdict(written(path), "", UNCHECKED, asked(subject, path, slots)) for path in subject.binding.unknown]


def asked(subject: Subject, path: Path, free: list[str]) -> str:
    """Ask what a result is the gradient of, with the line to add."""
    left = f" ({', '.join(free)} have none)" if free else ""
    names = [f"d{name}" for name in (*subject.wanted, *free)]
    return (f"because nothing says which array it is the gradient of{left}; add to args.toml: [backward] returns = "
            f"[{', '.join(repr(name) for name in names[:3])}, …] in the order that it returns them, \"-\" for what is none")


def side_effects(subject: Subject, plan: Plan) -> list[Verdict]:
    """Name the arguments that are changed in place."""
    with precision(plan.bits):
        seed = f"{plan.seed}, point 0"
        changed = trial_of(subject, Judged(None, seed)).frame.changed  # type: ignore[arg-type]  # only its seed is read
    made = []
    for text in dict.fromkeys(changed):
        name = text.rsplit(" ", 1)[1]
        made.append(Verdict(name, "", SIDE_EFFECT, f"{text} in place: whoever uses it afterwards gets other numbers"))
    return made


__all__ = ["verdicts_of"]
