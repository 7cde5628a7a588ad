"""Networks of one layer: wiring, names, order, and what is refused."""

from __future__ import annotations

import pytest
from sympy import Integer

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import Static, Zeros, dim, t
from symrnn.functions import parameter, series, sigmoid, tanh
from symrnn.networks import LOSSES, READOUTS, TASKS, Given, Network, Scan, architecture, name_operands, network
from symrnn.networks.ordering import ordered
from symrnn.times import Order, Span, hull
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric

T, S, H = dim("T"), dim("S"), dim("H")
h, x, q = series("h", "H"), series("x", "D"), series("q", "H")
W = parameter("W", "H", "H")


def written(net):
    return {e.name: str(e) for e in net.equations}


def test_pre_activations_and_inner_values_get_names():
    names = [e.name for e in network(cell("lstm")).equations]
    assert names == ["a_f", "f", "a_i", "i", "a_c", "c_tilde", "c", "a_o", "o", "s_c", "h", "a_y", "y_hat", "ell", "L"]
    assert [e.name for e in network(cell("rnn")).equations][:2] == ["a", "h"]


def test_a_product_that_both_passes_need_gets_a_name():
    assert written(network(cell("gru-reset-after")))["p_n"] == "p_{n,t} = U_n h_{t-1} + b_Un"


def test_what_has_a_name_already_keeps_it():
    a = series("a_h", "H")
    equations = (Equation(a[t], W @ h[t - 1]), Equation(h[t], tanh(a[t])))
    assert name_operands(equations) == equations


def test_names_that_are_taken_are_not_used_again():
    own = Cell("own", [(h[t], tanh(W @ h[t - 1]) + sigmoid(2 * (W @ h[t - 1])))], inputs=[x])
    names = [e.name for e in name_operands(own.equations)]
    assert len(names) == len(set(names)) == 5


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("loss", LOSSES)
def test_tasks_place_inputs_outputs_and_loss(task, loss):
    net = network(cell("rnn"), task=task, loss=loss)
    spans = {g.name: str(g.span) for g in net.givens if g.span is not None}
    x_span = {"one-to-one": "1", "one-to-many": "1"}.get(task, "1…T")
    y_span = {"many-to-one": "T", "one-to-one": "1"}.get(task, "1…T")
    assert spans == {"x": x_span, "h_0": "0", "y": y_span}
    assert net.loss == Static("L")


def test_one_to_many_reads_nothing_or_the_output_after_the_first_time():
    nothing = next(e for e in network(cell("rnn"), task="one-to-many").equations if e.name == "x")
    fed = next(e for e in network(cell("rnn"), task="one-to-many", feed="output").equations if e.name == "x")
    assert nothing.rhs == Zeros(dim("D"), 1)
    assert str(fed) == "x_t = ŷ_{t-1}"
    assert str(fed.span) == "2…T"


def test_losses_in_the_books_form():
    assert written(network(cell("rnn")))["ell"] == "ℓ_t = -y_tᵀ log softmax(a_{y,t})"
    assert written(network(cell("rnn"), loss="squared-error"))["ell"] == "ℓ_t = ½ (ŷ_t - y_t)ᵀ (ŷ_t - y_t)"
    assert "softplus(a_{y,t}) - y_t ⊙ a_{y,t}" in written(network(cell("rnn"), readout="sigmoid"))["ell"]


def test_means_over_time_and_batch():
    assert written(network(cell("rnn"), over_time="mean"))["L"] == "L = (1/T) Σ_{t=1}^T ℓ_t"
    assert "1/B" in written(network(cell("rnn"), over_batch="mean"))["L"]
    masked = written(network(cell("rnn"), over_time="mean", mask=True))
    assert masked["N"] == "N = Σ_{t=1}^T m_t"
    assert "N⁻¹" in masked["L"]


def test_readout_without_bias():
    assert "b_y" not in [g.name for g in network(cell("rnn"), bias=False).givens]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "many-to-on"}, r"^unknown task 'many-to-on'; did you mean many-to-one"),
        ({"loss": "crossentropy"}, r"^unknown loss 'crossentropy'; did you mean cross-entropy"),
        ({"readout": "softmx"}, r"^unknown readout 'softmx'; did you mean softmax\?$"),
        ({"over_time": "avg"}, r"^unknown over_time 'avg'; known: mean, sum$"),
        ({"feed": "outputs", "task": "one-to-many"}, r"^unknown feed 'outputs'; did you mean output\?$"),
        ({"loss": "cross-entropy", "readout": "linear"}, r"^cross-entropy needs a softmax readout; got linear"),
        ({"mask": True, "task": "many-to-one"}, r"^a mask weights the losses of several times"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(SpecError, match=message):
        network(cell("rnn"), **options)


def test_readout_goes_with_the_loss():
    assert set(READOUTS) == {"linear", "sigmoid", "softmax"}
    assert "ŷ_t = σ" in written(network(cell("rnn"), loss="binary-cross-entropy"))["y_hat"]
    assert "ℓ_t = ½" in written(network(cell("rnn"), readout="linear"))["ell"]


def test_a_cell_with_a_name_of_the_readout_is_refused():
    y_hat = series("y_hat", "H")
    own = Cell("own", [(y_hat[t], tanh(W @ y_hat[t - 1]))], inputs=[x])
    with pytest.raises(SpecError, match=r"^cell 'own' uses the name y_hat, which the readout needs; rename it$"):
        network(own)


def test_a_cycle_within_a_step_is_named():
    own = Cell("own", [(q[t], tanh(h[t])), (h[t], tanh(q[t]))], inputs=[x])
    with pytest.raises(SpecError, match=r"^a cycle within a time step: q → h → q; read one of them at t-1 instead$"):
        network(own)
    own = Cell("own", [(h[t], tanh(W @ h[t]))], inputs=[])
    with pytest.raises(SpecError, match=r"^a cycle within a time step: a → h → a; read one of them at t-1 instead$"):
        network(own)


def test_equations_are_sorted_where_they_must_be():
    late, early = Equation(h[t], tanh(q[t])), Equation(q[t], W @ h[t - 1])
    assert ordered([late, early]) == (early, late)


def test_two_equations_for_one_time_are_refused():
    one, two = Equation(h[t], W @ h[t - 1], Span(1, T)), Equation(h[t], W @ h[t - 1], Span(T, T))
    with pytest.raises(SpecError, match=r"^two equations for h at times T; keep one$"):
        Network("n", (Given(W, "parameter"), Given(h, "initial", Span(0, 0))), (Scan((one, two)),), Static("L"))


def test_reading_outside_the_range_is_refused():
    scan = Scan((Equation(h[t], W @ h[t - 1], Span(1, T)),))
    with pytest.raises(SpecError, match=r"^the equation for h reads h at times 0…T - 1, but it is there only at 1…T$"):
        Network("n", (Given(W, "parameter"),), (scan,), Static("L"))


def test_a_network_needs_its_loss():
    with pytest.raises(SpecError, match=r"^the loss L has no equation; add one$"):
        Network("n", (Given(W, "parameter"),), (), Static("L"))


def test_sizes_become_numbers():
    small = network(cell("lstm")).with_sizes({H: Integer(2), T: Integer(3)})
    assert [str(s) for s in small.sizes] == ["D", "K"]
    assert str(small.equations[0].span) == "1…3"


def test_spans_compare_for_long_enough_sequences():
    order = Order()
    assert order.compare(T - 1, Integer(3)) == 1
    assert order.least == {T: 4}
    assert order.sort([T, Integer(1), T - 1, Integer(0)]) == [0, 1, T - 1, T]
    assert order.covers(Span(0, T), Span(1, T - 1))
    assert order.disjoint(Span(1, T - 1), Span(T, T))
    assert [str(s) for s in order.cut(Span(1, T), [Integer(1), T, T + 5])] == ["1…T - 1", "T"]
    assert str(hull([Span(2, T), Span(0, 1)], order)) == "0…T"


def test_a_span_is_cut_where_a_piece_is_empty_in_the_shortest_sequence():
    order = Order()
    assert [str(s) for s in order.cut(Span(1, T), [Integer(2)])] == ["1", "2…T"]
    assert order.least == {T: 1}
    assert [str(s) for s in Order().cut(Span(1, 3), [Integer(3), Integer(4)])] == ["1…2", "3"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("options", [{}, {"merge": "sum", "layers": 2}, {"task": "many-to-one"}])
def test_two_directions_meet_in_sequences_of_one_step(options):
    derivation = derive(architecture("bidirectional", cell("gru"), **options))
    assert dict(derivation.least) == {T: 1}
    report = judge_entrywise(derivation, sizes={"T": 1})
    assert not report.refuted
    assert {f.detail for f in report.undecided} == {"no time at these sizes; give a longer sequence"}
    judge_numeric(to_numpy(derivation), sizes={"T": 1}).assert_ok()


def test_lengths_of_two_sequences_cannot_be_ordered():
    with pytest.raises(SpecError, match=r"^cannot order the times S and T; they belong to sequences of different lengths$"):
        Order().compare(S, T)
