"""A derivation as Markdown with ``$$`` blocks."""

from __future__ import annotations

from collections.abc import Iterable

from symrnn.printing.latex import aligned_rows, joined
from symrnn.printing.outline import Code, Equations, Outline, Piece, Shapes
from symrnn.printing.words import written
from symrnn.style import Style, shape_text


def write_markdown(outline: Outline, style: Style) -> str:
    """Write an outline as Markdown; formulas are LaTeX between dollars."""
    rows = [f"# {outline.title}"]
    for section in outline.sections:
        rows += ["", "#" * (section.level + 1) + " " + sentence(section.heading, style)]
        for part in section.body:
            if isinstance(part, Equations):
                body = joined(aligned_rows(part.lines, style))
                rows += ["", "$$", r"\begin{aligned}", *body, r"\end{aligned}", "$$"]
            elif isinstance(part, Shapes):
                rows += ["", *shape_rows(part, style)]
            else:
                rows += ["", sentence(part.pieces, style)]
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
    for kind, values, shape in shapes.rows:
        sizes = shape_text(shape, r" \times ", style)
        rows.append(f"| {kind} | ${', '.join(written(v, style) for v in values)}$ | ${sizes}$ |")
    return rows
