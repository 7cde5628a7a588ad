"""Single formulas of a derivation: as text, for a paper, a web page, a Word document, Typst, or as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from symrnn.derivation import Derivation
from symrnn.errors import SpecError, unknown
from symrnn.exports.programs import mathml, picture, typst
from symrnn.exports.selection import chosen_lines
from symrnn.notation import Notation
from symrnn.printing.latex import aligned_rows, joined
from symrnn.printing.pieces import Line
from symrnn.printing.unicode_text import equation_rows
from symrnn.style import Style

FORMATS = ("latex", "unicode", "mathml", "typst", "svg", "png")
ENDINGS = {
    ".tex": "latex", ".txt": "unicode", ".mml": "mathml", ".html": "mathml", ".typ": "typst", ".svg": "svg", ".png": "png",
}
"""Ending of a file's name to the format that it asks for."""


def export(
    derivation: Derivation, what: str | Iterable[str] = "all", format: str = "latex", *,
    notation: str | Notation = "indexed", ascii: bool = False,
) -> str | bytes:
    """Write single formulas of a derivation.

    Args:
        derivation: What ``derive`` returned.
        what: Names, as a list or with commas between them: ``dW_f`` (or ``d_W_f``, ``W_f``, ``x``, ``h_0``) for a
            gradient, ``delta_c`` (or ``d_c``, ``dc``) for an adjoint, ``c`` for a forward equation; ``forward``,
            ``backward``, ``gradients`` or ``all``. Names are those of the profile ``indexed``.
        format: ``latex`` and ``unicode`` need nothing else; ``mathml``, ``typst``, ``svg`` and ``png`` need
            ``pip install 'symrnn[export]'``, and no TeX.
        notation: A notation profile.
        ascii: For ``unicode``, ASCII characters only.

    Returns:
        Text; bytes for ``svg`` and ``png``. LaTeX is for a display, such as an ``equation*``, and needs ``amsmath`` only:
        one formula as it is, several as one ``aligned`` block.

    Raises:
        SpecError: Unknown format, notation or name.
        NotSupportedError: What the format needs is not installed, or cannot read the letters of the notation.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    names = [name.strip() for part in ([what] if isinstance(what, str) else what) for name in part.split(",") if name.strip()]
    if not names:
        raise SpecError("nothing to export; name at least one formula, such as dW_f, delta_c or all")
    plain = "ascii" if ascii else "unicode"
    style = Style.of(derivation.network, notation, plain if format == "unicode" else "latex")
    lines = chosen_lines(derivation, names)
    if format == "unicode":
        return "\n".join(row.rstrip() for row in equation_rows(lines, style, "")) + "\n"
    formula = latex_of(lines, style)
    if format == "latex":
        return formula + "\n"
    if format in {"svg", "png"}:
        return picture(formula, format)
    return mathml(formula) if format == "mathml" else typst(formula)


def format_of(format: str | None, path: str | None) -> str:
    """Return the format that is asked for: by name, by the ending of a file's name, or LaTeX.

    Raises:
        SpecError: Unknown format.
    """
    if format is not None and format not in FORMATS:
        raise unknown("format", format, FORMATS)
    return format or ENDINGS.get(Path(path or "").suffix, "latex")


def latex_of(lines: Iterable[Line], style: Style) -> str:
    """Write lines for display mathematics: one as it is, several as one aligned block."""
    rows = aligned_rows(lines, style)
    if len(rows) == 1:
        return rows[0].replace(" &=", " =", 1).replace(" && ", r" \qquad ")
    spaced = [row.replace(" && ", r" && \qquad ") for row in rows]
    return "\n".join([r"\begin{aligned}", *joined(spaced), r"\end{aligned}"])


__all__ = ["ENDINGS", "FORMATS", "export", "format_of", "latex_of"]
