"""Measure loss and gradients with the number of threads of this process: run by ``fast_code.py``."""

from __future__ import annotations

import json
import sys
from typing import Any

from competitors import torch_nn
from competitors.cases import Case, assert_same
from competitors.measuring import Functions, measure, modules

PACKAGES = {"jax": "jax", "autograd": "autograd"}


def reference(one: Case) -> tuple[Any, Any]:
    """Return loss and gradients of ``torch.nn`` in double precision, at the same numbers."""
    params = {name: array.astype(float) for name, array in one.params.items()}
    wide = Case(one.cell, one.size, "float64", one.derivation, params, one.x.astype(float), one.classes)
    run, read = torch_nn.prepare(wide)
    return read(run())


def checked(one: Case, found: dict[str, Any]) -> Functions:
    """Prepare everyone, and compare with the reference."""
    expected = reference(one)
    functions: Functions = {}
    for name, module in found.items():
        prepared = module.prepare(one)
        if isinstance(prepared, dict):  # the limit computes no gradient
            functions.update(prepared)
            continue
        run, read = prepared
        assert_same(name, one, read(run()), expected)
        functions[name] = run
    return functions


def main() -> None:
    """Measure what is asked for."""
    options = json.loads(sys.argv[1])
    found = modules(["symrnn", *options["against"]])
    packages = ["numpy", "torch", *(PACKAGES[name] for name in found if name in PACKAGES)]
    measure(options, packages, lambda one: checked(one, found))


if __name__ == "__main__":
    main()
