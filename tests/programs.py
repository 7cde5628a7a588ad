"""Generated programs of the published cells, and numbers for them."""

from __future__ import annotations

import numpy as np

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.networks import network
from symrnn.verify.points import random_point

SIZES = {"B": 2, "T": 4, "D": 3, "H": 5, "K": 7}
CELLS = ("rnn", "lstm", "gru", "gru-reset-after")
OPTIONS = [
    {},
    {"loss": "squared-error", "over_time": "mean"},
    {"loss": "binary-cross-entropy", "over_batch": "mean"},
    {"loss": "squared-error", "readout": "softmax"},
    {"mask": True, "over_time": "mean", "over_batch": "mean"},
    {"task": "many-to-one"},
    {"task": "many-to-one", "loss": "squared-error"},
    {"task": "one-to-one"},
    {"task": "one-to-many"},
    {"task": "one-to-many", "feed": "output"},
]


def program_of(kind="lstm", activation=None, **options):
    """The program of a published cell."""
    made = cell(kind) if activation is None else cell(kind, activation=activation)
    return to_numpy(derive(network(made, **options)))


def point_of(program, seed=0, dtype=np.float64, **sizes):
    """Random numbers for everything that a program is given."""
    return random_point(program.derivation.network, {**SIZES, **sizes}, np.random.default_rng(seed), dtype)
