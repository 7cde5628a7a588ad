"""The public surface: exactly these names, each loaded from where the table says."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import symrnn

NAMES = [
    "Attention", "Dense", "Embedding", "Input", "Last", "Layer", "Merge", "NETWORKS", "Previous", "Readout", "Theorem", "Tokens",
    "activity_html", "architecture", "bounds", "wire",
    "Bounds", "CELLS", "Cell", "Clipping", "DataError", "Derivation", "Divides", "Equation", "Flow", "FormulaError", "FormulaReport", "Given", "LeftOut", "LogSoftmax", "Network", "Notation",
    "NotSupportedError", "OutputError", "PROFILES", "ParameterCounts", "Scan", "SecondReading", "Softmax", "Span", "SpecError", "StepJacobian", "StopGradient",
    "SymrnnError", "Total", "Unrolled", "cell", "check", "compare_formula", "compare_function", "cos", "derive", "dim", "elementwise", "elu", "exp", "export",
    "from_json", "gradient_flow", "hessian_vector_network", "identity", "layer_normalised", "leaky_relu", "left_out", "log", "network", "parameter", "parameter_counts",
    "phi", "read_formula", "read_function", "relu", "render", "second_reading", "series", "sigmoid", "sin", "softplus", "stack", "step_jacobian", "t", "tanh",
    "Sweep", "plot_decay", "plot_gates", "plot_heat", "plot_phase", "plot_remedies", "plot_singular_values", "plot_training",
    "read_sweep", "run_sweep", "save_figure", "time_sum", "to_numpy", "truncated", "unroll", "UpdateRule",
]


def test_names_are_pinned() -> None:
    assert sorted(symrnn.__all__) == sorted(NAMES)
    assert sorted(symrnn.PUBLIC) == sorted(NAMES)
    assert set(dir(symrnn)) == {*NAMES, "__version__"}


def test_what_types_see_is_the_table() -> None:
    tree = ast.parse(inspect.getsource(symrnn))
    seen = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            for alias in node.names if (node.module or "").startswith("symrnn")}
    assert seen == dict(symrnn.PUBLIC)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_loads_and_stays_when_modules_load(name: str) -> None:
    assert getattr(symrnn, name) is getattr(importlib.import_module(symrnn.PUBLIC[name]), name)
    assert not inspect.ismodule(getattr(symrnn, name))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match=r"^module 'symrnn' has no attribute 'lstm'$"):
        symrnn.lstm  # noqa: B018  # the access is the test


def test_import_is_free() -> None:
    code = "import symrnn, sys; print([m for m in ('sympy', 'numpy', 'flint', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [
    "activity_html", "architecture", "wire", "cell", "check", "compare_formula", "read_formula", "compare_function", "derive", "gradient_flow", "layer_normalised", "left_out", "network", "parameter", "read_function", "render", "second_reading",
    "series", "to_numpy", "truncated", "unroll",
    "plot_decay", "plot_gates", "plot_heat", "plot_phase", "plot_remedies", "plot_singular_values", "plot_training", "read_sweep",
    "run_sweep", "save_figure",
])
def test_public_functions_say_what_they_take(name: str) -> None:
    doc = inspect.getdoc(getattr(symrnn, name)) or ""
    section = doc.partition("Args:")[2]
    for argument in inspect.signature(getattr(symrnn, name)).parameters:
        assert f"{argument}:" in section


def test_version_is_that_of_the_project() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{symrnn.__version__}"' in text
