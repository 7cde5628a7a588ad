"""The numeric judge: float64 code against complex steps, differences and PyTorch, at one random point.

Guarantees:
    Agreement is ordinary numerical evidence. Each gradient is held against the loss of the same program, whose forward
    pass it does not question, and, where PyTorch is installed, against autograd on the equations of the network, which
    questions the forward pass too. What is smaller than rounding is not seen: a long truncated sum whose missing terms
    have decayed below 1e-12 of the gradient passes. The entrywise judge and ball arithmetic see such terms.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np

from symrnn.activations import is_unspecified, unspecified
from symrnn.derivation import Derivation
from symrnn.errors import DataError
from symrnn.expr import Elementwise
from symrnn.networks.graph import Given
from symrnn.verify.numeric.directions import (
    EXACT,
    NOISE,
    ROUGH,
    Comparison,
    Gradients,
    Point,
    Program,
    compare_differences,
    compare_loss,
    compare_second,
    compare_step,
    compare_torch,
)
from symrnn.verify.numeric.torch_eval import autograd
from symrnn.verify.numeric.torch_functions import has_torch
from symrnn.verify.points import Values, default_sizes, given_shape, label, random_point
from symrnn.verify.report import AGREES, REFUTED, UNDECIDED, Finding, JudgeReport, unclipped
from symrnn.verify.stopping import STOP, has_stop_gradient, names_of
from symrnn.verify.work import forward_steps, too_large

MOST = 10_000_000
"""Operations of a forward pass up to which rounding stays below what is allowed."""


def judge_numeric(
    program: Program, *, sizes: Mapping[str, int] | None = None, seed: int = 0, values: Values | None = None
) -> JudgeReport:
    """Hold generated float64 code against complex steps, differences and PyTorch's autograd.

    Args:
        program: Code that was generated from a derivation.
        sizes: Numbers for size letters, and for the batch ``B``; the others are small and pairwise coprime.
        seed: Of the random point and directions.
        values: A point to judge at instead of a random one, with arrays of these sizes.

    Returns:
        One finding for the loss, for each gradient, and for the second derivative along all directions.

    Raises:
        DataError: A size that is too small for the derivation.
    """
    start = perf_counter()
    derivation = program.derivation
    numbers = {**default_sizes(derivation), **(sizes or {})}
    check_lengths(derivation, numbers)
    letters = {letter: numbers[letter.name] for letter in derivation.network.sizes}
    if (work := forward_steps(derivation.network, letters)) > MOST:
        why = f"rounding may exceed {EXACT:.0e} in a forward pass of {work:.0e} operations"
        return too_large("numeric", derivation.network, letters, why, "everything at these sizes")
    rng = np.random.default_rng(seed)
    values = random_point(derivation.network, numbers, rng) if values is None else values
    directions = {g.name: unit(rng.standard_normal(given_shape(g, numbers))) for g in derivation.wanted}
    unset = set(program.accepted) - {given.name for given in derivation.network.givens}
    extra = {name: v for name, v in {**numbers, **witnesses(derivation)}.items() if name in unset}
    with np.errstate(all="ignore"):
        loss, gradients = program.gradients({**values, **extra})
        broken = unreached(derivation, loss) or list(misfits(derivation, gradients, numbers))
        point = Point(program, values, loss, gradients, directions, extra)
        findings = broken or list(compare(point, numbers))
    return report(derivation, point if not broken else None, numbers, tuple(findings), perf_counter() - start)


def check_lengths(derivation: Derivation, sizes: Mapping[str, int]) -> None:
    """Refuse sequences for which the derivation does not hold."""
    for letter, least in derivation.least:
        if sizes[letter.name] < least:
            raise DataError(f"{letter.name} = {sizes[letter.name]} is too short; the derivation holds from {letter.name} = {least}")


def unit(vector: Any) -> Any:
    """Scale an array to length one."""
    return vector / np.sqrt(np.sum(vector**2))


def witnesses(derivation: Derivation) -> dict[str, Callable[[Any], Any]]:
    """Return, for an unspecified ``φ`` and its derivatives, the sine and its own, by their names in the code."""
    formulas = [e.rhs for e in (*derivation.network.equations, *derivation.lines)]
    names = {str(node.args[0]) for rhs in formulas for node in rhs.atoms(Elementwise)}
    orders = sorted(name.count("'") for name in names if is_unspecified(name))
    return {unspecified(k).numpy.split("(")[0]: shifted_sine(k) for k in orders}


def shifted_sine(order: int) -> Callable[[Any], Any]:
    """Return a derivative of the sine."""
    return lambda z: np.sin(z + order * np.pi / 2)


def unreached(derivation: Derivation, loss: Any) -> list[Finding]:
    """Return what to say where the loss overflows or does not exist: nothing is known about gradients there."""
    if np.all(np.isfinite(loss)):
        return []
    return [Finding(derivation.network.loss.key, UNDECIDED, f"the loss is {loss} at this point; try another seed or fewer steps")]


def misfits(derivation: Derivation, gradients: Gradients, sizes: Mapping[str, int]) -> Iterator[Finding]:
    """Yield what cannot even be compared: gradients that are missing, of a wrong shape, or not finite."""
    for given in derivation.wanted:
        name, shape = label(given.name, derivation), given_shape(given, sizes)
        if given.name not in gradients:
            yield Finding(name, REFUTED, "the program returns no such gradient")
        elif np.shape(gradients[given.name]) != shape:
            yield Finding(name, REFUTED, f"its shape is {np.shape(gradients[given.name])}, expected {shape}")
        elif not np.all(np.isfinite(gradients[given.name])):
            count = int(np.sum(~np.isfinite(gradients[given.name])))
            yield Finding(name, REFUTED, f"NaN or infinite in {count} of {np.size(gradients[given.name])} entries")


def compare(point: Point, sizes: Mapping[str, int]) -> Iterator[Finding]:
    """Yield a finding for the loss, for each gradient, and for the second derivative.

    Differences of the loss see through a stop-gradient, and so does a second derivative: a network that has one is held
    against complex steps, in which what is stopped does not move, and against PyTorch.
    """
    derivation = point.program.derivation
    expected_loss: float | None = None
    expected: Gradients = {}
    if has_torch():
        expected_loss, expected = autograd(derivation.network, point.values, sizes, derivation.wanted)
    yield verdict(derivation.network.loss.key, compare_loss(point, expected_loss))
    stops = has_stop_gradient(derivation)
    complex_runs = (not stops or STOP in names_of(point.program)) and runs_complex(point)
    for given in derivation.wanted:
        comparisons = [compare_step(point, given.name)] if complex_runs else []
        comparisons += [] if stops else [compare_differences(point, given.name)]
        if expected:
            comparisons.append(compare_torch(point, given.name, expected, leading_axes(given)))
        yield verdict(label(given.name, derivation), comparisons)
    if complex_runs and not stops:
        yield verdict("second derivative", [compare_second(point)])


def leading_axes(given: Given) -> int:
    """Return how many axes of a gradient count sequences and times."""
    if given.span is None:
        return 0 if given.kind in {"parameter", "direction"} else 1
    return 1 if given.span.single else 2


def verdict(quantity: str, comparisons: list[Comparison]) -> Finding:
    """Turn comparisons into a finding; an error that is not a number is refuted."""
    if not comparisons:
        return Finding(quantity, UNDECIDED, "differences see through its stop-gradient; install PyTorch to compare with autograd")
    good = all(c.error <= c.allowed for c in comparisons)
    return Finding(quantity, AGREES if good else REFUTED, "relative errors: " + ", ".join(map(str, comparisons)))


def runs_complex(point: Point) -> bool:
    """Tell whether the program runs on complex numbers without dropping their imaginary part."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            point.loss_at((), 0j)
        except (TypeError, np.exceptions.ComplexWarning):
            return False
    return True


def report(
    derivation: Derivation, point: Point | None, sizes: Mapping[str, int], findings: tuple[Finding, ...], seconds: float
) -> JudgeReport:
    """Say what was compared and where this judge is blind."""
    where = ", ".join(f"{name} = {number}" for name, number in sorted(sizes.items()))
    steps = "complex steps and differences along a random direction for each gradient, to second order"
    if has_stop_gradient(derivation):
        steps = "complex steps along a random direction for each gradient; no differences, since they see through a stop"
    torch = "PyTorch's autograd" if has_torch() else "no autograd, since PyTorch is not installed"
    unseen = f" (here: directional derivatives below {NOISE * point.scale:.0e})" if point is not None else ""
    return JudgeReport(
        judge="numeric",
        compared=f"float64 code at a point with {where}: {steps}; {torch}{unclipped(derivation)}",
        means=f"numerical evidence: relative errors up to {EXACT:.0e} (complex step, PyTorch) and {ROUGH:.0e} (differences)",
        blind=f"terms of a gradient smaller than {EXACT:.0e} of it, gradients smaller than {NOISE:.0e} of the largest one and of the loss"
        f"{unseen}, and whatever vanishes at this one point or these sizes",
        findings=findings,
        seconds=seconds,
    )
