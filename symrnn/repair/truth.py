"""True derivatives at some entries, and how many of them a backward pass returns.

Guarantees:
    An entry is right when it agrees to a relative 1e-6 with a difference of fourth order; entries at a kink are left out.
    That is enough to choose among edits; what is said in the end is confirmed in balls.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.repair.running import Stage
from symrnn.verify.handwritten.causes import only_at
from symrnn.verify.handwritten.structures import Path

STEP = 1e-3
KINK = 1e-3
AGREES = 1e-6
LOUD = 2.0**20
MOST, FEWEST, EACH = 100, 3, 10
"""Entries that are compared: in all, at least and at most of one array."""


@dataclass(frozen=True)
class Situation:
    """One upstream gradient, and what the backward pass should return with it.

    Attributes:
        call: Runs the backward pass.
        right: The true gradient at each entry.
        scale: Size of the gradient of the array of each entry.
        title: What is special about it.
    """

    call: Callable[[], Any]
    right: Any
    scale: Any
    title: str = ""


@dataclass(frozen=True)
class Exam:
    """What a backward pass is asked.

    Attributes:
        stage: Where it runs.
        entries: Array and flat index of each entry.
        situations: The first one is with an upstream gradient everywhere.
    """

    stage: Stage
    entries: tuple[tuple[str, int], ...]
    situations: tuple[Situation, ...]

    def returned(self, number: int = 0) -> Any:
        """Return the entries that a run gives; ``None`` where it fails."""
        return self.read(self.stage.gradients(self.situations[number].call))

    def read(self, gradients: Mapping[str, Any] | None) -> Any:
        """Pick the entries out of gradients; NaN where an array has another shape."""
        if gradients is None:
            return None
        found = []
        for name, shape, indices in self.places:
            flat = flattened(gradients[name], shape)
            found.append(np.full(len(indices), np.nan) if flat is None else flat[indices])
        return np.concatenate(found)

    @cached_property
    def places(self) -> list[tuple[str, tuple[int, ...], Any]]:
        """Name, shape and flat indices of each array; the entries of an array follow each other."""
        return [(name, self.stage.values[name].shape, np.array([index for _, index in rows]))
                for name, rows in itertools.groupby(self.entries, key=lambda entry: entry[0])]

    def marks(self, numbers: Any, number: int = 0) -> Any:
        """Tell which entries are right."""
        situation = self.situations[number]
        return np.abs(numbers - situation.right) <= AGREES * situation.scale

    def arrays(self) -> list[str]:
        """The array of each entry."""
        return [name for name, _ in self.entries]


def flattened(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a gradient as a flat array; ``None`` where it has another shape or is none."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return array.ravel() if [s for s in array.shape if s != 1] == [s for s in shape if s != 1] else None


def exam_of(stage: Stage, names: Sequence[str], *, loud: bool = False) -> Exam | None:
    """Find out the true gradients at some entries.

    Args:
        stage: The code in float64.
        names: The arrays.
        loud: Whether a large upstream gradient is handed over too, which shows what is clipped.

    Returns:
        What to ask; ``None`` where nothing can be asked.
    """
    entries, columns = [], []
    each = min(EACH, max(FEWEST, MOST // max(1, len(names))))
    for name in names:
        for index in spread(stage.values[name].shape, each, name):
            column = derivative(stage, name, index)
            if column is not None:
                entries.append((name, index))
                columns.append(column)
    stage.settle()
    if not entries:
        return None
    upstreams = [("", stage.upstream), *special(stage)]
    if loud and not stage.subject.binding.loss:
        upstreams.insert(0, ("loud", {path: u * LOUD for path, u in stage.upstream.items()}))
    situations = tuple(situation(stage, title, upstream, entries, columns) for title, upstream in upstreams)
    return Exam(stage, tuple(entries), situations)


def situation(stage: Stage, title: str, upstream: Mapping[Path, Any], entries: Sequence[tuple[str, int]], columns: Sequence[Any]) -> Situation:
    """Return one upstream gradient with the true gradients that belong to it."""
    weights = np.concatenate([np.ravel(upstream.get(path, np.zeros(leaf.shape))) for path, leaf in stage.outputs.items()])
    right = np.array([column @ weights for column in columns])
    names = np.array([name for name, _ in entries])
    largest = {name: float(np.max(np.abs(right[names == name]))) for name in set(names)}
    overall = max(largest.values())
    return Situation(stage.call(upstream), right, np.array([largest[n] + 1e-6 * overall + 1e-12 for n in names]), title)


def special(stage: Stage) -> list[tuple[str, dict[Path, Any]]]:
    """Return upstream gradients at the first time alone, and in each output alone: there some mistakes cannot show."""
    found: list[tuple[str, dict[Path, Any]]] = []
    upstream, sizes = stage.upstream, stage.subject.sizes
    if stage.subject.binding.loss:
        return found
    time = next((size for letter, size in sizes.items() if is_time(letter)), 0)
    first = only_at(upstream, time, 0) if time > 1 else None
    if first is not None and any(np.any(u) for u in first.values()):
        found.append(("first", {path: np.asarray(u, dtype=float) for path, u in first.items()}))
    roots = list(dict.fromkeys(path[0] for path in upstream))
    single = [(root, {path: u * float(path[0] == root) for path, u in upstream.items()}) for root in roots if len(roots) > 1]
    return [*found, *single][:4]


def is_time(letter: str) -> bool:
    """Tell whether a letter is the number of times."""
    return letter in ("T", "S", "L", "n_steps", "steps") or letter.lower().startswith(("t_", "time", "seq", "tx"))


def spread(shape: tuple[int, ...], count: int, seed: object) -> list[int]:
    """Choose entries of an array, spread evenly along each of its axes."""
    size = int(np.prod(shape, dtype=int))
    if size <= count:
        return list(range(size))
    rng = random.Random(f"{seed}")
    along = []
    for length in shape:
        picked = [k * length // count if length >= count else k % length for k in range(count)]
        rng.shuffle(picked)
        along.append(picked)
    return sorted({int(np.ravel_multi_index(index, shape)) for index in zip(*along, strict=True)})


def derivative(stage: Stage, name: str, index: int) -> Any:
    """Return the derivatives of all outputs in one entry; ``None`` at a kink."""
    array = stage.values[name]
    place = np.unravel_index(index, array.shape)

    def at(shift: float) -> Any:
        stage.start.restore()
        array[place] += shift
        stage.forward()
        return np.concatenate([np.ravel(np.asarray(stage.frame.outputs[path], dtype=float)) for path in stage.outputs])

    near, far = at(STEP) - at(-STEP), at(2 * STEP) - at(-2 * STEP)
    rough, fine = near / (2 * STEP), (8 * near - far) / (12 * STEP)
    return fine if np.max(np.abs(rough - fine)) <= KINK * (1e-3 + float(np.max(np.abs(fine)))) else None
