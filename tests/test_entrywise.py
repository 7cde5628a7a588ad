from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sympy import Rational, sqrt

import symrnn.verify
from symrnn.activations import ACTIVATIONS
from symrnn.bptt import derive
from symrnn.cell import Cell, Equation
from symrnn.cells import CELLS, cell
from symrnn.derivation import hessian_vector_network
from symrnn.errors import DataError, NotSupportedError, SpecError
from symrnn.expr import (
    Columns,
    Gather,
    Plus,
    Rows,
    Series,
    Softmax,
    Static,
    StopGradient,
    TimeSum,
    Total,
    Transposed,
    Zeros,
    dim,
    t,
    time_sum,
)
from symrnn.expr.operators import Operators
from symrnn.functions import FUNCTION_NAMES, parameter, phi, series, stack, tanh
from symrnn.network import TASKS, Given, Network, Scan, network
from symrnn.times import Span
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.printed import EVALUATIONS

T, S, H = (dim(letter) for letter in "TSH")
W_hh, h = parameter("W_hh", "H", "H"), series("h", "H")
LOSSES = ("squared-error", "binary-cross-entropy", "cross-entropy")


@cache
def derived(name="rnn", **options):
    return derive(network(cell(name), **options))


@cache
def second_order(name="rnn", **options):
    return derive(hessian_vector_network(derived(name, **options)))


def assert_agrees(derivation, **options):
    report = judge_entrywise(derivation, **options)
    report.assert_ok()
    assert len(report.findings) == len(derivation.lines)
    return report


def with_lines(derivation, name, change):
    """Return the derivation with the lines of one adjoint replaced by ``change(lines)``."""
    chosen = derivation.adjoint(name)
    changed = replace(chosen, lines=tuple(change(list(chosen.lines))))
    return replace(derivation, adjoints=tuple(changed if a is chosen else a for a in derivation.adjoints))


def with_formula(derivation, name, number, change):
    """Return the derivation with the right side of one line replaced by ``change(rhs)``."""

    def changed(lines):
        line = lines[number]
        lines[number] = replace(line, rhs=change(line.rhs))
        assert lines[number].rhs != line.rhs
        return lines

    return with_lines(derivation, name, changed)


def assert_refuted(derivation, quantity, detail=r"entry \(\d+, \d+\).* is not the derivative", **options):
    """The finding that names the quantity is refuted for its own formula, and no other is."""
    report = judge_entrywise(derivation, **options)
    assert not report.ok
    own = [f for f in report.refuted if not f.detail.startswith("right in itself")]
    assert [f.quantity for f in own] == [quantity]
    assert re.fullmatch(detail, own[0].detail)
    return report


# What is right agrees.


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("task", TASKS)
def test_cells_and_tasks(name, task):
    assert_agrees(derived(name, task=task))


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


@pytest.mark.parametrize("name", CELLS)
def test_second_order_of_cells(name):
    assert_agrees(second_order(name))


@pytest.mark.parametrize("activation", ["phi", "elu", "softplus", "sin", "log"])
def test_second_order_of_activations(activation):
    assert_agrees(derive(hessian_vector_network(derive(network(cell("rnn", activation=activation), task="many-to-one")))))


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


# Planted errors are refuted, by name.


def test_wrong_sign():
    report = assert_refuted(with_formula(derived(), "a", 0, lambda rhs: -rhs), "δa_t, t = 1…T")
    through = next(f for f in report.refuted if f.quantity == "∂L/∂W_hh")
    assert through.detail == "right in itself, but reads d_a at t = 1, which is wrong"
    assert "δℓ_t, t = 1…T" in [f.quantity for f in report.findings if f.verdict == "agrees"]


@pytest.mark.parametrize("number", [0, 1])
def test_lost_transpose_of_a_square_matrix(number):
    wrong = with_formula(derived(), "h", number, lambda rhs: rhs.xreplace({Transposed(W_hh): W_hh}))
    assert_refuted(wrong, f"δh_t, t = {('0', '1…T - 1')[number]}")


def test_swapped_gates():
    f, i = series("f", "H"), series("i", "H")
    wrong = with_formula(derived("lstm"), "c", 1, lambda rhs: rhs.xreplace({f[t + 1]: i[t + 1]}))
    assert_refuted(wrong, "δc_t, t = 1…T - 1")


def test_swapped_gates_in_a_weight_gradient():
    d_f, d_i = Series("a_f", (1,), "H"), Series("a_i", (1,), "H")
    wrong = with_formula(derived("lstm"), "U_f", 0, lambda rhs: rhs.xreplace({d_f: d_i}))
    assert_refuted(wrong, "∂L/∂U_f")


@pytest.mark.parametrize("name", CELLS)
def test_missing_carry(name):
    wrong = with_formula(derived(name), "h", 1, lambda rhs: Plus(*rhs.args[:-1]))
    assert_refuted(wrong, "δh_t, t = 1…T - 1", r"entry \(1, 1\) at t = 1 is not the derivative")


def test_wrong_only_at_the_initial_state():
    assert_refuted(with_formula(derived("lstm"), "c", 0, lambda rhs: 2 * rhs), "δc_t, t = 0")


@pytest.mark.parametrize("boundary", ["first", "last"])
def test_wrong_only_at_a_boundary(boundary):
    first, last = (Span(1, 1), Span(2, T)) if boundary == "first" else (Span(1, T - 1), Span(T, T))

    def split(lines):
        before, after = (replace(lines[0], span=span) for span in (first, last))
        return [replace(before, rhs=2 * before.rhs), after] if boundary == "first" else [before, replace(after, rhs=2 * after.rhs)]

    assert_agrees(with_lines(derived("gru"), "z", lambda lines: [replace(lines[0], span=first), replace(lines[0], span=last)]))
    at = {"first": 1, "last": 3}[boundary]
    quantity = {"first": "δz_t, t = 1", "last": "δz_t, t = T"}[boundary]
    assert_refuted(with_lines(derived("gru"), "z", split), quantity, rf"entry \(1, 1\) at t = {at} is not the derivative")


def test_wrong_factor_in_the_derivative_of_an_output():
    a = derived().adjoint("a").lines[0].rhs
    assert_refuted(with_formula(derived(), "a", 0, lambda rhs: Rational(3, 2) * a), "δa_t, t = 1…T")


@pytest.mark.parametrize("lo, hi", [(2, T), (1, T - 1)])
def test_a_time_sum_that_misses_a_term(lo, hi):
    def shorter(rhs):
        body, index, *_ = rhs.args
        return TimeSum(body, index, lo, hi)

    assert_refuted(with_formula(derived("gru"), "U_r", 0, shorter), "∂L/∂U_r")


def test_truncation_is_refuted_however_small_the_missing_terms_are():
    def truncated(rhs):
        body, index, *_ = rhs.args
        return TimeSum(body, index, T - 3, T)

    assert_refuted(with_formula(derived(), "W_hh", 0, truncated), "∂L/∂W_hh", sizes={"T": 12})


@pytest.mark.parametrize("number", range(5))
def test_each_missing_term_at_second_order(number):
    wrong = with_formula(second_order(), "h", 1, lambda rhs: Plus(*(x for k, x in enumerate(rhs.args) if k != number)))
    assert_refuted(wrong, "δ²h_t, t = 1…T - 1")


def test_wrong_only_at_second_order_in_a_weight():
    wrong = with_formula(second_order(), "W_hh", 0, lambda rhs: Plus(*rhs.args[1:]))
    assert_refuted(wrong, "δ²W_hh")


def test_a_relation_that_nobody_declared():
    bare = replace(derived(), conditions=())
    assert_refuted(bare, "δa_{y,t}, t = 1…T")


@pytest.mark.parametrize("name", [*(n for n in FUNCTION_NAMES if n != "identity"), "reciprocal"])
def test_a_wrong_row_of_the_table_is_caught(name, monkeypatch):
    row = ACTIVATIONS[name]
    monkeypatch.setitem(ACTIVATIONS, name, replace(row, derivative=lambda z, s: 2 * row.derivative(z, s)))
    x, a = series("x", "H"), series("a", "H")
    own = Cell("own", [Equation(a[t], W_hh @ h[t - 1] + x[t]), Equation(h[t], a[t].apply(name))], inputs=[x])
    assert_refuted(derive(network(own, loss="squared-error")), "δa_t, t = 1…T")


def test_a_wrong_sign_of_a_derivative_in_its_output_is_caught(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "tanh", replace(ACTIVATIONS["tanh"], derivative=lambda z, s: 1 + s * s))
    assert_refuted(derive(network(cell("rnn"))), "δa_t, t = 1…T")


# What is missing, twice there, or circular.


def without(derivation, name):
    chosen = derivation.adjoint(name)
    return replace(derivation, adjoints=tuple(a for a in derivation.adjoints if a is not chosen))


def test_a_missing_gradient():
    assert_refuted(without(derived(), "W_xh"), "the gradient in W_xh", r"no line is printed")


def test_a_missing_line():
    report = judge_entrywise(with_lines(derived(), "h", lambda lines: lines[1:]))
    assert [(f.quantity, f.detail) for f in report.refuted] == [("d_h", "no line holds at t = 0")]


def test_an_adjoint_that_is_read_but_not_printed():
    report = judge_entrywise(without(derived(), "a"))
    own = {f.quantity: f.detail for f in report.refuted}
    assert own["∂L/∂W_hh"] == "it reads d_a at t = 1, which is not there"


def test_two_lines_for_one_time():
    twice = with_lines(derived(), "h", lambda lines: [*lines, replace(lines[-1], span=Span(T - 1, T - 1))])
    details = [f.detail for f in judge_entrywise(twice).refuted]
    assert details.count("2 lines for d_h at t = 2; one must go") == 2


def test_a_line_that_reads_itself_is_no_derivation():
    report = judge_entrywise(with_formula(derived(), "h", 1, lambda rhs: Series("h", (1,), "H")[t]))
    found = next(f for f in report.refuted if f.quantity == "δh_t, t = 1…T - 1")
    assert found.detail == "its lines read each other in a circle: d_h at t = 1 → d_h at t = 1"


def test_a_read_beyond_the_last_time():
    following = Series("h", (1,), "H")[t + 1]
    report = judge_entrywise(with_formula(derived(), "h", 2, lambda rhs: rhs + following))
    assert next(f for f in report.refuted if f.quantity == "δh_t, t = T").detail == "it reads d_h at t = 4, which is not there"


def test_a_line_at_a_time_without_the_quantity():
    longer = with_lines(derived(), "x", lambda lines: [replace(lines[0], span=Span(0, T))])
    assert_refuted(longer, "δx_t, t = 0…T", r"d_x is not the adjoint of a quantity of the network at t = 0")


@pytest.mark.parametrize("orders", [(), (2,)])
def test_a_line_for_what_is_no_adjoint(orders):
    other = Equation(Static("b_h", orders, "H"), Zeros(H, 1))
    added = with_lines(derived(), "b_h", lambda lines: [*lines, other])
    report = judge_entrywise(added)
    assert [f.detail for f in report.refuted] == [f"{other.lhs.key} is not the adjoint of a quantity of the network"]


def test_a_line_that_holds_at_no_time_is_undecided():
    report = judge_entrywise(derived(), sizes={"T": 1})
    assert [f.quantity for f in report.undecided] == ["δh_t, t = 1…T - 1"]
    assert not report.ok


def test_the_default_length_reaches_every_line():
    delayed = Cell("delayed", [Equation(h[t], tanh(W_hh @ h[t - 4]))], inputs=[])
    report = assert_agrees(derive(network(delayed)))
    assert "T = 5" in report.compared


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
    "entrywise", "lines", "unrolled", "printed", "scalars", "modular", "degrees", "drawing", "sizes",
])
def test_the_judge_imports_no_rule(module):
    tree = ast.parse((Path(symrnn.verify.__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {"errors", "activations", "expr", "traverse", "times", "cell", "network", "network.graph", "derivation"}
    own = {name.removeprefix("symrnn.") for name in imported if name.startswith("symrnn.")}
    assert {name for name in own if not name.startswith("verify.")} <= allowed
    assert not own & {"verify.diagnose", "verify.balls", "verify.numeric"}
