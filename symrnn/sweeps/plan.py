"""What is swept: named ranges, how often each point is drawn, and the seed of each point."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from symrnn.equations import Cell
from symrnn.errors import SpecError, unknown
from symrnn.networks.graph import Network

Value = float | int | str
POINTS = 1_000_000
"""The largest number of points of a sweep."""


@dataclass(frozen=True)
class Kind:
    """What the values of a name are: ``int``, ``float`` or ``str``, from where on, and whether that end is among them."""

    type: type
    least: float = -math.inf
    open: bool = False


NAMES: Mapping[str, Kind] = MappingProxyType({
    "radius": Kind(float, 0.0), "gain": Kind(float, 0.0), "forget_bias": Kind(float), "hidden": Kind(int, 1), "steps": Kind(int, 1),
    "init": Kind(str),
})
"""What can be swept."""


@dataclass(frozen=True)
class Point:
    """One measurement: a cell, its settings, the number of the draw, and its seed."""

    cell: str
    settings: Mapping[str, Value]
    draw: int
    seed: int

    @property
    def key(self) -> str:
        """Return what tells points apart."""
        return json.dumps([self.cell, dict(self.settings), self.draw])


@dataclass(frozen=True)
class Sweep:
    """Points over named ranges.

    Attributes:
        cells: Name to cell or network; each is measured at every point.
        ranges: Name to values: ``radius``, ``gain``, ``forget_bias``, ``hidden``, ``steps``, ``init``.
        repeat: How often each point is drawn, with weights and data of its own.
        settings: What is the same at every point: any of the names above, and options of ``gradient_flow``.
        seed: Of the whole sweep. The seed of a point follows from it and from the point alone: neither the other points nor
            the order in which they run change a result.

    Raises:
        SpecError: An unknown name, no values, a value out of range, a name that is swept and set.
    """

    cells: Mapping[str, Cell | Network]
    ranges: Mapping[str, Sequence[Value]]
    repeat: int = 1
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    seed: int = 0

    def __post_init__(self) -> None:
        """Check, and freeze."""
        if not self.cells:
            raise SpecError("a sweep needs a cell; got none")
        if isinstance(self.repeat, bool) or not isinstance(self.repeat, int) or self.repeat < 1:
            raise SpecError(f"a sweep draws each point at least once; got repeat={self.repeat!r}")
        ranges = {name.replace("-", "_"): tuple(values) for name, values in self.ranges.items()}
        for name, values in ranges.items():
            check_range(name, values)
            if name in self.settings:
                raise SpecError(f"{name} is swept and set to {self.settings[name]} as well; leave one of them out")
        for name in self.settings.keys() & NAMES.keys():
            check_value(name, self.settings[name])
        object.__setattr__(self, "ranges", MappingProxyType(ranges))
        object.__setattr__(self, "cells", MappingProxyType(dict(self.cells)))
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        if len(self) > POINTS:
            raise SpecError(f"a sweep of {len(self):,} points is too long; at most {POINTS:,}; make a range coarser")

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.cells) * math.prod(map(len, self.ranges.values())) * self.repeat

    def points(self) -> Iterator[Point]:
        """Go through the points in order."""
        for cell, values in itertools.product(self.cells, itertools.product(*self.ranges.values())):
            settings = MappingProxyType(dict(zip(self.ranges, values, strict=True)))
            for draw in range(1, self.repeat + 1):
                yield Point(cell, settings, draw, self.seed_of(cell, settings, draw))

    def seed_of(self, cell: str, settings: Mapping[str, Value], draw: int) -> int:
        """Return the seed of a point, which is that of no other."""
        text = json.dumps([self.seed, cell, dict(sorted(settings.items())), draw])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    @property
    def plan(self) -> dict[str, Any]:
        """Return what was swept, as the header of the table says it: equal plans have equal results."""
        return {
            "cells": {name: digest(of) for name, of in self.cells.items()}, "ranges": {name: list(values) for name, values in self.ranges.items()},
            "repeat": self.repeat, "settings": dict(sorted(self.settings.items())), "seed": self.seed,
        }


def digest(of: Cell | Network) -> str:
    """Return a short text that tells the equations of two cells apart."""
    return hashlib.sha256(repr([(e.lhs, e.rhs) for e in of.equations]).encode()).hexdigest()[:12]


def check_range(name: str, values: Sequence[Value]) -> None:
    """Refuse a name that cannot be swept, and values that it cannot have.

    Raises:
        SpecError: The first of them.
    """
    if name not in NAMES:
        raise unknown("name to sweep", name, NAMES)
    if not values:
        raise SpecError(f"sweep: {name} has no values; write it as {name}=0.5:1.5:21, first:last:number, or {name}=1,2,5")
    for value in values:
        check_value(name, value)
    if len(set(values)) < len(values):
        twice = next(value for place, value in enumerate(values) if value in values[:place])
        raise SpecError(f"sweep: {name} has the value {twice} twice; to draw a point again, use repeat")


def check_value(name: str, value: Any) -> None:
    """Refuse a value that a name cannot have."""
    kind = NAMES[name]
    if kind.type is str:
        if not isinstance(value, str):
            raise SpecError(f"{name} is a name; got {value!r}")
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(f"{name} is a number; got {value!r}")
    if kind.type is int and value != int(value):
        raise SpecError(f"{name} is a whole number; got {value}")
    if value < kind.least:
        raise SpecError(f"{name} must be at least {kind.least:g}; got {value:g}")


def read_range(text: str) -> tuple[str, tuple[Value, ...]]:
    """Read a range: ``radius=0.5:1.5:21``, first, last and number of values, or ``hidden=16,32,64``.

    Args:
        text: As it is written on the command line.

    Returns:
        The name and its values.

    Raises:
        SpecError: No such name, or what is no range.
    """
    name, equals, written = (part.strip() for part in text.partition("="))
    name = name.replace("-", "_")
    if not equals or not written:
        raise SpecError(f"'{text}' is no range; write name=first:last:number, such as radius=0.5:1.5:21, or name=1,2,5")
    if name not in NAMES:
        raise unknown("name to sweep", name, NAMES)
    kind = NAMES[name].type
    values = spaced(name, written, kind) if ":" in written else tuple(read_value(name, part.strip(), kind) for part in written.split(","))
    check_range(name, values)
    return name, values


def spaced(name: str, written: str, kind: type) -> tuple[Value, ...]:
    """Read ``first:last:number``; the last is among the values."""
    parts = written.split(":")
    if kind is str:
        raise SpecError(f"{name} has names, not numbers; write {name}=gaussian,orthogonal")
    if len(parts) != 3 or not (parts[2].strip().isascii() and parts[2].strip().isdigit()) or int(parts[2]) < 2:
        raise SpecError(f"'{name}={written}' is no range; write first:last:number with a number from 2 on, such as {name}=0.5:1.5:21")
    first, last = (read_value(name, part.strip(), float) for part in parts[:2])
    number = int(parts[2])
    if number > POINTS:
        raise SpecError(f"'{name}={written}' has {number:,} values; at most {POINTS:,}")
    found = [round(float(first) + (float(last) - float(first)) * step / (number - 1), 12) for step in range(number)]
    if kind is int and any(value != int(value) for value in found):
        raise SpecError(f"{name} is a whole number, and {written} has {next(v for v in found if v != int(v)):g} in it; write {name}=16,32,64")
    return tuple(kind(value) for value in found)


def read_value(name: str, text: str, kind: type) -> Value:
    """Read one value."""
    try:
        value: Value = kind(text)
    except ValueError:
        raise SpecError(f"{name} is a {'whole ' if kind is int else ''}number; got '{text}'") from None
    if kind is str and not text:
        raise SpecError(f"{name}: a name is missing between two commas")
    if kind is float and not math.isfinite(float(value)):
        raise SpecError(f"{name} is a number; got '{text}'")
    return value
