"""The works that a lecture cites, by the short form in which cells, rules and theorems name them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def sources() -> Mapping[str, str]:
    """Return the works by the short form of their names."""
    return tomllib.loads((resources.files("symrnn.lecture") / "sources.toml").read_text(encoding="utf-8"))


def short_form(source: str) -> str:
    """Return authors and year of a source without the section; a source that is not among the works as it is."""
    return max((short for short in sources() if source.startswith(short)), key=len, default=source)


__all__ = ["short_form", "sources"]
