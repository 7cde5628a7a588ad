"""Formulas of a derivation as blocks of a lecture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symrnn.lecture.document import Formula
from symrnn.printing.latex import aligned_rows
from symrnn.printing.pieces import Line
from symrnn.printing.words import when
from symrnn.style import Style


def formula_of(line: Line, style: Style, anchor: str = "", note: str = "") -> Formula:
    """Set one equation; the times for which it holds stand behind it."""
    times = when(line, style)
    notes = [part for part in (f"${times}$" if times else "", note) if part]
    return Formula(stacked_rows(aligned_rows([replace(line, span=None)], style)), anchor, " · ".join(notes))


def formulas_of(lines: Iterable[Line], style: Style, anchor: str = "", note: str = "") -> Formula:
    """Set several equations below each other as one block, with their times."""
    listed = list(lines)
    return formula_of(listed[0], style, anchor, note) if len(listed) == 1 else Formula(stacked_rows(aligned_rows(listed, style)), anchor, note)


def stacked_rows(rows: list[str]) -> str:
    r"""Put rows with ``&`` below each other; a single row needs no ``aligned``."""
    if len(rows) == 1 and "&&" not in rows[0]:
        return " ".join(rows[0].replace("&", "", 1).split())
    body = " \\\\\n".join(row.replace("&& ", r"&& \quad ") for row in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


__all__ = ["formula_of", "formulas_of", "stacked_rows"]
