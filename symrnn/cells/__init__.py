"""The cells as published, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from symrnn.cell import Cell
from symrnn.cells.elman import rnn
from symrnn.cells.gru import gru, gru_reset_after
from symrnn.cells.lstm import lstm
from symrnn.errors import SpecError, unknown

CELLS: Mapping[str, Callable[..., Cell]] = MappingProxyType(
    {"rnn": rnn, "lstm": lstm, "gru": gru, "gru-reset-after": gru_reset_after}
)


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
    try:
        return CELLS[name](**options)
    except TypeError as error:
        raise SpecError(f"cell '{name}' does not take these options: {', '.join(options)} ({error})") from None


__all__ = ["CELLS", "cell", "gru", "gru_reset_after", "lstm", "rnn"]
