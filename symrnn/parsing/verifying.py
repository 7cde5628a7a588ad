"""The command about code and formulas that somebody wrote: verify."""

from __future__ import annotations

from symrnn.conventions import names
from symrnn.parsing.arguments import Parser, limit, parser, positive, whole
from symrnn.parsing.options import with_notation, with_wiring

ABOUT = """\
Verify a backward pass that was written by hand: is what it returns the gradient of its own forward pass? The file is
run, unmodified, in a process of its own with limits of time and memory, on balls of hundreds of bits.

FILE is my_lstm.py with --forward and --backward, or my_rnn.py::RNN, a class with methods forward and backward. One function
that returns the loss and the gradients is named by --forward alone.

Where the code follows a convention that symrnn knows, --layout names it, --cell says which cell it is, and nothing else needs
to be said: functions, arguments and the order of the gates are known. What --args says wins. A pattern says how an array lies:
"N T D" is batch, time, input; "D (i f o g) H" has the blocks of four gates side by side; "(1 + D + H) H" has parts on top of
each other, 1 for a row of biases. Patterns stand in --args for shapes.

Exit status: 0 right (side effects and float64 constants are warnings), 1 wrong, right up to a factor, clipped or truncated
and not accepted, 3 something was not checked, 2 the code cannot be run or something must be told.

With --formula, a gradient formula that somebody printed, in LaTeX or as text, is compared with the derivative of the
network that --cell and the options describe: equal (status 0), different (1), or not to be read (2)."""


def verify_parser() -> Parser:
    """``symrnn verify``."""
    made = parser("verify", ABOUT, """\
  symrnn verify my_lstm.py --forward lstm_forward --backward lstm_backward --args args.toml
  symrnn verify my_lstm.py --cell lstm --layout cs231n
  symrnn verify my_rnn.py::RNN --args args.toml --json
  symrnn verify min_char_rnn.py --forward lossFun --args args.toml --html -o report.html
  symrnn verify --formula 'W_{hh}^\\top \\delta a_{t+1} + W_{hy}^\\top \\delta a_{y,t}' --for d_h --cell rnn""", takes="FILE ")
    made.add_argument("file", metavar="FILE", nargs="?", default="", help="a Python file, or FILE::CLASS")
    made.add_argument("--forward", metavar="NAME", default="", help="the forward function; of a class the method, forward by default")
    made.add_argument("--backward", metavar="NAME", default="", help="the backward function or method")
    made.add_argument("--args", metavar="FILE", default="", help="a TOML file with the shapes of the arguments and what must be told")
    made.add_argument("--cell", metavar="CELL", default="",
                      help="the cell that the code, or the network of the formula, is: a name such as lstm, or path.py:NAME")
    made.add_argument("--layout", metavar="NAME", default="", help=f"a convention: {', '.join(names())}; or a file, my_course.toml")
    made.add_argument("--in-process", action="store_true", help="run the code in this process, without limits")
    made.add_argument("--timeout", metavar="S", type=limit, default=60.0, help="seconds that the code may take (default 60)")
    made.add_argument("--memory", metavar="MB", type=positive, default=4096, help="megabytes that it may use (default 4096)")
    how = made.add_mutually_exclusive_group()
    for kind, name in (("json", "JSON"), ("markdown", "Markdown"), ("html", "HTML")):
        how.add_argument(f"--{kind}", dest="format", action="store_const", const=kind, help=f"the report as {name}")
    with_formula(made)
    made.add_argument("-o", "--output", metavar="FILE", help="write to a file instead of standard output")
    made.add_argument("--force", action="store_true", help="replace the file if it exists")
    return made


def with_formula(made: Parser) -> None:
    """Add a formula, what it is for, and the network that it is of."""
    group = made.add_argument_group("a formula instead of a file")
    group.add_argument("--formula", metavar="TEXT", help="the formula, with or without a left side: LaTeX, or text as derive prints it")
    group.add_argument("--for", dest="for_", metavar="WHAT", help="what it is for: d_h, W_hh, x; not needed with a left side")
    group.add_argument("--seed", metavar="N", type=whole, default=0, help="seed of the random point (default 0)")
    with_notation(made, "the notation of the formula")
    with_wiring(made)
