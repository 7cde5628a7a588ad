"""The true values that a formula is compared with: adjoints by tangents accumulated forward, modulo a prime.

The machinery is that of the entrywise judge: the network is unrolled into scalar equations at small sizes, SymPy
differentiates each of them, and no rule of the derivation is used. A formula is evaluated with the true values of what it
reads. An adjoint beyond the times at which its quantity exists is 0, as textbooks have it; where a formula needs a value of
the forward pass that is not there, it says nothing about that time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from random import Random
from typing import Any

from sympy import Basic

from symrnn.derivation import Derivation
from symrnn.errors import SymrnnError
from symrnn.expr import Leaf
from symrnn.traverse import quantity_of
from symrnn.verify.entrywise.degrees import Degree, degree
from symrnn.verify.entrywise.drawing import draw
from symrnn.verify.entrywise.lines import PrintedLines
from symrnn.verify.entrywise.modular import Generators, P
from symrnn.verify.entrywise.printed import Key, Matrix, Scope, evaluate
from symrnn.verify.entrywise.unrolled import Point, Unrolled


class Truth:
    """True values at one random point.

    Args:
        derivation: Whose network is run; its lines say which adjoints there are, nothing else of them is used.
        sizes: Value of each size letter.
        seed: For the random point.
    """

    def __init__(self, derivation: Derivation, sizes: Mapping[Basic, int], seed: int = 0) -> None:
        self.sizes = sizes
        self.lines = PrintedLines(derivation, sizes)
        self.unrolled = Unrolled(self.lines.network, self.lines.asked())
        self.generators = Generators(Random(f"{seed}, formula"))
        point = Point(self.generators, draw(self.lines.network, self.lines.conditions(), self.generators))
        self.unrolled.run(point)
        adjoints = self.unrolled.adjoints(point)
        self.values = point.values | {(a, x): adjoints[q, x] for a, q in self.lines.primals.items() for x in self.lines.exists(q)}
        self.absent: tuple[dict[Key, Matrix], dict[Key, Matrix]] = ({}, {})

    def times(self, adjoint: Any) -> list[int | None]:
        """Return the times at which an adjoint exists."""
        primal = self.lines.primals[self.lines.known(adjoint)]
        return sorted(self.lines.exists(primal), key=lambda time: -1 if time is None else time)

    def true(self, adjoint: Any, time: int | None) -> Matrix:
        """Return the true adjoint."""
        return self.values[self.lines.known(adjoint), time]

    def value(self, formula: Any, time: int | None, variant: int = 0) -> Matrix:
        """Return the value of a formula; what is not there in the forward pass is drawn, once for each variant."""
        now = self.lines.now(time)

        def look(key: Key) -> Matrix:
            return self.values[key] if key in self.values else self.missing(key, variant)

        return evaluate(formula, Scope(now.numbers, now.known, look, self.generators))

    def missing(self, key: Key, variant: int) -> Matrix:
        """Return what stands for a value that is not there: 0 for an adjoint, anything for others."""
        quantity, _ = key
        rows, cols = (int(size.xreplace(self.lines.numbers)) for size in quantity.shape)
        if getattr(quantity, "orders", ()):
            return [[0] * cols for _ in range(rows)]
        found = self.absent[variant]
        if key not in found:
            found[key] = [[self.generators.fresh() for _ in range(cols)] for _ in range(rows)]
        return found[key]

    def says(self, formula: Any, time: int | None) -> bool:
        """Tell whether a formula has a value at a time: one that does not depend on what is not there."""
        try:
            return self.value(formula, time) == self.value(formula, time, 1)
        except (SymrnnError, IndexError):
            return False

    def chance(self, formula: Any) -> float:
        """Bound the probability that a false formula agrees at the point."""
        bounds = self.unrolled.degrees()
        loss = bounds[self.lines.network.loss]
        adjoint = Degree(loss.tangent, 0, loss.nesting, loss.inverted)

        def of(leaf: Leaf) -> Degree:
            return bounds.get(self.lines.known(quantity_of(leaf)), adjoint)

        size = self.generators.inversions, self.generators.exponentials
        argument = reduce(or_, bounds.values())
        pairs = self.generators.arguments**2 // 2
        compared = adjoint | degree(formula, of)
        return min(1.0, (pairs * argument.cleared(*size) + compared.cleared(*size)) / P)
