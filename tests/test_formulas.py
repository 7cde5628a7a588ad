"""Formulas as people write them: what is read, what is refused and where, what is equal, and which term differs."""

from __future__ import annotations

import json
import pickle
from functools import cache

import pytest
import sympy
from amounts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from symrnn import cli, compare_formula, derive, network, read_formula, writer
from symrnn.activations import ACTIVATIONS
from symrnn.cells import cell
from symrnn.derivation import Derivation
from symrnn.errors import SpecError, SymrnnError
from symrnn.expr import t
from symrnn.formulas import FormulaError
from symrnn.functions import series

CARRY, OUT = r"W_{hh}^\top \delta a_{t+1}", r"W_{hy}^\top \delta a_{y,t}"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    status = cli.main(args)
    return (status, *capsys.readouterr())


@cache
def derivation_of(name: str) -> Derivation:
    return derive(network(cell(name)))


def reads_as(text: str, name: str = "rnn", notation: str = "indexed", **options: object) -> str:
    return writer.text(read_formula(text, derivation_of(name), notation=notation, **options))


def shape_of(name: str) -> tuple[object, object]:
    return derivation_of("rnn").network.given(name).quantity.shape


@pytest.mark.parametrize(("text", "printed"), [
    (r"W_{hh}^\top \delta a_{t+1}", "W_hhᵀ δa_{t+1}"),
    (r"W_{hh}^T\delta a_{t+1}", "W_hhᵀ δa_{t+1}"),
    (r"{\mathbf{W}_{hh}}^{\mathsf{T}} \, \delta\mathbf{a}_{t+1}", "W_hhᵀ δa_{t+1}"),
    ("W_hh' δa_{t+1}", "W_hhᵀ δa_{t+1}"),
    ("W_hhᵀ·δa_{t+1}", "W_hhᵀ δa_{t+1}"),
    (r"W_{hh}^\top \frac{\partial L}{\partial a_{t+1}}", "W_hhᵀ δa_{t+1}"),
    (r"W_{hh}^\top \nabla_{a_{t+1}} L", "W_hhᵀ δa_{t+1}"),
    ("W_hhᵀ (∂L/∂a_{t+1})", "W_hhᵀ δa_{t+1}"),
    ("W_hhᵀ da_{t+1}", "W_hhᵀ δa_{t+1}"),
    (r"1 - h_t^2", "1 - h_t ⊙ h_t"),
    (r"1 - h_t^{\odot 2}", "1 - h_t ⊙ h_t"),
    (r"\mathbf{1} - h_{t}\circ h_{t}", "1 - h_t ⊙ h_t"),
    (r"\tanh^2(a_t)", "tanh(a_t) ⊙ tanh(a_t)"),
    (r"\tanh'(a_t)", "1 - tanh(a_t) ⊙ tanh(a_t)"),
    (r"\tanh a_t", "tanh(a_t)"),
    (r"h_t (1 - h_t) \delta h_t", "h_t ⊙ (1 - h_t) ⊙ δh_t"),
    (r"\sigma(a_t)(1-\sigma(a_t))", "σ(a_t) ⊙ (1 - σ(a_t))"),
    (r"\partial L / \partial h_t", "δh_t"),
    (r"W_{hh}^{\mathsf T}\delta a_{t+1}", "W_hhᵀ δa_{t+1}"),
    (r"\delta h_t * (1 - h_t * h_t)", "δh_t ⊙ (1 - h_t ⊙ h_t)"),
    (r"\operatorname{diag}(1 - h_t^2)\,\delta h_t", "diag(1 - h_t ⊙ h_t) δh_t"),
    (r"h_{t-1}/2 + \frac12 h_t", "½ h_{t-1} + ½ h_t"),
    (r"h^{(t-1)} + h^{t}", "h_{t-1} + h_t"),
    ("softmax(a_{y,t}) - y_t", "softmax(a_{y,t}) - y_t"),
])
def test_what_people_write(text: str, printed: str) -> None:
    assert reads_as(text, shape=shape_of("b_y" if "a_{y" in text else "b_h")) == printed


@pytest.mark.parametrize(("text", "message"), [
    ("W_hh +", r"^column 7 of the formula: the formula ends too early: a quantity is missing$"),
    ("W_hh (h_t", r"^column 10 of the formula: the formula ends too early: a bracket is not closed, \) is missing$"),
    ("W_hh + + h_t", r"^column 8 of the formula: '\+' stands where a quantity is due$"),
    ("W_hh h_t)", r"^column 9 of the formula: '\)' does not fit here$"),
    ("W_hh $h_t$", r"^column 6 of the formula: '\$' is no sign of a formula$"),
    ("W_hh g_t", r"^column 6 of the formula: no quantity of the network is written g_t; known letters: "),
    ("W_hx h_t", r"^column 1 of the formula: no quantity of the network is written W_hx; with this letter there is W_hh, W_hy, W_xh$"),
    ("W_hy h_t + W_hh h_t", r"^column 12 of the formula: .* \(K×1\) and .* \(H×1\) have different shapes and cannot be added$"),
    ("W_hy δa_{y,t}", r"^column 1 of the formula: W_hy \(K×H\) and δa_\{y,t\} \(K×1\) cannot be multiplied: the inner sizes differ; W_hyᵀ would fit$"),
    ("h_t ⊙ a_{y,t}", r"^column 1 of the formula: .* have different shapes and cannot be multiplied elementwise$"),
    (r"W_{hh}^2", r"^column 1 of the formula: a power of W_hh \(H×H\) can be meant entry by entry or as a product; write it out$"),
    (r"\tanh", r"^column 1 of the formula: tanh is a function and needs its argument: tanh\(a_t\)$"),
    (r"\sum_t h_t", r"^column 1 of the formula: a sum over time needs its first and last time: Σ_\{t=1\}\^\{T\}$"),
    (r"\frac{\partial h_t}{\partial a_t}", r"^column 16 of the formula: h_t is not the loss; it is called L$"),
    (r"\delta + h_t", r"^column 1 of the formula: δ stands in front of nothing; write δh_t$"),
    ("softmax(2)", r"^column 1 of the formula: softmax of a number; a column is due$"),
    ("½^h", r"^column 1 of the formula: h stands above, where a transpose or a power is due$"),
    ("  ", r"^column 1 of the formula: the formula is empty$"),
])
def test_damaged_formulas_are_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        reads_as(text)
    assert caught.value.marked == f"{text}\n{' ' * (caught.value.column - 1)}^"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.column) == (str(caught.value), caught.value.column)


def test_two_readings_are_refused_with_both() -> None:
    with pytest.raises(FormulaError, match=(
        r"^column 8 of the formula: this can be read in two ways: δh_t \+ \(W_hhᵀ δa_\{t\+1\}\) ⊙ h_t, "
        r"or δh_t \+ W_hhᵀ \(δa_\{t\+1\} ⊙ h_t\); put brackets$"
    )):
        reads_as("δh_t + W_hhᵀ δa_{t+1} ⊙ h_t", shape=shape_of("b_h"))


def test_one_reading_is_enough_where_the_other_does_not_fit() -> None:
    assert reads_as("δa_t ⊙ h_t x_tᵀ") == "(δa_t ⊙ h_t) x_tᵀ"


def test_a_letter_is_what_the_notation_says() -> None:
    assert reads_as("V h^{(t)} + c", notation="goodfellow", shape=shape_of("b_y")) == "W_hy h_t + b_y"
    assert reads_as("x_t W_z", name="gru", notation="keras", shape=shape_of("b_h")) == "W_z x_t"


def test_expressions_are_compared() -> None:
    derivation = derivation_of("rnn")
    line = derivation.adjoint("d_a").lines[0].rhs
    assert compare_formula(line, "δa", network=derivation).ok
    assert compare_formula(-line, "δa", network=derivation).verdict == "different"


def test_what_is_nowhere_there_is_undecided() -> None:
    report = compare_formula(r"\delta h_T \odot h_{T+1}", "δh_T", network=derivation_of("rnn"))
    assert (report.verdict, report.status, report.times) == ("undecided", 3, ())


@settings(max_examples=examples(150))
@given(st.lists(st.sampled_from([
    "h_t", "W_{hh}", r"\delta", "a_{t+1}", "+", "-", "(", ")", "{", "}", "[", "]", r"\odot", "^", "_", r"\top", "1", "T", r"\frac", ",", ";",
    r"\tanh", "'", r"\sum_{t=1}^{T}", r"\partial", "/", "L", r"\nabla_{h_t}", "=", ":", "|", r"\begin{bmatrix}", r"\end{bmatrix}", r"\\", "ᵀ", "∂", "e_1", "½",
    "diag", "softmax", "(h_t)", "[h_t; a_t]", "_{1:H}", "_{:,1}", "^2", "log", "sg", "0", "2",
]), max_size=9))
def test_whatever_is_written_is_read_or_refused(pieces: list[str]) -> None:
    try:
        read_formula(" ".join(pieces), derivation_of("rnn"))
    except SymrnnError as error:
        assert "\n" not in str(error)  # noqa: PT017  # nothing may be raised, either


def test_expressions_are_checked() -> None:
    h = series("h", "H")
    assert read_formula(h[t], derivation_of("rnn")) == h[t]
    with pytest.raises(SpecError, match=r"^the formula reads q_t, which .* does not have$"):
        read_formula(series("q", "H")[t], derivation_of("rnn"))


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n not in {"identity", "step", "relu", "leaky_relu", "elu", "reciprocal", "rsqrt"}])
def test_the_derivative_of_a_function_is_that_of_the_scalar_form(name: str) -> None:
    z = sympy.Symbol("z", real=True)
    row = ACTIVATIONS[name]
    node = read_formula(f"{row.text}'(a_t)", derivation_of("rnn"), shape=shape_of("b_h"))
    entry = node._entry(sympy.Integer(0), sympy.Integer(0))
    value = entry.xreplace(dict.fromkeys(entry.atoms(sympy.matrices.expressions.matexpr.MatrixElement), z))
    assert abs(sympy.N((value - row.scalar(z).diff(z)).subs(z, sympy.Rational(3, 7)))) < 1e-12


@pytest.mark.parametrize(("text", "what", "name"), [
    (f"{CARRY} + {OUT}", "δh", "rnn"),
    (rf"\delta h_t = {OUT} + {CARRY}", None, "rnn"),
    (r"\frac{\partial L}{\partial h_t} &= W_{hh}^\top (\delta h_{t+1} \odot (1 - h_{t+1}^2)) + W_{hy}^\top (\hat{y}_t - y_t)", None, "rnn"),
    (r"W_{hh}^\top \operatorname{diag}(1 - h_{t+1}^2) \delta h_{t+1} + W_{hy}^\top (\hat{y}_t - y_t)", "d_h", "rnn"),
    (OUT.replace("_{y,t}", "_{y,T}"), "δh_T", "rnn"),
    (r"\sum_{t=1}^{T} (\delta h_t \odot \tanh'(a_t)) h_{t-1}^\top", r"\frac{\partial L}{\partial W_{hh}}", "rnn"),
    (r"\sum_{k=0}^{T-1} \delta a_{k+1} h_k^\top", "W_hh", "rnn"),
    (r"W_{hh}^\top \delta a_1", "h_0", "rnn"),
    (r"\delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) + \delta c_{t+1} \odot f_{t+1}", "δc", "lstm"),
    (r"\delta c_t \odot c_{t-1} \odot \sigma'(a_{f,t})", "δa_f", "lstm"),
])
def test_right_formulas_are_equal(text: str, what: str | None, name: str) -> None:
    report = compare_formula(text, what, network=derivation_of(name))
    assert report.ok, report.text()
    assert report.chance < 1e-8
    assert report.findings == ()


WRONG = [
    (rf"W_{{hh}} \delta a_{{t+1}} + {OUT}", "δh", "rnn", ["missing transpose: W_hh stands where W_hhᵀ is due"]),
    (rf"W_{{hh}}^\top \delta a_t + {OUT}", "δh", "rnn", ["wrong time: δa_t stands where δa_{t+1} is due"]),
    (rf"{CARRY} - {OUT}", "δh", "rnn", ["wrong sign: -W_hyᵀ δa_{y,t} stands where W_hyᵀ δa_{y,t} is due"]),
    (OUT, "δh", "rnn", ["missing term: W_hhᵀ δa_{t+1}"]),
    (rf"2 {CARRY} + {OUT}", "δh", "rnn", ["wrong scale: 2 W_hhᵀ δa_{t+1} stands where W_hhᵀ δa_{t+1} is due"]),
    (rf"{CARRY} + {OUT} + \delta a_t", "δh", "rnn", ["a term too much: δa_t"]),
    (rf"W_{{hh}}^\top \delta h_{{t+1}} + {OUT}", "δh", "rnn", ["wrong quantity: δh_{t+1} stands where δa_{t+1} is due"]),
    (r"\delta h_t", "δa", "rnn", ["missing factor: δh_t stands where δh_t ⊙ (1 - h_t ⊙ h_t) is due"]),
    (r"\delta h_t \odot (1 - \tanh^2(h_t))", "δa", "rnn", ["a function too much: tanh(h_t) stands where h_t is due"]),
    (r"\delta h_t \odot (1 - h_{t-1}^2)", "δa", "rnn", ["wrong time: h_{t-1} stands where h_t is due"]),
    (r"\sum_{t=1}^{T} \delta a_t h_t^\top", "W_hh", "rnn", ["wrong time: h_t stands where h_{t-1} is due"]),
    (r"\frac{1}{T} \sum_{t=1}^{T} \delta a_t h_{t-1}^\top", "W_hh", "rnn", [
        "wrong scale: (1/T) Σ_{t=1}^T δa_t h_{t-1}ᵀ stands where Σ_{t=1}^T δa_t h_{t-1}ᵀ is due"]),
    (r"\delta a_t", "b_h", "rnn", ["missing sum over time: δa_t stands where Σ_{t=1}^T δa_t is due"]),
    (r"\delta c_{t+1} \odot f_t + \delta s_{c,t} \odot (1 - s_{c,t}^2)", "δc", "lstm", ["wrong time: f_t stands where f_{t+1} is due"]),
    (r"\delta c_{t+1} \odot i_{t+1} + \delta s_{c,t} \odot (1 - s_{c,t}^2)", "δc", "lstm", ["wrong quantity: i_{t+1} stands where f_{t+1} is due"]),
    (r"\delta h_t \odot o_t \odot (1 - \tanh^2(c_t))", "δc", "lstm", ["missing term: δc_{t+1} ⊙ f_{t+1}"]),
    (r"(\delta c_{t+1} + \delta s_{c,t} \odot (1 - s_{c,t}^2)) \odot f_{t+1}", "δc", "lstm", [
        "brackets: (δc_{t+1} + δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t})) ⊙ f_{t+1} stands where "
        "δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t}) + δc_{t+1} ⊙ f_{t+1} is due"]),
    (r"-\delta c_{t+1} \odot f_t + \delta s_{c,t} \odot (1 - s_{c,t}^2)", "δc", "lstm", [
        "wrong sign: -δc_{t+1} ⊙ f_t stands where δc_{t+1} ⊙ f_t is due", "wrong time: f_t stands where f_{t+1} is due"]),
    (r"\delta c_{t+1} \odot f_t + \delta h_t \odot o_t", "δc", "lstm", [
        "wrong time: f_t stands where f_{t+1} is due",
        "missing factor: δh_t ⊙ o_t stands where δh_t ⊙ o_t ⊙ (1 - s_{c,t} ⊙ s_{c,t}) is due"]),
    (r"\delta a_{r,t} \odot (1 - r_t)", "δr", "gru", [
        "a term too much: δa_{r,t} ⊙ (1 - r_t)", "missing term: (Uᵀ δa_{h,t}) ⊙ h_{t-1}"]),
    (r"\delta h_{t+1} \odot z_{t+1} + U_z^\top \delta a_{z,t+1} + U_r^\top \delta a_{r,t+1} + W_{hy}^\top \delta a_{y,t}", "δh", "gru", [
        "missing term: (Uᵀ δa_{h,t+1}) ⊙ r_{t+1}"]),
]


@pytest.mark.sampled(9)
@pytest.mark.parametrize(("text", "what", "name", "findings"), WRONG, ids=range(len(WRONG)))
def test_wrong_formulas_are_different_and_the_term_is_named(text: str, what: str, name: str, findings: list[str] | None) -> None:
    report = compare_formula(text, what, network=derivation_of(name))
    assert report.verdict == "different"
    assert report.status == 1
    if findings is not None:
        assert list(report.findings) == findings
    if report.times:
        assert report.wrong
        assert report.example is not None
        assert report.example.gap > 1e-9
    with pytest.raises(AssertionError, match=r"^(δ|∂).*: different"):
        report.assert_ok()


@pytest.mark.parametrize(("text", "what", "message"), [
    (CARRY, None, r"^nothing says what the formula is for; write δh_t = … or say it, for example for_='δh'$"),
    (CARRY, "δq", r"^a formula is for an adjoint such as δ\w+; got δq: unknown quantity 'δq'; "),
    (f"δa_t = {CARRY}", "δh", r"^the formula has the left side δa_t, and is said to be for δh$"),
    (CARRY, "δh_{T+3}", r"^δh_\{T\+3\} is not there; times are 0 to 6$"),
])
def test_what_a_formula_is_for(text: str, what: str | None, message: str) -> None:
    with pytest.raises(SymrnnError, match=message):
        compare_formula(text, what, network=derivation_of("rnn"))


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    right = ["verify", "--formula", f"{CARRY} + {OUT}", "--for", "δh", "--cell", "rnn"]
    status, out, err = run(capsys, *right)
    assert (status, err) == (0, "")
    assert out.startswith("δh_t: equal\n")
    status, out, _ = run(capsys, "verify", "--formula", OUT, "--for", "δh", "--cell", "rnn", "--json")
    data = json.loads(out)
    assert status == 1
    assert (data["verdict"], data["for"], data["version"]) == ("different", "δh_t", 1)
    assert data["findings"] == [{"kind": "missing term", "there": None, "due": "W_hhᵀ δa_{t+1}"}]
    status, out, err = run(capsys, "verify", "--formula", "W_hh +", "--for", "δh", "--cell", "rnn")
    assert (status, out) == (2, "")
    assert err == "symrnn: error: column 7 of the formula: the formula ends too early: a quantity is missing\n"
    status, out, err = run(capsys, "verify", "--formula", "W_hh +", "--for", "δh", "--cell", "rnn", "--debug")
    assert "\nW_hh +\n      ^\n" in err


@pytest.mark.parametrize(("args", "message"), [
    ([], "nothing to verify; name a file, or write --formula TEXT --for WHAT --cell CELL"),
    (["--formula", "h_t"], "a formula needs the network that it is of; add --cell CELL, such as --cell lstm"),
    (["a.py", "--formula", "h_t", "--cell", "rnn"], "a file, a.py, and a formula; verify one of them"),
    (["--formula", "h_t", "--cell", "rnn", "--html"], "the report on a formula is text or --json; got --html"),
])
def test_refusals_of_the_command(capsys: pytest.CaptureFixture[str], args: list[str], message: str) -> None:
    assert run(capsys, "verify", *args) == (2, "", f"symrnn: error: {message}\n")
