"""The command line that the benchmarks share, and the page that holds their tables."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from symrnn.benchmarks import CELLS, COMPETITORS, DTYPES
from symrnn.benchmarks.environment import environment
from symrnn.benchmarks.sizes import SIZES

BENCHMARKS = Path(__file__).parents[1]
PAGE = BENCHMARKS.parent / "docs" / "reference" / "performance.md"


def write(name: str, text: str) -> None:
    """Put a text between the markers of the page."""
    old = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    new, number = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n\n{text}\n\n{end}", old, flags=re.DOTALL)
    if number != 1:
        raise SystemExit(f"{PAGE.name} must have the markers {begin} and {end} once")
    PAGE.write_text(new, encoding="utf-8")


def parser(text: str | None, sizes: str) -> argparse.ArgumentParser:
    """Return a command line with what everyone takes; names have commas in between."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--sizes", default=sizes, help=f"{', '.join(SIZES)}, or such as 8x20x32x64; {sizes} by default")
    made.add_argument("--cells", default=",".join(CELLS), help=f"{', '.join(CELLS)} by default")
    made.add_argument("--dtypes", default=",".join(DTYPES), help=f"{', '.join(DTYPES)} by default")
    made.add_argument("--write", action="store_true", help=f"write the table into docs/reference/{PAGE.name}")
    return made


def timed(text: str | None, against: str = ",".join(name for name in COMPETITORS if name != "symrnn")) -> argparse.ArgumentParser:
    """Return the command line of what takes times."""
    made = parser(text, ",".join(SIZES))
    made.add_argument("--against", default=against, help=against)
    made.add_argument("--threads", default="1", help="numbers of threads, such as 1,2; 1 by default")
    made.add_argument("--rounds", type=int, default=7, help="7 by default")
    made.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: for a look while others use the machine")
    return made


def lines(module: str, threads: int, *args: str, given: str = "") -> list[str]:
    """Run a module in a process of its own, and return the lines that it prints; ``given`` is its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", module, *args], env=environment(threads, BENCHMARKS), input=given, stdout=subprocess.PIPE, text=True,
        encoding="utf-8", check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module} failed: nothing is written")
    return done.stdout.splitlines()
