"""The cell of a derivation: one that was given, or the published one whose equations the network has, options included."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from inspect import signature
from itertools import product
from typing import Any

from symrnn.activations import ACTIVATIONS
from symrnn.cells import CELLS, cell
from symrnn.equations import Cell
from symrnn.networks import network as network_of
from symrnn.networks.graph import Network

CHOICES: dict[str, tuple[Any, ...]] = {"bias": (True, False), "update_gate": ("old", "new"), "activation": tuple(ACTIVATIONS)}
"""Options of published cells that change their equations, with their values."""


@cache
def display_names() -> Mapping[str, str]:
    """Return what a lecture calls the published cells, by their names."""
    return tomllib.loads((resources.files("symrnn.lecture") / "names.toml").read_text(encoding="utf-8"))


def display_name(name: str) -> str:
    """Return what a lecture calls a cell: ``LSTM`` for ``lstm``; any other name as it is."""
    return display_names().get(name, name)


def is_published(one: Cell) -> bool:
    """Tell whether a cell is one of the published ones, with whatever options, and not another one of that name."""
    return one.name in CELLS and one.title == cell(one.name).title


def cell_of(network: Network, given: Iterable[Cell]) -> tuple[Cell | None, bool]:
    """Find the cell of a network.

    Args:
        network: Whose cell is wanted.
        given: Cells that may be meant.

    Returns:
        The cell, and whether its equations are those of the network, name by name: those of one layer among several are not.
    """
    own = [one for one in given if one.name == network.cell]
    candidates = own or (list(variants(network.cell)) if network.cell in CELLS else [])
    matching = next((one for one in candidates if is_in(one, network)), None)
    return (matching, True) if matching is not None else (next(iter(candidates), None), False)


def variants(name: str) -> Iterator[Cell]:
    """Yield a published cell with its defaults, then with other options."""
    options = [option for option in signature(CELLS[name]).parameters if option in CHOICES]
    yield cell(name)
    for values in product(*(CHOICES[option] for option in options)):
        yield cell(name, **dict(zip(options, values, strict=True)))


def is_in(one: Cell, network: Network) -> bool:
    """Tell whether a network has the equations of a cell."""
    made = network_of(one)
    layer = next(part for part in made.parts if part.role == "layer")
    held = {(e.lhs, e.rhs) for e in network.equations}
    return all((e.lhs, e.rhs) in held for e in made.equations if e.name in layer.names)


__all__ = ["cell_of", "display_name", "is_published"]
