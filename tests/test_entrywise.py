from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from planted import derived, second_order, with_formula
from sympy import Rational, sqrt

import symrnn.verify
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Equation
from symrnn.errors import DataError, NotSupportedError, SpecError
from symrnn.expr import Columns, Gather, Rows, Softmax, Static, StopGradient, Total, dim, t, time_sum
from symrnn.expr.operators import Operators
from symrnn.functions import FUNCTION_NAMES, parameter, phi, series, stack, tanh
from symrnn.networks import TASKS, Given, Network, Scan, network
from symrnn.times import Span
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.entrywise.printed import EVALUATIONS

T, S, H = (dim(letter) for letter in "TSH")
W_hh, h = parameter("W_hh", "H", "H"), series("h", "H")
LOSSES = ("squared-error", "binary-cross-entropy", "cross-entropy")


def assert_agrees(derivation, **options):
    report = judge_entrywise(derivation, **options)
    report.assert_ok()
    assert len(report.findings) == len(derivation.lines)
    return report


# What is right agrees.


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("task", TASKS)
def test_cells_and_tasks(name, task):
    assert_agrees(derived(name, task=task))


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("loss", LOSSES)
def test_outputs_that_are_fed_back(name, loss):
    assert_agrees(derived(name, task="one-to-many", feed="output", loss=loss))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("over_time", ["sum", "mean"])
def test_losses_masks_and_means(loss, mask, over_time):
    assert_agrees(derived("rnn", loss=loss, mask=mask, over_time=over_time, over_batch="mean", bias=False))


@pytest.mark.parametrize("readout", ["sigmoid", "softmax"])
def test_squared_error_behind_a_function(readout):
    assert_agrees(derived("gru", readout=readout, loss="squared-error"))


@pytest.mark.parametrize("activation", [*FUNCTION_NAMES, "phi"])
def test_activations(activation):
    assert_agrees(derive(network(cell("rnn", activation=activation))))


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", CELLS)
def test_second_order_of_cells(name):
    assert_agrees(second_order(name))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("activation", ["phi", "elu", "softplus", "sin", "log"])
def test_second_order_of_activations(activation):
    assert_agrees(derive(hessian_vector_network(derive(network(cell("rnn", activation=activation), task="many-to-one")))))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("sizes", [{"T": 1}, {"T": 2}, {"T": 7, "H": 3, "D": 2, "K": 4}, {"H": 1, "D": 1, "K": 1}])
def test_sizes_that_are_asked_for(sizes):
    report = judge_entrywise(derived("lstm"), sizes=sizes)
    assert not report.refuted
    assert all(f"{letter} = {value}" in report.compared for letter, value in sizes.items())


def test_without_the_relation_of_the_targets():
    loose = derive(network(cell("rnn")), assume=False)
    assert loose.conditions == ()
    assert_agrees(loose)


def test_many_points():
    one, three = (float(judge_entrywise(derived("gru"), points=n).means.split("below ")[1].split(":")[0]) for n in (1, 3))
    assert 0 < three < one**2 < one < 1e-6


def test_the_same_seed_gives_the_same_report():
    wrong = with_formula(derived("gru"), "h", 1, lambda rhs: -rhs)
    first, second = (judge_entrywise(wrong, seed=3) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)


# Networks with everything.


def squared(o, y):
    return Rational(1, 2) * ((o - y).T @ (o - y))


def bidirectional():
    x, g, a, y, o, ell, s = (
        series(n, k) for n, k in
        [("x", "D"), ("g", "H"), ("a", "H"), ("y", "K"), ("o", "K"), ("ell", 1), ("s", 2 * H)]
    )
    U, W_g, U_g, W_o, V = (
        parameter(n, *k) for n, *k in
        [("U", "H", "D"), ("W_g", "H", "H"), ("U_g", "H", "D"), ("W_o", "K", 2 * H), ("V", "K", "H")]
    )
    each, loss = Span(1, T), Static("L")
    return Network(
        "bidirectional",
        (
            *(Given(p, "parameter") for p in (W_hh, U, W_g, U_g, W_o, V)), Given(x, "input", each),
            Given(h, "initial", Span(0, 0)), Given(g, "initial", Span(T + 1, T + 1)), Given(y, "target", each),
        ),
        (
            Scan((Equation(a[t], W_hh @ h[t - 1] + U @ x[t], each), Equation(h[t], tanh(a[t]), each))),
            Scan((Equation(g[t], phi(W_g @ g[t + 1] + U_g @ x[t]), each),), -1),
            Scan((
                Equation(s[t], stack(h[t], g[t]), each),
                Equation(o[t], W_o @ s[t] + V @ Rows(s[t], H, 2 * H), each),
                Equation(ell[t], squared(o[t], y[t]), each),
            )),
            Equation(loss, time_sum(ell[t], 1, T)),
        ),
        loss,
    )


def attention(stop=StopGradient):
    x, g, q, alpha, c, w, y, o, ell = (
        series(n, k) for n, k in [
            ("x", "D"), ("g", "H"), ("q", "H"), ("alpha", "S"), ("c", "H"), ("w", 1), ("y", "K"), ("o", "K"), ("ell", 1),
        ]
    )
    U, W_q, V, table, E = (
        parameter(n, *k) for n, *k in
        [("U", "H", "D"), ("W_q", "H", "H"), ("V", "K", "H"), ("M", "D", "V"), ("E", "H", "S")]
    )
    source, each, loss = Span(1, S), Span(1, T), Static("L")
    return Network(
        "attention",
        (
            *(Given(p, "parameter") for p in (W_hh, U, W_q, V, table)), Given(w, "integer", source),
            Given(h, "initial", Span(0, 0)), Given(y, "target", each),
        ),
        (
            Scan((
                Equation(x[t], Gather(table, w[t]), source),
                Equation(h[t], tanh(W_hh @ h[t - 1] + U @ x[t]), source),
            )),
            Equation(E, Columns(h[t], t, 1, S)),
            Scan((
                Equation(g[t], h[S], Span(0, 0)),
                Equation(q[t], tanh(W_q @ g[t - 1]), each),
                Equation(alpha[t], Softmax(1 / sqrt(H) * (E.T @ q[t])), each),
                Equation(c[t], E @ alpha[t], each),
                Equation(g[t], tanh(c[t] + stop(W_q @ g[t - 1]) * q[t]), each),
                Equation(o[t], V @ g[t], each),
                Equation(ell[t], Total((o[t] - y[t]) * (o[t] - y[t])), each),
            )),
            Equation(loss, time_sum(ell[t], 1, T)),
        ),
        loss,
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize("make", [bidirectional, attention])
def test_scans_sequences_and_lookups_to_second_order(make):
    first = derive(make())
    assert_agrees(first)
    assert_agrees(derive(hessian_vector_network(first)))


def test_a_gradient_that_passes_a_stop_is_refuted():
    passing = derive(attention(stop=lambda node: node))
    assert_agrees(passing)
    report = judge_entrywise(replace(passing, network=attention()))
    assert "∂L/∂W_q" in [f.quantity for f in report.refuted]


def test_a_size_under_a_root_that_has_none():
    with pytest.raises(NotSupportedError, match=r"^√3 has no value modulo 2\^61 - 1; give the size under the root another"):
        judge_entrywise(derive(attention()), sizes={"H": 3})


# Input, and what the report says.


@pytest.mark.parametrize(("sizes", "kind", "message"), [
    ({"Q": 3}, SpecError, r"^unknown size 'Q'; "),
    ({"H": 0}, DataError, r"^the size H must be a whole number of at least 1; got 0$"),
    ({"T": 2.5}, DataError, r"^the size T must be a whole number of at least 1; got 2\.5$"),
])
def test_wrong_sizes(sizes, kind, message):
    with pytest.raises(kind, match=message):
        judge_entrywise(derived(), sizes=sizes)


def test_no_points():
    with pytest.raises(DataError, match=r"^the entrywise judge needs at least 1 point; got 0$"):
        judge_entrywise(derived(), points=0)


def test_a_relation_that_cannot_be_drawn():
    y = series("y", "K")
    relation = derived().conditions[0]
    curved = replace(derived(), conditions=(replace(relation, lhs=Total(y[t] * y[t])),))
    with pytest.raises(NotSupportedError, match=r"^cannot draw numbers with .* = 1 at t = 1; a relation must be linear"):
        judge_entrywise(curved)


def test_the_report_says_what_agreement_means():
    report = judge_entrywise(derived("lstm", over_batch="mean"))
    assert report.judge == "entrywise"
    assert "accumulated forward" in report.compared
    assert "T = 3" in report.compared
    assert "probability of error below" in report.means
    assert "2^61 - 1" in report.means
    assert all(words in report.blind for words in ("other sizes", "numerical stability", "nobody declared"))
    assert report.findings[0].detail == "1 entry at 3 times"


def test_sizes_are_different():
    sizes = dict(part.split(" = ") for part in judge_entrywise(derived("lstm")).compared.split(" at ")[-1].split(", "))
    assert len({sizes[letter] for letter in "DHK"}) == 3


# The judge does not know the accused.


def test_every_node_type_has_an_evaluation():
    abstract = {"Node", "Leaf"}
    assert {kind.__name__ for kind in EVALUATIONS} == Operators.registry.keys() - abstract


@pytest.mark.parametrize("module", [
    "judge", "lines", "unrolled", "printed", "scalars", "modular", "degrees", "drawing", "sizes", "../work",
])
def test_the_judge_imports_no_rule(module):
    tree = ast.parse((Path(symrnn.verify.__file__).parent / "entrywise" / f"{module}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {"errors", "activations", "expr", "traverse", "times", "equations", "networks", "networks.graph", "derivation"}
    own = {name.removeprefix("symrnn.") for name in imported if name.startswith("symrnn.")}
    assert {name for name in own if not name.startswith("verify.")} <= allowed
    assert all(name.startswith(("verify.entrywise.", "verify.report", "verify.work")) for name in own if name.startswith("verify."))
