"""Letters for what an unrolled derivation names beside the network: Jacobians, what arrives, stacked states, indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType

from sympy import Expr, Symbol

from symrnn.derivation import Derivation
from symrnn.expr import Series, Static
from symrnn.notation import spell
from symrnn.notation.spelling import ACCENTS, split
from symrnn.style import Style, free_letter, symbol_text
from symrnn.unrolling.paths import arriving_series, jacobian_series, reaching_series
from symrnn.unrolling.recurrences import Recurrence

CANDIDATES = MappingProxyType({
    "Jacobian": ("J", "M", "A", "G"),
    "Arriving": ("e", "g", "r", "q"),
    "Passed": ("g", "q", "r", "p"),
    "States": ("s", "z", "q", "m"),
    "Reaching": ("B", "G", "Q", "N"),
    "reads": ("k", "s", "m", "q"),
    "running": ("j", "i", "n", "p"),
})
"""Letters in the order in which they are tried: the first that nothing in the network is printed with is taken."""
READS = Symbol("_reads", integer=True)
RUNNING = Symbol("_running", integer=True)
CHAIN = "Chain"
"""Name of a quantity that stands for a product of Jacobians until it is printed."""


@dataclass(frozen=True)
class Lettering:
    """A style that knows the names of an unrolled derivation."""

    style: Style

    @classmethod
    def of(cls, derivation: Derivation, found: Iterable[Recurrence], style: Style) -> Lettering:
        """Choose letters that the network does not have, in the notation at hand.

        Args:
            derivation: With symbolic lengths.
            found: Its recurrences.
            style: Of its network.
        """
        sizes = {symbol_text(size, style) for size in derivation.network.sizes}
        taken = {**style.letters, **{f"size {text}": text for text in sizes}}
        chosen: dict[str, str] = {}
        for what, candidates in CANDIDATES.items():
            chosen[what] = free_letter(candidates, replace(style, letters={**taken, **chosen}))
        letters, marks = dict(style.letters), dict(style.marks)
        for one in found:
            own = [(jacobian_series(one), "Jacobian"), (arriving_series(one), "Arriving"), (passed_series(one), "Passed")]
            for series, what in [*own, *([(states_series(one), "States")] if len(one.states) > 1 else [])]:
                letters[series.name] = chosen[what]
                if one.mark and one.states[0].name in style.marks:
                    marks[series.name] = style.marks[one.states[0].name]
            for quantity in one.members:
                if isinstance(quantity, Series):
                    name = reaching_series(one, quantity).name
                    letters[name] = reaching_letter(chosen["Reaching"], style.letters.get(quantity.name, quantity.name))
                    if quantity.name in style.marks:
                        marks[name] = style.marks[quantity.name]
        letters[CHAIN] = "XCHAINX"
        indices = {**style.indices, READS: spell(chosen["reads"], style.medium).base, RUNNING: spell(chosen["running"], style.medium).base}
        return cls(replace(style, letters=letters, marks=marks, indices=indices))

    def letter(self, series: Series) -> str:
        """Return the letter of a series, for sentences."""
        return self.style.letters[series.name]


def reaching_letter(letter: str, quantity: str) -> str:
    """Give a letter the subscript of the quantity that it belongs to, or the quantity itself."""
    base, subs, _ = split(quantity)
    below = "_".join(sub for sub in subs if sub not in ACCENTS)
    return f"{letter}_{below or base}"


def passed_series(of: Recurrence) -> Series:
    """Return the name of what the δ-recursion carries: the gradient in the stacked states, from outside and from later on."""
    return Series(of.name("Passed"), (), of.size, 1)


def states_series(of: Recurrence) -> Series:
    """Return the name of the states under each other; of the state itself where there is one."""
    return Series(of.name("States"), (), of.size, 1) if len(of.states) > 1 else of.states[0]


def chain_node(of: Recurrence) -> Static:
    """Return what stands for the product of Jacobians in a formula."""
    return Static(CHAIN, (), of.size, of.size)


def plus_one(time: Expr, of: Recurrence) -> Expr:
    """Return the next time in the order of the recurrence."""
    return time + of.step


__all__ = ["CANDIDATES", "READS", "RUNNING", "Lettering", "chain_node", "passed_series", "plus_one", "states_series"]
