"""The update gate network: a simple recurrent network with one gate between the old state and the new one.

Source: J. Collins, J. Sohl-Dickstein and D. Sussillo, Capacity and trainability in recurrent neural networks, ICLR 2017,
arXiv 1611.09913 (2016).
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import Node, t
from symrnn.functions import elementwise, parameter, series, sigmoid

x, h, c, g = series("x", "D"), series("h", "H"), series("c", "H"), series("g", "H")


def ugrnn(*, activation: str = "tanh", bias: bool = True) -> Cell:
    """``h_t = g_t ∘ h_{t-1} + (1 - g_t) ∘ c_t``.

    Args:
        activation: Of the candidate: a name of the activation table, or ``phi`` for one that is left open.
        bias: Whether there are biases.

    Shapes:
        x_t: D×1; h_t, c_t, g_t: H×1; W_ch, W_gh: H×H, W_cx, W_gx: H×D, each b: H×1.

    Raises:
        SpecError: Unknown activation.
    """
    phi = elementwise(activation)

    def net(letter: str) -> Node:
        s = parameter(f"W_{letter}h", "H", "H") @ h[t - 1] + parameter(f"W_{letter}x", "H", "D") @ x[t]
        return s + parameter(f"b_{letter}", "H") if bias else s

    return Cell(
        "ugrnn",
        [
            Equation(c[t], phi(net("c")), role="candidate"),
            Equation(g[t], sigmoid(net("g")), role="gate"),
            Equation(h[t], g[t] * h[t - 1] + (1 - g[t]) * c[t], role="hidden state"),
        ],
        inputs=[x],
        title="update gate recurrent network",
        source="Collins, Sohl-Dickstein & Sussillo 2016",
        options=(("activation", activation), ("bias", bias)),
    )
