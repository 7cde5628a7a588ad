"""The gradients of weights that read one value, as the rows of one product."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Integer

from symrnn.equations import Equation
from symrnn.expr import At, Product, Rows, Stacked, TimeSum, Transposed, same, t
from symrnn.networks.graph import Block
from symrnn.scheduling.form import Form
from symrnn.scheduling.wholes import common_name, defined_alike, definitions, in_order, recurrent_block, with_whole
from symrnn.times import Span


def common_reader(form: Form) -> dict[Any, list[tuple[Equation, At]]]:
    """Return the sums ``Σ_t u_t v_tᵀ`` by what they have in common: ``v``, the times, and the time of ``u``."""
    groups: dict[Any, list[tuple[Equation, At]]] = {}
    place = {
        e.quantity: number if recurrent_block(block) else None
        for number, block in enumerate(form.blocks) for e in definitions(block)
    }
    for e in form.equations:
        if e.span is not None or not isinstance(e.rhs, TimeSum):
            continue
        body, _, lo, hi = e.rhs.args
        factors = body.args if isinstance(body, Product) and len(body.args) == 2 else (body, None)
        left, right = factors
        plain = right is None or (isinstance(right, Transposed) and isinstance(right.args[0], At))
        if isinstance(left, At) and plain and same(left.shape[1], 1):
            key = (right, left.time, Span(lo, hi), left.series.orders, place.get(left.series))
            groups.setdefault(key, []).append((e, left))
    return groups


def stacked_gradients(form: Form, rank: dict[Any, int], taken: set[str]) -> Form:
    """Compute the gradients of weights that read one value as the rows of one product."""
    wholes: dict[Any, Any] = {
        tuple(part.series for part in e.rhs.args): e.quantity
        for e in form.equations
        if e.span is not None and isinstance(e.rhs, Stacked) and all(isinstance(part, At) and part.time == t for part in e.rhs.args)
    }
    for (right, time, span, _, _), members in common_reader(form).items():
        group = in_order(members, rank, lambda member: member[1].series)
        values = tuple(left.series for _, left in group)
        if len(set(values)) < 2 or len(set(values)) < len(values) or (values not in wholes and not defined_alike(form, values)):
            continue
        form, whole = with_whole(form, values, wholes, taken)
        form = with_gradient(form, [e for e, _ in group], At(whole, time), right, span, taken)
    return form


def with_gradient(form: Form, group: list[Equation], left: At, right: Any, span: Span, taken: set[str]) -> Form:
    """Define one gradient, and those of a group as its rows."""
    index = group[0].rhs.args[1]
    body = left if right is None else Product(left, right)
    total = TimeSum(body, index, span.lo, span.hi)
    name = form.fresh(common_name([e.name for e in group]), taken)
    whole = type(group[0].lhs)(name, group[0].lhs.orders, *total.shape)
    changed, start = {}, Integer(0)
    for e in group:
        stop = start + e.lhs.shape[0]
        changed[e] = replace(e, rhs=Rows(whole, start, stop))
        start = stop
    blocks: list[Block] = []
    for block in form.blocks:
        if block in group and not any(isinstance(b, Equation) and b.quantity == whole for b in blocks):
            blocks.append(Equation(whole, total))
        blocks.append(changed.get(block, block) if isinstance(block, Equation) else block)
    return replace(form, blocks=tuple(blocks))
