"""The entrywise judge: a derivation against the chain rule on scalars, modulo a prime.

The network is unrolled at small, pairwise different sizes into one scalar equation for each entry at each time. SymPy's
``diff`` differentiates each scalar equation in its own operands, tangents are accumulated *forward* from every entry
whose adjoint is printed, and so give the true ``δq_t``. Each printed line is then evaluated with the true values on its
right side and compared with the true value of its left side, entry by entry, at every time of its range.

Guarantees:
    If every finding agrees, then each printed line is an identity at the sizes that were used, for all values of what
    is given, up to the probability that the report states: a rational identity that is false holds at a random point
    modulo ``p = 2^61 - 1`` with probability at most degree / ``p``. The lines read each other without a cycle, hold at
    each time at which their quantity exists and at no other, never two at one time, and there is one for each gradient.
    By induction along the reads they therefore compute the true adjoints.

    The judge imports none of the rules that make derivations, and of an activation only its scalar SymPy form: a
    wrong derivative in the table is refuted.

    It is blind to other sizes and lengths; to whether the network is the one that was meant; to numerical stability;
    to equalities that hold only because of relations between functions other than those of
    :mod:`symrnn.verify.entrywise.modular` (such a line would be refuted, not accepted); to what happens at the kinks of ReLU and
    its like. Adjoints that are not printed are not compared, except that a missing gradient is refuted.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from random import Random

from sympy import Basic

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.errors import DataError
from symrnn.expr import Leaf
from symrnn.traverse import quantity_of
from symrnn.verify.entrywise.degrees import Degree, degree
from symrnn.verify.entrywise.drawing import draw
from symrnn.verify.entrywise.lines import PrintedLines, when
from symrnn.verify.entrywise.modular import Generators, P
from symrnn.verify.entrywise.printed import Key, Matrix, Scope, evaluate
from symrnn.verify.entrywise.sizes import judged_sizes
from symrnn.verify.entrywise.unrolled import Point, Unrolled
from symrnn.verify.report import AGREES, REFUTED, UNDECIDED, Finding, JudgeReport, unclipped
from symrnn.verify.work import adjoint_entries, forward_steps, too_large

MOST = 500_000_000
"""Scalar operations that are tried, some minute; small sizes need a few millions."""

BLIND = (
    "other sizes and lengths; whether the network is the one that was meant; numerical stability; the kinks of "
    "piecewise functions; relations between functions or given numbers that nobody declared; adjoints that are not printed"
)


def judge_entrywise(
    derivation: Derivation, *, sizes: Mapping[str, int] | None = None, seed: int = 0, points: int = 1
) -> JudgeReport:
    """Compare every printed line with the chain rule on scalars, at random points modulo a prime.

    Args:
        derivation: First or second order.
        sizes: Values for size letters, such as ``{"H": 2, "T": 5}``; the others are chosen.
        seed: For the random points.
        points: How many points; the bound on the probability of error is raised to this power.

    Returns:
        One finding for each printed line, and one for each gradient or time that is missing; a single one, undecided, where
        the sizes are too large for this judge to end.

    Raises:
        SpecError: A size letter that the network does not have.
        DataError: Sizes for which the lines do not hold, or no points.
        NotSupportedError: A function or a number without a value modulo a prime.
    """
    if points < 1:
        raise DataError(f"the entrywise judge needs at least 1 point; got {points}")
    start = clock.perf_counter()
    chosen = judged_sizes(derivation, sizes)
    work = forward_steps(derivation.network, chosen) * adjoint_entries(derivation.lines, chosen)
    if work > MOST:
        why = f"the chain rule on scalars would take {work:.0e} operations, more than {MOST:.0e}"
        return too_large("entrywise", derivation.network, chosen, why, BLIND)
    case = Case(derivation, chosen)
    bounds = [case.compare(Random(f"{seed}, {number}")) for number in range(points)]
    error = 1.0
    for bound in bounds:
        error *= bound
    at = ", ".join(f"{letter} = {value}" for letter, value in sorted(case.lines.sizes.items(), key=str))
    return JudgeReport(
        judge="entrywise",
        compared=f"{len(derivation.lines)} printed lines with scalar derivatives accumulated forward"
                 + (f", at {at}" if at else "") + unclipped(derivation),
        means=f"identities of rational functions, with a probability of error below {error:.0e}: the degree over "
              f"p = 2^61 - 1, at {points} random point{'s' if points > 1 else ''}",
        blind=BLIND,
        findings=tuple(case.findings()),
        seconds=clock.perf_counter() - start,
    )


class Case:
    """A derivation at concrete sizes.

    Args:
        derivation: What is judged.
        sizes: Value of each size letter.
    """

    def __init__(self, derivation: Derivation, sizes: Mapping[Basic, int]) -> None:
        self.derivation = derivation
        self.lines = PrintedLines(derivation, sizes)
        self.unrolled = Unrolled(self.lines.network, self.lines.asked())
        self.wrong: dict[tuple[Equation, int | None], str] = dict(self.lines.faults)

    def compare(self, random: Random) -> float:
        """Compare all lines at one point, and return a bound on the probability that a false one passes."""
        generators = Generators(random)
        point = Point(generators, draw(self.lines.network, self.lines.conditions(), generators))
        self.unrolled.run(point)
        truth = self.unrolled.adjoints(point)
        values = point.values | {(a, x): truth[q, x] for a, q in self.lines.primals.items() for x in self.lines.exists(q)}
        for (quantity, time), equations in self.lines.held.items():
            now = self.lines.now(time)
            scope = Scope(now.numbers, now.known, values.__getitem__, generators)
            for line in equations:
                if (line, time) not in self.wrong:
                    place = first_difference(evaluate(line.rhs, scope), values[quantity, time])
                    if place is not None:
                        self.wrong[line, time] = f"entry {place}{when(time)} is not the derivative"
        return min(1.0, self.chance(generators))

    def chance(self, generators: Generators) -> float:
        """Bound the probability that a false line agrees at a point, or that two arguments of a function collide."""
        bounds = self.unrolled.degrees()
        loss = bounds[self.lines.network.loss]
        adjoint = Degree(loss.tangent, 0, loss.nesting, loss.inverted)

        def of(leaf: Leaf) -> Degree:
            return bounds.get(self.lines.known(quantity_of(leaf)), adjoint)

        argument = reduce(or_, bounds.values())
        compared = reduce(or_, (degree(line.rhs, of) for line in self.derivation.lines), adjoint)
        size = generators.inversions, generators.exponentials
        pairs = generators.arguments**2 // 2
        return (pairs * argument.cleared(*size) + compared.cleared(*size)) / P

    def findings(self) -> Iterator[Finding]:
        """Yield the verdict on each line, then what is missing."""
        sound = self.sound()
        for line in self.derivation.lines:
            yield self.finding(line, sound)
        for quantity, fault in self.lines.missing():
            yield Finding(quantity, REFUTED, fault)

    def finding(self, line: Equation, sound: Mapping[Key, bool]) -> Finding:
        """The verdict on one line."""
        name = writer.text(line.lhs) + ("" if line.span is None else f", t = {line.span}")
        times = self.lines.times(line)
        if not times:
            return Finding(name, UNDECIDED, "no time at these sizes; give a longer sequence")
        for time in times:
            if (line, time) in self.wrong:
                return Finding(name, REFUTED, self.wrong[line, time])
        for time in times:
            for quantity, at in sorted(self.lines.reads[line, time], key=str):
                if not sound.get((quantity, at), True):
                    return Finding(name, REFUTED, f"right in itself, but reads {quantity.key}{when(at)}, which is wrong")
        rows, cols = (int(size.xreplace(self.lines.numbers)) for size in line.lhs.shape)
        entries = counted(rows * cols, "entry", "entries")
        return Finding(name, AGREES, entries if line.span is None else f"{entries} at {counted(len(times), 'time', 'times')}")

    def sound(self) -> dict[Key, bool]:
        """Tell of each adjoint and time whether its line and all lines that it needs are right."""
        found: dict[Key, bool] = {}
        for quantity, time in self.lines.sequence:
            equations = self.lines.held.get((quantity, time), [])
            found[quantity, time] = all(
                (line, time) not in self.wrong and all(found.get(key, True) for key in self.lines.reads[line, time])
                for line in equations
            )
        return found


def counted(number: int, one: str, many: str) -> str:
    """Return ``"1 time"`` or ``"3 times"``."""
    return f"{number} {one if number == 1 else many}"


def first_difference(a: Matrix, b: Matrix) -> tuple[int, int] | None:
    """Row and column, counted from 1, of the first entry in which two matrices differ."""
    places = ((i, j) for i, (r, s) in enumerate(zip(a, b, strict=True), 1)
              for j, (x, y) in enumerate(zip(r, s, strict=True), 1) if (x - y) % P)
    return next(places, None)
