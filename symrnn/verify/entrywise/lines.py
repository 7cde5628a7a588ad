"""The printed lines of a derivation at concrete sizes: where each holds, what it reads, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sympy import Basic, Integer

from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.expr import t
from symrnn.verify.entrywise.printed import Key, Times, reads
from symrnn.verify.entrywise.unrolled import Unrolled

Place = tuple[Equation, int | None]


def when(time: int | None) -> str:
    """Return ``" at t = 3"``."""
    return "" if time is None else f" at t = {time}"


class PrintedLines:
    """Lines placed in time.

    Faults of the lines as such are found here: a quantity that is not there, two lines at one time, a read of what no
    line gives, a cycle of reads.

    Args:
        derivation: Whose lines they are; nothing but its lines, network, order and conditions is used.
        sizes: Value of each size letter.
    """

    def __init__(self, derivation: Derivation, sizes: Mapping[Basic, int]) -> None:
        self.derivation, self.sizes = derivation, sizes
        self.numbers = {letter: Integer(value) for letter, value in sizes.items()}
        self._known: dict[Basic, Basic] = {}
        self.network = derivation.network.with_sizes(dict(self.numbers))
        self._exists = Unrolled(self.network, ()).times()
        self.faults: dict[Place, str] = {}
        self.reads: dict[Place, frozenset[Key]] = {}
        self.primals: dict[Basic, Basic] = {}
        self.held: dict[Key, list[Equation]] = {}
        for line in derivation.lines:
            self._place(line)
        for (adjoint, time), lines in self.held.items():
            if len(lines) > 1:
                self.faults |= {(line, time): f"{len(lines)} lines for {adjoint.key}{when(time)}; one must go" for line in lines}
            for line in lines:
                self._check_reads(line, time)
        self.sequence = self._sequence()

    def known(self, quantity: Basic) -> Basic:
        """Return a quantity with sizes put in."""
        if quantity not in self._known:
            self._known[quantity] = quantity.xreplace(self.numbers)
        return self._known[quantity]

    def exists(self, quantity: Basic) -> set[int | None]:
        """The times at which the network has a quantity."""
        return self._exists.get(quantity, set())

    def asked(self) -> list[Key]:
        """The quantities and times whose adjoints are compared."""
        return [(q, time) for q in self.primals.values() for time in sorted(self.exists(q), key=str)]

    def conditions(self) -> list[Any]:
        """The relations on which the lines rely, with sizes put in."""
        return [type(c)(c.lhs.xreplace(self.numbers), c.rhs.xreplace(self.numbers)) for c in self.derivation.conditions]

    def times(self, line: Equation) -> list[int | None]:
        """The times at which a line holds."""
        if line.span is None:
            return [None]
        lo, hi = (int(end.xreplace(self.numbers)) for end in (line.span.lo, line.span.hi))
        return list(range(lo, hi + 1))

    def now(self, time: int | None) -> Times:
        """Return what sizes and times are in a line at a time."""
        return Times(self.numbers if time is None else {**self.numbers, t: Integer(time)}, self.known)

    def missing(self) -> Iterator[tuple[str, str]]:
        """Yield quantities with times at which no line holds, and gradients without a line."""
        for adjoint, primal in self.primals.items():
            for time in sorted(self.exists(primal), key=str):
                if (adjoint, time) not in self.held:
                    yield adjoint.key, f"no line holds{when(time)}"
        printed = set(self.primals.values())
        for given in self.derivation.wanted:
            if self.known(given.quantity) not in printed:
                yield f"the gradient in {given.name}", "no line is printed"

    def _place(self, line: Equation) -> None:
        """Record the times of a line, and refuse one for what the network does not have."""
        adjoint = self.known(line.quantity)
        primal = primal_of(adjoint, self.derivation.order)
        if primal in self._exists:
            self.primals[adjoint] = primal
        for time in self.times(line):
            self.reads[line, time] = frozenset()
            if time in self.exists(primal):
                self.held.setdefault((adjoint, time), []).append(line)
            else:
                self.faults[line, time] = f"{adjoint.key} is not the adjoint of a quantity of the network{when(time)}"

    def _check_reads(self, line: Equation, time: int | None) -> None:
        """Record what a line reads, and refuse what is not there."""
        found = frozenset(reads(line.rhs, self.now(time)))
        self.reads[line, time] = found
        for quantity, at in sorted(found, key=str):
            if at not in self.exists(quantity) and (quantity, at) not in self.held:
                self.faults.setdefault((line, time), f"it reads {quantity.key}{when(at)}, which is not there")

    def _sequence(self) -> list[Key]:
        """Adjoints and times such that each comes after what it reads; the members of a cycle are faults."""
        needed = {
            key: {read for line in lines for read in self.reads[line, key[1]] if read in self.held}
            for key, lines in self.held.items()
        }
        while True:
            try:
                return list(TopologicalSorter(needed).static_order())
            except CycleError as error:
                members = error.args[1]
                path = " → ".join(f"{quantity.key}{when(time)}" for quantity, time in members)
                for key in members:
                    needed[key] = set()
                    self.faults |= {(line, key[1]): f"its lines read each other in a circle: {path}" for line in self.held[key]}


def primal_of(adjoint: Any, order: int) -> Basic | None:
    """Return the quantity of which something is the adjoint of an order, or ``None``."""
    if not adjoint.orders or adjoint.orders[-1] != order:
        return None
    return adjoint.func(adjoint.name, adjoint.orders[:-1], *adjoint.shape)
