"""Other ways to compute a loss and all gradients, timed against fast code: ``symrnn bench``.

Each module of the table has ``prepare(case)``, which returns two functions: one that computes, and is timed, and one that
reads what the first returned as a loss and gradients by the names of symrnn, and is not. Whatever can be made before,
such as arrays in the order a library likes, is made in ``prepare``. It raises ``NotSupportedError`` for a cell that it does not have.

Nothing here imports NumPy; the modules of the table are loaded in processes of their own.
"""

from __future__ import annotations

from types import MappingProxyType

CELLS = ("rnn", "lstm", "gru-reset-after")
"""The cells that are measured by default: those of ``torch.nn``."""
DTYPES = ("float64", "float32")

COMPETITORS = MappingProxyType({
    "symrnn": "symrnn.benchmarks.fast",
    "torch": "symrnn.benchmarks.torch_nn",
    "torch-loop": "symrnn.benchmarks.torch_loop",
    "jax": "symrnn.benchmarks.jax_scan",
    "autograd": "symrnn.benchmarks.hips",
    "naive": "symrnn.benchmarks.naive",
    "readable": "symrnn.benchmarks.readable",
    "compiled": "symrnn.benchmarks.compiled",
    "products": "symrnn.benchmarks.products",
})
"""Name on the command line to module; ``products`` is not a competitor but the limit."""

TITLES = MappingProxyType({
    "torch": "torch.nn",
    "torch-loop": "torch, cell loop",
    "jax": "JAX, hoisted scan",
    "autograd": "HIPS autograd",
    "naive": "NumPy as people write it",
    "readable": "symrnn, readable",
    "compiled": "symrnn, compiled",
    "products": "matrix products alone",
})
"""Name on the command line to the head of a column."""

PACKAGES = MappingProxyType({"torch": "torch", "torch-loop": "torch", "jax": "jax", "autograd": "autograd", "compiled": "numba"})
"""The package that a competitor needs beside NumPy."""
