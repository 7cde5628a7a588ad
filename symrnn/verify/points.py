"""Random numbers for what a network is given, and sizes that let no transpose and no wrong index hide.

A point is a dictionary by ``Given.name``, in the layout of generated code.

Shapes:
    parameter and direction: its own (m, n), or (n,) for a column vector; series given over a range: (B, times, n);
    series given at one time, and static data such as an image: (B, n), or (B, m, n); matrix-valued series: (…, m, n);
    masks and integers that are one number: without the last axis, (B, times) or (B,).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from typing import Any

import numpy as np
from sympy import Basic, Expr, Integer

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.errors import DataError, NotSupportedError
from symrnn.expr import At, Columns, Divides, Gather, OneHot, Ones, TimeSum, Total
from symrnn.networks.graph import Given, Network
from symrnn.traverse import leaves, quantity_of

Values = dict[str, Any]
BATCH = 2
WINDOW = 2
SHORTEST, SMALLEST = 6, 3
WEIGHT, INPUT = 0.5, 1.0


def size_in(expression: Any, sizes: Mapping[str, int]) -> int:
    """Return a size or time as a number.

    Raises:
        DataError: A letter has no number.
    """
    if expression.is_Integer:
        return int(expression)
    missing = sorted(s.name for s in expression.free_symbols if s.name not in sizes)
    if missing:
        raise DataError(f"the size {missing[0]} has no number; give sizes for {', '.join(missing)}")
    return int(expression.xreplace({s: Integer(sizes[s.name]) for s in expression.free_symbols}))


def lengths(network: Network) -> tuple[Expr, ...]:
    """Return the letters that are numbers of time steps, sorted by name."""
    spans = [s for s in (*(g.span for g in network.givens), *(e.span for e in network.equations)) if s is not None]
    ends = [end for span in spans for end in (span.lo, span.hi)]
    ends += [end for e in network.equations for node in e.rhs.atoms(TimeSum, Columns) for end in node.args[2:]]
    return tuple(sorted({letter for end in ends for letter in end.free_symbols if letter.is_positive}, key=str))


def default_sizes(
    source: Network | Derivation, least: Mapping[Expr, int] | Iterable[tuple[Expr, int]] = ()
) -> dict[str, int]:
    """Return small sizes that are pairwise coprime, so that no two shapes agree by chance.

    Args:
        source: A network, or a derivation, whose own least lengths count as well.
        least: The least length of each sequence.

    Returns:
        A number for each size letter and for the batch ``B``; every length is greater than its least.
    """
    network = source.network if isinstance(source, Derivation) else source
    windows = [node.args[0] for e in network.equations for node in e.rhs.atoms(Divides)]
    shortest = max([SHORTEST, *(int(number) + 2 for number in windows if number.is_Integer)])
    floors = dict.fromkeys(lengths(network), shortest)
    for letter, length in (*(source.least if isinstance(source, Derivation) else ()), *dict(least).items()):
        floors[letter] = max(floors.get(letter, SHORTEST), int(length) + 1)
    sizes = {"B": BATCH} | {letter.name: WINDOW for w in windows for letter in w.free_symbols if letter not in floors}
    for letter in (*floors, *network.sizes):
        if letter.name not in sizes:
            number = floors.get(letter, SMALLEST)
            while any(gcd(number, other) != 1 for other in sizes.values()):
                number += 1
            sizes[letter.name] = number
    return sizes


def given_shape(given: Given, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of the array of a given quantity.

    Raises:
        DataError: A letter has no number.
    """
    rows, cols = (size_in(size, sizes) for size in given.quantity.shape)
    one = (rows,) if given.quantity.shape[1] == 1 else (cols,) if given.quantity.shape[0] == 1 else (rows, cols)
    if given.kind in {"parameter", "direction"}:
        return one
    own = () if given.kind in {"mask", "integer"} and one == (1,) else one
    if given.span is None:
        return (sizes["B"], *own)
    times = size_in(given.span.hi, sizes) - size_in(given.span.lo, sizes) + 1
    return (sizes["B"], *(() if given.span.single else (times,)), *own)


def random_point(
    network: Network, sizes: Mapping[str, int], rng: np.random.Generator, dtype: Any = np.float64
) -> Values:
    """Draw numbers for everything that a network is given.

    Targets satisfy the relations of the network; every sequence of a mask has a 1, and a 0 where there is room.

    Args:
        network: What the numbers are for.
        sizes: A number for each size letter and for the batch ``B``.
        rng: Source of randomness.
        dtype: Of everything but integers.

    Raises:
        DataError: A size letter has no number.
        NotSupportedError: A relation that is not a sum of entries equal to one.
    """
    normalised = {normalised_by(relation) for relation in network.relations}
    point: Values = {}
    for given in network.givens:
        shape = given_shape(given, sizes)
        if given.kind == "integer":
            point[given.name] = rng.integers(0, count_of(given, network, sizes), shape)
        elif given.kind == "mask":
            drawn = random_mask(shape, rng)
            for first in first_summed(given, network, sizes):
                drawn[:, first] = 1  # a mean over its times is over one at least
            point[given.name] = drawn.astype(dtype)
        else:
            scale = INPUT if given.kind in {"input", "direction"} else WEIGHT
            drawn = rng.uniform(0.1, 0.9, shape) if given.kind == "target" else scale * rng.standard_normal(shape)
            if given.quantity in normalised:
                drawn = np.abs(drawn) / np.abs(drawn).sum(axis=-1, keepdims=True)
            point[given.name] = drawn.astype(dtype)
    return point


def normalised_by(relation: Any) -> Basic:
    """Return the series whose entries a relation says to sum to one.

    Raises:
        NotSupportedError: The relation says something else.
    """
    lhs, rhs = relation.lhs, relation.rhs
    summed = lhs.args[0] if isinstance(lhs, Total) else lhs  # the sum of a single entry is that entry
    if not (isinstance(summed, At) and rhs == Ones(1, 1)):
        raise NotSupportedError(
            f"no random numbers satisfy {writer.text(lhs)} = {writer.text(rhs)}; only sums of entries equal to 1 are drawn"
        )
    return summed.series


def count_of(given: Given, network: Network, sizes: Mapping[str, int]) -> int:
    """Return how many values an integer quantity has: the least width of the tables and one-hot columns it indexes."""
    counts = []
    for equation in network.equations:
        for node in equation.rhs.atoms(Gather, OneHot):
            index, count = (node.args[1], node.args[0].shape[1]) if isinstance(node, Gather) else node.args
            if any(quantity_of(leaf) == given.quantity for leaf in leaves(index)):
                counts.append(size_in(count, sizes))
    return min(counts, default=2)


def first_summed(given: Given, network: Network, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the place of the first of the times over which a mask is summed, where they are not all of its times."""
    if given.span is None or given.span.single:
        return ()
    sums = [node.args for e in network.equations if e.span is None for node in e.rhs.atoms(TimeSum)]
    mine = [lo for body, _, lo, _ in sums if isinstance(body, At) and body.series == given.quantity]
    starts = [size_in(lo - given.span.lo, sizes) for lo in mine]
    return tuple(starts[:1]) if all(starts) else ()


def random_mask(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Draw zeros and ones, at least one of each in every row along the last axis that has room for both."""
    mask = rng.integers(0, 2, shape)
    for row in mask.reshape(-1, shape[-1] if len(shape) > 1 else 1):
        places = rng.permutation(row.size)
        row[places[0]] = 1
        row[places[1:2]] = 0
    return mask


def label(name: str, derivation: Derivation) -> str:
    """Return the name of a gradient, such as ``d_W_f`` or ``d_h_0``."""
    return f"d_{name}" if derivation.order == 1 else f"d{derivation.order}_{name}"
