"""A LaTeX source that pdflatex compiles, and xelatex or lualatex where it has Korean letters, with its pictures beside it as PDF."""

from __future__ import annotations

import re
import subprocess
import tempfile
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

from symrnn.errors import NotSupportedError
from symrnn.lecture.document import Block, Box, Code, Document, Figure, Fold, Formula, Table
from symrnn.lecture.formats.paper import NARROW, SCALE, TEXT_WIDTH
from symrnn.lecture.formats.pictures import HANGUL, figure_files, korean, size_of
from symrnn.lecture.formats.programs import data, filled, one_line, pandoc, tex
from symrnn.lecture.formats.source import Source, column_widths

LETTERS = 92
"""About how many letters a line has in a table."""
LONGEST = 24
"""Rows: a table that is longer is cut between pages."""
RUNS = 3
"""How often TeX reads a source until contents and references are right."""
MINUTES = 4
ESCAPED = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}


class Latex(Source):
    """Writes Markdown for LaTeX.

    Attributes:
        folder: The folder of the pictures, beside the file.
        depth: How many boxes and folds stand around what is written: tables in them are not cut.
    """

    def __init__(self, document: Document, folder: str) -> None:
        super().__init__(document)
        self.folder = folder
        self.depth = 0

    def latex(self, text: str) -> str:
        """Return a block of LaTeX."""
        return self.raw(text, "latex")

    def within(self, opening: str, inside: str, closing: str) -> str:
        """Return blocks between raw parts."""
        return f"{self.latex(opening)}\n\n{inside}\n\n{self.latex(closing)}"

    def inner(self, blocks: tuple[Block, ...]) -> str:
        """Return what stands in a box."""
        self.depth += 1
        inside = self.blocks(blocks)
        self.depth -= 1
        return inside

    def write_formula(self, block: Formula) -> str:
        number = self.numbers.get(block.anchor, "")
        opening = f"\\lectureformula{{{label(block.anchor)}}}{{{number}}}{{%\n{block.latex.strip()}%\n}}{{%"
        return self.within(opening, self.inline(block.note), "}")

    def write_table(self, block: Table) -> str:
        name, spec = ("longtable" if len(block.rows) > LONGEST and not self.depth else "lecturetable"), columns(column_widths(block))
        rows = [" `&`{=latex}".join(self.cell(cell) for cell in row) for row in (block.header, *block.rows)]
        head = "\\midrule\\endhead" if name == "longtable" else "\\midrule"
        cells = f"`\\begin{{{name}}}{{{spec}}}\\toprule{{}}`{{=latex}}{rows[0]} `\\\\ {head}{{}}`{{=latex}}" + " `\\\\{}`{=latex}".join(rows[1:])
        cells += f" `\\\\ \\bottomrule\\end{{{name}}}`{{=latex}}"
        return self.within(f"\\begin{{lecturefloat}}{label(block.anchor)}", "\n\n".join(filter(None, (self.above(block), cells))), "\\end{lecturefloat}")

    def above(self, block: Table | Code) -> str:
        """Return the caption that stands above something."""
        caption = self.caption(block, type(block).__name__.lower())
        return f"`\\lecturecaption{{`{{=latex}}{caption} `}}`{{=latex}}" if caption else ""

    def cell(self, text: str) -> str:
        return self.inline(text.replace(r"\left(", "(").replace(r"\right)", ")"))  # TeX breaks no line within \left and \right

    def write_figure(self, block: Figure) -> str:
        width, _ = size_of(block.svg)
        share = min(1.0, SCALE * width / TEXT_WIDTH)
        image = self.latex(f"\\includegraphics[width={share:.3f}\\linewidth]{{{self.folder}/figure-{self.order[id(block)]}.pdf}}")
        inside = "\n\n".join(filter(None, (image, self.caption(block, "figure"))))
        return self.within(f"\\begin{{lecturefigure}}{label(block.anchor)}", inside, "\\end{lecturefigure}")

    def write_code(self, block: Code) -> str:
        code = f"```{block.language or 'text'}\n{self.lines_of(block)}\n```"
        return "\n\n".join(filter(None, (self.above(block), code)))

    def write_fold(self, block: Fold) -> str:
        title = f"`\\lecturetitle{{`{{=latex}}{self.inline(block.title)} `}}`{{=latex}}"
        return self.within("\\begin{lecturefold}", f"{title}\n\n{self.inner(block.blocks)}", "\\end{lecturefold}")

    def write_box(self, block: Box) -> str:
        title = f"`\\lecturetitle{{`{{=latex}}{self.box_title(block)} `}}`{{=latex}}"
        inside = f"{title}\n\n{self.inner(block.blocks)}"
        return self.within(f"\\begin{{lecturebox}}{{lecture{block.kind}}}{label(block.anchor)}", inside, "\\end{lecturebox}")


def label(anchor: str) -> str:
    """Return the place that references lead to."""
    return f"\\phantomsection\\label{{{anchor}}}" if anchor else ""


def columns(widths: tuple[int, ...]) -> str:
    """Return the columns of a table: as they are where all fit, else the wide ones share what the narrow ones leave."""
    if sum(widths) + 3 * len(widths) <= LETTERS:
        return "@{}" + "l" * len(widths) + "@{}"
    wide = [width**0.6 for width in widths if width > NARROW]
    left = max(0.3, 0.98 - sum(width + 3 for width in widths if width <= NARROW) / LETTERS)
    cut = r">{\raggedright\arraybackslash}p{\dimexpr %.3f\linewidth-2\tabcolsep}"
    return "@{}" + "".join("l" if width <= NARROW else cut % (left * width**0.6 / sum(wide)) for width in widths) + "@{}"


@cache
def symbols() -> dict[str, str]:
    """Return how TeX sets signs."""
    return {sign: str(latex) for sign, latex in tomllib.loads(data("symbols.toml")).items()}


def declared(source: str) -> str:
    """Return declarations of the signs outside of ASCII that a source has.

    Raises:
        NotSupportedError: TeX would not know one of them.
    """
    found = sorted({sign for sign in source if ord(sign) > 127 and not HANGUL.match(sign)})
    strange = [s for s in found if s not in symbols() and not (ord(s) < 0x250 or 0x2010 <= ord(s) <= 0x2027 or 0x3000 <= ord(s) < 0x3040 or 0xFF00 <= ord(s) < 0xFFF0)]
    if strange:
        name = unicodedata.name(strange[0], "unknown")
        raise NotSupportedError(f"the format latex does not know the sign '{strange[0]}' ({name}); use the format pdf or html")
    return "\n".join(rf"\newunicodechar{{{sign}}}{{\ensuremath{{{symbols()[sign]}}}}}" for sign in found if sign in symbols())


def escaped(text: str) -> str:
    """Return a plain text for LaTeX."""
    return "".join(ESCAPED.get(sign, sign) for sign in text)


def latex_of(document: Document, folder: str) -> tuple[bytes, dict[str, bytes]]:
    """Write a document as LaTeX.

    Args:
        document: The lecture.
        folder: What the folder of the pictures is called.

    Returns:
        The source, and the pictures by name.

    Raises:
        NotSupportedError: A package is not installed, or a sign is unknown.
    """
    body = pandoc(Latex(document, folder).write(), "latex", "--columns=100000", purpose="LaTeX").decode()
    source = filled(
        data("templates/lecture.tex"), macros=data("templates/code.tex"), signs=declared(body + document.title + document.subtitle),
        hangul="\\usepackage{kotex}" if korean(document) else "", title=escaped(document.title), subtitle=escaped(document.subtitle),
        contents=escaped(document.labels.get("contents", "Contents")), engine="xelatex or lualatex" if korean(document) else "pdflatex", body=body,
    )
    return source.encode(), figure_files(document, "pdf", "LaTeX")


def engine_of(document: Document) -> str:
    """Return the program that compiles a document."""
    return "xelatex" if korean(document) else "pdflatex"


def compiled(document: Document) -> bytes:
    """Write a document as a PDF by TeX.

    Raises:
        NotSupportedError: TeX is not installed, or stops.
    """
    program = tex(engine_of(document))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, shown = latex_of(document, "figures")
        (folder / "figures").mkdir()
        (folder / "lecture.tex").write_bytes(source)
        for file, content in shown.items():
            (folder / "figures" / file).write_bytes(content)
        for _ in range(RUNS):
            run(program, folder)
        return (folder / "lecture.pdf").read_bytes()


def run(program: str, folder: Path) -> None:
    """Run TeX once.

    Raises:
        NotSupportedError: It stops.
    """
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape", "lecture.tex"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60 * MINUTES, check=False)
    except subprocess.TimeoutExpired:
        raise NotSupportedError(f"the engine latex: {program} took more than {MINUTES} minutes; use the engine typst") from None
    if done.returncode:
        wrong = re.search(r"^\S+:\d+: .*$|^! .*$", done.stdout.decode(errors="replace"), re.MULTILINE)
        raise NotSupportedError(f"the engine latex: {Path(program).name} stopped: {one_line(wrong[0] if wrong else done.stdout[-200:])}; use the engine typst")
