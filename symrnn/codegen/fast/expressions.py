"""Values that are written as expressions: for all times at once where that can be, and sums over times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr

from symrnn.codegen.emit import emit, emit_over_batch, is_scattered, may_be_empty
from symrnn.codegen.fast.overwriting import is_column
from symrnn.codegen.fast.views import Views
from symrnn.codegen.values import Scope, expanded
from symrnn.expr import (
    At,
    Elementwise,
    Gather,
    Hadamard,
    LogSoftmax,
    Node,
    OneHot,
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
    same,
    t,
)
from symrnn.times import Span
from symrnn.traverse import leaves, rebuilt

AT_ONCE = (
    At, Elementwise, Gather, Hadamard, LogSoftmax, OneHot, Ones, Plus, Product, Rows, Scaled, Softmax, Stacked, Static, Total, Transposed,
)
"""Nodes whose code is right with an axis of times in front."""


def prepared(node: Any, scope: Scope, written: Any) -> tuple[Any, Scope]:
    """Put a named constant in the place of each value at a time, with the code that reads it."""
    names = replace(scope.names, quantities=dict(scope.names.quantities))
    batched = set(scope.batched)

    def change(part: Any) -> Any:
        if not isinstance(part, At) or (code := written(part)) is None:
            return part
        known = Static(f"_value_{code}", (), *part.shape)
        names.quantities[known] = code
        batched.add(known)
        return known

    return rebuilt(node, change), replace(scope, names=names, batched=frozenset(batched))


def moved(node: Any, views: Views, scope: Scope) -> Any:
    """Let the values under sums be read from arrays, each at the place that its time has there."""

    def change(part: Any) -> Any:
        if not isinstance(part, At):
            return part
        scope.names.quantities[part.series] = views.by_time(part.series, scope)
        return At(part.series, views.index(views.key_of(part.series), part.time))

    return rebuilt(node, change)


def with_code(node: Any, views: Views, scope: Scope) -> tuple[Any, Scope]:
    """Let a formula be written at the time at which it stands, values under sums included."""

    def written(leaf: Any) -> str | None:
        return None if bound(leaf.time) else views.leaf(leaf.series, leaf.time, scope)

    inner, known = prepared(node, scope, written)
    return moved(inner, views, known), known


def bound(time: Expr) -> bool:
    """Tell whether a time is that of the index of a sum."""
    return any(symbol.name.startswith("_s") for symbol in time.free_symbols)


def value_at(node: Any, views: Views, scope: Scope) -> str:
    """Write a formula at the time of a loop, or at a fixed one; an array ``(B, …)``."""
    inner, known = with_code(node, views, scope)
    return expanded(emit(inner, known), known, batched=True).code


def at_once(node: Any, index: Expr, span: Span, views: Views, scope: Scope) -> str | None:
    """Write a formula for all times of a span, an array ``(times, B, …)``; ``None`` where that cannot be written."""
    parts = [part for part in node.atoms(Node) if isinstance(part, Node)] if hasattr(node, "atoms") else []
    if not all(isinstance(part, AT_ONCE) for part in [node, *parts]) or any(
        not any(isinstance(leaf, At) and index in leaf.time.free_symbols for leaf in leaves(row)) for part in parts if isinstance(part, Stacked) for row in part.args
    ):
        return None

    if not any(index in leaf.time.free_symbols for leaf in leaves(node) if isinstance(leaf, At)):
        return None

    def written(leaf: Any) -> str | None:
        if index not in leaf.time.free_symbols and (leaf.time.has(t) or bound(leaf.time)):
            return None
        if index not in leaf.time.free_symbols:
            return views.leaf(leaf.series, leaf.time, scope)
        gap = leaf.time - index
        if not gap.is_Integer:
            return None
        return views.leaf(leaf.series, span.lo + gap, scope, last=span.hi + gap)

    inner, known = prepared(node, scope, written)
    if any(isinstance(leaf, At) for leaf in leaves(inner)) or not list(leaves(node)):
        return None
    value = emit(inner, known)
    return None if "broadcast_to" in value.code or not value.full or not value.batched else value.atom


def over_batch(node: Any, views: Views, scope: Scope) -> str:
    """Write a sum over the batch of a formula without time."""
    if isinstance(node, Plus):
        return " + ".join(over_batch(term, views, scope) for term in node.args)
    if isinstance(node, Scaled) and not isinstance(node.args[1], Ones):
        return f"{python_number_in(node.args[0], scope)} * ({over_batch(node.args[1], views, scope)})"
    if isinstance(node, Rows) and isinstance(node.args[0], Static) and node.args[0] not in scope.batched:
        lo, hi = (scope.number(end) for end in node.args[1:])
        scope.used.quantities.add(node.args[0])
        return f"{scope.names.quantities[node.args[0]]}[{lo}:{hi}]"
    if isinstance(node, TimeSum) and not is_scattered(node) and not may_be_empty(node.args[3] - node.args[2] + 1):
        code = sum_over_all(node, views, scope)
        if code is not None:
            return code
    return emitted_over_batch(node, views, scope)


def emitted_over_batch(node: Any, views: Views, scope: Scope) -> str:
    """Write a sum over the batch as readable code does."""
    inner, known = with_code(node, views, scope)
    return expanded(emit_over_batch(inner, known), known).code


def python_number_in(value: Any, scope: Scope) -> str:
    """Write a number as a factor."""
    code = scope.number(value)
    return code if value.is_Atom else f"({code})"


def sum_over_all(node: Any, views: Views, scope: Scope) -> str | None:
    """Write a sum over times and sequences: ``Σ_t u_t v_tᵀ`` as one product of all rows."""
    body, index, lo, hi = node.args
    span = Span(lo, hi)
    if isinstance(body, Product) and len(body.args) == 2 and isinstance(body.args[1], Transposed):
        pair = [all_rows(part, index, span, views, scope) for part in (body.args[0], body.args[1].args[0])]
        if None not in pair:
            return f"{pair[0]}.T @ {pair[1]}"
    if (rows := all_rows(body, index, span, views, scope)) is not None:
        return f"{rows}.sum(axis=0)"
    code = at_once(body, index, span, views, scope)
    return None if code is None else f"{code}.sum(axis=(0, 1))"


def all_rows(leaf: Any, index: Expr, span: Span, views: Views, scope: Scope) -> str | None:
    """Write all values of a column as a matrix, one row for each time and sequence, where the batch comes first."""
    if not views.batch_first or not isinstance(leaf, At) or not is_column(leaf.series) or same(leaf.shape[0], 1) or leaf.series not in views.places.of:
        return None
    gap = leaf.time - index
    if not gap.is_Integer:
        return None
    return f"{views.leaf(leaf.series, span.lo + gap, scope, last=span.hi + gap)}.reshape(-1, {scope.number(leaf.shape[0])})"


def static_value(node: Any, views: Views, scope: Scope, *, batched: bool) -> str:
    """Write a formula without time, for each sequence where it differs between them."""

    def change(part: Any) -> Any:
        if isinstance(part, TimeSum) and not may_be_empty(part.args[3] - part.args[2] + 1):
            body, index, lo, hi = part.args
            code = at_once(body, index, Span(lo, hi), views, scope)
            if code is not None:
                known = Static(f"_value_{code}", (), *part.shape)
                names[known] = f"{code}.sum(axis=0)"
                return known
        return part

    names: dict[Any, str] = {}
    whole = rebuilt(node, change)
    inner_names = replace(scope.names, quantities={**scope.names.quantities, **names})
    inner = replace(scope, names=inner_names, batched=scope.batched | names.keys())

    final, known = with_code(whole, views, inner)
    return expanded(emit(final, known), known, batched=batched).code


