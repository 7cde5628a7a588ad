"""Hypothesis strategies: random well-shaped formulas, cells and networks, made of every node type and time offset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from sympy import Integer, Rational

from symrnn.equations import Cell, Equation
from symrnn.expr import (
    At,
    Column,
    Columns,
    Diag,
    Divides,
    Elementwise,
    Gather,
    Identity,
    LogSoftmax,
    Node,
    OneHot,
    Product,
    Rows,
    Series,
    Softmax,
    Stacked,
    Static,
    StopGradient,
    TimeSum,
    Total,
    bound_index,
    complement,
    dim,
    t,
    time_sum,
)
from symrnn.functions import parameter, series
from symrnn.networks import Given, Network, Scan, name_operands
from symrnn.times import Span

SIZES = ("D", "H")
T, V = dim("T"), dim("V")
CONDITIONS = (
    None, Divides(2, t - 1, 1), Divides("J", t), Divides(3, T - t, 1), complement(Divides(2, t)),
    Product(complement(Divides(2, t)), Divides("J", t + 1)),
)
SMOOTH = ("tanh", "sigmoid", "softplus", "sin", "cos", "elu", "relu", "leaky_relu")


@dataclass
class Pool:
    """What a formula may read at one place, and the parameters that were made for it.

    Attributes:
        now: Quantities that are there at the same time.
        carried: Quantities with the offset at which they may be read.
        earlier: Series of scans that have run: they may be read at any fixed time, or as a whole.
        parameters: Parameters so far; a fresh one is added where none fits.
        token: The integer input, or ``None``.
        masks: Series of columns of zeros and ones.
    """

    now: list[Series]
    carried: list[tuple[Series, int]] = field(default_factory=list)
    earlier: list[Series] = field(default_factory=list)
    parameters: list[Static] = field(default_factory=list)
    token: Series | None = None
    masks: list[Series] = field(default_factory=list)

    def parameter(self, draw: Any, rows: Any, cols: Any) -> Static:
        """Reuse a parameter of this shape, or make one."""
        fitting = [p for p in self.parameters if p.shape == (dim(rows), dim(cols))]
        if fitting and draw(st.booleans()):
            return draw(st.sampled_from(fitting))
        fresh = parameter(f"P_{len(self.parameters)}", rows, cols)
        self.parameters.append(fresh)
        return fresh

    def leaves(self, size: str) -> list[At]:
        """Every value of this size."""
        values = [q[t] for q in self.now] + [q[t + k] for q, k in self.carried]
        values += [q[time] for q in self.earlier for time in (T, Integer(1))]
        return [value for value in values if value.shape[0] == dim(size)]


def vector(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    """Draw a column of a size."""
    leaves = pool.leaves(size)
    if depth == 0:
        return draw(st.sampled_from(leaves)) if leaves else pool.parameter(draw, size, 1)
    kinds = ["leaf", "affine", "affine", "sum", "difference", "times", "map", "map", "scaled", "softmax", "logsoftmax",
             "rows", "diag", "total", "inner", "stop"]
    kinds += ["gather", "onehot"] if pool.token is not None else []
    kinds += ["masked", "masked"] if any(m.shape[0] == dim(size) for m in pool.masks) else []
    kinds += ["attention", "attention", "attention", "timesum", "column"] if any(q.shape[0] == dim(size) for q in pool.earlier) else []
    return BUILDERS[draw(st.sampled_from(kinds))](draw, pool, size, depth - 1)


def build_affine(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    other = draw(st.sampled_from(SIZES))
    product = pool.parameter(draw, size, other) @ vector(draw, pool, other, depth)
    return product + pool.parameter(draw, size, 1) if draw(st.booleans()) else product


def build_difference(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    right = vector(draw, pool, size, depth)
    return 1 - right if draw(st.booleans()) else vector(draw, pool, size, depth) - right


def build_rows(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    other = draw(st.sampled_from(SIZES))
    stacked = Stacked(vector(draw, pool, size, depth), vector(draw, pool, other, depth))
    return Rows(stacked, 1, dim(size) + 1)


def build_diag(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    return (Identity(dim(size)) + Diag(vector(draw, pool, size, depth))) @ vector(draw, pool, size, depth)


def build_inner(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    left, right = vector(draw, pool, size, depth), vector(draw, pool, size, depth)
    return vector(draw, pool, size, depth) * (left.T @ right)


def build_attention(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    source = draw(st.sampled_from([q for q in pool.earlier if q.shape[0] == dim(size)]))
    k = bound_index(1)
    columns = Columns(source[k], k, 1, T)
    counts = next((m for m in pool.masks if m.shape[0] == 1), None)
    mask = None if counts is None or draw(st.integers(0, 3)) == 0 else Columns(counts[k], k, 1, T).T
    return columns @ Softmax(columns.T @ vector(draw, pool, size, depth), mask)


def build_masked(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    mask = draw(st.sampled_from([m for m in pool.masks if m.shape[0] == dim(size)]))
    return Softmax(vector(draw, pool, size, depth), mask[draw(st.sampled_from([t, t, Integer(1), T]))])


def build_time_sum(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    source = draw(st.sampled_from([q for q in pool.earlier if q.shape[0] == dim(size)]))
    k = bound_index(1)
    return TimeSum(source[k] * vector(draw, pool, size, depth), k, 1, T)


def build_column(draw: Any, pool: Pool, size: str, depth: int) -> Node:
    source = draw(st.sampled_from([q for q in pool.earlier if q.shape[0] == dim(size)]))
    columns = Columns(source[bound_index(1)], bound_index(1), 1, T)
    return Column(pool.parameter(draw, size, size) @ columns, draw(st.sampled_from([Integer(1), T, t])))


BUILDERS = {
    "leaf": lambda draw, pool, size, depth: vector(draw, pool, size, 0),
    "affine": build_affine,
    "sum": lambda draw, pool, size, depth: vector(draw, pool, size, depth) + vector(draw, pool, size, depth),
    "difference": build_difference,
    "times": lambda draw, pool, size, depth: vector(draw, pool, size, depth) * vector(draw, pool, size, depth),
    "map": lambda draw, pool, size, depth: Elementwise(
        draw(st.sampled_from(SMOOTH)), vector(draw, pool, size, depth)),
    "scaled": lambda draw, pool, size, depth: draw(st.sampled_from([Rational(1, 2), Rational(-2, 3), 1 / T])) * vector(
        draw, pool, size, depth),
    "softmax": lambda draw, pool, size, depth: Softmax(vector(draw, pool, size, depth)),
    "masked": build_masked,
    "logsoftmax": lambda draw, pool, size, depth: LogSoftmax(vector(draw, pool, size, depth)),
    "rows": build_rows,
    "diag": build_diag,
    "total": lambda draw, pool, size, depth: vector(draw, pool, size, depth) * Total(vector(draw, pool, size, depth)),
    "inner": build_inner,
    "stop": lambda draw, pool, size, depth: StopGradient(
        vector(draw, pool, size, depth), draw(st.sampled_from(CONDITIONS))),
    "gather": lambda draw, pool, size, depth: Gather(pool.parameter(draw, size, V), pool.token[t]),
    "onehot": lambda draw, pool, size, depth: pool.parameter(draw, size, V) @ OneHot(pool.token[t], V),
    "attention": build_attention,
    "timesum": build_time_sum,
    "column": build_column,
}


def bounded(draw: Any, node: Node, pool: Pool) -> Node:
    """Squash a formula that reads its past, and half of the others: a recurrence must not explode in floating point."""
    carried = {q for q, _ in pool.carried}
    recurrent = any(leaf.series in carried and leaf.time != t for leaf in node.atoms(At))
    return Elementwise("tanh", node) if recurrent or draw(st.booleans()) else node


@st.composite
def cells(draw: Any, max_equations: int = 8) -> Cell:
    """Random cells of two to eight equations: any operators, one or more states, reads at t, t-1 and t-2."""
    x = series("x", "D")
    count = draw(st.integers(2, max_equations))
    own = [series(f"q{k}", draw(st.sampled_from(SIZES))) for k in range(count - 1)] + [series("h", "H")]
    pool = Pool(now=[x], carried=[(q, k) for q in own for k in (-1, -2)])
    equations = []
    for quantity in own:
        size = str(quantity.shape[0])
        rhs = vector(draw, pool, size, draw(st.integers(1, 3)))
        if quantity is own[-1]:
            rhs = rhs + pool.parameter(draw, size, size) @ quantity[t - 1]
        equations.append(Equation(quantity[t], bounded(draw, rhs, pool)))
        pool.now.append(quantity)
    return Cell("random", equations, inputs=[x])


@st.composite
def scans(draw: Any, name: str, pool: Pool) -> tuple[Scan, list[Given]]:
    """One scan over 1…T, forward or backward, with its initial states."""
    step = draw(st.sampled_from([1, -1]))
    own = [series(f"{name}{k}", draw(st.sampled_from(SIZES))) for k in range(draw(st.integers(1, 3)))]
    reach = draw(st.sampled_from([1, 1, 2]))
    pool.carried = [(q, -step * k) for q in own for k in range(1, reach + 1)]
    equations = []
    for quantity in own:
        rhs = vector(draw, pool, str(quantity.shape[0]), draw(st.integers(1, 3)))
        equations.append(Equation(quantity[t], bounded(draw, rhs, pool), Span(1, T)))
        pool.now.append(quantity)
    start = Span(1 - reach, 0) if step == 1 else Span(T + 1, T + reach)
    return Scan(tuple(equations), step), [Given(q, "initial", start) for q in own]


@st.composite
def networks(draw: Any, max_scans: int = 2, named: bool = True) -> Network:
    """Random networks: one or two scans in either direction, later ones reading earlier ones at any time."""
    x, w = series("x", "D"), series("w", 1)
    token = w if draw(st.booleans()) else None
    masks = [series("m", 1), *(series(f"m_{size}", size) for size in SIZES)] if draw(st.integers(0, 3)) else []
    pool = Pool(now=[x], token=token, masks=masks)
    blocks: list[Any] = []
    initial: list[Given] = []
    for number in range(draw(st.integers(1, max_scans))):
        scan, givens = draw(scans("abc"[number], pool))
        blocks.append(scan)
        initial += givens
        pool.earlier += [e.quantity for e in scan.equations]
    pool.carried = []
    last = blocks[-1].equations[-1].quantity
    size = str(last.shape[0])
    body = Total(last[t] * vector(draw, pool, size, 1))
    span = Span(T, T) if draw(st.booleans()) else Span(1, T)
    if named:
        taken = [p.name for p in pool.parameters] + [e.name for b in blocks for e in b.equations]
        taken += ["L", "x", "w", *(m.name for m in masks)]
        split = []
        for block in blocks:
            scan = Scan(name_operands(block.equations, taken), block.step)
            taken += [e.name for e in scan.equations]
            split.append(scan)
        blocks = split
    loss = Static("L")
    used = {q for b in blocks for e in b.equations for q in e.rhs.atoms(Static)} | body.atoms(Static)
    read = {leaf.series for rhs in (body, *(e.rhs for b in blocks for e in b.equations)) for leaf in rhs.atoms(At)}
    return Network(
        name="random",
        givens=(
            *(Given(p, "parameter") for p in pool.parameters if p in used),
            Given(x, "input", Span(1, T)),
            *([Given(w, "integer", Span(1, T))] if token is not None else []),
            *(Given(m, "mask", Span(1, T)) for m in masks if m in read),
            *initial,
        ),
        blocks=(*blocks, Equation(loss, time_sum(body, span.lo, span.hi), None, "loss")),
        loss=loss,
    )
