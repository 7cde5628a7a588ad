"""What the commands share: the screen, functions that are loaded when they are needed, the network that the options describe."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import symrnn
from symrnn.parsing.options import CELL_OPTIONS, LOSS_OPTIONS, NETWORK_OPTIONS, PRACTICE_OPTIONS, given

MODULES = {
    name: module for module, names in {
        "symrnn.loading": "load_cell load_network load_notation",
        "symrnn.notation": "notations_text start_text",
        "symrnn.output": "check_writable write_whole",
        "symrnn.counts_text": "counts_text counts_json",
        "symrnn.exports": "format_of",
        "symrnn.tables": "cells_text networks_text reports_text reports_json to_ascii",
        "symrnn.codegen.reading": "forward_step",
        "symrnn.readings": "readings_text step_of_file",
        "symrnn.unrolling": "unrolled_as",
        "symrnn.verify.handwritten.printed": "report_json report_markdown report_html",
        "symrnn.verify.handwritten.process": "verify_file",
        "symrnn.flow.loading": "load_params load_data",
        "symrnn.flow.measure": "has_forget_bias",
        "symrnn.flow.remedies": "remedies",
        "symrnn.flow.training": "flow_along_training",
        "symrnn.flow.texts": "flows_text flows_json rows_text rows_json",
        "symrnn.sweeps": "read_range",
        "symrnn.plots": "writable",
        "symrnn.lecture.writing": "lecture",
        "symrnn.lecture.wording": "languages",
        "symrnn.lecture.formats": "FORMATS write",
        "symrnn.loading.files": "load",
        "symrnn.codegen": "memory numpy_source",
        "symrnn.benchmarks.asking": "asked installed",
        "symrnn.benchmarks.processes": "load_warning measured",
        "symrnn.benchmarks.tables": "report",
    }.items() for name in names.split()
}
"""What is loaded by name when a command needs it, beside the public names of the package."""

Result = tuple[str | bytes, int]
"""What goes to standard output, and the exit status."""


@dataclass(frozen=True)
class Screen:
    """What a command knows of where its words go.

    Attributes:
        ascii: Whether standard output shows ASCII only.
        note: Says something beside the result.
        show: Shows a line that is replaced by the next one, and by nothing for an empty text; on a terminal only.
        working: While it is entered, says what takes longer than a moment.
    """

    ascii: bool
    note: Callable[[str], None]
    show: Callable[[str], None]
    working: Callable[[str], AbstractContextManager[None]]


def use(name: str) -> Any:
    """Load a function by name."""
    return getattr(importlib.import_module(MODULES[name]), name) if name in MODULES else getattr(symrnn, name)


def derivation_of(options: argparse.Namespace, *, assume: bool = True) -> Any:
    """Derive the network that the options describe."""
    net = use("load_network")(options.cell, given(options, CELL_OPTIONS), wiring_of(options), options.size)
    return use("derive")(net, assume=assume, clip=options.clip)


def wiring_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say about the network; without biases there is none in the readout either."""
    return given(options, NETWORK_OPTIONS, LOSS_OPTIONS, PRACTICE_OPTIONS) | ({"bias": False} if options.bias is False else {})


def deliver(text: str | bytes, options: argparse.Namespace, screen: Screen) -> Result:
    """Write a result to the file that the options name, or return it to be printed."""
    if isinstance(text, str):
        text = text.rstrip("\n") + "\n"
    if options.output is None:
        return text, 0
    use("write_whole")(options.output, text, force=options.force)
    screen.note(f"wrote {options.output}")
    return "", 0
