"""Quantities whose rows are those of several others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sympy import Integer

from symrnn.equations import Equation
from symrnn.expr import Stacked, Static, Zeros, t
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, column, equations_of, matrix, recurrent


def in_order(items: Sequence[Any], rank: dict[Any, int], key: Any) -> list[Any]:
    """Return items by their place; those without one stand behind, as they were."""
    return sorted(items, key=lambda item: rank.get(key(item), len(rank)))


def defined_alike(form: Form, values: Sequence[Any]) -> bool:
    """Tell whether series are each defined by one equation, over the same times, in one place."""
    found = [(number, e) for number, block in enumerate(form.blocks) for e in definitions(block) if e.quantity in values]
    inside = {number if recurrent_block(form.blocks[number]) else None for number, _ in found}
    return len(found) == len(values) and len({e.span for _, e in found}) == 1 and len(inside) == 1


def definitions(block: Block) -> list[Equation]:
    """Return the equations of a block without those that say that a value beside the ends is zero."""
    return [e for e in equations_of(block) if not isinstance(e.rhs, Zeros)]


def recurrent_block(block: Block) -> bool:
    """Tell whether a block is a recurrence."""
    return isinstance(block, Scan) and recurrent(block)


def with_whole(form: Form, parts: tuple[Any, ...], wholes: dict[Any, Any], taken: set[str]) -> tuple[Form, Any]:
    """Return the quantity whose rows are those of some parts; define it where the last of them is defined."""
    if len(parts) == 1 or parts in wholes:
        return form, wholes.get(parts, parts[0])
    name = form.fresh(common_name([part.name for part in parts]), taken)
    height = sum((part.shape[0] for part in parts), Integer(0))
    if isinstance(parts[0], Static):
        whole: Any = matrix(name, height, parts[0].shape[1])
        wholes[parts] = whole
        made = [number for number, block in enumerate(form.blocks) if isinstance(block, Equation) and block.quantity in parts]
        place = max(made, default=-1) + 1
        return replace(form, blocks=(*form.blocks[:place], Equation(whole, Stacked(*parts)), *form.blocks[place:])), whole
    orders = parts[0].orders
    whole = column(name, height) if not orders else type(parts[0])(name, orders, height, 1)
    wholes[parts] = whole
    last = max(number for number, block in enumerate(form.blocks) for e in definitions(block) if e.quantity in parts)
    span = next(e.span for block in form.blocks for e in definitions(block) if e.quantity == parts[0])
    new = Equation(whole[t], Stacked(*(part[t] for part in parts)), span, "value")
    blocks = list(form.blocks)
    block = blocks[last]
    if isinstance(block, Scan) and recurrent(block):
        blocks[last] = Scan((*block.equations, new), block.step)
    else:
        blocks.insert(last + 1, Scan((new,)))
    beside = [e.span for e in form.equations if e.quantity == parts[0] and isinstance(e.rhs, Zeros)]
    zeros = [Scan((Equation(whole[t], Zeros(height, 1), span),)) for span in beside]
    return replace(form, blocks=(*zeros, *blocks)), whole


def common_name(names: Sequence[str]) -> str:
    """Return a name for several: ``a_f``, ``a_i`` give ``a_fi``."""
    base = names[0].partition("_")[0]
    return f"{base}_{''.join(name.rpartition('_')[2] for name in names)}"


def inserted(form: Form, changed: dict[Equation, Equation], added: list[Equation]) -> Form:
    """Return a form in which equations are changed; what is added stands in the recurrence of the first of them, or before it."""
    blocks: list[Block] = []
    waiting = list(added)
    for block in form.blocks:
        if not any(e in changed for e in equations_of(block)):
            blocks.append(block)
            continue
        new = [changed.get(e, e) for e in equations_of(block)]
        if recurrent_block(block):
            new, waiting = [*waiting, *new], []
        blocks += [Scan((e,)) for e in waiting]
        waiting = []
        blocks.append(Scan(tuple(new), block.step) if isinstance(block, Scan) else new[0])
    return replace(form, blocks=tuple(blocks))
