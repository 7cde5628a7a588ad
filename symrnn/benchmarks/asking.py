"""What is asked to be measured, and the errors of asking for what is not there."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, replace

from symrnn.benchmarks import CELLS, COMPETITORS, DTYPES, PACKAGES
from symrnn.benchmarks.sizes import size_of
from symrnn.errors import SpecError
from symrnn.loading import load_cell

INSTALL = "pip install 'symrnn[bench]'"


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Attributes:
        cells: Names, or ``path.py:NAME``.
        sizes: Names of ``SIZES``, or numbers such as ``8x20x32x64``.
        dtypes: ``float64``, ``float32``.
        threads: Numbers of threads, for each of which there is a process.
        against: Names of ``COMPETITORS``.
        rounds: How often everyone has a turn.
        clock: ``wall``, or ``cpu`` for the time of the processor.
    """

    cells: tuple[str, ...]
    sizes: tuple[str, ...]
    dtypes: tuple[str, ...]
    threads: tuple[int, ...]
    against: tuple[str, ...]
    rounds: int
    clock: str = "wall"

    @property
    def cases(self) -> int:
        """How many lines the tables have, threads and dtypes apart."""
        return len(self.cells) * len(self.sizes) * len(self.dtypes) * len(self.threads)


def asked(
    cells: Iterable[str] = CELLS, *, sizes: str, rounds: int, dtypes: str = ",".join(DTYPES), threads: str = "1",
    against: str | None = None, clock: str = "wall",
) -> Asked:
    """Read what is asked, names separated by commas; ``against`` is everybody by default.

    Raises:
        SpecError: A name that is not known, or a cell that cannot be loaded.
    """
    for cell in cells:
        load_cell(cell, {})
    for size in sizes.split(","):
        size_of(size)
    others = [name for name in COMPETITORS if name != "symrnn"]
    chosen = chosen_from("competitor", others, against) if against is not None else tuple(others)
    return Asked(tuple(dict.fromkeys(cells)), tuple(dict.fromkeys(sizes.split(","))), chosen_from("dtype", DTYPES, dtypes),
                 counts(threads), chosen, rounds, clock)


def chosen_from(what: str, known: Iterable[str], text: str) -> tuple[str, ...]:
    """Read names, each once."""
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in known:
            raise SpecError(f"unknown {what} '{name}'; there are {', '.join(known)}")
    return names


def counts(text: str) -> tuple[int, ...]:
    """Read positive numbers, each once."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise SpecError(f"expected numbers of threads from 1 on, such as 1,2; got '{text}'")
    return tuple(dict.fromkeys(map(int, parts)))


def installed(asked: Asked) -> tuple[Asked, tuple[str, ...]]:
    """Leave out the competitors whose packages are not there, and say so, a line for each package."""
    missing = {name: PACKAGES[name] for name in asked.against if name in PACKAGES and importlib.util.find_spec(PACKAGES[name]) is None}
    lines = tuple(
        f"{', '.join(name for name in missing if missing[name] == package)} left out: {package} is not installed; {INSTALL}"
        for package in dict.fromkeys(missing.values())
    )
    return replace(asked, against=tuple(name for name in asked.against if name not in missing)), lines
