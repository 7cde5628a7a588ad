"""The writer of formulas, for LaTeX and for a terminal, in any notation.

The rules of the nodes are in :mod:`symrnn.node_text`, names and numbers in :mod:`symrnn.style`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symrnn.node_text import bracket, write, write_term
from symrnn.notation import spell
from symrnn.quantity_text import PREFIX, gradient_of
from symrnn.style import Style, span_text, symbol_text

__all__ = ["PlainText", "Style", "bracketed", "display", "formula", "gradient", "latex", "terms", "text"]


@dataclass(frozen=True)
class PlainText:
    """A finished text, for SymPy's pretty printer."""

    content: str

    def _pretty(self, printer: Any) -> Any:
        return printer._print_basestring(self.content)


def latex(node: Any, style: Style | None = None) -> str:
    """Write a formula as LaTeX (math mode; ``amsmath`` suffices)."""
    return formula(node, replace(style or Style(), medium="latex"))


def text(node: Any, style: Style | None = None) -> str:
    """Write a formula as Unicode text for a terminal, or as ASCII where the style says so."""
    given = style or Style()
    return formula(node, replace(given, medium="unicode") if given.latex else given)


def formula(node: Any, style: Style) -> str:
    """Write a formula in the medium of the style."""
    return write(node, _reserving(node, style))[0]


def bracketed(node: Any, style: Style) -> str:
    """Write a formula that another factor follows."""
    return bracket(node, _reserving(node, style), PREFIX)


def terms(node: Any, style: Style) -> list[str]:
    """Write a formula in pieces between which a line may be broken: the terms of a sum, each with its sign."""
    style = _reserving(node, style)
    if type(node).__name__ != "Plus":
        return [write(node, style)[0]]
    signed = [write_term(term, style) for term in node.args]
    front = ["-" if signed[0][1] else ""] + ["- " if negative else "+ " for _, negative in signed[1:]]
    texts = [sign + body for sign, (body, _) in zip(front, signed, strict=True)]
    return [piece for term, text in zip(node.args, texts, strict=True) for piece in _opened(term, text, style)]


def _opened(term: Any, text: str, style: Style) -> list[str]:
    """Cut a weighted sum, ``[K ∤ t] (a + b)``, at the terms of the sum in its brackets."""
    core = term.args[1] if type(term).__name__ == "Scaled" else term
    group = core.args[0] if type(core).__name__ == "Product" else None
    inner = terms(group, style) if type(group).__name__ == "Plus" else []
    brackets = {("(", ")"): ("(", ")"), (r"\left(", r"\right)"): (r"\biggl(", r"\biggr)")}  # \left cannot be broken
    for (opened, closed), (left, right) in brackets.items():
        whole = f"{opened}{' '.join(inner)}{closed}"
        if len(inner) > 1 and text.endswith(whole):
            return [text.removesuffix(whole) + left + inner[0], *inner[1:-1], inner[-1] + right]
    return [text]


def gradient(loss: str, quantity: Any, style: Style) -> str:
    """Write ``∂L/∂q`` for a quantity without adjoint marks."""
    return gradient_of(loss, formula(quantity, style), style)[0]


def display(equations: Iterable[Any], style: Style | None = None) -> str:
    """Write equations below each other as LaTeX for a notebook, with the times at which each holds."""
    rows = []
    for equation in equations:
        time = sympy.Symbol("t", integer=True)
        single = equation.span is not None and equation.span.single
        left, right = (latex(e.xreplace({time: equation.span.lo}) if single else e, style) for e in (equation.lhs, equation.rhs))
        when = "" if single or equation.span is None else rf" && {span_text(equation.span, Style())}"
        rows.append(f"{left} &= {right}{when}")
    return r"$\displaystyle \begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}$"


def _reserving(node: Any, style: Style) -> Style:
    """Keep bound indices away from the letters that the formula uses."""
    times = {symbol_text(s, style) for s in node.atoms(sympy.Symbol) if not s.name.startswith("_s")}
    bases = {style.letters.get(q.name, q.name).split("_")[0] for q in node.free_symbols if not q.is_Symbol}
    layer = {spell(style.alike.letter, style.medium).base} if style.alike else set()
    return replace(style, used=frozenset(times | bases | layer))
