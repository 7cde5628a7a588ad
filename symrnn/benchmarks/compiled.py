"""The generated code with loops over time that Numba compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symrnn
from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays
from symrnn.codegen.fast import FEW
from symrnn.errors import NotSupportedError


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Generate; the first call, which compiles, is that before any time is taken.

    Raises:
        NotSupportedError: With so many sequences the code is the same as without Numba.
    """
    if len(case.x) >= FEW:
        raise NotSupportedError(f"from {FEW} sequences on there is nothing to compile")
    function = symrnn.to_numpy(case.derivation, style="fast", wrt="parameters", compiled=True).names["loss_and_gradients"]
    return lambda: function(case.params, case.x, case.classes), lambda result: result
