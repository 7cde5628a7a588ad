"""Products for all times where the batch comes last.

Of a large weight one product of many columns is faster than one for each time, since the weight is read less often: all times
and sequences of a block of times are put along one axis. A copy of all times would take as much memory as the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symrnn.codegen.fast.steps import Call, Guarded, Item, Nest, Ref, Step, Times

COLUMNS = 2**10
"""How many columns a block has, about."""
LARGE = 2**17
"""A weight with more entries than that is multiplied with many columns at once."""
PRODUCT = f"""
def product(W, values, out, vector=None):
    \"\"\"W v for all times, plus a vector: from values (times, n, B) to (times, m, B); a large W takes many times at once.\"\"\"
    if W.size < {LARGE}:
        np.matmul(W, values, out)
        return out if vector is None else np.add(out, vector, out)
    block = max(1, {COLUMNS} // values.shape[2])
    for first in range(0, len(values), block):
        columns = values[first:first + block].swapaxes(0, 1).reshape(values.shape[1], -1)
        some = np.dot(W, columns).reshape(len(W), -1, values.shape[2]).swapaxes(0, 1)
        out[first:first + block] = some if vector is None else some + vector
    return out
"""
FLATTENED = """
def flattened(values, kept):
    \"\"\"Values of some times, (times, n, B), with times and sequences along one axis, (n, times · B), in memory that is kept.\"\"\"
    out = kept[:values.size].reshape(values.shape[1], len(values), -1)
    out[...] = values.swapaxes(0, 1)
    return out.reshape(values.shape[1], -1)
"""


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
    if product.operand.time is None or product.out.time is None:  # an array in between: the product is not written by ``product``
        return None
    other = call.inputs[1]
    return other if isinstance(other, Ref) and other.vector else None
