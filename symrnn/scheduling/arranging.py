"""The order in which values lie beside each other, so that those that are read together are one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, permutations
from typing import Any

MOST = 7
"""The largest number of values of which every order is tried."""


def arranged(groups: Sequence[frozenset[Any]], items: Sequence[Any], kind: Callable[[Any], tuple[Any, ...]]) -> list[Any]:
    """Return the items in an order in which each group is in one piece, where there is one that is found.

    Args:
        groups: Sets of items; each is to be in one piece.
        items: All items, in the order that is kept where nothing speaks against it.
        kind: What an item is, in several ways; among the best orders, one with most neighbours alike is chosen.
    """
    out: list[Any] = []
    for part in connected(groups, items):
        own = [group for group in groups if group & set(part)]
        orders = permutations(part) if len(part) <= MOST else [tuple(part)]
        out += min(orders, key=lambda order: faults(order, own, kind))
    return out


def faults(order: Sequence[Any], groups: Iterable[frozenset[Any]], kind: Callable[[Any], tuple[Any, ...]]) -> tuple[int, int]:
    """Return how many groups are in pieces, and how many neighbours are of different kinds."""
    broken = sum(1 for group in groups if not in_one_piece(order, group))
    return broken, sum(x != y for a, b in pairwise(order) for x, y in zip(kind(a), kind(b), strict=True))


def in_one_piece(order: Sequence[Any], group: frozenset[Any]) -> bool:
    """Tell whether a group stands together."""
    places = [place for place, item in enumerate(order) if item in group]
    return not places or places[-1] - places[0] + 1 == len(places)


def connected(groups: Sequence[frozenset[Any]], items: Sequence[Any]) -> list[list[Any]]:
    """Return the items by what groups join them, directly or in turn."""
    parts: list[set[Any]] = [{item} for item in items]
    for group in groups:
        touched = [part for part in parts if part & group]
        parts = [part for part in parts if part not in touched] + [set().union(*touched)] if touched else parts
    listed = [[item for item in items if item in part] for part in parts]
    return sorted(listed, key=lambda part: items.index(part[0]))
