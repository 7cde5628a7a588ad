"""The formulas and names of an outline as text of one medium."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from symrnn import writer
from symrnn.expr import Node, Static
from symrnn.node_text import bracket, mirrored, of_columns
from symrnn.printing.columns import LETTERS as COLUMN_LETTERS
from symrnn.printing.columns import ColumnForm, ColumnOf, Occurrences
from symrnn.printing.parts import LayerNumber, LayerRange, Spelled
from symrnn.printing.pieces import Chain, Equality, Formula, Lettered, Line, Piece, Ratio, Section
from symrnn.quantity_text import SUM, gradient_of
from symrnn.sign_text import times, transpose
from symrnn.style import (
    Alike,
    Style,
    derivative,
    free_letter,
    generic_time,
    numbers_text,
    parentheses,
    scalar,
    span_text,
    time_text,
)

PLAIN = {
    "δ": "delta ", "ᵀ": "^T", "⟹": "=>", "∘": ".*", "Σ": "sum", "∂": "d", "…": "...", "½": "1/2", "×": "x", "≥": ">=",
    "ŷ": "y_hat", "ℓ": "ell", "σ": "sigma", "–": "-", "—": "-", "’": "'", "·": "*",
}
"""ASCII for the signs of rules and sentences; formulas have ASCII forms of their own."""


def pieces(formula: Formula, style: Style) -> list[str]:
    """Write a formula in pieces between which a line may be broken."""
    if isinstance(formula, Ratio):
        return [ratio_text(formula, style)]
    if isinstance(formula, Chain):
        jacobian = parentheses(ratio_text(Ratio(formula.above, formula.below), style), style) + transpose(style)
        received = writer.bracketed(formula.received, style) if style.notation.rows else writer.formula(formula.received, style)
        return [times(style).join(mirrored([jacobian, received], style))]
    if isinstance(formula, Lettered):
        letters = {**style.letters, formula.node.name: formula.letter}
        return [writer.formula(formula.node, replace(style, letters=letters))]
    if isinstance(formula, ColumnForm):
        first, *more = (column_text(term, style) for term in formula.terms)
        return [first, *(f"+ {term}" for term in more)]
    if isinstance(formula, ColumnOf):
        return [column_text(formula, style)]
    if isinstance(formula, LayerNumber):
        return [style.layer_text(formula.number)]
    if isinstance(formula, LayerRange):
        return [numbers_text(formula.letter, formula.first, formula.last, style)]
    if isinstance(formula, Spelled):
        return [style.pick(formula.latex, formula.unicode, formula.ascii)]
    return writer.terms(formula, style) if isinstance(formula, Node) else [scalar(formula, style)]


def ratio_text(ratio: Ratio, style: Style) -> str:
    """Write a derivative: a gradient in the way of the profile, a Jacobian as a fraction."""
    below = writer.formula(ratio.below, style)
    if isinstance(ratio.above, Static) and not ratio.above.orders and ratio.above.name in style.losses.values():
        return gradient_of(ratio.above.name, below, style)[0]
    return derivative(writer.formula(ratio.above, style), below, style)


def written(formula: Formula | Equality, style: Style) -> str:
    """Write a formula in one piece."""
    if isinstance(formula, Equality):
        sign = formula.sign if formula.sign == "=" else style.pick(r"\ge", "≥", ">=")
        return f"{written(formula.left, style)} {sign} {written(formula.right, style)}"
    return " ".join(pieces(formula, style))


def column_text(column: ColumnOf | Occurrences, style: Style) -> str:
    """``[A]_{:,v}``; ``Σ_{1≤t≤T: w_t=v} δu_t``, over the times at which a token is the one of the column."""
    letter = free_letter(COLUMN_LETTERS, style)
    if isinstance(column, ColumnOf):
        return f"[{written(column.matrix, style)}]_{{{of_columns(letter, style)}}}"
    running, less = generic_time(style), style.pick(r" \le ", "≤", "<=")
    inner = replace(style, indices={**style.indices, column.index: running})
    token, body = writer.formula(column.token, inner), bracket(column.body, inner, SUM)
    when = f"{time_text(column.lo, style)}{less}{running}{less}{time_text(column.hi, style)}"
    return style.pick(r"\sum", "Σ", "sum") + f"_{{{when}:{style.pick(chr(92) + ',', '', '')} {token}={letter}}} {body}"


def heading(section: Section) -> tuple[Piece, ...]:
    """Return the heading of a section, with the layers that it holds for where these are several."""
    return section.heading if section.layers is None else (*section.heading, ", for ", section.layers)


def within(layers: LayerRange | None, style: Style) -> Style:
    """Return the style for what one layer says of several."""
    return style if layers is None else replace(style, alike=Alike(layers.first, layers.letter))


def when(line: Line, style: Style) -> str:
    """Write the times at which a line holds, or nothing."""
    return span_text(line.span, style, descending=line.descending) if line.span is not None else ""


def width(text: str) -> int:
    """Columns that a text takes in a terminal: accents that combine take none."""
    return sum(not unicodedata.combining(character) for character in text)


def padded(text: str, columns: int) -> str:
    """Fill a text up with blanks."""
    return text + " " * max(0, columns - width(text))


def plain(text: str, style: Style) -> str:
    """Return a sentence as it is, or in ASCII where the medium asks for it."""
    if style.medium != "ascii":
        return text
    for sign, replacement in PLAIN.items():
        text = text.replace(sign, replacement)
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
