"""How the command line loads SymPy."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def light_sympy() -> Iterator[None]:
    """Load SymPy with Python's own integers: it would import python-flint where that is installed."""
    name = "SYMPY_GROUND_TYPES"
    if name in os.environ or "sympy" in sys.modules:
        yield
        return
    os.environ[name] = "python"
    try:
        importlib.import_module("sympy")
    finally:
        del os.environ[name]
    yield
