"""From a refused backward pass to its mistakes: find the model, hunt the mistakes, confirm them in balls, name the lines.

Guarantees:
    *Complete* means: at every point, each number that the backward returned for the gradients of the model lies within the
    ball that the wrong derivation gives, or within 2^-45 of it. Other mistakes may give the same numbers; the fewest and
    simplest that do are named. Blind: to what is no gradient of the model, and to forwards that are no known cell.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from symrnn import writer
from symrnn.diagnosis.evidence import Point, whole_upstream
from symrnn.diagnosis.formulas_as_code import UNRUNNABLE
from symrnn.diagnosis.hunting import Explained, Hunt, rule_for
from symrnn.diagnosis.mistakes import Catalogue
from symrnn.diagnosis.observing import Code, as_floats
from symrnn.diagnosis.places import clipping_places
from symrnn.diagnosis.rules import rules_of
from symrnn.diagnosis.search import Match, find_model, upstream_arrays
from symrnn.diagnosis.telling import Told, output_name
from symrnn.diagnosis.watching import Watch, files_of
from symrnn.equations import Cell
from symrnn.errors import SymrnnError
from symrnn.expr import t
from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.handwritten.findings import Diagnosis, Finding
from symrnn.verify.handwritten.report import REFUSED, Verdict
from symrnn.verify.handwritten.structures import entries, written
from symrnn.verify.handwritten.trial import Subject

SEARCH, HUNT = 2.5, 8.0
"""Seconds of processor time for the model and for the mistakes."""
TINY = 2.0**-45


def explain(subject: Subject, verdicts: Sequence[Verdict], request: Any, *, seconds: float = HUNT) -> Diagnosis:
    """Name the mistakes of a backward pass that was refused.

    Args:
        subject: The code.
        verdicts: On its gradients.
        request: What was asked for: precision, seed, the cell where it was named.
        seconds: For the mistakes, once the cell is known.
    """
    code = Code(subject)
    try:
        with precision(request.plan.bits), np.errstate(all="ignore"):  # wrong formulas overflow
            match = find_model(code, code.point(f"{request.plan.seed}, point 0"), cell=named(request.cell), seconds=SEARCH)
            if match is None:
                return Diagnosis(statement="the forward is none of the known cells, so that its mistakes have no formula")
            return of_model(code, match, verdicts, request.plan.seed, time.process_time() + seconds)
    except (Undecided, SymrnnError) as error:
        return Diagnosis(statement=f"nothing was found: {error}")


def named(cell: Any) -> Cell | None:
    """Return the cell that was named, where its options are not left open; ``None`` to try all."""
    return cell if isinstance(cell, Cell) else None


def of_model(code: Code, match: Match, verdicts: Sequence[Verdict], seed: object, end: float) -> Diagnosis:
    """Name the mistakes of a backward pass whose forward is a model."""
    points = points_of(code, match, seed)
    rules = rules_of(match.model.derivation)
    watch = watched(points[-1])
    clips = clipped(points[-1], watch)
    hunt = Hunt(points, Catalogue(match.model.network, rules), rules, end)
    found = hunt.run()
    title = described(match)
    if found is None or not (found.mistakes or (clips and not found.left)):
        return Diagnosis(clips, f"no mistake of the catalogue gives the numbers of the code ({hunt.tried} were tried)", title)
    numbers = confirmed(points[-1], found)
    with code.subject.clock.phase("lines of the code"):
        told = Told(points[-1], rules, found, watch.records)
        findings = (*(told.finding(mistake) for mistake in told.merged()), *clips)
    wrong = [v.name for v in verdicts if v.verdict in REFUSED]
    missed = [output_name(code, part) for part in found.left]
    return Diagnosis(findings, statement(findings, numbers, sorted(set(missed))), title,
                     bool(numbers) and not found.left and covers(code, points[-1], wrong))


def statement(findings: Sequence[Finding], numbers: int, missed: Sequence[str]) -> str:
    """Say what confirms the findings."""
    many = f"these {len(findings)} mistakes together" if len(findings) > 1 else "this mistake"
    if missed or not numbers:
        left = f"; {', '.join(missed)} {'has' if len(missed) == 1 else 'have'} something else wrong too" if missed else ""
        return f"{many} explain{'' if len(findings) > 1 else 's'} a part of what is wrong{left}"
    return f"{many} give{'' if len(findings) > 1 else 's'} each of the {numbers} numbers that the code returned, in balls"


def described(match: Match) -> str:
    """Say what the code was found to be: ``lstm, h @ W``."""
    how = "rows, h @ W" if match.reading.convention.rows else "columns, W @ h"
    ends = "" if len(match.model.ends) < 3 else f", {match.model.ends[0]}, {match.model.ends[2]}"
    given = ", ".join(writer.text(series[t]) for _, series in match.model.upstream if match.outputs)
    upstream = f"; {given}: upstream gradient{'s' if ',' in given else ''}" if given else ""
    return f"{match.model.title}{ends}, {how}{upstream}"


def points_of(code: Code, match: Match, seed: object) -> list[Point]:
    """Return the points at which the code is held against the model: local ones first, the whole one last."""
    names = [name for name, _ in match.model.upstream]
    values = code.point(f"{seed}, point 0")
    times = range(match.reading.sizes.T + 1)
    found = []
    if names and match.reading.sizes.T > 1:
        found.append(Point(match, code, values, whole_upstream(match, "first step", [1], names), True, (1, 0), False))
    if not names and match.reading.sizes.T > 1:
        found.append(Point(match, code, without_recurrence(code, match, values), {}, True, clipping=False))
    found.append(Point(match, code, values, whole_upstream(match, "all steps", times, names), clipping=False))
    return [point for k, point in enumerate(found) if k == len(found) - 1 or point.upstream or not names]


def without_recurrence(code: Code, match: Match, values: Any) -> dict[str, Any]:
    """Return the point with 0 in the place of every matrix that a state is multiplied by: through these nothing flows back."""
    made = {name: np.array(array) for name, array in values.items()}
    zeros = {int(place) for role in match.model.roles if role.reads not in {"x", "1", "*"} for place in match.reading.parameters[role.parameter].flat}
    for name, array in made.items():
        for index, place in zip(np.ndindex(array.shape), code.entries.places(name).flat, strict=True):
            if int(place) in zeros:
                array[index] = 0
    return made


def confirmed(point: Point, found: Explained) -> int:
    """Count the numbers that a wrong derivation gives in balls; 0 where one of them is another number."""
    bench = point.ready(object)
    try:
        bench.backward(found.state.rules, point.times)
        returned = point.code.entries.vector(point.balls, object)
        count = 0
        for part in point.parts:
            if part in found.left:
                continue
            value = entries(point.value(rule_for(part, found.state.rules, found.ends), part, bench) + np.zeros(part.places.shape, dtype=int))
            if not all(agree(a, b) for a, b in zip(value.flat, entries(returned[part.places]).flat, strict=True)):
                return 0
            count += value.size
    except UNRUNNABLE:
        return 0
    return count


def agree(a: Any, b: Any) -> bool:
    """Tell whether two balls can hold one number, up to float64 constants."""
    difference = a.value - b.value
    return bool(difference.contains(0) or abs(difference) < TINY * abs(b.value))


def covers(code: Code, point: Point, wrong: Iterable[str]) -> bool:
    """Tell whether every refused output is a gradient of the model."""
    known = {output_name(code, part) for part in point.parts}
    return all(any(name == own or own.startswith(f"{name}[") for own in known) for name in wrong)


def watched(point: Point) -> Watch:
    """Run the code once more and record what it assigns."""
    program = point.code.subject.program
    backward = program.backward if isinstance(program.backward, str) else getattr(program.backward, "__name__", "")
    watch = Watch(files_of(program.spaces), backward)
    watch.run(lambda: point.code.run(point.values, upstream_arrays(point.match, point.upstream), clipping=False))
    return watch


def clipped(point: Point, watch: Watch) -> tuple[Finding, ...]:
    """Name what changes when the backward's clips clip, if anything does."""
    gradients = point.code.gradients(point.code.run(point.values, upstream_arrays(point.match, point.upstream)))
    names = [name for name, array in gradients.items() if name in point.balls and not np.array_equal(as_floats(array), as_floats(point.balls[name]))]
    outputs = [written(point.code.subject.binding.matched[name]) for name in names]
    if not outputs:
        return ()
    text = f"{', '.join(outputs)} {'is' if len(outputs) == 1 else 'are'} clipped: large entries are cut off, and what is left is no gradient"
    return (Finding("clipped", text, tuple(outputs), places=clipping_places(watch.lines)),)
