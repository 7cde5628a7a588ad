"""PyTorch with the loop over time written by hand: gates fused, the input product and the readout once for all times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays, Library, Recurrence
from symrnn.benchmarks.steps import recurrence
from symrnn.benchmarks.torch_nn import inputs


class Names:
    """PyTorch's functions as NumPy calls them; arrays that are new take their dtype by name there."""

    def __getattr__(self, name: str) -> Any:
        """Return a function that is called alike."""
        return getattr(torch, name)

    def zeros(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """Return zeros."""
        return torch.zeros(shape, dtype=dtype)

    def ones(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """Return ones."""
        return torch.ones(shape, dtype=dtype)


CALL = Library(Names(), torch.sigmoid, lambda array, n: array.chunk(n, dim=-1))


def loss_of(cell: Recurrence, w: dict[str, torch.Tensor], x: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the loss summed over batch and time; x (T, B, D), classes (T, B)."""
    T, B, _ = x.shape
    rows, shared = cell.before(w, x.flatten(0, 1))
    state = tuple(x.new_zeros(B, n) for n in cell.states)
    seen = []
    for now in zip(*(array.unflatten(0, (T, B)).unbind(0) for array in rows), strict=True):
        state, h = cell.step(shared, state, now)
        seen.append(h)
    logits = torch.nn.functional.linear(torch.stack(seen), w["W_out"], w["b_out"])
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="sum")


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Make the tensors."""
    cell = recurrence(case, CALL)
    w = {name: torch.tensor(array, requires_grad=True) for name, array in cell.weights.items()}
    x, classes = inputs(case)

    def run() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        loss = loss_of(cell, w, x, classes)
        return loss, torch.autograd.grad(loss, tuple(w.values()))

    def read(result: Any) -> tuple[float, Arrays]:
        return result[0].item(), cell.read(dict(zip(w, (g.numpy() for g in result[1]), strict=True)))

    return run, read
