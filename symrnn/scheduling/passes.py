"""The passes, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sympy import Basic

from symrnn.equations import Equation
from symrnn.expr import At, Leaf, t
from symrnn.networks.graph import Network, Scan
from symrnn.scheduling.blending import blended
from symrnn.scheduling.blocks import unblocked
from symrnn.scheduling.distribution import distributed
from symrnn.scheduling.factoring import factored, inlined
from symrnn.scheduling.form import Form, apart, equations_of
from symrnn.scheduling.hoisting import hoisted
from symrnn.scheduling.logarithms import logarithms
from symrnn.scheduling.padding import padded
from symrnn.scheduling.sharing import shared
from symrnn.scheduling.stacking import stacked
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of

Pass = Callable[[Form], Form]


def needed(form: Form) -> Form:
    """Leave out what no result needs, and a value at one time that nobody reads there."""
    made: dict[Basic, list[Equation]] = {}
    for e in form.equations:
        made.setdefault(e.quantity, []).append(e)
    wanted = [e for q, span in form.results.items() for e in made.get(q, []) if meets(e.span, span, form)]
    kept: set[int] = set()
    while wanted:
        e = wanted.pop()
        if id(e) in kept:
            continue
        kept.add(id(e))
        for leaf in dict.fromkeys(leaves(e.rhs)):
            wanted += [other for other in made.get(quantity_of(leaf), []) if id(other) not in kept and is_read(other, leaf, e.span, form)]
    blocks = []
    for block in form.blocks:
        own = tuple(e for e in equations_of(block) if id(e) in kept)
        if own:
            whole = isinstance(block, Scan) and len(own) == len(block.equations)
            blocks.append(block if whole or not isinstance(block, Scan) else Scan(own, block.step))
    return replace(form, blocks=tuple(blocks))


def meets(span: Span | None, other: Span | None, form: Form) -> bool:
    """Tell whether two ranges of times have one in common; only a single time is looked at."""
    if span is None or other is None or not (span.single or other.single):
        return True
    return not apart(span, other, form.order)


def is_read(equation: Equation, leaf: Leaf, span: Span | None, form: Form) -> bool:
    """Tell whether a leaf, somewhere in a formula that holds at some times, reads the value that an equation of its quantity gives."""
    if not isinstance(leaf, At) or equation.span is None:
        return True
    offset = leaf.time - t
    if offset.is_Integer and span is not None:
        return meets(equation.span, span.shifted(offset), form)
    moving = any(letter.name.startswith("_s") for letter in leaf.time.free_symbols)
    return moving or meets(equation.span, Span(leaf.time, leaf.time), form)


PASSES: Mapping[str, Pass] = MappingProxyType({
    "needed": needed,
    "padded": padded,
    "distributed": distributed,
    "unblocked": unblocked,
    "blended": blended,
    "shared": shared,
    "hoisted": hoisted,
    "inlined": inlined,
    "factored": factored,
    "stacked": stacked,
    "logarithms": logarithms,
    "pruned": needed,
})
"""From a form to another of the same value, by name."""


def scheduled(network: Network, results: Mapping[Basic, Span | None]) -> Form:
    """Arrange what the results need: recurrences as small as they can be, and everything else for all times at once."""
    form = Form(network, network.blocks, results)
    for run in PASSES.values():
        form = run(form)
    return form
