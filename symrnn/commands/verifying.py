"""The command about code that somebody wrote: verify."""

from __future__ import annotations

import argparse
import time

from symrnn.commands.setting import Result, Screen, deliver, use
from symrnn.errors import SpecError

PATIENCE = 1.0
"""Seconds after which the phases are shown."""
BAR = ("loading the file", "first call", "forward", "backward", "derivative of the forward", "cause", "smallest example")


def run_verify(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn verify``."""
    if "::" not in options.file and not (options.forward or options.args):
        raise SpecError("nothing says which functions to verify; add --forward NAME --backward NAME, or name a class: FILE.py::CLASS")
    start = time.monotonic()

    def before(phase: str) -> None:
        if time.monotonic() - start > PATIENCE:
            screen.show(bar(phase))

    try:
        report = use("verify_file")(
            options.file, forward=options.forward, backward=options.backward, args=options.args, in_process=options.in_process,
            seconds=options.timeout, megabytes=options.memory, before=before)
    finally:
        screen.show("")
    text = use(f"report_{options.format}")(report) if options.format else f"{report}\n"
    shown, _ = deliver(text, options, screen)
    return shown, report.status


def bar(phase: str) -> str:
    """Return a bar of the phases: ``[###----] derivative of the forward``."""
    done = BAR.index(phase) + 1 if phase in BAR else 0
    return f"[{'#' * done}{'-' * (len(BAR) - done)}] {phase}"
