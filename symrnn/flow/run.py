"""The steps of one network with numbers: forward pass, Jacobians and factors, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Integer, sympify

from symrnn.expr import Static
from symrnn.flow.factors import computed
from symrnn.flow.steps import HERE, Chain, Values, called
from symrnn.verify.points import size_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LIMIT = 2**28
"""Bytes of Jacobians and of what they are computed from that are held at once."""


@dataclass
class Run:
    """The steps of one chain with numbers, in the order in which they run.

    Attributes:
        chain: The formulas.
        values: Arrays by the names of what is given, of one sequence.
        sizes: A number for each size letter.
        found: What the run over the sequence computed.
        times: The times, in the order in which the steps run.
        held: The Jacobians of the last chunk that was asked for.
    """

    chain: Chain
    values: Values
    sizes: Mapping[str, int]
    found: Mapping[str, Any]
    times: Array
    held: tuple[slice, Array, Array | None] | None = None

    @classmethod
    def of(cls, chain: Chain, values: Values, sizes: Mapping[str, int]) -> Run:
        """Run the network once."""
        span = chain.group.span
        times = np.arange(size_in(span.lo, sizes), size_in(span.hi, sizes) + 1)[:: chain.group.step]
        return cls(chain, values, sizes, chain.run_forward(values), times)

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def rows(self) -> dict[Any, slice]:
        """The place of each state in the column of all of them."""
        ends = np.cumsum([0, *(size_in(q.shape[0], self.sizes) for q in self.chain.states)])
        return {q: slice(int(a), int(b)) for q, a, b in zip(self.chain.states, ends, ends[1:], strict=False)}

    @property
    def size(self) -> int:
        """The number ``n`` of entries of all states."""
        return sum(rows.stop - rows.start for rows in self.rows.values())

    def at(self, series: Any, times: Array) -> Array:
        """Return a series at some times, ``(len(times), n)``: computed, given, or an initial state, which is zero by default."""
        out = None
        for first, array in self.pieces(series):
            inside = (times >= first) & (times < first + len(array))
            if out is None:
                out = np.zeros((len(times), *array.shape[1:]), array.dtype)
            out[inside] = array[times[inside] - first]
        return np.zeros((len(times), 1)) if out is None else out

    def pieces(self, series: Any) -> Iterator[tuple[int, Array]]:
        """Yield the first time and the values of each piece of a series."""
        spans = [e.span for e in self.chain.network.equations if e.quantity == series and e.span is not None]
        if spans:
            yield min(size_in(span.lo, self.sizes) for span in spans), np.asarray(self.found[str(series.key)][0])
        for g in self.chain.network.givens:
            if g.quantity == series and g.span is not None and self.values.get(g.name) is not None:
                array = self.values[g.name]
                yield size_in(g.span.lo, self.sizes), np.asarray(array[:1] if g.span.single else array[0])

    def number(self, scalar: Any) -> float:
        """Return a scalar that may be a formula of sizes."""
        letters = {letter: self.sizes[letter.name] for letter in sympify(scalar).free_symbols}
        return float(sympify(scalar).xreplace({letter: Integer(size) for letter, size in letters.items()}))

    def inputs(self, times: Array) -> dict[str, Any]:
        """Return what the step takes, with the times as the batch."""
        out: dict[str, Any] = dict(self.sizes)
        chain = self.chain
        for given in chain.step.network.givens:
            if given.kind in {"parameter", "direction"}:
                out[given.name] = self.values.get(given.name)
            elif given.span is not None and given.span.lo == HERE - chain.group.step and given.kind == "initial":
                own = given.quantity in chain.states or given.quantity in chain.group.states
                out[given.name] = self.at(given.quantity, times - chain.group.step) if own else self.at(chain.source, times)
            else:
                series, when = chain.reads[given.name]
                out[given.name] = self.at(series, times + int(when)) if when is not None else self.constant(given.name, len(times))
        return out

    def constant(self, name: str, count: int) -> Array:
        """Return what does not depend on the time, once for each time."""
        array = self.found[name] if name in self.found else self.values[name]
        return np.broadcast_to(array[0], (count, *np.shape(array)[1:]))

    def chunks(self) -> Iterator[slice]:
        """Yield places in ``times``, from the last chunk to the first."""
        bytes_each = 8 * self.size * (3 * self.size + 64)
        length = max(1, min(len(self), LIMIT // bytes_each))
        for stop in range(len(self), 0, -length):
            yield slice(max(0, stop - length), stop)

    def jacobians(self, part: slice) -> tuple[Array, Array | None]:
        """Return ``∂s_t/∂s_{t-1}``, ``(times, n, n)``, and ``∂s_t/∂x_t``, ``(times, n, D)``, at the times of a chunk."""
        if self.held is None or self.held[0] != part:
            self.held = (part, *self.made(part))
        return self.held[1], self.held[2]

    def made(self, part: slice) -> tuple[Array, Array | None]:
        """Compute the Jacobians at the times of a chunk."""
        times = self.times[part]
        found = called(self.chain.step.network, self.chain.jacobian_code, self.inputs(times))
        whole = np.zeros((len(times), self.size, self.size))
        width = 0 if self.chain.source is None else size_in(self.chain.source.shape[0], self.sizes)
        inputs = np.zeros((len(times), self.size, width)) if width else None
        for (new, old), series in self.chain.step.blocks.items():
            if new not in self.rows:
                continue
            rows = self.rows[new]
            target = whole[:, rows, self.rows[old]] if old in self.rows else inputs if old not in self.chain.group.states else None
            if target is inputs and inputs is not None:
                target = inputs[:, rows]
            if target is not None:
                target[...] = found[str(series.key)].reshape(target.shape)
        return whole, inputs

    def lines(self, part: slice, lines: tuple[Any, ...]) -> dict[Any, Array]:
        """Return what further lines of the step compute at the times of a chunk, each ``(times, rows, columns)``."""
        found = called(self.chain.step.network, self.chain.code_of(lines), self.inputs(self.times[part])) if lines else {}
        count = self.times[part].size
        out = {}
        for series in lines:
            array = found[str(series.key)]
            shape = [size_in(d, self.sizes) for d in series.shape]
            rows = np.reshape(array, (-1, *shape))
            out[series] = np.broadcast_to(rows, (count, *shape)) if len(rows) != count else rows
        return out

    def factors(self, part: slice) -> dict[Any, Array]:
        """Return the factors of the terms at the times of a chunk, by their series."""
        computed_ones = tuple(factor.series for factor in computed(self.chain.terms))
        out = self.lines(part, computed_ones)
        for factor in (factor for term in self.chain.terms for factor in term.factors):
            if isinstance(factor.series, Static):
                shape = [size_in(d, self.sizes) for d in factor.series.shape]
                out[factor.series] = np.reshape(self.values[factor.series.name], (1, *shape))
        return out
