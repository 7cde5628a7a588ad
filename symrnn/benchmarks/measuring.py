"""What the measuring processes share: they read what is asked as JSON, and write a line of JSON for each thing to say."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from symrnn.benchmarks.cases import Case, case
from symrnn.benchmarks.timing import medians
from symrnn.errors import SymrnnError
from symrnn.loading import load_cell

Functions = dict[str, Callable[[], Any]]
Say = Callable[[Mapping[str, Any]], None]


def speaker() -> Say:
    """Return what writes a line to standard output; whatever else is printed goes to standard error."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(record: Mapping[str, Any]) -> None:
        stream.write(json.dumps(record) + "\n")
        stream.flush()

    return say


def pools(threads: int) -> tuple[AbstractContextManager[Any], str]:
    """Return what limits the threads of the matrix product beside the environment, and the processor that it is made for."""
    if importlib.util.find_spec("threadpoolctl") is None:
        return nullcontext(), "threads by the environment alone"
    control = importlib.import_module("threadpoolctl")
    products = [pool for pool in control.threadpool_info() if pool["internal_api"] == "openblas"]
    return control.threadpool_limits(threads), f"OpenBLAS for {products[0]['architecture']}" if products else "no OpenBLAS"


def measure(packages: Iterable[str], functions_of: Callable[[Case, Say, Mapping[str, Any]], Functions]) -> None:
    """Go through the sizes, cells and dtypes, and time the functions of each case against one another."""
    options, say = json.loads(sys.argv[1]), speaker()
    try:
        cells = {where: load_cell(where, {}) for where in options["cells"]}
        limits, blas = pools(options["threads"])
        versions = {package: importlib.metadata.version(package).partition("+")[0] for package in packages}
        with limits:
            say({"versions": versions, "blas": blas})
            for key in ((s, c, d) for s in options["sizes"] for c in cells for d in options["dtypes"]):
                measure_case(key, functions_of(case(key[0], key[1], cells[key[1]], key[2]), say, options), say, options)
    except SymrnnError as error:
        say({"error": str(error)})


def measure_case(key: tuple[str, str, str], functions: Functions, say: Say, options: Mapping[str, Any]) -> None:
    """Time the functions of one case."""
    say({"phase": " ".join(key)})
    line = dict(zip(("size", "cell", "dtype"), key, strict=True), threads=options["threads"])
    for name, time in medians(functions, options["rounds"], options["threads"]).items():
        say({**line, "name": name, **time._asdict()})
    say({"done": " ".join(key)})
