"""A derivation for a terminal, aligned at the equals signs, in Unicode or in ASCII."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from symrnn.expr import Stacked
from symrnn.printing.pieces import Code, Equations, Formula, Line, Outline, Piece, Section, Shapes, Words
from symrnn.printing.words import heading, padded, pieces, plain, when, width, within, written
from symrnn.style import Style, shape_text

COLUMNS = 100
INDENT = "  "


def write_text(outline: Outline, style: Style) -> str:
    """Write an outline as text of at most 100 columns, as far as single terms are not longer."""
    title = plain(outline.title, style)
    rows = [title, "=" * width(title)]
    for section in outline.sections:
        rows += ["", *section_rows(section, style)]
    return "\n".join(row.rstrip() for row in rows) + "\n"


def section_rows(section: Section, style: Style) -> list[str]:
    """Heading and body of one section."""
    style = within(section.layers, style)
    title = sentence(heading(section), style)
    rows = [title, "-" * width(title)] if section.level == 1 else [title]
    for part in section.body:
        if isinstance(part, Equations):
            rows += equation_rows(part.lines, style, INDENT * section.level)
            rows += [""] * (section.level > 1)
        elif isinstance(part, Shapes):
            rows += shape_rows(part, style)
        else:
            rows += wrapped(part, style)
    return rows[:-1] if rows[-1] == "" else rows


def sentence(parts: Iterable[Piece], style: Style) -> str:
    """Write words and formulas in a row."""
    return "".join(plain(raw, style) if (raw := raw_text(part)) is not None else written(part, style) for part in parts)


def raw_text(part: Piece) -> str | None:
    """Return the text of a piece that is no formula."""
    if isinstance(part, Code):
        return part.content
    return part if isinstance(part, str) else None


def wrapped(words: Words, style: Style) -> list[str]:
    """Break a sentence at blanks."""
    return textwrap.wrap(sentence(words.pieces, style), COLUMNS, initial_indent=INDENT, subsequent_indent=INDENT * 2)


def shape_rows(shapes: Shapes, style: Style) -> list[str]:
    """One row for each kind and shape."""
    cross = style.pick("", "×", "x")
    rows = [(row.kind, shape_text(row.shape, cross, style), row) for row in shapes.rows]
    first = max(width(kind) for kind, _, _ in rows) + len(INDENT)
    second = max(width(shape) for _, shape, _ in rows) + len(INDENT)
    out, last = [], ""
    for kind, shape, row in rows:
        listed = ", ".join(written(value, within(row.layers, style)) for value in row.values)
        listed += f" for {written(row.layers, style)}" if row.layers else ""
        names = textwrap.wrap(listed, COLUMNS - len(INDENT) - first - second)
        shown = kind if kind != last else ""
        out.append(INDENT + padded(shown, first) + padded(shape, second) + names[0])
        out += [INDENT + " " * (first + second) + more for more in names[1:]]
        last = kind
    return out


def equation_rows(lines: Iterable[Line], style: Style, indent: str = INDENT) -> list[str]:
    """Equations aligned at their signs, with the ranges of times in a column at the right."""
    listed = list(lines)
    lefts = ["" if line.left is None else written(line.left, style) for line in listed]
    ranges = [when(line, style) for line in listed]
    left = max(map(width, lefts))
    sign = max(len(line.sign) for line in listed)
    room = COLUMNS - len(indent) - left - sign - 2 - (max(map(width, ranges)) + len(INDENT) if any(ranges) else 0)
    rights = [filled(breakable(line.right, style), room) for line in listed]
    right = max((width(row) for rows, when_ in zip(rights, ranges, strict=True) if when_ for row in rows), default=0)
    out = []
    for line, name, rows, at in zip(listed, lefts, rights, ranges, strict=True):
        first = f"{indent}{padded(name, left)} {line.sign:>{sign}} "
        out.append(first + (padded(rows[0], min(right, room)) + INDENT + at if at else rows[0]))
        out += [" " * width(first) + more for more in rows[1:]]
    return out


def breakable(formula: Formula, style: Style) -> list[str]:
    """Write a formula in pieces between which a row may be broken: a sum at its terms, a stack at its parts."""
    if not isinstance(formula, Stacked):
        return pieces(formula, style)
    *upper, last = (written(part, style) for part in formula.args)
    mark = "," if style.notation.rows else ";"
    return [("[" if k == 0 else "") + part + mark for k, part in enumerate(upper)] + [last + "]"]


def filled(terms: list[str], room: int) -> list[str]:
    """Break a row before a piece where it would be longer than ``room``."""
    rows = [terms[0]]
    for term in terms[1:]:
        if width(rows[-1]) + 1 + width(term) <= room:
            rows[-1] += " " + term
        else:
            rows.append(INDENT + term)
    return rows
