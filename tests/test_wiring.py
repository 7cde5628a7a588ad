"""Other networks are new wiring and no new engine: a bidirectional RNN, two layers, an encoder-decoder, attention."""

from __future__ import annotations

import pytest
from sympy import Integer

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import (
    At,
    Columns,
    Gather,
    LogSoftmax,
    Ones,
    Series,
    Softmax,
    Static,
    StopGradient,
    Total,
    bound_index,
    dim,
    t,
    time_sum,
)
from symrnn.functions import parameter, series, tanh
from symrnn.networks import Given, Network, Relation, Scan, name_operands
from symrnn.times import Span
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric

T, S = dim("T"), dim("S")


def layer(source: Cell, mark: str, reads: Series, span: Span, step: int = 1) -> tuple[list[Equation], list[Given], Series]:
    """A cell as one layer: its names marked, its input replaced, its past turned round for a backward scan."""
    split = name_operands(source.equations)
    own = {e.quantity: Series(f"{e.name}_{mark}", (), *e.quantity.shape) for e in split}
    names = {p: Static(f"{p.name}_{mark}", (), *p.shape) for p in source.parameters}
    names = {p: q.xreplace({dim("D"): reads.shape[0]}) for p, q in names.items()}
    swap = {**own, **names, source.inputs[0]: reads}
    equations = []
    for e in split:
        rhs = e.rhs
        for leaf in rhs.atoms(At) if step == -1 else ():
            rhs = rhs.xreplace({leaf: leaf.series[t - (leaf.time - t)]})
        equations.append(Equation(e.lhs.xreplace(swap), rhs.xreplace(swap), span, e.role))
    before = span.lo - 1 if step == 1 else span.hi + 1
    givens = [Given(p, "parameter") for p in names.values()]
    givens += [Given(own[q], "initial", Span(before, before)) for q in source.states]
    return equations, givens, own[source.output]


def readout(*states: Series) -> tuple[list[Equation], list[Given]]:
    """Softmax readout of one or two series, with cross-entropy at each time."""
    a, y_hat, y, ell = (series(n, size) for n, size in (("a_y", "K"), ("y_hat", "K"), ("y", "K"), ("ell", 1)))
    weights = [parameter(f"V_{k}", "K", s.shape[0]) for k, s in enumerate(states)]
    logits = sum((w @ s[t] for w, s in zip(weights[1:], states[1:], strict=True)), weights[0] @ states[0][t])
    equations = [
        Equation(a[t], logits, Span(1, T)),
        Equation(y_hat[t], Softmax(a[t]), Span(1, T)),
        Equation(ell[t], -(y[t].T @ LogSoftmax(a[t])), Span(1, T)),
    ]
    return equations, [*(Given(w, "parameter") for w in weights), Given(y, "target", Span(1, T))]


def loss() -> Equation:
    return Equation(Static("L"), time_sum(series("ell", 1)[t], 1, T), None, "loss")


def simplex() -> tuple[Relation, ...]:
    return (Relation(Total(series("y", "K")[t]), Ones(1, 1)),)


def bidirectional(kind: str) -> Network:
    x = series("x", "D")
    forward, given_f, h_f = layer(cell(kind), "f", x, Span(1, T))
    backward, given_b, h_b = layer(cell(kind), "b", x, Span(1, T), step=-1)
    ends, given_y = readout(h_f, h_b)
    return Network(
        "bidirectional", (Given(x, "input", Span(1, T)), *given_f, *given_b, *given_y),
        (Scan(tuple(forward)), Scan(tuple(backward), -1), Scan(tuple(ends)), loss()), Static("L"), simplex(),
    )


def stacked(lower: str, upper: str) -> Network:
    x = series("x", "D")
    first, given_1, h_1 = layer(cell(lower), "1", x, Span(1, T))
    second, given_2, h_2 = layer(cell(upper), "2", h_1, Span(1, T))
    ends, given_y = readout(h_2)
    return Network(
        "stacked", (Given(x, "input", Span(1, T)), *given_1, *given_2, *given_y),
        (Scan((*first, *second, *ends)), loss()), Static("L"), simplex(),
    )


def attention(kind: str = "rnn") -> Network:
    """Encoder of length S, decoder of length T that starts at the encoder's last state and attends to all of them."""
    x, tokens = series("x", "D"), series("w", 1)
    encoder, given_e, h_e = layer(cell(kind), "e", x, Span(1, S))
    table = parameter("E_w", "D", "V")
    s, c, alpha, emb = series("s", "H"), series("ctx", "H"), series("alpha", S), series("u", "D")
    w_s, w_c, w_u = parameter("W_s", "H", "H"), parameter("W_c", "H", "H"), parameter("W_u", "H", "D")
    k = bound_index(1)
    keys = Static("keys", (), "H", S)
    decoder = name_operands([
        Equation(emb[t], Gather(table, tokens[t]), Span(1, T)),
        Equation(alpha[t], Softmax(keys.T @ s[t - 1]), Span(1, T)),
        Equation(c[t], keys @ alpha[t], Span(1, T)),
        Equation(s[t], tanh(w_s @ s[t - 1] + w_c @ c[t] + w_u @ emb[t]), Span(1, T)),
    ])
    ends, given_y = readout(s)
    return Network(
        "attention",
        (
            Given(x, "input", Span(1, S)), Given(tokens, "integer", Span(1, T)), *given_e,
            *(Given(p, "parameter") for p in (table, w_s, w_c, w_u)), *given_y,
        ),
        (
            Scan(tuple(encoder)),
            Equation(keys, Columns(h_e[k], k, 1, S)),
            Scan((Equation(s[t], h_e[S], Span(0, 0)), *decoder, *ends)),
            loss(),
        ),
        Static("L"), simplex(),
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
    assert any(str(line.rhs) == "V_1ᵀ δa_{y,t} + W_{hh,b}ᵀ δa_{b,t-1}" for line in lines)


def test_a_read_at_a_fixed_time_adds_its_term_at_that_time_only():
    lines = derive(attention()).adjoint("h_e").lines
    assert [str(line.span) for line in lines] == ["0", "1…S - 1", "S"]
    assert "δs_0" in str(lines[-1].rhs)
    assert "δs_0" not in str(lines[-2].rhs)


def test_a_whole_sequence_passes_its_columns_back():
    line = derive(attention()).adjoint("h_e").lines[1]
    assert "[∂L/∂keys]_{:,t}" in str(line.rhs)


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
