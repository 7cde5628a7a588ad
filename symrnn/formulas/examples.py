"""The smallest example in which a formula is not the derivative: small sizes, small whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from sympy import Basic, Expr, Integer
from sympy.matrices.expressions.matexpr import MatrixElement

from symrnn.errors import SymrnnError
from symrnn.expr import At, t
from symrnn.formulas.truth import Truth
from symrnn.traverse import quantity_of
from symrnn.verify.entrywise.drawing import table_widths
from symrnn.verify.entrywise.printed import Key
from symrnn.verify.entrywise.unrolled import Unrolled

DIGITS = 25
CLOSE, CLEAR = 1e-9, 1e-2
"""A difference that counts, and one that a reader sees at once."""
TRIES = 40
"""How many sizes are tried."""
ENTRIES = (1, -1, 2, -2, 3)


@dataclass(frozen=True)
class Example:
    """Numbers that show that a formula is wrong.

    Attributes:
        sizes: Values of sizes.
        given: Entries of everything that is given, by quantity and time.
        time: The time.
        place: Row and column, counted from 1.
        value: What the formula gives.
        true: What the derivative is.
    """

    sizes: Mapping[Basic, int]
    given: Mapping[Any, Any]
    time: int | None
    place: tuple[int, int]
    value: float
    true: float

    @property
    def gap(self) -> float:
        """How far the formula is from the derivative."""
        return abs(self.value - self.true)

    def text(self, shown: Any) -> list[str]:
        """Return the example in lines."""
        at = ", ".join(f"{letter} = {value}" for letter, value in sorted(self.sizes.items(), key=str))
        numbers = ", ".join(f"{shown.text(node)} = {entries(rows)}" for node, rows in self.given.items())
        when = "" if self.time is None else f" at t = {self.time}"
        return [
            f"  smallest example: {at}", f"    {numbers}",
            f"    entry {self.place}{when}: yours is {self.value:.6g}, the derivative is {self.true:.6g}",
        ]


def entries(rows: Any) -> str:
    """Write a matrix of small numbers."""
    columns = [[str(x) for x in row] for row in rows]
    if len(columns) == 1 and len(columns[0]) == 1:
        return columns[0][0]
    return "[" + "; ".join(" ".join(row) for row in columns) + "]"


def smallest_example(comparison: Any) -> Example | None:
    """Search for the smallest sizes and numbers that show a difference; nothing where none was found."""
    for sizes in candidates(comparison):
        try:
            truth = Truth(comparison.derivation, sizes, comparison.seed)
            wrong = comparison.wrong_at(truth, comparison.formula)[1]
            if wrong and (found := numbers_at(comparison, truth, sizes, wrong)) is not None:
                return found
        except (SymrnnError, IndexError):
            continue
    return None


def candidates(comparison: Any) -> Iterator[dict[Any, int]]:
    """Yield sizes, the smallest first."""
    least = dict(comparison.derivation.least)
    letters = sorted(comparison.sizes, key=str)
    choices = [range(max(1, least.get(letter, 1)), max(1, least.get(letter, 1)) + 3) for letter in letters]
    found = sorted(product(*choices), key=lambda sizes: (sum(sizes), max(sizes)))
    for sizes in found[:TRIES]:
        yield dict(zip(letters, sizes, strict=True))


def numbers_at(comparison: Any, truth: Truth, sizes: dict[Any, int], wrong: list[int | None]) -> Example | None:
    """Find whole numbers that show a difference at one of some times."""
    best: Example | None = None
    for seed in range(6):
        run = Run(comparison.derivation, truth, Random(seed))
        for time in wrong:
            own, true = run.value(comparison.formula, time), run.values[truth.lines.known(comparison.adjoint), time]
            for i, (r, s) in enumerate(zip(own, true, strict=True), 1):
                for j, (x, y) in enumerate(zip(r, s, strict=True), 1):
                    gap = abs(x - y)
                    if gap > CLOSE and (best is None or gap > best.gap):
                        best = Example(sizes, run.given, time, (i, j), float(x), float(y))
        if best is not None and best.gap > CLEAR:
            break
    return best


class Run:
    """The network and the derived lines in numbers with many digits.

    Args:
        derivation: Whose lines give the derivatives.
        truth: At the sizes of the run.
        random: For whole numbers.
    """

    def __init__(self, derivation: Any, truth: Truth, random: Random) -> None:
        self.lines = truth.lines
        self.values: dict[Key, Any] = {}
        self.given: dict[Any, Any] = {}
        network = truth.lines.network
        widths = table_widths(network)
        for given in network.givens:
            rows, cols = (int(size) for size in given.quantity.shape)
            for time in [None] if given.span is None else range(int(given.span.lo), int(given.span.hi) + 1):
                numbers = [[self.draw(given, i, widths, random) for _ in range(cols)] for i in range(rows)]
                self.values[given.quantity, time] = numbers
                self.given[given.quantity if time is None else At(given.quantity, time)] = numbers
        for equation, time in Unrolled(network, ()).steps:
            self.values[equation.quantity, time] = self.value(equation.rhs, time)
        for quantity, time in truth.lines.sequence:
            for line in truth.lines.held.get((quantity, time), ()):
                self.values[quantity, time] = self.value(line.rhs, time)

    @staticmethod
    def draw(given: Any, row: int, widths: Mapping[Any, int], random: Random) -> Expr:
        """Return one entry: of a target the first unit column, of an integer a column number."""
        if given.kind == "integer":
            return Integer(random.randrange(widths.get(given.quantity, 2)))
        if given.kind in {"target", "mask"}:
            return Integer(int(row == 0))
        return Integer(random.choice(ENTRIES[:2] if random.random() < 0.9 else ENTRIES))

    def value(self, formula: Any, time: int | None) -> list[list[Any]]:
        """Return the value of a formula."""
        numbers = dict(self.lines.numbers) | ({} if time is None else {t: Integer(time)})
        concrete = formula.xreplace(numbers)
        rows, cols = (int(size) for size in concrete.shape)
        return [[self.entry(concrete._entry(Integer(i), Integer(j))) for j in range(cols)] for i in range(rows)]

    def entry(self, entry: Expr) -> Any:
        """Return the value of one entry."""
        put = {element: self.element(element) for element in entry.atoms(MatrixElement)}
        return entry.xreplace(put).evalf(DIGITS)

    def element(self, element: Any) -> Any:
        """Return the value of an entry of a quantity."""
        leaf, i, j = element.args
        key = quantity_of(leaf), int(leaf.time) if isinstance(leaf, At) else None
        if key not in self.values:
            return Integer(0)
        return self.values[key][int(i)][int(j)]
