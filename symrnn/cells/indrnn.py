"""The independently recurrent network: each unit reads of the old state its own value only.

Source: S. Li, W. Li, C. Cook, C. Zhu and Y. Gao, Independently recurrent neural network (IndRNN): building a longer and
deeper RNN, CVPR 2018, arXiv 1803.04831, equation 2.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import t
from symrnn.functions import elementwise, parameter, series

x, h = series("x", "D"), series("h", "H")
W, u, b = parameter("W", "H", "D"), parameter("u", "H"), parameter("b", "H")


def indrnn(*, activation: str = "relu", bias: bool = True) -> Cell:
    """``h_t = φ(W x_t + u ∘ h_{t-1} + b)``.

    Args:
        activation: A name of the activation table, or ``phi`` for one that is left open.
        bias: Whether there is a bias.

    Shapes:
        x_t: D×1, h_t: H×1, W: H×D, u: H×1, b: H×1.

    Raises:
        SpecError: Unknown activation.
    """
    phi = elementwise(activation)
    a = W @ x[t] + u * h[t - 1]
    return Cell(
        "indrnn",
        [Equation(h[t], phi(a + b if bias else a), role="hidden state")],
        inputs=[x],
        title="independently recurrent network",
        source="Li et al. 2018",
        options=(("activation", activation), ("bias", bias)),
    )
