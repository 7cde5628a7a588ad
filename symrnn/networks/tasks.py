"""Networks of one layer: a cell, a task, a readout and a loss."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sympy import Expr, Integer, expand

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import At, Ones, Series, Total, Zeros, dim, t
from symrnn.functions import series
from symrnn.networks.graph import Given, Network, Relation, Scan
from symrnn.networks.naming import name_operands
from symrnn.networks.readout import A_Y, ELL, MASK, Y_HAT, Y, check_ends, readout_equations, total_loss
from symrnn.times import Span
from symrnn.traverse import leaves

T = dim("T")
SCALES = ("sum", "mean")
TASKS: Mapping[str, str] = MappingProxyType({
    "many-to-many": "an input and an output at each time",
    "many-to-one": "an input at each time, an output at the last",
    "one-to-one": "one step",
    "one-to-many": "an input at the first time, an output at each",
})


def network(
    cell: Cell, *, task: str = "many-to-many", readout: str | None = None, loss: str | None = None,
    over_time: str = "sum", over_batch: str = "sum", mask: bool = False, feed: str = "nothing", bias: bool = True,
) -> Network:
    """Wire a cell into a network of one layer.

    Args:
        cell: The equations of a step.
        task: A key of ``TASKS``.
        readout: A key of ``READOUTS``; by default the one that goes with the loss.
        loss: A key of ``LOSSES``; by default the one that goes with the readout, or cross-entropy.
        over_time: ``sum`` or ``mean`` of the losses of the times.
        over_batch: ``sum`` or ``mean`` over the sequences of a batch; formulas are per sequence and carry ``1/B``.
        mask: Weight the loss of each time with a given ``m_t`` (0 or 1); a mean is then over the times that count.
        feed: For one-to-many, what the cell reads after the first time: ``nothing`` or the previous ``output``.
        bias: Whether the readout has a bias.

    Shapes:
        x_t: D×1, h_t: H×1, ŷ_t and y_t: K×1, W_hy: K×H, b_y: K×1, L: 1×1.

    Raises:
        SpecError: Unknown names, or options that do not go together.
    """
    check_cell(cell)
    known_or_refused(task=task, over_time=over_time, over_batch=over_batch, feed=feed)
    readout, loss = check_ends(readout, loss)
    steps, outputs = task_times(task, mask=mask)
    cell = with_output_as_input(cell, feed) if task == "one-to-many" else cell
    equations = name_operands(replace(e, span=steps) for e in cell.equations)
    refuse_clash(cell, equations)
    given_inputs, fed = cell_inputs(cell, task, feed, steps)
    ends, weights = readout_equations(cell.output, readout, loss, outputs, bias=bias)
    total = total_loss(outputs, over_time=over_time, over_batch=over_batch, mask=mask)
    return Network(
        name=f"{cell.name}, {task}",
        givens=(
            *(Given(p, "parameter") for p in (*cell.parameters, *weights)),
            *given_inputs,
            *initial_states(equations, steps.lo),
            Given(series(Y, "K"), "target", outputs),
            *([Given(series(MASK, 1), "mask", outputs)] if mask else []),
        ),
        blocks=(Scan((*fed, *equations, *ends)), *total),
        loss=total[-1].lhs,
        relations=(Relation(Total(series(Y, "K")[t]), Ones(1, 1)),) if loss == "cross-entropy" else (),
        cell=cell.name,
        outputs=(series(Y_HAT, "K"),),
    )


def check_cell(cell: Any) -> None:
    """Refuse what is no cell."""
    if not isinstance(cell, Cell):
        raise SpecError(f"network takes a cell; got {cell!r}; write network(cell('lstm')) or build a Cell of your own")


def task_times(task: str, *, mask: bool) -> tuple[Span, Span]:
    """Return the times of the cell, and those that carry an output."""
    steps = Span(1, 1 if task == "one-to-one" else T)
    outputs = Span(steps.hi, steps.hi) if task == "many-to-one" else steps
    if mask and outputs.single:
        raise SpecError(
            f"a mask weights the losses of several times; the task {task} has one output; for sequences of different "
            "lengths take many-to-many and a mask that is 1 at the last time of each sequence"
        )
    return steps, outputs


def known_or_refused(**options: str) -> None:
    """Refuse an option that nobody defines, with the nearest ones."""
    known: dict[str, Collection[str]] = {
        "task": TASKS, "feed": ("nothing", "output"), "over_time": SCALES, "over_batch": SCALES,
    }
    for what, name in options.items():
        if name not in known[what]:
            raise unknown(what, name, known[what])


def refuse_clash(cell: Cell, equations: tuple[Equation, ...]) -> None:
    """Refuse a cell that uses a name of the readout."""
    given = [*(p.name for p in cell.parameters), *(x.name for x in cell.inputs)]
    own = set(given) | {e.name for e in equations}
    clash = sorted(own & {A_Y, Y_HAT, Y, ELL, MASK, "L", "N", "W_hy", "b_y"})
    if clash:
        raise SpecError(f"cell '{cell.name}' uses the name {clash[0]}, which the readout needs; rename it")


def with_output_as_input(cell: Cell, feed: str) -> Cell:
    """For feeding outputs back, make the size of the input that of the output."""
    if feed == "nothing":
        return cell
    if len(cell.inputs) != 1:
        raise SpecError(f"feeding the output back needs one input; cell '{cell.name}' has {len(cell.inputs)}")
    return cell.with_sizes({cell.inputs[0].shape[0]: dim("K")})


def cell_inputs(cell: Cell, task: str, feed: str, steps: Span) -> tuple[list[Given], list[Equation]]:
    """Return the given inputs, and equations for those that the network makes itself."""
    if task != "one-to-many":
        return [Given(x, "input", steps) for x in cell.inputs], []
    later = Span(steps.lo + 1, steps.hi)
    fed = [
        Equation(x[t], Zeros(*x.shape) if feed == "nothing" else series(Y_HAT, "K")[t - 1], later, "input")
        for x in cell.inputs
    ]
    return [Given(x, "input", Span(steps.lo, steps.lo)) for x in cell.inputs], fed


def initial_states(equations: tuple[Equation, ...], first: Expr) -> list[Given]:
    """Return one given for each state, at the times before the first."""
    reach: dict[Series, Expr] = {}
    own = [e.quantity for e in equations]
    for equation in equations:
        for leaf in leaves(equation.rhs):
            if isinstance(leaf, At) and leaf.series in own and leaf.time != t:
                reach[leaf.series] = min(reach.get(leaf.series, Integer(0)), leaf.time - t)
    return [Given(q, "initial", Span(expand(first + reach[q]), first - 1)) for q in own if q in reach]
