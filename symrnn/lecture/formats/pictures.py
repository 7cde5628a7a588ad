"""Pictures of a document: how large they are, and as PNG or PDF for formats that do not take SVG."""

from __future__ import annotations

import json
import re

from symrnn.errors import SpecError
from symrnn.lecture.document import Document
from symrnn.lecture.formats.programs import korean_fonts, typst
from symrnn.lecture.formats.source import figures

ROOT = re.compile(r"<svg\b[^>]*>", re.DOTALL)
UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
DENSITY = 220.0
"""Pixels an inch of a PNG."""


def size_of(svg: str) -> tuple[float, float]:
    """Return the width and the height of a picture in pixels.

    Raises:
        SpecError: It is no SVG, or has no size.
    """
    root = ROOT.search(svg)
    if root is None:
        raise SpecError("a figure of the lecture is no SVG: it has no element <svg>")
    sizes = [re.search(rf'\b{side}="([\d.]+)(px|pt|in|cm|mm)?"', root[0]) for side in ("width", "height")]
    if all(sizes):
        return tuple(float(size[1]) * UNITS[size[2] or ""] for size in sizes if size)  # type: ignore[return-value]
    box = re.search(r'viewBox="\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*"', root[0])
    if box is None:
        raise SpecError("a figure of the lecture is an SVG without width, height or viewBox")
    return float(box[1]), float(box[2])


def picture(svg: str, format: str, *, purpose: str) -> bytes:
    """Return a picture as ``png`` or ``pdf``, by Typst."""
    width, height = (0.75 * side for side in size_of(svg))
    page = f"#set page(width: {width:.2f}pt, height: {height:.2f}pt, margin: 0pt, fill: none)\n"
    source = f'{page}#image(bytes({json.dumps(svg, ensure_ascii=False)}), format: "svg", width: {width:.2f}pt, height: {height:.2f}pt)\n'
    return typst(source, format, purpose=purpose, fonts=(korean_fonts(),) if HANGUL.search(svg) else (), ppi=DENSITY)


def korean(document: Document) -> bool:
    """Whether a document has Korean letters."""
    return HANGUL.search(repr(document)) is not None


def figure_files(document: Document, format: str, purpose: str = "") -> dict[str, bytes]:
    """Return the pictures of a document by the names of their files, as ``svg``, ``png`` or ``pdf``."""
    shown = figures(document)
    made = (figure.svg.encode() if format == "svg" else picture(figure.svg, format, purpose=purpose) for figure in shown)
    return {f"figure-{place}.{format}": content for place, content in enumerate(made, 1)}
