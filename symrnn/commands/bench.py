"""The command about speed: bench."""

from __future__ import annotations

import argparse

from symrnn.benchmarks import CELLS
from symrnn.commands.setting import Result, Screen, deliver, use

BAR = 24
"""Width of the bar that shows how many cases are done."""
RATIO = "Ratios are the time of symrnn divided by that of the other: below 1, symrnn is faster."


def run_bench(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn bench``."""
    if options.output is not None:
        use("check_writable")(options.output, force=options.force)
    asked = use("asked")(options.cells or CELLS, sizes=options.sizes, dtypes=options.dtypes, threads=options.threads,
                         against=options.against, rounds=options.rounds)
    asked, missing = use("installed")(asked)
    for line in missing:
        screen.note(line)
    if warning := use("load_warning")():
        screen.note(warning)

    def before(done: int, phase: str) -> None:
        full = BAR * done // asked.cases
        screen.show(f"[{'#' * full}{'.' * (BAR - full)}] {done} of {asked.cases} cases, {phase}")

    try:
        found = use("measured")(asked, before)
    finally:
        screen.show("")
    return deliver(use("report")(f"{found.head} {RATIO}", found.times, found.notes), options, screen)
