"""The arguments of the command line: one parser a command, errors in one line with the nearest names.

Nothing here imports SymPy, so that ``--help`` is immediate; a test holds the names in the help against the tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from symrnn.errors import SpecError, unknown

TOP = """\
usage: symrnn COMMAND [options]

Backpropagation through time for recurrent cells: derived at matrix level with every step justified, proved by three
independent judges, printed for a terminal, as LaTeX, Markdown or JSON, and turned into NumPy code.

commands:
{commands}

CELL is a published cell such as rnn, lstm or gru (symrnn cells lists them), or your own: my_cell.py:CELL, where the file
my_cell.py binds the name CELL to a symrnn.Cell.

examples:
  symrnn derive lstm                                  the whole derivation, readable in a terminal
  symrnn derive lstm --wrt W_f --steps                what leads to one gradient, each step with its rule
  symrnn code lstm --task many-to-many -o lstm_bptt.py
  symrnn check lstm

symrnn COMMAND --help says more; symrnn --version prints the version.
"""

NETWORK_OPTIONS: Sequence[tuple[str, dict[str, str]]] = (
    ("--task", dict(metavar="NAME", help="many-to-many (default), many-to-one, one-to-one, one-to-many")),
    ("--loss", dict(metavar="NAME", help="cross-entropy (default), binary-cross-entropy, squared-error")),
    ("--readout", dict(metavar="NAME", help="softmax, sigmoid, linear; by default the one that goes with the loss")),
    ("--over-time", dict(metavar="HOW", help="sum (default) or mean of the losses of the times")),
    ("--over-batch", dict(metavar="HOW", help="sum (default) or mean of the losses of a batch")),
    ("--feed", dict(metavar="WHAT", help="one-to-many: the input after the first time, nothing (default) or output")),
    ("--activation", dict(metavar="NAME", help="rnn, rnn-block, ugrnn: tanh (default), indrnn: relu (default); sigmoid, "
                                               "leaky_relu, softplus, elu, sin, identity, or phi for one left open")),
    ("--update-gate", dict(metavar="WAY", help="gru: an open gate keeps the old state (default) or lets the new one in")),
    ("--beta", dict(metavar="NUMBER", help="janet: how much less the gate of the candidate sees (default 1)")),
)


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of printing."""

    def error(self, message: str) -> NoReturn:
        """Raise ``SpecError`` with the command's name."""
        raise SpecError(f"{message}; see {self.prog} --help")

    def parse_strictly(self, args: Sequence[str]) -> argparse.Namespace:
        """Parse, and refuse what is left over with the nearest options.

        Raises:
            SpecError: An unknown option, a missing or a superfluous argument, a value that does not fit.
        """
        options = [option for option in self._option_string_actions if option.startswith("--")]
        for arg in args:
            name = arg.partition("=")[0]
            if name.startswith("--") and len(name) > 2 and name not in options:
                raise unknown("option", name, options)
        found, rest = self.parse_known_args(args)
        if rest:
            raise SpecError(f"unexpected argument '{rest[0]}'; see {self.prog} --help")
        return found


def size(text: str) -> tuple[str, int]:
    """Read ``D=1``."""
    letter, equals, number = text.partition("=")
    if not (letter.isalpha() and equals and number.isascii() and number.isdigit() and int(number) > 0):
        raise argparse.ArgumentTypeError(f"a size is a letter and a positive number, such as D=1; got '{text}'")
    return letter, int(number)


def whole(text: str) -> int:
    """Read a number from 0 on."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on; got '{text}'")
    return int(text)


def pair(text: str) -> tuple[str, str]:
    """Read ``h_old=h_prev``."""
    name, equals, meaning = text.partition("=")
    if not (equals and name.isidentifier() and meaning.isidentifier()):
        raise argparse.ArgumentTypeError(f"expected two names such as h_old=h_prev; got '{text}'")
    return name, meaning


def positive(text: str) -> int:
    """Read a number from 1 on."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on; got '{text}'")
    return int(text)


def parser(name: str, about: str, examples: str) -> Parser:
    """Make the parser of a command; help and version are handled by the caller, who prints."""
    made = Parser(
        prog=f"symrnn {name}", usage=f"symrnn {name} [options]" if name in {"cells", "notation"} else f"symrnn {name} CELL [options]",
        description=about, epilog="examples:\n" + examples, add_help=False, allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110),
    )
    made.add_argument("--help", "-h", action="store_true", help="show this help")
    made.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return made


def with_network(made: Parser) -> Parser:
    """Add the cell and what makes a network of it."""
    made.add_argument("cell", metavar="CELL", help="a name such as lstm (symrnn cells lists them), or path.py:NAME")
    group = made.add_argument_group("the network")
    for option, settings in NETWORK_OPTIONS:
        group.add_argument(option, **settings)  # type: ignore[arg-type]  # metavar and help are texts
    group.add_argument("--mask", action="store_true", default=None, help="weight the loss of each time with a given m_t")
    group.add_argument("--bias", action=argparse.BooleanOptionalAction, help="biases in the cell; --no-bias: none at all")
    group.add_argument("--size", metavar="D=1", type=size, action="append", default=[],
                       help="replace a size letter by a number (again for more); 1 makes a scalar")
    return made


def with_file(made: Parser) -> Parser:
    """Add where the result goes."""
    group = made.add_argument_group("the result")
    group.add_argument("-o", dest="output", metavar="FILE", help="write a file, whole or not at all; without it, print")
    group.add_argument("--force", action="store_true", help="replace the file if it exists")
    return made


def cells_parser() -> Parser:
    """``symrnn cells``."""
    about = "The published cells: names, states, equations, numbers of parameters with their formula, sources."
    return parser("cells", about, "  symrnn cells")


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
  symrnn derive my_cell.py:CELL --format markdown -o my_cell.md""")))
    made.add_argument("--format", metavar="NAME", default="unicode", help="unicode (default), latex, markdown, json")
    made.add_argument("--notation", metavar="NAME", default="indexed", help="indexed (default), notes-000, notes-001, "
                      "notes-002, notes-003, notes-004, cs231n, d2l, goodfellow, greff, keras, pytorch, or your own: my.toml (symrnn notation)")
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
    made = parser("notation", about, "  symrnn notation\n  symrnn notation --new my.toml")
    made.add_argument("--new", metavar="FILE", help="write a commented profile to FILE, which ends in .toml")
    made.add_argument("--force", action="store_true", help="replace the file if it exists")
    return made


def code_parser() -> Parser:
    """``symrnn code``."""
    about = (
        "Write the derivation as NumPy code that a person can read and keep: a module that needs NumPy only, with a\n"
        "function of (params, x, y) that returns the loss and the gradients by name. The batch is the leading axis."
    )
    made = with_file(with_network(parser("code", about, """\
  symrnn code lstm --task many-to-many -o lstm_bptt.py
  symrnn code rnn --loss squared-error
  symrnn code my_cell.py:CELL -o my_bptt.py --force""")))
    made.add_argument("--style", metavar="NAME", default="readable", help="readable (default): one line an equation")
    return made


def check_parser() -> Parser:
    """``symrnn check``."""
    about = (
        "Hold the derivation and its code against judges that know none of the rules that made them: exact arithmetic on\n"
        "the unrolled network (entrywise), rigorous ball arithmetic on the code (balls), and numbers (numeric)."
    )
    made = with_network(parser("check", about + "\n\nExit status: 0 all agree, 1 something was refuted, 3 something could "
                               "not be decided, 2 bad input.", """\
  symrnn check lstm
  symrnn check gru --task many-to-one --judge entrywise --judge balls
  symrnn check my_cell.py:CELL --json"""))
    made.add_argument("--judge", metavar="NAME", action="append", help="entrywise, balls, numeric; again for more; default all")
    made.add_argument("--all", action="store_true", help="list every finding, not only those that do not agree")
    made.add_argument("--seed", metavar="N", type=whole, default=0, help="seed of the random points (default 0)")
    made.add_argument("--json", action="store_true", help="the reports as JSON")
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
    made.add_argument("--notation", metavar="NAME", default="indexed", help="a profile, as for derive")
    return made


def params_parser() -> Parser:
    """``symrnn params``."""
    about = (
        "Count parameters: by gate, as a formula and as a number, with the readout, not shared over time, and with the\n"
        "biases of PyTorch and Keras; several cells are compared."
    )
    made = parser("params", about, """\
  symrnn params lstm
  symrnn params lstm gru rnn --input 64 --hidden 128 --output 10
  symrnn params gru-reset-after --hidden 128 --input 64 --steps 20 --json""")
    made.add_argument("cells", metavar="CELL", nargs="+", help="names such as lstm, or path.py:NAME")
    for option, letter, help in (("--input", "D", "size D of the input"), ("--hidden", "H", "size H of the hidden state"),
                                 ("--output", "K", "size K of the output"), ("--steps", "T", "number T of times")):
        made.add_argument(option, dest=letter, metavar="N", type=positive, help=help)
    made.add_argument("--no-bias", dest="bias", action="store_false", default=None, help="no biases at all")
    made.add_argument("--json", action="store_true", help="the counts as JSON")
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
    made.add_argument("--notation", metavar="NAME", default="indexed", help="a profile, as for derive")
    made.add_argument("--source", action="store_true", help="print the forward step and stop")
    for option, settings in NETWORK_OPTIONS:
        if option in {"--activation", "--update-gate", "--beta"}:
            made.add_argument(option, **settings)  # type: ignore[arg-type]  # as above
    made.add_argument("--bias", action=argparse.BooleanOptionalAction, help="biases in the cell")
    return made


@dataclass(frozen=True)
class Command:
    """A command: what the overview says, and how its parser is made."""

    about: str
    parser: Callable[[], Parser]


COMMANDS = {
    "cells": Command("list the published cells", cells_parser),
    "notation": Command("list the notations, or start one of your own", notation_parser),
    "derive": Command("print the derivation", derive_parser),
    "code": Command("print or write the NumPy code", code_parser),
    "check": Command("run the judges on derivation and code", check_parser),
    "export": Command("write single formulas: LaTeX, MathML, Typst, SVG, PNG", export_parser),
    "params": Command("count parameters, compare cells", params_parser),
    "read": Command("read a forward step back from Python, by latexify-py", read_parser),
}


def overview() -> str:
    """Return the help of the program."""
    return TOP.format(commands="\n".join(f"  {name:<8}{command.about}" for name, command in COMMANDS.items()))
