"""Time and size of the LSTM's derivation for T symbolic, 10 and 1000, beside SymPy's entrywise ``diff``. Run by hand.

SymPy's side is the loss of the unrolled network as one scalar expression, differentiated in every entry of ``W_f`` at
H = D = K = 2: what one would do without a derivation at matrix level.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import sympy

import symrnn
from symrnn.network import Network


def median(function: Callable[[], object], repeats: int = 15) -> float:
    """Median time of a call, in seconds, after one call that is not counted."""
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def lstm(length: int | None) -> Network:
    """The LSTM, many-to-many, for a number of steps or for a symbolic one."""
    net = symrnn.network(symrnn.cell("lstm"))
    return net if length is None else net.with_sizes({symrnn.dim("T"): sympy.Integer(length)})


def nodes(length: int | None) -> int:
    """Nodes of all printed lines of the backward pass."""
    lines = symrnn.derive(lstm(length)).lines
    return sum(1 for line in lines for _ in sympy.preorder_traversal(line.rhs))


def derived_and_printed(net: Network) -> str:
    """The job that is timed."""
    return symrnn.render(symrnn.derive(net), "latex")


def scalars(name: str, rows: int, cols: int = 1) -> sympy.Matrix:
    """A matrix of scalar symbols."""
    return sympy.Matrix(rows, cols, lambda i, j: sympy.Symbol(f"{name}{i}{j}"))


def entrywise(length: int, size: int = 2) -> float:
    """Seconds that SymPy takes for the unrolled loss, differentiated in every entry of ``W_f``."""
    weights = {g: (scalars(f"W{g}", size, size), scalars(f"U{g}", size, size), scalars(f"b{g}", size)) for g in "fico"}
    readout, h, c, loss = scalars("V", size, size), scalars("h", size), scalars("c", size), sympy.Integer(0)
    for step in range(length):
        x, y = scalars(f"x{step}_", size), scalars(f"y{step}_", size)
        a = {g: W * h + U * x + b for g, (W, U, b) in weights.items()}
        f, i, o = (a[g].applyfunc(lambda v: 1 / (1 + sympy.exp(-v))) for g in "fio")
        c = f.multiply_elementwise(c) + i.multiply_elementwise(a["c"].applyfunc(sympy.tanh))
        h = o.multiply_elementwise(c.applyfunc(sympy.tanh))
        logits = readout * h
        loss -= (y.T * logits)[0] - sympy.log(sum(map(sympy.exp, logits)))
    begin = time.perf_counter()
    for entry in weights["f"][0]:
        loss.diff(entry)
    return time.perf_counter() - begin


def main() -> None:
    """Measure, and print in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--three", action="store_true", help="SymPy at T = 3 as well (most of a minute)")
    steps = (1, 2, 3) if parser.parse_args().three else (1, 2)
    symbolic = lstm(None)
    base, size = median(lambda: derived_and_printed(symbolic)), nodes(None)
    print("LSTM, many-to-many: derivation and LaTeX, after import")
    for length in (None, 10, 1000):
        net = lstm(length)
        taken, count = median(lambda net=net: derived_and_printed(net)), nodes(length)
        print(f"  T = {length or 'T':<5} {taken * 1000:6.1f} ms  {taken / base:5.2f} ×   {count} nodes  {count / size:5.2f} ×")
    print("SymPy's diff of the unrolled loss in the four entries of W_f, H = 2")
    for length in steps:
        taken = entrywise(length)
        print(f"  T = {length:<5} {taken * 1000:6.0f} ms  {taken / base:6.1f} ×")


if __name__ == "__main__":
    main()
