"""A document as Markdown: one class writes what all formats share, and each format overrides what it says in its own way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from symrnn.errors import NotSupportedError, SpecError
from symrnn.lecture.document import (
    BOXES,
    REFERENCE,
    Block,
    Box,
    Code,
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    Items,
    Table,
    Text,
)

LABELS: Mapping[str, str] = MappingProxyType({
    "figure": "Figure", "table": "Table", "exercise": "Exercise", "solution": "Solution", "contents": "Contents", "definition": "Definition",
    "theorem": "Theorem", "note": "Note", "continued": "continued",
})
"""What a format writes by itself, in English; a document's own labels take their place."""
LINK = re.compile(r"\]\(#([^()\s]+)\)")
MATH = re.compile(r"\$((?:[^$\\]|\\.)+)\$")
UNTOUCHED = re.compile(r"(\$(?:[^$\\]|\\.)+\$|`[^`]*`)")
"""Formulas and code in a text."""
ANCHOR = re.compile(r"[A-Za-z][\w:.-]*", re.ASCII)
COMMENTS: Mapping[str, str] = MappingProxyType({"python": "#", "bash": "#", "sh": "#", "toml": "#", "julia": "#", "latex": "%", "c": "//"})
"""How a comment begins."""
COMMAND = re.compile(r"\\(?:begin|end)\{\w+\}|\\(?:left|right|mathbf|mathrm|operatorname|hat|tilde|bar|text|quad|qquad|boldsymbol|frac|displaystyle)\b|\\[,;:! ]|[{}_^&$]")


class Source:
    """Writes a document as Markdown.

    Attributes:
        document: What is written.
        numbers: The number of each anchor.
    """

    comments: ClassVar[bool] = True
    """Whether the lines of code that compute a formula name it in a comment."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.numbers = checked(document)
        self.order = {id(figure): place for place, figure in enumerate(figures(document), 1)}

    def label(self, key: str) -> str:
        """Return what a thing is called in the language."""
        return self.document.labels.get(key, LABELS.get(key, key))

    def write(self) -> str:
        """Return all blocks."""
        return self.blocks(self.document.blocks) + "\n"

    def blocks(self, blocks: tuple[Block, ...]) -> str:
        """Return blocks with empty lines between."""
        return "\n\n".join(filter(None, (self.block(block) for block in blocks)))

    def block(self, block: Block) -> str:
        """Return one block.

        Raises:
            NotSupportedError: A kind of block that formats do not know.
        """
        method = getattr(self, f"write_{type(block).__name__.lower()}", None)
        if method is None:
            raise NotSupportedError(f"formats of lectures do not know blocks of the kind {type(block).__name__}")
        return str(method(block))

    def inline(self, text: str) -> str:
        """Return inline Markdown on one line, with references as links."""
        return " ".join(MATH.sub(lambda found: f"${self.math(found[1].strip())}$", REFERENCE.sub(self.reference, text)).split())

    def reference(self, found: re.Match[str]) -> str:
        """Return a reference as a link."""
        return f"[{self.numbers[found[1]]}](#{found[1]})"

    def math(self, latex: str) -> str:
        """Return a formula as the format wants its LaTeX."""
        return latex

    def caption(self, block: Figure | Table | Code, kind: str) -> str:
        """Return a caption, with the kind and the number where there is one."""
        number = self.numbers.get(getattr(block, "anchor", ""))
        head = f"**{self.label(kind)} {number}.**" if number else ""
        return " ".join(filter(None, (head, self.inline(block.caption))))

    def box_title(self, box: Box) -> str:
        """Return the line that a box begins with."""
        number = f" {self.numbers[box.anchor]}" if box.anchor in self.numbers else ""
        title = self.inline(box.title)
        head = f"**{self.label(box.kind)}{number}.**"
        return f"{head} {title}" if title else head

    def heading_text(self, heading: Heading) -> str:
        """Return a heading with its number."""
        number = self.numbers.get(heading.anchor, "") if heading.level == 1 else ""
        return f"{number}. {self.inline(heading.text)}" if number else self.inline(heading.text)

    def lines_of(self, code: Code) -> str:
        """Return code, with the numbers of the formulas behind the lines that compute them."""
        rows = code.source.rstrip("\n").split("\n")
        mark = COMMENTS.get(code.language)
        if not (self.comments and code.links and mark):
            return "\n".join(rows)
        found: dict[int, list[str]] = {}
        for line, anchor in code.links:
            found.setdefault(line, []).append(self.numbers[anchor])
        width = min(72, max(len(rows[line - 1]) for line in found))
        for line, numbers in found.items():
            rows[line - 1] = f"{rows[line - 1]:{width}}  {mark} {', '.join(dict.fromkeys(numbers))}"
        return "\n".join(rows)

    def write_heading(self, block: Heading) -> str:
        """Return a heading."""
        anchor = f" {{#{block.anchor}}}" if block.anchor else ""
        return f"{'#' * block.level} {self.heading_text(block)}{anchor}"

    def write_text(self, block: Text) -> str:
        """Return a paragraph."""
        return self.inline(block.text)

    def write_items(self, block: Items) -> str:
        """Return a list."""
        marks = [f"{place}. " if block.numbered else "-   " for place in range(1, len(block.items) + 1)]
        return "\n".join(f"{mark:4}{self.inline(item)}" for mark, item in zip(marks, block.items, strict=True))

    def write_formula(self, block: Formula) -> str:
        """Return a displayed formula."""
        note = f"\n\n{self.inline(block.note)}" if block.note else ""
        return f"$$\n{self.math(numbered(block.latex.strip(), self.numbers.get(block.anchor, '')))}\n$$" + note

    def write_table(self, block: Table) -> str:
        """Return a table."""
        return f"{self.rows(block)}\n\n{self.caption(block, 'table')}".rstrip()

    def rows(self, block: Table) -> str:
        """Return the rows of a table, with columns as wide as what they hold."""
        shares = column_widths(block)
        rule = "|" + "|".join(":" + "-" * max(3, share) for share in shares) + "|"
        rows = ["| " + " | ".join(self.cell(cell) for cell in row) + " |" for row in (block.header, *block.rows)]
        return "\n".join((rows[0], rule, *rows[1:]))

    def cell(self, text: str) -> str:
        """Return a cell of a table, in which a bar would begin the next one."""
        return "".join(part if part.startswith(("$", "`")) else part.replace("|", r"\|") for part in UNTOUCHED.split(self.inline(text)))

    def write_code(self, block: Code) -> str:
        """Return code in a fence."""
        caption = self.caption(block, "code")
        return "\n\n".join(filter(None, (f"```{block.language}\n{self.lines_of(block)}\n```", caption)))

    def write_fold(self, block: Fold) -> str:
        """Return what unfolds, unfolded."""
        return f"**{self.inline(block.title)}**\n\n{self.blocks(block.blocks)}"

    def write_box(self, block: Box) -> str:
        """Return a frame."""
        return f"{self.box_title(block)}\n\n{self.blocks(block.blocks)}"

    def raw(self, text: str, format: str) -> str:
        """Return a block that only one format reads, as it is."""
        return f"```{{={format}}}\n{text}\n```"


def numbered(latex: str, number: str) -> str:
    """Return a formula with its number, as most readers take it."""
    return rf"{latex} \tag{{{number.strip('()')}}}" if number else latex


def checked(document: Document) -> dict[str, str]:
    """Return the number of each anchor.

    Raises:
        SpecError: An anchor that stands twice or has signs that anchors do not have, or a reference to one that nobody has.
    """
    anchors: list[str] = [anchor for block in document.walk() if (anchor := getattr(block, "anchor", ""))]
    twice = sorted({anchor for anchor in anchors if anchors.count(anchor) > 1}) if len(set(anchors)) < len(anchors) else []
    if twice:
        raise SpecError(f"two blocks of the lecture have the anchor '{twice[0]}'; give each its own")
    odd = [anchor for anchor in anchors if not ANCHOR.fullmatch(anchor)]
    if odd:
        raise SpecError(f"the anchor '{odd[0]}' of the lecture is not of Latin letters, digits, and '-', '_', ':', '.'; rename it")
    numbers = {anchor: number for anchor, number in document.numbers().items() if anchor}
    texts = [text for block in document.walk() for text in texts_of(block)]
    wanted = {found for text in texts for found in REFERENCE.findall(text)}
    wanted |= {anchor for block in document.walk() if isinstance(block, Code) for _, anchor in block.links}
    for name in sorted(wanted - numbers.keys()):
        raise SpecError(f"the lecture refers to '{name}', and no block with a number has this anchor")
    for name in sorted({found for text in texts for found in LINK.findall(text)} - set(anchors)):
        raise SpecError(f"the lecture links to '#{name}', and no block has this anchor")
    return numbers


def texts_of(block: Block) -> tuple[str, ...]:
    """Return the texts of inline Markdown of a block, without those of blocks inside."""
    match block:
        case Heading(text=text) | Text(text=text):
            return (text,)
        case Items(items=items):
            return items
        case Formula(note=note):
            return (note,)
        case Table(header=header, rows=rows, caption=caption):
            return (*header, *(cell for row in rows for cell in row), caption)
        case Figure(caption=caption) | Code(caption=caption):
            return (caption,)
        case Fold(title=title):
            return (title,)
        case Box(title=title, kind=kind):
            if kind not in BOXES:
                raise SpecError(f"a box of a lecture is one of {', '.join(BOXES)}; got '{kind}'")
            return (title,)
    raise NotSupportedError(f"formats of lectures do not know blocks of the kind {type(block).__name__}")


def figures(document: Document) -> list[Figure]:
    """Return the pictures, in order."""
    return [block for block in document.walk() if isinstance(block, Figure)]


def text_width(text: str) -> int:
    """Return about how many letters wide a text of inline Markdown is when it is printed; a Korean letter counts as two."""
    text = MATH.sub(lambda found: COMMAND.sub("", re.sub(r"\\[A-Za-z]+", "x", COMMAND.sub("", found[1]))).replace(" ", ""), text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("**", "").replace("`", "")
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def column_widths(table: Table) -> tuple[int, ...]:
    """Return about how many letters wide the columns of a table are."""
    return tuple(max(3, *(text_width(cell) for cell in column)) for column in zip(table.header, *table.rows, strict=True))
