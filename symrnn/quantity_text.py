"""How a quantity is written: static or at a time, and its adjoint in the way of the profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Symbol

from symrnn.style import Style, derivative, mark_adjoint, nabla, static_name, value_name

TIME = Symbol("t", integer=True)
SUM, PREFIX, PRODUCT, HADAMARD, POSTFIX, ATOM = range(6)
"""How tightly a text binds. A prefix is what reaches to the right as far as it can: ``Σ_t …``, ``log softmax(…)``."""

Written = tuple[str, int]
"""A text and how tightly it binds."""


def write_static(node: Any, style: Style) -> Written:
    """``W_f``; ``∂L/∂W_f`` for its gradient."""
    if len(node.orders) == 1 and node.name not in style.losses.values() and node.orders[0] in style.losses:
        return gradient_of(style.losses[node.orders[0]], static_name(node.name, style, node.shape), style)
    return mark_adjoint(node.orders, style) + static_name(node.name, style, node.shape), ATOM


def write_series(node: Any, style: Style) -> Written:
    """A series without its time: ``h``."""
    return with_marks(node.orders, lambda bar: value_name(node.name, None, style, node.shape, bar=bar), style)


def write_at(node: Any, style: Style) -> Written:
    """``h_{t-1}`` or ``h^{(t-1)}``, marked for an adjoint: ``δh_t``, ``∂L/∂h_t``, ``∇_{h_t} L`` or ``h̄_t``."""
    if node.name in style.ratios:
        above, below = (write_at(end.xreplace({TIME: node.time}), style)[0] for end in style.ratios[node.name])
        return derivative(above, below, style), POSTFIX if style.latex else PREFIX
    return with_marks(node.series.orders, lambda bar: value_name(node.name, node.time, style, node.shape, bar=bar), style)


def with_marks(orders: tuple[int, ...], name: Callable[[bool], str], style: Style) -> Written:
    """Mark a name as an adjoint in the way of the profile; what has no loss of its own is marked by ``δ``."""
    manner = style.notation.adjoint
    if manner == "bar" and orders[:1] == (1,):
        return mark_adjoint(orders[1:], style) + name(True), ATOM
    if manner in {"fraction", "nabla"} and len(orders) == 1 and orders[0] in style.losses:
        return gradient_of(style.losses[orders[0]], name(False), style)
    return mark_adjoint(orders, style) + name(False), ATOM


def gradient_of(loss: str, name: str, style: Style) -> Written:
    """``∂L/∂W``, or ``∇_W L`` where the profile writes so."""
    if style.notation.adjoint == "nabla":
        return nabla(name, static_name(loss, style), style), PREFIX
    return derivative(static_name(loss, style), name, style), POSTFIX if style.latex else PREFIX


def numbered_above(node: Any, style: Style) -> bool:
    """Tell whether the name of a quantity has the number of its layer as a superscript."""
    mark = style.marks.get(node.name) if type(node).__name__ in {"At", "Static"} else None
    return mark is not None and mark.layer is not None and style.notation.above
