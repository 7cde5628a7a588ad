"""Gradients of weights where the batch comes last: products of copies with all times and sequences along one axis.

The copies are made for some times at once, and their products are added up: a copy of all times would take as much memory as
the values themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import Add, Expr

from symrnn.codegen.emit import may_be_empty
from symrnn.codegen.fast.chunks import FIRST, STOP
from symrnn.codegen.fast.places import is_column
from symrnn.codegen.fast.views import Views
from symrnn.codegen.values import Scope
from symrnn.equations import Equation
from symrnn.expr import At, Product, TimeSum, Transposed, same
from symrnn.times import Span

PLUS = """
def plus(total, part):
    \"\"\"The sum of both, in place of the total; the part where there is no total yet.\"\"\"
    return part if total is None else np.add(total, part, total)
"""


def factors(e: Equation, views: Views) -> tuple[Any, ...] | None:
    """Return ``u`` and ``v`` of a gradient ``Σ_t u_t v_tᵀ``, or ``u`` of ``Σ_t u_t``; ``None`` for anything else."""
    if not isinstance(e.rhs, TimeSum) or may_be_empty(e.rhs.args[3] - e.rhs.args[2] + 1):
        return None
    body, index = e.rhs.args[:2]
    pair = list(body.args) if isinstance(body, Product) and len(body.args) == 2 else [body]
    if len(pair) == 2:
        pair[1] = pair[1].args[0] if isinstance(pair[1], Transposed) else None
    plain = all(
        isinstance(leaf, At) and leaf.series in views.places.of and is_column(leaf.series) and not same(leaf.shape[0], 1)
        and (leaf.time - index).is_Integer and not views.places.of[leaf.series].array.brief
        for leaf in pair
    )
    return tuple(pair) if plain else None


def in_blocks(equations: Sequence[Equation], views: Views, scope: Scope) -> list[str]:
    """Write gradients, those over the same times together."""
    spans = dict.fromkeys(Span(*e.rhs.args[2:]) for e in equations)
    return [line for span in spans for line in block([e for e in equations if Span(*e.rhs.args[2:]) == span], span, views, scope)]


def block(equations: Sequence[Equation], span: Span, views: Views, scope: Scope) -> list[str]:
    """Write the gradients over one range of times."""
    number, names = scope.number, scope.names.quantities
    scope.used.helpers["plus"] = PLUS
    made = [f"{names[e.quantity]} = None" for e in equations]
    copies: dict[tuple[Any, Expr], tuple[str, str]] = {}
    sums = []
    inner = [(FIRST, "first"), (STOP, "stop")]
    for e in equations:
        index = e.rhs.args[1]
        parts = [copied(leaf, leaf.time - index, copies, views, scope, inner) for leaf in factors(e, views) or ()]
        value = f"{parts[0]} @ {parts[1]}.T" if len(parts) == 2 else f"{parts[0]}.sum(axis=1)"
        sums.append(f"{names[e.quantity]} = plus({names[e.quantity]}, {value})")
    lines = [f"{name} = {code}" for name, code in copies.values()]
    views.blocks.add(Add(*(leaf.shape[0] for leaf, _ in copies)))
    last = number(span.hi + 1)
    return [
        *made, f"for first in range({number(span.lo)}, {last}, block):", f"    stop = min(first + block, {last})",
        *(f"    {line}" for line in [*lines, *sums]),
    ]


def copied(
    leaf: Any, gap: Expr, copies: dict[tuple[Any, Expr], tuple[str, str]], views: Views, scope: Scope, inner: list[tuple[Expr, str]]
) -> str:
    """Return the name of a copy with all times and sequences along one axis."""
    if (leaf.series, gap) not in copies:
        moved = Scope(scope.names, scope.batch, scope.batched, scope.used, tuple(inner))
        key = views.key_of(leaf.series)
        times = f"{moved.number(views.index(key, FIRST + gap))}:{moved.number(views.index(key, STOP + gap))}"
        height = scope.number(leaf.shape[0])
        suffix = "" if gap == 0 else f"_{'m' if gap < 0 else 'p'}{abs(gap)}"
        code = f"{views.all_of(leaf.series, scope)}[{times}].swapaxes(0, 1).reshape({height}, -1)"
        copies[leaf.series, gap] = (f"{views.names[leaf.series]}_flat{suffix}", code)
    return copies[leaf.series, gap][0]


