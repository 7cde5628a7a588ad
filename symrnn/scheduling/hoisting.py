"""Hoisting: what a recurrence reads but does not change is computed for all times before it.

``a_t = W h_{t-1} + U x_t + b`` becomes ``p_t = U x_t + b``, for all times, and ``a_t = W h_{t-1} + p_t`` in the recurrence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Basic

from symrnn.equations import Equation
from symrnn.expr import At, Leaf, Node, Ones, Plus, Scaled, Static, same, t
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, column, made_by, read_by, recurrent
from symrnn.traverse import leaves, rebuilt


def hoisted(form: Form) -> Form:
    """Give the sums in a recurrence that do not depend on it a name of their own, before it."""
    blocks: list[Block] = []
    taken: set[str] = set()
    for block in form.blocks:
        if isinstance(block, Scan) and recurrent(block):
            own = made_by(block.equations)
            before: list[Equation] = []
            kept = []
            for e in block.equations:
                found: list[Equation] = []
                kept.append(replace(e, rhs=without_sums(e, own, found, form, taken)))
                before += found
            blocks += [*(Scan((e,)) for e in before), Scan(tuple(kept), block.step)]
        else:
            blocks.append(block)
    return replace(form, blocks=tuple(blocks))


def without_sums(equation: Equation, own: set[Basic], found: list[Equation], form: Form, taken: set[str]) -> Node:
    """Return the right side with the part of each sum that reads nothing of its own under a new name."""

    def change(node: Any) -> Any:
        if not isinstance(node, Plus) or not same(node.shape[1], 1) or equation.span is None or equation.span.single:
            return node
        fixed = [term for term in node.args if not read_by(term) & own]
        if len(fixed) == len(node.args) or not worth_a_name(fixed):
            return node
        value = Plus(*fixed)
        if any(time_letters(leaf) for leaf in leaves(value)):
            return node
        new = column(form.fresh(f"p_{equation.name}", taken), node.shape[0])
        found.append(Equation(new[t], value, equation.span, "value"))
        moving = [term for term in node.args if term not in fixed]
        return Plus(*moving, new[t])

    return rebuilt(equation.rhs, change)


def worth_a_name(terms: list[Any]) -> bool:
    """Tell whether terms are work: not one quantity as it is, nor a number."""
    if not terms or not any(isinstance(leaf, At) for term in terms for leaf in leaves(term)):
        return False
    return len(terms) > 1 or not isinstance(bare(terms[0]), Leaf | Ones)


def bare(term: Any) -> Any:
    """Return a term without its number."""
    return term.args[1] if isinstance(term, Scaled) else term


def time_letters(leaf: Leaf) -> bool:
    """Tell whether a leaf stands under a sum, at the time of its index."""
    return not isinstance(leaf, Static) and any(s.name.startswith("_s") for s in leaf.time.free_symbols)
