"""The commands about formulas: cells, networks, notation, derive, export, read."""

from __future__ import annotations

import argparse

from symrnn.commands.setting import Result, Screen, deliver, derivation_of, use
from symrnn.errors import SpecError
from symrnn.parsing.options import CELL_OPTIONS, given


def run_cells(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn cells``."""
    return use("cells_text")(ascii=screen.ascii), 0


def run_networks(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn networks``."""
    return use("networks_text")(ascii=screen.ascii), 0


def run_notation(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn notation``."""
    if options.new is None:
        if options.force:
            raise SpecError("--force goes with --new FILE; see symrnn notation --help")
        return use("notations_text")(), 0
    if not options.new.endswith(".toml"):
        raise SpecError(f"a profile is a file whose name ends in .toml; got '{options.new}'; write --new {options.new}.toml")
    use("write_whole")(options.new, use("start_text")(options.new), force=options.force)
    screen.note(f"wrote {options.new}")
    return "", 0


def run_derive(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn derive``."""
    derivation = derivation_of(options, assume=options.assume)
    text = use("render")(
        derivation, options.format, notation=use("load_notation")(options.notation, derivation.network), wrt=options.wrt,
        steps=options.steps, ascii=options.output is None and screen.ascii,
    )
    return deliver(text, options, screen)


def run_export(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn export``."""
    format = use("format_of")(options.format, options.output)
    derivation = derivation_of(options)
    notation = use("load_notation")(options.notation, derivation.network)
    made = use("export")(derivation, options.what, format, notation=notation, ascii=options.output is None and screen.ascii)
    return deliver(made, options, screen)


def run_read(options: argparse.Namespace, screen: Screen) -> Result:
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
