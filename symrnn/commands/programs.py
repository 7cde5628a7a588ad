"""The commands about programs and numbers of parameters: code, check, params."""

from __future__ import annotations

import argparse

from symrnn.commands.setting import Result, Screen, deliver, derivation_of, use, wiring_of
from symrnn.errors import SpecError, unknown
from symrnn.parsing.options import CELL_OPTIONS, given


def run_params(options: argparse.Namespace, screen: Screen) -> Result:
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


def run_code(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn code``."""
    wrt = options.wrt[0] if options.wrt in (["all"], ["parameters"]) else options.wrt
    how = {"wrt": wrt, "layout": options.layout, "checkpoint": options.checkpoint}
    if options.memory:
        if options.style != "fast":
            raise SpecError("--memory is about fast code; add --style fast")
        if options.optimizer:
            raise SpecError("--memory counts the arrays of the loss and its gradients; leave --optimizer out")
        if options.compiled:
            raise SpecError("--memory counts the arrays of NumPy code; leave --compiled out")
        return deliver(use("memory")(derivation_of(options), dict(options.memory), dtype=options.dtype, **how), options, screen)
    how |= {"compiled": options.compiled, "optimizer": options.optimizer}
    return deliver(use("numpy_source")(derivation_of(options), style=options.style, **how), options, screen)


def run_check(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn check``."""
    with screen.working("deriving"):
        derivation = derivation_of(options)
    reports = use("check")(derivation, judges=options.judge, seed=options.seed, before=screen.show)
    status = 1 if any(r.refuted for r in reports) else 3 if any(not r.ok for r in reports) else 0
    title = derivation.network.name
    if options.json:
        return use("reports_json")(title, reports), status
    return use("reports_text")(title, reports, every=options.all), status
