"""A derivation as Markdown with ``$$`` blocks."""

from __future__ import annotations

from collections.abc import Iterable

from symrnn.printing.latex import aligned_rows, joined
from symrnn.printing.pieces import Code, Equations, Outline, Piece, Shapes
from symrnn.printing.words import heading, within, written
from symrnn.style import Style, shape_text


def write_markdown(outline: Outline, style: Style) -> str:
    """Write an outline as Markdown; formulas are LaTeX between dollars."""
    rows = [f"# {outline.title}"]
    for section in outline.sections:
        own = within(section.layers, style)
        rows += ["", "#" * (section.level + 1) + " " + sentence(heading(section), own)]
        for part in section.body:
            if isinstance(part, Equations):
                body = joined(aligned_rows(part.lines, own))
                rows += ["", "$$", r"\begin{aligned}", *body, r"\end{aligned}", "$$"]
            elif isinstance(part, Shapes):
                rows += ["", *shape_rows(part, style)]
            else:
                rows += ["", sentence(part.pieces, own)]
    return "\n".join(rows) + "\n"


def sentence(parts: Iterable[Piece], style: Style) -> str:
    """Write words and formulas in a row."""
    return "".join(words_text(part, style) for part in parts)


def words_text(part: Piece, style: Style) -> str:
    """Write one piece of a sentence."""
    if isinstance(part, Code):
        return f"`{part.content}`"
    return part if isinstance(part, str) else f"${written(part, style)}$"


def shape_rows(shapes: Shapes, style: Style) -> list[str]:
    """A table with one row for each kind and shape."""
    rows = ["| kind | quantities | shape |", "|---|---|---|"]
    for row in shapes.rows:
        sizes = shape_text(row.shape, r" \times ", style)
        listed = ", ".join(written(value, within(row.layers, style)) for value in row.values)
        several = f" for ${written(row.layers, style)}$" if row.layers else ""
        rows.append(f"| {row.kind} | ${listed}${several} | ${sizes}$ |")
    return rows
