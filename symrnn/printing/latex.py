"""A derivation as LaTeX to paste into a paper: ``align*`` environments, with ``amsmath`` alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symrnn.printing.pieces import Code, Equations, Formula, Line, Outline, Piece, Section, Shapes
from symrnn.printing.words import heading, pieces, when, width, within, written
from symrnn.style import Style, shape_text

LONGEST = 62
"""Characters of a right side, as in a terminal, after which an equation is broken."""

SPECIAL = {"\\": r"\textbackslash{}", **{sign: "\\" + sign for sign in "&%$#_{}"}, "~": r"\textasciitilde{}",
           "^": r"\textasciicircum{}"}
SIGNS = {
    "δ": r"$\delta$", "ᵀ": r"$^{\top}$", "⟹": r"$\Rightarrow$", "∘": r"$\circ$", "Σ": r"$\Sigma$", "∂": r"$\partial$",
    "…": r"$\dots$", "½": r"$\tfrac{1}{2}$", "×": r"$\times$", "ŷ": r"$\hat{y}$", "σ": r"$\sigma$", "–": "--",
}

SIGN = {"=": "=", "+=": r"\mathrel{+}=", "": r"\phantom{=}"}


def write_latex(outline: Outline, style: Style) -> str:
    """Write an outline as LaTeX."""
    body = [row for section in outline.sections for row in ["", *section_rows(section, style)]]
    needed = r"; \nmid is of amssymb" if any(r"\nmid" in row for row in body) else ", which is all that this needs"
    return "\n".join([f"% {outline.title}", rf"\allowdisplaybreaks % of amsmath{needed}", *body]) + "\n"


def section_rows(section: Section, style: Style) -> list[str]:
    """Heading and body of one section."""
    command = "paragraph" if section.level == 1 else "subparagraph"
    style = within(section.layers, style)
    rows = [rf"\{command}{{{sentence(heading(section), style)}}}"]
    for part in section.body:
        if isinstance(part, Equations):
            rows += [r"\begin{align*}", *joined(aligned_rows(part.lines, style)), r"\end{align*}"]
        elif isinstance(part, Shapes):
            rows += shape_rows(part, style)
        else:
            rows.append(sentence(part.pieces, style))
    return rows


def escaped(text: str) -> str:
    """Return plain text with the signs that LaTeX reserves, or does not know, spelled out."""
    return "".join(SPECIAL.get(character) or SIGNS.get(character, character) for character in text)


def sentence(parts: Iterable[Piece], style: Style) -> str:
    """Write words and formulas in a row."""
    return "".join(words_text(part, style) for part in parts)


def words_text(part: Piece, style: Style) -> str:
    """Write one piece of a sentence."""
    if isinstance(part, Code):
        return rf"\texttt{{{escaped(part.content)}}}" if part.content.isidentifier() else escaped(part.content)
    return escaped(part) if isinstance(part, str) else f"${written(part, style)}$"


def shape_rows(shapes: Shapes, style: Style) -> list[str]:
    """One sentence for each kind."""
    kinds: dict[str, list[str]] = {}
    for row in shapes.rows:
        sizes = shape_text(row.shape, r" \times ", style)
        listed = ", ".join(f"${written(value, within(row.layers, style))}$" for value in row.values)
        several = f" for ${written(row.layers, style)}$" if row.layers else ""
        kinds.setdefault(row.kind, []).append(f"{listed}{several} (${sizes}$)")
    return [f"{kind.capitalize()}: {'; '.join(groups)}." for kind, groups in kinds.items()]


def aligned_rows(lines: Iterable[Line], style: Style) -> list[str]:
    """Write equations for ``align`` or ``aligned``, without what ends the rows."""
    out = []
    for line in lines:
        left = "" if line.left is None else written(line.left, style)
        sign = SIGN[line.sign]
        first, *more = broken(line.right, style)
        at = when(line, style)
        out.append(f"{left} &{sign} {first}" + (f" && {at}" if at else ""))
        out += [rf"&\qquad {row}" for row in more]
    return [row.strip() for row in out]


def broken(formula: Formula, style: Style) -> list[str]:
    """Break a sum before a term where the line would be longer than ``LONGEST`` characters in a terminal."""
    terms = pieces(formula, style)
    if len(terms) == 1:
        return terms
    seen = [width(piece) for piece in pieces(formula, replace(style, medium="unicode"))]
    rows, used = [""], 0
    for term, columns in zip(terms, seen, strict=True):
        if rows[-1] and used + 1 + columns > LONGEST:
            rows.append("")
            used = 0
        rows[-1] = f"{rows[-1]} {term}".strip()
        used += columns + 1
    return rows


def joined(rows: list[str]) -> list[str]:
    """End every row but the last."""
    return [f"  {row} \\\\" for row in rows[:-1]] + [f"  {rows[-1]}"]
