"""The command about code and formulas that somebody wrote: verify."""

from __future__ import annotations

import argparse
import time

from symrnn.commands.setting import Result, Screen, deliver, derivation_of, use
from symrnn.errors import SpecError

PATIENCE = 1.0
"""Seconds after which the phases are shown."""
BAR = ("loading the file", "first call", "forward", "backward", "derivative of the forward", "cause", "smallest example")


def run_verify(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn verify``."""
    if options.formula is not None:
        return verify_formula(options, screen)
    if not options.file:
        raise SpecError("nothing to verify; name a file, or write --formula TEXT --for WHAT --cell CELL")
    if "::" not in options.file and not (options.forward or options.args or options.layout):
        raise SpecError("nothing says which functions to verify; add --forward NAME --backward NAME, or a convention that names them, "
                        "--layout NAME, or name a class: FILE.py::CLASS")
    start = time.monotonic()

    def before(phase: str) -> None:
        if time.monotonic() - start > PATIENCE:
            screen.show(bar(phase))

    try:
        report = use("verify_file")(
            options.file, forward=options.forward, backward=options.backward, args=options.args, cell=options.cell,
            layout=options.layout, in_process=options.in_process, seconds=options.timeout, megabytes=options.memory, before=before)
    finally:
        screen.show("")
    text = use(f"report_{options.format}")(report) if options.format else f"{report}\n"
    shown, _ = deliver(text, options, screen)
    return shown, report.status


def verify_formula(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn verify --formula``."""
    if options.file:
        raise SpecError(f"a file, {options.file}, and a formula; verify one of them")
    if options.layout:
        raise SpecError("--layout says how the arrays of a file lie; a formula has none: leave it out")
    if not options.cell:
        raise SpecError("a formula needs the network that it is of; add --cell CELL, such as --cell lstm")
    if options.format not in {None, "json"}:
        raise SpecError(f"the report on a formula is text or --json; got --{options.format}")
    derivation = derivation_of(options)
    profile = use("load_notation")(options.notation, derivation.network)
    try:
        report = use("compare_formula")(options.formula, options.for_, network=derivation, notation=profile, seed=options.seed)
    except SpecError as error:
        error.add_note(getattr(error, "marked", ""))  # --debug shows the formula with a caret at the place
        raise
    shown, _ = deliver(report.json() if options.format else report.text(), options, screen)
    return shown, report.status


def bar(phase: str) -> str:
    """Return a bar of the phases: ``[###----] derivative of the forward``."""
    done = BAR.index(phase) + 1 if phase in BAR else 0
    return f"[{'#' * done}{'-' * (len(BAR) - done)}] {phase}"
