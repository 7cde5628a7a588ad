"""The generated code that is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symrnn
from symrnn.benchmarks.cases import Case
from symrnn.benchmarks.recurrence import Arrays


def prepare(case: Case) -> tuple[Callable[[], Any], Callable[[Any], tuple[Any, Arrays]]]:
    """Generate; what runs is the plain function of the generated file, without the checks around it."""
    program = symrnn.to_numpy(case.derivation, style="fast", wrt="parameters")
    function = program.names["loss_and_gradients"]
    return lambda: function(case.params, case.x, case.classes), lambda result: result
