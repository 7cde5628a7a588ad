"""PyTorch's own layers, ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU`` with ``nn.Linear``: the reference for every other."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from symrnn.benchmarks.cases import Case, by_name, fused
from symrnn.benchmarks.recurrence import Arrays
from symrnn.errors import NotSupportedError

LAYERS = MappingProxyType({"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru-reset-after": torch.nn.GRU})


class Model(torch.nn.Module):
    """A layer with a linear readout, and the loss; x (T, B, D), classes (T, B)."""

    def __init__(self, case: Case) -> None:
        """Make the layers at the weights of the case; the second bias that PyTorch has is zero where symrnn has one."""
        super().__init__()
        _, _, D, H = case.sizes
        dtype = getattr(torch, case.dtype)
        self.layer = LAYERS[case.cell](D, H, dtype=dtype)
        self.readout = torch.nn.Linear(H, D, dtype=dtype)
        for parameter, value in zip(self.parameters(), ordered(case.cell, case.params), strict=True):
            parameter.data.copy_(torch.from_numpy(np.ascontiguousarray(value)))

    def forward(self, x: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Return the loss summed over batch and time."""
        logits = self.readout(self.layer(x)[0]).flatten(0, 1)
        return torch.nn.functional.cross_entropy(logits, classes.flatten(), reduction="sum")


def ordered(cell: str, params: Arrays) -> list[np.ndarray]:
    """Return the arrays in the order of ``Model.parameters()``."""
    arrays = fused(cell, params)
    second = np.zeros_like(arrays["b_in"])
    if "b_state" in arrays:
        second[-len(arrays["b_state"]):] = arrays["b_state"]
    return [arrays["W_in"], arrays["W_state"], arrays["b_in"], second, arrays["W_out"], arrays["b_out"]]


def named(cell: str, arrays: list[torch.Tensor]) -> Arrays:
    """Return what stands in the order of ``Model.parameters()`` under the names of symrnn."""
    W_in, W_state, b_in, second, W_out, b_out = (array.detach().numpy() for array in arrays)
    inner = second[-W_state.shape[1]:]
    return by_name(cell, dict(W_in=W_in, W_state=W_state, b_in=b_in, b_state=inner, W_out=W_out, b_out=b_out))


def inputs(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x (T, B, D) and the classes (T, B)."""
    return torch.from_numpy(case.times_first(case.x)), torch.from_numpy(case.times_first(case.classes))


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Make the model; the gradients of each call are new, as after ``zero_grad()``.

    Raises:
        NotSupportedError: PyTorch has no layer for the cell.
    """
    if case.cell not in LAYERS:
        raise NotSupportedError(f"torch.nn has no {case.cell}")
    model, (x, classes) = Model(case), inputs(case)
    parameters = list(model.parameters())

    def run() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        loss = model(x, classes)
        return loss, torch.autograd.grad(loss, parameters)

    return run, lambda result: (result[0].item(), named(case.cell, result[1]))
