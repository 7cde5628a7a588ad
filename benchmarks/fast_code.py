"""How fast is generated code? ``python benchmarks/fast_code.py --against torch,jax --sizes charrnn,mid``.

Loss (softmax cross-entropy at each step, summed) and the gradients in all parameters, for several cells at the same
weights and data, by symrnn and by others; each is compared with ``torch.nn`` in double precision before any time is taken.
Everyone runs in one process, turn by turn, after a warm-up; the time is the median of the rounds. There is one process
for each number of threads, with the variables that set it, and without ``OPENBLAS_CORETYPE``, which would slow down NumPy's
matrix product and nothing else.

Units: milliseconds a call; ratios are the time of symrnn by that of the other, and below 1 symrnn is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from competitors import CELLS, COMPETITORS, DTYPES, SIZES
from competitors.tables import Times, collected, means, ratios, write

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "performance.md"
MARK = "figures of fast_code.py"


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process with so many threads."""
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    number = str(threads)
    return {
        **kept, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number, "MKL_NUM_THREADS": number,
        "NPROC": number, "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
        "JAX_PLATFORMS": "cpu",
    }


def measured(options: argparse.Namespace, threads: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Measure in a process of its own, and return what it ran on and the times."""
    asked = dict(
        sizes=options.sizes, cells=options.cells, dtypes=options.dtypes, rounds=options.rounds, threads=threads,
        against=["symrnn", *options.against],
    )
    done = subprocess.run(
        [sys.executable, "-m", "competitors", json.dumps(asked)], env=environment(threads), stdout=subprocess.PIPE, text=True,
        encoding="utf-8", check=False,
    )
    if done.returncode:
        raise SystemExit("nothing is written: the measurement failed")
    first, *records = (json.loads(line) for line in done.stdout.splitlines())
    return first, records


def report(ran_on: dict[str, Any], times: Times, rounds: int) -> str:
    """Return all tables, with a line on what they were taken with."""
    versions = ", ".join(f"{name} {version}" for name, version in ran_on["versions"].items())
    parts = [f"Medians of {rounds} rounds; {versions}; OpenBLAS for {ran_on['blas']}."]
    for threads in sorted({key[3] for key in times}):
        title = "One thread" if threads == 1 else f"{threads} threads"
        parts += [f"{title}, geometric means:", means(times, threads), f"{title}, each case:", ratios(times, threads)]
    return "\n\n".join(parts)


def choice(allowed: list[str]) -> Any:
    """Return a reader of names separated by commas."""
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in allowed]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(allowed)}")
        return names

    return read


def counts(text: str) -> list[int]:
    """Read positive numbers separated by commas."""
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"expected numbers of threads from 1 upward, got {text}")
    return numbers


def main() -> None:
    """Measure, print, and write the page if asked to."""
    others = [name for name in COMPETITORS if name != "symrnn"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=choice(list(SIZES)), default=list(SIZES), help=", ".join(SIZES))
    parser.add_argument("--cells", type=choice(list(CELLS)), default=list(CELLS), help=", ".join(CELLS))
    parser.add_argument("--against", type=choice(others), default=others, help=", ".join(others))
    parser.add_argument("--dtypes", type=choice(list(DTYPES)), default=list(DTYPES), help=", ".join(DTYPES))
    parser.add_argument("--threads", type=counts, default=[1], help="numbers of threads, such as 1,2; 1 by default")
    parser.add_argument("--rounds", type=int, default=7, help="7 by default")
    parser.add_argument("--write", action="store_true", help=f"write the tables into docs/reference/{PAGE.name}")
    options = parser.parse_args()

    runs = [measured(options, threads) for threads in options.threads]
    text = report(runs[0][0], collected(record for _, records in runs for record in records), options.rounds)
    print(text)
    if options.write:
        write(PAGE, MARK, text)


if __name__ == "__main__":
    main()
