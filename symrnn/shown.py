"""How objects that hold equations show themselves in a notebook: as aligned LaTeX, and as an HTML table.

The table needs no MathJax: it is made of the text of a terminal, with real subscripts. Formulas alone show as LaTeX only,
since a notebook that has both prefers HTML, and a single formula is better set by its mathematics.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

import sympy

from symrnn import writer
from symrnn.style import Style, span_text

MARKS = (
    (re.compile(r"_\{([^{}]*)\}|_((?:(?![ᵀ⁻¹])\w)+)"), "sub"),
    (re.compile(r"\^\{([^{}]*)\}|\^(\([^()]*\)|(?:(?![ᵀ⁻¹])\w)+)"), "sup"),
)


def marked_up(text: str) -> str:
    """Turn ``h_{t-1}`` and ``h^(t)`` into HTML."""
    text = html.escape(text)
    for pattern, tag in MARKS:
        text = pattern.sub(rf"<{tag}>\1\2</{tag}>", text)
    return text


def table(title: str, equations: Iterable[Any], style: Style | None = None) -> str:
    """Write equations as an HTML table, with the times at which each holds."""
    time, rows = sympy.Symbol("t", integer=True), []
    for equation in equations:
        single = equation.span is not None and equation.span.single
        sides = (e.xreplace({time: equation.span.lo}) if single else e for e in (equation.lhs, equation.rhs))
        left, right = (marked_up(writer.text(side, style)) for side in sides)
        when = "" if single or equation.span is None else marked_up(span_text(equation.span, Style(medium="unicode")))
        rows.append(
            f'<tr><td style="text-align:right">{left}</td><td style="text-align:left">= {right}</td>'
            f'<td style="text-align:left">{when}</td></tr>'
        )
    caption = f"<caption>{html.escape(title)}</caption>" if title else ""
    return f"<table>{caption}{''.join(rows)}</table>"


class Shown:
    """Base of what holds equations; it says which, and under what title."""

    def shown(self) -> tuple[str, Iterable[Any]]:
        """Return a title and the equations."""
        raise TypeError(f"{type(self).__name__} does not say what it shows")

    def _repr_latex_(self) -> str:
        return writer.display(self.shown()[1])

    def _repr_html_(self) -> str:
        return table(*self.shown())
