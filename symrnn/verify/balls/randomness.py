"""``numpy.random`` under ``object_arrays``: its compiled code asks NumPy for float buffers, and must get them.

Compiled code looks up ``np.empty`` when it runs and writes doubles into what it gets; an object array in its place would
be memory that is overwritten. So while a function of ``numpy.random`` runs, NumPy is as it was.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

SOURCES = (np.random.Generator, np.random.RandomState)


class Guarded:
    """Stands for ``numpy.random`` or one of its generators; what is called on it runs with the plain NumPy."""

    def __init__(self, target: Any, originals: Mapping[str, Any]) -> None:
        self._target = target
        self._originals = originals

    def __getattr__(self, name: str) -> Any:
        if name in ("_target", "_originals") or name.startswith("__"):
            raise AttributeError(name)
        return guarded(getattr(self._target, name), self._originals)

    def __deepcopy__(self, memo: Any) -> Guarded:
        """Copy nothing: a generator goes on where it was."""
        return self


def guarded(value: Any, originals: Mapping[str, Any]) -> Any:
    """Return what stands for a part of ``numpy.random`` while NumPy hands out other arrays."""
    if isinstance(value, SOURCES) or value is np.random:
        return Guarded(value, originals)
    return calling(value, originals) if callable(value) else value


def calling(function: Callable[..., Any], originals: Mapping[str, Any]) -> Callable[..., Any]:
    """Wrap a function so that it runs with the plain NumPy."""

    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        space = vars(np)
        now = {name: space[name] for name in originals}
        space.update(originals)
        try:
            result = function(*(getattr(a, "_target", a) if isinstance(a, Guarded) else a for a in args), **kwargs)
        finally:
            space.update(now)
        return guarded(result, originals) if isinstance(result, SOURCES) else result

    return call


def is_random(value: Any) -> bool:
    """Tell whether a global is ``numpy.random``, a generator, or one of their functions."""
    if isinstance(value, SOURCES) or value is np.random:
        return True
    return isinstance(value, types.BuiltinFunctionType | types.MethodType | types.BuiltinMethodType) and isinstance(
        getattr(value, "__self__", None), SOURCES)
