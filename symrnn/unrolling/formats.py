"""The formats of an unrolled derivation as the command line asks for them."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn.derivation import Derivation
from symrnn.errors import unknown
from symrnn.notation import Notation
from symrnn.unrolling.unrolled import FORMATS, unroll

DRAWINGS = ("svg", "tikz")
ENDINGS = MappingProxyType({".tex": "latex", ".md": "markdown", ".svg": "svg", ".tikz": "tikz"})
"""Format by the ending of a file's name."""
LONG = 1000
"""Lines above which a note says that there is a shorter form."""


def unrolled_format(format: str | None, path: str | None) -> str:
    """Return the format that is asked for: by name, by the ending of a file's name, or text.

    Raises:
        SpecError: Unknown format.
    """
    if format is not None and format not in {*FORMATS, *DRAWINGS}:
        raise unknown("format", format, [*FORMATS, *DRAWINGS])
    return format or ENDINGS.get(Path(path or "").suffix, "unicode")


def unrolled_as(derivation: Derivation, asked: Any, profile: Notation, *, ascii: bool = False) -> tuple[str, str]:
    """Unroll as a command asks, and print or draw it.

    Args:
        derivation: Of the network.
        asked: Has ``steps``, ``wrt``, ``back_to``, ``substitute``, ``format`` and ``output``.
        profile: A notation.
        ascii: For a terminal that knows no better.

    Returns:
        The text, and a note where it is long.

    Raises:
        SpecError: Unknown format, quantity or substitution.
        NotSupportedError: A network that is not drawn.
    """
    format = unrolled_format(asked.format, asked.output)
    unrolled = unroll(derivation, asked.steps, wrt=asked.wrt, back_to=asked.back_to, substitute=asked.substitute, notation=profile)
    if format in DRAWINGS:
        return (unrolled.svg() if format == "svg" else unrolled.tikz()), ""
    text = unrolled.render(format, ascii=ascii)
    lines = text.count("\n")
    return text, f"{asked.steps} steps are {lines:,} lines; symrnn derive says it for any length" if lines > LONG else ""
