"""Jacobians of a step against the code of the step: in balls of hundreds of bits, and in floats.

The step alone is a network of one time, its code is generated, and so is the code of the Jacobian.

Guarantees:
    *Balls*: for each pair of states, ``Jᵀ u`` with an exact random ``u`` is held against the rigorous directional derivatives of
    ``uᵀ new`` of the generated forward step; see :mod:`symrnn.verify.balls.agreement`. *Numeric*: ``J v`` against a complex step of
    the generated forward step, and every entry against ``torch.autograd.functional.jacobian`` of the equations where PyTorch is
    installed. The three judges use no rule of the Jacobian. Blind: to other sizes; to branches that no point took; where a
    function is open, to what a sine hides; to whether the network is the one that was meant.
"""

from __future__ import annotations

import inspect
import time as clock
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.codegen import network_source
from symrnn.codegen.arguments import BATCH, arguments_of, positional
from symrnn.codegen.naming import names_of as identifiers
from symrnn.codegen.runtime import compiled
from symrnn.expr import Divides
from symrnn.jacobians import StepJacobian
from symrnn.jacobians.isolated import Isolated, isolated
from symrnn.networks.graph import Scan
from symrnn.verify.balls.agreement import BITS, DIGITS_PER_BIT, compare_gradients
from symrnn.verify.balls.directional import Point
from symrnn.verify.balls.judge import SINES, dyadic, order_of, standing_still
from symrnn.verify.entrywise.steps import named
from symrnn.verify.numeric.directions import EXACT
from symrnn.verify.numeric.directions import standing_still as still_complex
from symrnn.verify.numeric.torch_eval import Run, run_network, tensors_of
from symrnn.verify.numeric.torch_functions import has_torch, torch
from symrnn.verify.points import default_sizes, random_point
from symrnn.verify.report import AGREES, REFUTED, Finding, JudgeReport
from symrnn.verify.stopping import STOP, replaced

Values = dict[str, Any]
BLIND = "other sizes; branches that no point took; whether the network is the one that was meant"
STEP = 2.0**-100


@dataclass
class Code:
    """The generated code of one step and of its Jacobian.

    Attributes:
        step: The step.
        sizes: A number for each size letter; ``B`` is the batch.
    """

    step: Isolated
    sizes: Mapping[str, int]
    forward_names: dict[str, Any] = field(init=False)
    jacobian_names: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Write and compile the two functions."""
        self.forward_names = compiled(network_source(self.step.network, self.step.states))
        self.jacobian_names = compiled(network_source(self.step.network, tuple(self.step.blocks.values())))

    def run(self, names: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Call the function of a module with arrays by name."""
        network, forward = self.step.network, names["forward"]
        arguments = arguments_of(network, identifiers(network, BATCH).arguments)
        accepted = inspect.signature(forward).parameters
        params = {a.given.name: values[a.given.name] for a in arguments if a.shared}
        given = [values[a.given.name] for a in positional(arguments) if a.name in accepted]
        placed = {a.name for a in positional(arguments)} | {"params"}
        keywords = {a.name: values[a.given.name] for a in arguments if not a.shared and a.name in accepted and a.name not in placed}
        for name in accepted:
            if name in self.sizes:
                keywords[name] = self.sizes[name]
            elif name.startswith("phi"):
                keywords[name] = SINES[order_of(name) % 4]
        found: dict[str, Any] = forward(params, *given, **keywords)
        return found

    def new(self, values: Mapping[str, Any], still: Callable[..., Any]) -> dict[str, Any]:
        """Run the forward step; a stopped gradient does not move."""
        with replaced(self.forward_names, STOP, still):
            return {name: array[:, 0] if np.ndim(array) == 3 else array for name, array in self.run(self.forward_names, values).items()}

    def jacobians(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        """Run the code of the Jacobian: a matrix for each sequence of the batch, by new and old state."""
        found = self.run(self.jacobian_names, values)
        out = {}
        for key, series in self.step.blocks.items():
            rows, cols = (size_of(state, self.sizes) for state in key)
            out[key] = found[series.key].reshape(-1, rows, cols)
        return out


def size_of(state: Any, sizes: Mapping[str, int]) -> int:
    """Return the number of entries of a state."""
    size = state.shape[0]
    return int(size.xreplace({letter: sizes[letter.name] for letter in size.free_symbols}))


def codes(jacobian: StepJacobian) -> Iterator[Code]:
    """Yield the code of each step, where conditions depend on the time at two times."""
    windows = [node.args[0] for e in jacobian.of.equations for node in e.rhs.atoms(Divides)]
    starts = {int(w) + 1 for w in windows if w.is_Integer}
    for time in sorted({2, *starts}):
        for step in isolated(jacobian, time):
            yield Code(step, default_sizes(step.network))


def judge_steps_balls(jacobian: StepJacobian, *, seed: int = 0, bits: int = BITS) -> JudgeReport:
    """Hold ``Jᵀ u`` against the rigorous derivatives of ``uᵀ new`` of the generated step, along random directions.

    Args:
        jacobian: What ``step_jacobian`` returned.
        seed: Of the points and directions.
        bits: Precision of the first try.

    Returns:
        One finding for each pair of states of one step.
    """
    started, findings = clock.perf_counter(), dict[str, Finding]()
    rng = np.random.default_rng(seed)
    for code in codes(jacobian):
        points = [exact_point(code, rng) for _ in range(2)]
        for new in code.step.states:
            weights = dyadic(rng.standard_normal((code.sizes["B"], size_of(new, code.sizes))), False)
            compared = compare_gradients(forward_of(code, new, weights), backward_of(code, new, weights), points, bits=bits, seed=seed)
            for old, finding in zip(code.step.states, compared, strict=True):
                keep_worst(findings, Finding(named(new, old), finding.verdict, finding.detail))
    return JudgeReport(
        "ball arithmetic", f"the code of the Jacobian with the derivative of the code of the step, in {bits}-bit balls",
        f"equal to {round(DIGITS_PER_BIT * bits)} digits along random directions", BLIND, tuple(findings.values()),
        clock.perf_counter() - started,
    )


def keep_worst(findings: dict[str, Finding], finding: Finding) -> None:
    """Keep what does not agree."""
    if findings.get(finding.quantity) is None or findings[finding.quantity].verdict == AGREES:
        findings[finding.quantity] = finding


def exact_point(code: Code, rng: np.random.Generator) -> Point:
    """Draw exact numbers for a step; the old states are what moves."""
    drawn = random_point(code.step.network, code.sizes, rng)
    kinds = {g.name: g.kind for g in code.step.network.givens}
    return Point({n: v if kinds[n] == "integer" else dyadic(v, False) for n, v in drawn.items()}, code.step.olds)


def forward_of(code: Code, new: Any, weights: Any) -> Callable[[Values], Any]:
    """Return the function ``uᵀ new``, summed over the batch."""
    return lambda values: (as_dual_weights(weights) * code.new(values, standing_still)[new.key]).sum()


def backward_of(code: Code, new: Any, weights: Any) -> Callable[[Values], Mapping[str, Any]]:
    """Return the function of the gradients ``Jᵀ u`` in the old states."""

    def gradients(values: Values) -> Mapping[str, Any]:
        u, found = as_dual_weights(weights), code.jacobians(values)
        out = {}
        for name, old in zip(code.step.olds, code.step.states, strict=True):
            block = found.get((new, old))
            out[name] = 0 * values[name] if block is None else np.einsum("bi,bij->bj", u, block)
        return out

    return gradients


def as_dual_weights(weights: Any) -> Any:
    """Return exact fractions as whole numbers over a power of two, which balls take exactly."""
    return np.vectorize(lambda w: float(Fraction(w)), otypes=[object])(weights)


def judge_steps_numeric(jacobian: StepJacobian, *, seed: int = 0) -> JudgeReport:
    """Hold ``J v`` against a complex step, and ``J`` against PyTorch's ``autograd.functional.jacobian`` where it is installed.

    Args:
        jacobian: What ``step_jacobian`` returned.
        seed: Of the point and the directions.

    Returns:
        One finding for each pair of states of one step.
    """
    started, findings = clock.perf_counter(), dict[str, Finding]()
    rng = np.random.default_rng(seed)
    for code in codes(jacobian):
        values = random_point(code.step.network, code.sizes, rng)
        ours = code.jacobians(values)
        theirs = by_torch(code, values) if has_torch() else {}
        for old, name in zip(code.step.states, code.step.olds, strict=True):
            direction = rng.standard_normal(np.shape(values[name]))
            moved = code.new({**values, name: values[name] + 1j * STEP * direction}, still_complex)
            for new in code.step.states:
                shape = np.shape(values[name])[0], size_of(new, code.sizes), size_of(old, code.sizes)
                block = ours.get((new, old), np.zeros(shape))
                slope = np.imag(moved[new.key]) / STEP
                errors = [("complex step", relative(np.einsum("bij,bj->bi", block, direction), slope))]
                if theirs:
                    errors.append(("PyTorch", relative(block, theirs[new, old])))
                keep_worst(findings, judged(named(new, old), errors))
    return JudgeReport(
        "numeric", "the code of the Jacobian with a complex step of the code of the step" + (", and with PyTorch" if has_torch() else ""),
        f"equal up to a relative error of {EXACT:.0e}", BLIND, tuple(findings.values()), clock.perf_counter() - started,
    )


def judged(name: str, errors: list[tuple[str, float]]) -> Finding:
    """The verdict on one block."""
    detail = ", ".join(f"{method} {error:.1e}" for method, error in errors)
    return Finding(name, AGREES if all(error <= EXACT for _, error in errors) else REFUTED, detail)


def relative(a: Any, b: Any) -> float:
    """Return the largest difference, as a part of the largest number or of 1 where all are smaller."""
    return float(np.max(np.abs(a - b)) / max(1.0, float(np.max(np.abs(b)))))


def by_torch(code: Code, values: Values) -> dict[Any, Any]:
    """Return the blocks by ``torch.autograd.functional.jacobian`` of the equations, sequence by sequence."""
    network = code.step.network
    blocks = tuple(
        Scan(tuple(e for e in block.equations if e.role != "Jacobian"), block.step) if isinstance(block, Scan) else block
        for block in network.blocks
    )
    plain = type(network)(**{**network.__dict__, "blocks": blocks})
    tensors = tensors_of(plain, values)
    time = next(int(e.span.lo) for e in plain.equations if e.span is not None)

    def step(*olds: Any) -> tuple[Any, ...]:
        run: Run = run_network(plain, {**tensors, **dict(zip(code.step.olds, olds, strict=True))}, code.sizes)
        return tuple(run.per_sequence(run.series[state][time])[..., 0] for state in code.step.states)

    found = torch().autograd.functional.jacobian(step, tuple(tensors[name] for name in code.step.olds))
    return {
        (new, old): np.einsum("bibj->bij", found[i][j].reshape(code.sizes["B"], size_of(new, code.sizes), code.sizes["B"], -1).numpy())
        for i, new in enumerate(code.step.states) for j, old in enumerate(code.step.states)
    }
