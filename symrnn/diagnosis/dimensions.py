"""Which number is which size: hidden, input, output, batch, time; found from the shapes of all arrays together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from symrnn.diagnosis.entries import Held

MOST_GATES = 4
LETTERS = {"H": ("H", "n_a", "hidden_size", "hidden", "n_h"), "D": ("D", "V", "n_x", "input_size", "vocab_size"),
           "B": ("N", "B", "m", "batch"), "T": ("T", "T_x", "seq_len"), "K": ("K", "O", "n_y", "V", "C", "M", "output_size", "vocab_size")}
"""Letters that people use for a size, which are tried first."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of the sizes; 1 where the code has no such axis.

    Attributes:
        H: Hidden.
        D: Input.
        B: Batch.
        T: Time.
        K: Output.
    """

    H: int
    D: int
    B: int
    T: int
    K: int


def weight_roles(shape: tuple[int, ...], sizes: Sizes) -> list[str]:
    """Say what a matrix can be: ``input``, ``state``, ``joint`` (input and state together), ``biased`` (with a bias row), ``readout``."""
    if len(shape) != 2:
        return []
    H, D, K = sizes.H, sizes.D, sizes.K
    found = []
    for a, b in (shape, shape[::-1]):
        if a % H == 0 and 1 <= a // H <= MOST_GATES:
            found += [role for role, size in (("input", D), ("state", H), ("joint", H + D), ("biased", H + D + 1)) if b == size]
    found += ["readout"] if K > 1 and sorted(shape) == sorted((H, K)) else []
    return list(dict.fromkeys(found))


def roles_of(one: Held, sizes: Sizes) -> tuple[str, ...]:
    """Say what an array can be, from its shape."""
    shape, H, D, B, T, K = one.shape, sizes.H, sizes.D, sizes.B, sizes.T, sizes.K
    batch = (B,) if B > 1 else ()
    found: list[str] = []

    def is_like(*wanted: int) -> bool:
        return sorted(shape) == sorted(n for n in wanted if n != 1)

    if one.kind == "integers":
        found = [role for role, times in (("tokens", (T,)), ("labels", (T,)), ("labels", ())) if is_like(*times, *batch)]
        return tuple(dict.fromkeys(role for role in found if one.below == (D if role == "tokens" else K)))
    if is_like(T, D, *batch):
        found.append("x")
    if is_like(T, K, *batch) or is_like(K, *batch):
        found.append("target")
    if not one.moves:
        return tuple(found)
    if is_like(H, *batch):
        found.append("start")
    found += weight_roles(shape, sizes)
    if len(shape) == 1 and shape[0] % H == 0 and 1 <= shape[0] // H <= MOST_GATES:
        found += ["bias", "peephole"] if shape[0] == H else ["bias"]
    if is_like(K) and len(shape) == 1:
        found.append("readout bias")
    return tuple(found)


def assignments(arrays: Iterable[Held], letters: Mapping[str, int], outputs: Iterable[tuple[int, ...]]) -> Iterator[Sizes]:
    """Yield the ways in which numbers can be sizes such that every array has a role, the usual letters first.

    Args:
        arrays: All arrays.
        letters: Numbers by letter, as the user calls them.
        outputs: Shapes of what the forward returns.
    """
    listed = list(arrays)
    numbers = sorted({n for one in listed for n in one.shape} | {one.below for one in listed if one.kind == "integers"}
                     | {n for shape in outputs for n in shape if n > 1} | set(letters.values()))
    hidden = [n for n in numbers if any(n in one.shape for one in listed)]
    wide = [*numbers, 1]

    def unusual(sizes: Sizes) -> int:
        return sum(all(letters.get(name) != getattr(sizes, what) for name in names) for what, names in LETTERS.items())

    found = set()
    for H, D in itertools.permutations(hidden, 2) if len(hidden) > 1 else [(n, n) for n in hidden]:
        if not any({"input", "joint", "biased"} & set(weight_roles(one.shape, Sizes(H, D, 1, 1, 0))) for one in listed):
            continue
        for B, T, K in itertools.product(wide, wide, wide):
            sizes = Sizes(H, D, B, T, K)
            if len({n for n in (H, B, T) if n > 1}) == sum(n > 1 for n in (H, B, T)) and fits(listed, sizes):
                found.add(sizes)
    yield from sorted(found, key=lambda s: (unusual(s), s.K, s.B == 1, s.T == 1, str(s)))


def fits(arrays: Iterable[Held], sizes: Sizes) -> bool:
    """Tell whether every array that moves has a role, and there is an input."""
    roles = [(one, roles_of(one, sizes)) for one in arrays]
    used = {role for _, found in roles for role in found}
    return all(found for one, found in roles if one.moves or one.kind == "integers") and bool({"x", "tokens"} & used) and \
        (sizes.K == 1 or "readout" in used)
