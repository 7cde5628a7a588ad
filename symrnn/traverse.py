"""Walks over formulas: what is read at which time, and rebuilding with parts replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import Basic

from symrnn.expr import At, Leaf, Node, Static, t


def leaves(node: Basic) -> Iterator[Leaf]:
    """Yield the quantities of a formula from left to right, each time that one occurs."""
    if isinstance(node, Leaf):
        yield node
        return
    for arg in node.args:
        yield from leaves(arg)


def at_time(node: Any, time: Any) -> Any:
    """Return a formula of the generic ``t`` at another time."""
    return node.xreplace({t: time}) if time != t else node


def quantity_of(leaf: Leaf) -> Basic:
    """Return what a leaf is a value of: its series, or itself where it is static."""
    return leaf.series if isinstance(leaf, At) else leaf


def rebuilt(node: Any, change: Callable[[Any], Any], seen: dict[Any, Any] | None = None) -> Any:
    """Rebuild a formula bottom-up, replacing each node by ``change(node)``; constructors canonicalise again."""
    memo = {} if seen is None else seen
    if node not in memo:
        if not isinstance(node, Node):
            memo[node] = node
        elif isinstance(node, Leaf):
            memo[node] = change(node)
        else:
            args = [rebuilt(arg, change, memo) for arg in node.args]
            memo[node] = change(node if args == list(node.args) else node.func(*args))
    return memo[node]


def with_values(node: Any, definitions: dict[Basic, Node]) -> Any:
    """Replace quantities by formulas: a series by its formula at the generic ``t``, a static quantity by its own."""

    def change(part: Any) -> Any:
        if isinstance(part, At) and part.series in definitions:
            return at_time(definitions[part.series], part.time)
        if isinstance(part, Static) and part in definitions:
            return definitions[part]
        return part

    return rebuilt(node, change)
