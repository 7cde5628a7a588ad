"""How foreign code is called, found out by calling it once on balls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symrnn.verify.balls.dual import Undecided, precision
from symrnn.verify.handwritten.binding import (
    Binding,
    bind_arguments,
    by_order,
    caller,
    looks_derived,
    loss_of,
    match_results,
    slot_places,
)
from symrnn.verify.handwritten.inputs import Slot, drawn, with_usual
from symrnn.verify.handwritten.naming import LOSSES, closeness, stems
from symrnn.verify.handwritten.problems import Stopped
from symrnn.verify.handwritten.program import Frame, Program, kept_leaves, refuse_nothing
from symrnn.verify.handwritten.structures import Path, as_balls, entries, same, written
from symrnn.verify.handwritten.timing import Clock
from symrnn.verify.handwritten.trial import Subject

TRIES = 4
SKIPPED = {"", "-", "_"}


def explore(
    program: Program, *, call: str = "", loss: str = "", returns: Sequence[str] = (), bits: int = 333, seed: object = 0,
    clock: Clock | None = None,
) -> Subject:
    """Call the code once, and find out how it is called and which of its results is the gradient in what.

    Args:
        program: The code.
        call: An expression that calls the backward.
        loss: Name of the loss among what the forward returns.
        returns: What the results of the backward are the gradients of, in order: ``dx``, ``dWx``; ``-`` for none.
        bits: Precision.
        seed: Of the numbers.
        clock: Measures.

    Raises:
        Stopped: The code raises, or something is left to be asked for.
    """
    slots = [*program.inputs.slots, *program.given.values()]
    sizes = with_usual(program.inputs.sizes, slots)
    program = replace(program, gradients=tuple(returns) or program.gradients, inputs=replace(program.inputs, sizes=sizes))
    state = program.state(sizes)
    for attempt in range(TRIES):
        values = {slot.name: handed(drawn(slot, sizes, f"{seed}, {attempt}"), program.balls) for slot in slots}
        try:
            with precision(bits):
                frame, binding = bind(program, state, values, call, loss, slots)
        except Undecided as undecided:
            last = undecided
            continue
        refuse_empty(program, binding)
        refuse_count(program, frame.gave, returns)
        break
    else:
        raise Stopped(f"{program.names[0]} stops at every point that was tried: {last}")
    kept = {written(path): leaf.shape for path, leaf in kept_leaves(state)}
    moving = [Slot((name,), kept[name]) for name in binding.matched if name in kept and name not in {s.name for s in slots}]
    return Subject(program, binding, sizes, state, (*slots, *moving), clock or Clock())


def handed(values: Any, balls: bool) -> Any:
    """Return drawn numbers as the code gets them."""
    if values.dtype.kind in "iub":
        return values
    return as_balls(values) if balls else values.astype(float)


def bind(
    program: Program, state: dict[str, Any], values: Mapping[str, Any], call: str, loss: str, slots: Sequence[Slot],
) -> tuple[Frame, Binding]:
    """Run both passes once and match what comes out."""
    still = program.run(state, fresh(values))
    refuse_nothing(still, program)
    binding = Binding(call=call)
    if program.backward is not None and not call:
        arguments, upstream = bind_arguments(program, still)
        binding = replace(binding, arguments=arguments, upstream=upstream)
    elif call:
        names = dict.fromkeys(path[0] for path in still.outputs)
        binding = replace(binding, upstream=tuple(n for n in names if any(closeness(word, n) == 4 for word in words(call))))
    if not binding.upstream:
        binding = replace(binding, loss=loss_of(program, still, loss))
    refuse_nan(still, program, binding)
    gradient = {} if binding.loss else {path: ones(leaf, program.balls) for path, leaf in still.outputs.items() if path[0] in binding.upstream}

    def call_back(frame: Frame) -> Any:
        refuse_random(program, still, frame)
        return caller(program, binding, gradient)(frame)

    frame = program.run(state, fresh(values), call_back)
    if program.backward is None:
        refuse_random(program, still, frame)
    return frame, matched(program, binding, frame, state, slots, values)


def words(text: str) -> list[str]:
    """Return the names in an expression."""
    return "".join(c if c.isidentifier() or c.isdigit() else " " for c in text).split()


def fresh(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copy arrays, so that what is changed in place is not seen by the next run."""
    return {name: array.copy() for name, array in values.items()}


def ones(leaf: Any, balls: bool) -> Any:
    """Return an upstream gradient of ones."""
    made = handed(np.ones(np.shape(leaf)), balls)
    return made if isinstance(leaf, np.ndarray) else made[()]


def matched(
    program: Program, binding: Binding, frame: Frame, state: Mapping[str, Any], slots: Sequence[Slot], values: Mapping[str, Any],
) -> Binding:
    """Find the gradient of each array among what came out."""
    places = slot_places(list(slots), values)
    shared: dict[int, list[Path]] = {}
    shapes = {}
    for path, leaf in kept_leaves(state):
        shared.setdefault(id(leaf), []).append(path)
        shapes[id(leaf)] = leaf.shape
    places |= {written(paths[0]): (tuple(paths), shapes[i]) for i, paths in shared.items() if written(paths[0]) not in places}
    names = set(state) | set(program.given)
    results = {path: leaf for path, leaf in frame.results.items() if path[0] not in SKIPPED}
    found = match_results(results, places, set(state) - set(program.given))
    used = set(found.values())
    left = [path for path in results if path not in used and path[0] not in names and worth_asking(program, path, results[path])]
    named = [path for path in left if not found or path[0].startswith("result ") or looks_derived(path)]
    free = {slot.name: places[slot.name][1] for slot in slots if slot.moves and slot.name not in found}
    more, notes = by_order(named, results, free) if program.backward is not None else ({}, ())
    unknown = tuple(path for path in named if path not in more.values())
    notes += tuple(f"{name} is not compared: it is not named like a gradient" for name in dict.fromkeys(p[0] for p in left if p not in named))
    return replace(binding, matched=found | more, unknown=unknown, notes=notes)


def worth_asking(program: Program, path: Path, leaf: Any) -> bool:
    """Tell whether a result that fits nothing may be a gradient: where one function returns all, if it is named like one."""
    if not isinstance(leaf, np.ndarray) or path[0] in LOSSES:
        return False
    return program.backward is not None or bool(stems(path[0]) and path[0].startswith(("d", "grad")))


def refuse_nan(frame: Frame, program: Program, binding: Binding) -> None:
    """Refuse a point at which all that is differentiated is NaN or infinite.

    Raises:
        Undecided: Another point may do.
    """
    names = binding.upstream or (binding.loss,)
    leaves = [leaf for path, leaf in frame.outputs.items() if path[0] in names]
    if program.balls and not any(entry.isfinite() for leaf in leaves for entry in entries(leaf).flat):
        raise Undecided(f"it returned NaN or infinity everywhere in {', '.join(names)}; look for 0/0 "
                        "and for log and sqrt of negative numbers, or draw other numbers, such as x = { positive = [...] } in args.toml")


def refuse_count(program: Program, gave: Any, returns: Sequence[str]) -> None:
    """Refuse a backward that returned another number of results than were named.

    Raises:
        Stopped: It did.
    """
    got = len(gave) if isinstance(gave, (tuple, list)) else int(gave is not None)
    if returns and program.backward is not None and got != len(returns):
        raise Stopped(f"{program.names[1]} returned {got} result{'s' * (got != 1)}, and {len(returns)} are named: {', '.join(returns)}; "
                      "name each of them in order, \"-\" for what is no gradient")


def refuse_empty(program: Program, binding: Binding) -> None:
    """Refuse a backward of which nothing is a gradient.

    Raises:
        Stopped: There is nothing to compare.
    """
    if not binding.matched and not binding.unknown:
        raise Stopped(f"nothing that {program.names[1]} returned or set is the gradient in an argument or in what the code keeps; return "
                      "gradients, and name them in args.toml: [backward] returns = [\"dx\", \"dW\"]")


def refuse_random(program: Program, one: Frame, other: Frame) -> None:
    """Refuse a forward that returned something else in a second run.

    Raises:
        Stopped: It is random.
    """
    for path, leaf in one.outputs.items():
        again: Any = other.outputs.get(path)
        if np.shape(again) != np.shape(leaf):
            raise Stopped(f"{program.names[0]} is random: its output {written(path)} has another shape in a second run")
        if not all(map(same, np.asarray(leaf, object).flat, np.asarray(again, object).flat)):
            raise Stopped(f"{program.names[0]} is random: two runs on the same numbers return another {written(path)}; fix the seed "
                          "inside it, or turn off what is random (dropout, sampling)")
