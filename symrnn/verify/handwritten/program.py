"""Foreign code as something to run: arrays go in by name, outputs and gradients come out by name.

A run gives fresh arrays and fresh copies of everything that the code keeps (globals, attributes), and restores the
globals, so that what one run changes is not seen by the next.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.verify.balls.arrays import object_arrays
from symrnn.verify.handwritten.clips import Clips, watched
from symrnn.verify.handwritten.code_objects import defaults_of, functions_in, names_read, with_defaults
from symrnn.verify.handwritten.inputs import Inputs, Slot
from symrnn.verify.handwritten.naming import parameters
from symrnn.verify.handwritten.problems import Stopped, called
from symrnn.verify.handwritten.structures import (
    Path,
    arrayed,
    as_balls,
    changed,
    is_real,
    leaves,
    real_leaves,
    replaced,
    snapshot,
    written,
)

LARGEST = 20_000
"""Arrays that the code keeps and that have more entries stay as they are."""


@dataclass
class Frame:
    """One run: what went in and what came out.

    Attributes:
        arguments: Of the forward, by name.
        state: What the code keeps, by name: globals, ``self``.
        returned: What the forward returned.
        outputs: Arrays and numbers in it that can be differentiated, by path.
        gave: What the backward returned.
        results: Arrays and numbers after the backward, by path; those that it returned come first.
        changed: Arguments that were changed in place, with who did it.
        clips: What was clipped in the backward.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    returned: Any = None
    gave: Any = None
    outputs: dict[Path, Any] = field(default_factory=dict)
    results: dict[Path, Any] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    clips: Clips = field(default_factory=Clips)


@dataclass(frozen=True)
class Program:
    """A forward pass and its backward pass, and how they are called.

    Attributes:
        forward: A function, or the name of a method of ``self``; an expression where it has brackets.
        backward: Likewise; ``None`` where the forward returns the gradients too.
        inputs: The arguments of the forward.
        returns: Names of what the forward returns.
        gradients: Names of what the backward returns.
        build: Makes what the code keeps beside its globals, such as ``self``, at given sizes.
        spaces: Globals of the modules of the code.
        given: Globals that are set, as slots by name.
        balls: Whether the code runs on balls; on floats otherwise.
    """

    forward: Callable[..., Any] | str
    backward: Callable[..., Any] | str | None
    inputs: Inputs
    returns: tuple[str, ...] = ()
    gradients: tuple[str, ...] = ()
    build: Callable[[Mapping[str, int]], dict[str, Any]] = lambda sizes: {}
    spaces: tuple[dict[str, Any], ...] = ()
    given: Mapping[str, Slot] = field(default_factory=dict)
    balls: bool = True

    @property
    def names(self) -> tuple[str, str]:
        """What the two passes are called in messages."""
        return named("forward", self.forward), named("backward", self.backward or self.forward)

    def state(self, sizes: Mapping[str, int]) -> dict[str, Any]:
        """Return what the code keeps and what holds arrays: globals and objects by name."""
        functions = [*functions_in(self.spaces), *(f for f in (self.forward, self.backward) if callable(f))]
        read, handed = names_read(functions), defaults_of(functions)
        written_out = [f for f in (self.forward, self.backward) if isinstance(f, str)]
        kept = {name: value for space in self.spaces for name, value in space.items()
                if (name in read or id(value) in handed or any(name in text for text in written_out)) and holds_arrays(name, value)}
        made: dict[str, Any] = called("setup", lambda: self.build(sizes))
        return made | {name: value for name, value in kept.items() if name not in made}

    @contextmanager
    def running(self, state: dict[str, Any], values: Mapping[str, Any], clips: Clips) -> Iterator[dict[str, Any]]:
        """Copy the state, put arrays in place, and make NumPy hand out balls while the code runs."""
        mine = copy.deepcopy(state)
        swaps = {}
        for path, leaf in kept_leaves(mine):
            name = written(path)
            if name in values:
                swaps[id(leaf)] = values[name]
            elif self.balls and leaf.size <= LARGEST and id(leaf) not in swaps:
                swaps[id(leaf)] = as_balls(leaf)
        mine = replaced(mine, swaps) | {name: values[name] for name in self.given if name in values}
        with ExitStack() as stack:
            for space in self.spaces:
                stack.enter_context(bound(space, {k: v for k, v in mine.items() if k in space or k in self.given}))
            stack.enter_context(with_defaults(functions_in(self.spaces), {id(state[k]): v for k, v in mine.items() if k in state}))
            if self.balls:
                stack.enter_context(object_arrays(*self.spaces))
            stack.enter_context(watched(clips, *self.spaces))
            yield mine

    def run(
        self, state: dict[str, Any], values: Mapping[str, Any],
        backward: Callable[[Frame], Any] | None = None, *, clipping: bool = True,
    ) -> Frame:
        """Run the forward pass, then the backward pass where one is given.

        Args:
            state: What the code keeps; copied.
            values: Arrays by name; handed over as they are.
            backward: Calls the backward pass; gets the frame so far.
            clipping: Whether what the backward clips is clipped.
        """
        frame = Frame(self.inputs.assembled(values), clips=Clips(active=clipping))
        with self.running(state, values, frame.clips) as frame.state:
            before, bindings = snapshot(frame.arguments), [{name: held(value) for name, value in space.items()} for space in self.spaces]
            if self.backward is None:
                frame.clips.watching = True
            frame.returned = called(self.names[0], lambda: self.invoke(frame, self.forward, frame.arguments))
            frame.outputs = self.outputs_of(frame.returned, self.returns)
            frame.changed = tuple(f"the forward changes its argument {name}" for name in changed_names(before))
            if backward is not None:
                frame.clips.watching = True
                returned = frame.gave = frame.returned if self.backward is None else backward(frame)
                names = self.returns if self.backward is None else self.gradients
                own = self.outputs_of(arrayed(returned), names)
                kept = frame.state | self.rebound(frame.state, bindings)
                frame.results = {path: leaf for name, part in kept.items() for path, leaf in real_leaves(part, (name,)).items()} | own
        return frame

    def invoke(self, frame: Frame, function: Callable[..., Any] | str, arguments: Mapping[str, Any]) -> Any:
        """Call a function, a method of ``self`` or an expression."""
        if isinstance(function, str) and not function.isidentifier():
            space = {k: v for own in self.spaces for k, v in own.items()} | frame.state | dict(arguments)
            return eval(compile(function, "<call>", "eval"), space)  # the user's own words, run like the user's code
        target = getattr(frame.state["self"], function) if isinstance(function, str) else function
        positional = [p.name for p in parameters(target) if p.kind is p.POSITIONAL_ONLY and p.name in arguments]
        return target(*(arguments[n] for n in positional), **{n: v for n, v in arguments.items() if n not in positional})

    def rebound(self, state: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the globals with arrays that the code bound anew, or filled, while it ran."""
        now = {name: value for space, old in zip(self.spaces, before, strict=True) for name, value in space.items()
               if not name.startswith("__") and not identical(held(value), old.get(name, ()))}
        return {n: v for n, v in now.items() if v is not state.get(n) and not callable(v) and isinstance(v, np.ndarray | dict | list)}

    def outputs_of(self, returned: Any, names: tuple[str, ...], kinds: str = "f") -> dict[Path, Any]:
        """Return the arrays and numbers in what was returned, under the names of the ``return`` statement."""
        return {path: leaf for root, part in parts_of(returned, names).items() for path, leaf in leaves(part, (root,))
                if is_real(leaf) or (kinds == "fc" and np.iscomplexobj(leaf))}


def held(value: Any) -> tuple[Any, ...]:
    """Return a global, and what a dict or a list holds."""
    return (value, *(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()))


def identical(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Tell whether two sequences hold the very same objects."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def parts_of(returned: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Name the parts of what a function returned: ``h``, ``cache``; ``result 1`` where there is no name."""
    parts = list(returned) if isinstance(returned, tuple) and not hasattr(returned, "_fields") else [returned]
    if returned is None:
        return {}
    if isinstance(returned, list) and len(names) == len(returned) > 1:
        parts = returned
    if len(names) != len(parts):
        names = ("",) * len(parts)
    found: dict[str, Any] = {}
    for index, (name, part) in enumerate(zip(names, parts, strict=True)):
        found[name if name and name not in found else f"result {index + 1}"] = part
    return found


def named(what: str, function: Callable[..., Any] | str) -> str:
    """Return what a pass is called in messages: ``the forward lstm_forward``."""
    return f"the {what} {function if isinstance(function, str) else getattr(function, '__name__', '')}".strip()


def holds_arrays(name: str, value: Any) -> bool:
    """Tell whether a global is data with arrays in it."""
    if name.startswith("__") or callable(value):
        return False
    return any(isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" for _, leaf in leaves(value))


def kept_leaves(state: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the float arrays in what the code keeps, with their paths."""
    for name, value in state.items():
        for path, leaf in leaves(value, (name,)):
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
                yield path, leaf


def changed_names(before: Mapping[str, Any]) -> list[str]:
    """Name the arguments of a snapshot that were changed, without the path in front."""
    return [tidy(name) for name in changed(before)]


def tidy(path: str) -> str:
    """Write a path in a dict of arguments as the argument: ``['x']`` is ``x``."""
    head, _, rest = path.removeprefix("['").partition("']")
    return head + rest if path.startswith("['") else path


@contextmanager
def bound(space: dict[str, Any], values: Mapping[str, Any]) -> Iterator[None]:
    """Set globals, and restore them afterwards, those that the code sets too."""
    before = dict(space)
    space.update(values)
    try:
        yield
    finally:
        for name in space.keys() - before.keys():
            del space[name]
        space.update(before)


def refuse_nothing(frame: Frame, program: Program) -> None:
    """Refuse a forward pass that returned nothing to differentiate.

    Raises:
        Stopped: It returned no array or number.
    """
    if not frame.outputs:
        got = type(frame.returned).__name__
        raise Stopped(f"{program.names[0]} returned {got}, with no float array or number to differentiate; return its outputs")
