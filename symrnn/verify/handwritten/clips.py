"""What the backward pass clips: ``np.clip``, ``np.minimum`` and ``np.maximum`` with a number are watched while it runs, and can be turned off.

Guarantees:
    A clip that bites is seen by what changes when it is turned off. Comparisons with a number other than 0 are counted:
    without one, and without a clip, nothing is clipped by hand.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.verify.balls.ball_arrays import has_balls
from symrnn.verify.balls.dual import Dual


@dataclass
class Clips:
    """What was clipped in one run.

    Attributes:
        active: Whether clips clip.
        watching: Whether the backward pass is running.
        seen: Each clip, as text; not one that the forward makes too, as a part of an activation that is computed again.
        before: The clips of the forward.
        outcomes: The arrays that came out of a clip.
        compared: Whether a ball was compared with a number other than 0.
    """

    active: bool = True
    watching: bool = False
    seen: list[str] = field(default_factory=list)
    before: set[str] = field(default_factory=set)
    outcomes: list[Any] = field(default_factory=list)
    compared: bool = False

    def compares(self, other: Any) -> None:
        """Take note of a comparison of a ball."""
        self.compared = self.compared or (self.watching and other != 0)

    @property
    def possible(self) -> bool:
        """Whether something may clip, at this point or at another."""
        return bool(self.seen) or self.compared


class Watched:
    """Stands for a function of NumPy that can clip; everything else on it is as it was."""

    def __init__(self, original: Any, clips: Clips, limits: Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, list[Any]] | None]) -> None:
        functools.update_wrapper(self, original, updated=())
        self._original = original
        self._clips = clips
        self._limits = limits

    def __getattr__(self, name: str) -> Any:
        if name in ("_original", "_clips", "_limits"):
            raise AttributeError(name)
        return getattr(self._original, name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Clip, or not where clips are turned off."""
        clips = self._clips
        found = self._limits(args, named)
        text = f"np.{self._original.__name__}({', '.join(map(str, found[1]))})" if found else ""
        if not clips.watching and text:
            clips.before.add(text)
        if found is None or not clips.watching or text in clips.before:
            return self._original(*args, **named)
        array = found[0]
        clips.seen.append(text)
        out = named.get("out")
        out = out[0] if isinstance(out, tuple) else out
        if clips.active:
            clips.watching = False  # it is one clip, whatever it is made of
            try:
                result = self._original(*args, **named)
            finally:
                clips.watching = True
        else:
            result = array if out is None else out
            if out is not None and out is not array:
                out[...] = array
        clips.outcomes.append(result)
        return result


def limits_of_clip(args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, list[Any]] | None:
    """Return the array and the limits of ``np.clip``."""
    if not args:
        return None
    limits = [*args[1:3], *(v for k, v in named.items() if k in ("a_min", "a_max", "min", "max"))]
    return args[0], limits


def limits_of_extreme(args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, list[Any]] | None:
    """Return the array and the limit of ``np.minimum`` and ``np.maximum``; ``None`` where neither is a number other than 0."""
    if len(args) < 2 or not (has_balls(args[0]) or has_balls(args[1])):
        return None
    for array, limit in (args[:2], args[1::-1]):
        if has_balls(array) and isinstance(limit, numbers.Real) and not isinstance(limit, bool) and limit != 0:
            return array, [limit]
    return None


TABLE = {"clip": limits_of_clip, "minimum": limits_of_extreme, "maximum": limits_of_extreme}


@contextmanager
def watched(clips: Clips, *namespaces: dict[str, Any]) -> Iterator[None]:
    """Watch what can clip in NumPy, in the namespaces that imported it by name, and in comparisons of balls."""
    stand_ins = {id(getattr(np, name)): Watched(getattr(np, name), clips, limits) for name, limits in TABLE.items()}
    swapped: list[tuple[dict[str, Any], str, Any]] = []
    before = Dual.compares
    try:
        Dual.compares = clips.compares
        for space, names in ((vars(np), list(TABLE)), *((own, list(own)) for own in namespaces)):
            for name in names:
                if id(space[name]) in stand_ins:
                    swapped.append((space, name, space[name]))
                    space[name] = stand_ins[id(space[name])]
        yield
    finally:
        Dual.compares = before
        for space, name, value in swapped:
            space[name] = value
