"""What an equation is written with: quantities over time, parameters, and the functions of the activation table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symrnn.activations import ACTIVATIONS
from symrnn.errors import SpecError
from symrnn.expr import Elementwise, Node, Series, Stacked, Static


def check_name(name: str) -> None:
    """Refuse what cannot be printed and be an identifier in code.

    Raises:
        SpecError: Not a name.
    """
    if not name.isidentifier() or name.startswith("_"):
        raise SpecError(f"'{name}' is not a name; a name is a letter with letters, digits and _ behind it, such as W_f")


def series(name: str, size: Any) -> Series:
    """Make a vector that has a value at each time: ``h[t]``, ``h[t - 1]``.

    Args:
        name: ``base`` or ``base_subscript``, such as ``"h"`` or ``"c_tilde"``.
        size: A letter such as ``"H"``, or a number.

    Shapes:
        ``h[t]`` is ``size × 1``.

    Raises:
        SpecError: Not a name.
    """
    check_name(name)
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
        SpecError: Not a name.
    """
    check_name(name)
    return Static(name, (), rows, cols)


def elementwise(name: str) -> Callable[[Node], Node]:
    """Return an elementwise function of the activation table by its name, or ``phi`` for an unspecified one.

    Raises:
        SpecError: The table has no such row.
    """

    def function(argument: Node) -> Node:
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


FUNCTION_NAMES = tuple(name for name in ACTIVATIONS if name not in {"step", "reciprocal"})
