"""What foreign code passes around: arrays in tuples, lists, dicts and attributes, walked and rebuilt.

A place in such a structure is a path: ``("params", "['Wx']")`` is written ``params['Wx']``, an attribute ``self.Wx``.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symrnn.verify.balls.arrays import BallArray, dual_array, kept_or_dual
from symrnn.verify.balls.dual import Dual

Path = tuple[str, ...]
OPAQUE = (str, bytes, type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType,
          np.random.Generator, np.random.RandomState)
DEPTH = 8


def is_number(value: Any) -> bool:
    """Tell whether a value is a single real number that is no integer or truth value."""
    return type(value) is Dual or isinstance(value, (float, np.floating))


def is_real(value: Any) -> bool:
    """Tell whether a value is an array or a number that a derivative can be taken in or of."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return all(issubclass(kind, (Dual, float, np.floating, int, np.integer)) for kind in set(map(type, value.flat)))
        return value.dtype.kind == "f"
    return is_number(value)


def children(value: Any) -> list[tuple[str, Any]]:
    """Return the parts of a structure, with how each is written."""
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", value[key]) for key in value]
    if isinstance(value, (tuple, list)):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    if isinstance(value, (*OPAQUE, np.ndarray)) or is_number(value):
        return []
    return [(f".{name}", part) for name, part in vars(value).items()] if hasattr(value, "__dict__") else []


def leaves(value: Any, path: Path = (), seen: frozenset[int] = frozenset()) -> Iterator[tuple[Path, Any]]:
    """Yield what stands in a structure and has no parts, with its path."""
    if isinstance(value, np.ndarray) and value.dtype == object and not is_real(value):
        value = list(value)
    parts = children(value)
    if not parts:
        yield path, value
    elif id(value) not in seen and len(path) < DEPTH:
        for step, part in parts:
            yield from leaves(part, (*path, step), seen | {id(value)})


def real_leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Return the arrays and numbers in a structure that a derivative can be taken in or of."""
    return {where: leaf for where, leaf in leaves(value, path) if is_real(leaf)}


def arrayed(value: Any) -> Any:
    """Return a structure in which lists of numbers, and regular lists of such lists, are arrays."""
    if isinstance(value, Mapping):
        return {key: arrayed(part) for key, part in value.items()}
    if type(value) is tuple:
        return tuple(arrayed(part) for part in value)
    if not isinstance(value, list) or not value:
        return value
    if all(map(is_number, value)):
        return np.array(value, dtype=object)
    parts = [arrayed(part) for part in value]
    lists = all(isinstance(part, list) for part in value) and all(isinstance(part, np.ndarray) for part in parts)
    return np.stack(parts) if lists and len({part.shape for part in parts}) == 1 else parts


def mapped(value: Any, change: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """Rebuild a structure of tuples, lists, dicts and objects with each leaf changed."""
    if isinstance(value, Mapping):
        return {key: mapped(part, change, (*path, f"[{key!r}]")) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(part, change, (*path, f"[{i}]")) for i, part in enumerate(value)))
    if isinstance(value, (tuple, list)):
        return type(value)(mapped(part, change, (*path, f"[{i}]")) for i, part in enumerate(value))
    if children(value) and len(path) < DEPTH:
        made = copy.copy(value)
        for name, part in vars(value).items():
            object.__setattr__(made, name, mapped(part, change, (*path, f".{name}")))
        return made
    return change(path, value)


def replaced(value: Any, swaps: Mapping[int, Any], seen: set[int] | None = None) -> Any:
    """Put other arrays in the place of some, in containers and objects, in place where they can be changed.

    Args:
        value: The structure.
        swaps: From the identity of an array to what stands for it.
        seen: Identities of what was visited.
    """
    seen = set() if seen is None else seen
    if id(value) in swaps:
        return swaps[id(value)]
    if isinstance(value, OPAQUE) or id(value) in seen:
        return value
    seen.add(id(value))
    if type(value) is tuple:
        return tuple(replaced(part, swaps, seen) for part in value)
    if isinstance(value, list):
        value[:] = [replaced(part, swaps, seen) for part in value]
    elif isinstance(value, dict):
        for key, part in list(value.items()):
            value[key] = replaced(part, swaps, seen)
    elif hasattr(value, "__dict__"):
        for name, part in list(vars(value).items()):
            if (new := replaced(part, swaps, seen)) is not part:
                object.__setattr__(value, name, new)
    return value


def written(path: Path) -> str:
    """Write a path as the code would."""
    return "".join(path)


def key_of(path: Path) -> str:
    """Return the last name on a path: of ``params['Wx']`` it is ``Wx``, of ``xs[3]`` it is ``xs``."""
    for step in reversed(path):
        name = step.strip("[].'\"")
        if name.isidentifier():
            return name
    return ""


def indices_of(path: Path) -> Path:
    """Return the numbers at the end of a path: ``[3]`` of ``xs[3]``."""
    kept: list[str] = []
    for step in reversed(path):
        if not step.strip("[]").isdigit():
            break
        kept.insert(0, step)
    return tuple(kept)


def as_balls(value: Any) -> Any:
    """Return an array or number as balls; a fresh array where it is one."""
    return dual_array(value) if isinstance(value, np.ndarray) else kept_or_dual(value)


def snapshot(value: Any, path: Path = ()) -> dict[str, tuple[Any, list[Any]]]:
    """Remember the arrays of a structure and what stands in them."""
    return {written(where): (leaf, list(leaf.flat)) for where, leaf in leaves(value, path) if isinstance(leaf, np.ndarray)}


def changed(before: Mapping[str, tuple[Any, list[Any]]]) -> list[str]:
    """Name the arrays of a snapshot in which something else stands now."""
    return [name for name, (array, entries) in before.items() if not all(map(same, array.flat, entries))]


def same(a: Any, b: Any) -> bool:
    """Tell whether two entries are the same number, ball for ball."""
    if a is b:
        return True
    if type(a) is Dual and type(b) is Dual:
        return bool(a.value.mid() == b.value.mid() and a.value.rad() == b.value.rad()) or (a.value.is_nan() and b.value.is_nan())
    return type(a) is not Dual and type(b) is not Dual and bool(a == b or (a != a and b != b))


def fresh(value: Any) -> Any:
    """Copy arrays in a structure, so that what is changed in place stays there."""
    return mapped(value, lambda path, leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf)


def entries(value: Any) -> Any:
    """Return an array or number as an object array of balls."""
    if isinstance(value, BallArray) and set(map(type, value.flat)) <= {Dual}:
        return value
    return dual_array(np.asarray(value, dtype=object))
