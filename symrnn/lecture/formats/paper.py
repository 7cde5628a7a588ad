"""A PDF, by pandoc's Typst writer and the package that carries Typst; no TeX is needed."""

from __future__ import annotations

import json
import re

from symrnn.lecture.document import Box, Code, Document, Figure, Fold, Formula, Table
from symrnn.lecture.formats.pictures import korean, size_of
from symrnn.lecture.formats.programs import data, filled, korean_fonts, pandoc, typst
from symrnn.lecture.formats.source import Source, column_widths

FENCED = re.compile(r"(^```.*?^```$|^#image\(.*?$)", re.DOTALL | re.MULTILINE)
MENDED = (
    (re.compile(r'(\^\((?:\\[()]|[^()])*\)) ?\^'), r'\1 ""^'),  # x^((t))^⊤: the second mark would be raised twice
    (re.compile(r"(#h\([\w.]+\)) ([+-]) "), r'\1 "" \2 '),  # a sign that begins a row is spaced like one between terms
    (re.compile(r'("[a-z]+") (?=\\\()'), r"op(\1) "),  # softmax(a): a text would keep its distance
    (re.compile(r"(?<=[ &])\+ ="), r'class("relation", + =)'),
)
"""What pandoc writes as Typst, and what looks as the LaTeX does."""
NARROW = 22
"""Letters: a column up to this width is as wide as it needs to be."""


TEXT_WIDTH = 459.0
"""Points: what a line of the page has."""
SCALE = 0.7
"""Points to a pixel of a picture."""


class Paper(Source):
    """Writes Markdown for Typst."""

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
        width, _ = size_of(block.svg)
        share = min(100.0, 100 * SCALE * width / TEXT_WIDTH)
        image = self.typst(f'#image(bytes({json.dumps(block.svg, ensure_ascii=False)}), format: "svg", width: {share:.1f}%)')
        inside = f"{image}\n\n{self.typst('][')}\n\n{self.caption(block, 'figure')}" if block.caption or block.anchor else image
        opening, closing = "#lecture-figure[", "]" if block.caption or block.anchor else "][]"
        return self.within(f"#block(width: 100%)[{opening}", inside, f"{closing}]{self.label_of(block.anchor)}")

    def write_code(self, block: Code) -> str:
        caption = self.caption(block, "code")
        code = f"```{block.language}\n{self.lines_of(block)}\n```"
        return "\n\n".join(filter(None, (f"*{caption}*" if caption else "", code)))

    def write_fold(self, block: Fold) -> str:
        inside = f"{self.inline(block.title)}\n\n{self.typst('][')}\n\n{self.blocks(block.blocks)}"
        return self.within("#lecture-fold[", inside, "]")

    def write_box(self, block: Box) -> str:
        inside = f"{self.box_title(block)}\n\n{self.typst('][')}\n\n{self.blocks(block.blocks)}"
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
