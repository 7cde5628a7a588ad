"""Function objects that run other code for a while, and the functions that belong to a program."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any


@contextmanager
def swapped(codes: Mapping[FunctionType, CodeType]) -> Iterator[None]:
    """Let functions run other code, and put theirs back."""
    before = {function: function.__code__ for function in codes}
    try:
        for function, code in codes.items():
            function.__code__ = code
        yield
    finally:
        for function, code in before.items():
            function.__code__ = code


@contextmanager
def given_again(before: Sequence[tuple[FunctionType, Any, Any]]) -> Iterator[None]:
    """Let functions have the defaults that :func:`defaults_now` remembered: what runs inside another run must find its own."""
    now = defaults_now([function for function, _, _ in before])
    try:
        give(before)
        yield
    finally:
        give(now)


def give(defaults: Sequence[tuple[FunctionType, Any, Any]]) -> None:
    """Set the defaults of functions."""
    for function, by_place, by_name in defaults:
        function.__defaults__, function.__kwdefaults__ = by_place, by_name


def defaults_now(functions: Sequence[FunctionType]) -> list[tuple[FunctionType, Any, Any]]:
    """Return functions with the defaults of their arguments, such as ``p=parameters``."""
    return [(function, function.__defaults__, function.__kwdefaults__) for function in functions]


def closed_over(functions: Sequence[Any]) -> list[FunctionType]:
    """Return functions, those that they wrap, and those that they close over, each once."""
    found: dict[int, FunctionType] = {}
    waiting = list(functions)
    while waiting:
        value = waiting.pop(0)
        plain = inspect.unwrap(getattr(value, "__func__", value)) if callable(value) else None
        if isinstance(plain, FunctionType) and id(plain) not in found:
            found[id(plain)] = plain
            waiting += [cell.cell_contents for cell in plain.__closure__ or () if filled(cell)]
    return list(found.values())


def filled(cell: Any) -> bool:
    """Tell whether a variable that a function closes over has a value."""
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
