"""One mistake in a derivation: terms of its rules that are changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symrnn.diagnosis.rules import Rule, Rules, with_terms
from symrnn.diagnosis.variations import Change
from symrnn.expr import Node


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
