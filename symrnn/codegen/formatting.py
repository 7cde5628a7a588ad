"""Lines of generated code of at most 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

WIDTH, TAB = 96, 4
"""Columns of a line within a function, which indents it by four more."""
BREAKS = ((" for ",), (", ",), (" + ", " - "), (" * ", " @ ", " / "))
"""Where an expression may be broken, from the loosest to the tightest."""


def assignment(target: str, sign: str, code: str, indent: int) -> list[str]:
    """Write ``target = code`` on one line, or over several in brackets."""
    pad = " " * indent
    line = f"{pad}{target} {sign} {code}"
    if len(line) <= WIDTH:
        return [line]
    head, inner, tail = opened(code)
    if tail and not any(len(pieces(code, signs)) > 1 for signs in BREAKS):
        return [f"{pad}{target} {sign} {head}", *wrapped(inner, indent + TAB), pad + tail]
    return [f"{pad}{target} {sign} (", *wrapped(code, indent + TAB), f"{pad})"]


def wrapped(code: str, indent: int) -> list[str]:
    """Write an expression that stands in brackets, broken where it binds least."""
    pad = " " * indent
    if len(pad + code) <= WIDTH:
        return [pad + code]
    for signs in BREAKS:
        parts = pieces(code, signs)
        if len(parts) > 1:
            return [line for part in parts for line in wrapped(part, indent)]
    head, inner, tail = opened(code)
    return [pad + head, *wrapped(inner, indent + TAB), pad + tail] if tail else [pad + code]


def pieces(code: str, signs: tuple[str, ...]) -> list[str]:
    """Cut an expression at signs that stand outside every bracket."""
    out, start, depth = [], 0, 0
    for place, letter in enumerate(code):
        depth += (letter in "([{") - (letter in ")]}")
        sign = next((s for s in signs if depth == 0 and place > start and code.startswith(s, place)), None)
        if sign == ", ":
            out.append(code[start:place + 1])
            start = place + 2
        elif sign is not None:
            out.append(code[start:place])
            start = place + 1
    return [*out, code[start:]]


def opened(code: str) -> tuple[str, str, str]:
    """Split ``f(x)[0]`` into ``f(``, ``x`` and ``)[0]`` at its first bracket."""
    start = next((place for place, letter in enumerate(code) if letter in "([{"), None)
    if start is None:
        return code, "", ""
    depth = 0
    for place in range(start, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return code[:start + 1], code[start + 1:place], code[place:]
    return code, "", ""


def paragraph(text: str, indent: int = 0, hanging: int = TAB) -> list[str]:
    """Write a paragraph of a docstring; what belongs together is joined by no-break spaces."""
    later = " " * (indent + hanging)
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=later, break_on_hyphens=False
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def signature(name: str, positional: list[str], keywords: list[str]) -> list[str]:
    """Write the first line of a function."""
    arguments = [*positional, *(["*", *keywords] if keywords else [])]
    line = f"def {name}({', '.join(arguments)}):"
    if len(line) <= WIDTH + TAB:
        return [line]
    inner = " " * TAB + ", ".join(arguments) + ","
    body = [inner] if len(inner) <= WIDTH + TAB else textwrap.wrap(
        inner.strip(), WIDTH + TAB, initial_indent=" " * TAB, subsequent_indent=" " * TAB, break_on_hyphens=False
    )
    return [f"def {name}(", *body, "):"]


def grouped(words: Sequence[str], written: Callable[[Sequence[str]], str], most: int = 8) -> list[str]:
    """Write words on lines, as many on one as fit.

    Args:
        words: Names.
        written: What a line with some of them looks like.
        most: The largest number of words on a line.
    """
    lines: list[str] = []
    group: list[str] = []
    for word in words:
        if group and (len(group) == most or len(written([*group, word])) > WIDTH):
            lines.append(written(group))
            group = []
        group.append(word)
    return [*lines, *([written(group)] if group else [])]
