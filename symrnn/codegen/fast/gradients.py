"""Gradients of weights where the batch comes last: products of copies with all times and sequences along one axis.

The copies are made for some times at once, and their products are added up: a copy of all times would take as much memory as
the values themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, expand

from symrnn.codegen.arguments import BATCH
from symrnn.codegen.emit import may_be_empty
from symrnn.codegen.fast.chunks import FIRST, STOP
from symrnn.codegen.fast.columns import FLATTENED
from symrnn.codegen.fast.overwriting import is_column
from symrnn.codegen.fast.steps import Ref
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
NEAR = 2
"""How far apart times may be that are copied together."""


@dataclass(frozen=True)
class Copy:
    """Rows of an array, at the times of a block and beside it: all times and sequences along one axis.

    Attributes:
        rows: The rows.
        first: How far before the block the copy begins: 0, or a negative number.
        last: How far behind the block it ends.
    """

    rows: Ref
    first: Expr
    last: Expr

    def beside(self, other: Copy) -> bool:
        """Tell whether one copy for both is worth it: the rows touch, and the times are near each other."""
        mine, yours = self.rows, other.rows
        return (
            mine.array == yours.array and before(mine.lo, yours.hi) and before(yours.lo, mine.hi)
            and (before(mine.lo, yours.lo) or before(yours.lo, mine.lo)) and (before(mine.hi, yours.hi) or before(yours.hi, mine.hi))
            and bool(max(self.last, other.last) - min(self.first, other.first) <= NEAR)
        )

    def with_other(self, other: Copy) -> Copy:
        """Return one copy for both."""
        mine, yours = self.rows, other.rows
        lo = mine.lo if before(mine.lo, yours.lo) else yours.lo
        hi = yours.hi if before(mine.hi, yours.hi) else mine.hi
        return Copy(replace(mine, lo=lo, hi=hi), min(self.first, other.first), max(self.last, other.last))


def before(a: Expr, b: Expr) -> bool:
    """Tell whether a row is known to be at another one or before it."""
    return bool(expand(b - a).is_nonnegative)


def few_copies(wanted: Sequence[Copy]) -> list[Copy]:
    """Join copies of the same rows and of neighbours."""
    out: list[Copy] = []
    for copy in wanted:
        joined = copy
        while (other := next((one for one in out if one.beside(joined)), None)) is not None:
            out.remove(other)
            joined = other.with_other(joined)
        out.append(joined)
    return out


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


@dataclass
class Block:
    """The gradients over one range of times.

    Attributes:
        views: The arrays.
        scope: Identifiers, and what is used.
        copies: What is copied, by the names of the copies.
    """

    views: Views
    scope: Scope
    copies: dict[str, Copy] = field(default_factory=dict)

    def wanted(self, leaf: Any, gap: Expr) -> Copy:
        """Return the copy that a value needs for itself."""
        return Copy(self.views.place_ref(leaf.series), gap, gap)

    def copy(self, wanted: Sequence[Copy]) -> list[str]:
        """Write the copies."""
        number = self.scope.number
        self.scope.used.helpers["flattened"] = FLATTENED
        moved = replace(self.scope, indices=((FIRST, "first"), (STOP, "stop")))
        out = []
        for copy in few_copies(wanted):
            rows = copy.rows
            own = self.views.name(rows, number)
            own_name = own if f"{own}_flat" not in self.copies else f"{own}_{len(self.copies) + 1}"
            name, memory = f"{own_name}_flat", f"{own_name}_kept"
            self.copies[name] = copy
            ends = (self.views.index(rows.array, end) for end in (FIRST + copy.first, STOP + copy.last))
            times = ":".join(moved.number(end) for end in ends)
            out.append(f"{name} = flattened({self.views.use(own, rows, number)}[{times}], {memory})")
            self.views.keep(memory, rows.hi - rows.lo, int(copy.last - copy.first))
        return out

    def part(self, wanted: Copy) -> str:
        """Write the rows and columns of a copy that are a value."""
        number = self.scope.number
        name, copy = next((name, copy) for name, copy in self.copies.items() if copy.beside(wanted) and copy.with_other(wanted) == copy)
        lo, hi = (expand(end - copy.rows.lo) for end in (wanted.rows.lo, wanted.rows.hi))
        rows = "" if (wanted.rows.lo, wanted.rows.hi) == (copy.rows.lo, copy.rows.hi) else f"{number(lo)}:{number(hi)}"
        front, back = (int(gap) for gap in (wanted.first - copy.first, copy.last - wanted.last))
        ends = [number(gap * BATCH) if gap else "" for gap in (front, -back)]
        columns = ":".join(ends) if front or back else ""
        return f"{name}[{rows or ':'}, {columns}]" if columns else f"{name}[{rows}]" if rows else name


def block(equations: Sequence[Equation], span: Span, views: Views, scope: Scope) -> list[str]:
    """Write the gradients over one range of times."""
    number, names = scope.number, scope.names.quantities
    scope.used.helpers["plus"] = PLUS
    made = [f"{names[e.quantity]} = None" for e in equations]
    own = Block(views, scope)
    wanted = {e.quantity: [own.wanted(leaf, leaf.time - e.rhs.args[1]) for leaf in factors(e, views) or ()] for e in equations}
    copies = own.copy([copy for pair in wanted.values() for copy in pair])
    sums = []
    for e in equations:
        name, parts = names[e.quantity], [own.part(copy) for copy in wanted[e.quantity]]
        value = f"{parts[0]} @ {parts[1]}.T" if len(parts) == 2 else f"{parts[0]}.sum(axis=1)"
        sums.append(f"{name} = plus({name}, {value})")
    last = number(span.hi + 1)
    return [
        *made, f"for first in range({number(span.lo)}, {last}, block):", f"    stop = min(first + block, {last})",
        *(f"    {line}" for line in [*copies, *sums]),
    ]
