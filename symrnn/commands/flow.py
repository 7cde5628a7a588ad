"""The command about the flow of gradients: flow."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

from symrnn.commands.setting import Result, Screen, use
from symrnn.errors import SpecError
from symrnn.parsing.flow import NUMBERS, PICTURES, SWEEPS
from symrnn.parsing.options import CELL_OPTIONS, NETWORK_OPTIONS, given

BAR = 24
"""Width of the bar that shows how much of a sweep is done."""
SINGLES = {"--heat": "plot_heat", "--singular-values": "plot_singular_values", "--gates": "plot_gates"}
"""Options whose picture is of one cell, with what draws it."""
DRAWN = ("init", "radius", "gain", "forget_bias")


def run_flow(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn flow``."""
    check_choices(options)
    if options.plot is not None:
        use("writable")(options.plot, force=options.force)
    if options.sweep:
        return swept(options, screen)
    flows = measured(options, screen)
    if options.plot is not None:
        use("save_figure")(picture(options, flows), options.plot, force=options.force)
        screen.note(f"wrote {options.plot}")
    return use("flows_json" if options.json else "flows_text")(flows), 0


def check_choices(options: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        SpecError: The first of them.
    """
    if not options.cells and not options.remedies:
        raise SpecError("which cell? write symrnn flow rnn lstm, or symrnn flow --remedies; symrnn cells lists them")
    if options.cells and options.remedies:
        raise SpecError(f"--remedies compares networks of its own; leave out {' '.join(options.cells)}, or leave out --remedies")
    chosen = [option for option in PICTURES if getattr(options, named(option))]
    chosen += [option for option in ("--remedies", "--training") if getattr(options, named(option))]
    if len(chosen) > 1:
        raise SpecError(f"{chosen[0]} and {chosen[1]} are two pictures; choose one of them")
    if chosen and chosen[0] in SINGLES and len(options.cells) > 1:
        raise SpecError(f"{chosen[0]} draws one cell; got {' '.join(options.cells)}; choose one of them")
    if options.sweep and chosen:
        raise SpecError(f"the picture of a sweep is its phase diagram; leave out {chosen[0]}")
    if options.plot is None and (options.title is not None or any(option in PICTURES for option in chosen)):
        raise SpecError(f"{'--title' if options.title is not None else chosen[0]} is about a picture; give --plot FILE as well")
    for name in given(options, SWEEPS):
        if not options.sweep:
            raise SpecError(f"{dashed(name)} is about a sweep; give --sweep as well, such as --sweep radius=0.5:1.5:21")
    alone = [name for name in ("params", "data") if getattr(options, name) is not None]
    if alone and (options.sweep or options.remedies or len(options.cells) != 1):
        raise SpecError(f"{dashed(alone[0])} is for one cell, and not for sweeps or remedies; run symrnn flow for each of them")
    if alone and options.training is not None:
        raise SpecError(f"--training draws its own weights and sequences; leave out {dashed(alone[0])}")
    if options.layout is not None and options.params is None:
        raise SpecError("--layout says how the weights of a file lie; give --params FILE as well")
    if options.remedies and (given(options, NUMBERS, CELL_OPTIONS, NETWORK_OPTIONS).keys() - {"radius"}):
        first = min(given(options, NUMBERS, CELL_OPTIONS, NETWORK_OPTIONS).keys() - {"radius"})
        raise SpecError(f"--remedies has weights of its own; leave out {dashed(first)}")


def named(option: str) -> str:
    """Return the name under which an option is kept."""
    return option.removeprefix("--").replace("-", "_")


def dashed(name: str) -> str:
    """Spell a name as an option."""
    return "--" + name.replace("_", "-")


def source_of(where: str, options: argparse.Namespace) -> Any:
    """Return the cell or the network of a name."""
    wiring = given(options, NETWORK_OPTIONS)
    if not wiring and "," not in where:
        return use("load_cell")(where, given(options, CELL_OPTIONS))
    return use("load_network")(where, given(options, CELL_OPTIONS), wiring, {})


def sizes_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return sizes and rules, as ``gradient_flow`` calls them."""
    names = ("steps", "hidden", "inputs", *DRAWN)
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def measured(options: argparse.Namespace, screen: Screen) -> tuple[Any, ...]:
    """Return what the options ask to be measured."""
    sizes = sizes_of(options)
    if options.remedies:
        return tuple(use("remedies")(seed=options.seed, **sizes))
    sources = [source_of(where, options) for where in options.cells]
    settings = {**sizes, "seed": options.seed, "layer": layer_of(options.layer)}
    if options.params is not None:
        settings["params"] = use("load_params")(options.params, sources[0], layout=options.layout or "formulas")
    if options.data is not None:
        settings["data"] = use("load_data")(options.data, sources[0])
    if options.training is not None:
        if len(sources) > 1:
            raise SpecError(f"--training shows one network before and after; got {' '.join(options.cells)}; choose one of them")
        return tuple(use("flow_along_training")(sources[0], updates=options.training, **settings))
    without = ungated(options, sources)
    for where in without:
        screen.note(f"{where} has no gate with a bias on its direct path: --forget-bias is left out there")
    flows = tuple(use("gradient_flow")(source, heat=options.heat, **{**settings, **({"forget_bias": None} if where in without else {})})
                  for where, source in zip(options.cells, sources, strict=True))
    agree(options, flows[0])
    return flows


def ungated(options: argparse.Namespace, sources: Sequence[Any]) -> list[str]:
    """Return which cells have no forget gate for the bias that is asked for, where others have one."""
    if options.forget_bias is None or len(sources) == 1:
        return []
    layer = layer_of(options.layer)
    found = [where for where, source in zip(options.cells, sources, strict=True) if not use("has_forget_bias")(source, layer=layer)]
    return found if len(found) < len(sources) else []


def agree(options: argparse.Namespace, flow: Any) -> None:
    """Refuse sizes that are other than those of the given files.

    Raises:
        SpecError: The first of them.
    """
    for name, file in (("steps", "data"), ("hidden", "params")):
        asked, found = getattr(options, name), getattr(flow, name)
        if getattr(options, file) is not None and asked is not None and asked != found:
            raise SpecError(f"--{name} {asked}: the file of --{file} has {found}; leave out --{name}")


def layer_of(text: str | None) -> int | str | None:
    """Read a layer: its number or its mark."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


def picture(options: argparse.Namespace, flows: Sequence[Any]) -> Any:
    """Draw what the options ask for."""
    if options.remedies:
        return use("plot_remedies")(flows, title=options.title)
    if options.training is not None:
        return use("plot_training")(flows[0], flows[-1], title=options.title)
    for option, function in SINGLES.items():
        if getattr(options, named(option)):
            return use(function)(flows[0], title=options.title)
    return use("plot_decay")(flows, side_by_side=options.side_by_side, title=options.title)


def swept(options: argparse.Namespace, screen: Screen) -> Result:
    """Run a sweep, and draw its phase diagram."""
    ranges: dict[str, Any] = {}
    for text in options.sweep:
        name, values = use("read_range")(text)
        if name in ranges:
            raise SpecError(f"--sweep {name} is given twice; write all its values in one, such as {name}=1,2,5")
        ranges[name] = values
    sources = {where: source_of(where, options) for where in options.cells}
    extra = {"layer": layer_of(options.layer)} if options.layer is not None else {}
    sweep = use("Sweep")(sources, ranges, repeat=options.repeat or 1, settings={**sizes_of(options), **extra}, seed=options.seed)
    rows = use("run_sweep")(
        sweep, csv=options.csv, resume=bool(options.resume), force=options.force, jobs=options.jobs or 1, cluster=options.cluster,
        backend="loky" if options.cluster is None else "dask", progress=bar(screen.show),
    )
    screen.show("")
    if options.csv is not None:
        screen.note(f"wrote {options.csv}")
    if options.plot is not None:
        use("save_figure")(use("plot_phase")(rows, title=options.title), options.plot, force=options.force)
        screen.note(f"wrote {options.plot}")
    return use("rows_json" if options.json else "rows_text")(rows), 0


def bar(show: Callable[[str], None]) -> Callable[[int, int], None]:
    """Return what shows how far a sweep is, with the time that is left, at most ten times a second."""
    begun: list[tuple[float, int]] = []
    shown = [0.0]

    def progress(done: int, of: int) -> None:
        now = time.monotonic()
        if not begun:
            begun.append((now, done))
        if done < of and now - shown[0] < 0.1:
            return
        shown[0] = now
        since, before = begun[0]
        left = "" if done == before else f", {duration((now - since) * (of - done) / (done - before))} left"
        full = BAR * done // of
        show(f"[{'#' * full}{'.' * (BAR - full)}] {done} of {of} points{left}")

    return progress


def duration(seconds: float) -> str:
    """Write a time in its largest unit."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
