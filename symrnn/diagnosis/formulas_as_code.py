"""Formulas as functions: compiled once each, over lists of arrays by time, a column for each sequence of the batch.

The same functions run on float64 arrays and on arrays of balls. A series is a list with ``MARGIN`` slots before time 0, so
that a formula that reads beyond the times finds what stands there: zeros for adjoints, nothing for values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from symrnn.activations import ACTIVATIONS, activation
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    LogSoftmax,
    Node,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Softmax,
    Stacked,
    Static,
    TimeSum,
    Total,
    Transposed,
    Zeros,
)

MARGIN = 3
UNRUNNABLE = (TypeError, AttributeError, IndexError, ValueError)
"""What a formula raises that reads a value which is not there, or multiplies what does not fit."""


def softmax(a: Any) -> Any:
    """Softmax of each column."""
    e = np.exp(a - a.max(axis=0))
    return e / e.sum(axis=0)


def columnwise(a: Any, b: Any) -> Any:
    """``aᵀ b`` of each sequence: a row."""
    return (a * b).sum(axis=0)[None, :]


def summed(body: Callable[[int], Any], lo: int, hi: int) -> Any:
    """Add up over times; 0 where there are none."""
    total: Any = 0
    for time in range(lo, hi + 1):
        total = total + body(time)
    return total


def helpers() -> dict[str, Any]:
    """Return what compiled formulas call."""
    space: dict[str, Any] = {"np": np, "softmax": softmax, "columnwise": columnwise, "summed": summed}
    for row in ACTIVATIONS.values():
        exec(compile(row.helper, f"<{row.name}>", "exec"), space)  # source text of our own table
    return {name: value for name, value in space.items() if not name.startswith("__")}


HELPERS = helpers()


def timed(node: Node) -> bool:
    """Tell whether a formula has a column for each sequence."""
    return bool(node.atoms(At))


def product_code(node: Product) -> str:
    """Write a matrix product; of two columns of one sequence it is taken sequence by sequence."""
    args = node.args
    if node.shape == (1, 1) and len(args) == 2 and timed(args[0]) and timed(args[1]):
        return f"columnwise({code(args[0].T)}, {code(args[1])})"
    if args[-1].shape == (1, 1) and timed(args[-1]):
        return f"({code(Product(*args[:-1]))} * {code(args[-1])})"
    return "(" + " @ ".join(map(code, args)) + ")"


def elementwise_code(node: Elementwise) -> str:
    """Write a function of the activation table."""
    row = activation(str(node.args[0]))
    return "(" + row.numpy.format(z=code(node.args[1])) + ")"


def sum_code(node: TimeSum) -> str:
    """Write a sum over time."""
    body, index, lo, hi = node.args
    return f"summed(lambda {index}: {code(body)}, {lo}, {hi})"


WRITTEN: dict[type, Callable[[Any], str]] = {
    At: lambda n: f"{n.series.key}[{n.time} + {MARGIN}]",
    Static: lambda n: str(n.key),
    Plus: lambda n: "(" + " + ".join(map(code, n.args)) + ")",
    Hadamard: lambda n: "(" + " * ".join(map(code, n.args)) + ")",
    Scaled: lambda n: f"(({n.args[0]}) * {code(n.args[1])})" if n.args[0] != -1 else f"(-{code(n.args[1])})",
    Transposed: lambda n: f"{code(n.args[0])}.T",
    Stacked: lambda n: "np.vstack([" + ", ".join(map(code, n.args)) + "])",
    Rows: lambda n: f"{code(n.args[0])}[{n.args[1]}:{n.args[2]}]",
    Product: product_code,
    Elementwise: elementwise_code,
    Softmax: lambda n: f"softmax({code(n.args[0])})",
    LogSoftmax: lambda n: f"np.log(softmax({code(n.args[0])}))",
    Total: lambda n: f"{code(n.args[0])}.sum(axis=0)[None, :]",
    TimeSum: sum_code,
    Ones: lambda n: "1" if n.shape[1] == 1 else f"np.ones(({n.shape[0]}, {n.shape[1]}))",
    Zeros: lambda n: "0",
}


def code(node: Any) -> str:
    """Write a formula as Python.

    Raises:
        NotSupportedError: A node of another type.
    """
    if type(node) not in WRITTEN:
        raise NotSupportedError(f"a diagnosis does not evaluate {type(node).__name__}; write the cell without it")
    return WRITTEN[type(node)](node)


@cache
def compiled(node: Node) -> Any:
    """Return the code object of a formula in the generic ``t``."""
    return compile(f"lambda t: {code(node)}", "<formula>", "eval")


def function_of(node: Node, space: dict[str, Any]) -> Callable[[int], Any]:
    """Return a formula as a function of the time, that reads a space of lists and arrays."""
    made: Callable[[int], Any] = eval(compiled(node), space)  # written by this module
    return made
