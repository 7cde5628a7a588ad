"""Whether two formulas have the same value for all values of what they read: at a random point modulo 2^61 - 1."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

from sympy import Expr, Integer, Symbol

from symrnn.errors import SymrnnError
from symrnn.expr import At, Columns, Divides, Gather, Node, OneHot, TimeSum, t
from symrnn.traverse import leaves, quantity_of
from symrnn.verify.entrywise.modular import Generators, has_root
from symrnn.verify.entrywise.printed import Key, Matrix, Scope, evaluate

LENGTH = 7
"""The generic time; lengths of sequences are larger."""


def equal_values(a: Node, b: Node, seed: int = 0) -> bool:
    """Tell whether two formulas agree at a random point; every quantity is drawn independently.

    Args:
        a: A formula.
        b: A formula of the same shape.
        seed: For the random point.

    Returns:
        ``True`` for equal formulas; for different ones with a probability of about their degree / 2^61.
    """
    if a == b:
        return True
    numbers = sizes_for((a, b))
    point = Point(numbers, seed, integers((a, b)))
    try:
        return evaluate(a, point.scope) == evaluate(b, point.scope)
    except SymrnnError:
        return False


def integers(nodes: tuple[Node, ...]) -> set[Any]:
    """Return the quantities that count columns."""
    picks = [n for node in nodes for n in node.atoms(Gather, OneHot)]
    return {quantity_of(leaf) for n in picks for leaf in leaves(n.args[1] if isinstance(n, Gather) else n.args[0])}


def sizes_for(nodes: tuple[Node, ...]) -> dict[Any, Expr]:
    """Give each size a prime of its own, and each length a larger number."""
    letters = sorted({s for node in nodes for s in symbols_in(node) if not s.name.startswith("_s") and s != t}, key=str)
    ends = {s for node in nodes for binder in node.atoms(TimeSum, Columns) for end in binder.args[2:] for s in end.free_symbols}
    ends |= {s for node in nodes for leaf in node.atoms(At) for s in leaf.time.free_symbols}
    primes = (n for n in count(2) if has_root(n) and all(n % d for d in range(2, n)))
    found: dict[Any, Expr] = {t: Integer(LENGTH)}
    for number, letter in enumerate(letters):
        found[letter] = Integer(LENGTH + 2 + number) if letter in ends else Integer(next(primes))
    for divided in (d for node in nodes for d in node.atoms(Divides)):
        found |= {s: Integer(2) for s in divided.args[0].free_symbols}
    return found


def symbols_in(node: Any) -> Iterator[Symbol]:
    """Yield the sizes and times in a formula, bound ones too."""
    yield from node.atoms(Symbol)


class Point:
    """Random values for whatever is asked for.

    Args:
        numbers: Values of sizes and of the generic time.
        seed: For the random numbers.
        small: Quantities that are 0 or 1.
    """

    def __init__(self, numbers: dict[Any, Expr], seed: int, small: set[Any]) -> None:
        self.numbers, self.small = numbers, small
        self.generators = Generators(Random(f"formulas, {seed}"))
        self.values: dict[Key, Matrix] = {}
        self.scope = Scope(numbers, lambda q: q, self.value, self.generators)

    def value(self, key: Key) -> Matrix:
        """Return the value of a quantity at a time, drawn at the first call."""
        if key not in self.values:
            rows, cols = (int(size.xreplace(self.numbers)) for size in key[0].shape)
            draw = (lambda: self.generators.random.randrange(2)) if key[0] in self.small else self.generators.fresh
            self.values[key] = [[draw() for _ in range(cols)] for _ in range(rows)]
        return self.values[key]
