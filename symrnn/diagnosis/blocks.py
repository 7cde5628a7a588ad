"""The blocks of weight arrays: which rows and columns belong to which gate, in each orientation and order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symrnn.diagnosis.dimensions import Sizes
from symrnn.diagnosis.entries import Held
from symrnn.diagnosis.models import Role

ALIASES = {"g": "c", "n": "h", "u": "z", "a": "c", "cand": "h"}
"""Letters that are used for a gate beside the model's own."""


@dataclass(frozen=True)
class Block:
    """What one gate has of an array.

    Attributes:
        tag: What tells it from the others: letters of the array's name, or its number in a fused array.
        places: In the shape of the model's parameter: rows are those of the gate.
    """

    tag: str
    places: Any


@dataclass(frozen=True)
class Convention:
    """How square matrices and joint matrices are read.

    Attributes:
        rows: Whether a square matrix stands to the right of the state: ``h @ W``.
        state_first: Whether in ``[h; x]`` the state comes first.
        bias_first: Whether the bias is the first row of a joint matrix, otherwise the last.
    """

    rows: bool = True
    state_first: bool = True
    bias_first: bool = True


def oriented(one: Held, inner: int, sizes: Sizes, rows: bool) -> Any:
    """Return places with the gates' rows first: ``(k·H, inner)``."""
    a, b = one.shape
    if a == inner and b == inner:
        return one.places.T if rows else one.places
    return one.places.T if a == inner else one.places


def is_square(one: Held) -> bool:
    """Tell whether an array does not show by its shape how it is multiplied."""
    return len(one.shape) == 2 and one.shape[0] == one.shape[1]


def tags_of(names: Sequence[str]) -> list[str]:
    """Return what tells names apart: ``f``, ``i`` of ``Wf``, ``Wi``."""
    if len(names) < 2:
        return [""] * len(names)
    front, back = common(names), common([name[::-1] for name in names])
    return [name[front: len(name) - back] or name for name in names]


def common(names: Sequence[str]) -> int:
    """Count the letters that names have in common at their beginning."""
    return next((k for k, letters in enumerate(zip(*names, strict=False)) if len(set(letters)) > 1), min(map(len, names)))


def split(arrays: Sequence[Held], places: Sequence[Any], sizes: Sizes) -> list[Block]:
    """Cut arrays of ``k·H`` rows into blocks of ``H`` rows."""
    tags = tags_of([one.name for one in arrays])
    found = []
    for tag, held in zip(tags, places, strict=True):
        number = held.shape[0] // sizes.H
        found += [Block(tag if number == 1 else f"{tag}{k}", held[k * sizes.H:(k + 1) * sizes.H]) for k in range(number)]
    return found


def families(roles: Mapping[str, Sequence[Held]], sizes: Sizes, convention: Convention) -> dict[str, list[list[Block]]]:
    """Return the blocks by what they meet: ``x``, ``h``, ``1``, ``*``; biases and vectors may come in several sets."""
    H, D = sizes.H, sizes.D
    found: dict[str, list[list[Block]]] = {"x": [], "h": [], "1": [], "*": []}
    if inputs := roles.get("input", ()):
        found["x"].append(split(inputs, [oriented(a, D, sizes, convention.rows) for a in inputs], sizes))
    if states := roles.get("state", ()):
        found["h"].append(split(states, [oriented(a, H, sizes, convention.rows) for a in states], sizes))
    for role, extra in (("joint", 0), ("biased", 1)):
        if arrays := roles.get(role, ()):
            whole = [oriented(a, H + D + extra, sizes, convention.rows) for a in arrays]
            start = 1 if extra and convention.bias_first else 0
            h = slice(start, start + H) if convention.state_first else slice(start + D, start + D + H)
            x = slice(start + H, start + H + D) if convention.state_first else slice(start, start + D)
            found["h"].append(split(arrays, [w[:, h] for w in whole], sizes))
            found["x"].append(split(arrays, [w[:, x] for w in whole], sizes))
            if extra:
                found["1"].append(split(arrays, [w[:, :1] if start else w[:, -1:] for w in whole], sizes))
    for role, key in (("bias", "1"), ("peephole", "*")):
        if arrays := roles.get(role, ()):
            found[key] += vector_sets(arrays, sizes, max((len(s) for s in found["h"]), default=1))
    return found


def vector_sets(arrays: Sequence[Held], sizes: Sizes, gates: int) -> list[list[Block]]:
    """Return the sets of vectors, none of more blocks than there are gates: a fused one is a set, and so are single ones together."""
    groups: list[list[Held]] = []
    for one in arrays:
        number = one.shape[0] // sizes.H
        last = sum(a.shape[0] // sizes.H for a in groups[-1]) if groups else gates
        if last + number <= gates:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [split(group, [a.places[:, None] for a in group], sizes) for group in groups]


def conventions(roles: Mapping[str, Sequence[Held]]) -> Iterator[Convention]:
    """Yield the ways to read what shapes leave open, the likelier ones first."""
    weights = [a for role in ("input", "joint", "biased") for a in roles.get(role, ())]
    rows = all(a.shape[0] <= a.shape[1] for a in weights) if weights else True
    square = any(is_square(a) for role in ("input", "state") for a in roles.get(role, ()))
    joint, biased = bool(roles.get("joint") or roles.get("biased")), bool(roles.get("biased"))
    for row, first, bias in itertools.product((rows, not rows) if square else (rows,), (True, False) if joint else (True,),
                                              (True, False) if biased else (True,)):
        yield Convention(row, first, bias)


def gates_in_order(found: Mapping[str, list[list[Block]]], wanted: Sequence[Role]) -> Iterator[dict[Any, list[Any]]]:
    """Yield the ways to give blocks to the parameters of a model; the one that the names say, where they say it of all.

    Args:
        found: The blocks.
        wanted: What the parameters are for.
    """
    gates = list(dict.fromkeys(role.gate for role in wanted))
    for key, sets in found.items():
        owners = [role for role in wanted if key_of(role) == key]
        if bool(owners) != bool(sets) or any(len(s) > len(owners) for s in sets):
            return
        if sum(len(s) for s in sets) < len(owners) or (key in "xh" and sum(len(s) for s in sets) != len(owners)):
            return
    tags = aligned(found)
    orders = sorted(itertools.permutations(gates, len(tags)), key=lambda o: -agreement(o, tags))
    named = [order for order in orders if agreement(order, tags) == len(tags)]
    for order in named or orders:
        given = dict(zip(tags, order, strict=True))
        made = assigned(found, wanted, given)
        if made is not None:
            yield made


def key_of(role: Role) -> str:
    """Return the family of a parameter."""
    return role.reads if role.reads in "1*" else "x" if role.reads == "x" else "h"


def aligned(found: Mapping[str, list[list[Block]]]) -> list[str]:
    """Return the tags of the largest set: what blocks of all families are named by."""
    sets = [s for key in "hx1*" for s in found[key]]
    largest = max(sets, key=len, default=[])
    return [block.tag for block in largest]


def agreement(order: Iterable[str], tags: Iterable[str]) -> int:
    """Count the blocks whose letter is the gate's."""
    return sum(meant(tag, gate) for gate, tag in zip(order, tags, strict=True))


def meant(tag: str, gate: str) -> bool:
    """Tell whether a tag names a gate."""
    letter = tag.strip("_'[]").lower()[:1]
    return bool(letter) and (letter == gate or ALIASES.get(letter) == gate)


def assigned(found: Mapping[str, list[list[Block]]], wanted: Sequence[Role], given: Mapping[str, str]) -> dict[Any, list[Any]] | None:
    """Give each parameter its blocks: by tag where tags are shared by all families, else in order; ``None`` where some get none."""
    made: dict[Any, list[Any]] = {role.parameter: [] for role in wanted}
    for key, sets in found.items():
        owners = [role for role in wanted if key_of(role) == key]
        used: set[Any] = set()
        for blocks in sets:
            free = [role for role in owners if role.parameter not in used] or owners
            by_tag = {b.tag for b in blocks} <= set(given)
            gates = [given[b.tag] for b in blocks] if by_tag else in_order(blocks, free, given)
            for block, gate in zip(blocks, gates, strict=False):
                mine = next((role.parameter for role in free if role.gate == gate), None)
                if mine is None:
                    return None
                used.add(mine)
                free = [role for role in free if role.parameter != mine]
                made[mine].append(block.places)
    return made if all(made.values()) else None


def in_order(blocks: Sequence[Block], free: Sequence[Role], given: Mapping[str, str]) -> list[str]:
    """Return the gates of blocks whose tags say nothing: those that still lack one, by their own letters or in the order of the others."""
    gates = [gate for gate in given.values() if any(role.gate == gate for role in free)]
    named = [next((gate for gate in gates if meant(block.tag, gate)), "") for block in blocks]
    return named if all(named) and len(set(named)) == len(named) else gates[:len(blocks)]
