"""From a command line to the tables of times."""

from __future__ import annotations

import argparse
import sys

from competitors.pages import BENCHMARKS, write
from symrnn.benchmarks.asking import asked, installed
from symrnn.benchmarks.processes import load_warning, measured
from symrnn.benchmarks.tables import report
from symrnn.errors import SymrnnError


def say(text: str) -> None:
    """Say something beside the result."""
    print(text, file=sys.stderr, flush=True)


def show(name: str, module: str, options: argparse.Namespace) -> None:
    """Measure, print, and write the page if asked to."""
    try:
        what, missing = installed(asked(
            options.cells.split(","), sizes=options.sizes, dtypes=options.dtypes, threads=options.threads, against=options.against,
            rounds=options.rounds, clock=options.clock,
        ))
        for line in filter(None, [*missing, load_warning()]):
            say(line)
        found = measured(what, lambda done, phase: say(f"{done} of {what.cases}: {phase}"), module, BENCHMARKS)
    except SymrnnError as error:
        raise SystemExit(f"error: {error}") from None
    text = report(found.head, found.times, found.notes)
    print(text)
    if options.write:
        write(name, text)
