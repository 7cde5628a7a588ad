"""A page that stands alone: MathML with its font inside, pictures inside, steps that unfold, and no word to the network."""

from __future__ import annotations

import base64
import html
import json
import re
from functools import cache
from importlib.resources import files

from symrnn.lecture.document import Box, Code, Document, Figure, Fold, Formula, Heading, Table, Term
from symrnn.lecture.formats.mathml import bold, marked
from symrnn.lecture.formats.pictures import size_of
from symrnn.lecture.formats.programs import data, filled, pandoc
from symrnn.lecture.formats.source import Source

SUMMARY = re.compile(r"<p>(<summary>.*?</summary>)</p>", re.DOTALL)
FONT = "fonts/STIXTwoMath-lecture.woff2"
SPLIT = "symrnn-split"
LEAST = 560
"""Pixels: a picture that is wider is not made smaller than this, but scrolls."""


class Page(Source):
    """Writes Markdown for a page."""

    comments = False

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.codes: list[Code] = []

    def math(self, latex: str) -> str:
        return bold(latex)

    def html(self, text: str) -> str:
        """Return a block of HTML."""
        return self.raw(text, "html")

    def within(self, opening: str, inside: str, closing: str) -> str:
        """Return blocks between tags."""
        return f"{self.html(opening)}\n\n{inside}\n\n{self.html(closing)}"

    def write_heading(self, block: Heading) -> str:
        anchor = f" {{#{block.anchor}}}" if block.anchor else ""
        return f"{'#' * (block.level + 1)} {self.heading_text(block)}{anchor}"

    def write_formula(self, block: Formula) -> str:
        number = self.numbers.get(block.anchor, "")
        name = f' id="{block.anchor}"' if block.anchor else ""
        link = f'<a class="number" href="#{block.anchor}">{number}</a>' if number else ""
        note = f'\n\n```{{=html}}\n<div class="note">\n```\n\n{self.inline(block.note)}\n\n```{{=html}}\n</div>\n```' if block.note else ""
        return (
            f'```{{=html}}\n<div class="formula"{name}><div class="scroll" tabindex="0">\n```\n\n$$\n{self.math(block.latex.strip())}\n$$\n\n'
            f'```{{=html}}\n</div>\n```{note}\n\n```{{=html}}\n{link}</div>\n```'
        )

    def write_table(self, block: Table) -> str:
        name = f' id="{block.anchor}"' if block.anchor else ""
        caption = self.caption(block, "table")
        above = self.within("<figcaption>", caption, "</figcaption>") + "\n\n" if caption else ""
        return self.within(f'<figure class="table"{name}>', above + self.within('<div class="scroll">', self.rows(block), "</div>"), "</figure>")

    def write_figure(self, block: Figure) -> str:
        name = f' id="{block.anchor}"' if block.anchor else ""
        width, _ = size_of(block.svg)
        least = f"min-width:{min(width, LEAST):.0f}px;" if width else ""
        source = base64.b64encode(block.svg.encode()).decode()
        image = f'<img style="{least}width:{width:.0f}px" alt="{html.escape(block.alt, quote=True)}" src="data:image/svg+xml;base64,{source}">'
        caption = self.caption(block, "figure")
        below = "\n\n" + self.within("<figcaption>", caption, "</figcaption>") if caption else ""
        return self.within(f'<figure class="picture"{name}>', self.html(f'<div class="scroll">{image}</div>') + below, "</figure>")

    def write_code(self, block: Code) -> str:
        self.codes.append(block)
        caption = self.caption(block, "code")
        inside = f"``` {{.{block.language or 'text'} #code-{len(self.codes)}}}\n{self.lines_of(block)}\n```"
        above = self.within("<figcaption>", caption, "</figcaption>") + "\n\n" if caption else ""
        return self.within('<figure class="code">', above + inside, "</figure>")

    def write_fold(self, block: Fold) -> str:
        title = f"`<summary>`{{=html}}{self.inline(block.title)} `</summary>`{{=html}}"
        return self.within("<details>", f"{title}\n\n" + self.within('<div class="folded">', self.blocks(block.blocks), "</div>"), "</details>")

    def write_box(self, block: Box) -> str:
        name = f' id="{block.anchor}"' if block.anchor else ""
        title = self.within('<div class="box-title">', self.box_title(block), "</div>")
        return self.within(f'<div class="box {block.kind}"{name}>', f"{title}\n\n{self.blocks(block.blocks)}", "</div>")

    def linked(self, page: str) -> str:
        """Return a page whose lines of code lead to the formulas that they compute."""
        for place, code in enumerate(self.codes, 1):
            found: dict[int, list[str]] = {}
            for line, anchor in code.links:
                found.setdefault(line, []).append(f'<a class="to" href="#{anchor}">{self.numbers[anchor]}</a>')
            for line, links in found.items():
                row = re.compile(rf'(<span id="code-{place}-{line}">.*?)(</span>\n|</span></code>)', re.DOTALL)
                joined = " ".join(dict.fromkeys(links))
                page = row.sub(lambda match, joined=joined: f"{match[1]} {joined}{match[2]}", page, count=1)  # type: ignore[misc]
        return page

    def body(self, source: str) -> str:
        """Convert blocks of Markdown to HTML, with quantities marked, what unfolds, and code that leads to formulas."""
        terms = self.document.terms
        samples = "\n\n".join(f"${self.math(term.latex)}$" for term in terms)
        together = f"{source}\n\n{self.html(f'<!--{SPLIT}-->')}\n\n{samples}\n"
        made = pandoc(together, "html", "--mathml", "--columns=100000", purpose="HTML").decode()
        page, _, shown = made.partition(f"<!--{SPLIT}-->")
        return self.linked(SUMMARY.sub(r"\1", marked(page, terms, shown)))


def explained(page: Page) -> str:
    """Return what the quantities are, as JSON that may stand in a page."""
    first: dict[str, Term] = {}
    for term in page.document.terms:
        first.setdefault(term.meaning, term)
    rows = [{"meaning": m, "anchor": t.anchor, "number": page.numbers.get(t.anchor, "")} for m, t in first.items()]
    return json.dumps(rows, ensure_ascii=False).replace("</", "<\\/")


def contents(page: Page) -> str:
    """Return the table of contents, as Markdown."""
    sections = [block for block in page.document.walk() if isinstance(block, Heading) and block.level == 1 and block.anchor]
    entries = "\n".join(f"-   [{page.heading_text(block)}](#{block.anchor})" for block in sections)
    label = html.escape(page.label("contents"))
    return page.within(f'<nav class="contents"><details open><summary>{label}</summary>', entries, "</details></nav>") if sections else ""


@cache
def font() -> str:
    """Return the font of the formulas."""
    return base64.b64encode(files("symrnn.lecture.formats").joinpath(FONT).read_bytes()).decode()


def page_of(document: Document) -> bytes:
    """Write a document as a page."""
    page = Page(document)
    body = page.body(f"{contents(page)}\n\n{page.write()}")
    return filled(
        data("templates/page.html"), language=document.language, title=html.escape(document.title), subtitle=html.escape(document.subtitle),
        style=styled(data("templates/page.css")),
        script=data("templates/page.js"), terms=explained(page), body=body,
    ).encode()


def styled(sheet: str) -> str:
    """Return a style sheet with what all pages share, and the font."""
    return filled(data("templates/shared.css") + sheet, font=font())
