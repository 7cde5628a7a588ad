"""Formulas in print: brackets exactly where a reader needs them, in LaTeX, Unicode and ASCII."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sympy
from amounts import examples
from hypothesis import given, settings
from latex_structure import assert_well_formed
from strategies import networks
from sympy import Rational

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import hessian_vector_network
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    Column,
    Columns,
    Diag,
    Elementwise,
    Gather,
    Identity,
    LogSoftmax,
    OneHot,
    Ones,
    Plus,
    Rows,
    Scaled,
    Softmax,
    Stacked,
    Static,
    StopGradient,
    Total,
    Zeros,
    bound_index,
    dim,
    t,
    time_sum,
)
from symrnn.expr.operators import Operators
from symrnn.functions import parameter, series, sigmoid, tanh
from symrnn.networks import network
from symrnn.node_text import RULES
from symrnn.notation import PROFILES
from symrnn.style import Style

h, g, r, y = (series(name, "H") for name in ("h", "g", "r", "y"))
W, U, b = parameter("W", "H", "H"), parameter("U_f", "H", "H"), parameter("b", "H")
E, w = parameter("E", "H", "V"), series("w", 1)
d_h, d_W = h.adjoint_series(1), W.adjoint_static(1)
T, B = dim("T"), dim("B")
ASCII = Style(medium="ascii")
NOTE = Style(notation=PROFILES["notes-000"])

BRACKETS = [
    (W @ (h[t] * g[t]), "W (h_t ⊙ g_t)"),
    ((W.T @ d_h[t]) * r[t], "(Wᵀ δh_t) ⊙ r_t"),
    (r[t] * (W @ h[t]), "r_t ⊙ (W h_t)"),
    (W @ (h[t] + g[t]), "W (h_t + g_t)"),
    ((W + U) @ h[t], "(W + U_f) h_t"),
    ((h[t] + g[t]).T, "(h_t + g_t)ᵀ"),
    ((h[t] * g[t]).T, "(h_t ⊙ g_t)ᵀ"),
    ((W @ h[t]).T, "h_tᵀ Wᵀ"),
    (h[t] * (1 - h[t]), "h_t ⊙ (1 - h_t)"),
    (1 - h[t] * h[t], "1 - h_t ⊙ h_t"),
    ((1 - h[t]) * g[t] + h[t], "(1 - h_t) ⊙ g_t + h_t"),
    (h[t] - (g[t] + r[t]), "h_t - g_t - r_t"),
    (-(h[t] * g[t]), "-h_t ⊙ g_t"),
    (W @ U @ h[t], "W U_f h_t"),
    (W @ tanh(U @ h[t]), "W tanh(U_f h_t)"),
    (tanh(h[t]).T, "tanh(h_t)ᵀ"),
    (Rational(1, 2) * ((h[t] - y[t]).T @ (h[t] - y[t])), "½ (h_t - y_t)ᵀ (h_t - y_t)"),
    (-(y[t].T @ LogSoftmax(h[t])), "-y_tᵀ log softmax(h_t)"),
    (LogSoftmax(h[t]).T @ y[t], "(log softmax(h_t))ᵀ y_t"),
    (LogSoftmax(h[t]) * y[t], "(log softmax(h_t)) ⊙ y_t"),
    (Total(h[t]), "1ᵀ h_t"),
    (Total(h[t] * g[t]), "1ᵀ (h_t ⊙ g_t)"),
    (Total(W @ h[t]), "1ᵀ W h_t"),
    (Total(h[t] + g[t]), "1ᵀ (h_t + g_t)"),
    (Total(W), "1ᵀ W 1"),
    (h[t] @ Total(g[t]), "(1ᵀ g_t) h_t"),
    (time_sum(h[t] @ g[t].T, 1, T), "Σ_{t=1}^T h_t g_tᵀ"),
    (time_sum(h[t] + g[t], 1, T), "Σ_{t=1}^T (h_t + g_t)"),
    (time_sum(h[t], 1, T - 1) * g[0], "(Σ_{t=1}^{T-1} h_t) ⊙ g_0"),
    (W @ time_sum(h[t], 1, T), "W Σ_{t=1}^T h_t"),
    (time_sum(h[t], 1, T).T @ b, "(Σ_{t=1}^T h_t)ᵀ b"),
    (Scaled(1 / B, b) + h[t], "(1/B) b + h_t"),
    (Scaled(T + 1, b), "(T + 1) b"),
    (d_W @ h[t], "(∂L/∂W) h_t"),
    (W @ d_W, "W ∂L/∂W"),
    (d_W.T, "(∂L/∂W)ᵀ"),
    (d_W * W, "(∂L/∂W) ⊙ W"),
    (Elementwise("reciprocal", h[t]) * g[t], "h_t^∘⁻¹ ⊙ g_t"),
    (Elementwise("reciprocal", Static("N")) @ Total(h[t]), "N⁻¹ 1ᵀ h_t"),
    (Diag(h[t]) @ W, "diag(h_t) W"),
    (StopGradient(h[t - 1]), "sg(h_{t-1})"),
    (Gather(E, w[t]), "[E]_{:,w_t}"),
    (OneHot(w[t], dim("V")).T, "e_{w_t}ᵀ"),
    (OneHot(Scaled(t - 1, Ones(1, 1)), dim("V")), "e_{t}"),
    (OneHot(Zeros(1, 1), dim("V")), "e_{1}"),
    (Stacked(h[t], g[t]), "[h_t; g_t]"),
    (Rows(Static("v", (), 7, 1), 2, 5), "[v]_{3:5}"),
    (Column(E, 3), "[E]_{:,3}"),
    (Columns(h[bound_index(1)], bound_index(1), 1, T), "[h_1 … h_T]"),
    (Plus(W, Identity(dim("H"))), "W + I"),
    (Ones(dim("H"), 1) - h[t], "1 - h_t"),
    (2 * h[t] - 3 * g[t], "2 h_t - 3 g_t"),
]


@pytest.mark.parametrize(("node", "expected"), BRACKETS, ids=[expected for _, expected in BRACKETS])
def test_brackets_stand_where_they_are_needed_and_nowhere_else(node, expected):
    assert writer.text(node) == expected
    assert_well_formed(writer.latex(node))
    assert_well_formed(writer.latex(node, NOTE))
    assert writer.text(node, ASCII).isascii()


@pytest.mark.parametrize(("node", "indexed", "noted"), [
    (h[t].T, r"h_{t}^{\top}", r"{h^{(t)}}^{\top}"),
    (d_h[t - 1].T, r"\delta h_{t-1}^{\top}", r"{\delta h^{(t-1)}}^{\top}"),
    (d_h.adjoint_series(2)[t], r"\delta^{2} \delta h_{t}", r"\delta^{2} \delta h^{(t)}"),
    (h.adjoint_series(2)[t].T, r"{\delta^{2} h_{t}}^{\top}", r"{\delta^{2} h^{(t)}}^{\top}"),
    (U.T, r"U_{f}^{\top}", r"U_{f}^{\top}"),
    (d_W, r"\frac{\partial L}{\partial W}", r"\frac{\partial L}{\partial W}"),
    (d_W.T @ h[t], r"\left(\frac{\partial L}{\partial W}\right)^{\top} h_{t}", r"\left(\frac{\partial L}{\partial W}\right)^{\top} h^{(t)}"),
    (d_W @ h[t], r"\frac{\partial L}{\partial W} h_{t}", r"\frac{\partial L}{\partial W} h^{(t)}"),
    (h[t] * tanh(g[t]), r"h_{t} \odot \tanh(g_{t})", r"h^{(t)} \ast \tau(g^{(t)})"),
    (series("ell", 1)[T], r"\ell_{T}", r"\ell^{(T)}"),
    (series("y_hat", "K")[t], r"\hat{y}_{t}", r"\hat{y}^{(t)}"),
    (series("a_y", "K")[t], r"a_{y,t}", r"a_{y}^{(t)}"),
    (Softmax(h[t]), r"\operatorname{softmax}(h_{t})", r"\operatorname{softmax}(h^{(t)})"),
    (Elementwise("step", h[t]), r"\mathbf{1}_{>0}(h_{t})", r"\mathbf{1}_{>0}(h^{(t)})"),
    (Scaled(1 / B, time_sum(h[t], 1, T)), r"\frac{1}{B} \sum_{t=1}^{T} h_{t}", r"\frac{1}{B} \sum_{t=1}^{T} h^{(t)}"),
])
def test_latex_in_two_notations(node, indexed, noted):
    assert writer.latex(node) == indexed
    assert writer.latex(node, NOTE) == noted


def test_a_bracket_does_not_follow_the_end_of_a_row():
    stacked = Stacked(h[t], Gather(E, w[t]))
    assert writer.latex(stacked) == r"\begin{bmatrix} h_{t} \\ {}[E]_{:,w_{t}} \end{bmatrix}"


@pytest.mark.parametrize(("node", "expected"), [
    (W.T @ d_h[t + 1] + h[t] * g[t], "W^T * delta h_{t+1} + h_t .* g_t"),
    (time_sum(d_h[t] @ h[t - 1].T, 1, T), "sum_{t=1}^{T} delta h_t * h_{t-1}^T"),
    (d_W, "dL/dW"),
    (series("y_hat", "K")[t] - series("y", "K")[t], "y_hat_t - y_t"),
    (sigmoid(h[t]), "sigmoid(h_t)"),
    (Rational(1, 2) * h[t], "(1/2) * h_t"),
    (d_h.adjoint_series(2)[t], "delta^2 delta h_t"),
])
def test_ascii(node, expected):
    assert writer.text(node, ASCII) == expected


def test_ascii_tells_the_two_products_apart_in_every_notation():
    style = replace(NOTE, medium="ascii")
    assert writer.text(W @ (h[t] * g[t]), style) == "W * (h^(t) .* g^(t))"


def test_bound_indices_take_letters_that_nothing_else_uses():
    inner = time_sum(h[t], 1, T)
    assert writer.text(inner) == "Σ_{t=1}^T h_t"
    assert writer.text(inner + g[t]) == "Σ_{s=1}^T h_s + g_t"
    assert writer.text(inner + series("s_c", "H")[t]) == "Σ_{k=1}^T h_k + s_{c,t}"
    nested = time_sum(h[t].T @ inner @ g[t].T, 1, T)
    assert writer.text(nested) == "Σ_{t=1}^T h_tᵀ (Σ_{s=1}^T h_s) g_tᵀ"


def test_terms_are_the_pieces_of_the_whole():
    for node, _ in BRACKETS:
        for style in (Style(), NOTE, ASCII, Style(medium="unicode")):
            assert " ".join(writer.terms(node, style)) == writer.formula(node, style)
    assert writer.terms(h[t] - 2 * g[t] + b, Style(medium="unicode")) == ["h_t", "- 2 g_t", "+ b"]


def test_every_node_type_has_a_rule():
    concrete = {name for name in Operators.registry if name != "Leaf"}
    assert concrete <= set(RULES)


def test_an_unknown_node_type_is_refused():
    with pytest.raises(NotSupportedError, match=r"^no rule to write a Symbol; add one to symrnn\.node_text\.RULES$"):
        writer.text(sympy.Symbol("q"))


@pytest.mark.parametrize(("bad", "reason"), [
    ("x^{a}^{b}", r"^a second \^ on one base"),
    ("x_{a}_{b}", r"^a second _ on one base"),
    ("h^{(t)}^{\\top}", r"^a second \^ on one base"),
    ("x_{y_{a}_{b}}", r"^a second _ on one base"),
    ("x^{a", r"^} is missing"),
    ("x^a}", r"^} closes nothing"),
    ("(x]", r"^] where \) is due"),
    ("\\left(x", r"^\\right\) is missing"),
    ("\\left(x)", r"^\) where \\right\) is due"),
    ("x\\right)", r"^\\right\) closes nothing"),
    ("\\begin{bmatrix} x \\end{aligned}", r"^\\end{aligned} where \\end{bmatrix} is due"),
    ("x^", r"^nothing after \^"),
    ("x_^a", r"^\^ directly after _"),
])
def test_the_structural_check_sees_what_is_wrong(bad, reason):
    with pytest.raises(AssertionError, match=reason):
        assert_well_formed(bad)


@pytest.mark.parametrize("good", [
    "{h^{(t)}}^{\\top}", "x_{a}^{b}", "x^{a} y^{b}", "\\varphi'(a)^{\\top}", "\\left(\\frac{a_{1}}{b}\\right)^{\\top}",
    "\\begin{bmatrix} a_{t} \\\\ b_{t} \\end{bmatrix}", "(a_{1})^{\\top} + [b]_{:,t}",
])
def test_the_structural_check_accepts_what_is_right(good):
    assert_well_formed(good)


def formulas(derivation):
    for equation in (*derivation.network.equations, *derivation.lines):
        yield from (equation.lhs, equation.rhs)


@pytest.mark.sampled(11)
@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_formulas_of_the_cells_are_well_formed_to_second_order(name, profile):
    first = derive(network(cell(name)))
    for derivation in (first, derive(hessian_vector_network(first))):
        style = Style.of(derivation.network, profile)
        for node in formulas(derivation):
            assert_well_formed(writer.latex(node, style))
            assert writer.text(node, replace(style, medium="ascii")).isascii()


@given(networks())
@settings(max_examples=examples(40))
def test_formulas_of_random_networks_are_well_formed(random_network):
    derivation = derive(random_network)
    for profile in PROFILES:
        style = Style.of(random_network, profile)
        for node in formulas(derivation):
            assert_well_formed(writer.latex(node, style))


def test_equations_and_cells_show_in_notebooks():
    source = cell("rnn", bias=False)
    assert source.equations[0]._repr_latex_() == (
        r"$\displaystyle \begin{aligned}h_{t} &= \tanh(W_{hh} h_{t-1} + W_{xh} x_{t})\end{aligned}$"
    )
    assert source._repr_latex_() == source.equations[0]._repr_latex_()
    derivation = derive(network(source, task="many-to-one"))
    assert derivation.adjoint("h")._repr_latex_() == (
        r"$\displaystyle \begin{aligned}\delta h_{0} &= W_{hh}^{\top} \delta a_{1} \\ "
        r"\delta h_{t} &= W_{hh}^{\top} \delta a_{t+1} && t = 1, \dots, T-1 \\ "
        r"\delta h_{T} &= W_{hy}^{\top} \delta a_{y,T}\end{aligned}$"
    )
    for held in (derivation, derivation.network):
        body = held._repr_latex_()
        assert re.match(r"^\$\\displaystyle .*\$$", body)
        assert_well_formed(body.strip("$"))
