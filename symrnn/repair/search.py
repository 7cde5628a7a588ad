"""The search for edits after which every gradient is right: the likely ones first, a few together where one is not enough.

Guarantees:
    None by itself: what is found agrees in float64 at some entries, and is confirmed in balls by who asked.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.repair.bench import Bench, Edit, State
from symrnn.repair.catalogue import TIERS, changes_of, probe, site_of
from symrnn.repair.sites import Change, Off
from symrnn.repair.source import Patch, Statement, Variant
from symrnn.repair.swapping import swapped

CHUNK = 48
WIDTH, DEPTH = 6, 5
LEAST = 1e-9
STEPS: tuple[tuple[int, bool | None], ...] = ((0, None), (1, True), (2, True), (1, False), (2, False))
"""Which kinds of edits are tried in turn, and where: at statements that reach all that is wrong, at others, at all (``None``)."""
NEARLY = 0.85
UNPROVEN = 0.04
"""How much later an edit more is followed up, so that edits of other kinds have their turn before accidents of few entries."""
PAIRED, CHEAP = 40, 1.7
"""How many edits that let something flow back are tried in pairs, and what they may cost."""


def searched(bench: Bench, confirm: Callable[[State], bool]) -> tuple[State | None, State]:
    """Search for edits after which everything is right.

    Args:
        bench: Where they are tried.
        confirm: Says whether what looks right is.

    Returns:
        The edits that were confirmed, or ``None``; and the best that were seen.
    """
    with swapped(bench.codes({}, {})):
        marks = bench.marks(0)
    if marks is None:
        return None, State((), ())
    start = State((), marks, bench.score(marks))
    best, count = start, itertools.count()
    queue = [(urgency(bench, start, 0), next(count), start, 0)]
    known: set[bytes] = set()
    while queue and not bench.over():
        _, _, state, step = heapq.heappop(queue)
        children = []
        for child in expanded(bench, state, step):
            if not child.right:
                children.append(child)
            elif confirm(small := smaller(bench, child)):
                told = next(filter(confirm, in_place(bench, small)), small)
                return told, told
        if step + 1 < len(STEPS):
            heapq.heappush(queue, (urgency(bench, state, step + 1), next(count), state, step + 1))
        elif not state.edits:
            for first in carrying(bench, state):
                heapq.heappush(queue, (urgency(bench, first, step + 2), next(count), first, len(STEPS)))
        for child in chosen(children):
            mark = b"".join(m.tobytes() for m in child.marks)
            best = max(best, child, key=lambda s: (s.score, -s.cost))
            if mark not in known and len(child.edits) < DEPTH:
                known.add(mark)
                heapq.heappush(queue, (urgency(bench, child, 0), next(count), child, 0))
    return None, best


def urgency(bench: Bench, state: State, step: int) -> float:
    """Grade how late a state has its turn: soon where whole gradients are right, with few likely edits."""
    whole = sum(float(np.mean(bench.shares(m) == 1)) for m in state.marks) / len(state.marks)
    return -whole - 0.1 * state.score + 0.01 * state.cost + 0.03 * step + UNPROVEN * len(state.edits)


def chosen(children: Sequence[State]) -> list[State]:
    """Keep the best, and of those with the same outcome the likeliest."""
    found: dict[bytes, State] = {}
    for child in sorted(children, key=lambda c: c.cost):
        found.setdefault(b"".join(m.tobytes() for m in child.marks), child)
    return sorted(found.values(), key=lambda c: (-c.score, c.cost))[:WIDTH]


def expanded(bench: Bench, state: State, step: int) -> Iterator[State]:
    """Yield what becomes of a state by one more edit, where that is progress."""
    patch = state.patch
    with swapped(bench.codes(patch, {})):
        usual = [bench.numbers(0, k) for k in range(len(bench.exam.situations))]
    if any(u is None for u in usual):
        return
    spread, off = influences(bench, state, usual), off_by(bench, usual[0])
    if step == len(STEPS):
        ranked = [edit for tier in (0, 1, 2) for edit in ordered(bench, state, spread, off, tier, None) if is_carrying(edit)][:PAIRED]
    else:
        ranked = ordered(bench, state, spread, off, *STEPS[step])
    for start in range(0, len(ranked), CHUNK):
        for number, edit in tried(bench, patch, ranked[start:start + CHUNK]):
            if bench.over():
                return
            marks = bench.progress(number, state, usual)
            if marks is None:
                continue
            child = State((*state.edits, edit), marks, bench.score(marks))
            if child.score > state.score + LEAST or child.right:
                yield child


def is_carrying(edit: Edit) -> bool:
    """Tell whether an edit lets something flow back from the next time step."""
    return edit.change.kind == "missing carry" and edit.change.cost <= CHEAP


def carrying(bench: Bench, state: State) -> list[State]:
    """Return the states with one edit more that lets something flow back: where two flows are cut, one alone is no progress."""
    edits = [edit for tier in (0, 1, 2) for edit in ordered(bench, state, dict.fromkeys(bench.scopes), Off(), tier, None) if is_carrying(edit)]
    return [State((edit,), state.marks, state.score) for edit in edits[:PAIRED]]


def tried(bench: Bench, patch: Patch, chunk: Sequence[Edit]) -> Iterator[tuple[int, Edit]]:
    """Make the variants of some edits run side by side; yield each with the number that chooses it."""
    numbered = dict(enumerate(chunk, 1))
    variants: dict[Statement, dict[int, Variant]] = {}
    for number, edit in numbered.items():
        variants.setdefault(edit.statement, {})[number] = edit.change.variant
    try:
        codes = bench.codes(patch, variants)
    except (SyntaxError, ValueError):
        if len(chunk) > 1:
            for part in (chunk[: len(chunk) // 2], chunk[len(chunk) // 2:]):
                yield from tried(bench, patch, part)
        return
    with swapped(codes):
        yield from numbered.items()


def influences(bench: Bench, state: State, usual: Sequence[Any]) -> dict[Statement, Any]:
    """Find out which entries depend on which statement: by running it with other values.

    Statements that nothing depends on are missing; those where it cannot be found out have ``None``.
    """
    probes: list[Edit] = []
    found: dict[Statement, Any] = {}
    for statement in bench.scopes:
        text = state.patch.get(statement, (statement.text,))[0]
        site = site_of(statement, text, bench.units[statement.unit], bench.scopes)
        variant = probe(site)
        if variant is None:
            found[statement] = None
        else:
            probes.append(Edit(statement, Change(variant, "", 0)))
    for number, edit in tried(bench, state.patch, probes):
        numbers = bench.numbers(number, 0)
        if numbers is None:
            if not bench.exam.stage.whole:
                found[edit.statement] = None
            continue
        found[edit.statement] = ~(np.abs(numbers - usual[0]) <= LEAST * bench.exam.situations[0].scale)
    return found


def off_by(bench: Bench, numbers: Any) -> Off:
    """Return the numbers by which whole gradients are off."""
    exam = bench.exam
    names, right = np.array(exam.arrays()), exam.situations[0].right
    own = np.concatenate([np.asarray(exam.stage.values[name], dtype=float).ravel()[indices] for name, _, indices in exam.places])
    ratios: dict[float, None] = {}
    decays: dict[float, None] = {}
    for name in dict.fromkeys(names):
        mine, true, array = numbers[names == name], right[names == name], own[names == name]
        for number in constant(mine, true):
            ratios[number] = None
        for number in constant(true - mine, array, 1e-4):
            decays[float(f"{number:.4g}")] = None
    return Off(tuple(ratios), tuple(number for number in decays if abs(number) > LEAST))


def constant(one: Any, other: Any, within: float = 1e-6) -> list[float]:
    """Return the number that one array is the multiple of another by, where there is one and it is not 1."""
    moving = np.abs(other) > 1e-9 * np.max(np.abs(other))
    with np.errstate(all="ignore"):
        found = one[moving] / other[moving]
    alike = found.size > 1 and np.ptp(found) < within * abs(found[0]) and abs(found[0] - 1) > 1e-6
    return [round(float(found[0]), 9)] if alike else []


def ordered(
    bench: Bench, state: State, spread: Mapping[Statement, Any], off: Off, tier: int, prime: bool | None,
) -> list[Edit]:
    """Return the edits of some kinds, those first that are likely, and whose statement is suspect.

    Args:
        bench: Where they are tried.
        state: What was edited before.
        spread: What each statement reaches.
        off: By what whole gradients are off.
        tier: Which kinds.
        prime: Whether only statements are edited that reach all that is wrong, or only others; ``None`` for all.
    """
    wrong = ~state.marks[0]
    found = []
    patch = state.patch
    for statement, reach in spread.items():
        variant = patch.get(statement, (statement.text,))
        doubt = suspicion(reach, wrong)
        reaches = reach is None or not np.any(wrong) or float(np.mean(reach[wrong])) > NEARLY
        if len(variant) > 1 or variant == ("pass",) or (doubt > 8 and tier < len(TIERS) - 1) or bench.over() or prime is (not reaches):
            continue
        made = changes_of(site_of(statement, variant[0], bench.units[statement.unit], bench.scopes, off), tier, bench.made)
        found += [(change.cost + doubt - bench.guess.favour(change.kind, statement.line), k, Edit(statement, change))
                  for k, change in enumerate(made) if (doubt < 9 or len(change.variant) > 1) and bench.guess.allows(change.kind)]
    return [edit for _, _, edit in sorted(found, key=lambda entry: entry[:2])]


def suspicion(reach: Any, wrong: Any) -> float:
    """Grade how little a statement is suspect: it should reach all that is wrong and nothing that is right."""
    if reach is None or not np.any(wrong):
        return 0.3
    if not np.any(reach & wrong):
        return 9.0
    return 1.5 * float(np.mean(~reach[wrong])) + 0.7 * float(np.mean(~wrong[reach]))


def smaller(bench: Bench, state: State) -> State:
    """Drop the edits that are not needed."""
    for edit in state.edits[:-1]:
        if [e.statement for e in state.edits].count(edit.statement) > 1:
            continue
        rest = State(tuple(e for e in state.edits if e is not edit), state.marks)
        marks = outcome(bench, rest.patch)
        if marks is not None and all(bool(np.all(m)) for m in marks):
            return smaller(bench, State(rest.edits, marks, state.score))
    return state


def in_place(bench: Bench, state: State) -> Iterator[State]:
    """Yield what repairs as much by changing a statement, where one was dropped, added, or both."""
    for edit in state.edits:
        others = [edit] if len(edit.change.variant) > 1 else [e for e in state.edits if e is not edit] if edit.change.variant == ("pass",) else []
        for other in others:
            rest = tuple(e for e in state.edits if e is not edit and e is not other)
            patch = State(rest, ()).patch
            for number, one in tried(bench, patch, [e for e in instead(bench, edit) if e.statement not in patch]):
                marks = bench.marks(number)
                if marks is not None and all(bool(np.all(m)) for m in marks):
                    yield State((*rest, one), marks, state.score)


def instead(bench: Bench, edit: Edit) -> list[Edit]:
    """Return the edits of what is dropped; of the neighbours that set the same, where a sum is added: its term in theirs."""
    statement, unit = edit.statement, bench.units[edit.statement.unit]
    if edit.change.variant == ("pass",):
        site = site_of(statement, statement.text, unit, bench.scopes)
        found = [Edit(statement, change) for tier in (0, 1) for change in changes_of(site, tier, bench.made)]
        return sorted(found, key=lambda e: e.change.cost)
    goal, _, term = edit.change.variant[-1].partition(" += ")
    near = [s for s in unit.ordered if s.block == statement.block and abs(s.index - statement.index) == 1 and s in bench.scopes and not s.head]
    sites = [site_of(s, s.text, unit, bench.scopes) for s in near] if term else []
    return [Edit(site.statement, Change(site.spliced(site.value, f"{site.source(site.value)} + {term}"), edit.change.kind, edit.change.cost, "", term))
            for site in sites if site.value is not None and site.targets == [goal]]


def outcome(bench: Bench, patch: Patch) -> tuple[Any, ...] | None:
    """Run a patch in all situations."""
    try:
        with swapped(bench.codes(patch, {})):
            return bench.marks(0)
    except (SyntaxError, ValueError):
        return None
