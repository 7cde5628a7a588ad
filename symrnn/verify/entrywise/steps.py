"""The entrywise judge of Jacobians: the derivatives of one step on scalars, modulo a prime.

The network is run at small sizes, modulo a prime. At each time, the entries of the old states move, each along a direction
of its own, while everything else that was computed before stands still; SymPy's ``diff`` differentiates each scalar equation
of the step in its own operands. That gives the true derivative of everything in the step; each printed line is evaluated with
the true values on its right side, and each block on its own.

Guarantees:
    If every finding agrees, each printed line and each block is an identity at the sizes that were used, up to the probability
    that the report states; a block that is said to be 0 is 0. The judge imports none of the rules that make Jacobians.
    The recurrences of the other direction are held fixed, as what is judged says.
    It is blind to other sizes and lengths, to whether the network is the one that was meant, and to kinks.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol

from sympy import Basic, Integer

from symrnn.equations import Equation
from symrnn.expr import Series, t
from symrnn.networks.graph import Network, Scan
from symrnn.networks.truncation import recurrence
from symrnn.traverse import quantity_of
from symrnn.verify.entrywise.degrees import Degree, degree
from symrnn.verify.entrywise.drawing import draw
from symrnn.verify.entrywise.judge import BLIND, MOST, counted, first_difference
from symrnn.verify.entrywise.modular import Generators, P
from symrnn.verify.entrywise.printed import Matrix, Scope, evaluate
from symrnn.verify.entrywise.sizes import judged_sizes
from symrnn.verify.entrywise.unrolled import Point, Unrolled
from symrnn.verify.report import AGREES, REFUTED, UNDECIDED, Finding, JudgeReport
from symrnn.verify.work import forward_steps, too_large


class Steps(Protocol):
    """What is judged: the Jacobian of a step."""

    @property
    def of(self) -> Network:
        """The network."""

    @property
    def blocks(self) -> Mapping[tuple[Series, Series], Any]:
        """By new and old state."""

    @property
    def lines(self) -> tuple[Equation, ...]:
        """What is printed."""

    @property
    def ends(self) -> Mapping[Series, tuple[Series, Series]]:
        """What each line is the derivative of, and in what."""

    @property
    def steps(self) -> Mapping[Series, int]:
        """The direction of each state."""


def judge_steps_entrywise(jacobian: Steps, *, sizes: Mapping[str, int] | None = None, seed: int = 0) -> JudgeReport:
    """Compare every printed line and every block with the derivatives of the step on scalars.

    Args:
        jacobian: What ``step_jacobian`` returned.
        sizes: Values for size letters; the others are chosen.
        seed: For the random point.

    Returns:
        One finding for each line, and one for each block that is 0.

    Raises:
        SpecError: A size letter that the network does not have.
        DataError: A size that is no positive whole number.
        NotSupportedError: A function or a number without a value modulo a prime.
    """
    start = clock.perf_counter()
    judged: Any = SimpleNamespace(network=jacobian.of, lines=jacobian.lines, least=())
    chosen = judged_sizes(judged, sizes)
    if (work := forward_steps(jacobian.of, chosen) * sum(int(q.shape[0].xreplace(chosen)) for q in jacobian.steps)) > MOST:
        why = f"the chain rule on scalars would take {work:.0e} operations, more than {MOST:.0e}"
        return too_large("entrywise", jacobian.of, chosen, why, BLIND)
    case = Case(jacobian, {letter: Integer(size) for letter, size in chosen.items()})
    findings = tuple(case.run(Random(f"{seed}, steps")))
    at = ", ".join(f"{letter} = {value}" for letter, value in sorted(chosen.items(), key=str))
    return JudgeReport(
        judge="entrywise",
        compared=f"{len(jacobian.lines)} Jacobians with scalar derivatives of one step, at {at}",
        means=f"identities of rational functions, with a probability of error below {case.error:.0e}: the degree over p = 2^61 - 1",
        blind=BLIND,
        findings=findings,
        seconds=clock.perf_counter() - start,
    )


class Case:
    """A Jacobian at concrete sizes.

    Args:
        jacobian: What is judged.
        sizes: Value of each size letter.
    """

    def __init__(self, jacobian: Steps, sizes: Mapping[Any, Any]) -> None:
        self.jacobian = jacobian
        self.sizes = sizes
        self.network = jacobian.of.with_sizes(dict(sizes))
        self.error = 1.0

    def at(self, node: Any) -> Any:
        """Put sizes in."""
        return node.xreplace(self.sizes)

    def run(self, random: Random) -> Iterator[Finding]:
        """Compare at one point."""
        generators = Generators(random)
        values = Unrolled(self.network, ())
        point = Point(generators, draw(self.network, (), generators))
        values.run(point)
        truth = Truth(self, point, values)
        for line in self.jacobian.lines:
            yield self.judged(line, truth)
        for (new, old), block in self.jacobian.blocks.items():
            if (new, old) not in self.jacobian.ends.values():
                yield self.judged_zero(new, old, block, truth)
        self.error = self.chance(generators, values)

    def judged(self, line: Equation, truth: Truth) -> Finding:
        """The verdict on one line, and on the block that it stands for."""
        quantity: Any = line.quantity
        new, old = self.jacobian.ends[quantity]
        name = named(new, old)
        assert line.span is not None
        times = range(int(self.at(line.span.lo)), int(self.at(line.span.hi)) + 1)
        formulas = [("the line", line.rhs)]
        if (new, old) in self.jacobian.blocks:
            formulas.append(("the block", self.jacobian.blocks[new, old]))
        for time in times:
            for what, formula in formulas:
                if (place := truth.difference(formula, new, old, time)) is not None:
                    return Finding(name, REFUTED, f"{what}: entry {place} at t = {time} is not the derivative")
        rows, cols = (int(self.at(size)) for size in line.lhs.shape)
        if not times:
            return Finding(name, UNDECIDED, "no time at these sizes; give a longer sequence")
        return Finding(name, AGREES, f"{counted(rows * cols, 'entry', 'entries')} at {counted(len(times), 'time', 'times')}")

    def judged_zero(self, new: Series, old: Series, block: Any, truth: Truth) -> Finding:
        """The verdict on a block that no line gives."""
        for time in truth.times(new, old):
            if (place := truth.difference(block, new, old, time)) is not None:
                return Finding(named(new, old), REFUTED, f"the block is said to be 0; entry {place} at t = {time} is not")
        return Finding(named(new, old), AGREES, "0")

    def chance(self, generators: Generators, values: Unrolled) -> float:
        """Bound the probability that a false line agrees."""
        bounds = values.degrees()
        argument = reduce(or_, bounds.values())
        slope = Degree(argument.tangent + argument.value, 0, argument.nesting, argument.inverted)
        compared = reduce(or_, (degree(self.at(e.rhs), lambda q: bounds.get(quantity_of(q), slope)) for e in self.jacobian.lines), slope)
        size = generators.inversions, generators.exponentials
        return min(1.0, (generators.arguments**2 // 2 * argument.cleared(*size) + compared.cleared(*size)) / P)


class Truth:
    """The true derivatives of one step, at each time, in every old state."""

    def __init__(self, case: Case, point: Point, plain: Unrolled) -> None:
        self.case, self.point = case, point
        self.exists = plain.times()
        self.olds: dict[Any, int] = {case.at(q): step for q, step in case.jacobian.steps.items()}
        self.runs: dict[tuple[int, int], tuple[Unrolled, Point, dict[Basic, int]]] = {}
        self.held = {step: held(case.network, step) for step in (1, -1)}

    def at_time(self, time: int, way: int) -> tuple[Unrolled, Point, dict[Basic, int]]:
        """Return tangents at one time along the old states of one direction, and where those of each begin."""
        if (time, way) not in self.runs:
            keys = [(old, time - way) for old, step in self.olds.items() if step == way and time - way in self.exists.get(old, ())]
            unrolled = Unrolled(self.case.network, keys)
            starts, total = {}, 0
            for old, _ in keys:
                starts[old] = total
                total += int(old.shape[0])
            self.runs[time, way] = unrolled, unrolled.one_step(self.point, time, keys, self.held[way]), starts
        return self.runs[time, way]

    def times(self, new: Any, old: Any) -> list[int]:
        """The times at which a new state is computed and the old one is there."""
        new, old = self.case.at(new), self.case.at(old)
        computed = {time for e, time in Unrolled(self.case.network, ()).steps if e.quantity == new and time is not None}
        return [time for time in sorted(computed) if time - self.olds[old] in self.exists[old]]

    def matrix(self, new: Any, old: Any, time: int) -> Matrix:
        """Return ``∂new_t/∂old_{t-1}``."""
        new, old = self.case.at(new), self.case.at(old)
        unrolled, moved, starts = self.at_time(time, self.olds[old])
        columns = int(old.shape[0])
        rows = moved.tangents.get((new, time)) or [[0]] * int(new.shape[0])
        return [unrolled.packing.unpack(row[0])[starts[old] : starts[old] + columns] for row in rows]

    def difference(self, formula: Any, new: Any, old: Any, time: int) -> tuple[int, int] | None:
        """Return the first place in which a formula is not the derivative."""
        ends = {self.case.at(q): ends for q, ends in self.case.jacobian.ends.items()}

        def value(key: Any) -> Matrix:
            return self.matrix(*ends[key[0]], time) if key[0] in ends else self.point.values[key]

        scope = Scope({t: Integer(time)}, lambda q: q, value, self.point.generators)
        return first_difference(evaluate(self.case.at(formula), scope), self.matrix(new, old, time))


def held(network: Network, way: int) -> set[Any]:
    """Return the recurrences of the other direction, which stand still."""
    return {q for scan in network.blocks if isinstance(scan, Scan) and scan.step != way for q in recurrence(scan)}


def named(new: Series, old: Series) -> str:
    """Name a block."""
    return f"∂{new.key}/∂{old.key}"
