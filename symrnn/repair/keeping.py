"""What foreign code can change, remembered and put back: arrays, containers, attributes and globals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.repair.source import CHOICE, TURN, WATCH
from symrnn.verify.handwritten.structures import OPAQUE

OURS = {CHOICE, TURN, WATCH}


class Checkpoint:
    """Arrays and containers as they were at one moment; :meth:`restore` puts everything back in place."""

    def __init__(self, roots: Sequence[Any], spaces: Sequence[dict[str, Any]]) -> None:
        self.arrays: list[tuple[Any, Any]] = []
        self.lists: list[tuple[list[Any], list[Any]]] = []
        self.dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = [(space, {k: v for k, v in space.items() if k not in OURS}) for space in spaces]
        self.seen: set[int] = {id(space) for space in spaces}
        for root in roots:
            self.walk(root)

    def walk(self, value: Any) -> None:
        """Remember a value and what it holds."""
        if isinstance(value, OPAQUE) or id(value) in self.seen:
            return
        if isinstance(value, np.ndarray):
            self.seen.add(id(value))
            self.arrays.append((value, value.copy()))
            if value.dtype == object:
                for part in value.flat:
                    self.walk(part)
        elif isinstance(value, Mapping | list | tuple) or hasattr(value, "__dict__"):
            self.seen.add(id(value))
            self.inside(value)

    def inside(self, value: Any) -> None:
        """Remember a container or an object."""
        if isinstance(value, list):
            self.lists.append((value, list(value)))
        elif isinstance(value, dict):
            self.dicts.append((value, dict(value)))
        elif not isinstance(value, tuple | Mapping):
            self.dicts.append((vars(value), dict(vars(value))))
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else vars(value).values()
        for part in list(parts):
            self.walk(part)

    def restore(self) -> None:
        """Put everything back."""
        for array, numbers in self.arrays:
            array[...] = numbers
        for held, parts in self.lists:
            held[:] = parts
        for table, entries in self.dicts:
            if table.keys() != entries.keys():
                for key in table.keys() - entries.keys() - OURS:
                    del table[key]
            table.update(entries)
