from __future__ import annotations

import re
from dataclasses import replace

import pytest
from planted import derived, second_order, with_formula, with_lines, without
from sympy import Rational

from symrnn.activations import ACTIVATIONS
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.equations import Cell, Equation
from symrnn.expr import Plus, Series, Static, TimeSum, Transposed, Zeros, dim, t
from symrnn.functions import FUNCTION_NAMES, parameter, series, tanh
from symrnn.networks import network
from symrnn.times import Span
from symrnn.verify.entrywise import judge_entrywise

T, H = dim("T"), dim("H")
W_hh, h = parameter("W_hh", "H", "H"), series("h", "H")


def assert_agrees(derivation, **options):
    report = judge_entrywise(derivation, **options)
    report.assert_ok()
    assert len(report.findings) == len(derivation.lines)
    return report


def assert_refuted(derivation, quantity, detail=r"entry \(\d+, \d+\).* is not the derivative", **options):
    """The finding that names the quantity is refuted for its own formula, and no other is."""
    report = judge_entrywise(derivation, **options)
    assert not report.ok
    own = [f for f in report.refuted if not f.detail.startswith("right in itself")]
    assert [f.quantity for f in own] == [quantity]
    assert re.fullmatch(detail, own[0].detail)
    return report


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


@pytest.mark.sampled(3)
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


@pytest.mark.parametrize(("lo", "hi"), [(2, T), (1, T - 1)])
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


@pytest.mark.parametrize("name", [*(n for n in FUNCTION_NAMES if n != "identity"), "reciprocal", "rsqrt"])
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
