"""Other networks are new wiring and no new engine: two layers, both directions, attention; by hand where no item is."""

from __future__ import annotations

import pytest
from sympy import Integer

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import (
    At,
    Static,
    StopGradient,
    Total,
    dim,
    t,
    time_sum,
)
from symrnn.functions import parameter, series, tanh
from symrnn.networks import Given, Network, Scan, architecture
from symrnn.networks.wiring import Attention, Embedding, Input, Last, Layer, Merge, Previous, Readout, Tokens, wire
from symrnn.printing import render
from symrnn.times import Span
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric

T, S = dim("T"), dim("S")


def bidirectional(kind: str) -> Network:
    return wire(
        Input("x"), Layer("f", cell(kind)), Layer("b", cell(kind), direction="backward"), Readout(reads=("f", "b")),
    )


def stacked(lower: str, upper: str) -> Network:
    return wire(Input("x"), Layer("l1", cell(lower)), Layer("l2", cell(upper), reads="l1"), Readout(reads="l2"))


def attention(kind: str = "rnn") -> Network:
    """Encoder of length S, decoder of length T that starts at the encoder's last state and attends to all of them."""
    return wire(
        Input("x", length="S"), Layer("e", cell(kind)), Tokens("w"), Embedding("u"),
        Attention("ctx", query="s", over="e"), Layer("s", cell(kind), reads=("u", "ctx"), starts="e"), Readout(reads="s"),
    )


def truncated(window: int = 2) -> Network:
    """The state carried over, but not differentiated, from the second window on: a stopped gradient at one time."""
    h, x = series("h", "H"), series("x", "D")
    w, u = parameter("W", "H", "H"), parameter("U", "H", "D")
    cut = Integer(window) + 1
    equations = [
        Equation(h[t], tanh(w @ h[t - 1] + u @ x[t]), Span(1, window)),
        Equation(h[t], tanh(w @ StopGradient(h[t - 1]) + u @ x[t]), Span(cut, cut)),
        Equation(h[t], tanh(w @ h[t - 1] + u @ x[t]), Span(cut + 1, T)),
    ]
    return Network(
        "truncated",
        (Given(w, "parameter"), Given(u, "parameter"), Given(x, "input", Span(1, T)), Given(h, "initial", Span(0, 0))),
        (Scan(tuple(equations)), Equation(Static("L"), time_sum(Total(h[t] * h[t]), 1, T), None, "loss")), Static("L"),
    )


WIRED = {
    "bidirectional rnn": lambda: bidirectional("rnn"),
    "bidirectional gru": lambda: bidirectional("gru"),
    "two layers of rnn": lambda: stacked("rnn", "rnn"),
    "gru on lstm": lambda: stacked("lstm", "gru"),
    "encoder-decoder with attention": attention,
    "truncated": truncated,
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", WIRED)
def test_judges_agree_with_the_rules_on_other_wirings(name):
    derivation = derive(WIRED[name]())
    judge_entrywise(derivation).assert_ok()
    program = to_numpy(derivation)
    numeric = judge_numeric(program)
    assert numeric.findings
    assert not numeric.refuted
    assert all(f.detail.endswith("install PyTorch to compare with autograd") for f in numeric.undecided)
    judge_balls(program).assert_ok()


def test_adjoint_scan_of_a_backward_scan_runs_forward():
    backward = derive(bidirectional("rnn")).as_network()
    steps = [block.step for block in backward.blocks if isinstance(block, Scan)]
    assert steps == [1, -1, 1, -1, 1, -1, -1]  # forward, backward, readout; then readout, backward, forward, inputs


def test_backward_scan_receives_from_the_step_before():
    lines = derive(bidirectional("rnn")).adjoint("h_b").lines
    assert any(str(line.rhs) == "[W_hyᵀ δa_{y,t}]_{H+1:2H} + W_{hh,b}ᵀ δa_{b,t-1}" for line in lines)


def test_a_read_at_a_fixed_time_adds_its_term_at_that_time_only():
    lines = derive(attention()).adjoint("h_e").lines
    assert [str(line.span) for line in lines] == ["0", "1…S - 1", "S"]
    assert "δh_{s,0}" in str(lines[-1].rhs)
    assert "δh_{s,0}" not in str(lines[-2].rhs)


def test_a_whole_sequence_passes_its_columns_back():
    line = derive(attention()).adjoint("h_e").lines[1]
    assert "[∂L/∂E]_{:,t}" in str(line.rhs)


def test_size_of_the_result_does_not_depend_on_the_length():
    network = stacked("lstm", "lstm")
    counts = {
        length: sum(1 for line in derive(network.with_sizes({T: length})).lines for _ in line.rhs.atoms(At))
        for length in (10, 1000)
    }
    assert counts[10] == counts[1000]


def test_scan_in_the_wrong_order_is_refused():
    network = stacked("rnn", "rnn")
    with pytest.raises(SpecError, match=r"^the equation for L reads ell, which a later scan computes; put that scan before it$"):
        Network("wrong", network.givens, tuple(reversed(network.blocks)), Static("L"))


def test_reading_what_a_scan_computes_later_is_refused():
    h, w = series("h", "H"), parameter("W", "H", "H")
    with pytest.raises(SpecError, match=r"^h reads h_\{t\+1\} in a forward scan, which computes it only later$"):
        Network(
            "wrong", (Given(w, "parameter"), Given(h, "initial", Span(T + 1, T + 1))),
            (Scan((Equation(h[t], w @ h[t + 1], Span(1, T)),)), Equation(Static("L"), Total(h[1]))), Static("L"),
        )


@pytest.mark.parametrize(("direction", "end"), [("forward", S), ("backward", Integer(1))])
def test_states_start_where_the_other_scan_ends(direction: str, end: object) -> None:
    net = wire(
        Input("x", length="S"), Input("u"), Layer("e", cell("lstm"), direction=direction),
        Layer("d", cell("lstm"), reads="u", starts="e"), Readout(reads="d"),
    )
    starts = {e.lhs.series.name: e.rhs for e in net.equations if e.role == "initial state"}
    assert {name: (value.series.name, value.time) for name, value in starts.items()} == {
        "c_d": ("c_e", end), "h_d": ("h_e", end)}


def test_a_masked_softmax_is_explained() -> None:
    def text(**options: bool) -> str:
        return " ".join(render(derive(architecture("encoder-decoder", cell("rnn"), attention="dot", **options))).split())

    said = "With a mask m, entry i of softmax(a; m) is m_i exp(a_i) / Σ_j m_j exp(a_j)."
    assert said in text(source_mask=True)
    assert "softmax(a; m)" not in text()


def test_what_is_given_at_the_first_time_may_be_looked_back_at() -> None:
    net = wire(
        Input("x"), Previous("p", reads="x"), Previous("q", reads="p"), Layer("l1", cell("rnn"), reads=("x", "p", "q")),
        Readout(reads="l1"),
    )
    assert [(g.name, str(g.span)) for g in net.givens if g.kind in {"input", "initial"}] == [
        ("x", "1…T"), ("p", "1"), ("q", "1"), ("h_0", "0")]
    judge_entrywise(derive(net)).assert_ok()
    first = wire(Input("x", first=True), Previous("p", reads="x"), Layer("l1", cell("rnn"), reads=("x", "p")), Readout(reads="l1"))
    judge_entrywise(derive(first)).assert_ok()


def test_an_image_is_the_initial_state_of_the_lowest_layer() -> None:
    net = architecture("captioning", cell("gru"), layers=2, image="state")
    assert [(e.name, e.rhs.name) for e in net.equations if e.role == "initial state"] == [("h_dec_l1", "v_h")]


@pytest.mark.parametrize("how", ["concat", "sum"])
def test_a_merge_of_both_directions_ends_where_each_ends(how):
    both = (Layer("fw", cell("rnn")), Layer("bw", cell("rnn"), direction="backward"), Merge("both", reads=("fw", "bw"), how=how))
    net = wire(Input("x"), *both, Last("end", reads="both"), Readout(reads="end"))
    end = next(e for e in net.equations if e.name == "end")
    assert str(end.rhs) == {"concat": "[h_{fw,T}; h_{bw,1}]", "sum": "h_{fw,T} + h_{bw,1}"}[how]
    judge_entrywise(derive(net)).assert_ok()


def test_a_merge_of_one_direction_ends_by_its_own_name():
    both = (Layer("one", cell("rnn")), Layer("two", cell("rnn")), Merge("both", reads=("one", "two")))
    net = wire(Input("x"), *both, Last("end", reads="both"), Readout(reads="end"))
    assert str(next(e for e in net.equations if e.name == "end").rhs) == "both_T"


def test_a_letter_is_a_time():
    net = wire(Input("x"), Layer("l", cell("rnn")), Readout(reads="l", times=(2, "T")))
    assert [str(e.span) for e in net.equations if e.name == "y_hat"] == ["2", "T"]
    one = wire(Input("x"), Layer("l", cell("rnn")), Readout(reads="l", times="T"))
    assert [str(e.span) for e in one.equations if e.name == "y_hat"] == ["T"]
