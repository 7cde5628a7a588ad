"""What a formula is for: ``δh``, ``∂L/∂W_{hh}``, ``h_0``; and the two sides of ``δh_t = …``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symrnn.derivation import Adjoint, Derivation
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import t
from symrnn.formulas.adjoints import delta, order_of, partial_of
from symrnn.formulas.letters import Found, Letters
from symrnn.formulas.names import quantities
from symrnn.formulas.surface import FormulaError, parse, source_of, unwrapped
from symrnn.formulas.terms import Terms
from symrnn.traverse import quantity_of


@dataclass(frozen=True)
class Target:
    """What a formula is for.

    Attributes:
        adjoint: Of which quantity.
        time: The time that was said; ``None`` for a static quantity, and for all times.
    """

    adjoint: Adjoint
    time: Expr | None

    @property
    def left(self) -> Any:
        """The left side."""
        lhs = self.adjoint.lhs
        return lhs if self.time is None else lhs.xreplace({t: self.time})

    @property
    def lines(self) -> tuple[Equation, ...]:
        """The derived lines that hold at the time, or all of them."""
        lines = self.adjoint.lines
        return tuple(e for e in lines if self.time is None or (e.span is not None and e.span.single and e.span.lo == self.time)) or lines


def sides(text: str) -> tuple[str, str]:
    """Split ``left = right`` at the sign outside of all brackets; without one there is no left side."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(character, 0)
        if character == "=" and not depth:
            return text[:place].replace("&", " ").strip(), " " * (place + 1) + text[place + 1:].replace("&", " ")
    return "", text


def read_target(text: str, derivation: Derivation, letters: Letters) -> Target:
    """Read what a formula is for.

    Args:
        text: An adjoint or a quantity, in letters or by its name in Python, with or without a time.
        derivation: Where it must be.
        letters: The letters.

    Raises:
        SpecError: It is not there, or could be several.
    """
    try:
        adjoint = derivation.adjoint(text.strip())
        given = next((g for g in derivation.wanted if g.name == text.strip() and g.span is not None and g.kind == "initial"), None)
        return Target(adjoint, given.span.lo if given is not None and given.span is not None else None)
    except SpecError as error:
        unknown = error
    try:
        found = [f for f in candidates(text, letters) if f.quantity in by_adjoint(derivation, f)]
    except FormulaError as error:
        raise FormulaError(text, error.column, error.reason) from None
    if not found:
        raise SpecError(f"a formula is for an adjoint such as δ{derivation.adjoints[0].of.name}; got {text.strip()}: {unknown}") from None
    if len(found) > 1:
        raise SpecError(f"{text.strip()} can be {' or '.join(str(f.quantity.key) for f in found)}; give the name in Python")
    time = found[0].time
    return Target(by_adjoint(derivation, found[0])[found[0].quantity], None if time == t else time)


def by_adjoint(derivation: Derivation, found: Found) -> dict[Any, Adjoint]:
    """Return adjoints by the quantity, or by what they are of."""
    return {key: a for a in derivation.adjoints for key in (quantity_of(a.lhs), a.of)}


def candidates(text: str, letters: Letters) -> list[Found]:
    """Return what a left side can be."""
    tree: Any = parse(text)
    factors = [f for f in tree.children[0].children[0].children if getattr(f, "data", "") == "factor"]
    terms = Terms(text, letters)
    kind = factors[0].children[0].data
    if kind == "fraction":
        parts = [partial_of(part) for part in factors[0].children[0].children[1:]]
        if None not in parts:
            return [f.adjoint((order_of(terms, parts[0]),)) for f in quantities(parts[1], letters, text, timed=False)]
    if kind == "partial" and len(factors) == 4:
        return [f.adjoint((order_of(terms, factors[1]),)) for f in quantities(factors[3], letters, text, timed=False)]
    if kind == "nabla":
        below = next(s for s in factors[0].children[1:] if s.data == "below")
        return [f.adjoint((1,)) for f in candidates(unwrapped(source_of(below.children[0], text)), letters)]
    orders = []
    while len(factors) > 1 and (order := delta(factors[0], terms)) is not None:
        orders.append(order)
        factors = factors[1:]
    return [f.adjoint(reversed(orders)) for f in quantities(factors[0], letters, text, timed=False)] if len(factors) == 1 else []
