"""What an equation is written with: quantities over time, parameters, and the functions of the activation table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Expr

from symrnn.activations import ACTIVATIONS
from symrnn.errors import SpecError
from symrnn.expr import Elementwise, Node, Series, Stacked, Static, dim


def check_name(name: str) -> None:
    """Refuse what cannot be printed and be an identifier in code.

    Raises:
        SpecError: Not a name.
    """
    if not name.isidentifier() or name.startswith("_"):
        raise SpecError(f"'{name}' is not a name; a name is a letter with letters, digits and _ behind it, such as W_f")


def check_size(name: str, size: Any) -> None:
    """Refuse what is neither a letter nor a positive whole number, nor a formula of such.

    Raises:
        SpecError: Not a size.
    """
    if isinstance(size, str):
        good = size.isidentifier()
    else:
        good = isinstance(size, int | Expr) and dim(size).is_integer and dim(size).is_positive is not False
    if not good:
        raise SpecError(f"{name}: a size is a letter such as 'H' or a positive whole number; got {size!r}")


def series(name: str, size: Any) -> Series:
    """Make a vector that has a value at each time: ``h[t]``, ``h[t - 1]``.

    Args:
        name: ``base`` or ``base_subscript``, such as ``"h"`` or ``"c_tilde"``.
        size: A letter such as ``"H"``, or a number.

    Shapes:
        ``h[t]`` is ``size × 1``.

    Raises:
        SpecError: Not a name, or not a size.
    """
    check_name(name)
    check_size(name, size)
    return Series(name, (), size, 1)


def parameter(name: str, rows: Any, cols: Any = 1) -> Static:
    """Make a parameter, shared by all times: a matrix, or a bias where ``cols`` is left out.

    Args:
        name: ``base`` or ``base_subscript``, such as ``"W_f"``.
        rows: A letter such as ``"H"``, or a number.
        cols: Likewise; 1 for a bias.

    Shapes:
        ``rows × cols``.

    Raises:
        SpecError: Not a name, or not a size.
    """
    check_name(name)
    check_size(name, rows)
    check_size(name, cols)
    return Static(name, (), rows, cols)


def elementwise(name: str) -> Callable[[Node], Node]:
    """Return an elementwise function of the activation table by its name, or ``phi`` for an unspecified one.

    Raises:
        SpecError: The table has no such row.
    """

    def function(argument: Node) -> Node:
        if not isinstance(argument, Node):
            given = f"{argument.name}, a series; write {argument.name}[t]" if isinstance(argument, Series) else repr(argument)
            raise SpecError(f"{name} takes a formula such as W @ h[t - 1]; got {given}")
        return Elementwise(name, argument)

    Elementwise(name, Static("probe"))  # an unknown name is refused here, not at the first use
    function.__name__ = name
    return function


tanh = elementwise("tanh")
sigmoid = elementwise("sigmoid")
relu = elementwise("relu")
leaky_relu = elementwise("leaky_relu")
softplus = elementwise("softplus")
elu = elementwise("elu")
sin = elementwise("sin")
cos = elementwise("cos")
exp = elementwise("exp")
log = elementwise("log")
identity = elementwise("identity")
phi = elementwise("phi")


def stack(*parts: Node) -> Node:
    """Put columns (or matrices) on top of each other: ``[a; b]``.

    Raises:
        SpecError: The numbers of columns differ.
    """
    return Stacked(*parts)


FUNCTION_NAMES = tuple(name for name in ACTIVATIONS if name not in {"step", "reciprocal", "rsqrt"})
