"""The published cells: their equations, plain NumPy against the generated code, block products against gates."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Integer, Rational, expand

import symrnn
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.codegen import to_numpy
from symrnn.equations import Cell
from symrnn.errors import SpecError
from symrnn.expr import Rows, dim, t
from symrnn.functions import parameter, series, sigmoid, stack, tanh
from symrnn.networks import network
from symrnn.networks.naming import name_operands
from symrnn.verify.points import random_point

D, H = dim("D"), dim("H")
SIZES = {"B": 2, "T": 4, "D": 3, "H": 5, "K": 7}

EQUATIONS = {
    "rnn-block": ["h_t = tanh(W [h_{t-1}; x_t; 1])"],
    "indrnn": ["h_t = ReLU(W x_t + u ⊙ h_{t-1} + b)"],
    "lstm-block": [
        "a_t = W [h_{t-1}; x_t] + b", "i_t = σ([a_t]_{1:H})", "f_t = σ([a_t]_{H+1:2H})", "o_t = σ([a_t]_{2H+1:3H})",
        "g_t = tanh([a_t]_{3H+1:4H})", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t", "h_t = o_t ⊙ tanh(c_t)",
    ],
    "lstm-peephole": [
        "c̃_t = tanh(W_c h_{t-1} + U_c x_t + b_c)",
        "i_t = σ(W_i h_{t-1} + U_i x_t + p_i ⊙ c_{t-1} + b_i)",
        "f_t = σ(W_f h_{t-1} + U_f x_t + p_f ⊙ c_{t-1} + b_f)",
        "c_t = c̃_t ⊙ i_t + c_{t-1} ⊙ f_t",
        "o_t = σ(W_o h_{t-1} + U_o x_t + p_o ⊙ c_t + b_o)",
        "h_t = tanh(c_t) ⊙ o_t",
    ],
    "lstm-coupled": [
        "i_t = σ(W_i h_{t-1} + U_i x_t + b_i)", "f_t = 1 - i_t", "c̃_t = tanh(W_c h_{t-1} + U_c x_t + b_c)",
        "c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t", "o_t = σ(W_o h_{t-1} + U_o x_t + b_o)", "h_t = o_t ⊙ tanh(c_t)",
    ],
    "mgu": [
        "f_t = σ(W_f [h_{t-1}; x_t] + b_f)", "h̃_t = tanh(W_h [f_t ⊙ h_{t-1}; x_t] + b_h)",
        "h_t = (1 - f_t) ⊙ h_{t-1} + f_t ⊙ h̃_t",
    ],
    "janet": [
        "s_t = U_f h_{t-1} + W_f x_t + b_f", "c̃_t = tanh(U_c h_{t-1} + W_c x_t + b_c)",
        "c_t = σ(s_t) ⊙ c_{t-1} + (1 - σ(s_t - 1)) ⊙ c̃_t", "h_t = c_t",
    ],
    "ugrnn": [
        "c_t = tanh(W_ch h_{t-1} + W_cx x_t + b_c)", "g_t = σ(W_gh h_{t-1} + W_gx x_t + b_g)",
        "h_t = g_t ⊙ h_{t-1} + (1 - g_t) ⊙ c_t",
    ],
}
COUNTS = {
    "rnn": H * (D + H + 1), "rnn-block": H * (D + H + 1), "indrnn": H * (D + 2), "lstm": 4 * H * (D + H + 1),
    "lstm-block": 4 * H * (D + H + 1), "lstm-peephole": 4 * H * (D + H + 1) + 3 * H, "lstm-coupled": 3 * H * (D + H + 1),
    "gru": 3 * H * (D + H), "gru-reset-after": 3 * H * (D + H + 1) + H, "mgu": 2 * H * (D + H + 1),
    "janet": 2 * H * (D + H + 1), "ugrnn": 2 * H * (D + H + 1),
}


def logistic(z):
    return 1 / (1 + np.exp(-z))


def step_rnn_block(p, x, s):
    return {"h": np.tanh(p["W"] @ np.concatenate([s["h"], x, [1]]))}


def step_indrnn(p, x, s):
    return {"h": np.maximum(p["W"] @ x + p["u"] * s["h"] + p["b"], 0)}


def step_lstm_block(p, x, s):
    i, f, o, g = np.split(p["W"] @ np.concatenate([s["h"], x]) + p["b"], 4)
    c = logistic(f) * s["c"] + logistic(i) * np.tanh(g)
    return {"c": c, "h": logistic(o) * np.tanh(c)}


def gate(p, name, x, s):
    return p[f"W_{name}"] @ s["h"] + p[f"U_{name}"] @ x + p[f"b_{name}"]


def step_lstm_peephole(p, x, s):
    i = logistic(gate(p, "i", x, s) + p["p_i"] * s["c"])
    f = logistic(gate(p, "f", x, s) + p["p_f"] * s["c"])
    c = f * s["c"] + i * np.tanh(gate(p, "c", x, s))
    return {"c": c, "h": logistic(gate(p, "o", x, s) + p["p_o"] * c) * np.tanh(c)}


def step_lstm_coupled(p, x, s):
    i = logistic(gate(p, "i", x, s))
    c = (1 - i) * s["c"] + i * np.tanh(gate(p, "c", x, s))
    return {"c": c, "h": logistic(gate(p, "o", x, s)) * np.tanh(c)}


def step_mgu(p, x, s):
    f = logistic(p["W_f"] @ np.concatenate([s["h"], x]) + p["b_f"])
    new = np.tanh(p["W_h"] @ np.concatenate([f * s["h"], x]) + p["b_h"])
    return {"h": (1 - f) * s["h"] + f * new}


def step_janet(p, x, s):
    net = p["U_f"] @ s["h"] + p["W_f"] @ x + p["b_f"]
    new = np.tanh(p["U_c"] @ s["h"] + p["W_c"] @ x + p["b_c"])
    c = logistic(net) * s["c"] + (1 - logistic(net - 1)) * new
    return {"c": c, "h": c}


def step_ugrnn(p, x, s):
    c = np.tanh(p["W_ch"] @ s["h"] + p["W_cx"] @ x + p["b_c"])
    g = logistic(p["W_gh"] @ s["h"] + p["W_gx"] @ x + p["b_g"])
    return {"h": g * s["h"] + (1 - g) * c}


STEPS = {
    "rnn-block": step_rnn_block, "indrnn": step_indrnn, "lstm-block": step_lstm_block, "lstm-peephole": step_lstm_peephole,
    "lstm-coupled": step_lstm_coupled, "mgu": step_mgu, "janet": step_janet, "ugrnn": step_ugrnn,
}


def program_of(name, **options):
    return to_numpy(derive(network(cell(name, **options), loss="squared-error")))


def point_of(program, seed=0):
    return random_point(program.derivation.network, SIZES, np.random.default_rng(seed), np.float64)


@pytest.mark.parametrize("name", EQUATIONS)
def test_equations_are_those_of_the_source(name):
    assert [str(e) for e in cell(name).equations] == EQUATIONS[name]


@pytest.mark.parametrize("name", CELLS)
def test_numbers_of_parameters(name):
    found = sum((p.shape[0] * p.shape[1] for p in cell(name).parameters), Integer(0))
    assert expand(found - COUNTS[name]) == 0


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_has_title_source_and_no_bias_without(name):
    made = cell(name, bias=False)
    assert made.name == name
    assert made.title
    assert any(year in made.source for year in ("1990", "1997", "2014", "2016", "2017", "2018"))
    assert not [p for p in made.parameters if p.name.startswith("b")]
    assert dict(made.options)["bias"] is False


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", STEPS)
def test_generated_loss_is_that_of_a_plain_loop(name):
    program = program_of(name)
    values = point_of(program)
    states = [q.name for q in cell(name).states]
    total = 0.0
    for n in range(SIZES["B"]):
        state = {q: values[f"{q}_0"][n] for q in states}
        for x, y in zip(values["x"][n], values["y"][n], strict=True):
            state = STEPS[name](values, x, state)
            total += 0.5 * np.sum((values["W_hy"] @ state["h"] + values["b_y"] - y) ** 2)
    assert program.gradients(values)[0] == pytest.approx(total, rel=1e-13)


def lstm_as_block(values):
    """The parameters of the gates as one matrix and one bias, in the order of the block."""
    gates = ("i", "f", "o", "c")
    rows = [np.concatenate([values[f"W_{k}"], values[f"U_{k}"]], axis=1) for k in gates]
    return {"W": np.concatenate(rows), "b": np.concatenate([values[f"b_{k}"] for k in gates])}


def rnn_as_block(values):
    """``[W_hh W_xh b_h]``."""
    return {"W": np.concatenate([values["W_hh"], values["W_xh"], values["b_h"][:, None]], axis=1)}


@pytest.mark.parametrize(("name", "block", "as_block"), [
    ("lstm", "lstm-block", lstm_as_block), ("rnn", "rnn-block", rnn_as_block),
])
def test_blocks_have_the_gradients_of_the_gates(name, block, as_block):
    gates, blocks = program_of(name), program_of(block)
    values = point_of(gates, seed=3)
    loss, gradients = gates.gradients(values)
    same_loss, whole = blocks.gradients({**{k: values[k] for k in values if k in point_of(blocks)}, **as_block(values)})
    assert same_loss == pytest.approx(loss, rel=1e-14)
    for parameter_name, expected in as_block(gradients).items():
        np.testing.assert_allclose(whole[parameter_name], expected, rtol=1e-12, atol=1e-14)
        assert np.all(np.abs(expected) > 0)
    for shared in gradients.keys() & whole.keys():
        np.testing.assert_allclose(whole[shared], gradients[shared], rtol=1e-12, atol=1e-14)
    assert {"x", "h_0", "W_hy"} <= gradients.keys() & whole.keys()


def test_peepholes_that_are_closed_give_the_lstm():
    plain, open_ = program_of("lstm"), program_of("lstm-peephole")
    values = point_of(plain, seed=5)
    closed = {f"p_{k}": np.zeros(SIZES["H"]) for k in "ifo"}
    loss, gradients = plain.gradients(values)
    same_loss, whole = open_.gradients({**values, **closed})
    assert same_loss == pytest.approx(loss, rel=1e-14)
    for name in gradients:
        np.testing.assert_allclose(whole[name], gradients[name], rtol=1e-12, atol=1e-14)


def test_the_adjoint_of_a_block_is_one_column():
    derivation = derive(network(cell("lstm-block")))
    (line,) = derivation.adjoint("a").lines
    assert str(line) == (
        "δa_t = [δi_t ⊙ i_t ⊙ (1 - i_t); δf_t ⊙ f_t ⊙ (1 - f_t); δo_t ⊙ o_t ⊙ (1 - o_t); δg_t ⊙ (1 - g_t ⊙ g_t)]"
    )
    assert symrnn.render(derivation, format="latex").count(r"\begin{bmatrix} \delta i_{t}") == 1
    assert str(derivation.gradient("W")) == "Σ_{t=1}^T δa_t [h_{t-1}; x_t]ᵀ"
    assert str(derivation.adjoint("h").lines[0]) == "δh_t = [Wᵀ δa_{t+1}]_{1:H}"
    assert str(derive(network(cell("rnn-block"))).gradient("W")) == "Σ_{t=1}^T δa_t [h_{t-1}; x_t; 1]ᵀ"


def test_slices_of_a_block_product_share_its_name():
    x, h, c = series("x", D), series("h", H), series("c", H)
    net = parameter("W", 2 * H, H + D) @ stack(h[t - 1], x[t])
    own = Cell("own", [(c[t], sigmoid(Rows(net, 0, H))), (h[t], c[t] * tanh(Rows(net, H, 2 * H)))], inputs=[x])
    assert [str(e) for e in name_operands(own.equations)] == [
        "a_t = W [h_{t-1}; x_t]", "c_t = σ([a_t]_{1:H})", "s_{a,t} = tanh([a_t]_{H+1:2H})", "h_t = c_t ⊙ s_{a,t}",
    ]


def test_a_formula_that_occurs_twice_has_one_name():
    x, h, c = series("x", D), series("h", H), series("c", H)
    U, W = parameter("U", H, D), parameter("W", H, H)
    own = Cell("own", [(c[t], tanh(U @ x[t])), (h[t], tanh(U @ x[t]) * c[t] + W @ h[t - 1] + tanh(c[t]) * tanh(c[t]))], inputs=[x])
    named = [str(e) for e in name_operands(own.equations)]
    assert sum("U x_t" in line for line in named) == 1
    assert sum("tanh(c_t)" in line for line in named) == 1


def test_a_size_is_read_off_a_multiple():
    h, a = series("h", 2 * H), series("a", 4 * H)
    W = parameter("W", 4 * H, 2 * H)
    own = Cell("own", [(a[t], W @ h[t - 1]), (h[t], Rows(a[t], 0, 2 * H) + Rows(tanh(a[t]), 2 * H, 4 * H))], inputs=[])
    program = to_numpy(derive(network(own)))
    assert "H = W.shape[0] // 4" in program.source
    loss, gradients = program.gradients(point_of(program))
    assert np.isfinite(loss)
    assert gradients["W"].shape == (4 * SIZES["H"], 2 * SIZES["H"])


@pytest.mark.parametrize(("given", "value"), [(0, "0"), (0.5, "1/2"), ("1/3", "1/3"), (Rational(2, 7), "2/7"), (-2, "-2")])
def test_janet_takes_any_number(given, value):
    (line,) = [str(e) for e in cell("janet", beta=given).equations if e.name == "c"]
    shown = {"0": "s_t", "1/2": "s_t - ½", "1/3": "s_t - 1/3", "2/7": "s_t - 2/7", "-2": "s_t + 2"}[value]
    assert line == f"c_t = σ(s_t) ⊙ c_{{t-1}} + (1 - σ({shown})) ⊙ c̃_t"


@pytest.mark.parametrize("given", ["one", "nan", "oo", None, float("inf"), "1/0"])
def test_janet_refuses_what_is_no_number(given):
    with pytest.raises(SpecError, match=r"^beta must be a finite number such as 1, 0\.5 or 1/3; got "):
        cell("janet", beta=given)


@pytest.mark.parametrize("name", ["rnn", "rnn-block", "ugrnn", "indrnn"])
def test_activations(name):
    assert "φ(" in str(cell(name, activation="phi").equations[0])
    with pytest.raises(SpecError, match=r"^unknown activation 'tahn'; did you mean tanh"):
        cell(name, activation="tahn")


def test_options_of_another_cell_are_refused():
    with pytest.raises(SpecError, match=r"^cell 'mgu' does not take these options: activation "):
        cell("mgu", activation="relu")


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("value", ["no", 0, None])
def test_a_switch_is_true_or_false(name, value):
    with pytest.raises(SpecError, match=rf"^cell '{name}': bias is True or False; got {value!r}$"):
        cell(name, bias=value)
