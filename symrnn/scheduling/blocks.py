"""Block weights: ``W [h; x; 1]`` is ``W_h h + W_x x + w``, with columns of ``W``.

Then the part that reads the state can stay in the recurrence, and the others leave it. The same holds for ``[Wᵀ δ]_{1:H}``, which is
``W_hᵀ δ``, and for the gradient ``Σ_t δ_t [h_t; x_t; 1]ᵀ``, whose columns are gradients of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr, Integer

from symrnn.equations import Equation
from symrnn.expr import At, Leaf, Ones, Plus, Product, Rows, Series, Stacked, Static, TimeSum, Transposed, same, t
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, equations_of
from symrnn.traverse import rebuilt

Cuts = dict[Static, list[tuple[Expr, Expr, Static]]]
"""For each weight, the first column and the one behind the last of each part, and the part."""


def unblocked(form: Form) -> Form:
    """Write products with stacked columns as sums of products, and values that are stacked where they are computed apart."""
    taken: set[str] = set()
    form = parts_named(form, taken)
    cuts = cuts_of(form, taken)
    if not cuts:
        return form
    columns = [
        Equation(part, Transposed(Rows(Transposed(weight), lo, hi))) for weight, parts in cuts.items() for lo, hi, part in parts
    ]
    blocks: list[Block] = list(columns)
    for block in form.blocks:
        if isinstance(block, Scan):
            blocks.append(Scan(tuple(replace(e, rhs=without_blocks(e.rhs, cuts)) for e in block.equations), block.step))
        else:
            blocks += gradient_columns(block, form, taken)
    return replace(form, blocks=tuple(blocks))


def cuts_of(form: Form, taken: set[str]) -> Cuts:
    """Return the weights that multiply stacked columns, and how they are cut."""
    cuts: Cuts = {}
    for e in form.equations:
        for product in e.rhs.atoms(Product):
            if not (len(product.args) == 2 and isinstance(product.args[0], Static) and isinstance(product.args[1], Stacked)):
                continue
            weight, stack = product.args
            if e.span is None or weight in cuts or not same(stack.shape[1], 1) or same(weight.shape[0], 1):
                continue
            start: Expr = Integer(0)
            cuts[weight] = []
            for part in stack.args:
                stop = start + part.shape[0]
                name = form.fresh(f"{weight.name}_{part.name if isinstance(part, Leaf) else 'one'}", taken)
                cuts[weight].append((start, stop, Static(name, (), weight.shape[0], part.shape[0])))
                start = stop
    return cuts


def without_blocks(node: Any, cuts: Cuts) -> Any:
    """Return a formula with the products of the cut weights written as those of their parts."""

    def change(part: Any) -> Any:
        if isinstance(part, Product) and len(part.args) == 2 and part.args[0] in cuts and isinstance(part.args[1], Stacked):
            own = cuts[part.args[0]]
            if len(own) == len(part.args[1].args) and all(same(hi - lo, row.shape[0]) for (lo, hi, _), row in zip(own, part.args[1].args, strict=True)):
                return Plus(*(Product(column, row) for (_, _, column), row in zip(own, part.args[1].args, strict=True)))
        if isinstance(part, Rows) and isinstance(part.args[0], Product) and isinstance(part.args[0].args[0], Transposed):
            front, *rest = part.args[0].args
            for lo, hi, column in cuts.get(front.args[0], []):
                if same(lo, part.args[1]) and same(hi, part.args[2]):
                    return Product(Transposed(column), *rest)
        return part

    return rebuilt(node, change)


def gradient_columns(e: Equation, form: Form, taken: set[str]) -> list[Equation]:
    """Return the gradient ``Σ_t u_t [v_t; w_t]ᵀ`` as its columns, and as what they are columns of; another equation as it is."""
    if not isinstance(e.rhs, TimeSum):
        return [e]
    body, index, lo, hi = e.rhs.args
    if not (isinstance(body, Product) and len(body.args) == 2 and isinstance(body.args[1], Transposed) and isinstance(body.args[1].args[0], Stacked)):
        return [e]
    out = []
    for part in body.args[1].args[0].args:
        name = form.fresh(f"{e.name}_{part.name if isinstance(part, Leaf) else 'one'}", taken)
        value = body.args[0] if isinstance(part, Ones) and same(part.shape[0], 1) else Product(body.args[0], Transposed(part))
        columns = Static(name, e.lhs.orders, e.lhs.shape[0], part.shape[0])
        out.append(Equation(columns, TimeSum(value, index, lo, hi)))
    return [*out, replace(e, rhs=Transposed(Stacked(*(Transposed(column.lhs) for column in out))))]


def parts_named(form: Form, taken: set[str]) -> Form:
    """Give the computed parts of a stacked value names of their own."""
    blocks: list[Block] = []
    for block in form.blocks:
        new: list[Equation] = []
        for e in equations_of(block):
            computed = isinstance(e.rhs, Stacked) and e.span is not None and same(e.rhs.shape[1], 1)
            if computed and not any(isinstance(part, At) for part in e.rhs.args):
                orders = e.quantity.orders if isinstance(e.quantity, Series) else ()
                parts = [Series(form.fresh(f"{e.name}_{k + 1}", taken), orders, *part.shape) for k, part in enumerate(e.rhs.args)]
                new += [Equation(part[t], row, e.span, e.role) for part, row in zip(parts, e.rhs.args, strict=True)]
                e = replace(e, rhs=Stacked(*(part[t] for part in parts)))
            new.append(e)
        blocks.append(Scan(tuple(new), block.step) if isinstance(block, Scan) else new[0])
    return replace(form, blocks=tuple(blocks))
