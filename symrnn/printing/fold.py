"""Layers that are alike, printed once: ``h_t^{(ℓ)} = …`` for ``ℓ = 2, …, 5``.

Sections say which layer they are about. Consecutive sections of one layer are a unit; units of neighbouring layers are
printed with the number of their own layer as a letter, and those that read the same are one: the text of a layer is all
that a reader sees of it, and no two quantities of a network look alike. Layers that differ, such as the first, which reads
the input, stay as they are. So the length of a print does not depend on the depth of a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from symrnn.expr import At, Static
from symrnn.printing.parts import LayerRange
from symrnn.printing.pieces import Code, Equations, Outline, Piece, Section, ShapeRow, Shapes, Words
from symrnn.printing.words import when, written
from symrnn.style import Alike, Style, free_letter

CANDIDATES: tuple[str, ...] = ("ell", "n", "p", "u", "v", "lambda", "nu")
"""Letters for the number of a layer, of which the first is taken that the network does not use: ``ℓ`` is the loss of a step
in most profiles. ``n`` is that of A. Graves, A. Mohamed and G. Hinton, Speech recognition with deep recurrent neural networks,
ICASSP 2013. What a bound index may be is not among them."""


def folded(outline: Outline, style: Style) -> Outline:
    """Print layers that are alike once.

    Args:
        outline: What is printed.
        style: How it is printed.

    Returns:
        The outline with the sections, and the rows of tables, of layers that are alike put together.
    """
    if all(mark.layer is None for mark in style.marks.values()):
        return outline
    letter = free_letter(CANDIDATES, style)
    sections = [with_folded_tables(section, style, letter) for section in folded_sections(outline.sections, style, letter)]
    return replace(outline, sections=tuple(sections))


def folded_sections(sections: Iterable[Section], style: Style, letter: str) -> Iterator[Section]:
    """Put the units of neighbouring layers together as far as they read the same."""
    units = [tuple(unit) for _, unit in groupby(sections, key=lambda section: (section.level, section.layer))]
    place = 0
    while place < len(units):
        last = place
        while last + 1 < len(units) and follows(units, place, last + 1) and alike(units[place], units[last + 1], style, letter):
            last += 1
        first, end = units[place][0].layer, units[last][0].layer
        yield from units[place] if first is None or end is None or place == last else (
            replace(section, layers=LayerRange(letter, first, end)) for section in units[place]
        )
        place = last + 1


def follows(units: list[tuple[Section, ...]], place: int, later: int) -> bool:
    """Tell whether a unit is about the layer that comes next, upwards or downwards, as from the unit before."""
    first, before, here = (units[k][0].layer for k in (place, later - 1, later))
    if first is None or before is None or here is None:
        return False
    step = here - before
    return abs(step) == 1 and here - first == step * (later - place)


def alike(a: tuple[Section, ...], b: tuple[Section, ...], style: Style, letter: str) -> bool:
    """Tell whether two units read the same, each with its own number as the letter."""
    return len(a) == len(b) and all(
        one == other for section, twin in zip(a, b, strict=True)
        for one, other in zip(text_of(section, style, letter), text_of(twin, style, letter), strict=True)
    )


def text_of(section: Section, style: Style, letter: str) -> Iterator[str]:
    """Yield the text of a section piece by piece, and its lengths, with the number of its layer as a letter."""
    own = replace(style, alike=Alike(section.layer or 0, letter))
    yield from sentence_text(section.heading, own)
    for part in section.body:
        if isinstance(part, Equations):
            for line in part.lines:
                yield "" if line.left is None else written(line.left, own)
                yield f"{line.sign} {when(line, own)}"
                yield written(line.right, own)
        elif isinstance(part, Words):
            yield from sentence_text(part.pieces, own)
    yield "the end"


def sentence_text(pieces: Iterable[Piece], style: Style) -> Iterator[str]:
    """Yield the text of a sentence piece by piece."""
    for piece in pieces:
        yield piece if isinstance(piece, str) else piece.content if isinstance(piece, Code) else written(piece, style)


def with_folded_tables(section: Section, style: Style, letter: str) -> Section:
    """Put the rows of tables together, layer by layer."""
    body = tuple(
        Shapes(tuple(row for given in part.rows for row in folded_row(given, style, letter))) if isinstance(part, Shapes) else part
        for part in section.body
    )
    return replace(section, body=body)


def folded_row(row: ShapeRow, style: Style, letter: str) -> Iterator[ShapeRow]:
    """Cut a row into the quantities that stand alone, and those of neighbouring layers that are written alike."""
    numbers: dict[str, dict[int, Any]] = {}
    for value in row.values:
        layer = layer_of(value, style)
        key = written(value, style if layer is None else replace(style, alike=Alike(layer, letter)))
        numbers.setdefault(key, {})[-1 if layer is None else layer] = value
    alone: list[Any] = []
    shared: dict[tuple[int, int], list[Any]] = {}
    for found in numbers.values():
        for layers in consecutive(sorted(found)):
            if len(layers) == 1:
                alone.append(found[layers[0]])
            else:
                shared.setdefault((layers[0], layers[-1]), []).append(found[layers[0]])
    if alone:
        yield row._replace(values=tuple(value for value in row.values if value in alone))
    for (lo, hi), values in shared.items():
        yield row._replace(values=tuple(values), layers=LayerRange(letter, lo, hi))


def layer_of(value: Any, style: Style) -> int | None:
    """Return the number of the layer that a quantity belongs to."""
    mark = style.marks.get(value.name) if isinstance(value, At | Static) else None
    return None if mark is None else mark.layer


def consecutive(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Cut sorted numbers into runs without gaps."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run
