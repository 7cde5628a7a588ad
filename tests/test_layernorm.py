"""Layer normalisation of any cell: the steps of the paper, judged, and against PyTorch's own function."""

from __future__ import annotations

import numpy as np
import pytest
from planted import with_formula
from sympy import Rational, expand

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.codegen import to_numpy
from symrnn.counts import parameter_counts
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell
from symrnn.errors import SpecError
from symrnn.expr import Elementwise, Softmax, Static, dim, t
from symrnn.functions import parameter, series, sigmoid, tanh
from symrnn.layernorm import layer_normalised
from symrnn.networks import network
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.points import default_sizes, random_point

h, x = series("h", "H"), series("x", "D")
W, U, b = parameter("W", "H", "H"), parameter("U", "H", "D"), parameter("b", "H")


def text_of(normal):
    return [str(e) for e in normal.equations]


def test_the_steps_of_the_paper():
    normal = layer_normalised(cell("rnn"))
    assert text_of(normal) == [
        "a_t = W_hh h_{t-1} + W_xh x_t",
        "μ_t = (1/H) 1ᵀ a_t",
        "ã_t = a_t - μ_t 1",
        "var_t = (1/H) ã_tᵀ ã_t",
        "ρ_t = rsqrt(var_t + 1/100000)",
        "â_t = ρ_t ã_t",
        "n_t = g ⊙ â_t + b_h",
        "h_t = tanh(n_t)",
    ]
    assert normal.title.endswith("layer-normalised")
    assert normal.source.endswith("Ba, Kiros & Hinton 2016 (arXiv 1607.06450)")
    assert [e.role for e in normal.equations][:3] == ["pre-activation", "value", "value"]


def test_what_mean_and_variance_receive():
    derivation = derive(network(layer_normalised(cell("rnn"))))
    lines = {line.quantity.key: str(line) for line in derivation.lines if line.quantity.name not in {"h", "L"}}
    assert lines["d_a_hat"] == "δâ_t = δn_t ⊙ g"
    assert lines["d_rho"] == "δρ_t = ã_tᵀ δâ_t"
    assert lines["d_var"] == "δvar_t = -½ δρ_t ρ_t ρ_t ρ_t"
    assert lines["d_a_tilde"] == "δã_t = ρ_t δâ_t + (2/H) δvar_t ã_t"
    assert lines["d_mu"] == "δμ_t = -1ᵀ δã_t"
    assert lines["d_a"] == "δa_t = δã_t + (1/H) δμ_t 1"
    assert lines["d_g"] == "∂L/∂g = Σ_{t=1}^T δn_t ⊙ â_t"
    latex = [writer.latex(e.rhs) for e in derivation.network.equations if e.name == "rho"]
    assert latex == [r"\frac{1}{\sqrt{\mathit{var}_{t} + \frac{1}{100000}}}"]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", CELLS)
def test_every_cell(name):
    plain = cell(name)
    normal = layer_normalised(plain)
    functions = sum(len(e.rhs.atoms(Elementwise)) for e in plain.equations)
    assert 1 <= sum("var" in e.name for e in normal.equations) <= functions
    assert normal.inputs == plain.inputs
    assert normal.output == plain.output
    assert set(plain.states) == set(normal.states)
    assert set(plain.parameters) <= set(normal.parameters)
    judge_entrywise(derive(network(normal, task="many-to-one"))).assert_ok()
    with pytest.raises(SpecError, match=rf"^cell '{name}' has no pre-activation to normalise: no nonlinearity is taken of a matrix product$"):
        layer_normalised(normal)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "lstm-block", "janet"])
def test_judges_agree(name):
    derivation = derive(network(layer_normalised(cell(name))))
    judge_entrywise(derivation).assert_ok()
    program = to_numpy(derivation)
    judge_balls(program).assert_ok()
    judge_numeric(program).assert_ok()


def test_second_order():
    judge_entrywise(derive(hessian_vector_network(derive(network(layer_normalised(cell("rnn"))))))).assert_ok()


@pytest.mark.parametrize(("quantity", "change"), [
    ("var", lambda rhs: -rhs),
    ("a_tilde", lambda rhs: rhs.args[0]),
    ("a", lambda rhs: rhs.args[0]),
    ("rho", lambda rhs: 2 * rhs),
])
def test_the_judge_sees_what_is_forgotten(quantity, change):
    wrong = with_formula(derive(network(layer_normalised(cell("rnn")))), quantity, 0, change)
    found = judge_entrywise(wrong).refuted
    assert [f.quantity.partition(",")[0] for f in found if "is not the derivative" in f.detail] == [writer.text(wrong.adjoint(quantity).lhs)]


def test_gates_of_one_product_are_normalised_apart():
    """The cell with one product, and with a product for each gate, are one cell."""
    fused, apart = (network(layer_normalised(cell(name, bias=True))) for name in ("lstm-block", "lstm"))
    sizes = {"B": 2, "D": 2, "H": 3, "K": 4, "T": 3}
    point = random_point(apart, sizes, np.random.default_rng(0))
    gates = "ifoc"
    joined = {name: value for name, value in point.items() if name not in {p.name for p in apart.parameters} or name in {"W_hy", "b_y"}}
    joined["W"] = np.concatenate([np.concatenate([point[f"W_{k}"], point[f"U_{k}"]], axis=1) for k in gates])
    joined["b"] = np.concatenate([point[f"b_{k}"] for k in gates])
    joined |= {f"g_{'g' if k == 'c' else k}": point[f"g_{k}"] for k in gates}
    loss, gradients = to_numpy(derive(apart)).gradients(point)
    same, theirs = to_numpy(derive(fused)).gradients(joined)
    assert same == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(theirs["x"], gradients["x"], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(theirs["b"], np.concatenate([gradients[f"b_{k}"] for k in gates]), rtol=1e-10, atol=1e-14)


def test_a_named_preactivation_keeps_its_bias_where_others_read_it():
    a, c = series("a", "H"), series("c", "H")
    shared = Cell("shared", [(a[t], W @ h[t - 1] + U @ x[t] + b), (c[t], tanh(a[t])), (h[t], c[t] * a[t])], inputs=[x])
    alone = Cell("alone", [(a[t], W @ h[t - 1] + U @ x[t] + b), (h[t], tanh(a[t]))], inputs=[x])
    assert text_of(layer_normalised(shared))[0] == "a_t = W h_{t-1} + U x_t + b"
    assert "n_t = g ⊙ â_t + b_2" in text_of(layer_normalised(shared))
    assert text_of(layer_normalised(alone))[0] == "a_t = W h_{t-1} + U x_t"
    assert "n_t = g ⊙ â_t + b" in text_of(layer_normalised(alone))


def test_a_number_stands_behind_and_equal_arguments_share_their_normalisation():
    a = W @ h[t - 1] + U @ x[t] + b
    own = Cell("own", [(h[t], sigmoid(a + 1) * h[t - 1] + (1 - sigmoid(a + 1)) * tanh(U @ x[t]))], inputs=[x])
    lines = text_of(layer_normalised(own))
    assert sum(line.startswith("var") for line in lines) == 2
    assert lines[-1].count("σ(n_{h,t} + 1)") == 2
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("n_")] == ["b", "b_h"]  # the second had no bias
    judge_entrywise(derive(network(layer_normalised(own)))).assert_ok()


def test_names_that_are_taken_get_a_number():
    mu, own = series("mu", "H"), parameter("g", "H")
    taken = Cell("taken", [(mu[t], own * x.xreplace({x.shape[0]: h.shape[0]})[t]), (h[t], tanh(W @ h[t - 1] + mu[t]))],
                 inputs=[x.xreplace({x.shape[0]: h.shape[0]})])
    names = {e.name for e in layer_normalised(taken).equations} | {p.name for p in layer_normalised(taken).parameters}
    assert {"mu", "mu_2", "g", "g_2", "b"} <= names


def test_a_softmax_is_a_nonlinearity_too():
    soft = Cell("soft", [(h[t], Softmax(W @ h[t - 1] + U @ x[t], Static("m", (), "H", 1)))], inputs=[x])
    assert text_of(layer_normalised(soft))[-1] == "h_t = softmax(n_t; m)"


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layer_normalised("lstm"), r"^layer_normalised takes a cell; got 'lstm'; write layer_normalised\(cell\('lstm'\)\)$"),
    (lambda: layer_normalised(cell("rnn"), eps=0), r"^eps must be a positive number such as 1e-5 or 1/100000; got 0$"),
    (lambda: layer_normalised(cell("rnn"), eps="many"), r"^eps must be a positive number such as 1e-5 or 1/100000; got 'many'$"),
    (lambda: layer_normalised(Cell("linear", [(h[t], W @ h[t - 1])], inputs=[])), r"^cell 'linear' has no pre-activation to normalise"),
])
def test_what_cannot_be_normalised_is_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_eps_is_exact():
    assert layer_normalised(cell("rnn"), eps=1e-5).equations == layer_normalised(cell("rnn")).equations
    assert layer_normalised(cell("rnn"), eps="1/3").options[-1] == ("layer_norm_eps", Rational(1, 3))


def test_gains_and_biases_are_counted():
    plain, normal = (parameter_counts(c) for c in (cell("lstm"), layer_normalised(cell("lstm"))))
    assert expand(normal.total - plain.total) == 4 * dim("H")


def test_float32_stays_float32():
    program = to_numpy(derive(network(layer_normalised(cell("gru")))))
    point = random_point(program.derivation.network, default_sizes(program.derivation), np.random.default_rng(0), np.float32)
    loss, gradients = program.gradients(point)
    assert {loss.dtype, *(g.dtype for g in gradients.values())} == {np.dtype(np.float32)}


EPS, CLOSE = 1e-5, 1e-11


def norm(torch, a, p, gate):
    return torch.nn.functional.layer_norm(a, a.shape[-1:], p[f"g{gate}"], p[f"b{gate or '_h'}"], EPS)


def rnn_step(torch, p, x, state):
    h = torch.tanh(norm(torch, x @ p["W_xh"].T + state["h"] @ p["W_hh"].T, p, ""))
    return {"h": h}


def lstm_step(torch, p, x, state):
    f, i, c, o = (norm(torch, x @ p[f"U_{k}"].T + state["h"] @ p[f"W_{k}"].T, p, f"_{k}") for k in "fico")
    cell_state = f.sigmoid() * state["c"] + i.sigmoid() * c.tanh()
    return {"h": o.sigmoid() * cell_state.tanh(), "c": cell_state}


def gru_step(torch, p, x, state):
    h = state["h"]
    r, z = (norm(torch, x @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T, p, f"_{k}").sigmoid() for k in "rz")
    new = norm(torch, x @ p["W"].T + (r * h) @ p["U"].T, p, "_h").tanh()
    return {"h": z * h + (1 - z) * new}


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


@pytest.mark.parametrize("name", STEPS)
def test_agrees_with_layer_norm_of_torch(name):
    torch = pytest.importorskip("torch")
    program = to_numpy(derive(network(layer_normalised(cell(name)))))
    sizes = {"B": 3, "D": 2, "H": 5, "K": 4, "T": 6}
    values = random_point(program.derivation.network, sizes, np.random.default_rng(1))
    p = {key: torch.tensor(value).requires_grad_(key != "y") for key, value in values.items()}
    state, logits = {key[0]: p[key] for key in ("h_0", "c_0") if key in p}, []
    for time in range(sizes["T"]):
        state = STEPS[name](torch, p, p["x"][:, time], state)
        logits.append(state["h"] @ p["W_hy"].T + p["b_y"])
    flat = torch.stack(logits, 1).reshape(-1, sizes["K"])
    loss = torch.nn.functional.cross_entropy(flat, p["y"].reshape(-1, sizes["K"]), reduction="sum")
    wanted = [key for key in values if key != "y"]
    expected = dict(zip(wanted, torch.autograd.grad(loss, [p[key] for key in wanted]), strict=True))
    found_loss, found = program.gradients(values)
    assert found_loss == pytest.approx(loss.item(), rel=CLOSE)
    assert found.keys() == expected.keys()
    for key, gradient in expected.items():
        largest = gradient.abs().max().item()
        assert largest > 1e-6
        np.testing.assert_allclose(found[key], gradient.numpy(), rtol=0, atol=CLOSE * largest, err_msg=key)
