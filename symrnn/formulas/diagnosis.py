"""Which part of a formula is wrong: terms compared one by one, then single edits, all confirmed together.

Two formulas count as equal where they have the same true values at a random point; so a formula may use other relations of
the network than the derivation does, and is still compared term by term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sympy import Expr, Integer, Rational

from symrnn.errors import SymrnnError
from symrnn.expr import Node, Scaled, TimeSum, t
from symrnn.formulas.edits import Edit, Pool, edits, terms_of
from symrnn.formulas.truth import Truth

Signature = tuple[Any, ...]
MOST = 20_000
"""How many edits are tried."""
SMALL = frozenset({"missing transpose", "transpose too much", "wrong time", "wrong sign", "a function too much", "a factor too much", "missing factor"})
"""Kinds of which two are tried on one term."""
PAIRS = 40
"""How many edits are tried with another one."""
SCALES = tuple(Rational(p, q) for p in range(1, 5) for q in range(1, 5))


class Diagnosis:
    """Compares a wrong formula with the right one.

    Args:
        truth: True values.
        adjoint: What the formulas are for.
        times: The times at which both are looked at.
        pool: What may be meant.
        sizes: Letters of sizes and lengths, which may be missing as scales.
        elsewhere: Tells whether a formula is right at other sizes too.
    """

    def __init__(
        self, truth: Truth, adjoint: Any, times: Sequence[int | None], pool: Pool, sizes: Iterable[Expr],
        elsewhere: Callable[[Node], bool],
    ) -> None:
        self.truth, self.adjoint, self.times, self.pool, self.elsewhere = truth, adjoint, times, pool, elsewhere
        self.scales = [s for s in (*SCALES, *(f for letter in sizes for f in (letter, 1 / letter))) if s != 1]

    def signature(self, node: Node) -> Signature | None:
        """Return the values of a formula; nothing where it has none."""
        try:
            return tuple(tuple(map(tuple, self.truth.value(node, time))) for time in self.times)
        except (SymrnnError, IndexError, ValueError, TypeError, KeyError):
            return None

    @property
    def right(self) -> Signature:
        """The true values."""
        return tuple(tuple(map(tuple, self.truth.true(self.adjoint, time))) for time in self.times)

    def explain(self, formula: Node, derived: Node) -> tuple[Edit, ...]:
        """Return the changes that make a formula right; nothing where none were found.

        Args:
            formula: What is wrong.
            derived: What is right.
        """
        found = self.scaled(formula, derived) or self.by_terms(formula, derived)
        if len(found) == 1:
            return found
        return self.by_one_edit(formula, derived) or found or self.by_terms(formula, derived, whole=True)

    def scaled(self, formula: Node, derived: Node) -> tuple[Edit, ...]:
        """Find a factor by which everything is wrong."""
        for scale in (Integer(-1), *self.scales, *(-s for s in self.scales)):
            result = Scaled(scale, formula)
            if len(terms_of(formula)) > 1 or scale != -1:
                kind = "wrong sign" if scale == -1 else "wrong scale"
                if self.signature(result) == self.right and (scale == -1 or self.elsewhere(result)):
                    return (Edit(kind, formula, result, result),)
        return ()

    def by_terms(self, formula: Node, derived: Node, *, whole: bool = False) -> tuple[Edit, ...]:
        """Pair the terms of both formulas, and find what is wrong with those that are left.

        Args:
            formula: What is wrong.
            derived: What is right.
            whole: Accept terms that no single edit explains.
        """
        left, due = self.unpaired(terms_of(formula), terms_of(derived))
        found: list[Edit] = []
        for term in list(left):
            if (repaired := self.repair(term, due)) is not None:
                left.remove(term)
                due.remove(repaired[1])
                found += repaired[0]
        if left and due and not whole:
            return ()
        found += [Edit("a term too much", term, None, term) for term in left]
        found += [Edit("missing term", None, term, term) for term in due]
        return tuple(found)

    def unpaired(self, own: list[Node], due: list[Node]) -> tuple[list[Node], list[Node]]:
        """Return the terms that have no equal among the others."""
        rest = [(term, self.signature(term)) for term in due]
        left = []
        for term in own:
            value = self.signature(term)
            match = next((pair for pair in rest if pair[1] == value), None)
            if match is None:
                left += [] if is_zero(value) else [term]
            else:
                rest.remove(match)
        return left, [term for term, _ in rest]

    def repair(self, term: Node, due: list[Node]) -> tuple[tuple[Edit, ...], Node] | None:
        """Find the one edit, or the two, that make a term one of those that are due."""
        wanted = {self.signature(d): d for d in due}
        plain: list[Edit] = []
        for edit in self.tried(term):
            value = self.signature(edit.result)
            if value is not None and value in wanted:
                return (edit,), wanted[value]
            plain += [edit] if edit.kind in SMALL and value is not None else []
        for first in plain[:PAIRS]:
            for second in edits(first.result, self.pool):
                value = self.signature(second.result) if second.kind in SMALL else None
                if value is not None and value in wanted:
                    return (first, second), wanted[value]
        return None

    def by_one_edit(self, formula: Node, derived: Node) -> tuple[Edit, ...]:
        """Find the single edit of the whole formula that makes it right."""
        right = self.right
        return next(((edit,) for edit in self.tried(formula) if self.signature(edit.result) == right), ())

    def tried(self, node: Node) -> Iterable[Edit]:
        """Yield edits, not too many."""
        for number, edit in enumerate(edits(node, self.pool)):
            if number > MOST:
                return
            yield edit
        for scale in self.scales:
            yield Edit("wrong scale", node, Scaled(scale, node), Scaled(scale, node))


def is_zero(value: Signature | None) -> bool:
    """Tell whether a term is 0 at all times."""
    return value is not None and not any(x for matrix in value for row in matrix for x in row)


def without_sum(formula: Node, derived: Node, agrees: Callable[[Node], bool]) -> tuple[Edit, ...]:
    """Find the sum over time that a formula at the running time lacks."""
    from_right = [(s.args[2], s.args[3]) for s in derived.atoms(TimeSum)]
    for lo, hi in dict.fromkeys(from_right):
        result = TimeSum(formula, t, lo, hi)
        if agrees(result):
            return (Edit("missing sum over time", formula, result, result),)
    return ()
