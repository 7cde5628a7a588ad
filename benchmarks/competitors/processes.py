"""The command line that the benchmarks share, and processes with a given number of threads."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from competitors import CELLS, DTYPES, SIZES
from competitors.tables import Times, collected, means, ratios

BENCHMARKS = Path(__file__).parents[1]
PAGE = BENCHMARKS.parent / "docs" / "reference" / "performance.md"

BUSY = 0.5


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process with so many threads, and without what slows NumPy's matrix product down."""
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    number = str(threads)
    return {
        **kept, "PYTHONPATH": str(BENCHMARKS), "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number,
        "MKL_NUM_THREADS": number, "NPROC": number, "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
    }


def lines(module: str, threads: int, *args: str, given: str = "") -> list[str]:
    """Run a module in a process of its own, and return the lines that it prints; ``given`` is its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", module, *args], env=environment(threads), input=given, stdout=subprocess.PIPE, text=True,
        encoding="utf-8", check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module} failed: nothing is written")
    return done.stdout.splitlines()


def warn_of_load() -> None:
    """Say that times mean little while others use the machine; threads that wait for one another suffer most."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    if load > BUSY:
        print(f"warning: the load is {load:.1f} before anything is measured; take times when it is below {BUSY}", file=sys.stderr)


def measured(module: str, options: argparse.Namespace) -> tuple[str, Times]:
    """Measure in one process for each number of threads, and return what with, and the times."""
    warn_of_load()
    first, records = "", []
    for threads in options.threads:
        print(f"threads: {threads}", file=sys.stderr)
        asked = {name: getattr(options, name) for name in ("sizes", "cells", "dtypes", "rounds", "against")}
        first, *rest = lines(module, threads, json.dumps({**asked, "threads": threads}))
        records += [json.loads(line) for line in rest]
    ran_on = json.loads(first)
    versions = ", ".join(f"{name} {version}" for name, version in ran_on["versions"].items())
    clock = "; processor time, not time on the wall" if options.clock == "cpu" else ""
    head = f"Medians of {options.rounds} rounds{clock}; {versions}; {ran_on['blas']}."
    return head, collected(records, options.clock)


def report(head: str, times: Times) -> str:
    """Return all tables."""
    parts = [head]
    for threads in sorted({key[3] for key in times}):
        title = "One thread" if threads == 1 else f"{threads} threads"
        parts += [f"{title}, geometric means:", means(times, threads), f"{title}, each case:", ratios(times, threads)]
    return "\n\n".join(parts)


def choice(allowed: Iterable[str]) -> Any:
    """Return a reader of names separated by commas."""
    known = list(allowed)

    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
        return names

    return read


def counts(text: str) -> list[int]:
    """Read positive numbers separated by commas."""
    if not all(part.isdecimal() and int(part) for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"expected numbers from 1 upward, such as 1,2, got {text}")
    return [int(part) for part in text.split(",")]


def parser(text: str | None, others: list[str]) -> argparse.ArgumentParser:
    """Return the command line of a benchmark against others."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--sizes", type=choice(SIZES), default=list(SIZES), help=", ".join(SIZES))
    made.add_argument("--cells", type=choice(CELLS), default=list(CELLS), help=", ".join(CELLS))
    made.add_argument("--against", type=choice(others), default=others, help=", ".join(others))
    made.add_argument("--dtypes", type=choice(DTYPES), default=list(DTYPES), help=", ".join(DTYPES))
    made.add_argument("--threads", type=counts, default=[1], help="numbers of threads, such as 1,2; 1 by default")
    made.add_argument("--rounds", type=int, default=7, help="7 by default")
    made.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: for a look while others use the machine")
    made.add_argument("--write", action="store_true", help=f"write the tables into docs/reference/{PAGE.name}")
    return made
