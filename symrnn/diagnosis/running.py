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
class Plan:
    """A rule of a series, ready to run.

    Attributes:
        rule: The rule.
        key: What formulas call the gradient.
        zero: Its value where it has no term.
        terms: Its terms as functions, each with its times.
        listed: Its values, by time.
    """

    rule: Rule
    key: str
    zero: Any
    terms: list[tuple[Any, int, int]]
    listed: list[Any] = field(default_factory=list)


@dataclass
class Bench:
    """The values of one point.

    Attributes:
        network: Of the model.
        numbers: Values of the letters of sizes and of ``T``.
        space: Lists by time and arrays by name, as formulas read them.
        functions: Formulas as functions that read this space.
        spans: The times of spans, as pairs of numbers.
        plans: Rules of series that were run, by identity.
        sums: Rules without time that were run, by identity.
    """

    network: Network
    numbers: Mapping[str, int]
    space: dict[str, Any] = field(default_factory=dict)
    functions: dict[Node, Any] = field(default_factory=dict)
    spans: dict[Span, tuple[int, int]] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)
    sums: dict[int, tuple[Rule, list[Any], int, bool]] = field(default_factory=dict)

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
        plans = [self.plan(rule) for rule in rules.values() if isinstance(rule.lhs, At) and (rule.leads or rule.of in also)]
        for plan in plans:
            self.space[plan.key] = plan.listed = self.room(plan.zero)
        for rule in rules.values():
            if not isinstance(rule.lhs, At) and rule.leads:
                self.space[rule.lhs.key] = self.static(rule)
        for time in times:
            for plan in plans:
                total = None
                for function, lo, hi in plan.terms:
                    if lo <= time <= hi:
                        total = function(time) if total is None else total + function(time)
                plan.listed[time + MARGIN] = plan.zero if total is None else total

    def plan(self, rule: Rule) -> Plan:
        """Return a rule of a series as functions; the same one for the same rule."""
        if id(rule) not in self.plans:
            leaf: Any = rule.lhs
            terms = [(self.function(term.node), *self.bounds(span)) for term in rule.terms for span in term.spans]
            self.plans[id(rule)] = Plan(rule, leaf.series.key if isinstance(leaf, At) else leaf.key, np.zeros((self.rows(leaf), self.columns)), terms)
        return self.plans[id(rule)]

    def rows(self, leaf: Any) -> int:
        """Return the number of rows of a quantity."""
        size = leaf.shape[0]
        return int(size.xreplace({symbol: self.numbers[str(symbol)] for symbol in size.free_symbols}))

    @property
    def columns(self) -> int:
        """The number of sequences."""
        return self.numbers["B"]

    def terms(self, rule: Rule) -> list[tuple[Any, int, int]]:
        """Return the terms of a rule of a series as functions, each with its times."""
        return self.plan(rule).terms

    def static(self, rule: Rule) -> Any:
        """Return a gradient that has no time; that of a column is added up over the sequences."""
        if id(rule) not in self.sums:
            self.sums[id(rule)] = (rule, [self.function(term.node) for term in rule.terms], self.rows(rule.lhs), rule.lhs.shape[1] == 1)
        _, functions, rows, column = self.sums[id(rule)]
        total: Any = 0
        for function in functions:
            total = total + function(0)
        if np.shape(total) == ():
            return (np.zeros((rows, 1)) if column else 0) + total
        return total.sum(axis=1)[:, None] if column and total.ndim == 2 and total.shape[1] != 1 else total
