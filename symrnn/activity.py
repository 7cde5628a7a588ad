"""A text coloured by the activity of one unit, as a page of its own.

After A. Karpathy, J. Johnson and L. Fei-Fei, Visualizing and understanding recurrent networks, 2015: what a unit of a character
model stands for shows in where its activity is high and where it is low.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple

from symrnn.errors import DataError, SpecError

LEVELS = 20
"""Number of shades from 0 to 1, and from 0 to -1."""
HIDDEN = dict.fromkeys([*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000)], "\ufffd")
"""Control characters and halves of characters, which HTML and UTF-8 cannot hold, with what stands for them."""


class Scheme(NamedTuple):
    """The colours of a page, as ``(red, green, blue)``: blue and orange, which all common kinds of sight tell apart."""

    page: tuple[int, int, int]
    text: tuple[int, int, int]
    negative: tuple[int, int, int]
    positive: tuple[int, int, int]


LIGHT = Scheme((255, 255, 255), (17, 17, 17), (74, 144, 217), (240, 140, 40))
DARK = Scheme((18, 18, 18), (245, 245, 245), (24, 92, 168), (158, 80, 0))
STYLE = """
body { margin: 2rem auto; padding: 0 1rem; max-width: 76rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; font: 1.05rem/1.7 ui-monospace, monospace; margin: 1.5rem 0; }
.text span, .legend i { padding: .15em 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.text span:hover { outline: 2px solid currentColor; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem; font-variant-numeric: tabular-nums; }
.legend i { display: inline-block; width: .7rem; height: 1.2rem; padding: 0; }
.cue { display: none; }
@media print, (forced-colors: active) {
.cue { display: inline; } .up { text-decoration: underline; } .down { text-decoration: underline dotted; }
}
@media print { body { margin: 0; max-width: none; } }
""".strip()


def activity_html(text: str, values: Iterable[Any], *, title: str = "Activity of a unit", unit: str = "the unit") -> str:
    """Colour each character of a text by a number, and return an HTML page that needs nothing else.

    The page follows the reader's choice of light or dark, and prints in light; the value of a character shows when the pointer
    is on it. Write it with ``Path(...).write_text(page, encoding="utf-8")``.

    Args:
        text: Any text; letters are escaped, line ends are shown and kept.
        values: A number from -1 to 1 for each character, such as an entry of ``h_t`` after it was read.
        title: Heading of the page.
        unit: What the numbers belong to, such as ``unit 17 of h``.

    Returns:
        The page.

    Raises:
        SpecError: The text, the title or the unit is no text.
        DataError: Another number of values than of characters, or a value that is no number from -1 to 1.
    """
    for name, value in (("text", text), ("title", title), ("unit", unit)):
        if not isinstance(value, str):
            raise SpecError(f"activity_html: {name} must be a text; got {type(value).__name__}")
    numbers = [number(value, place) for place, value in enumerate(values, start=1)]
    if len(numbers) != len(text):
        raise DataError(f"activity_html: expected one value for each of the {len(text)} characters; got {len(numbers)}")
    return document(plain(title), plain(unit), "".join(map(span, text, numbers)))


def document(heading: str, owner: str, spans: str) -> str:
    """Put the page together."""
    swatches = "".join(f'<i class="{shade(level)}"></i>' for level in range(-LEVELS, LEVELS + 1, 2))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{heading}</title>
<style>
{STYLE}
{colours(LIGHT)}
@media screen and (prefers-color-scheme: dark) {{
{colours(DARK)}
}}
</style>
</head>
<body>
<h1>{heading}</h1>
<p class="legend"><span>−1</span><span aria-hidden="true">{swatches}</span><span>+1</span>
<span>Behind each character: the activity of {owner} after the character was read, blue below 0, orange above.
<span class="cue">Underlined above 0.5, dotted below −0.5.</span></span></p>
<div class="text" lang="">{spans}</div>
</body>
</html>
"""


def number(value: Any, place: int) -> float:
    """Return a value as a number.

    Raises:
        DataError: It is none, or lies outside of -1 … 1.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise DataError(f"activity_html: value {place} is no number; got {type(value).__name__}") from None
    if not math.isfinite(found) or abs(found) > 1:
        raise DataError(f"activity_html: value {place} must lie from -1 to 1; got {found:g}; scale the values first, as with tanh")
    return found


def shade(level: int) -> str:
    """Return the class of a shade."""
    return f"n{-level}" if level < 0 else f"p{level}"


def span(character: str, value: float) -> str:
    """Return one character with its colour and its value."""
    level = round(value * LEVELS)
    strong = " up" if 2 * level > LEVELS else " down" if 2 * level < -LEVELS else ""
    end = "\n" if character == "\n" else ""
    shown = "↵" if end else "→\t" if character == "\t" else plain(character)
    return f'<span class="{shade(level)}{strong}" title="{value:+.2f}">{shown}</span>{end}'


def plain(text: str) -> str:
    """Escape a text; what HTML or UTF-8 cannot hold is replaced by a character that stands for it."""
    return escape(text.translate(HIDDEN))


def colours(scheme: Scheme) -> str:
    """Write the rules of a scheme: between 0 and an end, page and end are mixed."""
    lines = [f"body {{ background: {code(scheme.page)}; color: {code(scheme.text)}; }}"]
    for level in range(-LEVELS, LEVELS + 1):
        end, part = scheme.negative if level < 0 else scheme.positive, abs(level) / LEVELS
        mixed = [round(page + part * (own - page)) for page, own in zip(scheme.page, end, strict=True)]
        lines.append(f".{shade(level)} {{ background: {code(mixed)}; }}")
    return "\n".join(lines)


def code(colour: Iterable[int]) -> str:
    """Return a colour as ``#rrggbb``."""
    return "#" + "".join(f"{part:02x}" for part in colour)
