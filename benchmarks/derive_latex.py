"""Time and size of the LSTM's derivation for T symbolic, 10 and 1000, beside SymPy's entrywise ``diff``, and the time for a
bidirectional one of 2 layers. Run by hand.

SymPy's side is the loss of the unrolled network as one scalar expression, differentiated in every entry of every parameter
of the cell at H = 2, D = K = 1: what one would do without a derivation at matrix level.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import sympy

import symrnn
from symrnn.networks import Network


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


def unrolled_loss(length: int, parameters: dict[str, list[sympy.Matrix]]) -> sympy.Expr:
    """The squared error of the unrolled network, as one scalar expression."""
    readout, h, c, loss = scalars("V", 1, 2), sympy.zeros(2, 1), sympy.zeros(2, 1), sympy.Integer(0)
    for step in range(length):
        a = {gate: W * h + U * scalars(f"x{step}_", 1) + b for gate, (W, U, b) in parameters.items()}
        f, i, o = (a[gate].applyfunc(lambda v: 1 / (1 + sympy.exp(-v))) for gate in "fio")
        c = f.multiply_elementwise(c) + i.multiply_elementwise(a["c"].applyfunc(sympy.tanh))
        h = o.multiply_elementwise(c.applyfunc(sympy.tanh))
        loss += ((readout * h)[0] - sympy.Symbol(f"y{step}")) ** 2 / 2
    return loss


def entrywise(length: int) -> float:
    """Seconds that SymPy takes to differentiate the unrolled loss."""
    parameters = {gate: [scalars(f"W{gate}", 2, 2), scalars(f"U{gate}", 2), scalars(f"b{gate}", 2)] for gate in "fico"}
    loss = unrolled_loss(length, parameters)
    begin = time.perf_counter()
    for entry in (entry for matrices in parameters.values() for matrix in matrices for entry in matrix):
        loss.diff(entry)
    return time.perf_counter() - begin


def main() -> None:
    """Measure, and print in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--three", action="store_true", help="SymPy at T = 3 as well (a minute or two)")
    steps = (1, 2, 3) if parser.parse_args().three else (1, 2)
    symbolic = lstm(None)
    base, size = median(lambda: derived_and_printed(symbolic)), nodes(None)
    print("LSTM, many-to-many: derivation and LaTeX, after import")
    for length in (None, 10, 1000):
        net = lstm(length)
        taken, count = median(lambda net=net: derived_and_printed(net)), nodes(length)
        print(f"  T = {length or 'T':<5} {taken * 1000:6.1f} ms  {taken / base:5.2f} ×   {count} nodes  {count / size:5.2f} ×")
    deep = symrnn.architecture("bidirectional", symrnn.cell("lstm"), layers=2)
    taken = median(lambda: derived_and_printed(deep))
    print(f"LSTM, bidirectional, 2 layers: derivation and LaTeX\n  T = T     {taken * 1000:6.1f} ms  {taken / base:5.2f} ×")
    print("SymPy's diff of the unrolled loss in every entry of every parameter, H = 2")
    for length in steps:
        taken = entrywise(length)
        print(f"  T = {length:<5} {taken * 1000:6.0f} ms  {taken / base:6.1f} ×")


if __name__ == "__main__":
    main()
