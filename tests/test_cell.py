"""Cells: what is found in the equations, and what is refused."""

from __future__ import annotations

import pytest
from sympy import Integer

from symrnn.cells import CELLS, cell
from symrnn.equations import Cell, Equation, as_equation
from symrnn.errors import SpecError
from symrnn.expr import Product, dim, t
from symrnn.functions import elementwise, parameter, sigmoid, tanh
from symrnn.functions import series as make

D, H = dim("D"), dim("H")
x, h, q = make("x", "D"), make("h", "H"), make("q", "H")
W, U, b = parameter("W", "H", "H"), parameter("U", "H", "D"), parameter("b", "H")


@pytest.mark.parametrize(
    ("name", "states", "count"),
    [("rnn", ["h"], 3), ("lstm", ["c", "h"], 12), ("gru", ["h"], 6), ("gru-reset-after", ["h"], 10)],
)
def test_states_and_parameters_are_found_in_the_equations(name, states, count):
    built = cell(name)
    assert [s.name for s in built.states] == states
    assert len(built.parameters) == count
    assert [i.name for i in built.inputs] == ["x"]
    assert built.output.name == "h"
    assert built.source


def test_the_equations_are_those_of_the_papers():
    assert [str(e) for e in cell("lstm", bias=False).equations] == [
        "f_t = σ(W_f h_{t-1} + U_f x_t)",
        "i_t = σ(W_i h_{t-1} + U_i x_t)",
        "c̃_t = tanh(W_c h_{t-1} + U_c x_t)",
        "c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t",
        "o_t = σ(W_o h_{t-1} + U_o x_t)",
        "h_t = o_t ⊙ tanh(c_t)",
    ]
    assert str(cell("gru").equations[2]) == "h̃_t = tanh(W x_t + U (r_t ⊙ h_{t-1}))"
    assert str(cell("gru").equations[3]) == "h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t"
    assert str(cell("gru-reset-after", update_gate="new").equations[3]) == "h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t"


@pytest.mark.parametrize("activation", ["relu", "softplus", "elu", "leaky_relu", "sin", "identity", "phi", "sigmoid"])
def test_rnn_takes_any_activation(activation):
    built = cell("rnn", activation=activation, bias=False)
    argument = parameter("W_hh", "H", "H") @ h[t - 1] + parameter("W_xh", "H", "D") @ x[t]
    assert built.equations[0].rhs == elementwise(activation)(argument)


def test_scalar_is_a_size():
    scalar = cell("rnn").with_sizes({H: Integer(1), D: Integer(1)})
    assert str(scalar.equations[0]) == "h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h)"
    assert scalar.parameters[0].shape == (1, 1)


@pytest.mark.parametrize(
    ("make_cell", "message"),
    [
        (lambda: Cell("c", [], inputs=[x]), r"^cell 'c' has no equations"),
        (lambda: Cell("c", [h[t]], inputs=[x]), r"^an equation is a pair \(h\[t\], formula\)"),
        (lambda: Cell("c", [(h[t], tanh(q[t]))], inputs=[x]),
         r"^cell 'c': the equation for h reads q_t, which nobody defines; add an equation"),
        (lambda: Cell("c", [(h[t], tanh(W @ q[t - 1]))], inputs=[x]),
         r"^cell 'c': the equation for h reads q_\{t-1\}, a state that is never updated; add an equation for q\[t\]$"),
        (lambda: Cell("c", [(h[t], tanh(h[t - 1])), (h[t], h[t - 1])], inputs=[x]),
         r"^cell 'c': two equations for h; keep one of them$"),
        (lambda: Cell("c", [(x[t], U.T @ h[t - 1]), (h[t], U @ x[t])], inputs=[x]),
         r"^cell 'c': x is an input and has an equation"),
        (lambda: Cell("c", [(h[t], h[t + 1])], inputs=[x]), r"^cell 'c': the equation for h reads h_\{t\+1\}; within a cell"),
        (lambda: Cell("c", [(h[t], U @ x[t])], inputs=[x], output=q), r"^cell 'c': the output q has no equation"),
        (lambda: Cell("c", [(h[t], parameter("h", "H", "D") @ x[t])], inputs=[x]),
         r"^cell 'c': two quantities are called h; rename one of them$"),
        (lambda: Cell("c", [(h[t], W @ make("z", "H")[t]), (make("z", "D")[t], x[t])], inputs=[x]),
         r"^cell 'c': the equation for h reads z_t of size H, but z has size D elsewhere$"),
        (lambda: Equation(h[t], x[t]), r"^h_t has shape H×1, but its equation gives D×1$"),
        (lambda: Equation(h[t - 1], b), r"^an equation defines a value at the generic t; got h_\{t-1\}$"),
        (lambda: Equation(b + b, b), r"^the left side of an equation must be a quantity such as h\[t\]"),
        (lambda: Equation(h[t], 3), r"^the right side of the equation for h must be a formula; got 3$"),
        (lambda: cell("lstn"), r"^unknown cell 'lstn'; did you mean lstm\?$"),
        (lambda: cell("rnn", activation="tnh"), r"^unknown activation 'tnh'; did you mean"),
        (lambda: cell("gru", update_gate="odl"), r"^unknown update gate direction 'odl'; did you mean old\?$"),
        (lambda: cell("lstm", activation="tanh"), r"^cell 'lstm' does not take these options: activation"),
    ],
)
def test_what_is_wrong_is_named(make_cell, message):
    with pytest.raises(SpecError, match=message):
        make_cell()


def test_pairs_become_equations():
    assert as_equation((h[t], W @ h[t - 1])) == Equation(h[t], Product(W, h[t - 1]))


def test_own_cell_in_a_few_lines():
    z = make("z", "H")
    own = Cell(
        "leaky", [(z[t], sigmoid(U @ x[t] + b)), (h[t], z[t] * h[t - 1] + (1 - z[t]) * tanh(W @ h[t - 1]))], inputs=[x]
    )
    assert [s.name for s in own.states] == ["h"]
    assert [p.name for p in own.parameters] == ["U", "b", "W"]
    assert "own" not in CELLS
