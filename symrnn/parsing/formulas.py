"""The commands about formulas: cells, derive, export, read, notation."""

from __future__ import annotations

from symrnn.parsing.arguments import Parser, pair, parser
from symrnn.parsing.options import CELL_OPTIONS, NOTATIONS, with_file, with_network, with_notation, with_options


def cells_parser() -> Parser:
    """``symrnn cells``."""
    about = "The published cells: names, states, equations, numbers of parameters with their formula, sources."
    return parser("cells", about, "  symrnn cells", takes="")


def networks_parser() -> Parser:
    """``symrnn networks``."""
    about = "The architectures: names, a sketch of each, and the options that it takes."
    return parser("networks", about, "  symrnn networks", takes="")


def derive_parser() -> Parser:
    """``symrnn derive``."""
    about = (
        "Derive backpropagation through time. Gradients have the shape of what they are taken in (denominator layout);\n"
        "formulas are for one sequence of a batch, vectors are columns, times run from 1 to T."
    )
    made = with_file(with_network(parser("derive", about, """\
  symrnn derive lstm
  symrnn derive gru --task many-to-one --loss cross-entropy --format latex
  symrnn derive lstm --wrt W_f --steps
  symrnn derive rnn --activation phi --notation notes-000
  symrnn derive rnn --size H=1 --size D=1
  symrnn derive lstm --network stacked --layers 2 --task many-to-one
  symrnn derive gru --network encoder-decoder --attention additive
  symrnn derive rnn --truncate 5
  symrnn derive my_cell.py:CELL --format markdown -o my_cell.md""")))
    made.add_argument("--format", metavar="NAME", default="unicode", help="unicode (default), latex, markdown, json")
    with_notation(made, NOTATIONS)
    made.add_argument("--wrt", metavar="NAME", help="only what leads to the gradient in NAME, such as W_f, x or h_0")
    made.add_argument("--steps", action="store_true", help="justify every step: equation, rule, local derivative")
    made.add_argument("--no-assume", dest="assume", action="store_false",
                      help="do not use what is assumed of the data (that a target sums to one)")
    return made


def notation_parser() -> Parser:
    """``symrnn notation``."""
    about = (
        "The notation profiles: how names, times and adjoints are printed. With --new, write the start of a profile of\n"
        "your own, a TOML file with a comment for each choice; derive takes its path as --notation."
    )
    made = parser("notation", about, "  symrnn notation\n  symrnn notation --new my.toml", takes="")
    made.add_argument("--new", metavar="FILE", help="write a commented profile to FILE, which ends in .toml")
    made.add_argument("--force", action="store_true", help="replace the file if it exists")
    return made


def export_parser() -> Parser:
    """``symrnn export``."""
    about = (
        "Write single formulas: for a paper, a terminal, a web page, Word (paste MathML), Typst, or as a picture. One formula\n"
        "comes as it is, several come as one aligned block. No TeX is needed; see docs/how-to/export.md."
    )
    made = with_file(with_network(parser("export", about, """\
  symrnn export lstm --what dW_f,delta_c
  symrnn export gru --what dU --notation goodfellow -o dU.svg
  symrnn export lstm --what h --format mathml""")))
    made.add_argument("--what", metavar="NAMES", default="all", help="dW_f, x: gradients; delta_c: an adjoint; c: a forward "
                      "equation; forward, backward, gradients, all (default); names as in the notation indexed")
    made.add_argument("--format", metavar="NAME", help="latex, unicode, mathml, typst, svg, png; by default as FILE ends, or latex")
    with_notation(made)
    return made


def read_parser() -> Parser:
    """``symrnn read``."""
    about = (
        "Write one forward step of a cell in Python, let latexify-py read it, and put its formulas beside ours; or do that\n"
        "with a step function of your own. The function is read, not run. latexify-py writes @ and * alike."
    )
    made = parser("read", about + "\n\nExit status: 0 all the same, 1 something differs, 2 bad input.", """\
  symrnn read lstm
  symrnn read gru --notation notes-000
  symrnn read lstm --source
  symrnn read my_step.py:step --cell lstm --name h_old=h_prev""")
    made.add_argument("what", metavar="CELL", help="a name such as lstm, path.py:NAME of a cell, or with --cell path.py:FUNCTION")
    made.add_argument("--cell", metavar="CELL", help="the cell whose equations the function should have")
    made.add_argument("--name", metavar="A=B", type=pair, action="append", default=[],
                      help="A in the function is B in the step that --source prints (again for more)")
    with_notation(made)
    made.add_argument("--source", action="store_true", help="print the forward step and stop")
    with_options(made, "the cell", CELL_OPTIONS)
    return made
