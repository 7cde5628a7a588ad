"""From the tree of a formula to nodes: every reading whose shapes fit.

Each part has a list of readings. A juxtaposition is a matrix product; beside an elementwise sign it may bind more tightly
than the sign or less, and both are tried. What does not fit is dropped; where nothing is left the first misfit is the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from typing import Any

from symrnn.errors import SymrnnError
from symrnn.formulas.factors import front
from symrnn.formulas.letters import Letters
from symrnn.formulas.shaping import Value, added, chained, divided, elementwise, negated
from symrnn.formulas.surface import FormulaError, parse, place_of

MOST = 64
"""How many readings of one part are kept."""
ELEMENTWISE = {r"\odot", r"\circ", r"\ast", r"\star", r"\diamond", r"\bullet", "⊙", "∘", "∗", "⋆", "⋄"}
EITHER = {r"\cdot", r"\times", "·", "×", "*"}
Operand = tuple[str, Value]


class Terms:
    """Readings of the parts of one formula.

    Args:
        formula: The text.
        letters: What its letters can mean.
    """

    def __init__(self, formula: str, letters: Letters) -> None:
        self.formula, self.letters = formula, letters
        self.forks: list[int] = []

    def fitting(self, tree: Any, tries: Iterable[Callable[[], Value]]) -> list[Value]:
        """Return the different values of those tries that fit.

        Raises:
            FormulaError: None does.
        """
        found: dict[Value, None] = {}
        misfit: SymrnnError | None = None
        for attempt in tries:
            try:
                found[attempt()] = None
            except SymrnnError as error:
                misfit = misfit or error
        if not found:
            reason = str(misfit) if misfit else "this has no reading"
            raise misfit if isinstance(misfit, FormulaError) else FormulaError(self.formula, place_of(tree) + 1, reason)
        return list(found)[:MOST]

    def sum(self, tree: Any) -> list[Value]:
        """``a + b - c``."""
        sign, totals = "", None
        for child in tree.children:
            if getattr(child, "type", "") == "SIGN":
                sign = str(child)
                continue
            values = [negated(v) if sign in {"-", "−"} else v for v in self.term(child)]
            if totals is None:
                totals = values
            else:
                pairs = product(totals, values)
                totals = self.fitting(child, [partial(added, a, b) for a, b in pairs])
        return totals or []

    def term(self, tree: Any) -> list[Value]:
        """Products of every kind."""
        items, sign = [], ""
        for child in tree.children:
            if getattr(child, "type", "") == "OPERATOR":
                sign = str(child)
            else:
                items.append((sign, child))
                sign = ""
        return self.products_of(tree, items)

    def products_of(self, tree: Any, items: list[tuple[str, Any]]) -> list[Value]:
        """Return the readings of a product of factors, each with the sign before it."""
        values = self.fitting(tree, self.products(items))
        signs = {meaning for sign, _ in items[1:] for meaning in meanings(sign)}
        if len(values) > 1 and {"", "⊙"} <= signs:
            self.forks.append(place_of(items[0][1]))
        return values

    def products(self, items: list[tuple[str, Any]]) -> Iterator[Callable[[], Value]]:
        """Yield the ways to multiply operands."""
        try:
            sequences = list(self.operands(items))
        except SymrnnError as error:
            yield raising(error)
            return
        for operands in sequences:
            for signs in product(*(meanings(sign) for sign, _ in operands)):
                own = [(s, value) for s, (_, value) in zip(signs, operands, strict=True)]
                yield partial(self.tightly, own)
                if {"", "⊙"} <= set(signs[1:]):
                    yield partial(self.loosely, own)

    def tightly(self, operands: list[Operand]) -> Value:
        """Multiply with juxtaposition before the elementwise sign."""
        groups: list[list[Operand]] = [[]]
        for sign, value in operands:
            if sign == "⊙":
                groups.append([])
            groups[-1].append(("" if sign == "⊙" else sign, value))
        values = [self.chain(group) for group in groups]
        total = values[0]
        for value in values[1:]:
            total = elementwise(total, value)
        return total

    def loosely(self, operands: list[Operand]) -> Value:
        """Multiply with the elementwise sign before juxtaposition."""
        groups: list[Operand] = []
        for sign, value in operands:
            if sign == "⊙":
                groups[-1] = (groups[-1][0], elementwise(groups[-1][1], value))
            else:
                groups.append((sign, value))
        return self.chain(groups)

    def chain(self, operands: list[Operand]) -> Value:
        """Multiply by juxtaposition, and divide."""
        values: list[Value] = []
        for sign, value in operands:
            if sign == "/":
                values[-1] = divided(values[-1], value)
            else:
                values.append(value)
        return chained(values[::-1] if self.letters.rows else values)

    def operands(self, items: list[tuple[str, Any]]) -> Iterator[list[Operand]]:
        """Yield the sequences of operands that factors can be."""
        if not items:
            yield []
            return
        readings, used = self.front(items)
        rests = list(self.operands(items[used:]))
        for value, rest in product(readings, rests):
            yield [(items[0][0], value), *rest]

    def front(self, items: list[tuple[str, Any]]) -> tuple[list[Value], int]:
        """Return the readings of the first operand of a product, and how many factors it takes."""
        return front(self, items)

    def nested(self, text: str, place: int) -> list[Value]:
        """Read a part of the formula again that was kept as text, such as a script."""
        padded = " " * place + text
        inner = Terms(padded, self.letters)
        return inner.sum(parse(padded).children[0])


def meanings(sign: str) -> tuple[str, ...]:
    """Return what a sign between operands can be: nothing for a product, ``⊙``, ``/``."""
    if sign in EITHER:
        return ("", "⊙")
    return ("⊙",) if sign in ELEMENTWISE else (sign,)


def raising(error: SymrnnError) -> Callable[[], Value]:
    """Return a try that fails."""

    def attempt() -> Value:
        raise error

    return attempt
