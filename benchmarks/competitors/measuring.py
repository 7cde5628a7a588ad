"""What the measuring processes share: they read what is asked as JSON, and print a line of JSON for each time."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import threadpoolctl
import torch

from competitors import COMPETITORS
from competitors.cases import Case, case
from competitors.timing import Time, medians

Functions = dict[str, Callable[[], Any]]


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)


def modules(names: Iterable[str]) -> dict[str, Any]:
    """Import what there is of the competitors."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(COMPETITORS[name])
        except ModuleNotFoundError as error:
            say(f"{name} is left out: {error.name} is not installed")
    return found


def ran_on(packages: Iterable[str]) -> dict[str, Any]:
    """Return the versions, and the processor that NumPy's matrix product is made for."""
    products = [pool for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"]
    versions = {package: importlib.metadata.version(package).partition("+")[0] for package in packages}
    return {"versions": versions, "blas": f"OpenBLAS for {products[0]['architecture']}" if products else "no OpenBLAS"}


def shown(times: Mapping[str, Time], threads: int) -> str:
    """Return milliseconds, and who kept more processors busy than it should."""
    return "  ".join(
        f"{name} {1000 * time.wall:.2f}" + (f" (on {time.cpu / time.wall:.1f} processors)" if time.cpu > 1.1 * threads * time.wall else "")
        for name, time in times.items()
    )


def measure(options: Mapping[str, Any], packages: Iterable[str], functions_of: Callable[[Case], Functions]) -> None:
    """Go through the sizes, cells and dtypes, and time the functions of each case against one another."""
    threads = options["threads"]
    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads):
        print(json.dumps(ran_on(packages)))
        for key in ((s, c, d) for s in options["sizes"] for c in options["cells"] for d in options["dtypes"]):
            times = medians(functions_of(case(*key)), options["rounds"], threads)
            for name, time in times.items():
                line = dict(zip(("size", "cell", "dtype"), key, strict=True), threads=threads, name=name, **time._asdict())
                print(json.dumps(line), flush=True)
            say("{:8} {:15} {}  ".format(*key) + shown(times, threads))
