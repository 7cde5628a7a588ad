"""The commands about programs and numbers: code, check, params."""

from __future__ import annotations

from symrnn.parsing.arguments import Parser, parser, positive, size, whole
from symrnn.parsing.options import with_file, with_network, with_options, with_wiring


def code_parser() -> Parser:
    """``symrnn code``."""
    about = (
        "Write the derivation as NumPy code that a person can read and keep: a module that needs NumPy only, with a\n"
        "function of (params, x, y) that returns the loss and the gradients by name. The batch is the leading axis."
    )
    made = with_file(with_network(parser("code", about, """\
  symrnn code lstm --task many-to-many -o lstm_bptt.py
  symrnn code rnn --loss squared-error
  symrnn code rnn,lstm --network stacked --residual --dropout same
  symrnn code my_cell.py:CELL -o my_bptt.py --force
  symrnn code lstm --style fast -o fast_lstm.py
  symrnn code lstm --style fast --compiled -o compiled_lstm.py
  symrnn code lstm --style fast --optimizer adam
  symrnn code lstm --style fast --memory B=64 --memory T=100 --memory D=128 --memory H=256 --memory K=128""")))
    return with_options(made, "the code", (
        ("--style", dict(metavar="NAME", default="readable", help="readable (default): one line an equation; or fast: in place, in "
                         "arrays that are kept between calls, with all that is not recurrent outside the loop")),
        ("--wrt", dict(metavar="NAME", action="append", help="a gradient that is returned; again for more; all, or parameters; default: "
                       "all, and with --style fast the parameters")),
        ("--layout", dict(metavar="NAME", help="of fast code: batch-first or feature-first; default: each call chooses")),
        ("--checkpoint", dict(action="store_true", help="fast code that keeps only the states between windows of the sequence")),
        ("--compiled", dict(action="store_true", help="fast code whose loops over time Numba compiles, for calls with fewer than 8 "
                            "sequences, and with --checkpoint for all; the file needs Numba when it runs")),
        ("--optimizer", dict(metavar="NAME", help="add whole steps of training in place: sgd (with momentum), adam or adamw, with "
                             "clipping")),
        ("--memory", dict(metavar="LETTER=N", type=size, action="append", help="print the arrays of fast code for these sizes, such as "
                          "B=64, and their bytes; again for each letter")),
        ("--dtype", dict(metavar="NAME", default="float64", help="with --memory: float64 (default) or float32")),
    ))


def check_parser() -> Parser:
    """``symrnn check``."""
    about = (
        "Hold the derivation and its code against judges that know none of the rules that made them: exact arithmetic on\n"
        "the unrolled network (entrywise), rigorous ball arithmetic on the code (balls), and numbers (numeric)."
    )
    made = with_network(parser("check", about + "\n\nExit status: 0 all agree, 1 something was refuted, 3 something could "
                               "not be decided, 2 bad input.", """\
  symrnn check lstm
  symrnn check gru --network bidirectional --times 2..T
  symrnn check gru --task many-to-one --judge entrywise --judge balls
  symrnn check my_cell.py:CELL --json"""))
    made.add_argument("--judge", metavar="NAME", action="append", help="entrywise, balls, numeric; again for more; default all")
    made.add_argument("--all", action="store_true", help="list every finding, not only those that do not agree")
    made.add_argument("--seed", metavar="N", type=whole, default=0, help="seed of the random points (default 0)")
    made.add_argument("--json", action="store_true", help="the reports as JSON")
    return made


def params_parser() -> Parser:
    """``symrnn params``."""
    about = (
        "Count parameters: by part and by gate, as a formula and as a number, with the readout, not shared over time, and\n"
        "with the biases of PyTorch and Keras; several cells are compared. Losses and training practice change no number."
    )
    made = with_wiring(parser("params", about, """\
  symrnn params lstm
  symrnn params lstm gru rnn --input 64 --hidden 128 --output 10
  symrnn params gru-reset-after --hidden 128 --input 64 --steps 20 --json
  symrnn params lstm gru --network bidirectional --layers 2 --hidden 128
  symrnn params gru --network language-model --size V=100"""))
    made.add_argument("cells", metavar="CELL", nargs="+", help="names such as lstm, or path.py:NAME; gru,lstm: one for each layer")
    for option, letter, help in (("--input", "D", "size D of the input"), ("--hidden", "H", "size H of the hidden state"),
                                 ("--output", "K", "size K of the output"), ("--steps", "T", "number T of times")):
        made.add_argument(option, dest=letter, metavar="N", type=positive, help=help)
    made.add_argument("--json", action="store_true", help="the counts as JSON")
    return made
