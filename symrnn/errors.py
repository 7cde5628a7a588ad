"""The errors of symrnn: each message names the object, what was expected, what was got, and the next step."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SymrnnError(Exception):
    """Base of every error that symrnn raises on purpose."""


class SpecError(SymrnnError, ValueError):
    """The input is wrong: a shape, a name, an equation, an option."""


class NotSupportedError(SymrnnError, NotImplementedError):
    """The input is right, but symrnn does not do this (yet)."""


class DataError(SymrnnError, ValueError):
    """Numbers given to generated code or a judge do not fit: sizes, NaN, an empty sequence."""


class RefutedError(SymrnnError, ArithmeticError):
    """A judge refutes what was to be written: it is wrong, and nothing is written."""


class OutputError(SymrnnError, OSError):
    """A result cannot be written where it was asked for."""


def unknown(what: str, name: str, known: Iterable[str]) -> SpecError:
    """Build the error for a name that nobody defines, with the nearest names offered.

    Args:
        what: What the name should have been, such as ``"cell"``.
        name: The name that was given.
        known: Every name that would have been accepted.

    Returns:
        A ``SpecError`` to raise.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    return SpecError(f"unknown {what} '{name}'; {hint}")
