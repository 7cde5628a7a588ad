"""The gradient in a sequence, time by time: where it is right, and where it is exactly 0 and should not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from flint import arb

from symrnn.verify.balls.mismatch import FLOAT_CONSTANTS, excludes_zero
from symrnn.verify.handwritten.program import Frame
from symrnn.verify.handwritten.structures import Path, entries
from symrnn.verify.handwritten.trial import Trial


def whole_direction(shape: tuple[int, ...]) -> Any:
    """Return a direction of small integers, none of them 0."""
    size = int(np.prod(shape, dtype=int))
    return 1 + np.arange(size).reshape(shape) % 7


def agrees_along(gradient: Any, direction: Any, slope: Any) -> bool:
    """Tell whether ``⟨gradient, direction⟩`` can be a slope, up to the rounding of constants."""
    product = sum((e.value * int(d) for e, d in zip(gradient.flat, direction.flat, strict=True)), arb(0))
    return bool(not excludes_zero(product - slope) or abs(product - slope) < FLOAT_CONSTANTS * abs(slope))


def state(part: Any, direction: Any, slope: Any) -> str:
    """Return what the gradient in what enters at one time is: exactly 0 and should not be, right, or wrong."""
    if all(entry.value.is_zero() for entry in part.flat) and excludes_zero(slope):
        return "zero"
    return "right" if agrees_along(part, direction, slope) else "wrong"


def steps_of(states: list[str]) -> int | None:
    """Return after how many steps a gradient is truncated, by its states from the first time to the last; ``None`` where it is not."""
    right = states.count("right")
    return right if 0 < right < len(states) and states == ["zero"] * (len(states) - right) + ["right"] * right else None


def steps_in_sequence(trial: Trial, frame: Frame, upstream: Mapping[Path, Any], name: str, size: int) -> int | None:
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
        direction[where] = whole_direction(direction[where].shape)
        slope = trial.slope(name, direction, ("time", time, axes[0]), upstream)
        states.append(state(returned[time : time + 1], np.moveaxis(direction[where], axes[0], 0), slope))
    return steps_of(states)


def steps_in_list(trial: Trial, frame: Frame, upstream: Mapping[Path, Any], names: list[str]) -> dict[str, int]:
    """Return after how many steps the gradients in a list over time, such as ``xs[0]``, ``xs[1]``, …, are truncated, by name."""
    found: dict[str, int] = {}
    for root in {name[: name.rindex("[")] for name in names if name.endswith("]") and name[name.rindex("[") + 1 : -1].isdigit()}:
        members = [name for name in trial.subject.wanted if name.startswith(f"{root}[") and name[len(root) + 1 : -1].isdigit()]
        states = [state_in_list(trial, frame, upstream, name) for name in members]
        steps = steps_of(states)
        if steps is not None and len(members) > 2:
            found |= {name: steps for name, own in zip(members, states, strict=True) if own == "zero" and name in names}
    return found


def state_in_list(trial: Trial, frame: Frame, upstream: Mapping[Path, Any], name: str) -> str:
    """Return what the gradient in one array of a list is."""
    gradient = trial.gradient(name, frame)
    if gradient is None or np.shape(gradient) != trial.shape(name):
        return "wrong"
    direction = whole_direction(trial.shape(name))
    return state(entries(gradient), direction, trial.slope(name, direction, "all", upstream))
