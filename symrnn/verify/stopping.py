"""Gradients that are stopped on purpose: the derivative of the loss is then not what the backward pass returns.

Generated code passes what is stopped through a function called ``stop_gradient``. A judge that moves the arguments of
the loss puts a function in its place that keeps the value and drops what moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from symrnn.derivation import Derivation
from symrnn.expr import StopGradient
from symrnn.traverse import leaves, quantity_of

STOP = "stop_gradient"
"""Name of the function in generated code."""


def has_stop_gradient(derivation: Derivation) -> bool:
    """Tell whether some gradient of the loss is stopped on its way."""
    network = derivation.network
    reached, size = {network.loss}, 0
    while len(reached) != size:
        size = len(reached)
        reached |= {quantity_of(leaf) for e in network.equations if e.quantity in reached for leaf in leaves(e.rhs)}
    return any(e.rhs.has(StopGradient) for e in network.equations if e.quantity in reached)


def names_of(program: Any) -> dict[str, Any]:
    """Return the global names of a program's code; empty where it does not show them."""
    names: dict[str, Any] = getattr(program, "names", {})
    return names


@contextmanager
def replaced(names: dict[str, Any], name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Put a function in the place of another one of the same name, where there is one, and restore that."""
    original = names.get(name)
    if original is None:
        yield
        return
    names[name] = function
    try:
        yield
    finally:
        names[name] = original
