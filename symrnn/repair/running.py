"""Foreign code in float64, run many times: one forward pass, then a backward pass for each edit, from the same state.

Guarantees:
    What a run changes (arrays in place, containers, attributes, globals) is put back before the next one. Blind: to
    what lies outside of the arguments, the state and what the forward returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.repair.keeping import Checkpoint
from symrnn.verify.handwritten.binding import upstream_names
from symrnn.verify.handwritten.clips import Clips
from symrnn.verify.handwritten.naming import parameters
from symrnn.verify.handwritten.program import Frame, Program, parts_of
from symrnn.verify.handwritten.structures import Path, mapped, real_leaves
from symrnn.verify.handwritten.trial import Subject, direction_in

HALVES = ("float32", "single", "half", "float16")


class Stage:
    """A subject at one point in float64.

    Attributes:
        subject: What runs.
        values: Arrays by name.
        frame: The forward pass.
        start: The state before the forward.
        middle: The state between the passes.
        begin: Where one function does both passes, the state before it and what calls it.
    """

    begin: tuple[Checkpoint, Callable[[], Any]]

    def __init__(self, subject: Subject, seed: object, mine: dict[str, Any], values: dict[str, Any]) -> None:
        self.subject, self.values, self.seed = subject, values, seed
        self.program: Program = subject.program
        self.frame = Frame(state=mine)
        self.start = Checkpoint([mine, values], self.program.spaces)
        self.settle()
        self.outputs = {path: np.array(leaf, dtype=float) for path, leaf in self.frame.outputs.items()}
        self.fetchers = {name: Fetcher(path) for name, path in subject.binding.matched.items()}

    def settle(self) -> None:
        """Run the forward pass from which backward passes start."""
        self.start.restore()
        self.forward()
        frame = self.frame
        self.middle = Checkpoint([frame.state, self.values, frame.arguments, frame.returned], self.program.spaces)
        if self.whole:
            self.start.restore()
            given = self.program.inputs.assembled(self.values)
            self.begin = Checkpoint([frame.state, self.values, given], self.program.spaces), self.calling(self.program.forward, given)

    def forward(self) -> None:
        """Run the forward pass from the start."""
        frame, program = self.frame, self.program
        frame.arguments = program.inputs.assembled(self.values)
        self.gave(program.invoke(frame, program.forward, frame.arguments))

    def gave(self, returned: Any) -> None:
        """Read the outputs of a forward pass."""
        frame, program = self.frame, self.program
        frame.returned = returned
        wanted = {self.subject.binding.loss, *self.subject.binding.upstream}
        parts = parts_of(frame.returned, program.returns)
        frame.outputs = {path: leaf for name, part in parts.items() if name in wanted for path, leaf in real_leaves(part, (name,)).items()}

    @property
    def whole(self) -> bool:
        """Whether one function does both passes."""
        return self.program.backward is None

    @cached_property
    def upstream(self) -> dict[Path, Any]:
        """A random upstream gradient for each output that gets one; 1 for a loss."""
        return self.drawn(0)

    def drawn(self, number: int) -> dict[Path, Any]:
        """Draw upstream gradients."""
        binding = self.subject.binding
        if binding.loss:
            return {path: np.ones(leaf.shape) for path, leaf in self.outputs.items() if path[0] == binding.loss}
        return {path: direction_in("".join(path), leaf.shape, f"{self.seed}, {number}").astype(float)
                for path, leaf in self.outputs.items() if path[0] in binding.upstream}

    def call(self, upstream: Mapping[Path, Any]) -> Callable[[], Any]:
        """Return what calls the backward pass with an upstream gradient."""
        frame = self.frame
        given = {} if self.subject.binding.loss else {
            p: u if isinstance(frame.outputs[p], np.ndarray) else float(u) for p, u in upstream.items()}
        made: list[tuple[Any, Checkpoint, Callable[[], Any]]] = []

        def run() -> Any:
            if not made or made[0][0] is not frame.returned:
                made[:] = [(frame.returned, *self.prepared(given))]
            made[0][1].restore()
            return made[0][2]()

        return run

    def prepared(self, given: Mapping[Path, Any]) -> tuple[Checkpoint, Callable[[], Any]]:
        """Put the arguments of the backward pass together; return what puts the upstream gradients back, and the call."""
        program, binding, frame = self.program, self.subject.binding, self.frame
        returned = parts_of(frame.returned, program.returns)
        rows = {name: mapped(part, lambda path, leaf: given.get(path, leaf), (name,)) for name, part in returned.items()
                if any(path[0] == name for path in given)}
        kept = Checkpoint([rows], [])
        if binding.call:
            space = dict(frame.arguments) | returned | {text: rows[name] for name in rows for text in upstream_names(name)}
            return kept, self.calling(binding.call, space)
        sources: dict[str, Mapping[str, Any]] = {"argument": frame.arguments, "returned": returned, "upstream": rows}
        space = {name: sources[kind][source] for name, kind, source in binding.arguments if source in sources[kind]}
        return kept, self.calling(program.backward or "", space)

    def calling(self, function: Any, arguments: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the call of a function, a method of ``self`` or an expression, with what it needs looked up once."""
        program, state = self.program, self.frame.state
        if isinstance(function, str) and not function.isidentifier():
            code = compile(function, "<call>", "eval")
            return lambda: eval(code, {k: v for own in program.spaces for k, v in own.items()} | state | dict(arguments))
        target = getattr(state["self"], function) if isinstance(function, str) else function
        first = [p.name for p in parameters(target) if p.kind is p.POSITIONAL_ONLY and p.name in arguments]
        named = {n: v for n, v in arguments.items() if n not in first}
        return lambda: target(*(arguments[n] for n in first), **named)

    def gradients(self, call: Callable[[], Any]) -> dict[str, Any] | None:
        """Run the backward pass, and return the gradients by name; ``None`` where it raises, or changes the outputs."""
        program, frame = self.program, self.frame
        try:
            if self.whole:
                self.begin[0].restore()
                self.gave(self.begin[1]())
                returned, names = frame.returned, program.returns
                if not self.unchanged():
                    return None
            else:
                self.middle.restore()
                returned, names = call(), program.gradients
        except Exception:  # an edited program may raise anything
            return None
        parts = parts_of(returned, names)
        return {name: fetch(parts, frame.state, program) for name, fetch in self.fetchers.items()}

    def unchanged(self) -> bool:
        """Tell whether the outputs that are differentiated are those of the first run."""
        kept = {self.subject.binding.loss, *self.subject.binding.upstream}
        return all(path in self.frame.outputs and alike(self.frame.outputs[path], leaf) for path, leaf in self.outputs.items() if path[0] in kept)


def alike(one: Any, other: Any) -> bool:
    """Tell whether two outputs are the same, up to the order in which sums are added; fast where nothing differs."""
    return np.array_equal(one, other) or np.allclose(one, other, rtol=1e-12, atol=0, equal_nan=True)


class Fetcher:
    """Reads one result by its path, without walking through all of them."""

    def __init__(self, path: Path) -> None:
        self.root = path[0]
        self.code = compile("root" + "".join(path[1:]), "<path>", "eval")

    def __call__(self, parts: Mapping[str, Any], state: Mapping[str, Any], program: Program) -> Any:
        for found in (parts, *program.spaces, state):
            root = found.get(self.root)
            if root is None or (found is not state and found is not parts and not isinstance(root, np.ndarray | dict | list)):
                continue
            try:
                return eval(self.code, {"root": root})  # the words of a path, not the user's
            except (LookupError, AttributeError, TypeError):
                continue
        return None


def as_floats(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return drawn numbers as floats; integers as they are."""
    return {name: np.array(v) if v.dtype.kind in "iub" else v.astype(float) for name, v in values.items()}


@contextmanager
def staged(subject: Subject, seed: object) -> Iterator[Stage]:
    """Run a subject in float64: its forward runs once, the backward passes that are asked for run from there.

    Args:
        subject: What to run; it may have been explored on balls.
        seed: Of its numbers.
    """
    program = replace(subject.program, balls=False)
    subject = replace(subject, program=program)
    values = as_floats(subject.values(seed))
    with program.running(dict(subject.state), values, Clips()) as mine, no_halves(*program.spaces):
        yield Stage(subject, seed, mine, values)


@contextmanager
def no_halves(*spaces: dict[str, Any]) -> Iterator[None]:
    """Let float32 and float16 be float64."""
    small = {np.float32, np.float16}
    swaps = [(space, name, value) for space in (vars(np), *spaces) for name, value in list(space.items())
             if isinstance(value, type) and value in small]
    try:
        for space, name, _ in swaps:
            space[name] = np.float64
        yield
    finally:
        for space, name, value in swaps:
            space[name] = value
