"""Judges: each verifies a derivation, or code that somebody wrote, in its own way and says what it compared and where it is blind."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symrnn.verify.handwritten.report import Report, Verdict
    from symrnn.verify.handwritten.verifying import verify_gradient

__all__ = ["Report", "Verdict", "verify_gradient"]

PUBLIC = MappingProxyType({
    "Report": "symrnn.verify.handwritten.report",
    "Verdict": "symrnn.verify.handwritten.report",
    "verify_gradient": "symrnn.verify.handwritten.verifying",
})
"""Public name to the module that defines it."""


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'symrnn.verify' has no attribute '{name}'")
    return getattr(importlib.import_module(PUBLIC[name]), name)
