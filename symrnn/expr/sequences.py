"""Nodes that stack, slice, collect a series into a matrix, look up a column, or sum over time.

Sums and collections bind a time index of their own, never the generic ``t``: the index of an innermost binder is
``_s1``, of one that contains it ``_s2``, so that two equal formulas are equal objects and no substitution for ``t``
can be captured. The writer gives the indices letters.
"""

from __future__ import annotations

from typing import Any

from sympy import Basic, Expr, Integer, KroneckerDelta, Piecewise, Sum, Symbol, sympify

from symrnn.errors import SpecError
from symrnn.expr.algebra import Scaled, split_scalar
from symrnn.expr.maps import OneHot
from symrnn.expr.node import Node, Shape, Zeros, described, same
from symrnn.expr.quantities import At, t


def bound_index(depth: int) -> Symbol:
    """Return the index that a binder of this nesting depth owns."""
    return Symbol(f"_s{depth}", integer=True, nonnegative=True)


def depth_of(node: Basic) -> int:
    """Return how many binders are nested in a formula."""
    inner = max((depth_of(arg) for arg in node.args), default=0)
    return inner + 1 if isinstance(node, TimeSum | Columns) else inner


def _rebind(body: Node, index: Symbol) -> tuple[Node, Symbol]:
    """Give the index of a binder its canonical name."""
    own = bound_index(depth_of(body) + 1)
    return (body, own) if index == own else (body.xreplace({index: own}), own)


def _outside(node: Node) -> set[Basic]:
    """Free symbols of a binder: its index is not free, and a value at the index counts as its whole series."""
    body, index, lo, hi = node.args
    free = {s for s in body.free_symbols if not (isinstance(s, At) and index in s.time.free_symbols) and s != index}
    values = {leaf.series for leaf in body.atoms(At) if index in leaf.time.free_symbols}
    return free | values | lo.free_symbols | hi.free_symbols


class TimeSum(Node):
    """``Σ_{index=lo}^{hi} body``.

    Args:
        body: What is summed.
        index: The bound index, any symbol; it is renamed.
        lo: First time.
        hi: Last time.
    """

    def __new__(cls, body: Node, index: Any, lo: Any, hi: Any) -> Any:
        lo, hi = sympify(lo), sympify(hi)
        scalar, core = split_scalar(body)
        if scalar.has(index):
            raise SpecError(f"the scalar {scalar} of a sum over time depends on the time")
        if isinstance(core, Zeros):
            return core
        if lo == hi:
            return Scaled(scalar, core.xreplace({index: lo}))
        if index not in {s for a in core.atoms(At) for s in a.time.free_symbols} and not core.has(index):
            return Scaled(scalar * (hi - lo + 1), core)
        core, index = _rebind(core, index)
        return Scaled(scalar, cls.make(core, index, lo, hi))

    @property
    def shape(self) -> Shape:
        return self.args[0].shape

    @property
    def free_symbols(self) -> set[Basic]:
        return _outside(self)

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        body, index, lo, hi = self.args
        if lo.is_Integer and hi.is_Integer:
            times = map(Integer, range(int(lo), int(hi) + 1))
            return sum((body.xreplace({index: time})._entry(i, j) for time in times), Integer(0))
        return Sum(body._entry(i, j), (index, lo, hi))

    def _numpycode(self, printer: Any) -> str:
        body, index, lo, hi = (printer._print(arg) for arg in self.args)
        return f"numpy.sum([{body} for {index} in range({lo}, {hi} + 1)], axis=0)"


def time_sum(body: Node, lo: Any, hi: Any, over: Any = t) -> Node:
    """Sum ``body`` over the time ``over``, by default the generic ``t``, from ``lo`` to ``hi``."""
    return TimeSum(body, over, lo, hi)


class Columns(Node):
    """The matrix whose columns are ``body`` at ``index = lo … hi``, such as ``E = [h_1 … h_S]``."""

    def __new__(cls, body: Node, index: Any, lo: Any, hi: Any) -> Any:
        if not same(body.shape[1], 1):
            raise SpecError(f"a sequence collects column vectors; got {described(body)}")
        body, index = _rebind(body, index)
        return cls.make(body, index, sympify(lo), sympify(hi))

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], self.args[3] - self.args[2] + 1)

    @property
    def free_symbols(self) -> set[Basic]:
        return _outside(self)

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        body, index, lo, _hi = self.args
        return body.xreplace({index: lo + j})._entry(i, Integer(0))

    def _numpycode(self, printer: Any) -> str:
        body, index, lo, hi = (printer._print(arg) for arg in self.args)
        return f"numpy.hstack([{body} for {index} in range({lo}, {hi} + 1)])"


class Column(Node):
    """Column ``number`` of a matrix, counted from 1."""

    def __new__(cls, matrix: Node, number: Any) -> Any:
        number = sympify(number)
        scalar, core = split_scalar(matrix)
        if isinstance(core, Columns):
            body, index, lo, _ = core.args
            return Scaled(scalar, body.xreplace({index: lo + number - 1}))
        if isinstance(core, Zeros):
            return Zeros(core.shape[0], 1)
        return Scaled(scalar, cls.make(core, number))

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], Integer(1))

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0]._entry(i, self.args[1] - 1)

    def _numpycode(self, printer: Any) -> str:
        matrix, number = (printer._print(arg) for arg in self.args)
        return f"{matrix}[:, ({number}) - 1 : ({number})]"


class Gather(Node):
    """Column ``w`` of a table of columns, ``w`` an integer quantity counted from 0: the embedding of a token."""

    def __new__(cls, table: Node, index: Node) -> Any:
        OneHot(index, table.shape[1])  # refuses an index that is not 1×1
        return cls.make(table, index)

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], Integer(1))

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        table, index = self.args
        w, width = index._entry(Integer(0), Integer(0)), table.shape[1]
        if width.is_Integer:
            columns = (Integer(k) for k in range(int(width)))
            return sum((table._entry(i, k) * KroneckerDelta(k, w) for k in columns), Integer(0))
        return table._entry(i, w)

    def _numpycode(self, printer: Any) -> str:
        table, index = (printer._print(arg) for arg in self.args)
        return f"{table}[:, [int({index}[0, 0])]]"


class Stacked(Node):
    """Matrices on top of each other: ``[a; b]``."""

    def __new__(cls, *parts: Node) -> Any:
        for part in parts[1:]:
            if not same(part.shape[1], parts[0].shape[1]):
                raise SpecError(
                    f"cannot stack {described(parts[0])} on {described(part)}; "
                    "stacked parts need one number of columns"
                )
        flat = [p for part in parts for p in (part.args if isinstance(part, Stacked) else (part,))]
        kept = [p for p in flat if p.shape[0] != 0]
        if all(isinstance(part, Zeros) for part in kept):
            return Zeros(sum(part.shape[0] for part in kept), parts[0].shape[1])
        return kept[0] if len(kept) == 1 else cls.make(*kept)

    @property
    def shape(self) -> Shape:
        return (sum((part.shape[0] for part in self.args), Integer(0)), self.args[0].shape[1])

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        branches, start = [], Integer(0)
        for part in self.args:
            stop = start + part.shape[0]
            if (i - start).is_Integer and stop.is_Integer:
                if start <= i < stop:
                    return part._entry(i - start, j)
            else:
                branches.append((part._entry(i - start, j), i < stop))
            start = stop
        return Piecewise(*branches)

    def _numpycode(self, printer: Any) -> str:
        return f"numpy.vstack([{', '.join(printer._print(part) for part in self.args)}])"


class Rows(Node):
    """Rows ``start … stop - 1`` of a matrix, counted from 0."""

    def __new__(cls, matrix: Node, start: Any, stop: Any) -> Any:
        start, stop = sympify(start), sympify(stop)
        scalar, core = split_scalar(matrix)
        if same(start, 0) and same(stop, core.shape[0]):
            return matrix
        if isinstance(core, Zeros):
            return Zeros(stop - start, core.shape[1])
        if isinstance(core, Stacked):
            top = Integer(0)
            for part in core.args:
                if same(top, start) and same(top + part.shape[0], stop):
                    return Scaled(scalar, part)
                top = top + part.shape[0]
        return Scaled(scalar, cls.make(core, start, stop))

    @property
    def shape(self) -> Shape:
        return (self.args[2] - self.args[1], self.args[0].shape[1])

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return self.args[0]._entry(self.args[1] + i, j)

    def _numpycode(self, printer: Any) -> str:
        matrix, start, stop = (printer._print(arg) for arg in self.args)
        return f"{matrix}[({start}):({stop})]"
