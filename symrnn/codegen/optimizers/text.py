"""Formulas of rules as text: with Unicode letters for a reader, and as Python for the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sympy import Abs, Expr, Max, Min, Mul, Pow, Rational, Symbol, sign

from symrnn.errors import NotSupportedError
from symrnn.notation import spell
from symrnn.style import POWERS

HALF = Rational(1, 2)
SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly a text binds."""
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
NAMES: Mapping[type, str] = MappingProxyType({Max: "max", Min: "min", Abs: "abs", sign: "sign"})
Text = tuple[str, int]


@dataclass(frozen=True)
class Writer:
    """Writes formulas.

    Attributes:
        name: How a symbol is written.
        arrays: Names of the symbols that are arrays, in the order in which the terms of a sum are written.
        python: Whether Python is written, or a text for readers.
    """

    name: Callable[[str], str]
    arrays: Sequence[str] = ()
    python: bool = False

    def text(self, e: Expr) -> str:
        """Write a formula."""
        return self.written(e)[0]

    def written(self, e: Expr) -> Text:
        """Write a formula, and say how tightly the text binds.

        Raises:
            NotSupportedError: A function that has no form here.
        """
        if isinstance(e, Symbol):
            return self.name(e.name), ATOM
        if e.is_Integer or (e.is_number and e.is_real):
            number = str(e) if e.is_Integer else f"{float(e):g}" if not self.python else repr(float(e))
            return number, SUM if e.is_negative else ATOM
        if e.is_Add:
            first, *others = sorted(e.args, key=self.rank)
            rest = (f" - {self.at(-a, PRODUCT)}" if negative(a) else f" + {self.at(a, PRODUCT)}" for a in others)
            return self.at(first, PRODUCT) + "".join(rest), SUM
        if e.is_Mul or is_reciprocal(e):
            return self.product(e)
        if e.is_Pow:
            return self.power(*e.args)
        if isinstance(e, Abs) and not self.python:
            return f"|{self.text(e.args[0])}|", ATOM
        if self.python and type(e) not in {Max, Min, Abs}:
            raise NotSupportedError(f"{type(e).__name__} of numbers has no form in the code of an optimizer; use powers, products and sums")
        name = NAMES.get(type(e), type(e).__name__)
        return f"{name}({', '.join(self.text(a) for a in sorted(e.args, key=self.rank))})", ATOM

    def at(self, e: Expr, least: int) -> str:
        """Write a formula, in brackets where it binds less tightly than what is around it."""
        text, tightness = self.written(e)
        return text if tightness >= least else f"({text})"

    def rank(self, e: Expr) -> tuple[bool, int, bool, str]:
        """Return what terms of a sum are sorted by: what is added first, arrays first, numbers before letters."""
        places = [self.arrays.index(s.name) for s in e.free_symbols if s.name in self.arrays]
        return negative(e), min(places, default=len(self.arrays)), not e.is_number, str(e)

    def product(self, e: Expr) -> Text:
        """Write a product, what it is divided by behind a stroke."""
        if negative(e):
            return f"-{self.at(-e, PRODUCT)}", SUM
        factors = sorted(Mul.make_args(e), key=self.order)
        below = [1 / f for f in factors if is_reciprocal(f)]
        above = [f for f in factors if not is_reciprocal(f)]
        mark = " * " if self.python else " "
        text = mark.join(self.at(f, PRODUCT + (len(above) > 1)) for f in above) or "1"
        if len(below) == 1:
            text += f" / {self.at(below[0], POWER)}"
        elif below:
            text += f" / ({mark.join(self.at(f, POWER) for f in below)})"
        return text, PRODUCT

    def order(self, e: Expr) -> tuple[bool, bool, bool, str]:
        """Return what the factors of a product are sorted by: numbers, letters, sums, arrays."""
        array = any(s.name in self.arrays for s in e.free_symbols)
        return array, bool(e.is_Add), not e.is_number, str(e)

    def power(self, base: Expr, exponent: Expr) -> Text:
        """Write a power: ``√v``, ``g²``, ``β₁ᵏ``."""
        if self.python:
            return f"{self.at(base, ATOM)}**{'0.5' if exponent == HALF else self.at(exponent, ATOM)}", POWER
        if exponent == HALF:
            return f"√{self.at(base, ATOM)}", POWER
        raised = self.text(exponent)
        if raised.isdigit():
            return self.at(base, ATOM) + "".join(POWERS[int(digit)] for digit in raised), POWER
        return f"{self.at(base, ATOM)}{'ᵏ' if raised == 'k' else f'^({raised})'}", POWER


def negative(e: Expr) -> bool:
    """Tell whether a term has a minus in front."""
    return bool(e.as_coeff_Mul()[0] < 0)


def letter(name: str, letters: Mapping[str, str]) -> str:
    """Return how a reader sees a symbol: ``β₁`` for ``beta1``, ``m̂`` for ``m_hat``."""
    if name in letters:
        return letters[name]
    base = name.rstrip("0123456789")
    spelling = spell(base, "unicode")
    shown = base if spelling.sub or spelling.sup else spelling.base
    return shown + "".join(SUBSCRIPTS[int(digit)] for digit in name[len(base):])


def is_reciprocal(e: Expr) -> bool:
    """Tell whether a factor is something to divide by."""
    return isinstance(e, Pow) and negative(e.exp)
