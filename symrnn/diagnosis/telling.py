"""Mistakes as findings: what they spoil, and the line of the user's file in which each is made."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.diagnosis.evidence import Part, Point
from symrnn.diagnosis.formulas_as_code import UNRUNNABLE
from symrnn.diagnosis.hunting import Explained
from symrnn.diagnosis.mistake import Mistake
from symrnn.diagnosis.observing import Code, as_floats
from symrnn.diagnosis.places import Wanted, first_place, last_name
from symrnn.diagnosis.rules import Rule, Rules, Term
from symrnn.diagnosis.watching import Record
from symrnn.diagnosis.wording import formulas, sentence
from symrnn.expr import At, TimeSum, split_scalar, t
from symrnn.verify.handwritten.findings import Finding
from symrnn.verify.handwritten.structures import written

LEFT_OUT = {"missing derivative", "missing factor"}
"""Mistakes after which a variable holds what another one holds already."""
WHOLE = {"not accumulated", "wrong scale", "doubled term"}
"""Mistakes in gradients of parameters by which the code's array as a whole is known."""


def output_name(code: Code, part: Part) -> str:
    """Return what the code calls the gradient of a part."""
    return written(code.subject.binding.matched[part.output])


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
        place = first_place(self.records, self.wanted(mistake), last=mistake.kind == "not accumulated", outer=mistake.kind == "missing carry")
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
        after = {rule.of: rule for rule in mistake.after}
        names = []
        try:
            right = self.all_values(self.rules, {})
            wrong = self.all_values(self.rules if mistake.start else {**self.rules, **after}, after if mistake.start else {})
        except UNRUNNABLE:
            return []
        for part, a, b in zip(self.point.parts, right, wrong, strict=True):
            if not np.allclose(a, b, rtol=1e-9, atol=0):
                name = output_name(self.point.code, part)
                names.append(name.partition("[")[0] if part.time else name)
        return list(dict.fromkeys(names))

    def all_values(self, rules: Rules, at_start: Rules) -> list[Any]:
        """Return the gradients of all parts by some rules; those of initial states by others, where there are any."""
        self.point.predicted(rules)
        return [as_floats(np.asarray(self.point.value(at_start.get(part.of, rules[part.of]) if part.time == 0 else rules[part.of], part)))
                for part in self.point.parts]

    def wanted(self, mistake: Mistake) -> Iterator[Wanted]:
        """Yield the values by which the line of a mistake is known: of what is read, of changed terms, of whole gradients, of what reads these."""
        self.point.predicted(self.found.state.rules)
        ends = not any(rule.leads for rule in mistake.after)
        if mistake.kind == "wraps around":
            yield from (Wanted(x) for change in mistake.changes if change.stands is not None for x in self.of_leaf(change.stands))
            yield from (Wanted(x) for change in mistake.changes if change.stands is None for x in self.wrapped_values(mistake))
        whole = [Wanted(as_floats(self.point.balls[name])) for name in self.outputs_of(mistake)] if mistake.kind in WHOLE and not any(isinstance(rule.lhs, At) for rule in mistake.after) else []
        yield from whole if mistake.kind == "not accumulated" else ()
        if len(mistake.of) > 1 and mistake.kind in {"wrong time", "wrong quantity"} and not ends:
            yield from (Wanted(x) for x in self.of_leaf(mistake.changes[0].stands))
        several = any(len(rule.terms) > 1 for rule in mistake.after) and mistake.kind in {"wrong scale", "wrong sign"} and not mistake.carry
        if not several:
            yield from self.of_changes(mistake)
        yield from whole
        own = {rule.lhs.series for rule in mistake.after if isinstance(rule.lhs, At)}
        for rule in mistake.after:
            flowing = [term for term in rule.terms if term.carry]
            if mistake.kind == "missing term" and mistake.carry and flowing:
                yield from (Wanted(x) for x in self.sums(rule, flowing[0].node, flowing[1:]))
        for rule in mistake.after:
            yield from (Wanted(x, int(mistake.kind in LEFT_OUT), strict=True) for x in self.of_rule(rule)[int(mistake.carry):])
        for rule in self.found.state.rules.values():
            if rule.leads and own & {leaf.series for term in rule.terms if not term.carry for leaf in term.node.atoms(At)}:
                yield from (Wanted(x) for x in self.of_rule(rule))

    def outputs_of(self, mistake: Mistake) -> list[str]:
        """Return the code's arrays that hold the gradients of a mistake."""
        return list(dict.fromkeys(part.output for part in self.point.parts if part.of in mistake.of))

    def of_changes(self, mistake: Mistake) -> Iterator[Wanted]:
        """Yield the values of changed terms, alone and with other terms of their gradients."""
        skip = int(mistake.kind in LEFT_OUT)
        for change in mistake.changes:
            if change.result is not None:
                letters = self.letters(mistake)
                yield from (Wanted(x, max(skip, self.held_by_others(x, mistake)), letters, bool(skip)) for x in self.over_time(change.result))
        for rule, change in zip(mistake.after, mistake.changes, strict=False):
            if change.result is not None and len(rule.terms) > 1 and rule.leads:
                others = [term for term in rule.terms if term.node != change.result]
                for few in range(1, len(others) + 1):
                    for chosen in itertools.combinations(others, few):
                        yield from (Wanted(x) for x in self.sums(rule, change.result, chosen))

    def letters(self, mistake: Mistake) -> tuple[str, ...]:
        """Return what the code may call the quantity in whose gradient a mistake is made; nothing where there are several."""
        if len(mistake.of) > 1 or mistake.carry:
            return ()
        outputs = [] if mistake.after[0].leads else self.outputs_of(mistake)
        name = last_name(outputs[0]) if outputs else str(mistake.of[0].name)
        return (name, name.removeprefix("a_")) if name.startswith("a_") else (name,)

    def sums(self, rule: Rule, node: Any, others: Sequence[Term]) -> Iterator[Any]:
        """Yield a term with some others of its gradient, from the last time on."""
        bench, scale = self.point.bench, self.point.scale(self.point.bench)
        for moment in range(bench.length, -1, -1):
            try:
                own = bench.function(node)(moment)
                if np.any(own):
                    yield sum((bench.function(term.node)(moment) for term in others), own) * scale
            except UNRUNNABLE:
                continue

    def held_by_others(self, value: Any, mistake: Mistake) -> int:
        """Count the gradients that rightly have a value."""
        bench, scale = self.point.bench, self.point.scale(self.point.bench)
        count = 0
        for rule in self.found.state.rules.values():
            if rule.leads and isinstance(rule.lhs, At) and rule.of not in mistake.of:
                count += any(np.array_equal(bench.value(rule.lhs.series.key, moment) * scale, value) for moment in range(1, bench.length + 1))
        return count

    def of_leaf(self, leaf: Any) -> list[Any]:
        """Return the values of a quantity at each time, from the last; of one at a fixed time its value."""
        bench = self.point.bench
        if not isinstance(leaf, At):
            return []
        moments = range(bench.length, 0, -1) if t in leaf.time.free_symbols else [bench.length]
        found = [bench.function(leaf)(moment) for moment in moments]
        return [x for x in found if x is not None]

    def wrapped_values(self, mistake: Mistake) -> list[Any]:
        """Return the last values of what a sum reads before the first time."""
        bench = self.point.bench
        body = [change.due for change in mistake.changes if change.due is not None]
        series = {leaf.series for node in body for leaf in node.atoms(At) if not leaf.series.orders}
        return [bench.value(one.key, bench.length) for one in series]

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
            if isinstance(core, TimeSum) and core.shape[1] == 1 and np.ndim(value) == 2:
                value = value.sum(axis=1)
            found.append(value)
            if isinstance(core, TimeSum) and moment:
                total = total + value
                found.append(total)
        return found


def together(mistakes: Sequence[Mistake]) -> Mistake:
    """Return mistakes of one kind as one."""
    if len(mistakes) == 1:
        return mistakes[0]
    return Mistake(
        mistakes[0].kind, tuple(of for m in mistakes for of in m.of), tuple(r for m in mistakes for r in m.before),
        tuple(r for m in mistakes for r in m.after), tuple(c for m in mistakes for c in m.changes), all(m.carry for m in mistakes))
