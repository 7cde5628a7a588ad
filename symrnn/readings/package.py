"""latexify-py, where it is installed: loaded by name when it is first used, and given source text to read.

It reads the source of a function through ``inspect``, so a text is registered as the source of a stand-in; the text
itself is never run. It ignores options that it does not have; here they are checked against its own list.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from symrnn.errors import NotSupportedError

FILE = "<read by symrnn>"
PREFIXES = frozenset({"np", "numpy", "jnp", "jax.numpy", "jax.nn", "math", "torch", "torch.nn.functional", "F"})
"""Modules whose names are dropped: ``np.tanh`` is ``tanh``."""
NEWEST = (3, 13)
"""The newest Python on which latexify-py installs."""


def has_latexify() -> bool:
    """Tell whether latexify-py is installed."""
    return importlib.util.find_spec("latexify") is not None


def load(module: str) -> Any:
    """Load a module of latexify-py.

    Raises:
        NotSupportedError: It is not installed, or does not install on this Python.
    """
    if not has_latexify():
        if sys.version_info[:2] > NEWEST:
            raise NotSupportedError(
                f"latexify-py does not install on Python {sys.version_info[0]}.{sys.version_info[1]}; only the second "
                "reading needs it: use Python 3.11 to 3.13 for that"
            )
        raise NotSupportedError("latexify-py is not installed; for the second reading, pip install 'symrnn[reading]'")
    return importlib.import_module(module)


@contextmanager
def registered(source: str) -> Iterator[Any]:
    """Give a stand-in function whose source is the text, for as long as it is read."""
    names: dict[str, Any] = {}
    exec(compile("def stand_in(): pass", FILE, "exec"), names)
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    try:
        yield names["stand_in"]
    finally:
        del linecache.cache[FILE]


def configuration(**options: Any) -> Any:
    """Return a configuration of latexify-py.

    Raises:
        TypeError: It has no such option.
    """
    return replace(load("latexify.config").Config.defaults(), **options)


def latex_of(source: str, identifiers: Mapping[str, str]) -> str:
    """Let latexify-py read the source of one function.

    Args:
        source: The text, ``def`` at its beginning.
        identifiers: New names for names of the source.

    Raises:
        NotSupportedError: It is not installed, or cannot read the text.
    """
    options = configuration(identifiers=dict(identifiers), prefixes=set(PREFIXES), use_signature=False)
    with registered(source) as function:
        try:
            return str(load("latexify").get_latex(function, config=options))
        except load("latexify.exceptions").LatexifyError as error:
            raise NotSupportedError(f"latexify-py cannot read the function: {error}; it reads assignments to names and a "
                                    "return, without loops, conditions and slices") from error
