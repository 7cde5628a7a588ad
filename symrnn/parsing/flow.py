"""The command about the flow of gradients: flow."""

from __future__ import annotations

from symrnn.parsing.arguments import Parser, amount, parser, positive, real, whole, workers
from symrnn.parsing.options import CELL_OPTIONS, NETWORK_OPTIONS, Options, with_options

NUMBERS: Options = (
    ("--init", dict(metavar="RULE", help="gaussian (default), xavier, orthogonal, identity, pytorch: how weights are drawn")),
    ("--radius", dict(metavar="R", type=amount, help="spectral radius of the recurrent matrices")),
    ("--gain", dict(metavar="G", type=amount, help="factor of the other matrices")),
    ("--forget-bias", dict(metavar="B", type=real, help="bias of the gate of the direct path, such as the forget gate of lstm")),
    ("--params", dict(metavar="FILE", help="trained weights: an .npz file with the names of the formulas, or of PyTorch")),
    ("--layout", dict(metavar="NAME", help="of FILE: formulas (default), pytorch")),
    ("--data", dict(metavar="FILE", help="sequences: an .npz file with x (B, T, D), or one array; by default from N(0, 1)")),
    ("--layer", dict(metavar="NAME", help="whose states, where there are several layers or directions: such as 1 or bw")),
)
PICTURES = {
    "--side-by-side": "a panel for each cell",
    "--heat": "the norm over both times, t and k",
    "--singular-values": "all singular values over lag",
    "--gates": "the activity of the gates beside the flow",
}
"""Options that choose what --plot shows, with their help."""
SWEEPS: Options = (
    ("--sweep", dict(metavar="RANGE", action="append", help="radius=0.5:1.5:21, first:last:number, or hidden=16,32,64 (again for more): "
                                                            "radius, gain, forget_bias, hidden, steps, init")),
    ("--repeat", dict(metavar="N", type=positive, help="draw each point N times (default 1)")),
    ("--csv", dict(metavar="FILE", help="a table that grows by a line a point")),
    ("--resume", dict(action="store_true", default=None, help="go on with FILE: no finished point is measured again")),
    ("--jobs", dict(metavar="N", type=workers, help="processes on this machine (default 1; -1: every core)")),
    ("--cluster", dict(metavar="ADDRESS", help="run on Dask: the address of a scheduler, such as tcp://host:8786 (pip install 'symrnn[cluster]')")),
)


def flow_parser() -> Parser:
    """``symrnn flow``."""
    about = (
        "Measure how gradients decay or explode over time: the norm of the product of Jacobians by lag, with the bound of the\n"
        "theorem, the direct path, the length of the memory and the largest Lyapunov exponent; draw it; sweep over settings."
    )
    made = parser("flow", about, """\
  symrnn flow rnn lstm gru --steps 100 --hidden 64 --plot flow.svg
  symrnn flow lstm --forget-bias 3 --heat --plot heat.png
  symrnn flow lstm --params my_params.npz --layout pytorch --data my_sequences.npz
  symrnn flow --remedies --plot remedies.pdf
  symrnn flow rnn --sweep 'radius=0.5:1.5:21' --repeat 20 --csv sweep.csv --plot phase.png
  symrnn flow rnn --sweep 'radius=0.5:1.5:21' --repeat 20 --csv sweep.csv --resume --jobs -1""")
    made.add_argument("cells", metavar="CELL", nargs="*", help="names such as lstm, or path.py:NAME; gru,lstm: one for each layer")
    made.add_argument("--steps", metavar="T", type=positive, help="number of steps (default 100)")
    made.add_argument("--hidden", metavar="H", type=positive, help="size of the state (default 64)")
    made.add_argument("--input", metavar="D", dest="inputs", type=positive, help="size of the input; by default that of the state")
    made.add_argument("--seed", metavar="N", type=whole, default=0, help="of weights and data (default 0)")
    made.add_argument("--json", action="store_true", help="every number at every lag as JSON, instead of the table")
    made.add_argument("--remedies", action="store_true", help="what helps, compared: orthogonal and identity weights, ReLU, forget "
                      "bias, skips, layer normalisation, clipping, truncation; no CELL")
    made.add_argument("--training", metavar="N", type=positive, help="before and after N steps of training on a task with a delay")
    with_options(made, "weights and data", NUMBERS)
    group = made.add_argument_group("the picture")
    group.add_argument("--plot", metavar="FILE", help="draw: .svg, .png or .pdf (pip install 'symrnn[plots]')")
    for option, help in PICTURES.items():
        group.add_argument(option, action="store_true", help=help)
    group.add_argument("--title", metavar="TEXT", help="of the picture")
    group.add_argument("--force", action="store_true", help="replace files that exist")
    with_options(made, "a sweep (pip install 'symrnn[sweeps]')", SWEEPS)
    with_options(made, "the cell", CELL_OPTIONS)
    return with_options(made, "the network", NETWORK_OPTIONS)
