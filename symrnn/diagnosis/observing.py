"""Foreign code as numbers in and numbers out. It always runs on balls, since float32 buffers would blur what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.diagnosis.entries import Entries, Held, held
from symrnn.verify.balls.dual import Dual, as_dual
from symrnn.verify.handwritten.binding import caller
from symrnn.verify.handwritten.inputs import evaluated
from symrnn.verify.handwritten.program import Frame, kept_leaves
from symrnn.verify.handwritten.structures import Path, as_balls, entries, is_real, written
from symrnn.verify.handwritten.trial import Subject

Values = Mapping[str, Any]


@dataclass
class Code:
    """A subject, run on numbers.

    Attributes:
        subject: What is run.
    """

    subject: Subject

    @cached_property
    def kept(self) -> dict[str, Any]:
        """The arrays that the code keeps and that are not handed to it, as they are."""
        known = {slot.name for slot in self.subject.slots}
        found: dict[int, tuple[str, Any]] = {}
        for path, leaf in kept_leaves(self.subject.state):
            found.setdefault(id(leaf), (written(path), leaf))
        return {name: leaf for name, leaf in found.values() if name not in known and leaf.any()}

    @cached_property
    def entries(self) -> Entries:
        """Where each array begins."""
        point = self.point("shapes")
        return Entries.of({name: np.shape(v) for name, v in (point | self.kept).items()})

    @cached_property
    def arrays(self) -> list[Held]:
        """All arrays that are handed over or kept."""
        kinds = {slot.name: (slot.kind, evaluated(slot.below, self.subject.sizes) if slot.kind == "integers" else 0, slot.moves)
                 for slot in self.subject.slots}
        kinds |= dict.fromkeys(self.kept, ("real", 0, True))
        for name, value in self.point("shapes").items():
            if kinds[name][0] == "kept" and value.dtype.kind in "iu":
                kinds[name] = ("integers", int(value.max(initial=0)) + 1, False)
        return held(self.entries, kinds)

    def point(self, seed: object) -> dict[str, Any]:
        """Draw exact numbers for all arrays that are handed over."""
        return self.subject.values(seed)

    def vector(self, point: Values, kind: Any = float) -> Any:
        """Return all numbers as one vector."""
        balls = kind is object
        made = {name: np.array([Dual(as_dual(x).value) for x in np.asarray(v, dtype=object).flat], dtype=object) if balls else
                np.asarray(v, dtype=float) for name, v in (dict(point) | self.kept).items()}
        return self.entries.vector(made, object if balls else float)

    def run(self, point: Values, upstream: Mapping[Path, Any] | None = None, *, clipping: bool = True) -> Frame:
        """Run the forward, and the backward where an upstream gradient is given (an empty one for a loss)."""
        program = self.subject.program
        values = {n: np.array(v) if v.dtype.kind in "iub" else as_balls(v) for n, v in point.items()}
        backward = None
        if upstream is not None:
            handed = {path: as_balls(u) if np.shape(u) else as_dual(u) for path, u in upstream.items()}
            backward = caller(program, self.subject.binding, handed)
        return program.run(dict(self.subject.state), values, backward, clipping=clipping)

    def gradients(self, frame: Frame) -> dict[str, Any]:
        """Return the gradients of a run that are arrays of the right number of entries, in the shape of what they belong to."""
        found = {}
        for name, path in self.subject.binding.matched.items():
            leaf = frame.results.get(path)
            if leaf is not None and is_real(leaf) and name in self.entries.shapes:
                array = entries(leaf)
                if array.size == int(np.prod(self.entries.shapes[name], dtype=int)):
                    found[name] = array.reshape(self.entries.shapes[name])
        return found


def as_floats(array: Any) -> Any:
    """Return the middles of balls."""
    flat = [float(x.value.mid()) if type(x) is Dual else float(x) for x in np.asarray(array, dtype=object).flat]
    return np.array(flat).reshape(np.shape(array))
