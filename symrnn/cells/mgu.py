"""The minimal gated unit: one gate, which resets and updates.

Source: G.-B. Zhou, J. Wu, C.-L. Zhang and Z.-H. Zhou, Minimal gated unit for recurrent neural networks, International
Journal of Automation and Computing 13 (2016) 226-234, arXiv 1603.09420.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import Node, dim, t
from symrnn.functions import parameter, series, sigmoid, stack, tanh

D, H = dim("D"), dim("H")
x, h, f, h_tilde = series("x", D), series("h", H), series("f", H), series("h_tilde", H)


def mgu(*, bias: bool = True) -> Cell:
    """``f_t = σ(W_f [h_{t-1}; x_t] + b_f)``, ``h̃_t = tanh(W_h [f_t ∘ h_{t-1}; x_t] + b_h)``.

    Args:
        bias: Whether there are biases.

    Shapes:
        x_t: D×1; h_t, f_t, h̃_t: H×1; each W: H×(H+D), each b: H×1.
    """

    def net(letter: str, state: Node) -> Node:
        s = parameter(f"W_{letter}", H, H + D) @ stack(state, x[t])
        return s + parameter(f"b_{letter}", H) if bias else s

    return Cell(
        "mgu",
        [
            Equation(f[t], sigmoid(net("f", h[t - 1])), role="gate"),
            Equation(h_tilde[t], tanh(net("h", f[t] * h[t - 1])), role="candidate"),
            Equation(h[t], (1 - f[t]) * h[t - 1] + f[t] * h_tilde[t], role="hidden state"),
        ],
        inputs=[x],
        title="minimal gated unit",
        source="Zhou et al. 2016",
        options=(("bias", bias),),
    )
