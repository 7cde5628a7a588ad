"""Lines of an unrolled derivation that no single node says: nested brackets, sums over paths, stacked states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from symrnn import writer
from symrnn.expr import Leaf, Node, t
from symrnn.printing.parts import Spelled
from symrnn.printing.pieces import Line, Ratio
from symrnn.style import Style, derivative
from symrnn.times import Span
from symrnn.unrolling.brackets import nested, split_at_plus
from symrnn.unrolling.forward import Substituted
from symrnn.unrolling.paths import PathSum
from symrnn.unrolling.recurrences import Recurrence
from symrnn.unrolling.symbolic import SymbolicSum, sum_text

ROW = 90
PAGE = 56
"""Characters of a row in a terminal, and on a page of LaTeX, after which a formula is broken."""


def spelled(text: str) -> Spelled:
    """Return a text that is in the medium at hand already."""
    return Spelled(text, text, text)


def seen(text: str) -> int:
    """Characters of a formula as a reader sees it, roughly, in LaTeX or in a terminal."""
    if "\\" not in text:
        return len(text)
    text = re.sub(r"\\operatorname\{(\w+)\}", r"\1", text)
    text = re.sub(r"\\[bB]igg?[lr]?|\\(?:left|right|mathrm|tilde|hat|bar|mathbf|boldsymbol)|\\[,;!]", "", text)
    text = re.sub(r"\\(tanh|cdots|log)", r"\1", text)
    return len(re.sub(r"[{}^_]", "", re.sub(r"\\[a-zA-Z]+", "x", text)))


def rows_of(left: Node | Ratio | Spelled | None, text: str, style: Style) -> Iterator[Line]:
    """Yield the lines of a long formula, broken before a plus or a minus."""
    rows = split_at_plus(text, room(style), seen)
    yield Line(left, spelled(rows[0]))
    for row in rows[1:]:
        yield Line(None, spelled(row), sign="")


def long_lines(left: Spelled | None, node: Node, style: Style, span: Span | None = None) -> Iterator[Line]:
    """Yield the lines of a sum of products: broken before its terms, and on a page inside a product that is too long."""
    rows = [""]
    for term in writer.terms(node, style):
        pieces = re.split(r" (?=\\(?:operatorname|odot|ast|circ|star)\b)", term) if style.latex and seen(term) > room(style) - 18 else [term]
        if rows[-1] and seen(rows[-1]) + seen(term) + 1 > room(style) - 18:
            rows.append("")
        for number, piece in enumerate(pieces):
            if number and seen(rows[-1]) + seen(piece) + 1 > room(style) - 18:
                sign = r" \cdot" if piece.startswith(r"\operatorname") else ""
                rows.append(rf"\qquad {{}}{sign} {piece}")
            else:
                rows[-1] = f"{rows[-1]} {piece}".strip()
    yield Line(left, spelled(rows[0]), span)
    for row in rows[1:]:
        yield Line(None, spelled(row), sign="")


def room(style: Style) -> int:
    """Return the characters of a row."""
    return PAGE if style.latex else ROW


def substituted_lines(lines: Iterable[Substituted], style: Style) -> Iterator[Line]:
    """Yield the lines of a substitution with brackets that can be paired."""
    for line in lines:
        yield from rows_of(line.lhs, nested(writer.formula(line.rhs, style), latex=style.latex), style)


def symbolic_lines(loss: Leaf, symbolic: SymbolicSum, style: Style) -> Iterator[Line]:
    """Yield ``∂L/∂W = Σ_t Σ_{k≤t} …``, a row for each way in which the quantity is read."""
    left: Ratio | None = Ratio(loss, symbolic.target)
    for number, term in enumerate(symbolic.terms):
        text = sum_text(term, style)
        yield Line(left, spelled(text)) if not number else Line(None, spelled(f"+ {text}"), sign="")
        left = None


def explicit_lines(loss: Leaf, total: PathSum, style: Style) -> Iterator[Line]:
    """Yield the sum over paths term by term, in groups of one time ``t`` each."""
    first = True
    for arrives, group in groupby(total.terms, key=lambda p: p.arrives):
        row = ""
        at: Span | None = Span(arrives, arrives)
        for path in group:
            text = writer.bracketed(path.term, style) if type(path.term).__name__ == "Plus" else writer.formula(path.term, style)
            if row and seen(row) + seen(text) + 3 > room(style) - 12:
                yield line_of(loss, total, row, first, at)
                row, first, at = "", False, None
            row = f"{row} + {text}" if row else text
        yield line_of(loss, total, row, first, at)
        first = False
    for node in total.rest:
        yield line_of(loss, total, writer.formula(node, style), first, None)
        first = False


def line_of(loss: Leaf, total: PathSum, text: str, first: bool, at: Span | None) -> Line:
    """One row of a sum over paths."""
    return Line(Ratio(loss, total.target), spelled(text), at) if first else Line(None, spelled(f"+ {text}"), at, sign="")


def block_grid(of: Recurrence, style: Style) -> str:
    """Write the blocks ``∂new_t/∂old_{t-1}`` as a matrix; turned round where vectors are rows."""
    grid = [[derivative(writer.formula(new[t], style), writer.formula(old[t - of.step], style), style) for old in of.states] for new in of.states]
    if style.notation.rows:
        grid = [list(column) for column in zip(*grid, strict=True)]
    if style.latex:
        rows = r" \\[8pt] ".join(" & ".join(cell.replace(r"\frac", r"\dfrac") for cell in row) for row in grid)
        return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
    return "[" + "; ".join(", ".join(row) for row in grid) + "]"


def ratio_of(above: Node, below: Node, style: Style) -> str:
    """Write ``∂a/∂b`` for two values."""
    return derivative(writer.formula(above, style), writer.formula(below, style), style)
