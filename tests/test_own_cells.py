"""Cells as users write them: names of other fields, functions that grow, names that nothing can carry."""

from __future__ import annotations

import pytest

from symrnn.bptt import derive
from symrnn.derivation import Derivation
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import Node, Softmax, Static, Total, dim, t
from symrnn.functions import exp, log, parameter, phi, series, tanh
from symrnn.networks import Given, Network, Scan, network
from symrnn.times import Span
from symrnn.verify.panel import check
from symrnn.verify.report import REFUTED, UNDECIDED

x, h = series("x", "D"), series("h", "H")


def state_space(a: str, b: str) -> Derivation:
    """A linear system with the letters of control theory, two of which are letters of sizes elsewhere."""
    state, out, u = series("s", "N"), series("o", "P"), series("u", "M")
    return derive(network(Cell("ssm", [
        (state[t], tanh(parameter(a, "N", "N") @ state[t - 1] + parameter(b, "N", "M") @ u[t])),
        (out[t], parameter("C", "P", "N") @ state[t] + parameter("D", "P", "M") @ u[t]),
    ], inputs=[u])))


def recurrent(after: Node) -> Derivation:
    """A cell whose state is one function of its pre-activation."""
    return derive(network(Cell("own", [(h[t], after)], inputs=[x])))


def cancelling() -> Derivation:
    """A recurrence that settles, and a loss in the difference of its last two values: most digits cancel."""
    a, b, loss = series("a", "D"), series("b", "D"), Static("L")
    end = dim("T")
    steps = Scan((
        Equation(a[t], tanh(1 - Softmax(1 - a[t - 1])), Span(1, end)),
        Equation(b[t], tanh(a[t - 1] - a[t]), Span(1, end)),
    ))
    givens = (Given(x, "input", Span(1, end)), Given(a, "initial", Span(0, 0)))
    return derive(Network("cancelling", givens, (steps, Equation(loss, Total(b[end] * x[end]), None)), loss))


PRE = parameter("W", "H", "H") @ h[t - 1] + parameter("U", "H", "D") @ x[t]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("a", "b"), [("A", "B"), ("T", "K"), ("phi_s", "phi")])
def test_parameters_may_have_the_letters_of_sizes_and_of_open_functions(a, b):
    for report in check(state_space(a, b)):
        report.assert_ok()


def test_an_open_function_beside_a_parameter_of_a_similar_name():
    for report in check(recurrent(phi(PRE) * parameter("phi_scale", "H"))):
        report.assert_ok()


@pytest.mark.parametrize("function", [exp, log])
def test_a_loss_that_overflows_or_does_not_exist_refutes_nothing(function):
    (report,) = check(recurrent(function(PRE)), judges=["numeric"])
    assert [(f.quantity, f.verdict) for f in report.findings] == [("L", UNDECIDED)]
    assert "try another seed or fewer steps" in report.findings[0].detail


@pytest.mark.parametrize("seed", range(4))
def test_digits_that_cancel_are_no_refutation(seed):
    for report in check(cancelling(), judges=["numeric"], seed=seed):
        report.assert_ok()


def test_a_state_that_grows_fast_is_not_refuted():
    reports = check(recurrent(h[t - 1] * h[t - 1] * h[t - 1] + parameter("U", "H", "D") @ x[t]), judges=["balls", "numeric"])
    assert not [f for report in reports for f in report.findings if f.verdict == REFUTED]


@pytest.mark.parametrize("name", ["", "1h", "_", "_h", "h 1", "W'", "W-1", "%", "a{b"])
@pytest.mark.parametrize("make", [lambda name: series(name, "H"), lambda name: parameter(name, "H", "H")])
def test_what_is_not_a_name_is_refused(make, name):
    with pytest.raises(SpecError, match=r"^'.*' is not a name; a name is a letter with letters, digits and _ behind it, such as W_f$"):
        make(name)


def test_two_given_quantities_of_one_name():
    own = Cell("own", [(h[t], tanh(parameter("h_0", "H", "H") @ h[t - 1] + parameter("U", "H", "D") @ x[t]))], inputs=[x])
    with pytest.raises(SpecError, match=r"^two given quantities are called h_0; rename one of them$"):
        network(own)


@pytest.mark.parametrize("size", [-1, 0, 1.5, "", "H+1", None])
@pytest.mark.parametrize("make", [lambda n: series("q", n), lambda n: parameter("q", n), lambda n: parameter("q", "H", n)])
def test_what_is_not_a_size_is_refused(make, size):
    with pytest.raises(SpecError, match=r"^q: a size is a letter such as 'H' or a positive whole number; got "):
        make(size)


def test_a_size_may_be_a_formula():
    assert parameter("W", dim("H"), dim("H") + dim("D")).shape == (dim("H"), dim("H") + dim("D"))


@pytest.mark.parametrize(("argument", "message"), [
    (2, r"^tanh takes a formula such as W @ h\[t - 1\]; got 2$"),
    (h, r"^tanh takes a formula such as W @ h\[t - 1\]; got h, a series; write h\[t\]$"),
])
def test_what_is_not_a_formula_is_refused(argument, message):
    with pytest.raises(SpecError, match=message):
        tanh(argument)


def test_the_input_of_the_step_before_is_kept_in_a_state():
    x, p, h = series("x", "D"), series("p", "D"), series("h", "H")
    w, u, v = parameter("W", "H", "H"), parameter("U", "H", "D"), parameter("V", "H", "D")
    before = Cell("before", [(h[t], tanh(w @ h[t - 1] + u @ x[t] + v @ x[t - 1]))], inputs=[x])
    with pytest.raises(SpecError, match=(
        r"^the equation for a reads x at times 0…T - 1, but it is there only at 1…T; there is no input before the first: "
        r"keep it in a state, p\[t\] = x\[t\], and read p\[t-1\]$"
    )):
        network(before)
    keeps = Cell("keeps", [(p[t], x[t]), (h[t], tanh(w @ h[t - 1] + u @ x[t] + v @ p[t - 1]))], inputs=[x])
    assert all(report.ok for report in check(derive(network(keeps)), judges=["entrywise"]))
