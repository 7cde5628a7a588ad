"""The formulas and names of an outline as text of one medium."""

from __future__ import annotations

import unicodedata

from symrnn import writer
from symrnn.expr import Node
from symrnn.node_text import times, transpose
from symrnn.render.outline import Chain, Equality, Formula, Line, Ratio
from symrnn.style import Style, derivative, parentheses, scalar, span_text

PLAIN = {
    "δ": "delta ", "ᵀ": "^T", "⟹": "=>", "∘": ".*", "Σ": "sum", "∂": "d", "…": "...", "½": "1/2", "×": "x", "≥": ">=",
    "ŷ": "y_hat", "ℓ": "ell", "σ": "sigma", "–": "-", "—": "-", "’": "'", "·": "*",
}
"""ASCII for the signs of rules and sentences; formulas have ASCII forms of their own."""


def pieces(formula: Formula, style: Style) -> list[str]:
    """Write a formula in pieces between which a line may be broken."""
    if isinstance(formula, Ratio):
        return [derivative(writer.formula(formula.above, style), writer.formula(formula.below, style), style)]
    if isinstance(formula, Chain):
        ratio = pieces(Ratio(formula.above, formula.below), style)[0]
        received = writer.formula(formula.received, style)
        return [parentheses(ratio, style) + transpose(style) + times(style) + received]
    return writer.terms(formula, style) if isinstance(formula, Node) else [scalar(formula, style)]


def written(formula: Formula | Equality, style: Style) -> str:
    """Write a formula in one piece."""
    if isinstance(formula, Equality):
        sign = formula.sign if formula.sign == "=" else style.pick(r"\ge", "≥", ">=")
        return f"{written(formula.left, style)} {sign} {written(formula.right, style)}"
    return " ".join(pieces(formula, style))


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
