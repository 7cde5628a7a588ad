"""Long short-term memory with peepholes: the gates see the cell state.

Sources: F. A. Gers and J. Schmidhuber, Recurrent nets that time and count, IJCNN 2000; this form, with output squashing,
is K. Greff, R. K. Srivastava, J. Koutník, B. R. Steunebrink and J. Schmidhuber, LSTM: a search space odyssey, IEEE TNNLS
28 (2017) 2222-2232, arXiv 1503.04069, section II. The order is theirs; they write ``z`` for ``c̃``, ``y`` for ``h``, ``R`` for
``W`` and ``W`` for ``U``.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import Node, t
from symrnn.functions import parameter, series, sigmoid, tanh

x, h, c = series("x", "D"), series("h", "H"), series("c", "H")
f, i, c_tilde, o = series("f", "H"), series("i", "H"), series("c_tilde", "H"), series("o", "H")


def lstm_peephole(*, bias: bool = True) -> Cell:
    """``p_i ∘ c_{t-1}`` in the input gate, ``p_f ∘ c_{t-1}`` in the forget gate, ``p_o ∘ c_t`` in the output gate.

    Args:
        bias: Whether the four blocks have biases.

    Shapes:
        x_t: D×1; h_t, c_t and the gates: H×1; each W: H×H, each U: H×D, each p and b: H×1.
    """

    def net(gate: str, seen: Node | None = None) -> Node:
        s = parameter(f"W_{gate}", "H", "H") @ h[t - 1] + parameter(f"U_{gate}", "H", "D") @ x[t]
        s = s if seen is None else s + parameter(f"p_{gate}", "H") * seen
        return s + parameter(f"b_{gate}", "H") if bias else s

    return Cell(
        "lstm-peephole",
        [
            Equation(c_tilde[t], tanh(net("c")), role="candidate"),
            Equation(i[t], sigmoid(net("i", c[t - 1])), role="gate"),
            Equation(f[t], sigmoid(net("f", c[t - 1])), role="gate"),
            Equation(c[t], c_tilde[t] * i[t] + c[t - 1] * f[t], role="cell state"),
            Equation(o[t], sigmoid(net("o", c[t])), role="gate"),
            Equation(h[t], tanh(c[t]) * o[t], role="hidden state"),
        ],
        inputs=[x],
        title="long short-term memory with peepholes",
        source="Gers & Schmidhuber 2000; Greff et al. 2017",
        options=(("bias", bias),),
    )
