"""A model on numbers: its forward equations, and its backward rules, right or wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.diagnosis.formulas_as_code import HELPERS, MARGIN, function_of
from symrnn.diagnosis.rules import Rule, Rules
from symrnn.expr import At, Node, Series
from symrnn.networks import Network, Scan
from symrnn.times import Span


@dataclass
class Bench:
    """The values of one point.

    Attributes:
        network: Of the model.
        numbers: Values of the letters of sizes and of ``T``.
        space: Lists by time and arrays by name, as formulas read them.
        functions: Formulas as functions that read this space.
        spans: The times of spans, as pairs of numbers.
    """

    network: Network
    numbers: Mapping[str, int]
    space: dict[str, Any] = field(default_factory=dict)
    functions: dict[Node, Any] = field(default_factory=dict)
    spans: dict[Span, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make room for all values."""
        self.space |= HELPERS | dict(self.numbers)
        for equation in self.network.equations:
            if isinstance(equation.lhs, At):
                self.space.setdefault(equation.quantity.key, self.room(np.zeros((self.rows(equation.lhs), self.columns))))

    @property
    def length(self) -> int:
        """The number of time steps."""
        return self.numbers["T"]

    def room(self, filler: Any = None) -> list[Any]:
        """Return a list with a slot for each time, and some on both sides."""
        return [filler] * (self.length + 2 * MARGIN + 1)

    def give(self, quantity: Any, value: Any) -> None:
        """Set a given quantity: an array, or a mapping from times to arrays."""
        if isinstance(quantity, Series):
            listed = self.space.setdefault(quantity.key, self.room(np.zeros((self.rows(quantity), self.columns))))
            for time, array in value.items():
                listed[time + MARGIN] = array
        else:
            self.space[quantity.key] = value

    def function(self, node: Node) -> Any:
        """Return a formula as a function of the time."""
        if node not in self.functions:
            self.functions[node] = function_of(node, self.space)
        return self.functions[node]

    def bounds(self, span: Span) -> tuple[int, int]:
        """Return the first and the last time of a span."""
        if span not in self.spans:
            known = {symbol: self.numbers[str(symbol)] for end in (span.lo, span.hi) for symbol in end.free_symbols}
            self.spans[span] = int(span.lo.xreplace(known)), int(span.hi.xreplace(known))
        return self.spans[span]

    def forward(self) -> None:
        """Run the equations of the network."""
        for block in self.network.blocks:
            if isinstance(block, Scan):
                timed = [(e.quantity.key, self.function(e.rhs), *self.bounds(e.span)) for e in block.equations if e.span is not None]
                for time in range(1, self.length + 1):
                    for key, function, lo, hi in timed:
                        if lo <= time <= hi:
                            self.space[key][time + MARGIN] = function(time)
            else:
                self.space[block.quantity.key] = self.function(block.rhs)(0)

    def value(self, key: str, time: int) -> Any:
        """Return the value of a series at a time."""
        return self.space[key][time + MARGIN]

    def backward(self, rules: Rules, times: Sequence[int], wanted: Iterable[Any] = ()) -> None:
        """Run the rules that others read, from the last time to the first, and those of series that are wanted.

        Args:
            rules: Right or wrong ones.
            times: The times at which anything is not 0.
            wanted: Series whose gradient is needed though no other gradient reads it.
        """
        also = set(wanted)
        timed = [r for r in rules.values() if isinstance(r.lhs, At) and (r.leads or r.of in also)]
        columns = self.columns
        zeros = {r.lhs.series.key: np.zeros((self.rows(r.lhs), columns)) for r in timed if isinstance(r.lhs, At)}
        for key, zero in zeros.items():
            self.space[key] = self.room(zero)
        for rule in rules.values():
            if not isinstance(rule.lhs, At) and rule.leads:
                self.space[rule.lhs.key] = self.static(rule)
        plans = [(zeros[r.lhs.series.key], self.space[r.lhs.series.key], self.terms(r)) for r in timed if isinstance(r.lhs, At)]
        for time in times:
            for zero, listed, terms in plans:
                total = None
                for function, lo, hi in terms:
                    if lo <= time <= hi:
                        total = function(time) if total is None else total + function(time)
                listed[time + MARGIN] = zero if total is None else total

    def rows(self, leaf: Any) -> int:
        """Return the number of rows of a quantity."""
        size = leaf.shape[0]
        return int(size.xreplace({symbol: self.numbers[str(symbol)] for symbol in size.free_symbols}))

    @property
    def columns(self) -> int:
        """The number of sequences."""
        return self.numbers["B"]

    def terms(self, rule: Rule) -> list[tuple[Any, int, int]]:
        """Return the terms of a rule as functions, each with its times."""
        return [(self.function(term.node), *self.bounds(span)) for term in rule.terms for span in term.spans]

    def static(self, rule: Rule) -> Any:
        """Return a gradient that has no time; that of a column is added up over the sequences."""
        total: Any = 0
        for term in rule.terms:
            total = total + self.function(term.node)(0)
        shape = (self.rows(rule.lhs), 1 if rule.lhs.shape[1] == 1 else None)
        if np.shape(total) == () and shape[1] == 1:
            return np.zeros((shape[0], 1)) + total
        return total.sum(axis=1)[:, None] if shape[1] == 1 and total.ndim == 2 and total.shape[1] != 1 else total
