"""A document cut into slides: a section begins one, what is too long goes on on the next, and what unfolds has slides of its own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symrnn.lecture.document import Block, Box, Code, Document, Figure, Fold, Formula, Heading, Items, Table, Text
from symrnn.lecture.formats.source import Source, text_width

SENTENCE = re.compile(r"(?<=[.!?다])\s+(?=[^\W\d_a-z])|(?<=\.)\s+(?=[A-Z가-힣])")
CODE_LINES = 16
TABLE_ROWS = 7
LIST_ITEMS = 6


@dataclass(frozen=True)
class Room:
    """What a slide holds.

    Attributes:
        lines: Lines of text.
        letters: Letters of a line of text.
        alone: Kinds of blocks that have a slide for themselves.
    """

    lines: float
    letters: int
    alone: tuple[type, ...] = ()


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: Inline Markdown.
        blocks: What it shows.
        anchor: The section that it begins.
        begins: Whether it begins a section.
    """

    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""
    begins: bool = False


def slides(source: Source, room: Room) -> list[Slide]:
    """Cut a document.

    Args:
        source: What numbers the headings and has the document.
        room: What a slide holds.
    """
    made: list[Slide] = []
    for title, anchor, blocks, begins in sections(source, source.document):
        groups = grouped(tuple(piece for block in blocks for piece in pieces(block, room, source)), room)
        for place, group in enumerate(groups or [()]):
            more = f" ({source.label('continued')})" if place else ""
            made.append(Slide(title + more, group, "" if place else anchor, begins and not place))
    return made


def sections(source: Source, document: Document) -> Iterator[tuple[str, str, tuple[Block, ...], bool]]:
    """Yield title, anchor and blocks of what begins a slide, and whether it begins a section."""
    title, anchor, begins = source.inline(document.title), "", True
    waiting: list[Block] = []
    for block in unfolded(document.blocks):
        if isinstance(block, Heading | Fold):
            if waiting or anchor:
                yield title, anchor, tuple(waiting), begins
            waiting = []
            heading = isinstance(block, Heading)
            title = source.heading_text(block) if isinstance(block, Heading) else source.inline(block.title)
            anchor, begins = (block.anchor, block.level == 1) if isinstance(block, Heading) else ("", False)
            waiting = [] if heading else list(block.blocks)  # type: ignore[union-attr]
        else:
            waiting.append(block)
    if waiting or anchor:
        yield title, anchor, tuple(waiting), begins


def unfolded(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Yield blocks; a fold comes after the blocks beside it, up to the next heading, and folds in folds and boxes after what holds them."""
    later: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading):
            yield from later
            later = []
        if isinstance(block, Fold | Box):
            inner = [part for part in unfolded(block.blocks) if not isinstance(part, Heading)]
            kept = replace(block, blocks=tuple(part for part in inner if not isinstance(part, Fold)))
            later += [kept] if isinstance(block, Fold) and kept.blocks else []
            later += [part for part in inner if isinstance(part, Fold)]
            if isinstance(block, Box) and kept.blocks:
                yield kept
        else:
            yield block
    yield from later


def height(block: Block, room: Room) -> float:
    """Return about how many lines of text a block is high."""
    match block:
        case Text(text=text):
            return rows(text, room) + 0.7
        case Items(items=items):
            return sum(rows(item, room) + 0.25 for item in items) + 0.5
        case Formula(latex=latex, note=note):
            tall = 2.3 if any(sign in latex for sign in (r"\frac", r"\sum", r"\prod", r"\begin{bmatrix}", r"\left")) else 1.5
            return tall * (1 + latex.count(r"\\")) + (0.9 if note and text_width(f"${latex}$") + text_width(note) > room.letters - 12 else 0) + 0.6
        case Table(rows=body, caption=caption):
            share = max(8, room.letters // max(1, len(block.header)))
            return 2.2 + sum(max(math.ceil(text_width(cell) / (1.4 * share)) for cell in row) * 1.15 for row in body) + (rows(caption, room) if caption else 0)
        case Figure(caption=caption):
            return max(9.0, room.lines - 1 - rows(caption, room)) + rows(caption, room)
        case Code(source=code, caption=caption):
            return 0.85 * (code.count("\n") + 1) + 1.3 + (rows(caption, room) if caption else 0)
        case Box(blocks=inner) | Fold(blocks=inner):
            return 1.8 + sum(height(part, room) for part in inner)
    return 1.5


def rows(text: str, room: Room) -> int:
    """Return how many lines a text takes."""
    return max(1, math.ceil(text_width(text) / room.letters))


def pieces(block: Block, room: Room, source: Source) -> Iterator[Block]:
    """Yield the parts of a block that slides may come between."""
    match block:
        case Code(source=code) if code.rstrip("\n").count("\n") >= CODE_LINES:
            lines = code.rstrip("\n").split("\n")
            for start in range(0, len(lines), CODE_LINES):
                stop = start + CODE_LINES
                links = tuple((line - start, anchor) for line, anchor in block.links if start < line <= stop)
                yield replace(block, source="\n".join(lines[start:stop]), links=links, caption=block.caption if not start else "")
        case Table(rows=body) if len(body) > TABLE_ROWS or height(block, room) > room.lines:
            step = max(1, min(TABLE_ROWS, int(len(body) * (room.lines - 3) / max(1.0, height(block, room)))))
            for start in range(0, len(body), step):
                first = {} if not start else {"caption": "", "anchor": ""}
                yield replace(block, rows=body[start : start + step], **first)  # type: ignore[arg-type]
        case Items(items=items) if (len(items) > LIST_ITEMS and not block.numbered) or height(block, room) > room.lines:
            yield from (replace(block, items=items[start : start + LIST_ITEMS]) for start in range(0, len(items), LIST_ITEMS))
        case Text(text=text) if height(block, room) > 0.6 * room.lines:
            yield from (Text(part) for part in SENTENCE.split(text))
        case Box(blocks=inner) if height(block, room) > room.lines or any(isinstance(part, room.alone) for part in inner):
            parts = grouped(tuple(part for part in inner for part in pieces(part, room, source)), replace(room, lines=room.lines - 2))
            for place, group in enumerate(parts):
                yield replace(block, blocks=group, **({"title": block.title} if not place else {"title": f"({source.label('continued')})", "anchor": ""}))
        case _:
            yield block


def announces(block: Block) -> bool:
    """Whether a block is a line that says what comes next."""
    return isinstance(block, Text) and block.text.rstrip().endswith(":")


def lonely(block: Block, room: Room) -> bool:
    """Whether a block has a slide for itself."""
    return isinstance(block, room.alone) or (isinstance(block, Box) and any(lonely(inner, room) for inner in block.blocks))


def grouped(blocks: tuple[Block, ...], room: Room) -> list[tuple[Block, ...]]:
    """Put blocks together as long as a slide holds them."""
    groups: list[tuple[Block, ...]] = []
    waiting: list[Block] = []
    used = 0.0
    for block in blocks:
        more = height(block, room)
        if waiting and (used + more > room.lines or lonely(block, room) or lonely(waiting[-1], room)):
            kept = len(waiting) - (len(waiting) > 1 and announces(waiting[-1]) and not lonely(block, room))
            groups.append(tuple(waiting[:kept]))
            waiting = waiting[kept:]
            used = sum(height(part, room) for part in waiting)
        waiting.append(block)
        used += more
    return [*groups, tuple(waiting)] if waiting else groups
