"""Long short-term memory with coupled input and forget gate (CIFG): what is let in is what is forgotten.

Source: K. Greff, R. K. Srivastava, J. Koutník, B. R. Steunebrink and J. Schmidhuber, LSTM: a search space odyssey, IEEE
TNNLS 28 (2017) 2222-2232, arXiv 1503.04069, section III; without peepholes and in the letters of the ``lstm``.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import Node, Ones, t
from symrnn.functions import parameter, series, sigmoid, tanh

x, h, c = series("x", "D"), series("h", "H"), series("c", "H")
f, i, c_tilde, o = series("f", "H"), series("i", "H"), series("c_tilde", "H"), series("o", "H")


def lstm_coupled(*, bias: bool = True) -> Cell:
    """``f_t = 1 - i_t``.

    Args:
        bias: Whether the three blocks have biases.

    Shapes:
        x_t: D×1; h_t, c_t and the gates: H×1; each W: H×H, each U: H×D, each b: H×1.
    """

    def net(gate: str) -> Node:
        s = parameter(f"W_{gate}", "H", "H") @ h[t - 1] + parameter(f"U_{gate}", "H", "D") @ x[t]
        return s + parameter(f"b_{gate}", "H") if bias else s

    return Cell(
        "lstm-coupled",
        [
            Equation(i[t], sigmoid(net("i")), role="gate"),
            Equation(f[t], Ones("H", 1) - i[t], role="gate"),
            Equation(c_tilde[t], tanh(net("c")), role="candidate"),
            Equation(c[t], f[t] * c[t - 1] + i[t] * c_tilde[t], role="cell state"),
            Equation(o[t], sigmoid(net("o")), role="gate"),
            Equation(h[t], o[t] * tanh(c[t]), role="hidden state"),
        ],
        inputs=[x],
        title="long short-term memory with coupled input and forget gate",
        source="Greff et al. 2017 (CIFG)",
        options=(("bias", bias),),
    )
