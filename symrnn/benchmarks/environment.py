"""The environment of a process that measures; nothing else is imported, so that a process with a small peak can start others."""

from __future__ import annotations

import os
from pathlib import Path


def environment(threads: int, *paths: Path) -> dict[str, str]:
    """Return the environment of a process with so many threads, and without what slows NumPy's matrix product down."""
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    number, here = str(threads), Path(__file__).parents[2]
    return {
        **kept, "PYTHONPATH": os.pathsep.join(filter(None, (*map(str, paths), str(here), os.environ.get("PYTHONPATH", "")))),
        "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number, "MKL_NUM_THREADS": number, "NPROC": number,
        "JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
    }
