"""The fallback in float64, for code that does not run on balls: complex steps or differences of the forward.

Guarantees:
    None: *right* means that the numbers agree to a relative 1e-7 along random directions, *wrong* that they differ by
    more than 1e-4; anything between is *not checked*. A gradient that vanishes is not told from 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.errors import DataError
from symrnn.verify.handwritten.binding import caller
from symrnn.verify.handwritten.causes import size_named
from symrnn.verify.handwritten.judging import Plan
from symrnn.verify.handwritten.program import Frame
from symrnn.verify.handwritten.report import CONSTANTS, FACTOR, RIGHT, SIDE_EFFECT, UNCHECKED, WRONG, Verdict
from symrnn.verify.handwritten.structures import Path, written
from symrnn.verify.handwritten.trial import Subject, direction_in

STEP, TINY = 1e-3, 1e-40
AGREES, DIFFERS = 1e-7, 1e-4
DIFFERENCES, COMPLEX = "float64 differences", "float64 complex step"


def numeric_verdicts(subject: Subject, plan: Plan) -> tuple[Verdict, ...]:
    """Compare what the code returns with numerical derivatives of its forward.

    Args:
        subject: The code, on floats.
        plan: Directions and seed.
    """
    point = {name: v if v.dtype.kind in "iub" else v.astype(float) for name, v in subject.values(f"{plan.seed}, point 0").items()}
    with subject.clock.phase("forward"):
        outputs = subject.program.run(dict(subject.state), fresh(point)).outputs
    upstream = upstream_of(subject, outputs, plan)
    handed = {} if subject.binding.loss else {path: u if isinstance(outputs[path], np.ndarray) else float(u) for path, u in upstream.items()}
    with subject.clock.phase("backward"):
        frame = subject.program.run(dict(subject.state), fresh(point), caller(subject.program, subject.binding, fresh(handed)))
    found = [numeric_verdict(subject, plan, point, upstream, frame, name) for name in subject.wanted]
    effects = [Verdict(text.rsplit(" ", 1)[1], "", SIDE_EFFECT, f"{text} in place") for text in dict.fromkeys(frame.changed)]
    left = [Verdict(written(path), "", UNCHECKED, "because nothing says which array it is the gradient of") for path in subject.binding.unknown]
    return (*found, *left, *effects)


def fresh(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Copy arrays."""
    return {name: v.copy() if isinstance(v, np.ndarray) else v for name, v in values.items()}


def upstream_of(subject: Subject, outputs: Mapping[Path, Any], plan: Plan) -> dict[Path, Any]:
    """Draw an upstream gradient for each output that gets one."""
    binding = subject.binding
    if binding.loss:
        return {path: np.ones(np.shape(leaf)) for path, leaf in outputs.items() if path[0] == binding.loss}
    return {path: direction_in(written(path), np.shape(leaf), plan.seed).astype(float)
            for path, leaf in outputs.items() if path[0] in binding.upstream}


def numeric_verdict(
    subject: Subject, plan: Plan, point: Mapping[str, Any], upstream: Mapping[Path, Any], frame: Frame, name: str,
) -> Verdict:
    """Compare one gradient along random directions."""
    output = written(subject.binding.matched[name])
    leaf: Any = frame.results.get(subject.binding.matched[name])
    if np.shape(leaf) != point[name].shape:
        return Verdict(output, name, WRONG, f"it has shape {np.shape(leaf)} instead of {point[name].shape}", DIFFERENCES)
    gradient = np.asarray(leaf, dtype=float)
    if not np.isfinite(gradient).all():
        return Verdict(output, name, UNCHECKED, "because it holds NaN or infinity", DIFFERENCES)
    worst, how, ratios = 0.0, COMPLEX, []
    for k in range(plan.directions):
        direction = direction_in(name, point[name].shape, f"{plan.seed}, {k}").astype(float)
        slope, exact = numeric_slope(subject, point, upstream, name, direction)
        mine = float(np.sum(gradient * direction))
        size = max(abs(slope), abs(mine), float(np.sqrt(np.sum((gradient * direction) ** 2))), 1e-300)
        worst = max(worst, abs(mine - slope) / size)
        how = how if exact else DIFFERENCES
        ratios.append(mine / slope if slope else 0.0)
    return weighed(subject, output, name, worst, how, ratios)


def weighed(subject: Subject, output: str, name: str, worst: float, how: str, ratios: list[float]) -> Verdict:
    """Turn a relative mismatch into a verdict."""
    detail = f"relative mismatch {worst:.1e}"
    if worst < AGREES:
        return Verdict(output, name, RIGHT, detail, how)
    if worst < DIFFERS or not np.isfinite(worst):
        return Verdict(output, name, UNCHECKED, f"because {detail} is neither agreement nor difference", how)
    guess = Fraction(ratios[0]).limit_denominator(1000)
    named = size_named(guess, subject.sizes) if guess > 0 and all(abs(r / float(guess) - 1) < 1e-6 for r in ratios) else ""
    if named:
        return Verdict(output, name, FACTOR, f"it is {guess} times what is right", how, factor=named)
    return Verdict(output, name, WRONG, detail, how)


def numeric_slope(
    subject: Subject, point: Mapping[str, Any], upstream: Mapping[Path, Any], name: str, direction: Any,
) -> tuple[float, bool]:
    """Return the derivative along a direction, and whether it is that of a complex step, which has no step error."""
    def loss(shift: Any) -> Any:
        values = fresh(point)
        values[name] = values[name] + shift * direction
        with subject.clock.phase("derivative of the forward"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = subject.program.run(dict(subject.state), values)
            parts = frame.outputs if np.isrealobj(shift) else complex_outputs(subject, frame)
        return sum(np.sum(np.asarray(parts[path]) * weights) for path, weights in upstream.items())

    near, far = loss(STEP) - loss(-STEP), loss(2 * STEP) - loss(-2 * STEP)
    slope = float((8 * near - far) / (12 * STEP))
    try:
        turned = complex(loss(1j * TINY)).imag / TINY
    except (DataError, TypeError, ValueError, KeyError):
        return slope, False
    return (turned, True) if abs(turned - slope) < 1e-6 * max(abs(slope), abs(turned), 1e-300) else (slope, False)


def complex_outputs(subject: Subject, frame: Frame) -> dict[Path, Any]:
    """Return the outputs of a complex step."""
    return subject.program.outputs_of(frame.returned, subject.program.returns, kinds="fc")


__all__ = ["CONSTANTS", "numeric_verdicts"]
