"""The command about speed: bench."""

from __future__ import annotations

from symrnn.parsing.arguments import Parser, parser, positive
from symrnn.parsing.options import with_file

ABOUT = """\
Time the loss and all gradients of fast code against others, on this machine, in one run: a table of ratios in Markdown.
Everyone has the same weights and data, in the layout that it likes, and must give the same numbers before time is taken.

sizes, as B (sequences) x T (steps) x D (input, and outputs) x H (state):
  charrnn  1x25x64x100     like min-char-rnn
  mid      32x50x64x128    a small model on a batch
  large    64x100x128x256  a larger one
  long     1x1000x32x64    one long sequence
  zaremba  16x35x650x650   the medium model of Zaremba et al. 2014

against:
  torch       torch.nn: rnn, lstm, gru-reset-after
  torch-loop  PyTorch with a loop over time
  jax         lax.scan under jit, compiled before
  autograd    NumPy code that HIPS autograd differentiates
  naive       NumPy as people write it: rnn, lstm, gru-reset-after
  readable    the readable code of symrnn
  compiled    fast code with loops that Numba compiles: below 8 sequences
  products    not a competitor but the limit: matrix products alone, for the cells of torch.nn

What is not installed is left out: pip install 'symrnn[bench]' has all."""


def bench_parser() -> Parser:
    """``symrnn bench``."""
    made = parser("bench", ABOUT, """\
  symrnn bench
  symrnn bench lstm gru rnn --sizes charrnn,mid --against torch,jax,naive
  symrnn bench gru --sizes charrnn,8x20x32x64 --dtypes float32 --threads 1,2
  symrnn bench my_cell.py:CELL --against torch-loop,readable --rounds 3 -o ratios.md""", takes="[CELL ...] ")
    made.add_argument("cells", metavar="CELL", nargs="*", help="names such as lstm, or path.py:NAME; default rnn lstm gru-reset-after")
    made.add_argument("--sizes", metavar="NAMES", default="charrnn,mid", help="names with commas in between, or your own BxTxDxH; default charrnn,mid")
    made.add_argument("--against", metavar="NAMES", help="names with commas in between; default: all that is installed")
    made.add_argument("--dtypes", metavar="NAMES", default="float64,float32", help="default float64,float32")
    made.add_argument("--threads", metavar="NUMBERS", default="1", help="numbers of threads, a process for each; default 1")
    made.add_argument("--rounds", metavar="N", type=positive, default=5, help="turns of each, whose median counts; default 5")
    return with_file(made)
