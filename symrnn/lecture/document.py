"""A lecture as blocks: headings, texts, formulas, tables, figures, code, things that unfold. What writes a format reads this and nothing else.

A text is inline Markdown: ``$h_t$`` is a formula, ``**word**`` is bold, ``[word](#anchor)`` is a link, and ``@{anchor}`` becomes the
number of a formula, a figure, a table or an exercise, as a link to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

REFERENCE = re.compile(r"@\{([^{}\s]+)\}")
"""A reference in a text."""


@dataclass(frozen=True)
class Heading:
    """A heading: level 1 is a section, and a new slide; 2 a part of it."""

    text: str
    anchor: str
    level: int = 1


@dataclass(frozen=True)
class Text:
    """A paragraph of inline Markdown."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list; each entry is inline Markdown."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Formula:
    r"""A displayed formula in LaTeX, without ``$``; ``aligned`` may stand in it. It has a number where it has an anchor."""

    latex: str
    anchor: str = ""
    note: str = ""
    """Inline Markdown that stands behind it: the times for which it holds, the rule that was used."""


@dataclass(frozen=True)
class Table:
    """A table; each cell is inline Markdown."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture that stands alone: SVG, with its letters as paths or in fonts that every reader has."""

    svg: str
    alt: str
    caption: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Code:
    """Code, with the anchors of the formulas that its lines compute."""

    source: str
    language: str = "python"
    caption: str = ""
    links: tuple[tuple[int, str], ...] = ()
    """Line number, from 1, and anchor."""
    runs: bool = False
    """Whether a notebook has it as a cell that runs."""


@dataclass(frozen=True)
class Fold:
    """Blocks that a reader unfolds; on paper they stand there."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Box:
    """A framed part: ``definition``, ``theorem``, ``note``, ``exercise`` or ``solution``; an exercise has a number."""

    kind: str
    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""


Block = Heading | Text | Items | Formula | Table | Figure | Code | Fold | Box
BOXES = ("definition", "theorem", "note", "exercise", "solution")


@dataclass(frozen=True)
class Term:
    """A quantity that a reader may point at.

    Attributes:
        latex: As it stands in formulas, such as ``h_{t}``; one entry for each time at which it is written.
        meaning: What it is, with its shape, as plain text.
        anchor: The formula that defines it; empty where it is given.
    """

    latex: str
    meaning: str
    anchor: str = ""


@dataclass(frozen=True)
class Document:
    """A lecture.

    Attributes:
        title: Plain text.
        subtitle: Plain text.
        language: ``en`` or ``ko``.
        blocks: In order.
        terms: Quantities.
        labels: What things are called in the language: ``figure``, ``table``, ``exercise``, ``solution``, ``contents``, ….
    """

    title: str
    subtitle: str
    language: str
    blocks: tuple[Block, ...]
    terms: tuple[Term, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def walk(self) -> Iterator[Block]:
        """Yield all blocks, those inside of others after them."""
        yield from walked(self.blocks)

    def numbers(self) -> dict[str, str]:
        """Return the number of each anchor: formulas ``(3)``, figures ``2``, tables ``1``, exercises ``4``, sections ``5``."""
        counts: dict[str, int] = {}
        found: dict[str, str] = {}
        for block in self.walk():
            kind = kind_of(block)
            if kind:
                counts[kind] = counts.get(kind, 0) + 1
                found[block.anchor] = f"({counts[kind]})" if kind == "formula" else f"{counts[kind]}"  # type: ignore[union-attr]
        return found


def kind_of(block: Block) -> str:
    """Return what a block is counted as; empty where it has no number."""
    if isinstance(block, Formula | Figure | Table) and block.anchor:
        return type(block).__name__.lower()
    if isinstance(block, Box) and block.kind == "exercise":
        return "exercise"
    return "section" if isinstance(block, Heading) and block.level == 1 else ""


def walked(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Yield blocks and those inside of them."""
    for block in blocks:
        yield block
        if isinstance(block, Fold | Box):
            yield from walked(block.blocks)
