"""Mistakes in how gradients flow into each other: from the next time step, through a bracket, before all terms are added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sympy import expand

from symrnn.diagnosis.mistake import Mistake, Place, made, whole
from symrnn.diagnosis.rules import Rule, Rules, Term
from symrnn.diagnosis.variations import Change, attempt, derivative_of, fits, scale_changes
from symrnn.expr import At, Elementwise, Hadamard, Node, Plus, Scaled, Series, t


def carries(rules: Rules, targets: Sequence[Any]) -> Iterator[Mistake]:
    """Yield the ways to lose what flows back from the next time, of all states and of each.

    The gradient of the initial state may have it all the same: it is then what was computed and never added.
    """
    flowing = {of: [(of, k) for k, term in enumerate(rules[of].terms) if term.carry] for of in targets}
    every = [places for places in flowing.values() if places]
    together = [place for places in every for place in places]
    for places in [*([together] if len(every) > 1 else []), *every]:
        yield from with_and_without_start(rules, whole(rules, places, "missing carry", None), places)
        for factor, kind in ((2, "doubled term"), (-1, "wrong sign")):
            results = [Scaled(factor, rules[of].terms[k].node) for of, k in places]
            changed = made(rules, places, [Change(kind, rules[of].terms[k].node, x, x) for (of, k), x in zip(places, results, strict=True)])
            yield from with_and_without_start(rules, changed, places)


def with_and_without_start(rules: Rules, mistake: Mistake, places: Sequence[Place]) -> Iterator[Mistake]:
    """Yield a mistake in what flows back, and the same at all times but that of the initial state."""
    yield mistake
    after = []
    for rule in mistake.after:
        late = [replace(term, spans=spans) for term in rule.terms if (spans := tuple(span for span in term.spans if span.hi != 0))]
        old = [rules[of].terms[k] for of, k in places if of == rule.of]
        early = [replace(term, spans=spans) for term in old if (spans := tuple(span for span in term.spans if span.hi == 0))]
        own = [replace(term, spans=spans) for term in rule.terms if term in rules[rule.of].terms
               and (spans := tuple(span for span in term.spans if span.hi == 0))]
        after.append(replace(rule, terms=(*late, *early, *own)))
    yield replace(mistake, after=tuple(after))


def multiples(rules: Rules, targets: Sequence[Any]) -> Iterator[Mistake]:
    """Yield multiples of gradients that have several terms, of all terms together."""
    for of in targets:
        places = [(of, k) for k, term in enumerate(rules[of].terms) if not term.carry]
        if len(places) > 1:
            for changes in zip(*(list(scale_changes(rules[of].terms[k].node)) for _, k in places), strict=True):
                yield made(rules, places, changes)


def brackets(rules: Rules, rule: Rule) -> Iterator[Mistake]:
    """Yield what comes of a factor that should multiply a sum, and multiplies some of its terms only.

    ``δa_t = δh_t ∘ φ'`` with ``δh_t = g_t + Wᵀ δa_{t+1}`` becomes ``δa_t = g_t + (Wᵀ δa_{t+1}) ∘ φ'``.
    """
    for place, term in enumerate(rule.terms):
        if not isinstance(term.node, Hadamard):
            continue
        for factor in term.node.args:
            inner = next((r for r in rules.values() if isinstance(factor, At) and r.lhs == factor), None)
            if inner is None or len(inner.terms) < 2 or inner.of == rule.of:
                continue
            rest = [arg for arg in term.node.args if arg != factor]
            for chosen in subsets(inner):
                yield bracketed(rule, place, term, inner, rest, chosen)


def widened(rule: Rule) -> Iterator[Mistake]:
    """Yield what comes of a factor of one term that multiplies the whole sum.

    ``δc_t = δs_t ∘ φ' + δc_{t+1} ∘ f_{t+1}`` becomes ``(δs_t + δc_{t+1} ∘ f_{t+1}) ∘ φ'``.
    """
    for place, term in enumerate(rule.terms):
        if len(rule.terms) > 1 and isinstance(term.node, Hadamard):
            for factor in dict.fromkeys(term.node.args):
                if isinstance(factor, At) and factor.series.orders:
                    continue
                terms = [x if k == place else replace(x, node=made_of) for k, x in enumerate(rule.terms)
                         if fits(made_of := attempt(Hadamard, x.node, factor), term.node)]
                if len(terms) == len(rule.terms):
                    after = replace(rule, terms=tuple(terms))
                    yield Mistake("brackets", (rule.of,), (rule,), (after,), (Change("brackets", rule.line().rhs, after.line().rhs, None),), False)


def partial(rules: Rules, rule: Rule) -> Iterator[Mistake]:
    """Yield what comes of a gradient that is read before all of its terms are added, or with its derivative once more."""
    by_series = {r.lhs.series: r for r in rules.values() if isinstance(r.lhs, At)}
    for place, term in enumerate(rule.terms):
        for leaf in sorted(term.node.atoms(At), key=str):
            inner = by_series.get(leaf.series)
            if inner is None or t not in leaf.time.free_symbols:
                continue
            for kind, instead in instead_of(inner):
                moved = instead.xreplace({t: leaf.time})
                result = term.node.xreplace({leaf: moved})
                yield made(rules, [(rule.of, place)], [Change(kind, leaf, moved, result)])


def one_derivative_more(rule: Rule) -> Iterator[Mistake]:
    """Yield a derivative of an activation that the forward pass does not apply, as in ``δc_t = δh_t ∘ o_t ∘ (1 - tanh²(c_t))``."""
    if not isinstance(rule.of, Series):
        return
    value = At(rule.of, t)
    again = Elementwise("tanh", value)
    for k, term in enumerate(rule.terms):
        for derivative in (1 - again * again, 1 - value * value, value * (1 - value)):
            node = attempt(Hadamard, term.node, derivative)
            if fits(node, term.node):
                terms = (*rule.terms[:k], replace(term, node=node), *rule.terms[k + 1:])
                change = Change("a factor too much", None, derivative, node)
                yield Mistake("a factor too much", (rule.of,), (rule,), (replace(rule, terms=terms),), (change,), term.carry)


def instead_of(rule: Rule) -> Iterator[tuple[str, Node]]:
    """Yield what stands for a gradient: all its terms but one, one of them once more, or the gradient times its own derivative."""
    if len(rule.terms) > 1:
        for k in range(len(rule.terms)):
            yield "missing term", Plus(*(term.node for j, term in enumerate(rule.terms) if j != k))
            yield "doubled term", Plus(rule.lhs, *(term.node for j, term in enumerate(rule.terms) if j != k))
        for term in rule.terms if len(rule.terms) > 2 else ():
            yield "doubled term", Plus(rule.lhs, term.node)
    for term in rule.terms:
        if isinstance(term.node, Hadamard):
            for _, places, _ in derivative_of(term.node.args):
                yield "a factor too much", Hadamard(rule.lhs, *(term.node.args[place] for place in places))


def subsets(rule: Rule) -> list[set[int]]:
    """Return the terms of a sum that a factor multiplies by mistake: one, all but one, all that flow back, all others."""
    every = set(range(len(rule.terms)))
    flowing = {k for k, term in enumerate(rule.terms) if term.carry}
    found = [*({k} for k in every), *(every - {k} for k in every), flowing, every - flowing]
    return [s for k, s in enumerate(found) if s and s != every and s not in found[:k]]


def bracketed(rule: Rule, place: int, term: Term, inner: Rule, rest: Sequence[Node], chosen: set[int]) -> Mistake:
    """Return the mistake in which a factor multiplies the chosen terms only."""
    factor: Node = Hadamard(*rest) if len(rest) > 1 else rest[0]
    terms = []
    for k, part in enumerate(inner.terms):
        node = attempt(Hadamard, part.node, factor) if k in chosen else part.node
        if fits(node, term.node):
            spans = tuple(span for span in part.spans if expand(span.hi) != 0)
            terms.append(Term(node, spans, part.carry))
    after = replace(rule, terms=(*rule.terms[:place], *terms, *rule.terms[place + 1:]))
    change = Change("brackets", term.node, after.line().rhs, None)
    return Mistake("brackets", (rule.of,), (rule,), (after,), (change,), False)
