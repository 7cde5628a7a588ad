"""symrnn: backpropagation through time, derived, proved, printed and run.

Each public name is loaded from the module that defines it when it is first used, so ``import symrnn`` costs nothing.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symrnn.activity import activity_html
    from symrnn.bptt import derive
    from symrnn.cells import CELLS, cell
    from symrnn.clipping import Clipping
    from symrnn.codegen import to_numpy
    from symrnn.codegen.optimizers import UpdateRule
    from symrnn.counts import ParameterCounts, parameter_counts
    from symrnn.derivation import Derivation, hessian_vector_network
    from symrnn.equations import Cell, Equation
    from symrnn.errors import DataError, NotSupportedError, OutputError, SpecError, SymrnnError
    from symrnn.exports import export
    from symrnn.expr import Divides, LogSoftmax, Softmax, StopGradient, Total, dim, t, time_sum
    from symrnn.flow.measure import gradient_flow
    from symrnn.flow.record import Flow
    from symrnn.formulas import FormulaError, FormulaReport, compare_formula, read_formula
    from symrnn.functions import (
        cos,
        elementwise,
        elu,
        exp,
        identity,
        leaky_relu,
        log,
        parameter,
        phi,
        relu,
        series,
        sigmoid,
        sin,
        softplus,
        stack,
        tanh,
    )
    from symrnn.jacobians import StepJacobian, step_jacobian
    from symrnn.layernorm import layer_normalised
    from symrnn.leftout import LeftOut, left_out
    from symrnn.networks import NETWORKS, Given, Network, Scan, architecture, network
    from symrnn.networks.truncation import truncated
    from symrnn.networks.wiring import (
        Attention,
        Dense,
        Embedding,
        Input,
        Last,
        Layer,
        Merge,
        Previous,
        Readout,
        Tokens,
        wire,
    )
    from symrnn.norm_bounds import Bounds, Theorem, bounds
    from symrnn.notation import PROFILES, Notation
    from symrnn.plots import (
        plot_decay,
        plot_gates,
        plot_heat,
        plot_phase,
        plot_remedies,
        plot_singular_values,
        plot_training,
        save_figure,
    )
    from symrnn.printing import from_json, render
    from symrnn.readings import SecondReading, compare_function, read_function, second_reading
    from symrnn.sweeps import Sweep, read_sweep, run_sweep
    from symrnn.times import Span
    from symrnn.unrolling import Unrolled, unroll
    from symrnn.verify.panel import check

__version__ = "0.1.0"

__all__ = [
    "CELLS",
    "NETWORKS",
    "PROFILES",
    "Attention",
    "Bounds",
    "Cell",
    "Clipping",
    "DataError",
    "Dense",
    "Derivation",
    "Divides",
    "Embedding",
    "Equation",
    "Flow",
    "FormulaError",
    "FormulaReport",
    "Given",
    "Input",
    "Last",
    "Layer",
    "LeftOut",
    "LogSoftmax",
    "Merge",
    "Network",
    "NotSupportedError",
    "Notation",
    "OutputError",
    "ParameterCounts",
    "Previous",
    "Readout",
    "Scan",
    "SecondReading",
    "Softmax",
    "Span",
    "SpecError",
    "StepJacobian",
    "StopGradient",
    "Sweep",
    "SymrnnError",
    "Theorem",
    "Tokens",
    "Total",
    "Unrolled",
    "UpdateRule",
    "activity_html",
    "architecture",
    "bounds",
    "cell",
    "check",
    "compare_formula",
    "compare_function",
    "cos",
    "derive",
    "dim",
    "elementwise",
    "elu",
    "exp",
    "export",
    "from_json",
    "gradient_flow",
    "hessian_vector_network",
    "identity",
    "layer_normalised",
    "leaky_relu",
    "left_out",
    "log",
    "network",
    "parameter",
    "parameter_counts",
    "phi",
    "plot_decay",
    "plot_gates",
    "plot_heat",
    "plot_phase",
    "plot_remedies",
    "plot_singular_values",
    "plot_training",
    "read_formula",
    "read_function",
    "read_sweep",
    "relu",
    "render",
    "run_sweep",
    "save_figure",
    "second_reading",
    "series",
    "sigmoid",
    "sin",
    "softplus",
    "stack",
    "step_jacobian",
    "t",
    "tanh",
    "time_sum",
    "to_numpy",
    "truncated",
    "unroll",
    "wire",
]

PUBLIC = MappingProxyType({
    name: module
    for module, names in {
        "symrnn.activity": "activity_html",
        "symrnn.bptt": "derive",
        "symrnn.equations": "Cell Equation",
        "symrnn.cells": "CELLS cell",
        "symrnn.clipping": "Clipping",
        "symrnn.codegen": "to_numpy",
        "symrnn.codegen.optimizers": "UpdateRule",
        "symrnn.counts": "ParameterCounts parameter_counts",
        "symrnn.derivation": "Derivation hessian_vector_network",
        "symrnn.errors": "DataError NotSupportedError OutputError SpecError SymrnnError",
        "symrnn.exports": "export",
        "symrnn.expr": "Divides LogSoftmax Softmax StopGradient Total dim t time_sum",
        "symrnn.flow.measure": "gradient_flow",
        "symrnn.flow.record": "Flow",
        "symrnn.formulas": "FormulaError FormulaReport compare_formula read_formula",
        "symrnn.functions": (
            "cos elementwise elu exp identity leaky_relu log parameter phi relu series sigmoid sin softplus stack tanh"
        ),
        "symrnn.layernorm": "layer_normalised",
        "symrnn.jacobians": "StepJacobian step_jacobian",
        "symrnn.leftout": "LeftOut left_out",
        "symrnn.networks": "NETWORKS Given Network Scan architecture network",
        "symrnn.networks.truncation": "truncated",
        "symrnn.networks.wiring": "Attention Dense Embedding Input Last Layer Merge Previous Readout Tokens wire",
        "symrnn.norm_bounds": "Bounds Theorem bounds",
        "symrnn.notation": "PROFILES Notation",
        "symrnn.plots": (
            "plot_decay plot_gates plot_heat plot_phase plot_remedies plot_singular_values plot_training save_figure"
        ),
        "symrnn.printing": "from_json render",
        "symrnn.readings": "SecondReading compare_function read_function second_reading",
        "symrnn.sweeps": "Sweep read_sweep run_sweep",
        "symrnn.times": "Span",
        "symrnn.unrolling": "Unrolled unroll",
        "symrnn.verify.panel": "check",
    }.items()
    for name in names.split()
})
"""Public name to the module that defines it."""


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'symrnn' has no attribute '{name}'")
    return getattr(importlib.import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
