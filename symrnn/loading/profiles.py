"""Notation profiles as the command line asks for them."""

from __future__ import annotations

import inspect

from symrnn.cells import CELLS
from symrnn.networks import Network, network
from symrnn.notation import Notation, notation, owners, refuse_unknown

LOOKUPS = ("u", "E_w", "E", "e", "alpha", "ctx")
"""Names of embeddings and attentions, which a profile can give letters whether or not the network at hand has them."""


def load_notation(where: str, made: Network) -> Notation:
    """Find a notation profile for a network.

    Args:
        where: A profile's name, or the path of a TOML file.
        made: The network that is printed.

    Raises:
        SpecError: An unknown name, or a bad file: the message names its line.
    """
    found = notation(where)
    if found.source == where:
        refuse_unknown(found, quantities(made), {"t", *(str(letter) for letter in made.sizes), *"DHKTV"})
    return found


def quantities(made: Network) -> set[str]:
    """Return the names that a profile can give a letter: those of the network, without marks, and of every published cell."""
    names = {*made.names, *LOOKUPS, *(owned.stem for owned in owners(made.names, made.cell, made.parts).values())}
    for build in CELLS.values():
        options = {"bias": True} if "bias" in inspect.signature(build).parameters else {}
        names |= set(network(build(**options), mask=True, over_time="mean").names)
    return names
