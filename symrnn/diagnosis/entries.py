"""All numbers that foreign code gets or returns, as one vector: an array of the code is an array of places in it.

Where an entry of the code's ``Wx`` stands in the model's ``U_f`` is then an array of places in the shape of ``U_f``, however
the code lays out its arrays; the same places say where the gradient belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LISTED = re.compile(r"^(.*?)\[(\d+)\]$")


@dataclass(frozen=True)
class Held:
    """An array of the code, or a list of arrays over time, as places in the vector.

    Attributes:
        name: As the code writes it: ``Wx``, ``params['Wx']``; of a list the name of the list.
        places: In the shape of the array without axes of length 1; a list is its first axis.
        kind: Of its slot: ``real``, ``integers``, ``one_hot``, ….
        below: Of integers: what they are below.
        moves: Whether a gradient is taken in it.
    """

    name: str
    places: Any
    kind: str = "real"
    below: int = 0
    moves: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes that are longer than 1."""
        return tuple(self.places.shape)


@dataclass
class Entries:
    """Where each array begins in the vector."""

    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    size: int = 0

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Entries:
        """Lay arrays out one after the other."""
        made = cls()
        for name, shape in shapes.items():
            made.shapes[name], made.starts[name] = tuple(shape), made.size
            made.size += int(np.prod(shape, dtype=int))
        return made

    def places(self, name: str) -> Any:
        """Return the places of an array, in its own shape."""
        shape = self.shapes[name]
        return (self.starts[name] + np.arange(int(np.prod(shape, dtype=int)))).reshape(shape)

    def vector(self, arrays: Mapping[str, Any], kind: Any = float) -> Any:
        """Put arrays into one vector; what is not there is 0."""
        made = np.zeros(self.size, dtype=kind)
        for name, array in arrays.items():
            if name in self.starts:
                flat = np.asarray(array, dtype=kind if kind is object else None).reshape(-1)
                made[self.starts[name]: self.starts[name] + flat.size] = flat
        return made


def squeezed(places: Any) -> Any:
    """Drop the axes of length 1."""
    return places.reshape(tuple(n for n in places.shape if n != 1))


def held(entries: Entries, kinds: Mapping[str, tuple[str, int, bool]]) -> list[Held]:
    """Return the arrays, those of a list over time as one.

    Args:
        entries: The vector.
        kinds: Kind, bound and whether it moves, by name.
    """
    groups: dict[str, list[str]] = {}
    for name in entries.shapes:
        found = LISTED.match(name)
        groups.setdefault(found[1] if found else name, []).append(name)
    made = []
    for name, members in groups.items():
        alike = len({entries.shapes[m] for m in members}) == 1 and len(members) > 1
        if alike and len({entries.shapes[m] for m in members}) == 1 and is_run(members):
            made.append(Held(name, np.stack([squeezed(entries.places(m)) for m in members]), *kinds[members[0]]))
        else:
            made += [Held(m, squeezed(entries.places(m)), *kinds[m]) for m in members]
    return made


def is_run(names: Iterable[str]) -> bool:
    """Tell whether names are those of the entries of a list that holds one thing over time: at least three of one shape."""
    numbers = [int(found[2]) for name in names if (found := LISTED.match(name))]
    return len(numbers) > 2 and numbers == list(range(len(numbers)))
