"""Peak memory of one way to compute loss and gradients, in bytes beyond what imports and inputs take: run by ``memory.py``.

The generated code is read from standard input, so that the process has imported NumPy and nothing else.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

CALLS = 2


def peak() -> int:
    """Return the largest size of this process until now, in bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


def like(asked: dict[str, Any]) -> SimpleNamespace:
    """Draw what ``cases.case`` has, without symrnn; the numbers do not matter."""
    B, T, D, _ = asked["sizes"]
    random = np.random.default_rng(0)
    params = {name: random.uniform(-0.1, 0.1, size=shape).astype(asked["dtype"]) for name, shape in asked["shapes"].items()}
    one = SimpleNamespace(
        cell=asked["cell"], dtype=asked["dtype"], sizes=asked["sizes"], params=params,
        x=random.normal(size=(B, T, D)).astype(asked["dtype"]), classes=random.integers(D, size=(B, T)),
    )
    one.times_first = lambda array: np.ascontiguousarray(array.swapaxes(0, 1))
    return one


def prepared(asked: dict[str, Any]) -> Callable[[], Any]:
    """Return the function, everything that it needs being there."""
    one = like(asked)
    if asked["name"] == "torch":
        return importlib.import_module("symrnn.benchmarks.torch_nn").prepare(one)[0]
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(asked["source"], "generated", "exec"), names)
    return lambda: names["loss_and_gradients"](one.params, one.x, one.classes)


def main() -> None:
    """Call twice, and print how much larger the process has become."""
    function = prepared(json.load(sys.stdin))
    before = peak()
    for _ in range(CALLS):
        function()
    print(peak() - before)


if __name__ == "__main__":
    main()
