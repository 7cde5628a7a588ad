"""Measure whole steps of training with the number of threads of this process: run by ``training.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

import symrnn
from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.measuring import Functions, Say, measure
from symrnn.benchmarks.recurrence import Arrays
from symrnn.benchmarks.torch_nn import Model, inputs, named

RATE, LIMIT, STEPS, EPSILON = 1e-3, 1.0, 3, 1e-3


def ours(case: Case, epsilon: float = 1e-8) -> tuple[Callable[[], Any], Callable[[], Arrays]]:
    """Return a step of generated code, and what shows the parameters."""
    names = symrnn.to_numpy(case.derivation, style="fast", wrt="parameters", optimizer="adam").names
    optimizer = names["Adam"](case.params, epsilon=epsilon, limit=LIMIT)
    return lambda: names["training_step"](optimizer, RATE, case.x, case.classes), lambda: optimizer.params


def theirs(case: Case, epsilon: float = 1e-8, *, hooks: bool = False) -> tuple[Callable[[], Any], Callable[[], Arrays]]:
    """Return a step of PyTorch, and what shows the parameters.

    With hooks, the second bias of PyTorch stays where it is wherever symrnn has one bias only.
    """
    model, (x, classes) = Model(case), inputs(case)
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=RATE, eps=epsilon, fused=True)
    if hooks:
        kept = torch.zeros_like(parameters[3])
        if case.cell == "gru-reset-after":
            kept[-case.sizes[3]:] = 1
        parameters[3].register_hook(lambda gradient: gradient * kept)

    def step() -> float:
        optimizer.zero_grad()
        loss = model(x, classes)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, LIMIT)
        optimizer.step()
        return loss.item()

    return step, lambda: named(case.cell, parameters)


def assert_same_steps(case: Case) -> None:
    """Make some steps of both from the same weights, and compare the parameters, relative to the rate.

    Where a gradient is zero up to rounding, Adam would divide rounding errors by their own size; the comparison has a larger ε.
    ``clip_grad_norm_`` adds 1e-6 to the norm, which is what float64 allows for.
    """
    (mine, params), (other, expected) = ours(case, EPSILON), theirs(case, EPSILON, hooks=True)
    for _ in range(STEPS):
        mine()
        other()
    allowed = {"float64": 1e-6, "float32": 1e-2}[case.dtype]
    for name, right in expected().items():
        error = float(np.max(np.abs(params()[name] - right))) / RATE
        if not error <= allowed:
            raise AssertionError(f"{case.cell}, {case.size}, {case.dtype}: {name} is off by {error:.1e} of a step after {STEPS}")


def functions(case: Case, say: Say, options: Mapping[str, Any]) -> Functions:
    """Compare, and return a step of each."""
    assert_same_steps(case)
    return {"symrnn": ours(case)[0], "torch": theirs(case)[0]}


if __name__ == "__main__":
    measure(("numpy", "torch"), functions)
