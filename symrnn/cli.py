"""The command line: the only module that prints or exits.

Results go to standard output, everything else to standard error. Exit status: 0, or 1 where something was refuted, 3
where something could not be decided, 2 for bad input.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import symrnn
from symrnn.errors import OutputError, SpecError, SymrnnError, unknown
from symrnn.parsing import COMMANDS, overview
from symrnn.parsing.options import CELL_OPTIONS, LOSS_OPTIONS, NETWORK_OPTIONS, PRACTICE_OPTIONS, given

MODULES = {
    name: module for module, names in {
        "symrnn.loading": "load_cell load_network load_notation",
        "symrnn.notation": "notations_text start_text",
        "symrnn.output": "write_whole",
        "symrnn.counts_text": "counts_text counts_json",
        "symrnn.exports": "format_of",
        "symrnn.tables": "cells_text networks_text reports_text reports_json to_ascii",
        "symrnn.codegen.reading": "forward_step",
        "symrnn.readings": "readings_text step_of_file",
    }.items() for name in names.split()
}
"""What is loaded by name when a command needs it, beside the public names of the package."""
PATIENCE = 1.0
"""Seconds after which a command says on a terminal that it works."""
SAMPLE = "h̃ᵀ⊙Σ…"  # where the terminal can show this, it can show a formula

Result = tuple[str | bytes, int]


def use(name: str) -> Any:
    """Load a function by name."""
    return getattr(importlib.import_module(MODULES[name]), name) if name in MODULES else getattr(symrnn, name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments without the program's name; those of the process by default.

    Returns:
        The exit status.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        text, status = run(args)
        emit(text)
    except KeyboardInterrupt:
        return complain("interrupted", 130)
    except SymrnnError as error:
        return complain(str(error), 2, debug="--debug" in args)
    except Exception as error:  # a bug of ours: one line, and how to see more
        what = f"internal error, {type(error).__name__}: {error}; run again with --debug and report what it shows"
        return complain(what, 2, debug="--debug" in args)
    return status


def run(args: list[str]) -> Result:
    """Dispatch on the first argument."""
    if not args:
        raise SpecError(f"no command; one of {', '.join(COMMANDS)}; see symrnn --help")
    if args[0] in {"-h", "--help"}:
        return overview(), 0
    if args[0] == "--version":
        return f"symrnn {symrnn.__version__}\n", 0
    if args[0] not in COMMANDS:
        raise unknown("option" if args[0].startswith("-") else "command", args[0], [*COMMANDS, "--help", "--version"])
    parser = COMMANDS[args[0]].parser()
    if {"-h", "--help"} & set(args):
        return parser.format_help(), 0
    options = parser.parse_strictly(args[1:])
    with light_sympy(), working(args[0]):
        return RUN[args[0]](options)


@contextlib.contextmanager
def light_sympy() -> Iterator[None]:
    """Load SymPy with Python's own integers: it would import python-flint where that is installed."""
    name = "SYMPY_GROUND_TYPES"
    if name in os.environ or "sympy" in sys.modules:
        yield
        return
    os.environ[name] = "python"
    try:
        importlib.import_module("sympy")
    finally:
        del os.environ[name]
    yield


def derivation_of(options: argparse.Namespace, *, assume: bool = True) -> Any:
    """Derive the network that the options describe."""
    net = use("load_network")(options.cell, given(options, CELL_OPTIONS), wiring_of(options), options.size)
    return use("derive")(net, assume=assume, clip=options.clip)


def wiring_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say about the network; without biases there is none in the readout either."""
    return given(options, NETWORK_OPTIONS, LOSS_OPTIONS, PRACTICE_OPTIONS) | ({"bias": False} if options.bias is False else {})


def run_cells(options: argparse.Namespace) -> Result:
    """``symrnn cells``."""
    return use("cells_text")(ascii=not can_print(SAMPLE)), 0


def run_networks(options: argparse.Namespace) -> Result:
    """``symrnn networks``."""
    return use("networks_text")(ascii=not can_print(SAMPLE)), 0


def run_notation(options: argparse.Namespace) -> Result:
    """``symrnn notation``."""
    if options.new is None:
        if options.force:
            raise SpecError("--force goes with --new FILE; see symrnn notation --help")
        return use("notations_text")(), 0
    if not options.new.endswith(".toml"):
        raise SpecError(f"a profile is a file whose name ends in .toml; got '{options.new}'; write --new {options.new}.toml")
    use("write_whole")(options.new, use("start_text")(options.new), force=options.force)
    print(f"symrnn: wrote {options.new}", file=sys.stderr)
    return "", 0


def run_derive(options: argparse.Namespace) -> Result:
    """``symrnn derive``."""
    ascii_only = options.output is None and not can_print(SAMPLE)
    derivation = derivation_of(options, assume=options.assume)
    text = use("render")(
        derivation, options.format, notation=use("load_notation")(options.notation, derivation.network), wrt=options.wrt,
        steps=options.steps, ascii=ascii_only,
    )
    return deliver(text, options)


def run_export(options: argparse.Namespace) -> Result:
    """``symrnn export``."""
    format = use("format_of")(options.format, options.output)
    ascii_only = options.output is None and not can_print(SAMPLE)
    derivation = derivation_of(options)
    notation = use("load_notation")(options.notation, derivation.network)
    return deliver(use("export")(derivation, options.what, format, notation=notation, ascii=ascii_only), options)


def run_params(options: argparse.Namespace) -> Result:
    """``symrnn params``."""
    named = {letter: value for letter in "DHKT" if (value := getattr(options, letter)) is not None}
    for letter in named.keys() & options.size.keys():
        raise SpecError(f"{letter} is given twice, as {named[letter]} and as --size {letter}={options.size[letter]}; keep one of them")
    wiring = {name: value for name, value in wiring_of(options).items() if not name.startswith("truncate")}
    networks = [use("load_network")(cell, given(options, CELL_OPTIONS), wiring, {}) for cell in options.cells]
    letters = {str(letter) for network in networks for letter in network.sizes}
    if strange := options.size.keys() - letters:
        raise unknown("size", min(strange), letters)
    sizes = {**named, **options.size}
    text = use("counts_json" if options.json else "counts_text")(options.cells, networks, sizes, bias=options.bias is not False)
    return text, 0


def run_code(options: argparse.Namespace) -> Result:
    """``symrnn code``."""
    return deliver(use("to_numpy")(derivation_of(options), style=options.style).source, options)


def run_check(options: argparse.Namespace) -> Result:
    """``symrnn check``."""
    with working("deriving"):
        derivation = derivation_of(options)
    reports = use("check")(derivation, judges=options.judge, seed=options.seed, before=progress())
    status = 1 if any(r.refuted for r in reports) else 3 if any(not r.ok for r in reports) else 0
    title = derivation.network.name
    if options.json:
        return use("reports_json")(title, reports), status
    return use("reports_text")(title, reports, every=options.all), status


def run_read(options: argparse.Namespace) -> Result:
    """``symrnn read``."""
    cell = use("load_cell")(options.cell or options.what, given(options, CELL_OPTIONS))
    if options.source:
        return use("forward_step")(cell).source, 0
    if options.name and options.cell is None:
        raise SpecError("--name is about a function of your own; give --cell as well, the cell that it should be")
    profile = use("load_notation")(options.notation, use("network")(cell))
    readings = use("second_reading")(cell, profile) if options.cell is None else use("compare_function")(
        cell, use("step_of_file")(options.what), dict(options.name), notation=profile)
    return use("readings_text")(options.what, readings), 0 if all(reading.agrees for reading in readings) else 1


RUN: dict[str, Callable[[argparse.Namespace], Result]] = {
    "cells": run_cells, "networks": run_networks, "notation": run_notation, "derive": run_derive, "code": run_code, "export": run_export,
    "params": run_params, "check": run_check, "read": run_read,
}


def deliver(text: str | bytes, options: argparse.Namespace) -> Result:
    """Write a result to the file that the options name, or return it to be printed."""
    if isinstance(text, str):
        text = text.rstrip("\n") + "\n"
    if options.output is None:
        return text, 0
    use("write_whole")(options.output, text, force=options.force)
    print(f"symrnn: wrote {options.output}", file=sys.stderr)
    return "", 0


def on_terminal() -> bool:
    """Tell whether somebody reads standard error as it is written."""
    return sys.stderr is not None and sys.stderr.isatty()


def progress() -> Callable[[str], None]:
    """Return what a judge's name is reported to: a line on a terminal, nothing elsewhere."""
    if not on_terminal():
        return lambda name: None
    return lambda name: print(f"\r\x1b[K{name} ..." if name else "\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """On a terminal, say what takes longer than a moment; for ``check`` each judge is named as it runs."""
    if what == "check" or not on_terminal():
        yield
        return
    show = progress()
    timer = threading.Timer(PATIENCE, show, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        show("")


def can_print(text: str) -> bool:
    """Tell whether standard output can show a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def emit(text: str | bytes) -> None:
    """Print a result, in ASCII where the terminal knows no better."""
    if not text:
        return
    if sys.stdout is None:
        raise OutputError("standard output is closed; use -o FILE")
    if isinstance(text, bytes) and sys.stdout.isatty():
        raise OutputError("a picture is not shown on a terminal; use -o FILE")
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
        else:
            sys.stdout.write(text if can_print(text) else use("to_ascii")(text))
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as error:
        silence()
        raise OutputError(f"cannot write to standard output: {(error.strerror or str(error)).lower()}") from None


def silence() -> None:
    """Drop what is left for a closed pipe or a full disk, so that Python does not complain when it exits."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str, status: int, *, debug: bool = False) -> int:
    """Print one line to standard error, after the traceback where it is wanted."""
    if sys.stderr is None:
        return status
    if debug:
        traceback.print_exc()
    line = " ".join(message.split())
    with contextlib.suppress(OSError):
        print(f"symrnn: error: {line}".encode(sys.stderr.encoding or "ascii", "backslashreplace").decode(
            sys.stderr.encoding or "ascii"), file=sys.stderr)
    return status
