"""Networks as the command line asks for them: cells, one for each layer, an architecture with its options, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Integer

from symrnn.equations import Cell
from symrnn.errors import SpecError, unknown
from symrnn.loading.files import dashed, load, load_cell, options_of
from symrnn.loading.times import read_times
from symrnn.networks import NETWORKS, Network, architecture
from symrnn.networks.truncation import truncated


def load_network(where: str, options: Mapping[str, Any], wiring: Mapping[str, Any], sizes: Mapping[str, int]) -> Network:
    """Find cells, wire them, and replace size letters by numbers.

    Args:
        where: As for ``load_cell``; with commas in between, one for each layer; or ``path.py:NAME`` of a network.
        options: Options of the cells.
        wiring: ``network``, the name of an architecture, with its options; ``truncate`` and ``truncate_form``.
        sizes: Letter to number.

    Raises:
        SpecError: A name, an option or a letter that nobody defines.
    """
    asked = dict(wiring)
    name, window, form = (asked.pop(key, None) for key in ("network", "truncate", "truncate_form"))
    if "times" in asked:
        asked["times"] = read_times(asked["times"])
    if form is not None and window is None:
        raise SpecError("--truncate-form says how --truncate works; give --truncate as well, such as --truncate 5")
    cells = load_cells(where, dict(options))
    if isinstance(cells, Network):
        if idle := [*asked, *(["network"] if name else [])]:
            raise SpecError(f"{dashed(idle[0])} is for networks by name; {where} has its own wiring")
        made = cells
    else:
        made = wired(name or "single", cells, asked)
    if window is not None:
        made = truncated(made, window, form=form or "window")
    letters = {str(letter): letter for letter in made.sizes}
    for letter in sizes:
        if letter not in letters:
            raise unknown("size", letter, letters)
    return made.with_sizes({letters[letter]: Integer(number) for letter, number in sizes.items()}) if sizes else made


def load_cells(where: str, options: dict[str, Any]) -> tuple[Cell, ...] | Network:
    """Find the cells of the layers, or the network of a file; an option goes to those cells that take it, and one must.

    Raises:
        SpecError: A name that is missing between two commas, or an option that no cell takes.
    """
    names = [name.strip() for name in where.split(",")]
    if not all(names):
        raise SpecError(f"'{where}' names one cell for each layer, with commas in between, such as gru,lstm; one is missing")
    takes = {name: (*options_of(name), "layer_norm") for name in names}
    for option in options:
        if len(names) > 1 and not any(option in known for known in takes.values()):
            raise SpecError(f"no cell of {where} has an option {dashed(option)}; leave it out")
    if len(names) == 1:
        found = load(where, options)
        return found if isinstance(found, Network) else (found,)
    return tuple(
        load_cell(name, {option: value for option, value in options.items() if option in takes[name]})
        for name in names
    )


def wired(name: str, cells: tuple[Cell, ...], options: dict[str, Any]) -> Network:
    """Build an architecture, and refuse an option that it does not take as the command line spells it."""
    if name not in NETWORKS:
        raise SpecError(f"{unknown('network', name, NETWORKS)}; symrnn networks lists them")
    takes = NETWORKS[name].options
    for option in options:
        if option not in takes:
            others = " and ".join(other for other, of in NETWORKS.items() if option in of.options)
            raise SpecError(f"network '{name}' has no option {dashed(option)}, which is for {others}; "
                            f"it takes {', '.join(map(dashed, takes))}")
    if len(cells) > 1 and "layers" not in takes:
        others = " or ".join(other for other, of in NETWORKS.items() if "layers" in of.options)
        raise SpecError(f"{len(cells)} cells are {len(cells)} layers, and the network '{name}' has one; choose --network {others}")
    return architecture(name, cells, **options)
