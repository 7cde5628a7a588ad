"""From a refused backward pass to its mistakes: find the model, hunt the mistakes, confirm them in balls, name the lines.

Guarantees:
    *Complete* means: at every point, each number that the backward returned for the gradients of the model lies within the
    ball that the wrong derivation gives, or within 2^-45 of it. Other mistakes may give the same numbers; the fewest and
    simplest that do are named. Blind: to what is no gradient of the model, and to forwards that are no known cell.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.cells import CELLS
from symrnn.diagnosis.evidence import Part, Point, whole_upstream
from symrnn.diagnosis.formulas_as_code import UNRUNNABLE
from symrnn.diagnosis.hunting import Explained, Hunt, rule_for
from symrnn.diagnosis.mistake import Mistake
from symrnn.diagnosis.mistakes import Catalogue
from symrnn.diagnosis.observing import Code, as_floats
from symrnn.diagnosis.places import Record, Watch, files_of, first_place
from symrnn.diagnosis.rules import Rule, Rules, rules_of
from symrnn.diagnosis.search import Match, find_model, upstream_arrays
from symrnn.diagnosis.wording import formulas, sentence
from symrnn.equations import Cell
from symrnn.errors import SymrnnError
from symrnn.expr import At, TimeSum, split_scalar, t
from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.handwritten.findings import Diagnosis, Finding
from symrnn.verify.handwritten.report import REFUSED, Verdict
from symrnn.verify.handwritten.structures import entries, written
from symrnn.verify.handwritten.trial import Subject

SEARCH, HUNT = 2.5, 4.0
"""Seconds for the model and for the mistakes."""
TINY = 2.0**-45
LEFT_OUT = {"missing derivative", "missing factor"}
"""Mistakes after which a variable holds what another one holds already."""


def explain(subject: Subject, verdicts: Sequence[Verdict], request: Any) -> Diagnosis:
    """Name the mistakes of a backward pass that was refused.

    Args:
        subject: The code.
        verdicts: On its gradients.
        request: What was asked for: precision, seed, the cell where it was named.
    """
    code = Code(subject)
    try:
        with precision(request.plan.bits):
            match = find_model(code, code.point(f"{request.plan.seed}, point 0"), cell=named(request.cell), seconds=SEARCH)
            if match is None:
                return Diagnosis(statement="the forward is none of the known cells, so that its mistakes have no formula")
            return of_model(code, match, verdicts, request.plan.seed)
    except (Undecided, SymrnnError) as error:
        return Diagnosis(statement=f"nothing was found: {error}")


def named(cell: Any) -> Cell | None:
    """Return the cell that was named, where its options are not left open; ``None`` to try all."""
    return cell if isinstance(cell, Cell) else None


def of_model(code: Code, match: Match, verdicts: Sequence[Verdict], seed: object) -> Diagnosis:
    """Name the mistakes of a backward pass whose forward is a model."""
    points = points_of(code, match, seed)
    rules = rules_of(match.model.derivation)
    hunt = Hunt(points, Catalogue(match.model.network, rules), rules, time.process_time() + HUNT)
    found = hunt.run()
    title = described(match)
    if found is None or not found.mistakes:
        return Diagnosis(statement=f"no mistake of the catalogue gives the numbers of the code ({hunt.tried} were tried)", model=title)
    numbers = confirmed(points[-1], found)
    with code.subject.clock.phase("lines of the code"):
        records = watched(points[-1])
    told = Told(points[-1], rules, found, records)
    findings = tuple(told.finding(mistake) for mistake in told.merged())
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
    given = ", ".join(f"{series.name}_t" for _, series in match.model.upstream if match.outputs)
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


def output_name(code: Code, part: Part) -> str:
    """Return what the code calls the gradient of a part."""
    return written(code.subject.binding.matched[part.output])


def watched(point: Point) -> list[Record]:
    """Run the code once more and record what it assigns."""
    program = point.code.subject.program
    backward = program.backward if isinstance(program.backward, str) else getattr(program.backward, "__name__", "")
    watch = Watch(files_of(program.spaces), backward)
    watch.run(lambda: point.code.run(point.values, upstream_arrays(point.match, point.upstream), clipping=False))
    return watch.records


@dataclass
class Told:
    """Turns mistakes into findings.

    Attributes:
        point: The whole point.
        rules: The right rules.
        found: All mistakes.
        records: What the code assigned.
    """

    point: Point
    rules: Rules
    found: Explained
    records: Sequence[Record]

    def finding(self, mistake: Mistake) -> Finding:
        """Return a mistake as a finding."""
        right, wrong = formulas(mistake)
        outputs = self.spoiled(mistake)
        place = first_place(self.records, self.values(mistake), last=mistake.kind == "not accumulated", second=mistake.kind in LEFT_OUT,
                            outer=mistake.kind == "missing carry")
        text = sentence(mistake, outputs, place[1] if place else "")
        return Finding(mistake.kind, text, tuple(outputs), right, wrong, (place[0],) if place else ())

    def merged(self) -> list[Mistake]:
        """Return the mistakes, those of one kind that are made in one array of the code as one."""
        groups: dict[Any, list[Mistake]] = {}
        owner = {part.of: part.output for part in self.point.parts}
        for number, mistake in enumerate(self.found.mistakes):
            alone = mistake.start or any(rule.leads for rule in mistake.before)
            key = number if alone else (mistake.kind, frozenset(owner.get(of, "") for of in mistake.of))
            groups.setdefault(key, []).append(mistake)
        return [together(members) for members in groups.values()]

    def spoiled(self, mistake: Mistake) -> list[str]:
        """Return the outputs that a mistake alone makes wrong."""
        names = []
        rules = self.rules if mistake.start else {**self.rules, **{rule.of: rule for rule in mistake.after}}
        point = self.point
        point.predicted(self.rules)
        try:
            right = [as_array(point.value(self.rules[part.of], part)) for part in point.parts]
            point.predicted(rules)
            after = {rule.of: rule for rule in mistake.after}
            for part, value in zip(point.parts, right, strict=True):
                rule = after.get(part.of, rules[part.of]) if not mistake.start or part.time == 0 else rules[part.of]
                if not np.allclose(as_array(point.value(rule, part)), value, rtol=1e-9, atol=0):
                    names.append(output_name(point.code, part).partition("[")[0] if part.time else output_name(point.code, part))
        except UNRUNNABLE:
            return []
        return list(dict.fromkeys(names))

    def values(self, mistake: Mistake) -> list[Any]:
        """Return the values by which the line of a mistake is known: of changed terms, of whole gradients, of what reads these."""
        self.point.predicted(self.found.state.rules)
        made: list[Any] = []
        several = any(len(rule.terms) > 1 for rule in mistake.after) and mistake.kind in {"wrong scale", "wrong sign"} and not mistake.carry
        for change in mistake.changes:
            if change.result is not None and not several:
                made += self.over_time(change.result)
        for rule in mistake.after:
            made += self.of_rule(rule)
        own = {rule.lhs.series for rule in mistake.after if isinstance(rule.lhs, At)}
        for rule in self.found.state.rules.values():
            if rule.leads and own & {leaf.series for term in rule.terms if not term.carry for leaf in term.node.atoms(At)}:
                made += self.of_rule(rule)
        return made

    def of_rule(self, rule: Rule) -> list[Any]:
        """Return the values of a gradient at each time, from the last."""
        bench = self.point.bench
        scale = self.point.scale(bench)
        try:
            if not isinstance(rule.lhs, At):
                return [bench.static(rule) * scale]
            if rule.leads:
                return [bench.value(rule.lhs.series.key, moment) * scale for moment in range(bench.length, 0, -1)]
            terms = bench.terms(rule)
            return [sum(function(moment) for function, lo, hi in terms if lo <= moment <= hi) * scale for moment in range(bench.length, 0, -1)]
        except UNRUNNABLE:
            return []

    def over_time(self, node: Any) -> list[Any]:
        """Return the values of a term at each time, from the last; of a sum also what it is so far."""
        bench, scale = self.point.bench, self.point.scale(self.point.bench)
        factor, core = split_scalar(node)
        body = core.args[0].xreplace({core.args[1]: t}) * factor if isinstance(core, TimeSum) else node
        found: list[Any] = []
        total: Any = 0
        for moment in range(bench.length, -1, -1):
            try:
                value = bench.function(body)(moment) * scale
            except UNRUNNABLE:
                continue
            found.append(value)
            if isinstance(core, TimeSum) and moment:
                total = total + value
                found.append(total.sum(axis=1) if core.shape[1] == 1 and np.ndim(total) == 2 else total)
        return found


def together(mistakes: Sequence[Mistake]) -> Mistake:
    """Return mistakes of one kind as one."""
    if len(mistakes) == 1:
        return mistakes[0]
    return Mistake(
        mistakes[0].kind, tuple(of for m in mistakes for of in m.of), tuple(r for m in mistakes for r in m.before),
        tuple(r for m in mistakes for r in m.after), tuple(c for m in mistakes for c in m.changes), all(m.carry for m in mistakes))


def as_array(value: Any) -> Any:
    """Return a value as an array of floats."""
    return as_floats(np.asarray(value))


__all__ = ["CELLS", "explain"]
