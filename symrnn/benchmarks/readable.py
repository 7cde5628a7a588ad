"""The readable code of the same equations, a line each: the reference where PyTorch is not, and for cells that it has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symrnn
from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Generate; what runs is the plain function of the generated file, without the checks around it."""
    function = symrnn.to_numpy(case.derivation, wrt="parameters").names["loss_and_gradients"]
    return lambda: function(case.params, case.x, case.classes), lambda result: result
