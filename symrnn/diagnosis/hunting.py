"""The fewest mistakes that reproduce what the user's backward returned, found greedily with a beam.

Mistakes in gradients that others read come one by one: a mistake is kept where it explains more parts than were explained
without it. Mistakes in gradients that nothing reads (of parameters, inputs, initial states) are then tried one by one, each
on its own parts. All are confirmed together.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from symrnn.diagnosis.evidence import Part, Point
from symrnn.diagnosis.formulas_as_code import UNRUNNABLE
from symrnn.diagnosis.mistake import Mistake
from symrnn.diagnosis.mistakes import Catalogue
from symrnn.diagnosis.rules import Rule, Rules, reads

BEAM = 4
MOST = 5
SHOWN = 3000


@dataclass(frozen=True)
class State:
    """Rules with mistakes.

    Attributes:
        rules: The rules.
        mistakes: The mistakes in them.
        open: Numbers of parts that they do not explain, at each point.
    """

    rules: Rules
    mistakes: tuple[Mistake, ...] = ()
    open: tuple[tuple[int, ...], ...] = ()

    @property
    def score(self) -> tuple[int, int]:
        """Parts that are left, and mistakes."""
        return sum(map(len, self.open)), len(self.mistakes)


@dataclass(frozen=True)
class Explained:
    """What explains the numbers.

    Attributes:
        mistakes: All of them; those in gradients that others read come first.
        state: The rules that others read, with their mistakes.
        ends: The rules by which each part is compared: those of the state, and wrong ones that nothing reads.
        left: Parts that are not explained.
    """

    mistakes: tuple[Mistake, ...]
    state: State
    ends: dict[tuple[Any, int | None], Rule]
    left: tuple[Part, ...] = ()

    @property
    def cost(self) -> tuple[int, int]:
        """Parts that are left, and mistakes."""
        return len(self.left), len(self.mistakes)


@dataclass
class Hunt:
    """A search.

    Attributes:
        points: Local ones first, the whole one last.
        catalogue: The mistakes that can be made.
        rules: The right rules.
        stop: When time is over.
        tried: How many mistakes were tried.
    """

    points: Sequence[Point]
    catalogue: Catalogue
    rules: Rules
    stop: float
    tried: int = field(default=0)

    @property
    def local(self) -> range:
        """Numbers of the points at which nothing flows back."""
        return range(len(self.points) - 1)

    @property
    def last(self) -> int:
        """Number of the whole point."""
        return len(self.points) - 1

    @cached_property
    def depends(self) -> dict[Any, set[Any]]:
        """The quantities whose gradients at the same time a gradient depends on."""
        return reads(self.rules)

    @cached_property
    def probes(self) -> list[list[int]]:
        """Numbers of the parts that tell most at each point: the smallest of those that depend on the same gradients."""
        found = []
        for point in self.points:
            best: dict[Any, int] = {}
            for k, part in enumerate(point.parts):
                key = (frozenset(self.depends[part.of] - {part.of}) if not self.rules[part.of].leads else part.of, part.time)
                if key not in best or part.places.size < point.parts[best[key]].places.size:
                    best[key] = k
            found.append(sorted(best.values(), key=lambda k: point.parts[k].places.size))
        return found

    def late(self) -> bool:
        """Tell whether time is over."""
        return time.process_time() > self.stop

    def open_at(self, rules: Rules, number: int, most: int = 10**9) -> tuple[int, ...] | None:
        """Return the probes that rules do not explain at a point; ``None`` where they are more than allowed, or the rules cannot be run."""
        point = self.points[number]
        self.tried += 1
        try:
            point.predicted(rules)
        except UNRUNNABLE:
            return None
        found: list[int] = []
        for k in self.probes[number]:
            if not point.is_explained(rules[point.parts[k].of], point.parts[k]):
                found.append(k)
                if len(found) > most:
                    return None
        return tuple(found)

    def measured(self, state: State) -> State:
        """Return a state with what it leaves open."""
        return replace(state, open=tuple(self.open_at(state.rules, k) or () for k in range(len(self.points))))

    def run(self) -> Explained | None:
        """Return the best explanation; ``None`` where there is none in time."""
        frontier = [self.measured(State(self.rules))]
        best: Explained | None = None
        for depth in range(MOST):
            for state in frontier if depth else []:
                found = self.ended(state)
                if best is None or found.cost < best.cost:
                    best = found
            if not depth:
                best = self.ended(frontier[0]) if self.is_nearly(frontier[0]) else None
            done = best is not None and not best.left and len(best.mistakes) <= depth + 1
            if done or self.late():
                break
            grown = self.grown(frontier)
            if not grown:
                return best or self.ended(frontier[0])
            frontier = grown
        return best

    def is_nearly(self, state: State) -> bool:
        """Tell whether less than half of what is compared is left open: then mistakes that nothing reads may be all."""
        return 2 * len(state.open[self.last]) < len(self.probes[self.last])

    def grown(self, frontier: Sequence[State]) -> list[State]:
        """Return the best states with one mistake more; with two more where no single one helps."""
        found: list[State] = []
        for state in frontier:
            hidden = not any(state.open[k] for k in self.local)
            for child in self.children(state) if hidden else self.local_children(state):
                found.append(child)
                if not child.score[0]:
                    return [child]
        if not found:
            found = [child for state in frontier[:1] if any(state.open[k] for k in self.local) for child in self.children(state)]
        return distinct(sorted(found, key=lambda s: s.score))[:BEAM] or self.pairs(frontier[0])

    def suspects(self, state: State) -> list[Any]:
        """Return the quantities whose gradients may be wrong: what is open depends on them, and what is explained does not."""
        leading = [of for of, rule in self.rules.items() if rule.leads]
        number = next((k for k in self.local if state.open[k]), self.last)
        parts = self.points[number].parts
        opened = set().union(*(self.depends[parts[k].of] for k in state.open[number])) if state.open[number] else set()
        if number == self.last:
            return leading
        returned = self.points[number].returned
        fine = set().union(*(self.depends[parts[k].of] for k in self.probes[number] if k not in state.open[number]
                             and not self.rules[parts[k].of].leads and returned[parts[k].places].any()), set())
        states = {of for of in leading if any(term.carry for term in self.rules[of].terms)}
        return [of for of in leading if of in (opened - fine) | states]

    def local_children(self, state: State) -> Iterator[State]:
        """Yield the states with one mistake more that leave less open where nothing flows back."""
        strict = len(self.local) == 1
        for mistake in self.catalogue.of(state.rules, self.suspects(state)):
            if self.late():
                return
            rules = mistake.applied(state.rules)
            opened = [self.open_at(rules, k, len(state.open[k]) - strict) for k in self.local]
            if None not in opened and any(len(o or ()) < len(state.open[k]) for k, o in enumerate(opened)):
                last = self.open_at(rules, self.last)
                if last is not None:
                    yield State(rules, (*state.mistakes, mistake), (*(o or () for o in opened), last))

    def children(self, state: State) -> Iterator[State]:
        """Yield the states with one mistake more that leave less open at the whole point, and not more at the others."""
        leading = [of for of, rule in self.rules.items() if rule.leads]
        flowing = [of for of in leading if any(term.carry for term in self.rules[of].terms)]
        for mistake in itertools.chain(self.catalogue.of(state.rules, flowing), self.catalogue.of(state.rules, leading)):
            if self.late():
                return
            rules = mistake.applied(state.rules)
            last = self.open_at(rules, self.last, len(state.open[self.last]) - 1)
            if last is not None:
                opened = [self.open_at(rules, k, len(state.open[k])) for k in self.local]
                if None not in opened:
                    yield State(rules, (*state.mistakes, mistake), (*(o or () for o in opened), last))

    def pairs(self, state: State) -> list[State]:
        """Return the states with two mistakes more that leave less open, where no single one does."""
        mistakes = [m for m in self.catalogue.of(state.rules, self.suspects(state)) if m.kind not in {"wrong quantity", "wrong time", "wrong scale"}]
        number = next((k for k in self.local if state.open[k]), self.last)
        found: list[State] = []
        for first, second in itertools.combinations(mistakes, 2):
            if self.late() or len(found) >= BEAM:
                break
            if not set(first.of) & set(second.of):
                rules = second.applied(first.applied(state.rules))
                if self.open_at(rules, number, len(state.open[number]) - 1) is not None:
                    found.append(self.measured(State(rules, (*state.mistakes, first, second))))
        return sorted(found, key=lambda s: s.score)

    def ended(self, state: State) -> Explained:
        """Explain what a state leaves open by mistakes in gradients that nothing reads."""
        for point in self.points:
            point.predicted(state.rules)
        ends: dict[tuple[Any, int | None], Rule] = {}
        mistakes: list[Mistake] = []
        left = self.unexplained(state.rules, ends)
        targets = list(dict.fromkeys(part.of for part in left))
        free = [of for of in targets if not state.rules[of].leads]
        for mistake in self.catalogue.of(state.rules, free):
            keys = [key for key in ((part.of, None) for part in left) if key[0] in mistake.of]
            if len({of for of, _ in keys} - {of for of, _ in ends}) == len(mistake.of):
                self.accept(mistake, state.rules, ends, mistakes, None)
        for of in targets:
            if state.rules[of].leads and all(part.time == 0 for part in left if part.of == of):
                for mistake in self.catalogue.of(state.rules, [of]):
                    if (of, 0) not in ends and mistake.of == (of,):
                        self.accept(mistake, state.rules, ends, mistakes, 0)
        rest = self.unexplained(state.rules, ends)
        return Explained((*state.mistakes, *mistakes), state, ends, tuple(rest))

    def accept(
        self, mistake: Mistake, rules: Rules, ends: dict[tuple[Any, int | None], Rule], mistakes: list[Mistake], when: int | None,
    ) -> None:
        """Take a mistake where it explains all parts of its quantities at all points."""
        self.tried += 1
        after = {rule.of: rule for rule in mistake.after}
        asked = [(point, part) for point in self.points for part in point.parts if part.of in after and (when is None or part.time == when)]
        if not asked or not all(point.is_explained(after[part.of], part) for point, part in asked):
            return
        mistakes.append(replace(mistake, start=when == 0))
        ends.update({(of, when): rule for of, rule in after.items()})

    def unexplained(self, rules: Rules, ends: dict[tuple[Any, int | None], Rule]) -> list[Part]:
        """Return the parts that rules, and wrong ones that nothing reads, do not explain at some point."""
        found = []
        for part in self.points[-1].parts:
            rule = rule_for(part, rules, ends)
            if not all(point.is_explained(rule, part) for point in self.points if part.time is None or part.time in point.times):
                found.append(part)
        return found


def rule_for(part: Part, rules: Rules, ends: dict[tuple[Any, int | None], Rule]) -> Rule:
    """Return the rule by which a part is compared."""
    return ends.get((part.of, part.time)) or ends.get((part.of, None)) or rules[part.of]


def distinct(states: Iterable[State]) -> list[State]:
    """Drop states with the same rules."""
    seen: set[Any] = set()
    kept = []
    for state in states:
        key = tuple((of, rule.terms) for of, rule in state.rules.items())
        if key not in seen:
            seen.add(key)
            kept.append(state)
    return kept
