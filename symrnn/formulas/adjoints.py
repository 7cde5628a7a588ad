"""Adjoints in every manner: ``δh_t``, ``∂L/∂h_t``, ``∇_{h_t} L``."""

from __future__ import annotations

from typing import Any

from symrnn.expr import At
from symrnn.formulas.context import Context, Items
from symrnn.formulas.names import (
    after,
    base_of,
    flat,
    quantities,
    unknown_letter,
)
from symrnn.formulas.shaping import Value
from symrnn.formulas.surface import FormulaError, place_of, source_of, unwrapped


def adjoints(context: Context, items: Items) -> tuple[list[Value], int] | None:
    """``δh_t``, ``δ² δh_t``; nothing where no ``δ`` stands in front."""
    orders: list[int] = []
    place = 0
    while place < len(items) and (order := delta(items[place][1], context)) is not None and (place == 0 or not items[place][0]):
        orders.append(order)
        place += 1
    if not orders:
        return None
    if place == len(items) or items[place][0]:
        raise FormulaError(context.formula, place_of(items[place - 1][1]) + 1, "δ stands in front of nothing; write δh_t")
    factor = items[place][1]
    found = quantities(factor, context.letters, context.formula)
    if not found:
        raise unknown_letter(factor, context.letters, context.formula)
    return [after(f.adjoint(reversed(orders)).node, f.after) for f in found], place + 1


def delta(factor: Any, context: Context) -> int | None:
    """Return the order of a ``δ``; nothing where a factor is none."""
    parts = flat(factor, context.formula)
    if parts is None or base_of(parts[0], context.formula) not in {"δ", "delta"} or parts[1]:
        return None
    if parts[2] and not parts[2].isdigit():
        return None
    return int(parts[2] or 1)


def quotient(context: Context, items: Items) -> list[Value]:
    """``∂L/∂h_t`` in a line."""
    shape = [(sign, item.children[0].data == "partial") for sign, item in items[:4]]
    if len(shape) < 4 or [p for _, p in shape] != [True, False, True, False] or [s for s, _ in shape[1:]] != ["", "/", ""]:
        raise FormulaError(context.formula, place_of(items[0][1]) + 1, "∂ stands for a derivative such as ∂L/∂h_t")
    return derivative(context, items[1][1], items[3][1])


def derivative(context: Context, above: Any, below: Any) -> list[Value]:
    """``∂L/∂h_t``: the adjoint that the loss has."""
    order = order_of(context, above)
    found = quantities(below, context.letters, context.formula)
    if not found:
        raise unknown_letter(below, context.letters, context.formula)
    if any(f.after for f in found):
        raise FormulaError(context.formula, place_of(below) + 1, "what stands above belongs to the derivative or to the quantity; put brackets")
    return [f.adjoint((order,)).node for f in found]


def order_of(context: Context, factor: Any) -> int:
    """Return which derivation a loss belongs to."""
    losses = context.letters.style.losses
    for found in quantities(factor, context.letters, context.formula, timed=False):
        for order, name in losses.items():
            if found.quantity.name == name and not found.quantity.orders:
                return order
    known = " or ".join(losses.values())
    raise FormulaError(context.formula, place_of(factor) + 1, f"{source_of(factor, context.formula)} is not the loss; it is called {known}")


def gradient(context: Context, items: Items) -> list[Value]:
    """``∇_h L``; the loss is the factor behind it."""
    factor = items[0][1]
    below = [script for script in factor.children[1:] if script.data == "below"]
    if not below or len(items) == 1 or items[1][0]:
        raise FormulaError(context.formula, place_of(factor) + 1, "∇ needs the quantity below it and the loss behind it: ∇_{h_t} L")
    raw = source_of(below[0].children[0], context.formula)
    place = place_of(below[0].children[0]) + (1 if raw.startswith("{") else 0)
    found = context.nested(unwrapped(raw), place)
    order = order_of(context, items[1][1])
    return [marked(value, order) for value in found]


def marked(leaf: Any, order: int) -> Value:
    """Return the adjoint of a leaf."""
    return leaf.series.adjoint_series(order)[leaf.time] if isinstance(leaf, At) else leaf.adjoint_static(order)


def partial_of(part: Any) -> Any:
    """Return the factor behind ``∂`` in a part of a fraction; nothing where there is none."""
    term = part.children[0] if part.data == "sum" and len(part.children) == 1 else None
    factors = term.children if term is not None else []
    return factors[1] if len(factors) == 2 and factors[0].children[0].data == "partial" else None
