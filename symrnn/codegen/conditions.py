"""What the derivation takes for granted about given numbers, checked before code runs on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.codegen.arguments import Argument
from symrnn.errors import DataError
from symrnn.expr import At, Ones, TimeSum, Total
from symrnn.networks.graph import Network, Relation

TOLERANCE = 1e-4
"""How far the entries of a distribution may be from summing to one: float32 needs some."""

Arrays = Mapping[str, Any]


def check_conditions(
    conditions: Iterable[Relation], network: Network, arguments: Sequence[Argument], arrays: Arrays
) -> None:
    """Refuse numbers for which the derived gradients would be wrong.

    Args:
        conditions: The relations that the derivation used, such as ``1ᵀ y_t = 1``.
        network: The network.
        arguments: What the code takes.
        arrays: Arrays by the name of the given quantity.

    Raises:
        DataError: A target that is no distribution, or a sequence of which no time counts.
    """
    counted = [arrays[a.given.name] for a in arguments if a.kind == "mask" and a.given.name in arrays]
    for relation in conditions:
        named = relation.lhs.args[0] if isinstance(relation.lhs, Total) and relation.rhs == Ones(1, 1) else None
        if isinstance(named, At) and named.series.key in arrays:
            check_distribution(named.series.key, arrays[named.series.key], counted)
    for equation in network.equations:
        summed = equation.rhs.args[0] if isinstance(equation.rhs, TimeSum) else None
        mask = next((a for a in arguments if a.kind == "mask" and isinstance(summed, At) and a.given.quantity == summed.series), None)
        if mask is not None:
            check_some_time_counts(mask.given.name, arrays[mask.given.name])


def comparable(array: Any) -> bool:
    """Tell whether an array holds floating-point numbers of which a sum can be compared."""
    return array.dtype.kind == "f"


def check_distribution(name: str, array: Any, masks: Sequence[Any]) -> None:
    """Refuse a target that does not sum to one; times that a mask leaves out do not matter."""
    if not comparable(array) or (masks and array.ndim != masks[0].ndim + 1):
        return
    wrong = np.abs(array.sum(axis=-1) - 1) > TOLERANCE
    for mask in masks:
        wrong &= np.asarray(mask != 0)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"{name}: the gradients hold for targets that sum to 1; {name}{list(place)} sums to "
            f"{array[place].sum():.6g}; normalise it, or derive with assume=False"
        )


def check_some_time_counts(name: str, mask: Any) -> None:
    """Refuse a mask that leaves out a whole sequence, where the loss is a mean over the times that count."""
    if comparable(mask) and (mask.sum(axis=1) == 0).any():
        row = int(np.argwhere(mask.sum(axis=1) == 0)[0][0])
        raise DataError(f"{name}: sequence {row} has no time that counts, so that its mean is not defined; leave it out")
