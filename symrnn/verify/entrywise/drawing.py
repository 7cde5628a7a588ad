"""Random values for what is given to a network, such that declared relations hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sympy import Basic, Integer

from symrnn import writer
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Gather, OneHot, t
from symrnn.networks.graph import Network
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of
from symrnn.verify.entrywise.modular import Generators, P
from symrnn.verify.entrywise.printed import Key, Matrix, Scope, evaluate


def draw(network: Network, conditions: Iterable[Any], generators: Generators) -> dict[Key, Matrix]:
    """Draw every entry of everything that is given.

    Args:
        network: Without size letters.
        conditions: Relations that the numbers must satisfy.
        generators: Source of random numbers.

    Returns:
        Values modulo the prime; integers are column numbers of the tables that they look up.

    Raises:
        NotSupportedError: A relation that changing single entries cannot make true.
    """
    values: dict[Key, Matrix] = {}
    widths = table_widths(network)
    for given in network.givens:
        rows, cols = (int(size) for size in given.quantity.shape)
        for time in times_of(given.span):
            values[given.quantity, time] = [
                [number(given.kind, widths.get(given.quantity, 2), generators) for _ in range(cols)] for _ in range(rows)
            ]
    for condition in conditions:
        for time in sorted(shared_times(condition, network)):
            satisfy(condition, time, Scope({t: Integer(time)}, lambda q: q, values.__getitem__, generators))
    return values


def number(kind: str, width: int, generators: Generators) -> int:
    """One entry."""
    return generators.random.randrange(width) if kind == "integer" else generators.fresh()


def times_of(span: Span | None) -> Iterator[int | None]:
    """Yield the times of a span, or ``None`` once."""
    yield from [None] if span is None else range(int(span.lo), int(span.hi) + 1)


def table_widths(network: Network) -> dict[Basic, int]:
    """Number of columns of the narrowest table that each integer quantity looks up."""
    widths: dict[Basic, int] = {}
    for equation in network.equations:
        for node in equation.rhs.atoms(Gather, OneHot):
            index, width = (node.args[1], node.args[0].shape[1]) if isinstance(node, Gather) else node.args
            for leaf in leaves(index):
                widths[quantity_of(leaf)] = min(int(width), widths.get(quantity_of(leaf), int(width)))
    return widths


def shared_times(condition: Any, network: Network) -> set[int]:
    """The times at which everything is given that a relation reads at the generic ``t``; 0 where it reads nothing there."""
    moving = {leaf.series for side in (condition.lhs, condition.rhs) for leaf in leaves(side)
              if isinstance(leaf, At) and leaf.time == t}
    spans = [{x for g in network.givens if g.quantity == series for x in times_of(g.span) if x is not None} for series in moving]
    return set.intersection(*spans) if spans else {0}


def satisfy(condition: Any, time: int, scope: Scope) -> None:
    """Change one entry for each entry of a relation, by what is missing over its slope."""

    def missing() -> list[int]:
        left, right = evaluate(condition.lhs, scope), evaluate(condition.rhs, scope)
        return [(b - a) % P for r, s in zip(left, right, strict=True) for a, b in zip(r, s, strict=True)]

    matrices = [scope.value(scope.key(leaf)) for side in (condition.lhs, condition.rhs) for leaf in leaves(side)]
    places = [(m, i, j) for m in matrices for i, row in enumerate(m) for j in range(len(row))]
    for k in range(len(missing())):
        gap = missing()[k]
        for matrix, i, j in places if gap else ():
            matrix[i][j] = (matrix[i][j] + 1) % P
            slope = gap - missing()[k]
            matrix[i][j] = (matrix[i][j] - 1) % P
            if slope % P:
                matrix[i][j] = (matrix[i][j] + gap * pow(slope, -1, P)) % P
                places.remove((matrix, i, j))
                break
    if any(missing()):
        raise NotSupportedError(
            f"cannot draw numbers with {writer.text(condition.lhs)} = {writer.text(condition.rhs)} at t = {time}; "
            "a relation must be linear in what is given"
        )
