"""How many examples a random test of a fixed number draws."""

from __future__ import annotations

from hypothesis import settings

QUICK = 8
"""Examples of a test of no fixed number without ``--full``: the profile ``ci``."""


def examples(number: int) -> int:
    """Return the number, or about a fifth of it in the quick run."""
    return number if settings().max_examples > QUICK else max(2, number // 5)
