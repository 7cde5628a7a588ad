"""The command about steps: unroll."""

from __future__ import annotations

from symrnn.parsing.arguments import Parser, parser, positive
from symrnn.parsing.options import NOTATIONS, with_file, with_network, with_notation


def unroll_parser() -> Parser:
    """``symrnn unroll``."""
    about = (
        "Unroll a network over a number of steps: its states put into themselves, the backward pass time by time, each gradient\n"
        "as a sum over paths with its products of Jacobians, and why that sum is the recursion of the derivation. Or draw it:\n"
        "svg and tikz show the unrolled graph with the gradients that flow back, marked by what multiplies them."
    )
    made = with_file(with_network(parser("unroll", about, """\
  symrnn unroll rnn --steps 3 --wrt W_hh
  symrnn unroll rnn --back-to 2 --notation notes-000         h at t from h at t-2, in the letters of a lecture
  symrnn unroll lstm --steps 3 --substitute everything --format latex
  symrnn unroll lstm --steps 3 --format svg -o lstm.svg
  symrnn unroll gru --network bidirectional --steps 4 --format tikz -o bigru.tex""")))
    made.add_argument("--steps", metavar="N", type=positive, default=3, help="how many (default 3); of each sequence, where there are several")
    made.add_argument("--format", metavar="NAME", help="unicode, latex, markdown, svg, tikz; by default as FILE ends (.tex, .md, .svg), "
                      "or unicode")
    with_notation(made, NOTATIONS)
    made.add_argument("--wrt", metavar="NAME", help="the gradient to write as a sum over paths, such as W_f, x or h_0")
    made.add_argument("--back-to", metavar="K", type=positive, help="put the state into itself from any t back to t-K, at most 20, "
                      "instead of down to the initial state")
    made.add_argument("--substitute", metavar="WHAT", default="states", help="states (default): gates and candidates keep their names; "
                      "everything: they do not")
    return made
