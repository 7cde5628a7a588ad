"""What each command of the command line does: a function of its options that returns what is printed, and the exit status.

Nothing here prints or exits; what goes beside the result is handed to the ``Screen``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from symrnn.commands.bench import run_bench
from symrnn.commands.flow import run_flow
from symrnn.commands.formulas import run_cells, run_derive, run_export, run_networks, run_notation, run_read
from symrnn.commands.lecture import run_lecture
from symrnn.commands.programs import run_check, run_code, run_params
from symrnn.commands.setting import MODULES, Result, Screen, use
from symrnn.commands.steps import run_unroll
from symrnn.commands.verifying import run_verify

__all__ = ["MODULES", "RUN", "Result", "Screen", "use"]

RUN: dict[str, Callable[[argparse.Namespace, Screen], Result]] = {
    "cells": run_cells, "networks": run_networks, "notation": run_notation, "derive": run_derive, "code": run_code, "export": run_export,
    "params": run_params, "check": run_check, "read": run_read, "verify": run_verify, "unroll": run_unroll, "flow": run_flow,
    "lecture": run_lecture, "bench": run_bench,
}
"""Command to the function that runs it."""
