"""The derivation: textbook lines, boundaries, justification, independence of the length, second order."""

from __future__ import annotations

import pickle

import pytest
from sympy import Integer, preorder_traversal

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import Node, Static, Total, Zeros, dim, t, time_sum
from symrnn.functions import series
from symrnn.networks import Given, Network, Scan, architecture, network
from symrnn.rewrite import collected, local_derivative
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of
from symrnn.vjp import BY_NAME

T, H = dim("T"), dim("H")


def lines(name, **options):
    """Printed lines by quantity: a dict of range to formula."""
    wiring = {k: options.pop(k) for k in ("task", "loss", "mask", "over_time", "feed", "readout") if k in options}
    assume = options.pop("assume", True)
    out = {}
    for line in derive(network(cell(name, **options), **wiring), assume=assume).lines:
        out.setdefault(str(line.lhs.key), {})[str(line.span)] = writer.text(line.rhs)
    return out


def test_rnn_is_the_recursion_of_the_books():
    found = lines("rnn")
    assert found["d_a_y_t"] == {"1…T": "ŷ_t - y_t"}
    assert found["d_h_t"] == {
        "0": "W_hhᵀ δa_{t+1}", "1…T - 1": "W_hyᵀ δa_{y,t} + W_hhᵀ δa_{t+1}", "T": "W_hyᵀ δa_{y,t}",
    }
    assert found["d_a_t"] == {"1…T": "δh_t ⊙ (1 - h_t ⊙ h_t)"}
    assert found["d_W_hh"] == {"None": "Σ_{t=1}^T δa_t h_{t-1}ᵀ"}
    assert found["d_W_xh"] == {"None": "Σ_{t=1}^T δa_t x_tᵀ"}
    assert found["d_b_h"] == {"None": "Σ_{t=1}^T δa_t"}
    assert found["d_x_t"] == {"1…T": "W_xhᵀ δa_t"}


def test_lstm_is_the_recursion_of_the_books():
    found = lines("lstm")
    assert found["d_c_t"] == {
        "0": "δc_{t+1} ⊙ f_{t+1}",
        "1…T - 1": "δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t}) + δc_{t+1} ⊙ f_{t+1}",
        "T": "δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t})",
    }
    assert found["d_a_f_t"] == {"1…T": "δf_t ⊙ f_t ⊙ (1 - f_t)"}
    assert found["d_f_t"] == {"1…T": "δc_t ⊙ c_{t-1}"}
    assert found["d_W_f"] == {"None": "Σ_{t=1}^T δa_{f,t} h_{t-1}ᵀ"}


def test_gru_collects_the_two_paths_of_the_update_gate():
    assert lines("gru")["d_z_t"] == {"1…T": "δh_t ⊙ (h_{t-1} - h̃_t)"}
    assert lines("gru", update_gate="new")["d_z_t"] == {"1…T": "δh_t ⊙ (h̃_t - h_{t-1})"}


def test_unspecified_activation_prints_its_derivative():
    assert lines("rnn", activation="phi")["d_a_t"] == {"1…T": "δh_t ⊙ φ′(a_t)"}


def test_many_to_one_starts_at_the_last_time():
    found = lines("rnn", task="many-to-one")
    assert found["d_h_t"] == {"0": "W_hhᵀ δa_{t+1}", "1…T - 1": "W_hhᵀ δa_{t+1}", "T": "W_hyᵀ δa_{y,t}"}
    assert found["d_W_hy"] == {"None": "δa_{y,T} h_Tᵀ"}


def test_cross_entropy_needs_a_distribution_and_says_so():
    net = network(cell("rnn"))
    assumed, general = derive(net), derive(net, assume=False)
    assert [str(c.lhs) for c in assumed.conditions] == ["1ᵀ y_t"]
    assert general.conditions == ()
    assert "1ᵀ y_t" in str(general.adjoint("a_y").lines[0].rhs)
    assert str(assumed.adjoint("a_y").lines[0].rhs) == "ŷ_t - y_t"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"readout": "sigmoid"}, "ŷ_t - y_t"),
        ({"over_time": "mean"}, "(1/T) (ŷ_t - y_t)"),
    ],
)
def test_other_losses_come_out_of_the_same_rules(options, line):
    assert lines("rnn", **options)["d_a_y_t"] == {"1…T": line}


def test_squared_error_keeps_its_readout():
    assert lines("rnn", readout="linear")["d_y_hat_t"] == {"1…T": "ŷ_t - y_t"}


def test_feeding_the_output_back_adds_a_path():
    found = lines("rnn", task="one-to-many", feed="output")
    assert found["d_y_hat_t"] == {"1…T - 1": "δx_{t+1}", "T": "0"}
    assert found["d_a_y_t"]["1…T"].startswith("ŷ_t - y_t + ŷ_t ⊙ (δŷ_t - 1 ")


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_each_step_names_reader_rule_and_local_derivative(name):
    for adjoint in derive(network(cell(name))).adjoints:
        for contribution in adjoint.contributions:
            step = contribution.step
            read = {quantity_of(leaf) for leaf in leaves(step.reader.rhs)}
            assert quantity_of(step.operand) in read
            assert all(rule in BY_NAME for rule in step.rules if rule != "identity")
            assert step.local is None or step.local.shape == (step.received.shape[0], step.operand.shape[0])


def test_local_derivatives_are_the_jacobians_of_the_books():
    derivation = derive(network(cell("rnn")))
    found = {str(c.step.operand): str(c.step.local) for c in derivation.adjoint("a").contributions}
    assert found == {"a_t": "diag(1 - h_t ⊙ h_t)"}
    found = {str(c.step.operand): str(c.step.local) for c in derivation.adjoint("h").contributions}
    assert found == {"h_t": "W_hy", "h_tm1": "W_hh"}


def test_local_derivative_of_what_is_no_column_is_left_out():
    g = Static("g", (), "H", 1)
    assert local_derivative(g @ Static("x", (), "D", 1).T, g) is None
    assert str(local_derivative(2 * g + Static("A", (), "K", "H").T @ Static("B", (), "K", "H") @ g, g).shape) == "(H, H)"


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_size_does_not_depend_on_the_length(name):
    def size(net):
        return sum(1 for line in derive(net).lines for _ in preorder_traversal(line.rhs) if isinstance(_, Node))

    net = network(cell(name))
    assert size(net) == size(net.with_sizes({T: Integer(5)})) == size(net.with_sizes({T: Integer(5000)}))


def test_one_gradient_with_what_leads_to_it():
    derivation = derive(network(cell("lstm"))).leading_to("W_f")
    names = [a.of.name for a in derivation.adjoints]
    assert names[-1] == "W_f"
    assert "x" not in names
    assert "U_f" not in names
    readout = derive(network(cell("lstm"))).leading_to("b_y")
    assert [a.of.name for a in readout.adjoints] == ["a_y", "b_y"]


def test_gradients_by_name():
    derivation = derive(network(cell("rnn")))
    assert str(derivation.gradient("W_hh")) == "Σ_{t=1}^T δa_t h_{t-1}ᵀ"
    assert str(derivation.gradient("h_0")) == "W_hhᵀ δa_1"
    assert str(derivation.gradient("x")) == "W_xhᵀ δa_t"
    assert derivation.gradient("W_hh").shape == (H, H)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("y", r"^no gradient is taken in y, a target; choose one of W_hh"),
        ("W_hx", r"^unknown quantity 'W_hx'; did you mean W_"),
        ("banana", r"^unknown quantity 'banana'; known: "),
    ],
)
def test_what_has_no_gradient_is_refused(name, message):
    derivation = derive(network(cell("rnn")))
    with pytest.raises(SpecError, match=message):
        derivation.gradient(name)
    with pytest.raises(SpecError, match=message):
        derivation.leading_to(name)


def test_a_gradient_of_several_lines_is_read_as_lines():
    from_feed = derive(network(cell("rnn"), task="one-to-many", feed="output"))
    assert str(from_feed.gradient("x")) == "W_xhᵀ δa_1"
    x = series("x", "D")
    loss = Equation(Static("L"), time_sum(Total(x[t]), 1, T) + Total(x[T] * x[T]))
    two = derive(Network("two", (Given(x, "input", Span(1, T)),), (loss,), Static("L")))
    assert [str(line) for line in two.adjoint("x").lines] == ["δx_t = 1", "δx_t = 1 + 2 x_T"]
    with pytest.raises(NotSupportedError, match=r"^∂L/∂x has 2 lines for different times; read adjoint\('x'\)\.lines$"):
        two.gradient("x")


def test_deriving_twice_gives_equal_objects():
    assert derive(network(cell("gru"))) == derive(network(cell("gru")))
    assert pickle.loads(pickle.dumps(derive(network(cell("rnn"))))) == derive(network(cell("rnn")))


def test_a_parameter_without_influence_has_gradient_zero():
    net = network(cell("rnn"), task="one-to-one")
    derivation = derive(net.with_sizes({}))
    assert not isinstance(derivation.gradient("W_hh"), Zeros)
    stopped = derive(network(cell("rnn"), task="one-to-many"))
    assert str(stopped.adjoint("x").lines[0].span) == "1"


def test_forward_and_backward_pass_are_one_network_again():
    whole = derive(network(cell("lstm"))).as_network()
    assert [b.step for b in whole.blocks if isinstance(b, Scan)] == [1, -1, -1]
    assert {q.key for q in whole.outputs} >= {"d_W_f", "d_x", "d_h"}


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_derivations_can_be_derived_again(name):
    second = derive(hessian_vector_network(derive(network(cell(name)))))
    assert second.order == 2
    assert {g.name for g in second.wanted} >= {p.name for p in network(cell(name)).parameters}
    direction = second.gradient(f"v_{network(cell(name)).parameters[0].name}")
    assert direction.orders == (1,)  # ∂s/∂v is the gradient itself


def test_common_factors_are_collected_only_from_adjoints():
    a, b, c = (Static(n, (), "H", 1) for n in "abc")
    delta = Static("d", (1,), "H", 1)
    assert collected(a * b - a * c) == a * b - a * c
    assert collected(delta * b - delta * c) == delta * (b - c)
    assert collected(delta + delta * c) == delta * (1 + c)
    assert collected(a / T - b / T) == (a - b) / T
    assert collected(a) == a


def test_least_length_is_kept():
    assert dict(derive(network(cell("rnn"))).least) == {T: 1}
    assert dict(derive(hessian_vector_network(derive(network(cell("rnn"))))).least) == {T: 1}
    assert dict(derive(architecture("single", cell("rnn"), times=(3, "T"))).least)[T] == 4
    assert t.is_integer
