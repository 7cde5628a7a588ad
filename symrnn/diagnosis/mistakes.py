"""Wrong derivations, made from a right one: one mistake at a time, in one gradient or in all that are made alike.

The catalogue is that of mistakes in gradients written by hand; the equations of the model decide which of them there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from symrnn.diagnosis.flow_mistakes import brackets, carries, multiples, one_derivative_more, partial, widened
from symrnn.diagnosis.mistake import Mistake, Place, made, whole
from symrnn.diagnosis.rules import Rules, Term
from symrnn.diagnosis.value_mistakes import everywhere
from symrnn.diagnosis.variations import (
    Change,
    Pool,
    derivative_of,
    exchanged,
    over_sums,
    scale_changes,
    structural,
    sum_over_time_changes,
)
from symrnn.expr import At, Elementwise, Hadamard, Leaf, Node, Series
from symrnn.networks import Network


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
        shared = any(rules[of].leads for of in targets)
        yield from carries(rules, targets)
        yield from multiples(rules, targets)
        yield from self.alike_derivatives(rules) if shared else ()
        for group in groups(rules, places):
            yield from self.in_terms(rules, group)
        for of in targets:
            yield from brackets(rules, rules[of])
            yield from widened(rules[of])
            yield from partial(rules, rules[of])
            yield from one_derivative_more(rules[of]) if rules[of].leads else ()
        for place in places:
            yield from self.in_terms(rules, [place])
        yield from everywhere(rules, self.pool) if shared else ()
        for of, k in places:
            for change in self.exchanged(rules[of].terms[k].node):
                yield made(rules, [(of, k)], [change])

    def alike_derivatives(self, rules: Rules) -> Iterator[Mistake]:
        """Yield the same wrong derivative of one activation wherever it is used, as a helper function has it."""
        for function in ("tanh", "sigmoid", "relu"):
            places = [(of, k) for of, rule in rules.items() for k, term in enumerate(rule.terms)
                      if isinstance(term.node, Hadamard) and function in {name for name, _, _ in derivative_of(term.node.args)}]
            variants = [[c for c in self.structural(rules[of].terms[k].node) if "derivative" in c.kind] for of, k in places]
            if len(places) > 1 and len({len(v) for v in variants}) == 1:
                for changes in zip(*variants, strict=True):
                    yield made(rules, places, changes)

    def in_terms(self, rules: Rules, places: Sequence[Place]) -> Iterator[Mistake]:
        """Yield the mistakes that are made in the same way in some terms."""
        terms = [rules[of].terms[k] for of, k in places]
        flowing = sum(x.carry for of in {of for of, _ in places} for x in rules[of].terms)
        lost = whole(rules, places, "missing carry" if all(x.carry for x in terms) and len(terms) == flowing else "missing term", None)
        if rules[places[0][0]].leads:
            yield lost
        variants = [self.structural(term.node) for term in terms]
        if len({len(v) for v in variants}) == 1:
            for changes in zip(*variants, strict=True):
                yield made(rules, places, changes)
        yield lost


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
