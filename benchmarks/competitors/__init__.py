"""Other ways to compute a loss and all gradients, for ``benchmarks/fast_code.py``.

Each module of the table has ``prepare(case)``, which returns two functions: one that computes, and is timed, and one that
reads what the first returned as a loss and gradients by the names of symrnn, and is not. Whatever can be made before,
such as arrays in the order a library likes, is made in ``prepare``.
"""

from __future__ import annotations

from types import MappingProxyType

SIZES = MappingProxyType({
    "charrnn": (1, 25, 64, 100),
    "mid": (32, 50, 64, 128),
    "large": (64, 100, 128, 256),
    "long": (1, 1000, 32, 64),
    "zaremba": (16, 35, 650, 650),
})
"""B, T, D, H by name; K = D."""

CELLS = ("rnn", "lstm", "gru-reset-after")
DTYPES = ("float64", "float32")

COMPETITORS = MappingProxyType({
    "symrnn": "competitors.symrnn_fast",
    "torch": "competitors.torch_nn",
    "torch-loop": "competitors.torch_loop",
    "jax": "competitors.jax_scan",
    "autograd": "competitors.hips",
    "numpy": "competitors.as_people_write_it",
    "products": "competitors.products",
})
"""Name on the command line to module; ``products`` is not a competitor but the limit."""

TITLES = MappingProxyType({
    "torch": "torch.nn",
    "torch-loop": "torch, cell loop",
    "jax": "JAX, hoisted scan",
    "autograd": "HIPS autograd",
    "numpy": "NumPy as people write it",
    "products": "matrix products alone",
})
"""Name on the command line to the head of a column."""
