"""Stops with a condition: the bracket [K | t], what it is under substitution, in print and as numbers."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from formula_reader import Reader, with_keys
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integer
from test_profiles import computed, value_of

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import Contribution, Step, segments
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import (
    Columns,
    Divides,
    Node,
    Ones,
    Plus,
    Product,
    Scaled,
    Series,
    StopGradient,
    TimeSum,
    Total,
    Zeros,
    bound_index,
    complement,
    dim,
    t,
    weighted,
    without_stops,
)
from symrnn.functions import parameter, series
from symrnn.networks import Given, Network, Scan, network
from symrnn.networks.truncation import truncated
from symrnn.notation import PROFILES
from symrnn.rewrite import added, settled
from symrnn.style import Style, generic_time
from symrnn.times import Order, Span
from symrnn.vjp import vjp_stop_gradient

J, T = dim("J"), dim("T")
h, W = series("h", "H"), parameter("W", "H", "H")
ONE, ZERO = Ones(1, 1), Zeros(1, 1)


@given(st.integers(1, 7), st.integers(-20, 20))
def test_a_bracket_of_numbers_is_a_number(modulus, time):
    assert Divides(modulus, time) == (ONE if time % modulus == 0 else ZERO)
    assert Divides(modulus, time, 1) == (ONE if time % modulus == 0 and time > 0 else ZERO)


@given(st.integers(1, 7), st.integers(-20, 20))
def test_substitution_entries_and_lambdify_agree(modulus, time):
    for bracket in (Divides(J, t - 1), Divides(J, t - 1, 1)):
        value = bracket.xreplace({J: Integer(modulus), t: Integer(time)})
        assert value in {ONE, ZERO}
        entry = bracket._entry(0, 0).subs({J: modulus, t: time})
        assert float(entry) == float(value._entry(0, 0))
        code = sympy.lambdify([J, t], bracket, "numpy")(modulus, time)
        assert np.asarray(code).item() == float(value._entry(0, 0))


def test_what_is_known_is_put_in():
    assert Divides(J, 0) == ONE
    assert Divides(1, t) == ONE
    assert Divides(J, -3, 1) == ZERO
    assert Divides(1, t, 1).positive
    assert Divides("J", t) == Divides(J, t)
    assert Divides(J, (t - 1) + 1) == Divides(J, t)
    assert Divides(J, t - 1).shape == (1, 1)
    assert Divides(J, t - 1).free_symbols == {J, t}


@pytest.mark.parametrize(("modulus", "time", "message"), [
    (0, t, r"^what divides a time must be a positive whole number or a letter; got 0$"),
    (sympy.Rational(1, 2), t, r"^what divides a time must be a positive whole number or a letter; got 1/2$"),
    (2, t / 2, r"^\[2 \| t/2\] needs a time that is a whole number; got t/2$"),
])
def test_what_divides_nothing_is_refused(modulus, time, message):
    with pytest.raises(SpecError, match=message):
        Divides(modulus, time)


def test_stops_within_stops():
    c, d = Divides(J, t - 1), Divides(J, t)
    once = StopGradient(h[t], c)
    assert StopGradient(once, c) == once
    assert StopGradient(once, d).args == (once, d)
    assert StopGradient(W @ once) == StopGradient(W @ h[t])
    assert StopGradient(W @ StopGradient(once, d)).args == (W @ h[t],)
    assert StopGradient(W @ StopGradient(h[t]), c).args == (W @ StopGradient(h[t]), c)
    assert StopGradient(StopGradient(h[t]), c) == StopGradient(h[t])
    assert StopGradient(h[t], ONE) == StopGradient(h[t])
    assert StopGradient(h[t], ZERO) == h[t]
    assert without_stops(W @ StopGradient(W @ StopGradient(once, d)) + once) == W @ (W @ h[t]) + h[t]


def test_a_time_decides_a_stop():
    stop = StopGradient(h[t - 1], Divides(J, t - 1, 1)).xreplace({J: Integer(2)})
    assert [stop.xreplace({t: Integer(time)}) for time in (1, 2, 3)] == [h[0], h[1], StopGradient(h[2])]


@pytest.mark.parametrize(("condition", "got"), [
    (Total(h[t]), r"1ᵀ h_t \(1×1\)"),
    (Divides(2, t) + Divides(3, t), r"\[2 ∣ t\] \+ \[3 ∣ t\] \(1×1\)"),
    (Scaled(2, Divides(2, t)), r"2 \[2 ∣ t\] \(1×1\)"),
    (Ones(3, 1), r"1 \(3×1\)"),
    (1, "1"),
])
def test_what_is_no_condition_is_refused(condition, got):
    start = r"^the condition of a stop on h_t must be a constant 0 or 1 such as Divides\(K, t - 1\), 1 - Divides\(K, t - 1\) or a product"
    with pytest.raises(SpecError, match=start + f" of these; got {got}$"):
        StopGradient(h[t], condition)


def test_conditions_combine():
    c, d = Divides(2, t), Divides(3, t)
    for condition in (c, complement(c), Product(complement(c), d), complement(Product(complement(c), complement(d)))):
        assert StopGradient(h[t], condition).condition == condition
    assert complement(complement(c)) == c


@pytest.mark.parametrize(("node", "latex", "text", "plain"), [
    (Divides(J, t - 1), r"[J \mid t-1]", "[J ∣ t-1]", "[J | t-1]"),
    (Divides(3, t, 1), r"[3 \mid t > 0]", "[3 ∣ t > 0]", "[3 | t > 0]"),
    (complement(Divides(J, t)), r"[J \nmid t]", "[J ∤ t]", "[J !| t]"),
    (complement(Divides(J, t, 1)), r"1 - [J \mid t > 0]", "1 - [J ∣ t > 0]", "1 - [J | t > 0]"),
    (StopGradient(h[t - 1], Divides(J, t - 1)), r"\operatorname{sg}_{J \mid t-1}(h_{t-1})", "sg_{J∣t-1}(h_{t-1})", "sg_{J|t-1}(h_{t-1})"),
    (StopGradient(h[t], complement(Divides(2, t))), r"\operatorname{sg}_{2 \nmid t}(h_{t})", "sg_{2∤t}(h_t)", "sg_{2!|t}(h_t)"),
    (W @ h[t] @ complement(Divides(J, t)), r"[J \nmid t] W h_{t}", "[J ∤ t] W h_t", "[J !| t] * W * h_t"),
    (TimeSum(h[bound_index(1)] @ Divides(J, bound_index(1)), bound_index(1), 1, T),
     r"\sum_{t=1}^{T} [J \mid t] h_{t}", "Σ_{t=1}^T [J ∣ t] h_t", "sum_{t=1}^{T} [J | t] * h_t"),
])
def test_brackets_in_three_media(node, latex, text, plain):
    assert writer.latex(node) == latex
    assert writer.text(node) == text
    assert writer.text(node, Style(medium="ascii")) == plain


def test_rule_of_a_stop_keeps_shapes():
    g, c = parameter("G", "H", "D"), Divides(J, t)
    for matrix in (parameter("A", "H", "D"), parameter("a", "H", 1), parameter("r", 1, "D")):
        adjoint = parameter("g", *matrix.shape)
        [(operand, passed, _)] = vjp_stop_gradient(StopGradient(matrix, c), adjoint, matrix)
        assert operand == matrix
        assert passed.shape == matrix.shape
        assert passed.xreplace({t: Integer(0)}) == Zeros(*matrix.shape)
        assert passed.xreplace({J: Integer(2), t: Integer(1)}) == adjoint
    assert vjp_stop_gradient(StopGradient(g), g, g) == []


def test_terms_of_one_condition_stand_together():
    off, b = complement(Divides(J, t)), parameter("b", "H", 1)
    whole = added(W @ h[t] @ off, b, Scaled(-2, h[t]) @ off)
    assert str(whole) == "[J ∤ t] (W h_t - 2 h_t) + b"
    assert added(W @ h[t] @ off, b) == Plus(W @ h[t] @ off, b)


@pytest.mark.parametrize(("time", "span", "known"), [
    (t, Span(1, T), True), (t, Span(0, T), False), (T - t, Span(1, T - 1), True), (T - t, Span(1, T), False), (t - 3, Span(2, T), False),
])
def test_above_zero_is_dropped_where_it_is_known(time, span, known):
    assert settled(weighted(h[t], Divides(J, time, 1)), {t: span}) == weighted(h[t], Divides(J, time, 0 if known else 1))


def test_a_weighted_sum_breaks_inside_its_brackets():
    off, b = complement(Divides(J, t)), parameter("b", "H", 1)
    whole = b + (W @ h[t] - h[t]) @ off
    assert writer.terms(whole, Style(medium="unicode")) == ["b", "+ [J ∤ t] (W h_t", "- h_t)"]
    assert writer.terms(Scaled(-2, (W @ h[t] - h[t]) @ off) + b, Style(medium="ascii")) == ["-2 * [J !| t] * (W * h_t", "- h_t)", "+ b"]
    tall = b + (Scaled(1 / T, h[t]) + W @ h[t]) @ off
    assert writer.terms(tall, Style()) == ["b", r"+ [J \nmid t] \biggl(\frac{1}{T} h_{t}", r"+ W h_{t}\biggr)"]


def test_above_zero_under_a_sum():
    k = bound_index(1)
    for lo, positive in ((1, 0), (0, 1)):
        body = h[k] @ Divides(J, k, 1)
        assert settled(TimeSum(body, k, lo, T), {}) == TimeSum(h[k] @ Divides(J, k, positive), k, lo, T)
        assert settled(Columns(body, k, lo, T), {}) == Columns(h[k] @ Divides(J, k, positive), k, lo, T)


def test_a_bracket_without_time_is_refused_by_name():
    loss = Series("ell")
    scan = Scan((Equation(loss[t], Total(h[t]), Span(1, T)),))
    end = Equation(parameter("L", 1, 1), TimeSum(loss[bound_index(1)], bound_index(1), 1, T) @ Divides(J, t), None, "loss")
    with pytest.raises(SpecError, match=r"^L has no time t, but reads \[J ∣ t\]; ask for a fixed time, or under a sum$"):
        Network("wrong", (Given(h, "input", Span(1, T)),), (scan, end), parameter("L", 1, 1))


def test_equal_pieces_of_an_adjoint_are_one_line():
    lhs, term = h.adjoint_series(1)[t], W @ h[t]
    step = Step(Equation(h[t], h[t], Span(1, T)), h[t], ("identity",), lhs, term, None)

    def lines(*contributions):
        made = tuple(Contribution(node, span, step) for node, span in contributions)
        return [(str(e.span), e.rhs) for e in segments(lhs, (Span(1, T),), made, "value", Order())]

    assert lines((term, Span(1, 3)), (term, Span(4, T))) == [("1…T", term)]
    other: Node = parameter("b", "H", 1)
    assert lines((term, Span(1, 3)), (other, Span(4, T))) == [("1…3", term), ("4…T", other)]


def test_numbers_of_a_bracket_in_numpy():
    a = parameter("a", 3, 1)
    function = sympy.lambdify([a, t], weighted(a, Divides(2, t)), "numpy")
    for time in (1, 2):
        np.testing.assert_array_equal(function(np.ones((3, 1)), time), np.full((3, 1), 1 - time % 2))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_printed_brackets_read_back_in_every_notation(profile):
    sizes = {"D": 2, "H": 3, "K": 5}
    derivation = derive(truncated(network(cell("gru")).with_sizes(sizes), "J"))
    style = Style.of(derivation.network, profile, "unicode")
    seen = 0
    for line in (*derivation.network.equations, *derivation.lines):
        brackets = line.rhs.atoms(Divides)
        seen += len(brackets)
        for time in range(1, 6) if brackets else ():
            text, keys = with_keys(line.rhs, style)
            turned = [value_of(line.rhs, key).T if profile.rows else value_of(line.rhs, key) for key in keys]
            numbers = {"J": 2, "T": 7, generic_time(style): time}
            found = Reader(text, turned, profile, numbers).whole()
            plain = line.rhs.xreplace({b: b.xreplace({J: Integer(2), t: Integer(time)}) for b in brackets})
            expected = computed(plain, Style.of(derivation.network, "indexed", "unicode"))
            np.testing.assert_allclose(found.T if profile.rows else found, expected, rtol=1e-12)
    assert seen >= 10
