"""The command that writes a lecture."""

from __future__ import annotations

from symrnn.parsing.arguments import Parser, parser
from symrnn.parsing.options import NOTATIONS, with_notation, with_options, with_wiring

ABOUT = """\
Write a lecture on a cell or a network: equations in words, the derivation quantity by quantity, pictures, three steps written
out, why gradients vanish, code with links to its equations, what was verified, exercises with solutions. Everything is made
from the derivation at hand, in the notation that --notation names, and judges verify it first: a lecture with a line that they
refute is not written. What they found is kept, so that the next lecture of the same formulas does not wait.

The format follows the ending of FILE: .html, .md, .tex, .pdf, .docx, .ipynb, .pptx; --format slides makes an HTML file of slides.

Exit status: 0 written, 1 a judge refuted a line, 2 bad input."""


def lecture_parser() -> Parser:
    """``symrnn lecture``."""
    made = with_wiring(parser("lecture", ABOUT, """\
  symrnn lecture lstm -o lstm.html
  symrnn lecture gru --notation notes-000 --lang ko -o gru.pdf
  symrnn lecture rnn lstm gru --compare -o week9.pdf
  symrnn lecture lstm --task many-to-one --level exercise -o sheet.tex
  symrnn lecture lstm --format slides -o lstm_slides.html
  symrnn lecture my_cell.py:CELL --level short -o my_cell.ipynb""", takes="CELL ... -o FILE "))
    made.add_argument("cells", metavar="CELL", nargs="+", help="a name such as lstm (symrnn cells lists them), or path.py:NAME; "
                      "several with --compare; gru,lstm: one for each layer")
    with_options(made, "the lecture", (
        ("--level", dict(metavar="LEVEL", default="full", help="short: equations, gradients, flow; full (default); exercise: a sheet of "
                                                               "exercises, with the solutions at the end")),
        ("--lang", dict(metavar="LANGUAGE", default="en", help="en (default), ko")),
        ("--compare", dict(action="store_true", help="several cells in one lecture, side by side")),
    ))
    with_notation(made, NOTATIONS)
    with_options(made, "the result", (
        ("-o", dict(dest="output", metavar="FILE", help="the file, written whole or not at all")),
        ("--format", dict(metavar="NAME", default="", help="html, slides, markdown, latex, pdf, docx, notebook, pptx; by default as FILE ends")),
        ("--engine", dict(metavar="NAME", default="typst", help="what makes a PDF: typst (default), which needs no TeX, or latex, an "
                                                                "installed TeX")),
        ("--force", dict(action="store_true", help="replace the file if it exists")),
    ))
    return made
