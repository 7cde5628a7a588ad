"""Zeros beside the ends: where a formula at the last time is the general one without the terms that lie outside, the general
one holds there too, once what lies outside is zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Basic, expand

from symrnn.equations import Equation
from symrnn.expr import At, Zeros, t
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, comparable, times_known
from symrnn.times import Span, hull
from symrnn.traverse import at_time, leaves, rebuilt


def padded(form: Form) -> Form:
    """Join segments of a series that differ only in terms that lie outside; add the zeros that they read."""
    known = times_known(form)
    zeros: dict[Any, Equation] = {}
    blocks: list[Block] = []
    for block in form.blocks:
        if not isinstance(block, Scan):
            blocks.append(block)
            continue
        joined = list(block.equations)
        while (pair := joinable(block, joined, form, known)) is not None:
            main, edge, outside = pair
            joined[joined.index(main)] = replace(main, span=hull((main.span, edge.span), form.order))  # type: ignore[arg-type]
            joined.remove(edge)
            zeros |= {leaf: Equation(leaf.series[t], Zeros(*leaf.shape), Span(leaf.time, leaf.time)) for leaf in sorted(outside, key=str)}
        blocks.append(Scan(tuple(joined), block.step))
    return replace(form, blocks=(*(Scan((e,)) for e in zeros.values()), *blocks))


def joinable(
    scan: Scan, equations: list[Equation], form: Form, known: dict[Basic, list[Span]]
) -> tuple[Equation, Equation, set[At]] | None:
    """Return an equation, one of the same series at the time with which the scan begins, and what it would read outside."""
    for main in equations:
        for edge in equations:
            if main is edge or main.quantity != edge.quantity or main.span is None or edge.span is None or not edge.span.single:
                continue
            time = edge.span.lo
            if time != expand(main.span.hi + 1 if scan.step == -1 else main.span.lo - 1):
                continue
            there = at_time(main.rhs, time)
            outside = {leaf for leaf in leaves(there) if isinstance(leaf, At) and not is_known(leaf, known, form)}
            if outside and without(there, outside) == at_time(edge.rhs, time):
                return main, edge, outside
    return None


def is_known(leaf: At, known: dict[Basic, list[Span]], form: Form) -> bool:
    """Tell whether a series has a value at the time of a leaf."""
    here = Span(leaf.time, leaf.time)
    return any(not comparable(span, here) or form.order.covers(span, here) for span in known.get(leaf.series, []))


def without(node: Any, outside: set[At]) -> Any:
    """Return a formula in which some values are zero."""
    return rebuilt(node, lambda part: Zeros(*part.shape) if part in outside else part)
