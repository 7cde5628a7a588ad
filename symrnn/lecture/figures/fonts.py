"""Outlines of letters from the STIX Two Math font, which the package ``ziamath`` carries."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from symrnn.errors import NotSupportedError

INSTALL = "figures of a lecture need the mathematical font of ziamath, and fonttools; install them with: pip install 'symrnn[lecture]'"
UNITS = 1000.0
"""Units of the font in one em."""


@dataclass(frozen=True)
class Glyph:
    """One letter, in units of the font; the second number grows upwards.

    Attributes:
        path: Its outline, as SVG path data.
        advance: Where the next letter begins.
        left: Of the ink.
        right: Of the ink.
        top: Of the ink.
        bottom: Of the ink.
    """

    path: str
    advance: float
    left: float
    right: float
    top: float
    bottom: float


@cache
def font() -> tuple[Any, Any, Any, Any]:
    """Load the font: its glyphs to draw, their boxes, the map of characters, and the kind of pen.

    Raises:
        NotSupportedError: An optional package is not installed.
    """
    try:
        spec = find_spec("ziamath")
        files = importlib.import_module("fontTools.ttLib")
        pens = importlib.import_module("fontTools.pens.svgPathPen")
    except ImportError:
        raise NotSupportedError(INSTALL) from None
    if spec is None or spec.origin is None:
        raise NotSupportedError(INSTALL)
    found = sorted((Path(spec.origin).parent / "fonts").glob("STIXTwoMath*.[ot]tf"))
    if not found:
        raise NotSupportedError(INSTALL)
    loaded = files.TTFont(found[0], lazy=True)
    return loaded.getGlyphSet(), loaded, loaded.getBestCmap(), pens.SVGPathPen


@cache
def glyph(letter: str) -> Glyph:
    """Return the outline of a character; of a box where the font has none.

    Raises:
        NotSupportedError: An optional package is not installed.
    """
    glyphs, loaded, characters, pen_of = font()
    name = characters.get(ord(letter), ".notdef")
    pen = pen_of(glyphs, ntos=lambda value: f"{value:.0f}")
    glyphs[name].draw(pen)
    box = loaded["glyf"][name]
    edges = [float(getattr(box, edge, 0)) for edge in ("xMin", "xMax", "yMax", "yMin")]
    return Glyph(pen.getCommands(), float(glyphs[name].width), *edges)


def has(letter: str) -> bool:
    """Tell whether the font has a character.

    Raises:
        NotSupportedError: An optional package is not installed.
    """
    return ord(letter) in font()[2]
