"""JANET: an LSTM with nothing but the forget gate.

Source: J. van der Westhuizen and J. Lasenby, The unreasonable effectiveness of the forget gate, arXiv 1804.04849 (2018).
"""

from __future__ import annotations

from typing import Any

from sympy import Rational

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import Node, t
from symrnn.functions import parameter, series, sigmoid, tanh

x, h, c = series("x", "D"), series("h", "H"), series("c", "H")
s, c_tilde = series("s", "H"), series("c_tilde", "H")


def janet(*, beta: Any = 1, bias: bool = True) -> Cell:
    """``c_t = σ(s_t) ∘ c_{t-1} + (1 - σ(s_t - β)) ∘ c̃_t``, ``h_t = c_t``.

    Args:
        beta: How much less the gate of the candidate sees than the forget gate: a number, such as ``0.5`` or ``"1/3"``.
        bias: Whether there are biases.

    Shapes:
        x_t: D×1; h_t, c_t, c̃_t, s_t: H×1; each U: H×H, each W: H×D, each b: H×1.

    Raises:
        SpecError: ``beta`` is not a number.
    """

    def net(letter: str) -> Node:
        total = parameter(f"U_{letter}", "H", "H") @ h[t - 1] + parameter(f"W_{letter}", "H", "D") @ x[t]
        return total + parameter(f"b_{letter}", "H") if bias else total

    return Cell(
        "janet",
        [
            Equation(s[t], net("f"), role="pre-activation"),
            Equation(c_tilde[t], tanh(net("c")), role="candidate"),
            Equation(
                c[t], sigmoid(s[t]) * c[t - 1] + (1 - sigmoid(s[t] - exact(beta))) * c_tilde[t], role="cell state"
            ),
            Equation(h[t], c[t], role="hidden state"),
        ],
        inputs=[x],
        title="just another network: the forget gate alone",
        source="van der Westhuizen & Lasenby 2018",
        options=(("beta", beta), ("bias", bias)),
    )


def exact(number: Any) -> Rational:
    """Return a number as a fraction; a decimal is taken as it is written.

    Raises:
        SpecError: It is not a finite number.
    """
    try:
        found = Rational(str(number))
    except (TypeError, ValueError, ZeroDivisionError):
        found = None
    if found is None or not found.is_finite:
        raise SpecError(f"beta must be a finite number such as 1, 0.5 or 1/3; got {number!r}")
    return found
