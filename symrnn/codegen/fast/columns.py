"""Products for all times where the batch comes last: all times and sequences of a block of times stand along one axis.

One product of many columns is faster than one for each time. The columns are copied for some times at once: a copy of all
times would take as much memory as the values themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symrnn.codegen.arguments import BATCH
from symrnn.codegen.fast.chunks import FIRST, STOP
from symrnn.codegen.fast.steps import Call, Guarded, Item, Nest, Ref, Step, Times
from symrnn.codegen.fast.views import Views
from symrnn.codegen.values import Scope
from symrnn.times import Span

COLUMNS = 2**10
"""How many columns a block has, about."""


def with_sums(item: Item) -> Item:
    """Let the products that an item makes for all times at once add what is added to them."""
    return replace(item, body=absorbed(item.body)) if isinstance(item, Nest) and item.step == 0 else item


def absorbed(body: Sequence[Step | Guarded]) -> tuple[Step | Guarded, ...]:
    """Let a product add the vector that is added to it next, so that its result is written once."""
    out: list[Step | Guarded] = []
    for step in body:
        last = out[-1] if out else None
        if isinstance(last, Times) and isinstance(step, Call) and (vector := added(last, step)) is not None:
            out[-1] = replace(last, plus=vector)
        else:
            out.append(step)
    return tuple(out)


def added(product: Times, call: Call) -> Ref | None:
    """Return what a call adds to a product, where that is the same for all times and sequences."""
    if call.function != "add" or call.out != product.out or product.plus is not None or call.inputs[0] != product.out:
        return None
    other = call.inputs[1]
    return other if isinstance(other, Ref) and other.vector else None


def product_in_blocks(step: Times, weight: str, span: Span, views: Views, scope: Scope) -> list[str]:
    """Write a product for all times of a span, a block of times after another."""
    number = scope.number
    inner = replace(scope, indices=((FIRST, "first"), (STOP, "stop")))
    some = Span(FIRST, STOP - 1)
    height, rows = (ref.hi - ref.lo for ref in (step.operand, step.out))
    views.blocks.add(height + rows)
    value, out = (views.text(ref, some, inner) for ref in (step.operand, step.out))
    product = f"dot({weight}, columns).reshape({number(rows)}, -1, {number(BATCH)}).swapaxes(0, 1)"
    last = number(span.hi + 1)
    return [
        f"for first in range({number(span.lo)}, {last}, block):",
        f"    stop = min(first + block, {last})",
        f"    columns = {value}.swapaxes(0, 1).reshape({number(height)}, -1)",
        f"    {out} = {product}" if step.plus is None else f"    add({product}, {views.text(step.plus, some, inner)}, {out})",
    ]
