r"""Marks: what tells the copies of one letter apart where a network has several parts.

The names of a layer end in its mark: ``h_l2``, ``W_hh_enc_l1``, ``a_f_bw``. A mark is printed apart from the letter: the
number of a layer as ``h_t^{(2)}``, or as a subscript where the time stands above; words as upright subscripts,
``h_{\mathrm{enc},t}``; a direction as a word or as an arrow over the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from unicodedata import normalize

from symrnn.notation.spelling import Spelling

ARROWS: Mapping[str, tuple[str, str]] = {"fw": (r"\overrightarrow", "\u20d7"), "bw": (r"\overleftarrow", "\u20d6")}
"""Command and combining sign of the two directions."""


@dataclass(frozen=True)
class Mark:
    """A mark taken apart.

    Attributes:
        words: What is no number of a layer, in order: ``enc``, ``bw``.
        layer: The number of the layer; ``None`` where the mark has none.
    """

    words: tuple[str, ...] = ()
    layer: int | None = None


UNMARKED = Mark()


class Owned(NamedTuple):
    """A name taken apart: what the cell calls it, its mark, and the name of the cell."""

    stem: str
    mark: Mark
    cell: str


@cache
def mark_of(text: str) -> Mark:
    """Take a mark such as ``enc_l1`` apart."""
    pieces = [piece for piece in text.split("_") if piece]
    numbers = [piece for piece in pieces if re.fullmatch(r"l\d+", piece)]
    number = numbers[-1] if numbers else None
    return Mark(tuple(p for p in pieces if p != number), None if number is None else int(number[1:]))


def owners(names: Iterable[str], cell: str, parts: Iterable[Any]) -> dict[str, Owned]:
    """Say for each name of a network which part it belongs to.

    Args:
        names: Names of quantities.
        cell: Name of the cell for what belongs to no part with a cell.
        parts: The network's parts, each with ``mark``, ``cell`` and ``names``.

    Returns:
        For each name its stem, its mark and the cell whose letters it has. A name that no part lists, such as that of a
        direction of a second derivation, belongs to the part whose mark it ends in.
    """
    listed = sorted(parts, key=lambda part: -len(part.mark))
    by_name = {name: part for part in reversed(listed) for name in part.names}
    found = {}
    for name in names:
        ending = (part for part in listed if part.mark and name.endswith(f"_{part.mark}"))
        part = by_name.get(name) or next(ending, None)
        end = f"_{part.mark}" if part is not None and part.mark else ""
        own = (part.cell if part is not None else "") or cell
        if end and name.endswith(end):
            found[name] = Owned(name.removesuffix(end), mark_of(end), own)
        else:
            found[name] = Owned(name, UNMARKED, own)
    return found


def marked(letter: Spelling, mark: Mark, medium: str, *, above: bool, arrows: bool, layer: str = "") -> Spelling:
    """Add a mark to a letter.

    Args:
        letter: The letter as it is spelled in the medium.
        mark: What is added.
        medium: One of ``MEDIA``.
        above: Whether the number of a layer is a superscript.
        arrows: Whether a direction is an arrow over the letter.
        layer: The number of the layer as text, where it is not printed as the number that it is.
    """
    base, subs, sups = letter.base, [letter.sub], [letter.sup]
    for word in mark.words:
        if arrows and word in ARROWS and medium != "ascii":
            command, sign = ARROWS[word]
            base = f"{command}{{{base}}}" if medium == "latex" else normalize("NFC", base + sign)
        else:
            subs.append(rf"\mathrm{{{word}}}" if medium == "latex" and word.isalpha() else word)
    if mark.layer is not None:
        number = layer or str(mark.layer)
        (sups if above else subs).append(f"({number})" if above else number)
    return Spelling(base, *(",".join(part for part in parts if part) for parts in (subs, sups)))
