"""Logarithms of probabilities: where ``softmax(a_t)`` is computed, ``log softmax(a_t)`` in another formula gets a name.

The two then stand side by side, and code can compute both from the same exponentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symrnn.equations import Equation
from symrnn.expr import LogSoftmax, Softmax, same, t
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, column, recurrent
from symrnn.traverse import rebuilt


def logarithms(form: Form) -> Form:
    """Name the logarithms of softmax that other formulas read, where the softmax itself is there at the same times."""
    known = {(e.rhs.args, e.span): e.name for e in form.equations if isinstance(e.rhs, Softmax) and e.span is not None}
    taken: set[str] = set()
    blocks: list[Block] = []
    for block in form.blocks:
        if isinstance(block, Scan) and not recurrent(block):
            found: list[Equation] = []
            kept = tuple(named(e, known, found, form, taken) for e in block.equations)
            blocks += [*(Scan((e,)) for e in found), Scan(kept, block.step) if found else block]
        else:
            blocks.append(block)
    return replace(form, blocks=tuple(blocks))


def named(e: Equation, known: Mapping[Any, str], found: list[Equation], form: Form, taken: set[str]) -> Equation:
    """Return an equation that reads logarithms by name; what defines them is added to what was found."""

    def change(part: Any) -> Any:
        if not isinstance(part, LogSoftmax) or part == e.rhs or not same(part.shape[1], 1) or (part.args, e.span) not in known:
            return part
        own = next((new for new in found if (new.rhs, new.span) == (part, e.span)), None)
        if own is None:
            own = Equation(column(form.fresh(f"l_{known[part.args, e.span]}", taken), part.shape[0])[t], part, e.span, "value")
            found.append(own)
        return own.lhs

    return replace(e, rhs=rebuilt(e.rhs, change))
