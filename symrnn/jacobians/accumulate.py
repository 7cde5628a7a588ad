"""Forward accumulation over one step: the paths from each old state to each quantity.

The Jacobian of a quantity is named, and read by its name, where writing it out would repeat it: where several equations of
another part of the network read it, or one reads a sum of paths or a product of several matrices, and where it has many
terms. So the size of the result grows with the number of equations, not with the number of paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Any

from symrnn.equations import Equation
from symrnn.expr import At, Plus, Product, Series, Zeros, split_scalar, t
from symrnn.jacobians.products import is_diagonal, multiplied, selection
from symrnn.jacobians.step import Group, locals_of
from symrnn.rewrite import settled
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of

MOST = 12
"""Paths to one quantity that are written out; with more its Jacobian is named."""

NAMED = {"gate", "candidate"}
"""Roles that a path is named by."""


@dataclass(frozen=True)
class Path:
    """One way from an old state to a quantity of this step.

    Attributes:
        name: ``direct``, or the gates and candidates that it passes, or else the parameters and quantities that it is made of.
        term: The product of the local derivatives.
        through: The quantities between the old state and the new one, in the order of the step.
    """

    name: str
    term: Any
    through: tuple[Series, ...] = ()


@dataclass
class Accumulated:
    """The Jacobians of the quantities of one group.

    Attributes:
        group: The scans.
        paths: By quantity and old state.
        names: The series that holds the Jacobian of a quantity in an old state.
        used: Those that some path reads by name.
        spans: The times at which a quantity has its generic equation, and everything that it depends on.
    """

    group: Group
    paths: dict[tuple[Any, Any], tuple[Path, ...]] = field(default_factory=dict)
    names: dict[tuple[Any, Any], Series] = field(default_factory=dict)
    used: set[tuple[Any, Any]] = field(default_factory=set)
    spans: dict[Any, Span] = field(default_factory=dict)

    def run(self) -> Accumulated:
        """Accumulate from the first equation of the step to the last."""
        parts = {name: part for part in self.group.network.parts for name in part.names}
        readers = self.readers()
        for q, equation in self.group.equations.items():
            if q.shape[1] != 1:
                continue
            found: dict[Any, list[Path]] = {}
            for local in locals_of(equation, self.group):
                if local.old:
                    found.setdefault(local.operand, []).append(self.path(local.matrix, ()))
                    continue
                crossing = parts.get(q.name) != parts.get(local.operand.name)
                for old in self.group.states:
                    for path in self.read(local.operand, old, crossing, len(readers.get(local.operand, ()))):
                        found.setdefault(old, []).append(self.path(multiplied(local.matrix, path.term), (*path.through, local.operand)))
            for old, listed in found.items():
                self.define(q, old, told_apart(path for path in listed if not isinstance(path.term, Zeros)))
            self.spans[q] = self.span_of(equation)
        return self

    def define(self, q: Any, old: Any, listed: tuple[Path, ...]) -> None:
        """Keep the paths from an old state to a quantity, under a name that nothing has."""
        if not listed:
            return
        self.paths[q, old] = listed
        taken = {*self.group.network.names, *(series.name for series in self.names.values())}
        wanted = f"J_{q.name}_{old.name}"
        name = next(n for n in chain([wanted], (f"{wanted}_{k}" for k in count(2))) if n not in taken)
        self.names[q, old] = Series(name, (), q.shape[0], old.shape[0])

    def readers(self) -> dict[Any, list[Any]]:
        """Who reads each quantity in this step."""
        found: dict[Any, list[Any]] = {}
        for q, e in self.group.equations.items():
            for read in {leaf.series for leaf in leaves(e.rhs) if isinstance(leaf, At) and leaf.time == t}:
                found.setdefault(read, []).append(q)
        return found

    def read(self, q: Any, old: Any, crossing: bool, readers: int) -> tuple[Path, ...]:
        """Return the paths to a quantity, or the name of their sum where they would be repeated."""
        listed = self.paths.get((q, old), ())
        heavy = len(listed) * readers > 1 or any(matrices(path.term) > 1 for path in listed)
        if len(listed) > MOST or (crossing and listed and heavy):
            self.used.add((q, old))
            return (Path("", self.names[q, old][t]),)
        return listed

    def path(self, term: Any, through: tuple[Series, ...]) -> Path:
        """Name a path."""
        equations = self.group.equations
        passed = [q.name for q in through if equations[q].role in NAMED]
        if passed:
            return Path(", ".join(passed), term, through)
        if is_diagonal(term) and not any(equations[q].role == "pre-activation" for q in through):
            return Path("direct", term, through)
        parameters = {p.name for p in self.group.network.parameters}
        held = [leaf.name for leaf in leaves(term) if leaf.name in parameters or leaf.name in {s.name for s in self.names.values()}]
        return Path(", ".join(dict.fromkeys(held)) or ", ".join(q.name for q in through) or "direct", term, through)

    def span_of(self, equation: Equation) -> Span:
        """The times at which an equation and everything that it reads of this step hold."""
        order = self.group.network.order
        span = equation.span or self.group.span
        for q in (quantity_of(leaf) for leaf in leaves(equation.rhs)):
            other = self.spans.get(q)
            if other is not None and q != equation.quantity:
                span = Span(order.sort((span.lo, other.lo))[-1], order.sort((span.hi, other.hi))[0])
        return span

    def equations(self) -> Iterator[Equation]:
        """Yield an equation for each Jacobian that is a block, or that another one reads."""
        waiting = [(new, old) for new in self.group.states for old in self.group.states if (new, old) in self.paths]
        wanted = {*waiting, *self.used}
        for (q, old), listed in self.paths.items():
            if (q, old) in wanted:
                whole = settled(Plus(*(path.term for path in listed)), {t: self.spans[q]})
                yield Equation(self.names[q, old][t], whole, self.spans[q], "Jacobian")


def matrices(term: Any) -> int:
    """Return how many factors of a path are no diagonals."""
    core = split_scalar(term)[1]
    return sum(not is_diagonal(f) and selection(f) is None for f in (core.args if isinstance(core, Product) else (core,)))


def told_apart(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Put what is direct first, and say of paths of one name what else they pass."""
    listed = sorted(paths, key=lambda path: path.name != "direct")
    often = Counter(path.name for path in listed)
    out = []
    for path in listed:
        alike = [other for other in listed if other.name == path.name]
        other = [q.name for q in path.through if not all(q in p.through for p in alike)]
        out.append(replace(path, name=f"{path.name} via {', '.join(other)}") if often[path.name] > 1 and other else path)
    return tuple(out)
