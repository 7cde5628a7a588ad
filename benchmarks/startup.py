"""How long ``symrnn derive lstm`` takes as a whole process, as a multiple of ``python -c 'import sympy'``.

The processes run in turn, so that a busy machine slows both; medians are compared. Run by hand.
"""

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "import sympy": [sys.executable, "-c", "import sympy"],
    "derive lstm": [sys.executable, "-m", "symrnn", "derive", "lstm"],
    "cells": [sys.executable, "-m", "symrnn", "cells"],
    "--help": [sys.executable, "-m", "symrnn", "--help"],
}


def seconds(command: list[str]) -> float:
    """Run a command to its end."""
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def main() -> None:
    """Measure, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    for command in COMMANDS.values():
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    base = statistics.median(times["import sympy"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:<14}{median * 1000:7.0f} ms   {median / base:5.2f} × import sympy")


if __name__ == "__main__":
    main()
