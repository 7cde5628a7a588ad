"""What the backward pass clips: ``np.clip`` is watched while it runs, and can be turned off.

Guarantees:
    A clip that bites is seen by what changes when it is turned off. Blind: to limits that are written out by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Clips:
    """What was clipped in one run.

    Attributes:
        active: Whether clips clip.
        watching: Whether the backward pass is running.
        seen: Limits of each clip, as text.
        outcomes: The arrays that came out of a clip.
    """

    active: bool = True
    watching: bool = False
    seen: list[str] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)


def watching_clip(original: Any, clips: Clips) -> Any:
    """Wrap ``np.clip``."""

    @functools.wraps(original)
    def clip(a: Any, *limits: Any, out: Any = None, **named: Any) -> Any:
        if not clips.watching:
            return original(a, *limits, out=out, **named)
        shown = [*limits, *(v for k, v in named.items() if k in ("a_min", "a_max", "min", "max"))]
        clips.seen.append(", ".join(str(limit) for limit in shown))
        if not clips.active:
            result = a if out is None else out
            if out is not None and out is not a:
                out[...] = a
        else:
            result = original(a, *limits, out=out, **named)
        clips.outcomes.append(result if out is None else out)
        return result

    return clip


@contextmanager
def watched(clips: Clips, *namespaces: dict[str, Any]) -> Iterator[None]:
    """Watch ``np.clip`` in NumPy and in the namespaces that imported it by name."""
    original = np.clip
    swapped: list[tuple[dict[str, Any], str]] = []
    replacement = watching_clip(original, clips)
    try:
        for space, names in ((vars(np), ["clip"]), *((own, list(own)) for own in namespaces)):
            for name in names:
                if space[name] is original:
                    space[name] = replacement
                    swapped.append((space, name))
        yield
    finally:
        for space, name in swapped:
            space[name] = original
