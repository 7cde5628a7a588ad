"""Jacobians of a step against the code of the step: in balls of hundreds of bits, and in floats.

The accused is a program: code of the new states of a step from the old ones, and code of the Jacobian.

Guarantees:
    *Balls*: for each pair of states, ``Jᵀ u`` with an exact random ``u`` is held against the rigorous directional derivatives of
    ``uᵀ new`` of the code of the step; see :mod:`symrnn.verify.balls.agreement`. *Numeric*: ``J v`` against a complex step of
    the code of the step, and every entry against ``torch.autograd.functional.jacobian`` of the equations where PyTorch is
    installed. No rule of the Jacobian is used. Blind: to other sizes; to branches that no point took; where a function is
    open, to what a sine hides; to whether the network is the one that was meant.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from symrnn.networks.graph import Network, Scan
from symrnn.verify.balls.agreement import BITS, DIGITS_PER_BIT, compare_gradients
from symrnn.verify.balls.directional import Point
from symrnn.verify.balls.judge import SINES, dyadic, order_of, standing_still
from symrnn.verify.entrywise.steps import named
from symrnn.verify.numeric.directions import EXACT
from symrnn.verify.numeric.directions import standing_still as still_complex
from symrnn.verify.numeric.torch_eval import run_network, tensors_of
from symrnn.verify.numeric.torch_functions import has_torch, torch
from symrnn.verify.points import default_sizes, random_point
from symrnn.verify.report import AGREES, REFUTED, Finding, JudgeReport
from symrnn.verify.stopping import STOP, names_of, replaced

Values = dict[str, Any]
BLIND = "other sizes; branches that no point took; whether the network is the one that was meant"
STEP = 2.0**-100


class Program(Protocol):
    """What is judged."""

    @property
    def network(self) -> Network:
        """The step as a network of one time; equations of the role ``Jacobian`` are not of the step."""

    @property
    def states(self) -> Sequence[Any]:
        """What the step carries over."""

    @property
    def olds(self) -> Sequence[str]:
        """Names of the arrays of the old states."""

    @property
    def accepted(self) -> Sequence[str]:
        """What the code takes beside given quantities: sizes and functions."""

    def new(self, values: Values) -> Mapping[Any, Any]:
        """Return the new states."""

    def jacobian(self, values: Values) -> Mapping[tuple[Any, Any], Any]:
        """Return the blocks that are not 0."""


def extra_of(program: Program, sizes: Mapping[str, int]) -> Values:
    """Return what the code takes beside arrays."""
    found: Values = {name: sizes[name] for name in program.accepted if name in sizes}
    return found | {name: SINES[order_of(name) % 4] for name in program.accepted if name.startswith("phi")}


def judge_steps_balls(programs: Iterable[Program], *, seed: int = 0, bits: int = BITS) -> JudgeReport:
    """Hold ``Jᵀ u`` against the rigorous derivatives of ``uᵀ new`` of the code of a step, along random directions.

    Args:
        programs: The steps.
        seed: Of the points and directions.
        bits: Precision of the first try.

    Returns:
        One finding for each pair of states of one step.
    """
    started, findings = clock.perf_counter(), dict[str, Finding]()
    rng = np.random.default_rng(seed)
    for program in programs:
        sizes = default_sizes(program.network)
        extra = extra_of(program, sizes)
        points = [exact_point(program, sizes, rng) for _ in range(2)]
        lengths = {state: points[0].shape(name)[-1] for state, name in zip(program.states, program.olds, strict=True)}
        for new in program.states:
            weights = np.vectorize(float, otypes=[object])(dyadic(rng.standard_normal((sizes["B"], lengths[new])), False))
            functions = forward_of(program, new, weights, extra), backward_of(program, new, weights, extra)
            compared = compare_gradients(*functions, points, bits=bits, seed=seed)
            for old, finding in zip(program.states, compared, strict=True):
                keep_worst(findings, replace(finding, quantity=named(new, old)))
    return JudgeReport(
        "ball arithmetic", f"the code of the Jacobian with the derivative of the code of the step, in {bits}-bit balls",
        f"equal to {round(DIGITS_PER_BIT * bits)} digits along random directions", BLIND, tuple(findings.values()),
        clock.perf_counter() - started,
    )


def keep_worst(findings: dict[str, Finding], finding: Finding) -> None:
    """Keep what does not agree."""
    if findings.get(finding.quantity) is None or findings[finding.quantity].verdict == AGREES:
        findings[finding.quantity] = finding


def exact_point(program: Program, sizes: Mapping[str, int], rng: np.random.Generator) -> Point:
    """Draw exact numbers for a step; the old states are what moves."""
    drawn = random_point(program.network, sizes, rng)
    kinds = {g.name: g.kind for g in program.network.givens}
    values = {name: array if kinds[name] == "integer" else dyadic(array, False) for name, array in drawn.items()}
    return Point(values, tuple(program.olds))


def forward_of(program: Program, new: Any, weights: Any, extra: Values) -> Callable[[Values], Any]:
    """Return the function ``uᵀ new``, summed over the batch; a stopped gradient does not move."""

    def forward(values: Values) -> Any:
        with replaced(names_of(program), STOP, standing_still):
            return (weights * program.new({**values, **extra})[new]).sum()

    return forward


def backward_of(program: Program, new: Any, weights: Any, extra: Values) -> Callable[[Values], Mapping[str, Any]]:
    """Return the function of the gradients ``Jᵀ u`` in the old states."""

    def gradients(values: Values) -> Mapping[str, Any]:
        found, out = program.jacobian({**values, **extra}), {}
        for name, old in zip(program.olds, program.states, strict=True):
            block = found.get((new, old))
            out[name] = 0 * values[name] if block is None else (weights[:, :, None] * block).sum(axis=1)
        return out

    return gradients


def judge_steps_numeric(programs: Iterable[Program], *, seed: int = 0) -> JudgeReport:
    """Hold ``J v`` against a complex step, and ``J`` against PyTorch's ``autograd.functional.jacobian`` where it is installed.

    Args:
        programs: The steps.
        seed: Of the point and the directions.

    Returns:
        One finding for each pair of states of one step.
    """
    started, findings = clock.perf_counter(), dict[str, Finding]()
    rng = np.random.default_rng(seed)
    for program in programs:
        sizes = default_sizes(program.network)
        values, extra = random_point(program.network, sizes, rng), extra_of(program, sizes)
        ours = program.jacobian({**values, **extra})
        theirs = by_torch(program, values, sizes) if has_torch() else {}
        for old, name in zip(program.states, program.olds, strict=True):
            direction = rng.standard_normal(np.shape(values[name]))
            with replaced(names_of(program), STOP, still_complex):
                moved = program.new({**values, **extra, name: values[name] + 1j * STEP * direction})
            for new in program.states:
                slope = np.imag(moved[new]).reshape(sizes["B"], -1) / STEP
                block = ours.get((new, old), np.zeros((*slope.shape, direction.shape[-1])))
                errors = {"complex step": relative(np.einsum("bij,bj->bi", block, direction), slope)}
                if theirs:
                    errors["PyTorch"] = relative(block, theirs[new, old])
                keep_worst(findings, judged(named(new, old), errors))
    beside = ", and with PyTorch" if has_torch() else ""
    return JudgeReport(
        "numeric", f"the code of the Jacobian with a complex step of the code of the step{beside}",
        f"equal up to a relative error of {EXACT:.0e}", BLIND, tuple(findings.values()), clock.perf_counter() - started,
    )


def judged(name: str, errors: Mapping[str, float]) -> Finding:
    """The verdict on one block."""
    detail = ", ".join(f"{method} {error:.1e}" for method, error in errors.items())
    return Finding(name, AGREES if all(error <= EXACT for error in errors.values()) else REFUTED, detail)


def relative(a: Any, b: Any) -> float:
    """Return the largest difference, as a part of the largest number or of 1 where all are smaller."""
    return float(np.max(np.abs(a - b)) / max(1.0, float(np.max(np.abs(b)))))


def by_torch(program: Program, values: Values, sizes: Mapping[str, int]) -> dict[Any, Any]:
    """Return the blocks by ``torch.autograd.functional.jacobian`` of the equations, for each sequence."""
    plain = replace(program.network, blocks=tuple(
        Scan(tuple(e for e in block.equations if e.role != "Jacobian"), block.step) if isinstance(block, Scan) else block
        for block in program.network.blocks
    ))
    tensors = tensors_of(plain, values)
    time = next(int(e.span.lo) for e in plain.equations if e.span is not None)

    def step(*olds: Any) -> tuple[Any, ...]:
        run = run_network(plain, {**tensors, **dict(zip(program.olds, olds, strict=True))}, sizes)
        return tuple(run.per_sequence(run.series[state][time])[..., 0] for state in program.states)

    found = torch().autograd.functional.jacobian(step, tuple(tensors[name] for name in program.olds))
    return {
        (new, old): np.einsum("bibj->bij", found[i][j].numpy())
        for i, new in enumerate(program.states) for j, old in enumerate(program.states)
    }
