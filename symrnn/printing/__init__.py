"""Derivations in print: for a terminal, a paper, a document, and as data that reads back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from symrnn.derivation import Derivation
from symrnn.equations import Cell
from symrnn.errors import unknown
from symrnn.leftout import for_reading
from symrnn.notation import Notation
from symrnn.printing.afterwards import with_afterwards
from symrnn.printing.conventions import cell_conventions, conventions
from symrnn.printing.fold import folded
from symrnn.printing.json_format import from_json, to_json
from symrnn.printing.latex import write_latex
from symrnn.printing.markdown import write_markdown
from symrnn.printing.outline import cell_outline, outline
from symrnn.printing.pieces import Outline
from symrnn.printing.steps import step_sections
from symrnn.printing.unicode_text import write_text
from symrnn.style import Style

FORMATS = ("unicode", "latex", "markdown", "json")

_WRITERS: Mapping[str, Callable[[Outline, Style], str]] = MappingProxyType(
    {"unicode": write_text, "latex": write_latex, "markdown": write_markdown}
)


def medium_of(format: str, ascii: bool) -> str:
    """Return the medium of a format's formulas."""
    if format == "unicode":
        return "ascii" if ascii else "unicode"
    return "latex"


def render(
    derivation: Derivation, format: str = "unicode", *, notation: str | Notation = "indexed", wrt: str | None = None,
    steps: bool = False, ascii: bool = False,
) -> str:
    """Print a derivation.

    Args:
        derivation: What ``derive`` returned.
        format: ``unicode`` for a terminal, ``latex``, ``markdown``, or ``json``, which ``from_json`` reads back.
        notation: A notation profile: its name, the path of a ``.toml`` file, or a ``Notation``.
        wrt: Only what leads to the gradient in this quantity.
        steps: With the steps: who reads each quantity, the chain rule, the rules with their sources. JSON always has
            them.
        ascii: For ``unicode``, ASCII characters only.

    Raises:
        SpecError: Unknown format, notation or quantity.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    style = Style.of(derivation.network, notation, medium_of(format, ascii))
    part = derivation if wrt is None else derivation.leading_to(wrt)
    if format == "json":
        return to_json(part, style)
    part = for_reading(part)
    sections = step_sections(part) if steps else ()
    arranged = outline(part, wrt=wrt, steps=sections, notes=conventions(part, style))
    return _WRITERS[format](with_afterwards(folded(arranged, style), part, style), style)


def render_cell(cell: Cell, format: str = "unicode", *, notation: str | Notation = "indexed", ascii: bool = False) -> str:
    """Print the equations of a cell with the shapes of its quantities.

    Args:
        cell: The cell.
        format: ``unicode``, ``latex`` or ``markdown``.
        notation: A notation profile: its name, the path of a ``.toml`` file, or a ``Notation``.
        ascii: For ``unicode``, ASCII characters only.

    Raises:
        SpecError: Unknown format or notation.
    """
    if format not in _WRITERS:
        raise unknown("format", format, _WRITERS)
    style = Style.of_cell(cell, notation, medium_of(format, ascii))
    return _WRITERS[format](cell_outline(cell, cell_conventions(cell, style)), style)


__all__ = ["FORMATS", "from_json", "render", "render_cell"]
