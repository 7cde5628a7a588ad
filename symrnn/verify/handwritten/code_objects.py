"""The code of functions: what it reads, and the small constants that it adds in one pass only, as in ``log(p + 1e-8)``.

Guarantees:
    What is excused is right when each such constant is 0 in both passes. Blind: to constants that are computed.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

SMALL = 1e-4


def is_epsilon(value: Any) -> bool:
    """Tell whether a constant is one that guards a division or a logarithm."""
    return type(value) is float and 0 < abs(value) < SMALL


def without(code: types.CodeType) -> types.CodeType:
    """Return code with 0 in the place of its small constants."""
    consts = tuple(0.0 if is_epsilon(c) else without(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=consts)


def small_constants(code: types.CodeType) -> set[float]:
    """Return the small constants of code."""
    inner = [small_constants(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return {c for c in code.co_consts if is_epsilon(c)}.union(*inner)


def functions_in(spaces: Sequence[Mapping[str, Any]]) -> list[types.FunctionType]:
    """Return the functions and methods that modules define."""
    found: dict[int, types.FunctionType] = {}
    for space in spaces:
        values = list(space.values())
        values += [v for cls in values if isinstance(cls, type) and cls.__module__ == space.get("__name__") for v in vars(cls).values()]
        for value in values:
            plain = getattr(value, "__func__", value)
            if isinstance(plain, types.FunctionType) and plain.__globals__ is space:
                found[id(plain)] = plain
    return list(found.values())


def names_read(functions: Sequence[Any]) -> set[str]:
    """Return the names of globals and attributes that functions read."""
    found: set[str] = set()
    waiting = [code for f in functions if (code := getattr(getattr(f, "__func__", f), "__code__", None)) is not None]
    while waiting:
        code = waiting.pop()
        found |= set(code.co_names)
        waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return found


def defaults_of(functions: Sequence[Any]) -> set[int]:
    """Return the identities of the defaults of the arguments of functions."""
    plain = [getattr(f, "__func__", f) for f in functions]
    return {id(d) for f in plain for d in (*(getattr(f, "__defaults__", None) or ()), *(getattr(f, "__kwdefaults__", None) or {}).values())}


@contextmanager
def with_defaults(functions: Sequence[types.FunctionType], swaps: Mapping[int, Any]) -> Iterator[None]:
    """Put other values in the place of some defaults of arguments, such as ``p=parameters``, and restore them."""
    before = [(f, f.__defaults__, f.__kwdefaults__) for f in functions]
    try:
        for function, defaults, named in before:
            if defaults and any(id(d) in swaps for d in defaults):
                function.__defaults__ = tuple(swaps.get(id(d), d) for d in defaults)
            if named and any(id(d) in swaps for d in named.values()):
                function.__kwdefaults__ = {key: swaps.get(id(d), d) for key, d in named.items()}
        yield
    finally:
        for function, defaults, named in before:
            function.__defaults__, function.__kwdefaults__ = defaults, named


def epsilons_of(spaces: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return the small constants of the functions of modules, as literals and as defaults of arguments."""
    functions = functions_in(spaces)
    literals = set().union(*(small_constants(f.__code__) for f in functions)) if functions else set()
    return sorted(literals | {d for f in functions for d in f.__defaults__ or () if is_epsilon(d)})


@contextmanager
def without_epsilons(spaces: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Let the functions of modules run with 0 in the place of small constants, and restore them."""
    before = [(f, f.__code__, f.__defaults__) for f in functions_in(spaces)]
    try:
        for function, code, defaults in before:
            function.__code__ = without(code)
            if defaults:
                function.__defaults__ = tuple(0.0 if is_epsilon(d) else d for d in defaults)
        yield
    finally:
        for function, code, defaults in before:
            function.__code__, function.__defaults__ = code, defaults
