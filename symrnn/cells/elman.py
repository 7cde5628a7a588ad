"""The simple recurrent network.

Source: J. L. Elman, Finding structure in time, Cognitive Science 14 (1990) 179-211.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import t
from symrnn.functions import elementwise, parameter, series

x, h = series("x", "D"), series("h", "H")
W_xh, W_hh, b_h = parameter("W_xh", "H", "D"), parameter("W_hh", "H", "H"), parameter("b_h", "H")


def rnn(*, activation: str = "tanh", bias: bool = True) -> Cell:
    """``h_t = φ(W_hh h_{t-1} + W_xh x_t + b_h)``.

    Args:
        activation: A name of the activation table, or ``phi`` for one that is left open.
        bias: Whether there is a bias.

    Shapes:
        x_t: D×1, h_t: H×1, W_hh: H×H, W_xh: H×D, b_h: H×1.

    Raises:
        SpecError: Unknown activation.
    """
    phi = elementwise(activation)
    a = W_hh @ h[t - 1] + W_xh @ x[t]
    return Cell(
        "rnn",
        [Equation(h[t], phi(a + b_h if bias else a), role="hidden state")],
        inputs=[x],
        title="simple recurrent network",
        source="Elman 1990",
        options=(("activation", activation), ("bias", bias)),
    )
