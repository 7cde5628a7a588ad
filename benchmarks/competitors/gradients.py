"""Measure with the number of threads of this process, and print a line of JSON for each time: run by ``fast_code.py``."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import threadpoolctl

from competitors import COMPETITORS
from competitors.cases import Case, assert_same, case
from competitors.timing import medians

torch = importlib.import_module("torch")
Prepared = tuple[Callable[[], Any], Callable[[Any], Any]]


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)


def modules(names: list[str]) -> dict[str, Any]:
    """Import what there is of the competitors."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(COMPETITORS[name])
        except ModuleNotFoundError as error:
            say(f"{name} is left out: {error.name} is not installed")
    return found


def reference(one: Case) -> tuple[Any, Any]:
    """Return loss and gradients of ``torch.nn`` in double precision, at the same numbers."""
    wide = Case(one.cell, one.size, "float64", one.derivation, {n: a.astype(float) for n, a in one.params.items()},
                one.x.astype(float), one.classes)
    run, read = importlib.import_module(COMPETITORS["torch"]).prepare(wide)
    return read(run())


def checked(one: Case, found: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Prepare everyone, and compare with the reference."""
    expected, functions = reference(one), {}
    for name, module in found.items():
        prepared = module.prepare(one)
        if isinstance(prepared, dict):  # the limit computes no gradient
            functions.update(prepared)
            continue
        run, read = prepared
        assert_same(name, one, read(run()), expected)
        functions[name] = run
    return functions


def main() -> None:
    """Go through the sizes, cells and dtypes."""
    options = json.loads(sys.argv[1])
    threads = options["threads"]
    torch.set_num_threads(threads)
    found = modules(options["against"])
    with threadpoolctl.threadpool_limits(threads):
        products = [pool for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"]
        print(json.dumps({"versions": versions(found), "blas": products[0]["architecture"] if products else "other"}))
        for size in options["sizes"]:
            for cell in options["cells"]:
                for dtype in options["dtypes"]:
                    one = case(cell, size, dtype)
                    times = medians(checked(one, found), options["rounds"], threads)
                    for name, time in times.items():
                        print(json.dumps(dict(size=size, cell=cell, dtype=dtype, threads=threads, name=name, **time._asdict())))
                    sys.stdout.flush()
                    say(f"{threads} threads  {size:8} {cell:16} {dtype}  " + shown(times))


def versions(found: dict[str, Any]) -> dict[str, str]:
    """Return the versions of the libraries that are measured."""
    packages = ["numpy", "torch", *({"jax": "jax", "autograd": "autograd"}[name] for name in found if name in {"jax", "autograd"})]
    return {package: importlib.metadata.version(package) for package in packages}


def shown(times: dict[str, Any]) -> str:
    """Return milliseconds, and who kept more processors busy than it should."""
    threads = int(os.environ["OMP_NUM_THREADS"])
    return "  ".join(
        f"{name} {1000 * time.seconds:.2f}" + (f" on {time.processors:.1f} processors" if time.processors > threads + 0.1 else "")
        for name, time in times.items()
    )


if __name__ == "__main__":
    main()
