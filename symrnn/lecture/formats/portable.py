"""Markdown as it is read on the web and in editors, and notebooks, whose texts are the same Markdown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from symrnn.lecture.document import Block, Box, Code, Document, Figure, Fold, Formula, Heading, Table
from symrnn.lecture.formats.source import MATH, Source, figures


class Portable(Source):
    """Writes Markdown for readers that know formulas between dollars, tables and a little HTML.

    Attributes:
        folder: The folder of the pictures, beside the file.
    """

    def __init__(self, document: Document, folder: str) -> None:
        super().__init__(document)
        self.folder = folder

    def write(self) -> str:
        """Return the title and all blocks."""
        return f"# {self.document.title}\n\n{self.document.subtitle}\n\n{super().write()}"

    def named(self, anchor: str, text: str) -> str:
        """Return a block with the place that links lead to."""
        return f'<a id="{anchor}"></a>\n\n{text}' if anchor else text

    def write_heading(self, block: Heading) -> str:
        return self.named(block.anchor, f"{'#' * (block.level + 1)} {self.heading_text(block)}")

    def write_formula(self, block: Formula) -> str:
        return self.named(block.anchor, super().write_formula(block))

    def write_table(self, block: Table) -> str:
        caption = self.caption(block, "table")
        return self.named(block.anchor, "\n\n".join(filter(None, (caption, self.rows(block)))))

    def cell(self, text: str) -> str:
        bars = MATH.sub(lambda found: found[0].replace(r"\|", r"\Vert ").replace("|", r"\vert "), text)
        return re.sub(r"(?<!\\)\|", r"\\|", self.inline(bars))

    def write_figure(self, block: Figure) -> str:
        alt = block.alt.replace("[", "(").replace("]", ")")
        image = f"![{' '.join(alt.split())}]({self.folder}/figure-{self.order[id(block)]}.svg)"
        return self.named(block.anchor, "\n\n".join(filter(None, (image, self.caption(block, "figure")))))

    def write_fold(self, block: Fold) -> str:
        return f"<details><summary>{self.inline(block.title)}</summary>\n\n{self.blocks(block.blocks)}\n\n</details>"

    def write_box(self, block: Box) -> str:
        quoted = "\n".join(f"> {line}".rstrip() for line in super().write_box(block).split("\n"))
        return self.named(block.anchor, quoted)


class Cells(Portable):
    """Writes the cells of a notebook; pictures are attached to the cell that shows them."""

    def __init__(self, document: Document) -> None:
        super().__init__(document, "attachment:")
        self.attached = {f"figure-{place}.svg": figure.svg for place, figure in enumerate(figures(document), 1)}

    def write_figure(self, block: Figure) -> str:
        return super().write_figure(block).replace("(attachment:/", "(attachment:")

    def cells(self) -> Iterator[dict[str, Any]]:
        """Yield the cells: text up to the next heading or code that runs, and that code."""
        waiting = [f"# {self.document.title}\n\n{self.document.subtitle}"]
        for block in opened(self.document.blocks):
            runs = isinstance(block, Code) and block.runs
            if waiting and (runs or isinstance(block, Heading)):
                yield self.text_cell(waiting)
                waiting = []
            if isinstance(block, Code) and block.runs:
                if block.caption:
                    yield self.text_cell([self.caption(block, "code")])
                yield {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines(self.lines_of(block))}
            else:
                waiting.append(self.block(block))
        if waiting:
            yield self.text_cell(waiting)

    def text_cell(self, texts: Iterable[str]) -> dict[str, Any]:
        """Return a cell of text, with the pictures that it shows."""
        source = "\n\n".join(texts)
        shown: Mapping[str, str] = {name: svg for name, svg in self.attached.items() if f"(attachment:{name})" in source}
        attachments = {name: {"image/svg+xml": base64.b64encode(svg.encode()).decode()} for name, svg in shown.items()}
        return {"cell_type": "markdown", "metadata": {}, "source": lines(source), **({"attachments": attachments} if attachments else {})}


def opened(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Yield blocks, with those inside of folds and boxes by themselves where one of them is code that runs."""
    for block in blocks:
        if isinstance(block, Fold | Box) and any(isinstance(inner, Code) and inner.runs for inner in opened(block.blocks)):
            yield type(block)(**{**vars(block), "blocks": ()})
            yield from opened(block.blocks)
        else:
            yield block


def lines(text: str) -> list[str]:
    """Return a text as notebooks keep it."""
    return text.splitlines(keepends=True)


def markdown_of(document: Document, folder: str) -> bytes:
    """Write a document as Markdown, whose pictures lie in a folder."""
    return Portable(document, folder).write().encode()


def notebook_of(document: Document) -> bytes:
    """Write a document as a notebook."""
    cells = [{"id": f"cell-{place}", **cell} for place, cell in enumerate(Cells(document).cells(), 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()
