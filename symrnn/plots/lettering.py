"""Fonts that have the letters of a text, so that no letter comes out as a box.

What DejaVu Sans has is set in it: Latin, Greek, Cyrillic, the signs of formulas. For other letters, such as Korean ones, the
fonts of the machine are searched, those that are made for screens and slides first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from symrnn.errors import NotSupportedError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN = "DejaVu Sans"
FIRST = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "NanumBarunGothic", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic",
         "Noto Sans CJK JP", "Noto Sans CJK SC")
"""Fonts that are preferred where they have the letters; then all others by name, regular before bold."""
BOXES = "Last Resort"
"""How the fonts are called that have a box for every letter there is; matplotlib comes with one since 3.11."""


def with_fonts(figure: Figure, manager: Any) -> None:
    """Set each text of a figure in fonts that have its letters.

    Args:
        figure: Complete.
        manager: ``matplotlib.font_manager``.

    Raises:
        NotSupportedError: No font of the machine has them, or they stand in one text with a formula.
    """
    for text in figure.findobj(lambda artist: hasattr(artist, "set_fontfamily") and hasattr(artist, "get_text")):
        words = text.get_text()  # type: ignore[attr-defined]
        if strange := missing(words, own_letters(manager)):
            if words.replace(r"\$", "").count("$") > 1:
                raise NotSupportedError(f"'{strange[0]}' cannot stand in one text with a formula; write the formula without $")
            text.set_fontfamily([OWN, *families(strange, manager)])  # type: ignore[attr-defined]


def missing(text: str, letters: Iterable[int]) -> str:
    """Return the letters of a text that are not among those of a font, each once, in order."""
    return "".join(dict.fromkeys(letter for letter in text if not letter.isspace() and ord(letter) not in letters))


@cache
def own_letters(manager: Any) -> frozenset[int]:
    """Return the letters of DejaVu Sans, which comes with matplotlib."""
    return frozenset(manager.get_font(manager.findfont(OWN)).get_charmap())


@cache
def families(letters: str, manager: Any) -> tuple[str, ...]:
    """Return families that together have the letters.

    Raises:
        NotSupportedError: There are none.
    """
    found: list[str] = []
    for entry in candidates(manager):
        charmap = manager.get_font(entry.fname).get_charmap()
        rest = missing(letters, charmap)
        if rest != letters and found_as(entry.name, manager) == entry.fname:
            found.append(entry.name)
            letters = rest
        if not letters:
            return tuple(found)
    raise NotSupportedError(
        f"no font of this machine has the letters '{letters[:8]}', which would come out as boxes; install one, such as Noto Sans CJK "
        "or NanumGothic (Debian: fonts-noto-cjk, fonts-nanum), or write the text in other letters"
    )


def found_as(name: str, manager: Any) -> str:
    """Return the file of a family; the name is no pattern, in which a ``-`` or a ``:`` would have a meaning."""
    return str(manager.findfont(manager.FontProperties(family=[name])))


def candidates(manager: Any) -> list[Any]:
    """Return the upright fonts of the machine, the preferred families first."""
    order = {name: place for place, name in enumerate(FIRST)}
    fonts = [entry for entry in manager.fontManager.ttflist if entry.style == "normal" and not entry.name.startswith(BOXES)]
    return sorted(fonts, key=lambda entry: (order.get(entry.name, len(FIRST)), entry.name, abs(weight(entry.weight) - 400), entry.fname))


def weight(named: Any) -> int:
    """Return the weight of a font as a number."""
    return named if isinstance(named, int) else {"regular": 400, "normal": 400, "book": 400, "medium": 500, "bold": 700}.get(named, 600)
