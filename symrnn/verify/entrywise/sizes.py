"""Sizes at which a judge looks at a derivation: small, and pairwise different so that a lost transpose cannot hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from sympy import Expr, Pow, Symbol, sympify

from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.errors import DataError, unknown
from symrnn.expr import Columns, Divides, TimeSum
from symrnn.times import Span
from symrnn.traverse import leaves
from symrnn.verify.entrywise.modular import has_root

SHORTEST = 3
"""Length of a sequence that has a first, an inner and a last time."""

WINDOW = 2
"""What a letter that only divides times is: the shortest window with a step inside it."""

LONGEST = 12
"""The lengths that are tried until every line holds at some time."""


def judged_sizes(derivation: Derivation, sizes: Mapping[str, int] | None) -> dict[Expr, int]:
    """Choose a value for each size letter of a network.

    Args:
        derivation: What is judged.
        sizes: Values that the caller fixes, by letter.

    Returns:
        Small primes for the sizes of quantities; for sequences 3 or as many more steps as the printed lines need.

    Raises:
        SpecError: A letter that the network does not have.
        DataError: A value that is not a positive whole number, or is below the least for which the lines hold.
    """
    network = derivation.network
    letters = {str(letter): letter for letter in network.sizes}
    fixed = dict(sizes or {})
    for name, value in fixed.items():
        if name not in letters:
            raise unknown("size", name, letters)
        least = dict(derivation.least).get(letters[name], 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise DataError(f"the size {name} must be a whole number of at least {least}; got {value!r}")
    equations = (*network.equations, *derivation.lines)
    given = [g.span for g in network.givens if g.span is not None]
    lengths = {s for span in (*given, *spans(equations)) for end in (span.lo, span.hi) for s in end.free_symbols}
    chosen = {letters[name]: value for name, value in fixed.items()}
    chosen |= dimensions(equations, lengths | chosen.keys(), set(chosen.values()))
    windows = {s for e in equations for node in e.rhs.atoms(Divides) for s in node.args[0].free_symbols}
    chosen |= dict.fromkeys(windows - chosen.keys() - lengths, WINDOW)
    others = [letter for letter in network.sizes if letter not in chosen and letter not in lengths]
    chosen |= dict(zip(others, unused(set(chosen.values()), any_root=False), strict=False))
    return with_lengths(derivation, chosen, sorted(lengths - chosen.keys(), key=str))


def spans(equations: Iterable[Equation]) -> Iterator[Span]:
    """Yield every range of times in equations."""
    for equation in equations:
        if equation.span is not None:
            yield equation.span
        for binder in equation.rhs.atoms(TimeSum, Columns):
            yield Span(*binder.args[2:])


def shapes(equations: Iterable[Equation]) -> Iterator[Expr]:
    """Yield the rows and columns of every quantity in equations, and of every collection of columns."""
    for equation in equations:
        for matrix in (equation.lhs, *leaves(equation.rhs), *equation.rhs.atoms(Columns)):
            yield from matrix.shape


def dimensions(equations: Iterable[Equation], known: Iterable[Expr], taken: set[int]) -> dict[Expr, int]:
    """Give each size of a quantity its own prime, the smallest one to the most frequent; a root must exist."""
    used: Counter[Expr] = Counter()
    rooted: set[Expr] = set()
    for equation in equations:
        used.update(letter for size in shapes([equation]) for letter in size.free_symbols)
        rooted |= {s for power in equation.rhs.atoms(Pow) if not power.exp.is_Integer for s in power.free_symbols}
    wanted = sorted(used.keys() - set(known), key=lambda s: (s not in rooted, -used[s], str(s)))
    found: dict[Expr, int] = {}
    for letter in wanted:
        found[letter] = next(unused(taken | set(found.values()), any_root=letter not in rooted))
    return found


def unused(taken: set[int], *, any_root: bool) -> Iterator[int]:
    """Yield primes that nobody has, and, where a root is taken, that have one modulo the judge's prime."""
    for n in count(2):
        if n not in taken and all(n % d for d in range(2, n)) and (any_root or has_root(n)):
            yield n


def longest_window(derivation: Derivation, sizes: Mapping[Expr, int]) -> int:
    """Return the largest number that is asked whether it divides a time; 0 where there is none."""
    asked = {sympify(node.args[0].xreplace(sizes)) for e in derivation.network.equations for node in e.rhs.atoms(Divides)}
    return max((int(number) for number in asked if number.is_Integer), default=0)


def with_lengths(derivation: Derivation, chosen: dict[Expr, int], lengths: list[Symbol]) -> dict[Expr, int]:
    """Choose different lengths, as short as possible, such that every line holds at some time."""
    least = dict(derivation.least)
    shaped = {s for size in shapes((*derivation.network.equations, *derivation.lines)) for s in size.free_symbols}
    for longer in range(LONGEST):
        trial = dict(chosen)
        for letter in lengths:
            start = max(SHORTEST, least.get(letter, 1), longest_window(derivation, chosen) + 2) + longer
            rivals = trial if letter in shaped else lengths
            trial[letter] = next(n for n in count(start) if n not in {trial.get(other) for other in rivals})
        held = (e.span for e in derivation.lines if e.span is not None)
        if all((span.hi - span.lo).xreplace(trial) >= 0 for span in held) or not lengths:
            break
    return trial
