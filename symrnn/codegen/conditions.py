"""What the derivation takes for granted about given numbers, checked before code runs on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import expand

from symrnn.codegen.arguments import Argument
from symrnn.errors import DataError
from symrnn.expr import At, Columns, Leaf, Ones, Plus, Softmax, TimeSum, Total, Transposed
from symrnn.networks.graph import Network, Relation
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of

TOLERANCE = 1e-4
"""How far the entries of a distribution may be from summing to one: float32 needs some."""

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Conditions:
    """What must hold of given numbers, found once for a program.

    Attributes:
        normalised: Targets that sum to one.
        weights: Masks that weight the losses of times.
        positions: Masks that say which positions a softmax counts.
        averaged: Masks over whose times a mean is taken, with these times.
    """

    normalised: tuple[Any, ...]
    weights: frozenset[Any]
    positions: frozenset[Any]
    averaged: tuple[tuple[Any, tuple[Span, ...]], ...]

    def check(self, arguments: Sequence[Argument], arrays: Arrays) -> None:
        """Refuse numbers for which the derived gradients would be wrong.

        Args:
            arguments: What the code takes.
            arrays: Arrays by the name of the given quantity.

        Raises:
            DataError: A target that is no distribution, a sequence of which no time counts, or a softmax over no position.
        """
        present = [a for a in arguments if a.given.name in arrays]
        counted = [arrays[a.given.name] for a in present if a.given.quantity in self.weights]
        for series in self.normalised:
            if series.key in arrays:
                check_distribution(series.key, arrays[series.key], counted)
        for argument in present:
            if argument.given.quantity in self.positions:
                check_some_position_counts(argument, arrays[argument.given.name])
        for series, spans in self.averaged:
            for mask in (a for a in present if a.given.quantity == series):
                check_some_time_counts(mask, arrays[mask.given.name], spans)


def conditions_of(relations: Iterable[Relation], network: Network) -> Conditions:
    """Find what must hold of the numbers that a program is given.

    Args:
        relations: Those that the derivation used, such as ``1ᵀ y_t = 1``.
        network: The network.
    """
    named = [r.lhs.args[0] for r in relations if isinstance(r.lhs, Total) and r.rhs == Ones(1, 1)]
    return Conditions(
        tuple(leaf.series for leaf in named if isinstance(leaf, At)), frozenset(time_weights(network)),
        frozenset(softmax_masks(network)), averaged_masks(network),
    )


def averaged_masks(network: Network) -> tuple[tuple[Any, tuple[Span, ...]], ...]:
    """Return the masks that are summed by themselves, which gives the number of times that count, with these times."""
    masks = {g.quantity for g in network.givens if g.kind == "mask" and g.span is not None and not g.span.single}
    found = []
    for equation in (e for e in network.equations if e.span is None):
        terms = equation.rhs.args if isinstance(equation.rhs, Plus) else (equation.rhs,)
        read = [(term.args[0], Span(*term.args[2:])) if isinstance(term, TimeSum) else (term, None) for term in terms]
        spans = tuple(span or Span(leaf.time, leaf.time) for leaf, span in read if isinstance(leaf, At) and leaf.series in masks)
        found += [(read[0][0].series, spans)] if len(spans) == len(terms) else []
    return tuple(found)


def time_weights(network: Network) -> set[Any]:
    """Return the masks that weight the losses of times; others leave out steps, positions or units."""
    bodies = [node.args[0] for e in network.equations if e.role == "loss" for node in e.rhs.atoms(TimeSum)]
    read = {quantity_of(leaf) for body in bodies for leaf in leaves(body)}
    return {g.quantity for g in network.givens if g.kind == "mask" and g.quantity in read and g.quantity.shape == (1, 1)}


def softmax_masks(network: Network) -> set[Any]:
    """Return the given masks that say which positions a softmax counts: as a column, or one number for each position."""
    given = {g.quantity: g for g in network.givens if g.kind == "mask"}
    defined = {e.quantity: e.rhs for e in network.equations if e.span is None}
    found: set[Any] = set()
    for node in (node for e in network.equations for node in e.rhs.atoms(Softmax) if node.mask is not None):
        mask = defined.get(node.mask, node.mask)
        if isinstance(mask, Leaf):
            found |= {quantity_of(mask)} & given.keys()
        elif isinstance(mask, Transposed) and isinstance(mask.args[0], Columns):
            body, index, lo, hi = mask.args[0].args
            whole = isinstance(body, At) and body.time == index and body.series in given
            found |= {body.series} if whole and given[body.series].span == Span(lo, hi) else set()
    return found


def check_some_position_counts(argument: Argument, mask: Any) -> None:
    """Refuse a mask that leaves a softmax no position."""
    empty = np.argwhere(np.all(mask == 0, axis=-1))
    if len(empty):
        place = ", ".join(str(int(i)) for i in empty[0])
        raise DataError(
            f"{argument.given.name}: a softmax runs over the positions that it leaves in, and {argument.given.name}[{place}] "
            "leaves in none; put a 1 where there is a position, or leave the sequence out"
        )


def comparable(array: Any) -> bool:
    """Tell whether an array holds floating-point numbers of which a sum can be compared."""
    return array.dtype.kind == "f"


def check_distribution(name: str, array: Any, masks: Sequence[Any]) -> None:
    """Refuse a target that does not sum to one; times that a mask leaves out do not matter."""
    if not comparable(array) or (masks and array.ndim != masks[0].ndim + 1):
        return
    wrong = np.abs(array.sum(axis=-1) - 1) > TOLERANCE
    for mask in (mask for mask in masks if mask.shape == wrong.shape):
        wrong &= np.asarray(mask != 0)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"{name}: the gradients hold for targets that sum to 1; {name}{list(place)} sums to "
            f"{array[place].sum():.6g}; normalise it, or derive with assume=False"
        )


def check_some_time_counts(argument: Argument, mask: Any, spans: Iterable[Span]) -> None:
    """Refuse a mask that leaves out a whole sequence, where the loss is a mean over the times that count."""
    whole = argument.given.span
    if whole is None or not comparable(mask):
        return
    ends = [[index_of(time, whole, mask.shape[1]) for time in (span.lo, span.hi)] for span in spans]
    counted = np.sum([mask[:, first:last + 1].sum(axis=1) for first, last in ends], axis=0)
    if (counted == 0).any():
        row = int(np.argwhere(counted == 0)[0][0])
        raise DataError(f"{argument.given.name}: sequence {row} has no time that counts, so that its mean is not defined; leave it out")


def index_of(time: Any, whole: Span, length: int) -> int:
    """Return the index of a time in an array of a series."""
    after = expand(time - whole.lo)
    return int(after) if after.is_Integer else length - 1 - int(expand(whole.hi - time))
