"""The gated recurrent unit, with the reset gate before or after the product with the state.

Sources: K. Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014, arXiv 1406.1078 v3
(reset before the product); the form with the reset after the product and two biases is that of cuDNN, PyTorch and
Keras (``reset_after=True``), and, without biases, that of v1.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.errors import unknown
from symrnn.expr import Node, Series, t
from symrnn.functions import parameter, series, sigmoid, tanh

x, h = series("x", "D"), series("h", "H")
r, z, h_tilde, n = series("r", "H"), series("z", "H"), series("h_tilde", "H"), series("n", "H")


def mixed(z: Series, new: Series, update_gate: str) -> Node:
    """The new state; ``update_gate`` says what an open gate lets through: the ``old`` state or the ``new`` one."""
    if update_gate == "old":
        return z[t] * h[t - 1] + (1 - z[t]) * new[t]
    if update_gate == "new":
        return (1 - z[t]) * h[t - 1] + z[t] * new[t]
    raise unknown("update gate direction", update_gate, ("old", "new"))


def gru(*, update_gate: str = "old", bias: bool = False) -> Cell:
    """Reset before the product: ``h̃_t = tanh(W x_t + U (r_t ∘ h_{t-1}))``.

    Args:
        update_gate: ``"old"``: ``z`` keeps the old state, as published; ``"new"``: ``z`` lets the new one in.
        bias: Whether there are biases; the paper has none.

    Shapes:
        x_t: D×1; h_t, h̃_t and the gates: H×1; each W: H×D, each U: H×H, each b: H×1.

    Raises:
        SpecError: Unknown direction of the update gate.
    """

    def net(gate: str, state: Node) -> Node:
        a = parameter(f"W{gate}", "H", "D") @ x[t] + parameter(f"U{gate}", "H", "H") @ state
        return a + parameter(f"b{gate or '_h'}", "H") if bias else a

    return Cell(
        "gru",
        [
            Equation(r[t], sigmoid(net("_r", h[t - 1])), role="gate"),
            Equation(z[t], sigmoid(net("_z", h[t - 1])), role="gate"),
            Equation(h_tilde[t], tanh(net("", r[t] * h[t - 1])), role="candidate"),
            Equation(h[t], mixed(z, h_tilde, update_gate), role="hidden state"),
        ],
        inputs=[x],
        title="gated recurrent unit, reset before the product",
        source="Cho et al. 2014 (arXiv 1406.1078 v3)",
        options=(("update_gate", update_gate), ("bias", bias)),
    )


def gru_reset_after(*, update_gate: str = "old", bias: bool = True) -> Cell:
    """Reset after the product: ``n_t = tanh(W_n x_t + b_Wn + r_t ∘ (U_n h_{t-1} + b_Un))``.

    Args:
        update_gate: ``"old"``: ``z`` keeps the old state; ``"new"``: ``z`` lets the new one in (source note 000).
        bias: Whether there are biases: one each for the gates, two for the candidate.

    Shapes:
        x_t: D×1; h_t, n_t and the gates: H×1; each W: H×D, each U: H×H, each b: H×1.

    Raises:
        SpecError: Unknown direction of the update gate.
    """

    def gate(letter: str) -> Node:
        a = parameter(f"W_{letter}", "H", "D") @ x[t] + parameter(f"U_{letter}", "H", "H") @ h[t - 1]
        return a + parameter(f"b_{letter}", "H") if bias else a

    def half(matrix: str, cols: str, vector: Node) -> Node:
        product = parameter(f"{matrix}_n", "H", cols) @ vector
        return product + parameter(f"b_{matrix}n", "H") if bias else product

    return Cell(
        "gru-reset-after",
        [
            Equation(r[t], sigmoid(gate("r")), role="gate"),
            Equation(z[t], sigmoid(gate("z")), role="gate"),
            Equation(n[t], tanh(half("W", "D", x[t]) + r[t] * half("U", "H", h[t - 1])), role="candidate"),
            Equation(h[t], mixed(z, n, update_gate), role="hidden state"),
        ],
        inputs=[x],
        title="gated recurrent unit, reset after the product",
        source="cuDNN, PyTorch, Keras reset_after=True; Cho et al. 2014 (arXiv 1406.1078 v1, without biases)",
        options=(("update_gate", update_gate), ("bias", bias)),
    )
