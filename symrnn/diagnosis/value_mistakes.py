"""Mistakes in a value of the forward pass that several gradients read: another time, another value, an index that wraps around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from symrnn.diagnosis.mistake import Mistake, Place, made
from symrnn.diagnosis.rules import Rules, Term
from symrnn.diagnosis.variations import Change, Pool, T
from symrnn.expr import At, Node, Plus, Scaled, TimeSum, split_scalar, t, time_sum
from symrnn.times import Span


def everywhere(rules: Rules, pool: Pool) -> Iterator[Mistake]:
    """Yield a value of the forward pass that is read at another time, or instead of which another is read, wherever it is used."""
    places: dict[At, list[Place]] = {}
    for of, rule in rules.items():
        for k, term in enumerate(rule.terms):
            body = bare(term.node)
            for leaf in body.atoms(At):
                if leaf.series in pool.values and t in leaf.time.free_symbols:
                    places.setdefault(leaf, []).append((of, k))
    for leaf, where in sorted(places.items(), key=str):
        if len(where) < 2:
            continue
        if leaf.time - t == -1:
            yield wrapped(rules, where, leaf)
        for other in [At(leaf.series, leaf.time + 1), At(leaf.series, leaf.time - 1), *pool.instead(leaf)]:
            kind = "wrong time" if other.series == leaf.series else "wrong quantity"
            yield made(rules, where, [Change(kind, leaf, other, with_leaf(rules[of].terms[k].node, leaf, other)) for of, k in where])


def bare(node: Node) -> Node:
    """Return what is summed over time, at the generic time; another formula as it is."""
    core = split_scalar(node)[1]
    return core.args[0].xreplace({core.args[1]: t}) if isinstance(core, TimeSum) else node


def with_leaf(node: Node, leaf: At, other: Node) -> Node:
    """Put another value in the place of one, also under a sum over time."""
    scale, core = split_scalar(node)
    if not isinstance(core, TimeSum):
        return node.xreplace({leaf: other})
    return Scaled(scale, time_sum(bare(core).xreplace({leaf: other}), core.args[2], core.args[3]))


def wrapped(rules: Rules, where: Sequence[Place], leaf: At) -> Mistake:
    """Return the mistake of an index before the first time that reads the last value, wherever the value is used."""
    after: dict[Any, list[Term]] = {of: list(rules[of].terms) for of, _ in where}
    last = At(leaf.series, T)
    for of, k in where:
        term = rules[of].terms[k]
        scale, core = split_scalar(term.node)
        if isinstance(core, TimeSum):
            body, lo, hi = bare(core), core.args[2], core.args[3]
            first = body.xreplace({t: lo}).xreplace({At(leaf.series, lo - 1): last})
            after[of][k] = replace(term, node=Plus(Scaled(scale, time_sum(body, lo + 1, hi)), Scaled(scale, first)))
        else:
            late = tuple(Span(2, span.hi) if span.lo == 1 else span for span in term.spans)
            after[of][k] = replace(term, spans=late)
            after[of].append(Term(term.node.xreplace({leaf: last}), (Span(1, 1),), term.carry))
    changed = tuple(replace(rules[of], terms=tuple(terms)) for of, terms in after.items())
    change = Change("wraps around", leaf, last, None)
    return Mistake("wraps around", tuple(after), tuple(rules[of] for of in after), changed, (change,), False)
