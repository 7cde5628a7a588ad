"""The command about steps that are written out: unroll."""

from __future__ import annotations

import argparse

from symrnn.commands.setting import Result, Screen, deliver, derivation_of, use


def run_unroll(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn unroll``."""
    derivation = derivation_of(options)
    profile = use("load_notation")(options.notation, derivation.network)
    text, note = use("unrolled_as")(derivation, options, profile, ascii=options.output is None and screen.ascii)
    if note:
        screen.note(f"note: {note}")
    return deliver(text, options, screen)
