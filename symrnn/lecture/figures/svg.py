"""What a figure is drawn of: lines, boxes, formulas as outlines, words as text; and the document around them."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from math import atan2, degrees

from symrnn.lecture.figures.fonts import UNITS
from symrnn.lecture.figures.letters import lettering

INK, PAPER, FORWARD, BACKWARD, MUTED = "#1c1c1c", "#ffffff", "#1f4e8c", "#b5420b", "#667085"
WORDS = "'Noto Sans KR','NanumGothic','Nanum Gothic','Malgun Gothic','Apple SD Gothic Neo','Noto Sans CJK KR','DejaVu Sans',sans-serif"
Point = tuple[float, float]


def number(value: float) -> str:
    """Write a coordinate."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def document(width: float, height: float, title: str, description: str, rows: Iterable[str]) -> str:
    """Put rows into an SVG document that stands alone, on a light panel that dark pages show as well.

    Args:
        width: In points.
        height: In points.
        title: What the picture is.
        description: What it shows, for readers who do not see it.
        rows: Elements.
    """
    size = f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" height="{number(height)}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{html.escape(title)}</title>",
        f"<desc>{html.escape(description)}</desc>",
        f'<rect width="{number(width)}" height="{number(height)}" rx="8" fill="{PAPER}"/>',
        *rows,
        "</svg>",
    ]) + "\n"


def formula(text: str, at: Point, *, size: float = 15.0, colour: str = INK, anchor: str = "middle", halo: bool = False) -> str:
    """Set a formula with its middle, start or end at a place; what has a halo is read on top of lines.

    Args:
        text: LaTeX.
        at: The middle of its height for ``middle``, the line on which it stands for ``start`` and ``end``.
        size: Points in one em.
        colour: Of the letters.
        anchor: ``middle``, ``start`` or ``end``.
        halo: Whether a light border surrounds it.
    """
    set_text = lettering(text, size)
    x = at[0] - {"middle": set_text.width / 2, "start": 0.0, "end": set_text.width}[anchor]
    y = at[1] + (size * 0.26 if anchor == "middle" else 0.0)
    if anchor == "middle" and set_text.above + set_text.below > size * 1.2:
        y = at[1] + (set_text.above - set_text.below) / 2
    scale = number(size / UNITS * 10000)
    border = f' stroke="{PAPER}" stroke-width="300" stroke-linejoin="round" paint-order="stroke"' if halo else ""
    place = f"translate({number(x)} {number(y)}) scale({float(scale) / 10000:.4g} {-float(scale) / 10000:.4g})"
    return f'<g transform="{place}" fill="{colour}"{border}>{"".join(set_text.drawn())}</g>'


def words(text: str, at: Point, *, size: float = 12.0, colour: str = INK, anchor: str = "start") -> str:
    """Set words of a language."""
    return (f'<text x="{number(at[0])}" y="{number(at[1])}" font-family="{WORDS}" font-size="{number(size)}" fill="{colour}" '
            f'text-anchor="{anchor}">{html.escape(text)}</text>')


def words_width(text: str, size: float = 12.0) -> float:
    """Return about how wide words are."""
    return sum(size * (1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.58) for letter in text)


def line(points: Sequence[Point], *, colour: str = INK, width: float = 1.4, dashed: bool = False, round_by: float = 5.0) -> str:
    """Draw a way with round corners."""
    dashes = ' stroke-dasharray="5 3.5"' if dashed else ""
    return (f'<path d="{way(points, round_by)}" fill="none" stroke="{colour}" stroke-width="{number(width)}" stroke-linejoin="round"'
            f' stroke-linecap="round"{dashes}/>')


def way(points: Sequence[Point], round_by: float) -> str:
    """Write a way as path data; each corner is rounded as far as its arms are long."""
    out = [f"M{number(points[0][0])},{number(points[0][1])}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        arms = [abs(a[0] - here[0]) + abs(a[1] - here[1]) for a in (before, after)]
        by = min(round_by, *(arm / 2 for arm in arms))
        start, end = (towards(here, other, by, arm) for other, arm in zip((before, after), arms, strict=True))
        out.append(f"L{number(start[0])},{number(start[1])} Q{number(here[0])},{number(here[1])} {number(end[0])},{number(end[1])}")
    out.append(f"L{number(points[-1][0])},{number(points[-1][1])}")
    return " ".join(out)


def towards(a: Point, b: Point, by: float, away: float) -> Point:
    """Move a point towards another."""
    return a if not away else (a[0] + (b[0] - a[0]) * by / away, a[1] + (b[1] - a[1]) * by / away)


def head(tip: Point, before: Point, *, colour: str = INK, size: float = 7.0) -> str:
    """Draw the head of an arrow that points from one place to a tip."""
    turn = degrees(atan2(tip[1] - before[1], tip[0] - before[0]))
    long, half = number(-size), number(size * 0.42)
    place = f"translate({number(tip[0])} {number(tip[1])}) rotate({number(turn)})"
    return f'<path d="M0,0 L{long},{half} L{number(-size * 0.75)},0 L{long},-{half} z" transform="{place}" fill="{colour}"/>'


def dot(at: Point, *, colour: str = INK, radius: float = 2.3) -> str:
    """Draw the dot where a line branches."""
    return f'<circle cx="{number(at[0])}" cy="{number(at[1])}" r="{number(radius)}" fill="{colour}"/>'


def box(x: float, y: float, width: float, height: float, *, fill: str, stroke: str = INK, rounded: float = 4.0, thin: float = 1.2) -> str:
    """Draw a rectangle."""
    return (f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" rx="{number(rounded)}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{number(thin)}"/>')


def circle(at: Point, radius: float, *, fill: str, stroke: str = INK) -> str:
    """Draw a circle."""
    return f'<circle cx="{number(at[0])}" cy="{number(at[1])}" r="{number(radius)}" fill="{fill}" stroke="{stroke}" stroke-width="1.2"/>'
