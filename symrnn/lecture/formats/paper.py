"""A PDF, by pandoc's Typst writer and the package that carries Typst; no TeX is needed."""

from __future__ import annotations

import json
import re
from itertools import pairwise

from symrnn.lecture.document import Block, Box, Code, Document, Figure, Fold, Formula, Table, Text
from symrnn.lecture.formats.pictures import korean, size_of
from symrnn.lecture.formats.programs import data, filled, korean_fonts, pandoc, typst
from symrnn.lecture.formats.source import Source, column_widths

FENCED = re.compile(r"(^```.*?^```$|^#image\(.*?$)", re.DOTALL | re.MULTILINE)
MENDED = (
    (re.compile(r'(\^\((?:\\[()]|[^()])*\)) ?\^'), r'\1 ""^'),  # x^((t))^⊤: the second mark would be raised twice
    (re.compile(r"(#h\([\w.]+\)|\bquad) ([+-]) "), r'\1 "" \2 '),  # a sign that begins a row is spaced like one between terms
    (re.compile(r'("[a-z]+") (?=\\\()'), r"op(\1) "),  # softmax(a): a text would keep its distance
    (re.compile(r"(?<=[ &])\+ ="), r'class("relation", + =)'),
    (re.compile(r"∥([^∥]*)∥"), r"lr(‖\1‖)"),  # a norm, where pandoc writes the sign of parallel lines
    (re.compile(r"(?<=[)\]$])(?=[가-힣])"), "\u2060"),  # no line ends between a formula and the Korean particle behind it
)
"""What pandoc writes as Typst, and what looks as the LaTeX does."""
NARROW = 22
"""Letters: a column up to this width is as wide as it needs to be."""


TEXT_WIDTH = 459.0
"""Points: what a line of the page has."""
SCALE = 0.7
"""Points to a pixel of a picture."""
TALL = 310.0
"""Points: a picture is at most so high."""
FLOATING = 170.0
"""Points: a picture that is higher stands at the foot of a page, and the text goes on above it."""


class Paper(Source):
    """Writes Markdown for Typst.

    Attributes:
        depth: How many folds and boxes are open.
        floats: Whether a picture floats already; those behind it do so too, in the same order.
    """

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.depth = 0
        self.floats = False

    def blocks(self, blocks: tuple[Block, ...]) -> str:
        """Return blocks; a text stays on the page of the formula, the table or the fold behind it."""
        parts = [self.block(block) for block in blocks]
        for place, (text, following) in enumerate(pairwise(blocks)):
            if isinstance(text, Text) and isinstance(following, Formula | Table | Code | Fold):
                parts[place] = self.sticky(parts[place])
        return "\n\n".join(filter(None, parts))

    def sticky(self, text: str) -> str:
        """Return a text that stays on the page of what follows."""
        return self.within("#block(sticky: true, width: 100%)[", text, "]")

    def inner(self, blocks: tuple[Block, ...]) -> str:
        """Return the blocks of a fold or a box."""
        self.depth += 1
        try:
            return self.blocks(blocks)
        finally:
            self.depth -= 1

    def typst(self, text: str) -> str:
        """Return a block of Typst."""
        return self.raw(text, "typst")

    def label_of(self, anchor: str) -> str:
        """Return the name that links lead to."""
        return f" <{anchor}>" if anchor else ""

    def within(self, opening: str, inside: str, closing: str) -> str:
        """Return blocks between raw parts."""
        return f"{self.typst(opening)}\n\n{inside}\n\n{self.typst(closing)}"

    def write_formula(self, block: Formula) -> str:
        number = json.dumps(self.numbers.get(block.anchor, ""))
        note = self.inline(block.note)
        inside = f"$$\n{block.latex.strip()}\n$$\n\n{self.typst('][')}\n\n{note}"
        return self.within(f"#block(width: 100%)[#lecture-formula({number})[", inside, f"]]{self.label_of(block.anchor)}")

    def write_table(self, block: Table) -> str:
        widths = column_widths(block)
        narrow = sum(widths) + 3 * len(widths) <= 88
        columns = ", ".join("auto" if narrow or width <= NARROW else f"{width ** 0.6:.1f}fr" for width in widths)
        cells = " `][`{=typst}".join(self.cell(cell) for row in (block.header, *block.rows) for cell in row)
        caption = self.caption(block, "table")
        rows = f"`#lecture-table(({columns},), {len(block.header)})[`{{=typst}}{cells} `]`{{=typst}}"
        inside = f"{caption}\n\n{self.typst('][')}\n\n{rows}" if caption else rows
        opening = "#lecture-float[" if caption else "#lecture-float[]["
        return self.within(f"#block(width: 100%)[{opening}", inside, f"]]{self.label_of(block.anchor)}")

    def write_figure(self, block: Figure) -> str:
        width, height = size_of(block.svg)
        scale = min(SCALE, TEXT_WIDTH / width, TALL / height)
        self.floats = self.floats or (scale * height > FLOATING and not self.depth)
        image = self.typst(f'#image(bytes({json.dumps(block.svg, ensure_ascii=False)}), format: "svg", width: {100 * scale * width / TEXT_WIDTH:.1f}%)')
        inside = f"{image}\n\n{self.typst('][')}\n\n{self.caption(block, 'figure')}" if block.caption or block.anchor else image
        opening, closing = "#lecture-figure[", "]" if block.caption or block.anchor else "][]"
        whole = self.within(f"#block(width: 100%)[{opening}", inside, f"{closing}]{self.label_of(block.anchor)}")
        return self.within("#place(bottom, float: true, clearance: 1.6em)[", whole, "]") if self.floats and not self.depth else whole

    def write_code(self, block: Code) -> str:
        caption = self.caption(block, "code")
        code = f"```{block.language}\n{self.lines_of(block)}\n```"
        return "\n\n".join(filter(None, (self.sticky(f"*{caption}*") if caption else "", code)))

    def write_fold(self, block: Fold) -> str:
        inside = f"{self.inline(block.title)}\n\n{self.typst('][')}\n\n{self.inner(block.blocks)}"
        return self.within("#lecture-fold[", inside, "]")

    def write_box(self, block: Box) -> str:
        inside = f"{self.box_title(block)}\n\n{self.typst('][')}\n\n{self.inner(block.blocks)}"
        return self.within(f'#block(width: 100%)[#lecture-box("{block.kind}")[', inside, f"]]{self.label_of(block.anchor)}")


def mended(source: str) -> str:
    """Mend the formulas, and leave code and pictures alone."""
    parts = FENCED.split(source)
    for place in range(0, len(parts), 2):
        for pattern, replacement in MENDED:
            parts[place] = pattern.sub(replacement, parts[place])
    return "".join(parts)


def paper_of(document: Document) -> bytes:
    """Write a document as a PDF.

    Raises:
        NotSupportedError: A package is not installed, or a formula cannot be set.
    """
    fonts = (korean_fonts(),) if korean(document) else ()
    paper = Paper(document)
    body = mended(pandoc(paper.write(), "typst", "--columns=100000", purpose="PDF").decode())
    source = filled(
        data("templates/lecture.typ"), title=json.dumps(document.title, ensure_ascii=False), subtitle=json.dumps(document.subtitle, ensure_ascii=False),
        language=json.dumps(document.language), contents=json.dumps(paper.label("contents"), ensure_ascii=False), body=body,
    )
    return typst(source, "pdf", purpose="PDF", fonts=fonts)
