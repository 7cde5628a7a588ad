"""The options that several commands share, in groups: the cell, the network, the loss, the result."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from symrnn.parsing.arguments import Parser, Sizes, limit, positive, size, window

Options = Sequence[tuple[str, Mapping[str, Any]]]
SWITCH: Mapping[str, Any] = {"action": "store_true", "default": None}

CELL_OPTIONS: Options = (
    ("--activation", dict(metavar="NAME", help="rnn, rnn-block, ugrnn: tanh (default), indrnn: relu (default); sigmoid, "
                                               "leaky_relu, softplus, elu, sin, identity, or phi for one left open")),
    ("--update-gate", dict(metavar="WAY", help="gru: an open gate keeps the old state (default) or lets the new one in")),
    ("--beta", dict(metavar="NUMBER", help="janet: how much less the gate of the candidate sees (default 1)")),
    ("--bias", dict(action=argparse.BooleanOptionalAction, help="biases in the cell; --no-bias: none at all")),
    ("--layer-norm", dict(SWITCH, help="normalise the pre-activation of each gate over the units of its layer")),
)
NETWORK_OPTIONS: Options = (
    ("--network", dict(metavar="NAME", help="single (default), stacked, bidirectional, encoder-decoder, captioning, "
                                            "language-model (symrnn networks: what each takes)")),
    ("--layers", dict(metavar="N", type=positive, help="how many layers, alike; or write CELL as gru,lstm: one for each")),
    ("--task", dict(metavar="NAME", help="many-to-many (default), many-to-one, one-to-one, one-to-many")),
    ("--merge", dict(metavar="HOW", help="bidirectional: concat (default) or sum of the two directions")),
    ("--attention", dict(metavar="SCORE", help="encoder-decoder, captioning: dot, scaled-dot, general, additive")),
    ("--image", dict(metavar="WAY", help="captioning without attention: first (default), state, every: where the image is read")),
    ("--feed", dict(metavar="WHAT", help="one-to-many: what is read after the first time, nothing (default) or output; "
                                         "a decoder: teacher (default) or output")),
    ("--embed", dict(SWITCH, help="integers in, by the columns of a table, instead of vectors")),
    ("--tied", dict(SWITCH, help="the readout has the table of the embedding, transposed")),
    ("--residual", dict(SWITCH, help="add what a layer reads to what it gives")),
    ("--source-mask", dict(SWITCH, help="encoder-decoder: a mask for the padding of the source")),
)
LOSS_OPTIONS: Options = (
    ("--loss", dict(metavar="NAME", help="cross-entropy (default), binary-cross-entropy, squared-error")),
    ("--readout", dict(metavar="NAME", help="softmax, sigmoid, linear; by default the one that goes with the loss")),
    ("--over-time", dict(metavar="HOW", help="sum (default) or mean of the losses of the times")),
    ("--over-batch", dict(metavar="HOW", help="sum (default) or mean of the losses of a batch")),
    ("--times", dict(metavar="TIMES", help="the times that carry loss: all, last, first, or such as 2..T or 1,3,T-1")),
    ("--mask", dict(SWITCH, help="weight the loss of each time with a given m_t")),
)
PRACTICE_OPTIONS: Options = (
    ("--dropout", dict(metavar="WAY", help="masks that are given: each: a fresh one at each time; same: one for all times")),
    ("--truncate", dict(metavar="J", type=window, help="stop the gradient of the state every J steps; a number, or a letter")),
    ("--truncate-form", dict(metavar="FORM", help="window (default): where a window of J steps begins; lag: every loss goes "
                                                  "back through J steps")),
)
CLIP = "--clip", dict(metavar="C", type=limit, help="scale the gradients of the parameters down to a norm of C, after all of them")
SIZE = "--size", dict(metavar="D=1", type=size, action=Sizes, default={},
                      help="replace a size letter by a number (again for more); 1 makes a scalar")
NOTATIONS = ("indexed (default), notes-000, notes-001, notes-002, notes-003, notes-004, cs231n, d2l, goodfellow, greff, "
             "keras, pytorch, or your own: my.toml (symrnn notation)")


def with_options(made: Parser, title: str, options: Options) -> Parser:
    """Add a group of options."""
    group = made.add_argument_group(title)
    for option, settings in options:
        group.add_argument(option, **settings)
    return made


def given(parsed: argparse.Namespace, *groups: Options) -> dict[str, Any]:
    """Return the options of some groups that were given, by the names that Python functions have for them."""
    names = [option.removeprefix("--").replace("-", "_") for group in groups for option, _ in group]
    return {name: value for name in names if (value := getattr(parsed, name)) is not None}


def with_network(made: Parser) -> Parser:
    """Add the cell and what makes a network of it."""
    made.add_argument("cell", metavar="CELL", help="a name such as lstm (symrnn cells lists them); gru,lstm: one for each "
                      "layer; or path.py:NAME of a cell, or of a network that the file wires")
    return with_wiring(made)


def with_wiring(made: Parser) -> Parser:
    """Add the options of cells, networks, losses and training."""
    with_options(made, "the cell", CELL_OPTIONS)
    with_options(made, "the network", (*NETWORK_OPTIONS, SIZE))
    with_options(made, "the loss", LOSS_OPTIONS)
    return with_options(made, "training practice", (*PRACTICE_OPTIONS, CLIP))


def with_notation(made: Parser, about: str = "a profile, as for derive") -> Parser:
    """Add the notation."""
    made.add_argument("--notation", metavar="NAME", default="indexed", help=about)
    return made


def with_file(made: Parser) -> Parser:
    """Add where the result goes."""
    return with_options(made, "the result", (
        ("-o", dict(dest="output", metavar="FILE", help="write a file, whole or not at all; without it, print")),
        ("--force", dict(action="store_true", help="replace the file if it exists")),
    ))
