"""``verify_gradient``: a backward pass that somebody wrote, held against the derivative of the forward beside it.

Guarantees:
    *right*, *wrong*, *right up to a factor*, *truncated* rest on balls of hundreds of bits: rigorous for the points that
    were drawn. Where the code cannot run on balls, the verdict is numeric and says so. Blind: to branches that no point
    took, to other sizes, and to a forward pass that is itself not what its author meant.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from symrnn.errors import SpecError, SymrnnError, unknown
from symrnn.verify.balls.dual import Undecided
from symrnn.verify.handwritten.deciding import verdicts_of
from symrnn.verify.handwritten.exploring import explore
from symrnn.verify.handwritten.findings import Diagnosis
from symrnn.verify.handwritten.floats import numeric_verdicts
from symrnn.verify.handwritten.inputs import Inputs, Slot, inputs_of_examples
from symrnn.verify.handwritten.judging import BITS, Plan
from symrnn.verify.handwritten.naming import parameters, returned_names
from symrnn.verify.handwritten.problems import NotOnBalls
from symrnn.verify.handwritten.program import Program, named
from symrnn.verify.handwritten.report import ACCEPTABLE, Report, Verdict
from symrnn.verify.handwritten.timing import Clock
from symrnn.verify.handwritten.trial import Subject


@dataclass(frozen=True)
class Request:
    """What is to be verified, however it was asked for.

    Attributes:
        program: The code.
        title: What it is called in the report.
        call: An expression that calls the backward.
        loss: Name of the loss.
        returns: What the results of the backward are the gradients of.
        accept: Verdicts that are accepted.
        plan: How hard to try.
        notes: Said in the report.
        diagnose: Whether mistakes are looked for where something is refused.
        cell: The cell that the forward is meant to be: a name, or a cell; ``None`` to find out.
        layout: How arrays lie, as text such as ``D (i f o g) H`` by name; what is not said is found out.
    """

    program: Program
    title: str
    call: str = ""
    loss: str = ""
    returns: tuple[str, ...] = ()
    accept: Mapping[str, Any] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    notes: tuple[str, ...] = ()
    diagnose: bool = True
    cell: Any = None
    layout: Mapping[str, str] = field(default_factory=dict)


EXPLAINER = "symrnn.explaining"
"""A module with a function ``explain``, loaded when something was refused."""
FAILURES = (SymrnnError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, AssertionError)
"""What a diagnosis may stumble over in foreign code."""


def verify_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None = None,
    example_args: Sequence[Any] | Mapping[str, Any] = (),
    *,
    call: str = "",
    returns: Sequence[str] = (),
    loss: str = "",
    globals: Mapping[str, Any] | None = None,  # the word that users know
    keep: Sequence[str] = (),
    accept: Mapping[str, Any] | None = None,
    seed: int = 0,
    bits: int = BITS,
) -> Report:
    """Verify a backward pass that was written by hand against the derivative of its own forward pass.

    Both run unmodified, in this process, on arrays of balls of hundreds of bits; numbers are drawn at random in the
    shapes of the example. What the backward returns is named by its ``return`` statement (``dx``, ``dWh``), else by
    the order of the forward's arguments.

    Args:
        forward: A function, or a method of an object that keeps parameters.
        backward: Likewise; ``None`` where the forward returns loss and gradients.
        example_args: Arguments of the forward, in order or by name; integers, one-hot rows and masks keep their values.
        call: An expression that calls the backward, such as ``"backward(dh, cache)"``.
        returns: What the backward returns, in order, such as ``["dx", "dWh"]``; ``"-"`` for what is no gradient.
        loss: Name of the loss among what the forward returns.
        globals: Arrays that the code reads as globals, by name.
        keep: Names of arguments whose values are kept as they are.
        accept: Verdicts that are accepted: ``{"truncated": True, "clipped": ["dWh"]}``.
        seed: Of the random numbers.
        bits: Precision of the first try.

    Returns:
        One verdict for each gradient, with ``assert_ok``.

    Raises:
        SpecError: ``example_args`` do not fit the arguments of the forward; an unknown kind in ``accept``.
        DataError: The code raises, is random, or something must be told: in one line.
    """
    given = {name: Slot((name,), np.shape(value)) for name, value in (globals or {}).items()}
    program = program_of(forward, backward, inputs_of_examples(by_name(forward, example_args), tuple(keep)), given)
    title = " and ".join(dict.fromkeys(getattr(f, "__qualname__", str(f)) for f in (forward, backward) if f is not None))
    plan = Plan(bits=bits, seed=seed)
    return verified(Request(program, title, call, loss, tuple(returns), checked(accept or {}), plan))


def program_of(
    forward: Callable[..., Any], backward: Callable[..., Any] | None, inputs: Inputs, given: Mapping[str, Slot],
) -> Program:
    """Return the program of two functions, or of two methods of an object."""
    owner = getattr(forward, "__self__", None)
    owner = None if owner is None or isinstance(owner, ModuleType) else owner
    return Program(
        method(forward, owner), method(backward, owner) if backward is not None else None, inputs,
        returned_names(forward), returned_names(backward) if backward is not None else (),
        build=(lambda sizes: {}) if owner is None else (lambda sizes: {"self": owner}),
        spaces=spaces_of(forward, backward), given=given,
    )


def method(function: Callable[..., Any], owner: Any) -> Callable[..., Any] | str:
    """Return a function, or the name of a method of the owner."""
    return function.__name__ if owner is not None and getattr(function, "__self__", None) is owner else function


def spaces_of(*functions: Callable[..., Any] | None) -> tuple[dict[str, Any], ...]:
    """Return the globals that functions read, each once."""
    found: dict[int, dict[str, Any]] = {}
    for function in functions:
        space = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__globals__", None) if function is not None else None
        if space is not None:
            found[id(space)] = space
    return tuple(found.values())


def by_name(forward: Callable[..., Any], example_args: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """Name the example arguments.

    Raises:
        SpecError: Too many, too few, or an unknown name.
    """
    taken = parameters(forward)
    names = [p.name for p in taken if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if isinstance(example_args, Mapping):
        for name in example_args:
            if name not in names and not any(p.kind is p.VAR_KEYWORD for p in taken):
                raise unknown(f"argument of {named('forward', forward)}", name, names)
        found = dict(example_args)
    else:
        if len(example_args) > len(names):
            raise SpecError(f"{named('forward', forward)} takes {len(names)} arguments ({', '.join(names)}); the example has {len(example_args)}")
        found = dict(zip(names, example_args, strict=False))
    missing = [p.name for p in taken if p.name in names and p.default is p.empty and p.name not in found]
    if missing:
        raise SpecError(f"{named('forward', forward)} takes {', '.join(names)}; the example has no {', '.join(missing)}: add it")
    return found


def checked(accept: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse unknown kinds of verdicts.

    Raises:
        SpecError: A kind that is unknown.
    """
    for kind in accept:
        if kind not in ACCEPTABLE:
            raise unknown("kind in accept", kind, ACCEPTABLE)
    return accept


def verified(request: Request, clock: Clock | None = None) -> Report:
    """Verify what was asked for.

    Args:
        request: What.
        clock: Measures, and is told of each phase.
    """
    clock = clock or Clock()
    reason = ""
    options: dict[str, Any] = {"call": request.call, "loss": request.loss, "returns": request.returns, "seed": request.plan.seed, "clock": clock}
    try:
        with clock.phase("first call"):
            subject = explore(request.program, bits=request.plan.bits, **options)
        verdicts = verdicts_of(subject, request.plan)
    except NotOnBalls as error:
        reason = str(error)
        with clock.phase("first call"):
            subject = explore(replace(request.program, balls=False), bits=request.plan.bits, **options)
        verdicts = numeric_verdicts(subject, request.plan)
    except Undecided as undecided:
        subject = None
        verdicts = (Verdict("all", "", "not checked", f"because {undecided}"),)
    report = finished(request, subject, verdicts, clock, reason)
    if subject is None or reason or not (request.diagnose and report.refused):
        return report
    diagnosis = explained(subject, report.refused, request)
    return replace(report, diagnosis=diagnosis, seconds=dict(clock.seconds))


def explained(subject: Subject, refused: tuple[Verdict, ...], request: Request) -> Diagnosis:
    """Ask for the mistakes by name; a judge does not know who finds them.

    Args:
        subject: The code.
        refused: The verdicts that are refused, and not accepted.
        request: What was asked for.
    """
    try:
        with subject.clock.phase("diagnosis"):
            found: Diagnosis = importlib.import_module(EXPLAINER).explain(subject, refused, request)
    except FAILURES as error:  # foreign code at special points: a verdict is worth more than its explanation
        return Diagnosis(statement=f"none was found: {type(error).__name__} while the mistakes were looked for: {error}")
    return found


def finished(request: Request, subject: Subject | None, verdicts: tuple[Verdict, ...], clock: Clock, reason: str) -> Report:
    """Put the report together."""
    if subject is None:
        return Report(request.title, verdicts, seconds=dict(clock.seconds))
    notes = [*request.notes, *subject.binding.notes, *equal_sizes(subject)]
    if reason:
        notes.append(f"the code does not run on balls ({reason}), so that the verdict is numeric, from float64, and proves nothing")
    free = [slot.name for slot in subject.slots if slot.moves and slot.name not in subject.binding.matched]
    if free:
        notes.append(f"no gradient in {', '.join(free)} was returned")
    what = f"the loss {subject.binding.loss}" if subject.binding.loss else \
        f"⟨upstream, outputs⟩ with random upstream gradients in {', '.join(subject.binding.upstream)}"
    how = "in float64" if reason else f"in balls of {request.plan.bits} bits and more, {request.plan.points} random points"
    compared = f"compared: what the backward returned with the derivative of the code's own forward, of {what}, {how}"
    labels = subject.program.inputs.labels
    sizes = {labels.get(letter, letter): size for letter, size in subject.sizes.items()}
    made = tuple(labelled(verdict, labels) for verdict in verdicts)
    report = Report(request.title, made, compared, sizes, tuple(notes), dict(clock.seconds), request.plan.bits)
    return report.accepting(request.accept)


def labelled(verdict: Verdict, labels: Mapping[str, str]) -> Verdict:
    """Call made-up letters by what they are the size of."""
    factor = re.sub(r"size\d+", lambda found: labels.get(found[0], found[0]), verdict.factor)
    example = verdict.example
    if example is not None and labels:
        example = replace(example, sizes={} if example.values else {labels.get(x, x): n for x, n in example.sizes.items()})
    return replace(verdict, factor=factor, example=example)


def equal_sizes(subject: Subject) -> list[str]:
    """Warn where a lost transpose can hide."""
    letters = [letter for letter, size in subject.sizes.items() if size > 1]
    pairs = [(a, b) for i, a in enumerate(letters) for b in letters[i + 1:] if subject.sizes[a] == subject.sizes[b]]
    square = {name for name in subject.wanted for slot in subject.slots
              if slot.name == name and len(slot.shape) == 2 and len(set(slot.shape)) == 1 and str(slot.shape[0]).startswith("size")}
    return [f"{a} = {b} = {subject.sizes[a]}: a lost transpose can hide behind equal sizes; use different ones" for a, b in pairs] if not square else []


__all__ = ["Inputs", "Request", "verified", "verify_gradient"]
