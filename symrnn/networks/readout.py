"""Readouts and losses: what stands between the state of a network and the number that is differentiated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sympy import Integer, Rational

from symrnn.equations import Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import Elementwise, LogSoftmax, Node, Plus, Softmax, Static, Total, dim, t, time_sum
from symrnn.functions import series
from symrnn.times import Span

B = dim("B")
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


def readout_equations(
    logits: Node, readout: str, loss: str, spans: Iterable[Span], *, shown: Iterable[Span], name: str = Y_HAT, target: str = Y
) -> tuple[Equation, ...]:
    """Return the equations from the pre-activation of the output to the loss of a time.

    Args:
        logits: The affine map of what is read, at the generic ``t``.
        readout: A key of ``READOUTS``.
        loss: A key of ``LOSSES``.
        spans: The times that carry loss.
        shown: The times that have an output.
        name: Of the output.
        target: Of the target.
    """
    size = logits.shape[0]
    a, y_hat, y = (series(own, size)[t] for own in (A_Y, name, target))
    found: list[Equation] = []
    for span in shown:
        found += [Equation(y_hat, logits, span, "output")] if readout == "linear" else [
            Equation(a, logits, span, "pre-activation"),
            Equation(y_hat, READOUTS[readout](a), span, "output"),
        ]
    return (*found, *(Equation(series(ELL, 1)[t], step_loss(loss, a, y_hat, y), span, "loss") for span in spans))


def total_loss(spans: Sequence[Span], *, over_time: str, over_batch: str, mask: Node | None) -> tuple[Equation, ...]:
    """Return the equations of the loss of a sequence, the loss itself last.

    Args:
        spans: The times that carry loss.
        over_time: ``sum`` or ``mean``.
        over_batch: ``sum`` or ``mean``.
        mask: What weights the loss of each time, at the generic ``t``.
    """
    scale: Any = 1 / B if over_batch == "mean" else Integer(1)
    ell = series(ELL, 1)[t]
    body: Node = ell if mask is None else ell * mask
    loss = Static("L")
    summed = summed_over(body, spans)
    if over_time == "sum" or (len(spans) == 1 and spans[0].single):
        return (Equation(loss, scale * summed, role="loss"),)
    if mask is None:
        number = sum((span.hi - span.lo + 1 for span in spans), Integer(0))
        return (Equation(loss, scale / number * summed, role="loss"),)
    count = Static("N")
    return (
        Equation(count, summed_over(mask, spans), role="value"),
        Equation(loss, scale * (Elementwise("reciprocal", count) @ summed), role="loss"),
    )


def summed_over(body: Node, spans: Iterable[Span]) -> Node:
    """Sum a value over the times of several spans."""
    return Plus(*(time_sum(body, span.lo, span.hi) for span in spans))
