"""Trained weights and sequences from ``.npz`` files.

Layouts:
    formulas: arrays by the names that the network's quantities have, such as ``W_hh`` or ``W_f_l2``.
    pytorch: the ``state_dict`` of ``torch.nn.RNN``, ``LSTM`` or ``GRU``: ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``,
        ``bias_hh_l0``, further layers as ``_l1``, the backward direction as ``_l0_reverse``. Gates stand under each other: LSTM i,
        f, g, o; GRU r, z, n. The two biases are added where our cell has one. A prefix such as ``rnn.`` is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from symrnn.conventions.pytorch import PYTORCH
from symrnn.equations import Cell
from symrnn.errors import DataError, NotSupportedError, SpecError, unknown
from symrnn.networks import network as network_of
from symrnn.networks.graph import Network, Part
from symrnn.notation import mark_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

FOUR = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
NAME = re.compile(r"(?:.*\.)?((?:weight|bias)_[ih]h_l\d+(?:_reverse)?)")
LAYOUTS = ("formulas", "pytorch")


def load_params(path: str | Path, source: Network | Cell, *, layout: str = "formulas") -> dict[str, Array]:
    """Load parameters by name.

    Args:
        path: A ``.npz`` file.
        source: The network, or a cell, that they are for.
        layout: ``formulas`` or ``pytorch``.

    Returns:
        Arrays by the names of the network; shapes are checked by whoever uses them, as ``gradient_flow`` does.

    Raises:
        SpecError: An unknown layout, or a name that the network does not have.
        DataError: No such file, no numbers, NaN, or an array of another shape.
        NotSupportedError: A cell that PyTorch does not have.
    """
    if layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    network = network_of(source) if isinstance(source, Cell) else source
    arrays = read(path)
    if layout == "pytorch":
        return from_pytorch(arrays, network, str(path))
    known = [p.name for p in network.parameters]
    for name in arrays:
        if name not in known and NAME.fullmatch(name):
            raise SpecError(f"{path}: {name} is a name of PyTorch; give layout pytorch as well (--layout pytorch)")
        if name not in known:
            raise unknown("parameter", name, known)
    return arrays


def load_data(path: str | Path, source: Network | Cell) -> dict[str, Array]:
    """Load inputs, initial states and masks by name; a file with one array holds the input.

    Args:
        path: A ``.npz`` file, or a ``.npy`` file with one array.
        source: The network, or a cell, that they are for.

    Raises:
        SpecError: A name that the network does not have.
        DataError: No such file, no numbers, NaN, or a sequence without a step.
    """
    network = network_of(source) if isinstance(source, Cell) else source
    arrays = read(path)
    given = {g.name: g.kind for g in network.givens if g.kind != "parameter"}
    inputs = [name for name, kind in given.items() if kind in {"input", "integer"}]
    if len(arrays) == 1 and not set(arrays) & set(given) and len(inputs) == 1:
        arrays = {inputs[0]: next(iter(arrays.values()))}
    for name, array in arrays.items():
        if name not in given:
            raise unknown("given quantity", name, given)
        if not array.size:
            raise DataError(f"{path}: {name} is empty, shape {array.shape}; expected sequences with at least one step")
    return arrays


def read(path: str | Path) -> dict[str, Array]:
    """Read the arrays of a file.

    Raises:
        DataError: No such file, an empty one, something else than numbers, or NaN.
    """
    try:
        with Path(path).open("rb") as file:
            held = np.load(file, allow_pickle=False)
            arrays = {"": held} if isinstance(held, np.ndarray) else dict(held)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        said = "it is empty" if Path(path).is_file() and not Path(path).stat().st_size else str(error).splitlines()[0]
        raise DataError(f"{path}: not a file of NumPy arrays ({said}); write it with numpy.savez") from None
    if not arrays:
        raise DataError(f"{path}: holds no array; write it with numpy.savez")
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise DataError(f"{path}: {name or 'the array'} has type {array.dtype}; expected real numbers")
        if not np.all(np.isfinite(array)):
            raise DataError(f"{path}: {name or 'the array'} has NaN or infinity; expected finite numbers")
    return arrays


def from_pytorch(arrays: Mapping[str, Array], network: Network, path: str) -> dict[str, Array]:
    """Cut PyTorch's parameters into ours.

    Raises:
        SpecError: An array is missing.
        DataError: Numbers of rows that do not fit.
        NotSupportedError: A cell that PyTorch does not have.
    """
    theirs = {match[1]: array for name, array in arrays.items() if (match := NAME.fullmatch(name))}
    out: dict[str, Array] = {}
    for layer in (part for part in network.parts if part.role == "layer"):
        if layer.cell not in PYTORCH:
            raise NotSupportedError(f"layout pytorch: PyTorch has no cell '{layer.cell}'; it has {', '.join(PYTORCH)}")
        end = ending(layer)
        found = []
        for name, rows in zip(FOUR, PYTORCH[layer.cell], strict=True):
            if name + end not in theirs:
                if name.startswith("weight"):
                    raise SpecError(f"{path}: {name}{end} is missing; it has {', '.join(arrays)}")
                found.append([np.zeros(0)] * len(rows))
                continue
            found.append(rows_of(theirs[name + end], len(rows), name + end, path))
        out |= named(layer, found)
    return out


def ending(layer: Part) -> str:
    """Return what PyTorch appends to the names of a layer."""
    mark = mark_of(layer.mark)
    backward = "_reverse" if "bw" in layer.mark.split("_") else ""
    return f"_l{(mark.layer or 1) - 1}{backward}"


def rows_of(array: Array, count: int, name: str, path: str) -> list[Array]:
    """Cut an array into the parts of its gates.

    Raises:
        DataError: The number of rows is no multiple.
    """
    wanted = 2 if name.startswith("weight") else 1
    if array.ndim != wanted or len(array) % count or not len(array):
        rows = "H" if count == 1 else f"{count}*H"
        expected = f"({rows}, columns)" if wanted == 2 else f"({rows},)"
        raise DataError(f"{path}: {name}: expected shape {expected}; got {array.shape}")
    return np.split(array, count)


def named(layer: Part, found: list[list[Array]]) -> dict[str, Array]:
    """Give the parts our names; the second bias is added to the first where we have one."""
    end = f"_{layer.mark}" if layer.mark else ""
    inputs, states, first, second = PYTORCH[layer.cell]
    out = {name + end: array for name, array in zip((*inputs, *states), (*found[0], *found[1]), strict=True)}
    for own, other, a, b in zip(first, second, found[2], found[3], strict=True):
        a = a if a.size else np.zeros(len(found[0][0]))
        b = b if b.size else np.zeros(len(a))
        if other:
            out[own + end], out[other + end] = a, b
        else:
            out[own + end] = a + b
    return {name: array for name, array in out.items() if name in layer.names}
