"""What reads the parts of a formula, as those see it that read one kind of part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from symrnn.formulas.letters import Letters
from symrnn.formulas.shaping import Value

Items = list[tuple[str, Any]]
"""Factors, each with the sign before it."""


class Context(Protocol):
    """What reads the parts of a factor."""

    formula: str
    letters: Letters

    def sum(self, tree: Any) -> list[Value]:
        """Return the readings of a sum."""

    def term(self, tree: Any) -> list[Value]:
        """Return the readings of a term."""

    def products_of(self, tree: Any, items: Items) -> list[Value]:
        """Return the readings of a product."""

    def nested(self, text: str, place: int) -> list[Value]:
        """Return the readings of a part that was kept as text."""

    def fitting(self, tree: Any, tries: Iterable[Callable[[], Value]]) -> list[Value]:
        """Return the values of the tries that fit."""

    def front(self, items: Items) -> tuple[list[Value], int]:
        """Return the readings of the first operand of a product, and how many factors it takes."""
