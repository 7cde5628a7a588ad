"""What a wrong gradient is instead: a multiple, a clipped one, a truncated one.

Guarantees:
    *Factor*: every entry that was tried is the right one times one number. *Clipped*: with ``np.clip`` turned off it is
    right; or with a larger upstream gradient it does not grow in proportion. *Truncated after K steps*: for an upstream
    gradient at one time alone, the gradient in what enters at the last K times is right and what enters before gets
    exactly 0, where the true gradient is not 0. Each is measured on numbers; no formula of a cell is known.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, Mismatch, excludes_zero
from symrnn.verify.handwritten.judging import CONSTANTS, EQUAL, OPEN, Judged, Plan, at_point, readable
from symrnn.verify.handwritten.structures import entries
from symrnn.verify.handwritten.trial import Subject, Trial, trial_at, unit

ENTRIES = 10
LOUD = 2**40
WIDE = 64


@dataclass(frozen=True)
class Cause:
    """What a gradient is instead of the right one.

    Attributes:
        verdict: As in the report; empty where it is only wrong.
        detail: In words.
        factor: What it is multiplied by.
        steps: After how many steps it is truncated.
    """

    verdict: str = ""
    detail: str = ""
    factor: Fraction | None = None
    steps: int | None = None


def mismatch_at(trial: Trial, name: str) -> Mismatch | None:
    """Compare some entries of a gradient one by one; ``None`` where they cannot be read."""
    gradient, problem, _ = readable(trial, name)
    if problem is not None:
        return None
    indices = list(np.ndindex(gradient.shape))
    chosen = sorted(random.Random(name).sample(indices, min(ENTRIES, len(indices))))
    try:
        right = {index: trial.slope(name, unit(gradient.shape, index), index) for index in chosen}
    except Undecided:
        return None
    return Mismatch(gradient.shape, right, {index: gradient[index].value for index in chosen})


def trial_of(subject: Subject, judged: Judged, **options: Any) -> Trial:
    """Return the trial that showed something."""
    return trial_at(subject, judged.seed, **options)


def common_ratio(found: Mismatch) -> Any:
    """Return the ball of the one number that all entries are multiplied by; ``None`` where there is none."""
    moving = [index for index, right in found.right.items() if excludes_zero(right)]
    if not moving or any(index not in moving for index in found.wrong):
        return None
    ratios = [found.got[index] / found.right[index] for index in moving]
    return ratios[0] if all(abs(ratio - ratios[0]) < FLOAT_CONSTANTS * abs(ratios[0]) for ratio in ratios) else None


def unclipped_names(subject: Subject, plan: Plan, wrong: Mapping[str, Judged]) -> set[str]:
    """Name the wrong gradients that are right when nothing is clipped in the backward."""
    found = set()
    for judged in wrong.values():
        names = [name for name, other in wrong.items() if other.seed == judged.seed and name not in found and not other.whole]
        with precision(judged.bits):
            seen = trial_of(subject, judged).frame.clips.seen
        if seen:
            again = at_point(subject, plan, int(str(judged.seed).rsplit(" ", 1)[1]), judged.bits, False, names)
            found |= {name for name, other in again.items() if other.outcome.kind in (EQUAL, CONSTANTS)}
    return found


def hidden_clips(subject: Subject, plan: Plan, names: list[str]) -> dict[str, str]:
    """Find gradients that are right where they are small, and clipped where they are large.

    Args:
        subject: The code.
        plan: How hard to try.
        names: Arrays in which the gradients are right.

    Returns:
        What clips, by name.
    """
    seed = f"{plan.seed}, point 0"
    with precision(plan.bits):
        values = subject.values(seed)
        try:
            usual = trial_at(subject, seed).frame
            if not subject.binding.loss:
                loud = Trial(subject, values, seed, scale=LOUD).frame
                return {name: clipper(loud) for name in names if not grows(subject, name, usual, loud)}
            wide = {name: array if array.dtype.kind in "iub" else array * np.array(WIDE, dtype=object) for name, array in values.items()}
            free, bound = (Trial(subject, wide, seed, clipping=clipping).frame for clipping in (False, True))
        except Undecided:
            return {}
        return {name: clipper(bound) for name in names if is_clipped(subject, name, usual) or differs(subject, name, free, bound)}


def clipper(frame: Any) -> str:
    """Say what clips."""
    limits = list(dict.fromkeys(frame.clips.seen))
    return f"np.clip({limits[0]}) in the backward" if limits else "it does not grow in proportion to the upstream gradient"


def is_clipped(subject: Subject, name: str, frame: Any) -> bool:
    """Tell whether a gradient is the array that came out of a clip."""
    leaf = frame.results.get(subject.binding.matched[name])
    return any(leaf is outcome for outcome in frame.clips.outcomes)


def grows(subject: Subject, name: str, usual: Any, loud: Any) -> bool:
    """Tell whether a gradient is larger in proportion to the upstream gradient."""
    pairs = paired(subject, name, usual, loud)
    return all(not excludes_zero(b.value - a.value * LOUD) or abs(b.value - a.value * LOUD) < FLOAT_CONSTANTS * abs(b.value) for a, b in pairs)


def differs(subject: Subject, name: str, free: Any, bound: Any) -> bool:
    """Tell whether clipping changes a gradient."""
    return any(excludes_zero(a.value - b.value) for a, b in paired(subject, name, free, bound))


def paired(subject: Subject, name: str, one: Any, other: Any) -> list[tuple[Any, Any]]:
    """Return the entries of a gradient in two runs, side by side; none where one of them is not finite."""
    path = subject.binding.matched[name]
    if path not in one.results or path not in other.results:
        return []
    pairs = list(zip(entries(one.results[path]).flat, entries(other.results[path]).flat, strict=False))
    return pairs if all(a.isfinite() and b.isfinite() for a, b in pairs) else []


def size_named(factor: Fraction, sizes: Mapping[str, int]) -> str:
    """Write a factor in sizes: ``T``, ``1/N``, ``2/(N·T)``; empty where it is not made of them, or is 2 or ½ by itself."""
    if factor in (2, Fraction(1, 2)):
        return next((letter if factor == 2 else f"1/{letter}" for letter, size in sizes.items() if size == 2), "")
    for few, constant in itertools.product(range(1, 4), (Fraction(1), Fraction(2), Fraction(1, 2))):
        for letters in itertools.combinations([letter for letter, size in sizes.items() if size > 1], few):
            for powers in itertools.product((1, -1), repeat=few):
                if constant * math.prod(Fraction(sizes[x]) ** p for x, p in zip(letters, powers, strict=True)) == factor:
                    return fraction_text(constant, letters, powers)
    return ""


def fraction_text(constant: Fraction, letters: tuple[str, ...], powers: tuple[int, ...]) -> str:
    """Write a product of letters and their inverses."""
    over = [str(constant.numerator)] if constant.numerator != 1 else []
    under = [str(constant.denominator)] if constant.denominator != 1 else []
    over += [letter for letter, power in zip(letters, powers, strict=True) if power > 0]
    under += [letter for letter, power in zip(letters, powers, strict=True) if power < 0]
    below = "·".join(under)
    return ("·".join(over) or "1") + (f"/{below if len(under) == 1 else f'({below})'}" if under else "")


def only_at(upstream: Mapping[Any, Any], size: int, time: int) -> dict[Any, Any] | None:
    """Return an upstream gradient that is 0 at all times but one; ``None`` where nothing has that many times."""
    found: dict[Any, Any] = {}
    cut = False
    for path, weights in upstream.items():
        array = np.array(weights, dtype=object)
        axes = [axis for axis, length in enumerate(array.shape) if length == size]
        listed = [other for other in upstream if other[:-1] == path[:-1]]
        if axes:
            kept = np.zeros(array.shape, dtype=int).astype(object)
            where = tuple(slice(time, time + 1) if axis == axes[0] else slice(None) for axis in range(array.ndim))
            kept[where] = array[where]
            found[path], cut = kept, True
        elif len(listed) == size and path[-1].startswith("["):
            found[path] = array if listed.index(path) == time else array * 0
            cut = True
        else:
            found[path] = array * 0
    return found if cut else None


def truncations(subject: Subject, wrong: Mapping[str, Judged]) -> dict[str, Cause]:
    """Find the gradients that are truncated after some steps, among wrong ones."""
    if not wrong:
        return {}
    judged = next(iter(wrong.values()))
    with precision(judged.bits):
        trial = trial_of(subject, judged)
        try:
            return by_times(trial, [name for name, other in wrong.items() if not other.whole])
        except Undecided:
            return {}


def by_times(trial: Trial, names: list[str]) -> dict[str, Cause]:
    """Find truncated gradients with an upstream gradient at the last time alone."""
    sizes = trial.subject.sizes
    for size in [sizes["T"]] if "T" in sizes else shared_sizes(trial, names):
        last = only_at(trial.upstream, size, size - 1)
        for upstream in ([trial.upstream] if trial.subject.binding.loss else [last] if last is not None else [trial.upstream]):
            frame = trial.backward(upstream) if upstream is not trial.upstream else trial.frame
            steps = {name: steps_in(trial, frame, upstream, name, size) for name in names}
            found = {name: number for name, number in steps.items() if number is not None}
            if found:
                return causes_of(trial, names, found, size)
    return {}


def shared_sizes(trial: Trial, names: list[str]) -> list[int]:
    """Return the sizes that outputs share with arrays, and those of arrays with three axes: one can be the number of times."""
    outputs = {size for weights in trial.upstream.values() for size in np.shape(weights)}
    return sorted({size for name in names for size in trial.shape(name) if size > 2 and (size in outputs or not outputs or len(trial.shape(name)) == 3)}, reverse=True)


def causes_of(trial: Trial, names: list[str], found: Mapping[str, int], size: int) -> dict[str, Cause]:
    """Say of which gradients the same truncation is the cause."""
    steps = min(found.values())
    causes = {name: truncated_cause(number, "what entered earlier gets exactly 0") for name, number in found.items()}
    for name in names:
        if name not in causes and follows(trial, name, steps, size):
            causes[name] = truncated_cause(steps, f"right for an upstream gradient at the first {plural(steps)}, wrong for later ones, "
                                                  f"as {' and '.join(f'd{n}' for n in found)} is")
    return causes


def truncated_cause(steps: int, why: str) -> Cause:
    """Return the cause of a gradient that is truncated."""
    return Cause("truncated", f"the gradient flows back through {plural(steps)} only: {why}", steps=steps)


def plural(steps: int) -> str:
    """Write a number of steps."""
    return f"{steps} step{'' if steps == 1 else 's'}"


def steps_in(trial: Trial, frame: Any, upstream: Mapping[Any, Any], name: str, size: int) -> int | None:
    """Return after how many steps the gradient in a sequence is truncated; ``None`` where it is not."""
    axes = [axis for axis, length in enumerate(trial.shape(name)) if length == size]
    gradient = trial.gradient(name, frame)
    if not axes or gradient is None or np.shape(gradient) != trial.shape(name):
        return None
    returned = np.moveaxis(entries(gradient), axes[0], 0)
    states = []
    for time in range(size):
        direction = np.zeros(trial.shape(name), dtype=int)
        where = tuple(slice(time, time + 1) if axis == axes[0] else slice(None) for axis in range(direction.ndim))
        direction[where] = 1 + np.arange(direction[where].size).reshape(direction[where].shape) % 7
        part = returned[time : time + 1]
        slope = trial.slope(name, direction, ("time", time, axes[0]), upstream)
        product = sum((e.value * int(d) for e, d in zip(part.flat, direction[where].flat, strict=True)), arb(0))
        zero = all(entry.value.is_zero() for entry in part.flat)
        agrees = not excludes_zero(product - slope) or abs(product - slope) < FLOAT_CONSTANTS * abs(slope)
        states.append("zero" if zero and excludes_zero(slope) else "right" if agrees else "wrong")
    right = states.count("right")
    return right if 0 < right < size and states == ["zero"] * (size - right) + ["right"] * right else None


def follows(trial: Trial, name: str, steps: int, size: int) -> bool:
    """Tell whether a gradient is right for upstream gradients at the first times only, as one that is truncated is."""
    for time, expected in ((steps - 1, True), (steps, False)):
        upstream = only_at(trial.upstream, size, time)
        if upstream is None or time >= size:
            return False
        gradient = trial.gradient(name, trial.backward(upstream))
        if gradient is None or np.shape(gradient) != trial.shape(name):
            return False
        direction = 1 + np.arange(gradient.size).reshape(gradient.shape) % 7
        slope = trial.slope(name, direction, "all", upstream)
        product = sum((e.value * int(d) for e, d in zip(entries(gradient).flat, direction.flat, strict=True)), arb(0))
        agrees = not excludes_zero(product - slope) or abs(product - slope) < FLOAT_CONSTANTS * abs(slope)
        if bool(agrees) != expected:
            return False
    return True


__all__ = ["OPEN", "Cause", "common_ratio", "hidden_clips", "mismatch_at", "replace", "size_named", "trial_of", "truncations", "unclipped_names"]
