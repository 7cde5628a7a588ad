"""The sizes of what is measured: B sequences of T steps, inputs of length D, states of length H, and K = D outputs."""

from __future__ import annotations

import re
from types import MappingProxyType

from symrnn.errors import SpecError

SIZES = MappingProxyType({
    "charrnn": (1, 25, 64, 100),
    "mid": (32, 50, 64, 128),
    "large": (64, 100, 128, 256),
    "long": (1, 1000, 32, 64),
    "zaremba": (16, 35, 650, 650),
})
"""B, T, D, H by name."""


def size_of(name: str) -> tuple[int, int, int, int]:
    """Return B, T, D, H of a name, or of numbers such as ``8x20x32x64``.

    Raises:
        SpecError: Neither of them.
    """
    if name in SIZES:
        return SIZES[name]
    if not re.fullmatch(r"[1-9][0-9]*(x[1-9][0-9]*){3}", name):
        raise SpecError(f"unknown size '{name}'; known: {', '.join(SIZES)}, or your own B, T, D, H, such as 8x20x32x64")
    B, T, D, H = map(int, name.split("x"))
    return B, T, D, H
