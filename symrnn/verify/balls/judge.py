"""The judge that runs generated code on balls of hundreds of bits: see :mod:`symrnn.verify.balls.agreement`.

The points are drawn for the network: sizes pairwise coprime, initial states and biases that are not 0, masks with
zeros, targets that satisfy the declared relations exactly. Where the network stops a gradient, the function
``stop_gradient`` of the code drops the tangents while the judge runs the forward pass. An unspecified function ``phi``
is the sine, as a witness.

Guarantees:
    Those of :mod:`symrnn.verify.balls.agreement`, for the loss that the code computes. No rule of the derivation and no
    formula of the network is used: the network tells names, shapes and kinds. Blind: to branches that no point took;
    to other sizes; to a mistake that loss and gradients of the code share; where ``phi`` is open, to what a sine hides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.verify.balls.agreement import BITS, DIGITS_PER_BIT, compare_gradients
from symrnn.verify.balls.arrays import lifted
from symrnn.verify.balls.directional import Accused, Point, Values
from symrnn.verify.balls.dual import Dual, Undecided, precision
from symrnn.verify.balls.mismatch import excludes_zero, number
from symrnn.verify.points import default_sizes, label, normalised_by, random_point
from symrnn.verify.report import AGREES, REFUTED, UNDECIDED, Finding, JudgeReport, unclipped
from symrnn.verify.stopping import STOP, has_stop_gradient, names_of, replaced
from symrnn.verify.work import forward_steps, too_large

__all__ = ["compare_gradients", "judge_balls"]

POINTS = 3
MOST = 1_000_000
"""Operations of a forward pass on balls that are tried, some minute; small sizes need a few thousands."""
BLIND = "branches that no point took; other sizes; whether the loss itself is what was meant"
GRID = 2**20
SINES: tuple[Callable[[Any], Any], ...] = (np.sin, np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z))


def judge_balls(
    program: Any, *, sizes: Mapping[str, int] | None = None, seed: int = 0, bits: int = BITS, directions: int = 2
) -> JudgeReport:
    """Judge generated code: its gradients against the derivative of its own loss.

    Args:
        program: What :func:`symrnn.codegen.to_numpy` returns: it has ``derivation``, ``loss`` and ``gradients``.
        sizes: Numbers for some size letters by name; the others are small and pairwise coprime.
        seed: Of the points and directions.
        bits: Precision of the first try.
        directions: Random directions in each array.

    Returns:
        One finding for the loss, and one for each given quantity in which a gradient is taken.

    Raises:
        DataError: A size that does not fit, or integers whose range nothing tells.
        NotSupportedError: The network asks the given numbers for a relation that is not drawn.
    """
    started = time.perf_counter()
    derivation = program.derivation
    chosen = {**default_sizes(derivation), **{str(letter): int(size) for letter, size in (sizes or {}).items()}}
    letters = {letter: chosen[letter.name] for letter in derivation.network.sizes if letter.name in chosen}
    work = forward_steps(derivation.network, letters)
    if work > MOST:
        why = f"a forward pass on balls would take {work:.0e} operations, more than {MOST:.0e}"
        return too_large("ball arithmetic", derivation.network, letters, why, BLIND)
    rng = np.random.default_rng(seed)
    points = [exact_point(derivation, chosen, rng) for _ in range(POINTS)]
    code = GeneratedCode(program, chosen)
    findings = [compare_losses(derivation, code, points, bits)]
    if has_stop_gradient(derivation) and STOP not in code.names:
        findings += [Finding(name, UNDECIDED, f"the network stops gradients and the code defines no {STOP}") for name in points[0].wanted]
    else:
        findings += compare_gradients(code.loss, code.gradients, points, bits=bits, directions=directions, seed=seed)
    return JudgeReport(
        judge="ball arithmetic",
        compared="gradients of the code with the derivative of its own loss, in "
        f"{bits}-bit balls, {', '.join(f'{letter} = {size}' for letter, size in chosen.items())}{unclipped(derivation)}",
        means=f"equal to {round(DIGITS_PER_BIT * bits)} digits along {directions} random directions in each array",
        blind=BLIND,
        findings=(findings[0], *(replace(f, quantity=label(f.quantity, derivation)) for f in findings[1:])),
        seconds=time.perf_counter() - started,
    )


class GeneratedCode:
    """A program with everything that it takes beside arrays: sizes that no array tells, and functions."""

    def __init__(self, program: Any, sizes: Mapping[str, int]) -> None:
        self.program = program
        self.names: dict[str, Any] = names_of(program)
        given = {g.name for g in program.derivation.network.givens}
        accepted = [name for name in getattr(program, "accepted", ()) if name not in given]
        self.extra: Values = {name: sizes[name] for name in accepted if name in sizes}
        self.extra |= {name: SINES[order_of(name) % 4] for name in accepted if name.startswith("phi")}

    def loss(self, values: Values) -> Any:
        """Run the forward pass; a stopped gradient does not move."""
        with replaced(self.names, STOP, standing_still):
            return self.program.loss({**values, **self.extra})

    def gradients(self, values: Values) -> Mapping[str, Any]:
        """Run the backward pass."""
        return self.program.gradients({**values, **self.extra})[1]

    def loss_beside_gradients(self, values: Values) -> Any:
        """Run the backward pass for the loss that it returns."""
        return self.program.gradients({**values, **self.extra})[0]


def order_of(name: str) -> int:
    """Return the order of a derivative of the unspecified function by its name: ``phi``, ``phi_prime``, ``phi_2``, …"""
    suffix = name.removeprefix("phi").removeprefix("_")
    return {"": 0, "prime": 1}.get(suffix) or int(suffix or 0)


def standing_still(values: Any, here: bool = True) -> Any:
    """Return the values without their tangents, where the gradient stops."""
    if not here:
        return values
    return lifted(np.frompyfunc(lambda x: Dual(x.value) if type(x) is Dual else x, 1, 1)(values))


def compare_losses(derivation: Any, code: GeneratedCode, points: Sequence[Point], bits: int) -> Finding:
    """Compare the loss that comes with the gradients with the loss of the forward pass alone, at the first point that decides."""
    name, verdict, detail = derivation.network.loss.key, UNDECIDED, "no point was tried"
    for point in points:
        verdict, detail = losses_at(code, point, bits)
        if verdict != UNDECIDED:
            break
    return Finding(name, verdict, detail)


def losses_at(code: GeneratedCode, point: Point, bits: int) -> tuple[str, str]:
    """Return the verdict on the two losses at one point, and the numbers behind it."""
    with precision(bits):
        try:
            alone = Accused(code.loss, code.gradients).loss(point.balls()).value
            beside = Accused(code.loss_beside_gradients, code.gradients).loss(point.balls()).value
        except Undecided as undecided:
            return UNDECIDED, str(undecided)
        if not (alone.is_finite() and beside.is_finite()):
            return UNDECIDED, f"{number(alone)} alone, {number(beside)} beside the gradients"
        if excludes_zero(alone - beside):
            return REFUTED, f"{number(alone)} alone, {number(beside)} beside the gradients"
        return AGREES, f"{number(alone)} in both"


def exact_point(derivation: Any, sizes: Mapping[str, int], rng: np.random.Generator) -> Point:
    """Draw exact numbers for a network: dyadic fractions, targets that satisfy their relations without rounding."""
    network = derivation.network
    normalised = {normalised_by(relation) for relation in network.relations}
    drawn = random_point(network, sizes, rng)
    values = {
        given.name: drawn[given.name] if given.kind == "integer" else dyadic(drawn[given.name], given.quantity in normalised)
        for given in network.givens
    }
    return Point(values, tuple(given.name for given in derivation.wanted))


def dyadic(array: Any, normalised: bool) -> Any:
    """Round to exact fractions; where rows must sum to one, the last entry is what is left."""
    exact = np.empty(np.shape(array), dtype=object)
    for index, entry in np.ndenumerate(array):
        exact[index] = Fraction(round(float(entry) * GRID), GRID)
    if normalised:
        exact[..., -1] = 1 - exact[..., :-1].sum(axis=-1)
    return exact
