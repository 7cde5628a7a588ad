"""Wrong derivations, made from a right one: one mistake at a time, in one gradient or in all that are made alike.

The catalogue is that of mistakes in gradients written by hand; the equations of the model decide which of them there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sympy import expand

from symrnn.diagnosis.rules import Rule, Rules, Term, with_terms
from symrnn.diagnosis.variations import (
    Change,
    Pool,
    attempt,
    exchanged,
    fits,
    over_sums,
    scale_changes,
    structural,
    sum_over_time_changes,
)
from symrnn.expr import At, Elementwise, Hadamard, Leaf, Node, Scaled, Series
from symrnn.networks import Network


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        kind: Its name.
        of: The quantities whose gradients it is made in.
        before: Their rules as they were.
        after: Their rules with the mistake.
        changes: What stands where, in each of them.
        carry: Whether it is made in what flows back from another time.
        start: Whether it is made in the gradient of an initial state only.
    """

    kind: str
    of: tuple[Any, ...]
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]
    changes: tuple[Change, ...]
    carry: bool
    start: bool = False

    def applied(self, rules: Rules) -> dict[Any, Rule]:
        """Return rules with the mistake."""
        return with_terms(rules, {rule.of: rule.terms for rule in self.after})


Place = tuple[Any, int]
"""A term: the quantity and the number of the term."""


class Catalogue:
    """The mistakes that can be made in the rules of a network.

    Args:
        network: Whose gradients are made.
        rules: The right rules.
    """

    def __init__(self, network: Network, rules: Rules) -> None:
        values = tuple(dict.fromkeys([e.quantity for e in network.equations if isinstance(e.quantity, Series)]
                                     + [g.quantity for g in network.givens if isinstance(g.quantity, Series) and g.kind == "input"]))
        adjoints = tuple(rule.lhs.series for rule in rules.values() if isinstance(rule.lhs, At))
        self.pool = Pool(values, adjoints, network.parameters)
        self.arguments = {e.lhs: e.rhs.args[1] for e in network.equations if isinstance(e.rhs, Elementwise)}
        self.structural = cache(self._structural)
        self.exchanged = cache(self._exchanged)

    def _structural(self, node: Node) -> list[Change]:
        """Changes of a term that need no other letters, the same ones for terms that are made alike."""
        found = list(over_sums(node, lambda body: structural(body, self.arguments)))
        return found + list(sum_over_time_changes(node)) + list(scale_changes(node))

    def _exchanged(self, node: Node) -> list[Change]:
        """Changes of a term that take other letters."""
        return list(over_sums(node, lambda body: exchanged(body, self.pool)))

    def of(self, rules: Rules, targets: Sequence[Any]) -> Iterator[Mistake]:
        """Yield the mistakes that can be made in the gradients of some quantities, those in many places first.

        Args:
            rules: Right ones, or ones that have mistakes already.
            targets: The quantities.
        """
        seen: set[tuple[tuple[Any, tuple[Term, ...]], ...]] = set()
        for mistake in self.all_of(rules, targets):
            key = tuple((rule.of, rule.terms) for rule in mistake.after)
            if key not in seen and any(a.terms != b.terms for a, b in zip(mistake.before, mistake.after, strict=True)):
                seen.add(key)
                yield mistake

    def all_of(self, rules: Rules, targets: Sequence[Any]) -> Iterator[Mistake]:
        """Yield mistakes, some of them twice."""
        places = [(of, k) for of in targets for k in range(len(rules[of].terms))]
        yield from carries(rules, targets)
        yield from multiples(rules, targets)
        for group in groups(rules, places):
            yield from self.in_terms(rules, group)
        for of in targets:
            yield from brackets(rules, rules[of])
        for place in places:
            yield from self.in_terms(rules, [place])
        for of, k in places:
            for change in self.exchanged(rules[of].terms[k].node):
                yield made(rules, [(of, k)], [change])

    def in_terms(self, rules: Rules, places: Sequence[Place]) -> Iterator[Mistake]:
        """Yield the mistakes that are made in the same way in some terms."""
        terms = [rules[of].terms[k] for of, k in places]
        yield whole(rules, places, "missing carry" if all(x.carry for x in terms) else "missing term", None)
        variants = [self.structural(term.node) for term in terms]
        if len({len(v) for v in variants}) == 1:
            for changes in zip(*variants, strict=True):
                yield made(rules, places, changes)


def whole(rules: Rules, places: Iterable[Place], kind: str, result: Node | None) -> Mistake:
    """Return the mistake that leaves out whole terms."""
    listed = list(places)
    return made(rules, listed, [Change(kind, rules[of].terms[k].node, result, result) for of, k in listed])


def made(rules: Rules, places: Sequence[Place], changes: Sequence[Change]) -> Mistake:
    """Return the mistake of changed terms."""
    touched = tuple(dict.fromkeys(of for of, _ in places))
    by_place = dict(zip(places, changes, strict=True))
    after = []
    for of in touched:
        terms = []
        for k, term in enumerate(rules[of].terms):
            change = by_place.get((of, k))
            if change is None:
                terms.append(term)
            elif change.result is not None:
                terms.append(replace(term, node=change.result))
        after.append(replace(rules[of], terms=tuple(terms)))
    carry = all(rules[of].terms[k].carry for of, k in places)
    return Mistake(changes[0].kind, touched, tuple(rules[of] for of in touched), tuple(after), tuple(changes), carry)


def skeleton(term: Term, role: str) -> Any:
    """Return the structure of a term: its letters by the order in which they occur."""
    names: dict[Any, Leaf] = {}
    swaps = {}
    for leaf in ordered_leaves(term.node):
        base = leaf.series if isinstance(leaf, At) else leaf
        number = names.setdefault(base, len(names))  # type: ignore[arg-type]  # a number stands for the letter
        swaps[leaf] = (number, leaf.shape, leaf.time if isinstance(leaf, At) else None)
    return (role, term.spans, structure(term.node, swaps))


def structure(node: Any, swaps: dict[Any, Any]) -> Any:
    """Return a formula as nested tuples with letters replaced."""
    if node in swaps:
        return swaps[node]
    return (type(node).__name__, *(structure(arg, swaps) for arg in node.args)) if getattr(node, "args", ()) else node


def ordered_leaves(node: Any) -> Iterator[Leaf]:
    """Yield the letters of a formula from left to right."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Node):
        for arg in node.args:
            yield from ordered_leaves(arg)


def groups(rules: Rules, places: Iterable[Place]) -> list[list[Place]]:
    """Return the groups of terms that are made alike, such as one for each gate; the largest first."""
    found: dict[Any, list[Place]] = {}
    for of, k in places:
        found.setdefault(skeleton(rules[of].terms[k], rules[of].role), []).append((of, k))
    return sorted((group for group in found.values() if len(group) > 1), key=len, reverse=True)


def carries(rules: Rules, targets: Sequence[Any]) -> Iterator[Mistake]:
    """Yield the ways to lose what flows back from the next time, of all states and of each.

    The gradient of the initial state may have it all the same: it is then what was computed and never added.
    """
    flowing = {of: [(of, k) for k, term in enumerate(rules[of].terms) if term.carry] for of in targets}
    every = [places for places in flowing.values() if places]
    together = [place for places in every for place in places]
    for places in [*([together] if len(every) > 1 else []), *every]:
        yield whole(rules, places, "missing carry", None)
        yield kept_at_start(rules, places)
        for factor, kind in ((2, "doubled term"), (-1, "wrong sign")):
            results = [Scaled(factor, rules[of].terms[k].node) for of, k in places]
            yield made(rules, places, [Change(kind, rules[of].terms[k].node, x, x) for (of, k), x in zip(places, results, strict=True)])


def kept_at_start(rules: Rules, places: Sequence[Place]) -> Mistake:
    """Return the mistake that leaves out terms at all times but that of the initial state."""
    lost = whole(rules, places, "missing carry", None)
    after = []
    for rule in lost.after:
        kept = [replace(rules[of].terms[k], spans=spans) for of, k in places if of == rule.of
                if (spans := tuple(span for span in rules[of].terms[k].spans if span.hi == 0))]
        after.append(replace(rule, terms=(*rule.terms, *kept)))
    return replace(lost, after=tuple(after))


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
