"""Word documents with equations of Word, and slides for PowerPoint, by pandoc and a reference file each for the looks."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from symrnn.lecture.document import Box, Document, Figure, Fold, Formula, Heading, Table
from symrnn.lecture.formats.mathml import bold
from symrnn.lecture.formats.pictures import figure_files, size_of
from symrnn.lecture.formats.programs import data_path, pandoc
from symrnn.lecture.formats.slicing import Room, Slide, slides
from symrnn.lecture.formats.source import Source

LINKED = re.compile(r"\[([^\]]*)\]\(#[^)\s]*\)")
WIDEST = {"docx": 16.0, "pptx": 22.8}
"""Centimetres: the width of the text."""
HIGHEST = {"docx": 20.0, "pptx": 9.4}
"""Centimetres: how high a picture may be."""
GAP = 3 * chr(0x2003)
"""What stands between a formula and its number: spaces as wide as an m, which office programs keep in a text."""
ROOM = Room(lines=16.0, letters=84, alone=(Table, Figure))
CODE = re.compile(r'<a:rPr(?P<rest>(?:\s[^>/]*)?)>(?=(?:(?!</a:rPr>).)*<a:latin typeface="Courier")', re.DOTALL)
FRAME = re.compile(r"<p:graphicFrame\b.*?</p:graphicFrame>", re.DOTALL)
CHOICE = (
    '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice '
    'xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" Requires="a14">%s</mc:Choice></mc:AlternateContent>'
)
"""Formulas on slides stand in such a frame; pandoc leaves it away around tables."""
CODE_SIZE = 1000
"""Hundredths of a point."""


class Office(Source):
    """Writes Markdown for an office program."""

    target = "docx"

    def math(self, latex: str) -> str:
        return bold(latex)

    def named(self, anchor: str, text: str) -> str:
        """Return blocks with the place that links lead to."""
        return f"::: {{#{anchor}}}\n{text}\n:::" if anchor else text

    def styled(self, style: str, text: str) -> str:
        """Return blocks in a style of the reference file."""
        return f'::::: {{custom-style="{style}"}}\n{text}\n:::::'

    def write_formula(self, block: Formula) -> str:
        number = self.numbers.get(block.anchor, "")
        latex = self.math(block.latex.strip()) + (rf"\text{{{GAP}{number}}}" if number else "")
        note = "\n\n" + self.styled("Lecture Remark", self.inline(block.note)) if block.note else ""
        return self.named(block.anchor, f"$$\n{latex}\n$$") + note

    def write_table(self, block: Table) -> str:
        caption = self.styled("Table Caption", self.caption(block, "table")) if block.caption or block.anchor else ""
        return self.named(block.anchor, "\n\n".join(filter(None, (caption, self.rows(block)))))

    def image_width(self, block: Figure) -> float:
        """Return how wide a picture is, in centimetres."""
        width, high = (side * 2.54 / 96 for side in size_of(block.svg))
        return width * min(1.0, WIDEST[self.target] / width, HIGHEST[self.target] / high)

    def write_figure(self, block: Figure) -> str:
        alt = " ".join(re.sub(r"[\[\]\\*_$`\"]", " ", block.alt).split())
        caption = self.caption(block, "figure")
        name = f"#{block.anchor} " if block.anchor else ""
        image = f'![{caption or alt}](figure-{self.order[id(block)]}.png){{{name}alt="{alt}" width={self.image_width(block):.2f}cm}}'
        return image if caption else f"{image}\\"

    def write_fold(self, block: Fold) -> str:
        return f"{self.styled('Lecture Fold', self.inline(block.title))}\n\n{self.blocks(block.blocks)}"

    def write_box(self, block: Box) -> str:
        style = f"Lecture {block.kind.title()}"
        parts = [self.styled(style, self.box_title(block))]
        parts += [self.block(inner) if isinstance(inner, Box | Fold | Table | Figure) else self.styled(style, self.block(inner)) for inner in block.blocks]
        return self.named(block.anchor, "\n\n".join(parts))


class PowerPoint(Office):
    """Writes Markdown for slides."""

    target = "pptx"

    def inline(self, text: str) -> str:
        return LINKED.sub(r"\1", super().inline(text))

    def named(self, anchor: str, text: str) -> str:
        return text

    def styled(self, style: str, text: str) -> str:
        return text

    def write_table(self, block: Table) -> str:
        caption = f"\n\n: {self.caption(block, 'table')}" if block.caption or block.anchor else ""
        return self.rows(block) + caption

    def write_heading(self, block: Heading) -> str:
        return f"**{self.heading_text(block)}**"

    def write_fold(self, block: Fold) -> str:
        return f"**{self.inline(block.title)}**\n\n{self.blocks(block.blocks)}"

    def write_box(self, block: Box) -> str:
        inside = self.blocks(block.blocks)
        return inside if all(isinstance(inner, ROOM.alone) for inner in block.blocks) else f"{self.box_title(block)}\n\n{inside}"

    def slide(self, slide: Slide) -> str:
        """Return one slide."""
        return f"# {slide.title}\n\n{self.blocks(slide.blocks)}"


def office(source: Source, text: str, target: str, *options: str) -> bytes:
    """Convert, with the pictures of the document as PNG in a folder that pandoc reads."""
    purpose = {"docx": "DOCX", "pptx": "PPTX"}[target]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in figure_files(source.document, "png", purpose).items():
            (Path(folder) / name).write_bytes(content)
        titles = (f"--metadata=title:{source.document.title}", f"--metadata=subtitle:{source.document.subtitle}", f"--metadata=lang:{source.document.language}")
        reference = f"--reference-doc={data_path(f'templates/reference.{target}')}"
        return pandoc(text, target, f"--resource-path={folder}", reference, *titles, *options, purpose=purpose)


def docx_of(document: Document) -> bytes:
    """Write a document for Word."""
    source = Office(document)
    return office(source, source.write(), "docx")


def pptx_of(document: Document) -> bytes:
    """Write a document as slides for PowerPoint."""
    source = PowerPoint(document)
    text = "\n\n".join(source.slide(slide) for slide in slides(source, ROOM))
    made = io.BytesIO(office(source, text, "pptx", "--slide-level=1"))
    return rewritten(made, lambda name, content: mended(content) if name.startswith("ppt/slides/slide") else content)


def mended(content: bytes) -> bytes:
    """Return a slide with its code in small letters, and its tables with formulas as PowerPoint writes them."""
    text = CODE.sub(lambda found: f'<a:rPr{found["rest"]} sz="{CODE_SIZE}">', content.decode())
    return FRAME.sub(lambda found: CHOICE % found[0] if "<a14:m>" in found[0] else found[0], text).encode()


def rewritten(made: io.BytesIO, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return an archive with its files changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item, change(item.filename, old.read(item)))
    return out.getvalue()
