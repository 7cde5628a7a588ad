"""PyTorch with the loop over time written by hand: gates fused, the input product and the readout once for all times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from competitors.cases import Arrays, Case, by_name, fused
from competitors.steps import STATES, STEPS, Functions
from competitors.torch_nn import inputs

CALL = Functions(torch.tanh, torch.sigmoid, lambda array, n: array.chunk(n, dim=-1))


def loss_of(cell: str, w: dict[str, torch.Tensor], x: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the loss summed over batch and time; x (T, B, D), classes (T, B)."""
    W, inner = w["W_state"].T, w.get("b_state")
    state = tuple(x.new_zeros(x.shape[1], len(W)) for _ in range(STATES[cell]))
    seen = []
    for p in torch.nn.functional.linear(x, w["W_in"], w["b_in"]).unbind(0):
        state = STEPS[cell](CALL, p, state, W, inner)
        seen.append(state[0])
    logits = torch.nn.functional.linear(torch.stack(seen), w["W_out"], w["b_out"])
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="sum")


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Make the tensors."""
    w = {name: torch.tensor(array, requires_grad=True) for name, array in fused(case.cell, case.params).items()}
    x, classes = inputs(case)

    def run() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        loss = loss_of(case.cell, w, x, classes)
        return loss, torch.autograd.grad(loss, tuple(w.values()))

    def read(result: Any) -> tuple[float, Arrays]:
        return result[0].item(), by_name(case.cell, dict(zip(w, (g.numpy() for g in result[1]), strict=True)))

    return run, read
