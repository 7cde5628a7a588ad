"""A formula that somebody printed, compared with the derived one.

Guarantees:
    *Equal* means: at each of the times that the report names, the formula is the derivative of the loss, as an identity at
    the sizes of the report, up to the probability of error that it states. The true values come from scalar derivatives
    that SymPy takes one equation at a time; no rule of the derivation is used. *Different* is certain.

    It is blind to other sizes, to what a formula says beyond the times at which everything in it exists, and to relations
    between functions that :mod:`symrnn.verify.entrywise.modular` does not know: a formula that holds only because of such
    a one would be called different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from symrnn import writer
from symrnn.bptt import derive
from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.errors import DataError, SpecError, SymrnnError
from symrnn.expr import At, Node, Series, Static, t
from symrnn.formulas.diagnosis import Diagnosis, without_sum
from symrnn.formulas.edits import Edit, Pool
from symrnn.formulas.examples import Example, smallest_example
from symrnn.formulas.letters import Letters
from symrnn.formulas.reading import checked, read_with
from symrnn.formulas.report import DIFFERENT, EQUAL, UNDECIDED, FormulaReport, Shown
from symrnn.formulas.targets import Target, read_target, sides
from symrnn.formulas.truth import Truth
from symrnn.networks import Network
from symrnn.notation import Notation
from symrnn.traverse import quantity_of
from symrnn.verify.entrywise.sizes import judged_sizes

SHORTEST = 5
"""Length of a sequence on which formulas are compared."""


def compare_formula(
    text: str | Node, for_: str | None = None, *, network: Network | Derivation, notation: str | Notation = "indexed",
    sizes: Mapping[str, int] | None = None, seed: int = 0,
) -> FormulaReport:
    """Compare a gradient formula with the derivative of a network's loss.

    Args:
        text: LaTeX or Unicode text, with or without a left side, or an expression of nodes.
        for_: What it is for: ``"δh"``, ``"δh_T"``, ``"∂L/∂W_{hh}"``, or a name such as ``"d_h"`` or ``"W_hh"``; left out where
            the text has a left side.
        network: What is differentiated, or its derivation.
        notation: The notation in which the text is written.
        sizes: Values for size letters; small ones are chosen for the others.
        seed: For the random point.

    Returns:
        The verdict, with the derived formula, and for a different one what differs and the smallest example.

    Raises:
        FormulaError: The text cannot be read, or has two readings.
        SpecError: Nothing says what the formula is for, or it is not there.
        DataError: Sizes for which the lines do not hold.
    """
    derivation = network if isinstance(network, Derivation) else derive(network)
    whole = derivation.as_network()
    letters = Letters.of(whole, notation)
    left, right = sides(text) if isinstance(text, str) else ("", text)
    if not (for_ or left):
        raise SpecError("nothing says what the formula is for; write δh_t = … or say it, for example for_='δh'")
    target = read_target(for_ or left, derivation, letters)
    if for_ and left and read_target(left, derivation, letters).adjoint != target.adjoint:
        raise SpecError(f"the formula has the left side {left}, and is said to be for {for_}")
    formula = checked(right, whole) if isinstance(right, Node) else read_with(right, letters, target.adjoint.lhs.shape)
    return Comparison(derivation, target, formula, letters, compared_sizes(derivation, sizes), seed).report()


def compared_sizes(derivation: Derivation, sizes: Mapping[str, int] | None) -> dict[Any, int]:
    """Choose sizes: those of the entrywise judge, with longer sequences, so that no time is near both ends."""
    chosen: dict[Any, int] = dict(judged_sizes(derivation, sizes))
    for length in sorted(dict(derivation.least).keys() & chosen.keys(), key=str):
        if str(length) not in (sizes or {}):
            taken = {value for letter, value in chosen.items() if letter != length}
            chosen[length] = next(n for n in count(max(SHORTEST, chosen[length])) if n not in taken)
    return chosen


class Comparison:
    """One formula against one network.

    Args:
        derivation: Of the network.
        target: What the formula is for.
        formula: As it was read.
        letters: For print.
        sizes: At which it is compared.
        seed: For the random point.
    """

    def __init__(
        self, derivation: Derivation, target: Target, formula: Node, letters: Letters, sizes: Mapping[Any, int], seed: int
    ) -> None:
        self.derivation, self.target, self.formula, self.letters = derivation, target, formula, letters
        self.sizes, self.seed = sizes, seed
        self.truth = Truth(derivation, sizes, seed)
        self.adjoint = quantity_of(target.adjoint.lhs)

    def asked(self, truth: Truth) -> list[int | None]:
        """Return the times that are asked for."""
        times = truth.times(self.adjoint)
        if self.target.time is None:
            return times
        number = int(self.target.time.xreplace(truth.lines.numbers))
        if number not in times:
            raise DataError(f"{writer.text(self.target.left)} is not there; times are {times[0]} to {times[-1]}")
        return [number]

    def wrong_at(self, truth: Truth, formula: Node) -> tuple[list[int | None], list[int | None]]:
        """Return the times at which a formula says something, and those of them at which it is wrong."""
        said = [time for time in self.asked(truth) if truth.says(formula, time)]
        return said, [time for time in said if truth.value(formula, time) != truth.true(self.adjoint, time)]

    def report(self) -> FormulaReport:
        """Compare, and explain."""
        running = isinstance(self.target.adjoint.lhs, Static) and self.reads_running_time()
        said, wrong = ([], []) if running else self.wrong_at(self.truth, self.formula)
        verdict = DIFFERENT if wrong or running else EQUAL if said else UNDECIDED
        edits: tuple[Edit, ...] = ()
        example: Example | None = None
        if verdict == DIFFERENT:
            edits = self.edits(said, wrong)
            example = None if running else smallest_example(self)
        return FormulaReport(
            target=self.target.left, formula=self.formula, lines=self.target.lines, verdict=verdict, times=tuple(said),
            wrong=tuple(wrong), sizes=dict(self.sizes), chance=self.truth.chance(self.formula) if said else 1.0,
            conditions=self.derivation.conditions, edits=edits, example=example, style=Shown(self.letters.style),
            length=len(self.asked(self.truth)),
        )

    def reads_running_time(self) -> bool:
        """Tell whether a formula reads something at the generic time, outside of every sum."""
        return any(isinstance(leaf, At) and t in leaf.time.free_symbols for leaf in self.formula.free_symbols)

    def edits(self, said: list[int | None], wrong: list[int | None]) -> tuple[Edit, ...]:
        """Find what differs."""
        if not said:
            return without_sum(self.formula, self.target.lines[0].rhs, self.agrees)
        found: tuple[Edit, ...] = ()
        for line in self.explaining(wrong):
            times = [time for time in self.truth.lines.times(line) if time in said] if self.target.time is None else said
            if not set(times) & set(wrong):
                continue
            pool = Pool.of([e.rhs for e in self.target.adjoint.lines], self.leaves())
            diagnosis = Diagnosis(self.truth, self.adjoint, times, pool, self.sizes, self.agrees_elsewhere)
            found = found or diagnosis.explain(self.formula, line.rhs)
        return found

    def explaining(self, wrong: list[int | None]) -> list[Equation]:
        """Return the derived lines, those first that hold at the most of the wrong times."""
        return sorted(self.target.lines, key=lambda line: -len(set(self.truth.lines.times(line)) & set(wrong)))[:2]

    def agrees(self, formula: Node) -> bool:
        """Tell whether a formula is right wherever it says something."""
        said, wrong = self.wrong_at(self.truth, formula)
        return bool(said) and not wrong

    def agrees_elsewhere(self, formula: Node) -> bool:
        """Tell whether a formula is right at other sizes too."""
        least = max((n for _, n in self.derivation.least), default=1)
        sizes = dict(zip(sorted(self.sizes, key=str), count(max(4, least)), strict=False))
        try:
            said, wrong = self.wrong_at(Truth(self.derivation, sizes, self.seed), formula)
        except SymrnnError:  # a root that has no value at these sizes
            return True
        return bool(said) and not wrong

    def leaves(self) -> Iterable[Any]:
        """Yield what a formula can read: each quantity and each adjoint."""
        network = self.derivation.network
        for quantity in dict.fromkeys([*(g.quantity for g in network.givens), *(e.quantity for e in network.equations)]):
            yield quantity[t] if isinstance(quantity, Series) else quantity
        for adjoint in self.derivation.adjoints:
            yield adjoint.lhs


