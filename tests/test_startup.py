"""What a command imports: nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import io, sys
from symrnn.cli import main
out, sys.stdout = sys.stdout, io.StringIO()
assert main(sys.argv[1:]) == 0
sys.stdout = out
print(*sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'flint', 'torch', 'gmpy2', 'sympy', 'lark'}))
"""


def heavy(*args: str) -> list[str]:
    """Return the heavy packages that a command loads, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *args], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("args", [["--help"], ["--version"], *([c, "--help"] for c in ("cells", "derive", "code", "check", "unroll", "flow", "bench"))])
def test_help_loads_nothing(args: list[str]) -> None:
    assert heavy(*args) == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize("args", [["cells"], ["derive", "lstm"], ["derive", "lstm", "--format", "json"],
                                  ["derive", "gru", "--format", "latex", "--steps"]])
def test_formulas_need_sympy_only(args: list[str]) -> None:
    assert heavy(*args) == ["sympy"]
