"""Which upstream gradient goes where, and which returned gradient belongs to which array: by name, by order, or asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.verify.handwritten.inputs import Slot
from symrnn.verify.handwritten.naming import (
    GROUPS,
    VALUES,
    WHOLES,
    alike,
    best,
    closeness,
    is_loss,
    parameters,
    stem_of,
    stems,
)
from symrnn.verify.handwritten.problems import Stopped, called
from symrnn.verify.handwritten.program import Frame, Program, changed_names, parts_of
from symrnn.verify.handwritten.structures import Path, indices_of, key_of, mapped, snapshot, written

Upstream = Mapping[Path, Any]
"""A gradient for each output of the forward, by path."""


@dataclass(frozen=True)
class Binding:
    """How the backward is called, and what it returns.

    Attributes:
        arguments: For each argument of the backward what it gets: ``("argument", "x")``, ``("returned", "cache")`` or
            ``("upstream", "h")``.
        call: An expression that calls it instead.
        loss: Name of the output that is the loss; empty where upstream gradients are given.
        upstream: Names of the outputs that get an upstream gradient.
        matched: Path of the gradient of each array, by the array's name.
        places: Shapes of all arrays that a gradient may be taken in, by name.
        unknown: Returned arrays that belong to nothing.
        notes: What was decided by order or by shape.
    """

    arguments: tuple[tuple[str, str, str], ...] = ()
    call: str = ""
    loss: str = ""
    upstream: tuple[str, ...] = ()
    matched: Mapping[str, Path] = field(default_factory=dict)
    unknown: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def upstream_names(output: str) -> list[str]:
    """Return the names that the gradient of an output goes by, without the output's name in another order."""
    return [f"d{output}", f"d_{output}", f"grad_{output}", f"{output}_grad", f"dL_d{output}"]


def bind_arguments(program: Program, frame: Frame) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]]:
    """Say what each argument of the backward gets: its name, where it comes from, and under which name.

    Raises:
        Stopped: An argument is left over.
    """
    function = getattr(frame.state["self"], program.backward) if isinstance(program.backward, str) else program.backward
    wanted = [p for p in parameters(function) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)] if function else []
    returned = parts_of(frame.returned, program.returns)
    outputs = list(dict.fromkeys(path[0] for path in frame.outputs))
    last = list(returned)[-1] if returned else ""
    cache = last if last and not isinstance(returned[last], np.ndarray) and (len(returned) > 1 or last not in outputs) else ""
    given = {id(leaf) for leaf in frame.arguments.values()}
    arrays = [name for name in outputs if name != cache and name not in frame.arguments and id(returned[name]) not in given]
    found: dict[str, tuple[str, str]] = {}
    for p in wanted:
        if p.name in frame.arguments:
            found[p.name] = ("argument", p.name)
        elif p.name in returned:
            found[p.name] = ("returned", p.name)
        elif name := upstream_of(p.name, arrays, {other.name for other in wanted}):
            found[p.name] = ("upstream", name)
    fill_in(program, frame, wanted, found, arrays, cache)
    return tuple((p.name, *found[p.name]) for p in wanted if p.name in found), tuple(n for kind, n in found.values() if kind == "upstream")


def upstream_of(name: str, outputs: list[str], taken: set[str]) -> str:
    """Return the output that an argument is named like the gradient of: not a whole that the backward gets itself, where a part of it is returned too."""
    parts = [output for output in outputs if not output.isidentifier() and stem_of(output) in taken]
    return best(name, parts, lambda wanted, output: closeness(wanted, stem_of(output))) or best(name, outputs, closeness)


def fill_in(
    program: Program, frame: Frame, wanted: list[inspect.Parameter], found: dict[str, tuple[str, str]], arrays: list[str], cache: str,
) -> None:
    """Give what is left in order: upstream gradients for the arrays, then the cache."""
    left = [p for p in wanted if p.name not in found and p.default is p.empty]
    if cache and left and ("returned", cache) not in found.values():
        near = best(left[-1].name, frame.arguments, alike)
        found[left[-1].name] = ("argument", near) if near else ("returned", cache)
        left.pop()
    free = [name for name in arrays if not {("upstream", name), ("returned", name)} & set(found.values())]
    for p in list(left):
        if near := best(p.name, frame.arguments, alike) or "":
            found[p.name] = ("argument", near)
            left.remove(p)
    if len(left) > len(free) or (len(left) != len(free) and len(free) > 1 and left):
        known = ", ".join([*frame.arguments, *parts_of(frame.returned, program.returns)])
        name = getattr(program.backward, "__name__", program.backward)
        raise Stopped(
            f"{program.names[1]} has an argument '{left[0].name}' and nothing says what it gets; add to args.toml: [backward] "
            f"call = \"{name}({', '.join(p.name for p in wanted)})\" with names out of {known} and d<output> for upstream gradients")
    for p, name in zip(left, free, strict=False):
        found[p.name] = ("upstream", name)


def loss_of(program: Program, frame: Frame, loss: str) -> str:
    """Return the name of the output that is the loss, where no upstream gradient is given.

    Raises:
        Stopped: Nothing says which it is.
    """
    single = [path for path, leaf in frame.outputs.items() if np.size(leaf) == 1]
    if loss:
        if loss not in {path[0] for path in frame.outputs}:
            raise Stopped(f"the loss '{loss}' is not among what {program.names[0]} returns: {outputs_text(frame)}; "
                          'name it by loss = "…" or let the forward return it')
        return loss
    for path in single:
        if is_loss(path[0]):
            return path[0]
    if len(single) == 1:
        return single[0][0]
    raise Stopped(f"nothing says what {program.names[0]} is differentiated in: it returns {outputs_text(frame)}, and no argument of "
                  f"{program.names[1]} is an upstream gradient; add to args.toml: loss = \"name of the loss\"")


def outputs_text(frame: Frame) -> str:
    """List the outputs of the forward."""
    return ", ".join(dict.fromkeys(path[0] for path in frame.outputs)) or "nothing"


def caller(program: Program, binding: Binding, upstream: Upstream) -> Callable[[Frame], Any]:
    """Return the function that calls the backward pass of a frame with an upstream gradient."""

    def call(frame: Frame) -> Any:
        returned = parts_of(frame.returned, program.returns)
        rows = {name: mapped(part, lambda path, leaf: upstream.get(path, leaf), (name,)) for name, part in returned.items()
                if any(path[0] == name for path in upstream)}
        if binding.call:
            space = dict(frame.arguments) | returned
            space |= {text: rows[name] for name in rows for text in upstream_names(name)}
            before = snapshot(space)
            result = called(program.names[1], lambda: program.invoke(frame, binding.call, space))
        else:
            sources: dict[str, Mapping[str, Any]] = {"argument": frame.arguments, "returned": returned, "upstream": rows}
            space = {name: sources[kind][source] for name, kind, source in binding.arguments if source in sources[kind]}
            before = snapshot(space) | snapshot({"self": parameters_of(program, frame)})
            assert program.backward is not None  # for types: a program without one is not called
            result = called(program.names[1], lambda: program.invoke(frame, program.backward or "", space))
        frame.changed += tuple(f"{program.names[1]} changes its argument {name}" for name in changed_names(before))
        return result

    return call


def parameters_of(program: Program, frame: Frame) -> dict[str, Any]:
    """Return nothing: what an object keeps may change."""
    return {}


def fits(gradient: Path, array: Path) -> int:
    """Grade how well what stands at one path is the gradient of what stands at another, by names."""
    if indices_of(gradient) != indices_of(array):
        return 0
    mine, theirs = key_of(gradient), key_of(array)
    near = int(gradient[0] == array[0])
    if grade := closeness(mine, theirs):
        return 2 * grade + near
    inside = len(gradient) - len(indices_of(gradient)) > 1
    if mine == theirs and inside:
        holder = key_of(gradient[: len(gradient) - len(indices_of(gradient)) - 1])
        if holder.lower() in GROUPS or closeness(holder, key_of(array[:-1])) or not holder.isidentifier() or holder.startswith("result"):
            return 6 + near
    if mine.lower() in GROUPS and theirs.lower() in WHOLES and indices_of(gradient):
        return 5 + near
    if mine.lower() in {*GROUPS, "diff", "delta"} and theirs.lower() in VALUES and gradient[:-1] == array[:-1]:
        return 5 + near
    return 0


def match_results(
    results: Mapping[Path, Any], places: Mapping[str, tuple[tuple[Path, ...], tuple[int, ...]]], state_names: set[str]
) -> dict[str, Path]:
    """Find the gradient of each array by names.

    Args:
        results: Arrays after the backward, by path.
        places: The paths and the shape of each array, by name.
        state_names: Names of what the code keeps: there an array is not its own gradient.
    """
    own = {path for paths, _ in places.values() for path in paths if path[0] in state_names}
    graded = []
    for name, (paths, _) in places.items():
        for gradient in results:
            possible = gradient not in paths and (gradient not in own or looks_derived(gradient))
            grade = max(((fits(gradient, path), common(gradient, path)) for path in paths if together(gradient, path, state_names)), default=(0, 0))
            if possible and grade[0]:
                graded.append((paths[0][0] not in state_names, grade, gradient[0] not in state_names, name, gradient))
    taken: dict[str, Path] = {}
    used_up: set[int] = set()
    for *_, name, gradient in sorted(graded, key=lambda entry: entry[:3], reverse=True):
        if name not in taken and id(results[gradient]) not in used_up:
            taken[name] = gradient
            used_up.add(id(results[gradient]))
    used = {path for path in taken.values() if path[0] in state_names}
    return {name: taken[name] for name in places if name in taken and not used & set(places[name][0])}


def together(gradient: Path, array: Path, state_names: set[str]) -> bool:
    """Tell whether what is kept at one path may be the gradient of what is kept at another.

    Both stand in one object, or are plain globals; lists of gradients and of arrays, such as ``.grads[0]``, in the very same.
    """
    if not (gradient[0] in state_names and array[0] in state_names):
        return True
    if gradient[0] != array[0]:
        return len(gradient) == len(array) == 1 + len(indices_of(array))
    steps = len(indices_of(array))
    return not steps or key_of(array).lower() not in WHOLES or gradient[: len(gradient) - steps - 1] == array[: len(array) - steps - 1]


def common(one: Path, other: Path) -> int:
    """Count the steps that two paths share at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def looks_derived(path: Path) -> bool:
    """Tell whether a path is named like a gradient."""
    return any(key.lower() in GROUPS or stems(key) for key in map(key_of, (path[:n + 1] for n in range(len(path)))) if key)


def by_order(
    left: list[Path], results: Mapping[Path, Any], free: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Give unnamed results to the arrays that have none: in order where all shapes fit, else where a shape is the only one."""
    shapes = [np.shape(results[path]) for path in left]
    if left and shapes == list(free.values()):
        pairs = dict(zip(free, left, strict=True))
        return pairs, tuple(f"{written(path)} is taken for the gradient of {name}, by the order" for name, path in pairs.items())
    found = {}
    for path, shape in zip(left, shapes, strict=True):
        fitting = [name for name, own in free.items() if own == shape]
        if len(fitting) == 1 and shapes.count(shape) == 1:
            found[fitting[0]] = path
    return found, tuple(f"{written(path)} is taken for the gradient of {name}, by its shape" for name, path in found.items())


def slot_places(slots: list[Slot], values: Mapping[str, Any]) -> dict[str, tuple[tuple[Path, ...], tuple[int, ...]]]:
    """Return path and shape of the slots that move."""
    return {slot.name: ((slot.path,), np.shape(values[slot.name])) for slot in slots if slot.moves}
