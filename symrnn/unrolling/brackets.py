"""Brackets that a reader can pair: they change between ``( )`` and ``[ ]`` with each level, and grow in LaTeX."""

from __future__ import annotations

from collections.abc import Callable

SIZES = ("", "", r"\big", r"\Big", r"\bigg", r"\Bigg")
"""By the number of levels from the innermost bracket on; deeper ones stay at the last size."""


def nested(text: str, *, latex: bool) -> str:
    """Change the round brackets of a formula by their level: the innermost stay round, the next are square, and so on.

    Brackets in superscripts, such as those of ``h^{(t)}``, are left alone.

    Args:
        text: A formula as the writer gives it.
        latex: Whether brackets grow.
    """
    text = text.replace(r"\left(", "(").replace(r"\right)", ")") if latex and r"\begin" not in text else text
    pairs = paired(text)
    level: dict[int, int] = {}
    for start, end in sorted(pairs, key=lambda pair: pair[1] - pair[0]):
        inner = [level[other] for other, closes in pairs if start < other and closes < end]
        level[start] = 1 + max(inner, default=0)
    out = list(text)
    for start, end in pairs:
        height = level[start]
        opening, closing = ("(", ")") if height % 2 else ("[", "]")
        size = SIZES[min(height, len(SIZES) - 1)] if latex else ""
        out[start] = f"{size}l{opening}" if size else opening
        out[end] = f"{size}r{closing}" if size else closing
    return "".join(out)


def paired(text: str) -> list[tuple[int, int]]:
    """Return where round brackets open and close, without those in superscripts and those sized by the writer."""
    opened: list[int] = []
    pairs, skipped = [], 0
    for place, sign in enumerate(text):
        if sign == "(":
            opened.append(place)
            skipped += raised(text, place)
        elif sign == ")" and opened:
            start = opened.pop()
            if raised(text, start):
                skipped -= 1
            elif not skipped and not text[:start].endswith(r"\left"):
                pairs.append((start, place))
    return pairs


def raised(text: str, place: int) -> bool:
    """Tell whether a bracket begins a superscript."""
    return text[:place].endswith(("^", "^{"))


def split_at_plus(text: str, width: int, measure: Callable[[str], int] = len) -> list[str]:
    """Break a long formula before a plus or a minus, so that no row is much longer than a width.

    Args:
        text: A formula whose brackets have fixed sizes, so that a row may end inside them.
        width: Characters of a row.
        measure: How many characters of a row a reader sees.
    """
    words = text.replace(" + ", "\n+ ").replace(" - ", "\n- ").split("\n")
    rows = [words[0]]
    braces = words[0].count("{") - words[0].count("}")
    for word in words[1:]:
        if braces or measure(rows[-1]) + 1 + measure(word) <= width:
            rows[-1] += f" {word}"
        else:
            rows.append(word)
        braces += word.count("{") - word.count("}")
    return rows
