"""One point at one precision: what the code returns there, and the derivative of its own forward pass.

Guarantees:
    A slope is a ball that contains the directional derivative of the code's own forward pass, by dual arithmetic, in one
    array or in several together. The forward runs once for a direction, whatever the upstream gradient is. Where an
    operation has no rule for derivatives, slopes are central difference quotients of balls of 400 bits and more, which is
    evidence to some 75 digits and no proof; ``evidence`` says so.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any

import flint
import numpy as np
from flint import arb

from symrnn.verify.balls.directional import GRID
from symrnn.verify.balls.dual import Dual, as_dual, precision
from symrnn.verify.handwritten.binding import Binding, caller
from symrnn.verify.handwritten.inputs import Slot, drawn
from symrnn.verify.handwritten.problems import NotOnBalls
from symrnn.verify.handwritten.program import Frame, Program
from symrnn.verify.handwritten.structures import Path, as_balls, entries
from symrnn.verify.handwritten.timing import Clock

DIFFERENCES = "difference quotients"
QUOTIENT_BITS = 450
STEP = Fraction(1, 2**130)


@dataclass(frozen=True)
class Subject:
    """A program and everything that was found out about how it is called.

    Attributes:
        program: The code.
        binding: How its backward is called, and what it returns.
        sizes: Numbers by letter.
        state: What the code keeps, at these sizes.
        slots: All arrays that are handed to the code.
        clock: Adds up what the time goes into.
        trials: What was run already, see :func:`trial_at`; a changed copy begins anew.
    """

    program: Program
    binding: Binding
    sizes: Mapping[str, int]
    state: Mapping[str, Any]
    slots: tuple[Slot, ...]
    clock: Clock = field(default_factory=Clock)
    trials: dict[Any, Trial] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The arrays in which a gradient was returned."""
        return tuple(slot.name for slot in self.slots if slot.name in self.binding.matched)

    def values(self, seed: object, *, small: bool = False) -> dict[str, Any]:
        """Draw exact numbers for all arrays."""
        return {slot.name: drawn(slot, self.sizes, seed, small=small) for slot in self.slots}


def direction_in(name: str, shape: tuple[int, ...], seed: object) -> Any:
    """Draw a direction: dyadic fractions between -1 and 1, the same ones for the same seed."""
    rng = random.Random(f"{seed}, {name}")
    made = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        made[index] = Fraction(rng.randint(-GRID, GRID), GRID)
    return made


def unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Any:
    """Return the direction of one entry."""
    made = np.zeros(shape, dtype=int)
    made[index] = 1
    return made


@dataclass
class Trial:
    """A subject at a point.

    Attributes:
        subject: What is tried.
        point: Exact numbers by name.
        seed: Of the upstream gradient.
        small: Whether the upstream gradient is of small integers.
        clipping: Whether what the backward clips is clipped.
        scale: What the upstream gradient is multiplied by.
        evidence: Empty for dual numbers; otherwise what took their place.
    """

    subject: Subject
    point: Mapping[str, Any]
    seed: object = 0
    small: bool = False
    clipping: bool = True
    scale: Any = 1
    evidence: str = ""
    moved: dict[tuple[str, object], dict[Path, Any]] = field(default_factory=dict)

    def arrays(self, moving: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """Return fresh arrays of balls, integers as they are; some of them move along directions."""
        made = {name: np.array(v) if v.dtype.kind in "iub" else as_balls(v) for name, v in self.point.items()}
        for name, direction in moving.items():
            array: Any = made[name]
            for index, velocity in np.ndenumerate(direction):
                array[index] = Dual(array[index].value, as_dual(velocity).value)
        return made

    @cached_property
    def still(self) -> Frame:
        """A forward pass in which nothing moves."""
        with self.subject.clock.phase("forward"):
            return self.subject.program.run(dict(self.subject.state), self.arrays())

    @cached_property
    def upstream(self) -> dict[Path, Any]:
        """An upstream gradient for each output that gets one; 1 for a loss."""
        return self.upstream_of(self.still)

    def upstream_of(self, frame: Frame) -> dict[Path, Any]:
        """Return an upstream gradient for the outputs of a run."""
        binding = self.subject.binding
        found = {}
        for path, leaf in frame.outputs.items():
            if binding.loss:
                if path[0] == binding.loss:
                    found[path] = np.ones(np.shape(leaf), dtype=int)
            elif path[0] in binding.upstream:
                found[path] = self.drawn_upstream(path, np.shape(leaf))
        return found

    def drawn_upstream(self, path: Path, shape: tuple[int, ...]) -> Any:
        """Draw the upstream gradient of one output."""
        slot = Slot((*path, "'"), tuple(shape))
        return drawn(slot, {}, self.seed, small=self.small) * np.array(self.scale, dtype=object)

    def backward(self, upstream: Mapping[Path, Any] | None = None) -> Frame:
        """Run both passes on numbers that do not move."""
        program, binding = self.subject.program, self.subject.binding

        def call(frame: Frame) -> Any:
            if upstream is None:
                self.__dict__.setdefault("upstream", self.upstream_of(frame))
            weights = self.upstream if upstream is None else upstream
            handed = {} if binding.loss else {path: handed_over(u, frame.outputs[path]) for path, u in weights.items()}
            return caller(program, binding, handed)(frame)

        with self.subject.clock.phase("backward"):
            return program.run(dict(self.subject.state), self.arrays(), call, clipping=self.clipping)

    @cached_property
    def frame(self) -> Frame:
        """The run with the upstream gradient of this trial."""
        return self.backward()

    def gradient(self, name: str, frame: Frame | None = None) -> Any:
        """Return what the code gives as the gradient in an array; ``None`` where it gave nothing."""
        return (frame or self.frame).results.get(self.subject.binding.matched[name])

    def tangents(self, name: str, direction: Any, key: object) -> dict[Path, Any]:
        """Return the derivatives of all outputs along a direction in one array, as arrays of balls."""
        if (name, key) not in self.moved:
            self.moved[name, key] = self.tangents_along({name: direction})
        return self.moved[name, key]

    def tangents_along(self, directions: Mapping[str, Any]) -> dict[Path, Any]:
        """Return the derivatives of all outputs along a direction in several arrays together."""
        with self.subject.clock.phase("derivative of the forward"):
            try:
                frame = self.subject.program.run(dict(self.subject.state), self.arrays(directions))
            except NotOnBalls:
                return self.quotients_along(directions)
        return {path: [(entry.tangent, entry.isfinite()) for entry in entries(leaf).flat] for path, leaf in frame.outputs.items()}

    def quotients_along(self, directions: Mapping[str, Any]) -> dict[Path, Any]:
        """Return central difference quotients of all outputs along a direction, on balls that do not move."""
        frames = []
        with precision(max(flint.ctx.prec, QUOTIENT_BITS)):
            for step in (STEP, -STEP):
                moved = {name: self.point[name] + np.array(step, dtype=object) * direction for name, direction in directions.items()}
                arrays = self.arrays() | {name: as_balls(array) for name, array in moved.items()}
                frames.append(self.subject.program.run(dict(self.subject.state), arrays))
            self.evidence = DIFFERENCES
            up, down = (frame.outputs for frame in frames)
            found = {}
            for path, leaf in up.items():
                pairs = zip(entries(leaf).flat, entries(down[path]).flat, strict=True)
                found[path] = [((a.value - b.value) / as_dual(2 * STEP).value, a.isfinite() and b.isfinite()) for a, b in pairs]
        return found

    def slope(self, name: str, direction: Any, key: object, upstream: Mapping[Path, Any] | None = None) -> Any:
        """Return the ball of the derivative of ``⟨upstream, outputs⟩`` along a direction; NaN where it is not finite."""
        return self.weighed(self.tangents(name, direction, key), upstream)

    def weighed(self, moved: Mapping[Path, Any], upstream: Mapping[Path, Any] | None = None) -> Any:
        """Return the ball of ``⟨upstream, derivatives of the outputs⟩``; NaN where it is not finite."""
        total = arb(0)
        for path, weights in (self.upstream if upstream is None else upstream).items():
            for weight, (tangent, finite) in zip(np.asarray(weights, dtype=object).flat, moved[path], strict=True):
                if not finite:
                    return arb.nan()
                if tangent is not None:
                    total += as_dual(weight).value * tangent
        return total

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return np.shape(self.point[name])


def handed_over(upstream: Any, output: Any) -> Any:
    """Return an upstream gradient as the code gets it: an array, or a number for a number."""
    array = as_balls(upstream)
    return array if isinstance(output, np.ndarray) or not isinstance(array, np.ndarray) else array[()]


def trial_at(subject: Subject, seed: object, **options: Any) -> Trial:
    """Return the trial of a subject at the point of a seed and the precision of the moment, one that was run already where there is one."""
    key = (seed, flint.ctx.prec, *sorted(options.items()))
    if key not in subject.trials:
        subject.trials[key] = Trial(subject, subject.values(seed), seed, **options)
    return subject.trials[key]
