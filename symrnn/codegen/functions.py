"""What a generated function does, as data."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Basic

from symrnn.times import Span


@dataclass(frozen=True)
class Result:
    """What a function returns under a name.

    Attributes:
        name: Key in the dictionary of results.
        quantity: A series or a static quantity.
        span: The times of a series that are returned, stacked along axis 1.
        shared: Whether it is summed over the batch, as the gradient of a parameter is.
    """

    name: str
    quantity: Basic
    span: Span | None = None
    shared: bool = False


@dataclass(frozen=True)
class Function:
    """What one generated function does.

    Attributes:
        name: Its name.
        title: First line of its docstring.
        results: Entries of the dictionary that it returns.
        returns: Text of the docstring.
        loss: Whether it returns the loss.
        alone: Whether it returns the loss alone, without a dictionary.
    """

    name: str
    title: str
    results: tuple[Result, ...]
    returns: str
    loss: bool = True
    alone: bool = False
