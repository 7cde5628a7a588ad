"""Processes that measure with a given number of threads, and what comes from them."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symrnn.benchmarks.asking import Asked
from symrnn.benchmarks.environment import environment
from symrnn.benchmarks.tables import Times, collected
from symrnn.errors import NotSupportedError, RefutedError

BUSY = 0.5
"""The load above which times mean little."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        head: With what.
        times: Seconds.
        notes: Why something is missing, a line each.
    """

    head: str
    times: Times
    notes: tuple[str, ...] = ()


def records(module: str, threads: int, options: Mapping[str, Any], *paths: Path) -> Iterator[Record]:
    """Run a module in a process of its own, and yield what it says.

    Raises:
        RefutedError: Somebody computes something else.
        NotSupportedError: The process ended without a result.
    """
    command = [sys.executable, "-m", module, json.dumps({**options, "threads": threads})]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors, subprocess.Popen(
        command, env=environment(threads, *paths), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8",
    ) as child:
        try:
            for line in child.stdout or ():
                record = json.loads(line)
                if "error" in record:
                    raise RefutedError(record["error"])
                yield record
        finally:
            if child.poll() is None and sys.exc_info()[0] is not None:
                child.kill()
        if child.wait():
            errors.seek(0)
            last = next((line.strip() for line in reversed(errors.readlines()) if line.strip()), f"exit status {child.returncode}")
            raise NotSupportedError(f"the measuring process stopped: {last}")


def load_warning() -> str | None:
    """Return that times mean little, where others use the machine; threads that wait for one another suffer most."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    return f"warning: the load is {load:.1f} before anything is measured; take times when it is below {BUSY}" if load > BUSY else None


def measured(asked: Asked, before: Callable[[int, str], None], module: str = "symrnn.benchmarks.gradients", *paths: Path) -> Measured:
    """Measure in one process for each number of threads.

    Args:
        asked: What.
        before: Is told how many cases are done, and what comes next.
        module: What is run.
        paths: Where modules are found beside those of the package.
    """
    found: list[Record] = []
    for threads in asked.threads:
        for record in records(module, threads, dataclasses.asdict(asked), *paths):
            found.append(record)
            if "phase" in record:
                before(sum("done" in one for one in found), record["phase"])
    ran_on = next(record for record in found if "versions" in record)
    versions = ", ".join(f"{name} {version}" for name, version in ran_on["versions"].items())
    clock = "; processor time, not time on the wall" if asked.clock == "cpu" else ""
    head = f"Medians of {asked.rounds} rounds{clock}; {versions}; {ran_on['blas']}."
    notes = tuple(dict.fromkeys(f"Without {record['without']}: {record['why']}." for record in found if "without" in record))
    return Measured(head, collected((record for record in found if "name" in record), asked.clock), notes)
