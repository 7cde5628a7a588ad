"""The arguments of the command line: one parser a command, errors in one line with the nearest names.

Nothing here imports SymPy, so that ``--help`` is immediate; a test holds the names in the help against the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symrnn.parsing.arguments import Parser
from symrnn.parsing.bench import bench_parser
from symrnn.parsing.flow import flow_parser
from symrnn.parsing.formulas import (
    cells_parser,
    derive_parser,
    export_parser,
    networks_parser,
    notation_parser,
    read_parser,
)
from symrnn.parsing.lecture import lecture_parser
from symrnn.parsing.programs import check_parser, code_parser, params_parser
from symrnn.parsing.unrolling import unroll_parser
from symrnn.parsing.verifying import verify_parser

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


@dataclass(frozen=True)
class Command:
    """A command: what the overview says, and how its parser is made."""

    about: str
    parser: Callable[[], Parser]


__all__ = ["COMMANDS", "Command", "overview"]

COMMANDS = {
    "cells": Command("list the published cells", cells_parser),
    "networks": Command("list the architectures", networks_parser),
    "notation": Command("list the notations, or start one of your own", notation_parser),
    "derive": Command("print the derivation", derive_parser),
    "code": Command("print or write the NumPy code", code_parser),
    "check": Command("run the judges on derivation and code", check_parser),
    "verify": Command("verify gradients that somebody wrote by hand", verify_parser),
    "export": Command("write single formulas: LaTeX, MathML, Typst, SVG, PNG", export_parser),
    "params": Command("count parameters, compare cells", params_parser),
    "unroll": Command("unroll over some steps: substitution, sum over paths, drawing", unroll_parser),
    "flow": Command("measure, draw and sweep the flow of gradients through time", flow_parser),
    "lecture": Command("write a lecture: page, PDF, slides, notebook, LaTeX, Word", lecture_parser),
    "bench": Command("time fast code against PyTorch, JAX, autograd and NumPy", bench_parser),
    "read": Command("read a forward step back from Python, by latexify-py", read_parser),
}


def overview() -> str:
    """Return the help of the program."""
    return TOP.format(commands="\n".join(f"  {name:<9}{command.about}" for name, command in COMMANDS.items()))
