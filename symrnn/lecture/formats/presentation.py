"""Slides that stand alone: reveal.js is in the file; sections stand beside each other, and what belongs to one goes down."""

from __future__ import annotations

import html

from symrnn.lecture.document import Document, Fold
from symrnn.lecture.formats.html import Page, explained, styled
from symrnn.lecture.formats.programs import data, filled
from symrnn.lecture.formats.slicing import Room, Slide, slides

ROOM = Room(lines=19.0, letters=92)


class Slides(Page):
    """Writes Markdown for slides."""

    def slide(self, slide: Slide) -> str:
        """Return one slide."""
        name = f' id="{slide.anchor}"' if slide.anchor else ""
        head = f"## {slide.title}" if slide.title else ""
        return self.within(f"<section{name}>", self.within('<div class="fit">', f"{head}\n\n{self.blocks(slide.blocks)}", "</div>"), "</section>")

    def write_fold(self, block: Fold) -> str:
        return f"**{self.inline(block.title)}**\n\n{self.blocks(block.blocks)}"

    def columns(self) -> str:
        """Return all slides, those of a section below each other."""
        parts: list[str] = []
        for slide in slides(self, ROOM):
            if slide.begins:
                parts.append(self.html("</section><section>" if parts else "<section>"))
            parts.append(self.slide(slide))
        return "\n\n".join((*parts, self.html("</section>"))) if parts else ""


def presentation_of(document: Document) -> bytes:
    """Write a document as slides in one file."""
    page = Slides(document)
    body = page.body(page.columns())
    reveal = data("reveal/reveal.js").replace("</script", "<\\/script")
    return filled(
        data("templates/slides.html"), language=document.language, title=html.escape(document.title), subtitle=html.escape(document.subtitle),
        style=data("reveal/reveal.css") + styled(data("templates/slides.css")), reveal=reveal, script=data("templates/slides.js"), terms=explained(page),
        page_script=data("templates/page.js"), body=body,
    ).encode()
