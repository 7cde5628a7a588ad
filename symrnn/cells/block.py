"""The simple recurrent network and the LSTM with one parameter matrix each, as block products.

Sources: the LSTM as one product, J. Johnson, S. Yeung and F.-F. Li, CS231n lecture 10 (source note 004); the simple
recurrent network as ``[W_hh W_xh b_h] [h_{t-1}; x_t; 1]``, source note 001.
"""

from __future__ import annotations

from symrnn.equations import Cell, Equation
from symrnn.expr import Node, Ones, Rows, dim, t
from symrnn.functions import elementwise, parameter, series, sigmoid, stack, tanh

D, H = dim("D"), dim("H")
x, h, c, a = series("x", D), series("h", H), series("c", H), series("a", 4 * H)
i, f, o, g = series("i", H), series("f", H), series("o", H), series("g", H)


def rnn_block(*, activation: str = "tanh", bias: bool = True) -> Cell:
    """``h_t = φ(W [h_{t-1}; x_t; 1])`` with ``W = [W_hh W_xh b_h]``.

    Args:
        activation: A name of the activation table, or ``phi`` for one that is left open.
        bias: Whether ``W`` has a last column that is multiplied by 1.

    Shapes:
        x_t: D×1, h_t: H×1, W: H×(H+D+1), or H×(H+D) without bias.

    Raises:
        SpecError: Unknown activation.
    """
    phi = elementwise(activation)
    column = stack(h[t - 1], x[t], Ones(1, 1)) if bias else stack(h[t - 1], x[t])
    W = parameter("W", H, column.shape[0])
    return Cell(
        "rnn-block",
        [Equation(h[t], phi(W @ column), role="hidden state")],
        inputs=[x],
        title="simple recurrent network with one parameter matrix",
        source="Elman 1990; source note 001",
        options=(("activation", activation), ("bias", bias)),
    )


def lstm_block(*, bias: bool = True) -> Cell:
    """``(i; f; o; g) = (σ; σ; σ; tanh) W (h_{t-1}; x_t)``.

    Args:
        bias: Whether there is a bias; the lecture leaves it out.

    Shapes:
        x_t: D×1; h_t, c_t and the gates: H×1; a_t: 4H×1, W: 4H×(H+D), b: 4H×1.
    """
    net = parameter("W", 4 * H, H + D) @ stack(h[t - 1], x[t])

    def block(number: int) -> Node:
        return Rows(a[t], number * H, (number + 1) * H)

    return Cell(
        "lstm-block",
        [
            Equation(a[t], net + parameter("b", 4 * H) if bias else net, role="pre-activation"),
            Equation(i[t], sigmoid(block(0)), role="gate"),
            Equation(f[t], sigmoid(block(1)), role="gate"),
            Equation(o[t], sigmoid(block(2)), role="gate"),
            Equation(g[t], tanh(block(3)), role="candidate"),
            Equation(c[t], f[t] * c[t - 1] + i[t] * g[t], role="cell state"),
            Equation(h[t], o[t] * tanh(c[t]), role="hidden state"),
        ],
        inputs=[x],
        title="long short-term memory as one block product",
        source="Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000; CS231n lecture 10 (source note 004)",
        options=(("bias", bias),),
    )
