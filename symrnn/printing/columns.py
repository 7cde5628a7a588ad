"""The gradient of a table that is looked up, column by column: the form that is known as scatter-add.

``∂L/∂E = Σ_t δu_t e_{w_t}ᵀ`` says that column ``v`` of the gradient is the sum of ``δu_t`` over the times at which token
``v`` occurs. What else reads the table, such as a readout that is tied to it, adds its own column ``v``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Basic

from symrnn.expr import Node, OneHot, Plus, Product, Scaled, TimeSum, Transposed, split_scalar

LETTERS = ("v", "j", "r", "q", "p")
"""Letters for the number of a column, of which the first is taken that the network does not use."""


@dataclass(frozen=True)
class Occurrences:
    """``Σ_{lo ≤ t ≤ hi: w_t = v} body``: over the times at which a token is the one of the column."""

    body: Node
    token: Node
    index: Basic
    lo: Any
    hi: Any


@dataclass(frozen=True)
class ColumnOf:
    """Column ``v`` of a matrix: ``[A]_{:,v}``."""

    matrix: Any


@dataclass(frozen=True)
class ColumnForm:
    """A sum of columns."""

    terms: tuple[Occurrences | ColumnOf, ...]


def column_form(gradient: Node) -> ColumnForm | None:
    """Return column ``v`` of a gradient, or ``None`` where no lookup contributes to it.

    Args:
        gradient: The right side of a line for the gradient of a matrix.
    """
    terms = gradient.args if isinstance(gradient, Plus) else (gradient,)
    found = tuple(column_of(term) for term in terms)
    return ColumnForm(found) if any(isinstance(term, Occurrences) for term in found) else None


def column_of(term: Node) -> Occurrences | ColumnOf:
    """Return column ``v`` of a term: of ``Σ_t g e_{w_t}ᵀ``, the sum of ``g`` over the times at which ``w_t`` is ``v``."""
    scale, core = split_scalar(term)
    if not isinstance(core, TimeSum):
        return ColumnOf(term)
    body, index, lo, hi = core.args
    *front, last = body.args if isinstance(body, Product) else (body,)
    if not (front and isinstance(last, Transposed) and isinstance(last.args[0], OneHot)):
        return ColumnOf(term)
    received = Product(*front) if len(front) > 1 else front[0]
    return Occurrences(Scaled(scale, received), last.args[0].args[0], index, lo, hi)
