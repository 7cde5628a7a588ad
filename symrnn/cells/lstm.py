"""Long short-term memory, gate by gate, with forget gate and without peepholes.

Sources: S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997) 1735-1780;
forget gate: F. A. Gers, J. Schmidhuber and F. Cummins, Learning to forget, Neural Computation 12 (2000) 2451-2471.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import Node, t
from symrnn.functions import parameter, series, sigmoid, tanh

x, h, c = series("x", "D"), series("h", "H"), series("c", "H")
f, i, c_tilde, o = series("f", "H"), series("i", "H"), series("c_tilde", "H"), series("o", "H")


def lstm(*, bias: bool = True) -> Cell:
    """Forget, input and output gate, candidate, cell state, hidden state.

    Args:
        bias: Whether the four blocks have biases.

    Shapes:
        x_t: D×1; h_t, c_t and the gates: H×1; each W: H×H, each U: H×D, each b: H×1.
    """

    def net(gate: str) -> Node:
        a = parameter(f"W_{gate}", "H", "H") @ h[t - 1] + parameter(f"U_{gate}", "H", "D") @ x[t]
        return a + parameter(f"b_{gate}", "H") if bias else a

    return Cell(
        "lstm",
        [
            Equation(f[t], sigmoid(net("f")), role="gate"),
            Equation(i[t], sigmoid(net("i")), role="gate"),
            Equation(c_tilde[t], tanh(net("c")), role="candidate"),
            Equation(c[t], f[t] * c[t - 1] + i[t] * c_tilde[t], role="cell state"),
            Equation(o[t], sigmoid(net("o")), role="gate"),
            Equation(h[t], o[t] * tanh(c[t]), role="hidden state"),
        ],
        inputs=[x],
        title="long short-term memory with forget gate",
        source="Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000",
        options=(("bias", bias),),
    )
