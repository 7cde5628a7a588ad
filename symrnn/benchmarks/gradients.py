"""Measure loss and gradients with the number of threads of this process: ``python -m symrnn.benchmarks.gradients``."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symrnn.benchmarks import COMPETITORS, PACKAGES
from symrnn.benchmarks.cases import GATES, Case, check_same
from symrnn.benchmarks.measuring import Functions, Say, measure
from symrnn.errors import NotSupportedError


def reference(one: Case) -> tuple[Any, Any]:
    """Return loss and gradients in double precision at the same numbers: of ``torch.nn``, or of the readable code where it is not."""
    params = {name: array.astype(float) for name, array in one.params.items()}
    wide = replace(one, dtype="float64", params=params, x=one.x.astype(float))
    name = "torch" if one.cell in GATES and importlib.util.find_spec("torch") is not None else "readable"
    run, read = importlib.import_module(COMPETITORS[name]).prepare(wide)
    return read(run())


def checked(one: Case, say: Say, options: Mapping[str, Any]) -> Functions:
    """Prepare everyone, and compare with the reference; what there is not for a cell is left out, and said."""
    say({"phase": f"{one.size} {one.cell} {one.dtype}: reference"})
    expected = reference(one)
    functions: Functions = {}
    for name in ("symrnn", *options["against"]):
        say({"phase": f"{one.size} {one.cell} {one.dtype}: {name}"})
        try:
            prepared = importlib.import_module(COMPETITORS[name]).prepare(one)
        except NotSupportedError as error:
            say({"without": name, "cell": one.cell, "why": str(error)})
            continue
        if isinstance(prepared, dict):  # the limit computes no gradient
            functions.update(prepared)
            continue
        run, read = prepared
        check_same(name, one, read(run()), expected)
        functions[name] = run
    return functions


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    measure(["numpy", *dict.fromkeys(PACKAGES[name] for name in asked["against"] if name in PACKAGES)], checked)
