"""What is computed: a cell at its size, with weights and data that are the same for everyone.

Shapes: x (B, T, D), classes (B, T); in the fused form, with G gates: W_in (G H, D), W_state (G H, H), b_in (G H,),
b_state (H,) for the GRU's inner bias, W_out (K, H), b_out (K,).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

import symrnn
from symrnn.benchmarks.recurrence import Arrays
from symrnn.benchmarks.sizes import size_of
from symrnn.conventions.pytorch import PYTORCH
from symrnn.errors import RefutedError, SpecError


@dataclass(frozen=True)
class Gates:
    """Names of the parameters of a cell, gate by gate, in the order of ``torch.nn``."""

    W_in: tuple[str, ...]
    W_state: tuple[str, ...]
    b_in: tuple[str, ...]
    b_state: str | None = None
    """The bias of the last gate that stands inside of the reset."""


GATES: Mapping[str, Gates] = MappingProxyType({
    cell: Gates(inputs, states, first, next(filter(None, second), None)) for cell, (inputs, states, first, second) in PYTORCH.items()
})
READOUT = MappingProxyType({"W_out": "W_hy", "b_out": "b_y"})


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        cell: Its name, or ``path.py:NAME``.
        size: As it was asked for.
        dtype: ``float64`` or ``float32``.
        derivation: Of its loss.
        output: What the readout reads.
        params: By name.
        x: (B, T, D).
        classes: (B, T).
    """

    cell: str
    size: str
    dtype: str
    derivation: symrnn.Derivation
    output: Any
    params: Arrays
    x: np.ndarray
    classes: np.ndarray

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """B, T, D, H."""
        return size_of(self.size)

    @property
    def onehot(self) -> np.ndarray:
        """The targets as (B, T, K)."""
        return np.eye(self.sizes[2], dtype=self.dtype)[self.classes]

    def times_first(self, array: np.ndarray) -> np.ndarray:
        """Return (T, B, …) of an array (B, T, …)."""
        return np.ascontiguousarray(array.swapaxes(0, 1))


def case(size: str, where: str, cell: symrnn.Cell, dtype: str) -> Case:
    """Draw the weights as ``torch.nn`` does, uniformly up to 1/√H, and normal inputs.

    Raises:
        SpecError: The cell has another input beside one of size D, a size that is not D or H, or an open function.
    """
    B, T, D, H = size_of(size)
    net = symrnn.network(cell, task="many-to-many", loss="cross-entropy")
    strange = {str(letter) for given in net.givens for length in given.quantity.shape for letter in length.free_symbols} - {"D", "H", "K"}
    if strange or [given.kind for given in net.givens].count("input") != 1:
        raise SpecError(f"{where} cannot be measured: a cell has one input, of size D, and states of size H; "
                        f"{'got ' + ', '.join(sorted(strange)) if strange else 'it has several inputs'}")
    derivation = symrnn.derive(net)
    program = symrnn.to_numpy(derivation)
    needed = [a.name for a in inspect.signature(program.names["loss"]).parameters.values() if a.kind is a.KEYWORD_ONLY and a.default is a.empty]
    if needed:
        raise SpecError(f"{where} cannot be measured: it leaves {', '.join(needed)} open; choose a function, such as tanh")
    shapes = program.shapes({"D": D, "H": H, "K": D})
    random = np.random.default_rng(0)
    params = {name: random.uniform(-1, 1, size=shape).astype(dtype) / np.sqrt(H).astype(dtype) for name, shape in shapes.items()}
    x = random.normal(size=(B, T, D)).astype(dtype)
    return Case(where, size, dtype, derivation, cell.output, params, x, random.integers(D, size=(B, T)))


def fused(cell: str, params: Arrays) -> Arrays:
    """Return the parameters with the gates one below the other."""
    gates = GATES[cell]
    stacked = {kind: np.concatenate([params[name] for name in getattr(gates, kind)]) for kind in ("W_in", "W_state", "b_in")}
    inner = {"b_state": params[gates.b_state]} if gates.b_state else {}
    return {**stacked, **inner, **{kind: params[name] for kind, name in READOUT.items()}}


def by_name(cell: str, arrays: Mapping[str, Any]) -> Arrays:
    """Return what ``fused`` put together, gate by gate under the names of symrnn; arrays of any library."""
    gates = GATES[cell]
    found: Arrays = {}
    for kind in ("W_in", "W_state", "b_in"):
        names = getattr(gates, kind)
        found.update(zip(names, np.split(np.asarray(arrays[kind]), len(names)), strict=True))
    if gates.b_state:
        found[gates.b_state] = np.asarray(arrays["b_state"])
    return {**found, **{name: np.asarray(arrays[kind]) for kind, name in READOUT.items()}}


def check_same(who: str, case: Case, got: tuple[Any, Arrays], expected: tuple[Any, Arrays]) -> None:
    """Compare a loss and gradients with the reference, relative to the largest entry of each array.

    Raises:
        RefutedError: Something is missing, has another shape, or is off.
    """
    where, allowed = f"{who}, {case.cell}, {case.size}, {case.dtype}", {"float64": 1e-10, "float32": 1e-3}[case.dtype]
    pairs = {"the loss": (got[0], expected[0]), **{name: (got[1].get(name), right) for name, right in expected[1].items()}}
    for name, (left, right) in pairs.items():
        if np.shape(left) != np.shape(right):
            raise RefutedError(f"{where}: {name} has the shape {np.shape(left)}, not {np.shape(right)}; no time is taken")
        error = np.max(np.abs(np.asarray(left, dtype=float) - right)) / (np.max(np.abs(right)) or 1.0)
        if not error <= allowed:
            raise RefutedError(f"{where}: {name} is off by {error:.1e}, and {allowed:.0e} is allowed; no time is taken")
