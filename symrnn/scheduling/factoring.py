"""Factoring: what multiplies a recurrent quantity is computed for all times beside the recurrence.

``δa_{f,t} = δc_t ⊙ c_{t-1} ⊙ f_t ⊙ (1 - f_t)`` becomes ``k_t = c_{t-1} ⊙ f_t ⊙ (1 - f_t)``, for all times, and
``δa_{f,t} = δc_t ⊙ k_t`` in the recurrence. Values that only hand a product on are put in first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Basic

from symrnn.equations import Equation
from symrnn.expr import At, Hadamard, Leaf, Plus, Scaled, Stacked, same, split_scalar, t
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, at, column, made_by, read_by, recurrent, segments, within
from symrnn.traverse import rebuilt


def inlined(form: Form) -> Form:
    """Put a product into its only reader, where that stands in the same recurrence at the same time."""
    while (pair := handed_on(form)) is not None:
        scan, e = pair

        def change(part: Any, e: Equation = e) -> Any:
            return e.rhs if part == e.lhs else part

        kept = tuple(replace(other, rhs=rebuilt(other.rhs, change)) for other in scan.equations if other is not e)
        form = replace(form, blocks=tuple(Scan(kept, scan.step) if block is scan else block for block in form.blocks))
    return form


def handed_on(form: Form) -> tuple[Scan, Equation] | None:
    """Return a product that one other equation of its recurrence reads, at its own time, and nobody else."""
    readers = form.readers()
    for scan in form.blocks:
        if not isinstance(scan, Scan) or not recurrent(scan):
            continue
        number = segments(scan.equations)
        for e in scan.equations:
            read = readers.get(e.quantity, [])
            if number[e.quantity] > 1 or e.quantity in form.results or not is_product(e.rhs) or e.quantity in read_by(e.rhs):
                continue
            if len(read) != 1 or isinstance(read[0][0].rhs, Stacked):
                continue
            if at(read[0][1], t) and read[0][0] in scan.equations and covered(e, read[0][0], form):
                return scan, e
    return None


def covered(e: Equation, reader: Equation, form: Form) -> bool:
    """Tell whether an equation holds at every time of its reader."""
    return e.span is not None and reader.span is not None and within(e.span, reader.span, form.order)


def is_product(node: Any) -> bool:
    """Tell whether a formula is an elementwise product of quantities and of what is computed from them entry by entry."""
    core = split_scalar(node)[1]
    return isinstance(core, Hadamard) and same(core.shape[1], 1)


def factored(form: Form) -> Form:
    """Give what multiplies a recurrent quantity, and does not depend on the recurrence, a name of its own before it."""
    blocks: list[Block] = []
    taken: set[str] = set()
    for block in form.blocks:
        if not (isinstance(block, Scan) and recurrent(block)):
            blocks.append(block)
            continue
        own = made_by(block.equations)
        before: list[Equation] = []
        scaled: dict[At, Equation] = {}
        kept = []
        for e in block.equations:
            terms = e.rhs.args if isinstance(e.rhs, Plus) else (e.rhs,)
            new = [with_factor(term, e, own, before, form, taken, scaled) for term in terms]
            kept.append(replace(e, rhs=Plus(*new) if len(new) > 1 else new[0]))
            if segments(block.equations)[e.quantity] == 1 and is_scaled(kept[-1].rhs, own):
                scaled[e.lhs] = kept[-1]
        blocks += [*(Scan((e,)) for e in before), Scan(tuple(kept), block.step)]
    return replace(form, blocks=tuple(blocks))


def is_scaled(node: Any, own: set[Basic]) -> bool:
    """Tell whether a formula is one recurrent value at ``t``, times one factor that is no part of the recurrence."""
    if not isinstance(node, Hadamard) or len(node.args) != 2 or not all(isinstance(part, At) for part in node.args):
        return False
    first, second = node.args
    return first.series in own and second.series not in own and at(first, t)


def with_factor(
    term: Any, equation: Equation, own: set[Basic], before: list[Equation], form: Form, taken: set[str], scaled: dict[At, Equation]
) -> Any:
    """Return a term whose factors from outside the recurrence are one."""
    number, core = split_scalar(term)
    if not is_product(term) or equation.span is None or equation.span.single:
        return term
    known = {factor: scaled[factor].rhs for factor in core.args if factor in scaled and covered(scaled[factor], equation, form)}
    factors = [part for factor in core.args for part in (known[factor].args if factor in known else (factor,))]
    moving = [factor for factor in factors if read_by(factor) & own]
    fixed = [factor for factor in factors if factor not in moving]
    if not moving or not (len(fixed) > 1 or number != 1 or any(not isinstance(f, Leaf) for f in fixed)) or not fixed:
        return term
    new = column(form.fresh(f"k_{equation.name}", taken), core.shape[0])
    before.append(Equation(new[t], Scaled(number, Hadamard(*fixed)), equation.span, "value"))
    return Hadamard(*moving, new[t])


