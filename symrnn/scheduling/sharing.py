"""Sharing: what is computed more than once in a recurrence, at whatever time, has one name.

``Uᵀ δa_{t+1}`` in one equation and ``Uᵀ δa_t`` in another are the values at ``t+1`` and ``t`` of one series; what a weight is
multiplied with has a name too, since the gradient of the weight reads it for all times.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr, Integer, expand

from symrnn.equations import Equation
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    Leaf,
    Node,
    Plus,
    Product,
    Static,
    TimeSum,
    Transposed,
    Zeros,
    same,
    t,
)
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, column, comparable, equations_of, made_by, read_by, recurrent, within
from symrnn.times import Span, hull
from symrnn.traverse import at_time, leaves, rebuilt


def shared(form: Form) -> Form:
    """Name what recurrences compute more than once, and what they multiply weights with."""
    taken: set[str] = set()
    while (found := repeated(form)) is not None:
        form = named(form, *found, taken)
    return form


def repeated(form: Form) -> tuple[int, Any, Span] | None:
    """Return a formula that deserves a name, at the generic ``t``, with the place of its recurrence and its times."""
    for number, block in enumerate(form.blocks):
        if not (isinstance(block, Scan) and recurrent(block)):
            continue
        seen: dict[Any, set[Any]] = {}
        times: dict[Any, list[Span]] = {}
        for e in block.equations:
            for part in candidates(e):
                shift = offset_of(part)
                if shift is None or e.span is None:
                    continue
                general = at_time(part, t - shift)
                seen.setdefault(general, set()).add((e.quantity, shift))
                times.setdefault(general, []).append(e.span.shifted(shift))
        for formula, readers in seen.items():
            if (len(readers) > 1 or not isinstance(formula, Product)) and formula not in [e.rhs for e in block.equations]:
                return number, formula, hull(times[formula], form.order)
    return None


def candidates(equation: Equation) -> list[Any]:
    """Return the products of weights with values in a right side, and the values where they are computed there."""
    found = []
    for product in equation.rhs.atoms(Product):
        if len(product.args) != 2 or any(same(size, 1) for size in product.args[0].shape) or not same(product.shape[1], 1):
            continue
        weight = product.args[0].args[0] if isinstance(product.args[0], Transposed) else product.args[0]
        if not isinstance(weight, Static):
            continue
        operand = product.args[1]
        if isinstance(operand, At):
            found.append(product)
        elif is_computed(operand):
            found.append(operand)
    return found


def is_computed(node: Any) -> bool:
    """Tell whether a value is computed entry by entry."""
    return isinstance(node, Hadamard | Plus | Elementwise) and all(
        isinstance(part, Hadamard | Plus | Elementwise | Leaf) for part in node.args if isinstance(part, Node)
    )


def offset_of(node: Any) -> Expr | None:
    """Return the distance from ``t`` of the latest value of a formula, where all are at distances that are numbers."""
    offsets = [leaf.time - t for leaf in leaves(node) if isinstance(leaf, At)]
    return max(offsets) if offsets and all(offset.is_Integer for offset in offsets) else None


def named(form: Form, number: int, formula: Any, span: Span, taken: set[str]) -> Form:
    """Give a formula a name, in the recurrence that makes what it reads or else before its first reader; use it where it is known."""
    first = next(leaf for leaf in leaves(formula) if isinstance(leaf, At))
    new = column(form.fresh(f"q_{first.name}", taken), formula.shape[0])
    span, beside = without_zeros(formula, span, form)
    known = [span, *beside]

    def used_in(e: Equation) -> Equation:
        def change(part: Any) -> Any:
            if type(part) is not type(formula):
                return part
            here = next((leaf for leaf in leaves(part) if isinstance(leaf, At)), None)
            if here is None or here.series != first.series:
                return part
            time = here.time - (first.time - t)
            return At(new, time) if at_time(formula, time) == part and is_known(e, time, known, form) else part

        return replace(e, rhs=rebuilt(e.rhs, change))

    makers = [place for place, block in enumerate(form.blocks) if made_by(equations_of(block)) & read_by(formula)]
    last = max(makers, default=-1)
    changed = [[used_in(e) if place >= last else e for e in equations_of(block)] for place, block in enumerate(form.blocks)]
    place = next((place for place, block in enumerate(form.blocks) if list(equations_of(block)) != changed[place]), number)
    inside = place == last
    own = Equation(new[t], formula, span, "value")
    blocks: list[Block] = []
    for here, block in enumerate(form.blocks):
        kept = changed[here]
        if here == place and inside:
            kept = [own, *kept]
        elif here == place:
            blocks.append(Scan((own,)))
        blocks.append(Scan(tuple(kept), block.step) if isinstance(block, Scan) else kept[0])
    zeros = [Scan((Equation(new[t], Zeros(*new.shape), time),)) for time in beside]
    return replace(form, blocks=(*zeros, *blocks))


def is_known(e: Equation, time: Expr, known: list[Span], form: Form) -> bool:
    """Tell whether a value is known at a time of an equation, at every time at which the equation reads it there."""
    sums = [Span(*part.args[2:]) for part in e.rhs.atoms(TimeSum) if part.args[1] in time.free_symbols]
    index = next((part.args[1] for part in e.rhs.atoms(TimeSum) if part.args[1] in time.free_symbols), t)
    ranges = sums or ([e.span] if e.span is not None and t in time.free_symbols else [Span(time, time)])
    gap = time - index if index in time.free_symbols else Integer(0)
    if not gap.is_Integer or len(ranges) != 1:
        return False
    times = ranges[0].shifted(gap)
    whole = [hull(known, form.order)] if all(comparable(known[0], span) for span in known) else known
    return any(within(span, times, form.order) for span in whole)


def without_zeros(formula: Any, span: Span, form: Form) -> tuple[Span, list[Span]]:
    """Return the times at which a formula has to be computed, and that beside them at which it is zero."""
    zeros = {(e.quantity, e.span.lo) for e in form.equations if e.span is not None and isinstance(e.rhs, Zeros)}

    def change(part: Any) -> Any:
        return Zeros(*part.shape) if isinstance(part, At) and (part.series, part.time) in zeros else part

    if isinstance(rebuilt(at_time(formula, span.hi), change), Zeros):
        return Span(span.lo, expand(span.hi - 1)), [Span(span.hi, span.hi)]
    return span, []
