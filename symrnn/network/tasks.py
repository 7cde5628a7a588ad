"""Networks of one layer: a cell, a task, a readout and a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sympy import Expr, Integer, Rational, expand

from symrnn.cell import Cell, Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import (
    At,
    Elementwise,
    LogSoftmax,
    Node,
    Ones,
    Series,
    Softmax,
    Static,
    Total,
    Zeros,
    dim,
    t,
    time_sum,
)
from symrnn.functions import parameter, series
from symrnn.network.graph import Given, Network, Relation, Scan
from symrnn.network.naming import name_operands
from symrnn.times import Span
from symrnn.traverse import leaves

T, B = dim("T"), dim("B")
TASKS: Mapping[str, str] = MappingProxyType({
    "many-to-many": "an input and an output at each time",
    "many-to-one": "an input at each time, an output at the last",
    "one-to-one": "one step",
    "one-to-many": "an input at the first time, an output at each",
})
READOUTS: Mapping[str, Callable[[Node], Node]] = MappingProxyType({
    "linear": lambda a: a,
    "sigmoid": lambda a: Elementwise("sigmoid", a),
    "softmax": Softmax,
})
LOSSES: Mapping[str, str] = MappingProxyType({
    "squared-error": "½ ‖ŷ - y‖²",
    "binary-cross-entropy": "-Σ [y log ŷ + (1 - y) log(1 - ŷ)], for a sigmoid readout",
    "cross-entropy": "-yᵀ log ŷ, for a softmax readout",
})
DEFAULT_READOUT = MappingProxyType({
    "cross-entropy": "softmax", "binary-cross-entropy": "sigmoid", "squared-error": "linear",
})
NEEDS = MappingProxyType({"cross-entropy": "softmax", "binary-cross-entropy": "sigmoid"})
A_Y, Y_HAT, Y, ELL, MASK = "a_y", "y_hat", "y", "ell", "m"


def step_loss(loss: str, a: Node, y_hat: Node, y: Node) -> Node:
    """The loss at one time, in a form that cannot overflow.

    Cross-entropy is ``-yᵀ log softmax(a)``; binary cross-entropy is ``1ᵀ (softplus(a) - y ∘ a)``, which equals
    ``-Σ [y log σ(a) + (1 - y) log(1 - σ(a))]`` since ``log σ(a) = a - softplus(a)`` and ``log(1 - σ(a)) = -softplus(a)``.
    """
    if loss == "cross-entropy":
        return -(y.T @ LogSoftmax(a))
    if loss == "binary-cross-entropy":
        return Total(Elementwise("softplus", a) - y * a)
    return Rational(1, 2) * ((y_hat - y).T @ (y_hat - y))


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
        mask: Weight the loss of each time with a given ``m_t`` (0 or 1), for sequences of different lengths; the mean
            is then over the times that count.
        feed: For one-to-many, what the cell reads after the first time: ``nothing`` or the previous ``output``.
        bias: Whether the readout has a bias.

    Returns:
        The network.

    Shapes:
        x_t: D×1, h_t: H×1, ŷ_t and y_t: K×1, W_hy: K×H, b_y: K×1, L: 1×1.

    Raises:
        SpecError: Unknown names, or options that do not go together.
    """
    for what, name, known in (
        ("task", task, TASKS), ("over_time", over_time, ("sum", "mean")), ("over_batch", over_batch, ("sum", "mean")),
        ("feed", feed, ("nothing", "output")),
    ):
        if name not in known:
            raise unknown(what, name, known)
    readout, loss = check_ends(readout, loss)
    first, last = Integer(1), Integer(1) if task == "one-to-one" else T
    outputs = Span(last if task == "many-to-one" else first, last)
    if mask and outputs.single:
        raise SpecError(f"a mask weights the losses of several times; the task {task} has one output")
    cell = with_output_as_input(cell, feed) if task == "one-to-many" else cell
    equations = name_operands(Equation(e.lhs, e.rhs, Span(first, last), e.role) for e in cell.equations)
    refuse_clash(cell, equations)
    given_inputs, fed = cell_inputs(cell, task, feed, first, last)
    a, y_hat, y, ell = (At(series(n, "K" if n != ELL else 1), t) for n in (A_Y, Y_HAT, Y, ELL))
    h = cell.output[t]
    weight, b = parameter("W_hy", "K", h.shape[0]), parameter("b_y", "K")
    logits = weight @ h + b if bias else weight @ h
    ends = [
        Equation(a, logits, outputs, "pre-activation"),
        Equation(y_hat, READOUTS[readout](a), outputs, "output"),
    ] if readout != "linear" else [Equation(y_hat, logits, outputs, "output")]
    ends.append(Equation(ell, step_loss(loss, a, y_hat, y), outputs, "loss"))
    scan = Scan((*fed, *equations, *ends)) if fed else Scan((*equations, *ends))
    total = total_loss(ell, outputs, over_time=over_time, over_batch=over_batch, mask=mask)
    parameters = dict.fromkeys([*cell.parameters, *(q for q in (weight, b) if q in logits.atoms(Static))])
    return Network(
        name=f"{cell.name}, {task}",
        givens=(
            *(Given(p, "parameter") for p in parameters),
            *given_inputs,
            *initial_states(equations, first),
            Given(y.series, "target", outputs),
            *([Given(series(MASK, 1), "mask", outputs)] if mask else []),
        ),
        blocks=(scan, *total),
        loss=total[-1].lhs,
        relations=(Relation(Total(y), Ones(1, 1)),) if loss == "cross-entropy" else (),
        cell=cell.name,
        outputs=(y_hat.series,),
    )


def check_ends(readout: str | None, loss: str | None) -> tuple[str, str]:
    """Choose what was left open, and refuse a readout and a loss that do not go together."""
    if readout is not None and readout not in READOUTS:
        raise unknown("readout", readout, READOUTS)
    if loss is not None and loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    if loss is None:
        loss = next((name for name, default in DEFAULT_READOUT.items() if default == (readout or "softmax")))
    readout = readout or DEFAULT_READOUT[loss]
    if NEEDS.get(loss, readout) != readout:
        raise SpecError(f"{loss} needs a {NEEDS[loss]} readout; got {readout}; choose that readout or squared-error")
    return readout, loss


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


def cell_inputs(
    cell: Cell, task: str, feed: str, first: Expr, last: Expr
) -> tuple[list[Given], list[Equation]]:
    """Return the given inputs, and equations for those that the network makes itself."""
    if task != "one-to-many":
        return [Given(x, "input", Span(first, last)) for x in cell.inputs], []
    later = Span(first + 1, last)
    fed = [
        Equation(x[t], Zeros(*x.shape) if feed == "nothing" else series(Y_HAT, "K")[t - 1], later, "input")
        for x in cell.inputs
    ]
    return [Given(x, "input", Span(first, first)) for x in cell.inputs], fed


def initial_states(equations: tuple[Equation, ...], first: Expr) -> list[Given]:
    """Return one given for each state, at the times before the first."""
    reach: dict[Series, Expr] = {}
    own = [e.quantity for e in equations]
    for equation in equations:
        for leaf in leaves(equation.rhs):
            if isinstance(leaf, At) and leaf.series in own and leaf.time != t:
                reach[leaf.series] = min(reach.get(leaf.series, Integer(0)), leaf.time - t)
    return [Given(q, "initial", Span(expand(first + reach[q]), first - 1)) for q in own if q in reach]


def total_loss(ell: At, span: Span, *, over_time: str, over_batch: str, mask: bool) -> tuple[Equation, ...]:
    """Return the equations of the loss of a sequence, the loss itself last."""
    scale: Any = 1 / B if over_batch == "mean" else Integer(1)
    body: Node = ell * series(MASK, 1)[t] if mask else ell
    loss = Static("L")
    summed = time_sum(body, span.lo, span.hi)
    if over_time == "sum" or span.single:
        return (Equation(loss, scale * summed, role="loss"),)
    if not mask:
        return (Equation(loss, scale / (span.hi - span.lo + 1) * summed, role="loss"),)
    count = Static("N")
    return (
        Equation(count, time_sum(series(MASK, 1)[t], span.lo, span.hi), role="value"),
        Equation(loss, scale * (Elementwise("reciprocal", count) @ summed), role="loss"),
    )
