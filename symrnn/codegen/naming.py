"""Identifiers of generated code: one for each quantity and size, none twice, none that Python or the code itself uses."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy import Basic, Expr

from symrnn.networks.graph import Given, Network
from symrnn.scheduling import Form

RESERVED = frozenset({
    *keyword.kwlist, *keyword.softkwlist, "np", "t", "params", "dtype", "gradients", "loss", "loss_and_gradients",
    "forward", "l", "O", "I", "phi", "softmax", "masked_softmax", "log_softmax", "one_hot", "sigmoid", "softplus", "relu", "leaky_relu", "elu", "rsqrt",
    "stop_gradient", "step", "range", "sum", "int", "dict", "slice", "list", "workspace", "take", "keep", "one", "half", "two",
    "minus_one", "min", "max", "len", "add", "subtract", "multiply", "negative", "tanh", "sin", "cos", "exp", "log", "reciprocal", "dot", "matmul",
    "concatenate", "first", "stop", "chunk", "block", "product", "flattened", "plus", "probabilities",
    "math", "njit", "compiled", "weighted_sum", "numbers", "check_precision", "sequence",
})
"""Names that a quantity cannot have in the code; ``l``, ``O`` and ``I`` are read as digits."""
DERIVED = re.compile(r"phi_(prime|\d+)|(all_)?scratch_\d+|array_\d+|.+_(all|at|now|each|kept|flat|row)|[^_].*_T")
"""Names that the code makes itself: arrays in between, and those for all times or for one of a quantity."""
INDEX_LETTERS = ("t", "s", "k", "j", "m", "q")


def identifier(text: str) -> str:
    """Return a text as an identifier: ``h_-1`` becomes ``h_m1``, ``h_T + 1`` becomes ``h_Tp1``."""
    return re.sub(r"\W", "", text.replace("-", "m").replace("+", "p"))


@dataclass
class Names:
    """The identifiers of one network.

    Attributes:
        sizes: Of size letters.
        quantities: Of series and static quantities.
        arguments: Of what is given, by the name of the given: ``h_0`` for an initial state, ``x`` for a series.
        indices: Letters for the index of a sum.
    """

    sizes: dict[Expr, str] = field(default_factory=dict)
    quantities: dict[Basic, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(RESERVED))

    def fresh(self, wanted: str) -> str:
        """Take an identifier, with underscores behind it where it is taken."""
        name = identifier(wanted)
        while name in self.taken or DERIVED.fullmatch(name):
            name += "_"
        self.taken.add(name)
        return name

    @property
    def batch(self) -> str:
        """The number of sequences of a batch."""
        return next(name for size, name in self.sizes.items() if str(size) == "B")

    @property
    def indices(self) -> tuple[str, ...]:
        """Letters that are free for the index of a sum."""
        free = tuple(letter for letter in INDEX_LETTERS if letter == "t" or letter not in self.taken)
        return (*free, *(f"s_{number}" for number in range(1, 9)))


def names_of(network: Network | Form, batch: Expr) -> Names:
    """Assign the identifiers of a network: sizes first, then what is given, then what is computed."""
    names = Names()
    for size in dict.fromkeys((batch, *network.sizes)):
        names.sizes[size] = names.fresh(str(size))
    for quantity in _quantities(network):
        names.quantities[quantity] = names.fresh(str(quantity.key))
    for given in network.givens:
        own = given.name == str(given.quantity.key)
        names.arguments[given.name] = names.quantities[given.quantity] if own else names.fresh(given.name)
    return names


def _quantities(network: Network | Form) -> Iterable[Basic]:
    def values(given: Given) -> Basic:
        return given.quantity

    return dict.fromkeys([*map(values, network.givens), *(e.quantity for e in network.equations)])
