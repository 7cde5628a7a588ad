"""The cells as published, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from types import MappingProxyType
from typing import Any

from symrnn.cells.block import lstm_block, rnn_block
from symrnn.cells.coupled import lstm_coupled
from symrnn.cells.elman import rnn
from symrnn.cells.gru import gru, gru_reset_after
from symrnn.cells.indrnn import indrnn
from symrnn.cells.janet import janet
from symrnn.cells.lstm import lstm
from symrnn.cells.mgu import mgu
from symrnn.cells.peephole import lstm_peephole
from symrnn.cells.ugrnn import ugrnn
from symrnn.equations import Cell
from symrnn.errors import SpecError, unknown

CELLS: Mapping[str, Callable[..., Cell]] = MappingProxyType({
    "rnn": rnn,
    "rnn-block": rnn_block,
    "indrnn": indrnn,
    "lstm": lstm,
    "lstm-block": lstm_block,
    "lstm-peephole": lstm_peephole,
    "lstm-coupled": lstm_coupled,
    "gru": gru,
    "gru-reset-after": gru_reset_after,
    "mgu": mgu,
    "janet": janet,
    "ugrnn": ugrnn,
})


def cell(name: str, **options: Any) -> Cell:
    """Build a published cell by its name.

    Args:
        name: A key of ``CELLS``.
        options: Options of that cell, such as ``activation="relu"`` for ``rnn``.

    Raises:
        SpecError: Unknown name or option.
    """
    if name not in CELLS:
        raise unknown("cell", name, CELLS)
    takes = signature(CELLS[name]).parameters
    for option, value in options.items():
        if option in takes and isinstance(takes[option].default, bool) and not isinstance(value, bool):
            raise SpecError(f"cell '{name}': {option} is True or False; got {value!r}")
    try:
        return CELLS[name](**options)
    except TypeError as error:
        raise SpecError(f"cell '{name}' does not take these options: {', '.join(options)} ({error})") from None


__all__ = [
    "CELLS",
    "cell",
    "gru",
    "gru_reset_after",
    "indrnn",
    "janet",
    "lstm",
    "lstm_block",
    "lstm_coupled",
    "lstm_peephole",
    "mgu",
    "rnn",
    "rnn_block",
    "ugrnn",
]
