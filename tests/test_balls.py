"""The ball judge against hand-written code with planted errors."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fractions import Fraction
from inspect import getsource
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from flint import arb

from symrnn.bptt import derive
from symrnn.cell import Equation
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.errors import DataError
from symrnn.expr import Static, StopGradient, Total, time_sum
from symrnn.expr import t as time
from symrnn.functions import parameter, series, tanh
from symrnn.network import Given, Network, Scan, network
from symrnn.times import Span
from symrnn.verify import agreement, balls, directional, mismatch
from symrnn.verify.balls import compare_gradients, judge_balls
from symrnn.verify.directional import Point, true_gradient
from symrnn.verify.dual import precision

NAMES = ("U", "W", "b", "x", "h0")


def rnn_forward(v, scale=1.0):
    h, loss = v["h0"], 0.0
    for t in range(v["x"].shape[1]):
        h = np.tanh(v["x"][:, t] @ v["U"] + h @ v["W"] + v["b"])
        loss = loss + np.sum((h - v["y"][:, t]) ** 2)
    return loss / (2 * v["x"].shape[0]) * scale


@dataclass(frozen=True)
class Planted:
    """A backward pass for ``rnn_forward``, right unless an error is planted."""

    sign: int = 1
    transpose: bool = True
    carry: bool = True
    window: int = 1000
    skipped: int = -1
    factor: Any = 1
    mean: bool = False
    derivative: bool = True
    missing: str = ""
    squeezed: str = ""
    last: bool = True

    def __call__(self, v):
        x, T, N = v["x"], v["x"].shape[1], v["x"].shape[0]
        h = [v["h0"]]
        for t in range(T):
            h.append(np.tanh(x[:, t] @ v["U"] + h[-1] @ v["W"] + v["b"]))
        grad = {name: np.zeros(v[name].shape) for name in NAMES}
        carried = np.zeros_like(h[0])
        for t in reversed(range(T)):
            error = h[t + 1] - v["y"][:, t]
            dh = error * (1.0 / N) if self.mean else error / N
            dh += carried
            da = dh * (1 - h[t + 1] ** 2) if self.derivative else dh * (1 - h[t + 1])
            if T - t <= self.window:
                grad["U"] += x[:, t].T @ da
                grad["W"] += h[t].T @ da if t != self.skipped else 0
                grad["b"] += da.sum(axis=0)
                grad["x"][:, t] = da @ v["U"].T
            carried = self.sign * da @ (v["W"].T if self.transpose else v["W"]) if self.carry else 0 * da
        grad["h0"] = carried
        grad = {name: self.factor * g for name, g in grad.items() if name != self.missing}
        return {name: g[..., None] if name == self.squeezed else g for name, g in grad.items()}


def point(seed=0, *, N=3, T=6, D=4, H=5, weight=0.5, wanted=NAMES):
    rng = np.random.default_rng(seed)
    shapes = {"U": (D, H), "W": (H, H), "b": (H,), "x": (N, T, D), "h0": (N, H), "y": (N, T, H)}
    return Point({name: (weight if name in "UW" else 1) * rng.standard_normal(s) for name, s in shapes.items()}, wanted)


def verdicts(findings):
    return {f.quantity: f.verdict for f in findings}


def judged(backward, *points, forward=rnn_forward, **options):
    return {f.quantity: f for f in compare_gradients(forward, backward, points or (point(0), point(1)), **options)}


def test_the_right_gradient_agrees_to_ninety_digits():
    found = judged(Planted())
    assert list(found) == list(NAMES)
    for finding in found.values():
        assert finding.verdict == "agrees"
        assert finding.detail.endswith(" digits")
        assert int(finding.detail.split()[0]) >= 90


@pytest.mark.parametrize(("planted", "right"), [
    (Planted(sign=-1), set()),
    (Planted(transpose=False), set()),
    (Planted(carry=False), set()),
    (Planted(derivative=False), set()),
    (Planted(factor=2), set()),
    (Planted(factor=1 + 2**-40), set()),
    (Planted(skipped=0), {"U", "b", "x", "h0"}),
    (Planted(window=5), {"h0"}),
    (Planted(missing="b"), set(NAMES) - {"b"}),
    (Planted(squeezed="h0"), set(NAMES) - {"h0"}),
])
def test_planted_errors_are_refuted_and_what_is_right_is_not(planted, right):
    for name, finding in judged(planted).items():
        assert finding.verdict == ("agrees" if name in right else "refuted"), (name, finding.detail)


def test_a_constant_that_was_rounded_twice_is_not_an_error():
    for name, finding in judged(Planted(mean=True)).items():
        assert finding.verdict == "agrees", name
        assert finding.detail.startswith("up to float64 constants: relative mismatch ")
        assert 0 < float(finding.detail.split()[-1]) < 2**-45


@pytest.mark.parametrize(("bits", "verdict"), [(44, "refuted"), (46, "agrees")])
def test_the_line_between_an_error_and_a_constant_is_at_45_bits(bits, verdict):
    at = Point({"a": [3.0]}, ("a",))
    (finding,) = compare_gradients(lambda v: v["a"] ** 2, lambda v: {"a": 2 * v["a"] * (1 + 2.0**-bits)}, [at, at])
    assert finding.verdict == verdict


def test_a_mismatch_is_excused_only_where_it_is_small_at_two_points():
    small, large = Point({"a": [2.0**-50], "b": [1.0]}, ("b",)), Point({"a": [0.5], "b": [1.0]}, ("b",))

    def forward(v):
        return (v["b"] + v["a"] * v["b"]).sum()

    def backward(v):
        return {"b": np.ones(1)}

    assert compare_gradients(forward, backward, [small, large])[0].verdict == "refuted"
    assert compare_gradients(forward, backward, [small, small])[0].detail.startswith("up to float64 constants")
    assert compare_gradients(forward, backward, [small, Point({"a": [0.0], "b": [1.0]}, ("b",))])[0].detail.startswith("up to")


@pytest.mark.parametrize(("planted", "name", "words"), [
    (Planted(factor=3), "W", "every entry is 3 times what is right; largest difference at ["),
    (Planted(factor=Fraction(-1, 6)), "b", "every entry is -1/6 times what is right; "),
    (Planted(factor=0), "x", "the returned gradient is 0; largest difference at ["),
    (Planted(missing="b"), "b", "no gradient was returned"),
    (Planted(squeezed="b"), "b", "the gradient has shape (5, 1) instead of (5,)"),
    (Planted(window=5), "x", "; 12 of 72 entries differ"),
    (Planted(window=5), "x", ", all at index 0 of axis 1; largest difference at ["),
    (Planted(carry=False), "x", ", none at index 5 of axis 1; largest difference at ["),
    (Planted(carry=False), "h0", "the returned gradient is 0; "),
    (Planted(skipped=0), "W", "; 25 of 25 entries differ; "),
])
def test_the_words_say_what_is_wrong_and_where(planted, name, words):
    detail = judged(planted)[name].detail
    assert words in detail, detail


def test_the_values_in_the_words_are_those_of_the_gradient():
    at = point(0)
    detail = judged(Planted(factor=3), at)["b"].detail
    with precision(100):
        truth = [float(entry.value.mid()) for entry in true_gradient(rnn_forward, at, "b")]
    index = max(range(5), key=lambda i: abs(truth[i]))
    assert f"at [{index}]: {3 * truth[index]:.6g}"[:12] in detail
    assert f"{truth[index]:.5g}" in detail


def test_a_true_gradient_is_that_of_central_differences():
    at = point(3)
    floats = dict(at.values)
    with precision(200):
        truth = true_gradient(rnn_forward, at, "W")
    for index in np.ndindex(5, 5):
        step = np.zeros((5, 5))
        step[index] = 1e-6
        plus, minus = (rnn_forward({**floats, "W": floats["W"] + s}) for s in (step, -step))
        assert float(truth[index].value.mid()) == pytest.approx((plus - minus) / 2e-6, rel=1e-6, abs=1e-8)


def test_float_checks_pass_a_truncated_gradient_that_balls_refute():
    drawn = point(0, N=1, T=20, D=3, H=8, wanted=("U", "W", "b"))
    W = 0.1 * np.random.default_rng(1).uniform(-1, 1, (8, 8)) / np.sqrt(8)
    at = Point({**drawn.values, "W": W}, drawn.wanted)
    floats = dict(at.values)
    for name in at.wanted:
        difference = central_differences(rnn_forward_last, floats, name)
        np.testing.assert_allclose(last_step_backward(floats, keep=4)[name], difference, rtol=1e-3, atol=1e-5)
    for keep in (4, 8, 12):
        found = judged(lambda v, keep=keep: last_step_backward(v, keep=keep), at, forward=rnn_forward_last)
        assert verdicts(found.values()) == {"U": "refuted", "W": "refuted", "b": "refuted"}, keep
    right = judged(lambda v: last_step_backward(v, keep=20), at, forward=rnn_forward_last)
    assert verdicts(right.values()) == {"U": "agrees", "W": "agrees", "b": "agrees"}


def rnn_forward_last(v):
    """The loss is that of the last state alone, so that early times reach it through W only."""
    h = v["h0"]
    for t in range(v["x"].shape[1]):
        h = np.tanh(v["x"][:, t] @ v["U"] + h @ v["W"] + v["b"])
    return np.sum((h - v["y"][:, -1]) ** 2) / 2


def last_step_backward(v, keep):
    x, h = v["x"], [v["h0"]]
    T = x.shape[1]
    for t in range(T):
        h.append(np.tanh(x[:, t] @ v["U"] + h[-1] @ v["W"] + v["b"]))
    dU, dW, db, dx = (np.zeros_like(v[name]) for name in ("U", "W", "b", "x"))
    dh = h[-1] - v["y"][:, -1]
    for t in reversed(range(T - keep, T)):
        da = dh * (1 - h[t + 1] ** 2)
        dU, dW, db = dU + x[:, t].T @ da, dW + h[t].T @ da, db + da.sum(axis=0)
        dx[:, t] = da @ v["U"].T
        dh = da @ v["W"].T
    return {"U": dU, "W": dW, "b": db, "x": dx, "h0": dh}


def central_differences(forward, values, name, eps=1e-6):
    found = np.zeros_like(values[name])
    for index in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[index] = eps
        plus, minus = (forward({**values, name: values[name] + s}) for s in (step, -step))
        found[index] = (plus - minus) / (2 * eps)
    return found


def test_a_gradient_that_decayed_to_1e_50_is_still_compared():
    at = point(0, T=60, H=2, weight=0.1, wanted=("h0", "x"))
    right = judged(lambda v: last_step_backward(v, keep=60), at, forward=rnn_forward_last)
    assert verdicts(right.values()) == {"h0": "agrees", "x": "agrees"}
    with precision(400):
        decayed = last_step_backward(at.balls(), keep=60)["h0"]
        assert all(abs(entry.value) < arb(10) ** -50 for entry in decayed.flat)
    wrong = judged(
        lambda v: {**last_step_backward(v, keep=60), "h0": 1.001 * last_step_backward(v, keep=60)["h0"]},
        at, forward=rnn_forward_last,
    )
    assert verdicts(wrong.values()) == {"h0": "refuted", "x": "agrees"}
    assert "relative mismatch 0.000" in wrong["h0"].detail


def test_a_gradient_that_is_zero_agrees():
    at = Point({"a": [0.25, 0.5], "b": [1.5, -1], "c": [0.5]}, ("a", "b", "c"))

    def forward(v):
        return np.log(np.exp(v["a"] + v["c"]).sum()) - np.log(np.exp(v["a"]).sum()) + 0 * v["b"].sum()

    def backward(v):
        first, second = np.exp(v["a"] + v["c"]), np.exp(v["a"])
        return {"a": first / first.sum() - second / second.sum(), "b": np.zeros(2), "c": np.ones(1)}

    found = judged(backward, at, forward=forward)
    assert found["a"].verdict == found["b"].verdict == found["c"].verdict == "agrees"
    assert found["b"].detail == "both are exactly 0"
    assert found["a"].detail.startswith("both are 0 to 2")


def relu_forward(v):
    return np.sum(np.maximum(v["w"] * v["x"] - v["b"], 0))


def relu_backward(v):
    on = v["w"] * v["x"] - v["b"] > 0
    return {"w": np.where(on, v["x"], 0)}


def test_overlapping_balls_are_tried_with_more_bits_and_at_other_points():
    sevenths = {"x": np.array([Fraction(1, 3)]), "b": np.array([Fraction(1, 7)])}
    tie = Point({"w": np.array([Fraction(3, 7)]), **sevenths}, ("w",))
    assert Fraction(3, 7) * sevenths["x"][0] == sevenths["b"][0]
    close = Point({"w": np.array([Fraction(3, 7) + Fraction(1, 10**150)]), **sevenths}, ("w",))
    apart = Point({"w": np.array([Fraction(1)]), **sevenths}, ("w",))
    (undecided,) = compare_gradients(relu_forward, relu_backward, [tie])
    assert undecided.verdict == "undecided"
    assert undecided.detail.startswith("the backward pass stops: cannot compare")
    assert "at 2997 bits" in undecided.detail
    assert compare_gradients(relu_forward, relu_backward, [close])[0].verdict == "agrees"
    assert compare_gradients(relu_forward, relu_backward, [close], max_bits=400)[0].verdict == "undecided"
    assert compare_gradients(relu_forward, relu_backward, [tie, apart])[0].verdict == "agrees"
    assert compare_gradients(relu_forward, lambda v: {"w": v["x"] * 2}, [tie, apart])[0].verdict == "refuted"


def test_a_kink_is_undecided():
    at = Point({"w": [0.5], "x": [2.0], "b": [1.0]}, ("w",))
    (finding,) = compare_gradients(relu_forward, lambda v: {"w": v["x"]}, [at])
    assert finding.verdict == "undecided"
    assert finding.detail.startswith("the forward pass stops: cannot differentiate a comparison of 0")


def test_nan_is_undecided_with_its_reason():
    at = Point({"w": [0.5, 2.0]}, ("w",))
    unwritten = compare_gradients(lambda v: v["w"].sum(), lambda v: {"w": np.empty(2)}, [at])[0]
    assert unwritten.verdict == "undecided"
    assert unwritten.detail.startswith("the returned gradient holds NaN or infinity: a slot read before it was written")
    outside = compare_gradients(lambda v: np.log(-v["w"]).sum(), lambda v: {"w": 1 / v["w"]}, [at])[0]
    assert (outside.verdict, outside.detail) == ("undecided", "the derivative of the forward pass is NaN or infinite")


def test_integers_are_handed_over_as_they_are():
    at = Point({"E": [[0.5, 1.0, 2.0], [1.0, 0.0, 1.0]], "w": np.array([2, 0, 2]), "m": np.array([True, False, True])}, ("E",))

    def forward(v):
        return (v["E"][:, v["w"]][:, v["m"]] ** 2).sum()

    def backward(v):
        grad = np.zeros_like(v["E"])
        np.add.at(grad, (slice(None), v["w"][v["m"]]), 2 * v["E"][:, v["w"][v["m"]]])
        return {"E": grad}

    assert judged(backward, at, forward=forward)["E"].verdict == "agrees"


def test_what_is_no_loss_and_what_are_no_gradients():
    at = point()
    with pytest.raises(DataError, match=r"^the forward pass must return one number, the loss; it returned shape \(5,\)$"):
        compare_gradients(lambda v: v["b"], Planted(), [at])
    with pytest.raises(DataError, match=r"^the backward pass must return a dict of gradients by name; it returned list$"):
        compare_gradients(rnn_forward, lambda v: [1], [at])
    with pytest.raises(DataError, match=r"^there is no point to compare gradients at; give at least one$"):
        compare_gradients(rnn_forward, Planted(), [])


def test_code_that_changes_its_arguments_does_not_disturb_the_judge():
    def backward(v):
        grad = Planted()(v)
        for array in v.values():
            array *= 2
        return grad

    assert set(verdicts(judged(backward).values()).values()) == {"agrees"}


def test_foreign_modules_with_names_of_their_own():
    module = ModuleType("foreign")
    exec("""
from math import exp
from numpy import array, zeros, sum

def forward(v):
    z = zeros(2, dtype=float)
    z[0], z[1] = exp(v["a"][0]), v["a"][1]
    return float(sum(z * z))

def backward(v):
    return {"a": array([2 * exp(v["a"][0]) * exp(v["a"][0]), 2 * v["a"][1]], dtype=float)}
""", vars(module))
    at = Point({"a": [0.25, 0.5]}, ("a",))
    (finding,) = compare_gradients(module.forward, module.backward, [at], namespaces=[vars(module)])
    assert finding.verdict == "agrees", finding


def test_the_same_seed_gives_the_same_findings():
    assert judged(Planted(skipped=0), seed=5) == judged(Planted(skipped=0), seed=5)
    assert judged(Planted(skipped=0), seed=5) != judged(Planted(skipped=0), seed=6)


def test_the_judge_imports_no_rule_and_no_code_generator():
    for module in (agreement, balls, directional, mismatch):
        names = {node.module for node in ast.walk(ast.parse(getsource(module))) if isinstance(node, ast.ImportFrom)}
        assert not names & {"symrnn.vjp", "symrnn.bptt", "symrnn.rewrite", "symrnn.codegen", "symrnn.expr"}


class Program:
    """Stands for generated code: a simple recurrent net with squared error, in the layout of generated code."""

    derivation = derive(network(cell("rnn"), task="many-to-many", loss="squared-error"))

    def __init__(self, error=1, drift=0):
        self.error, self.drift = error, drift

    def run(self, v):
        h, loss = [v["h_0"]], 0
        for t in range(v["x"].shape[1]):
            h.append(np.tanh(v["x"][:, t] @ v["W_xh"].T + h[-1] @ v["W_hh"].T + v["b_h"]))
            loss = loss + np.sum((h[-1] @ v["W_hy"].T + v["b_y"] - v["y"][:, t]) ** 2) / 2
        return h, loss

    def loss(self, v):
        return self.run(v)[1]

    def gradients(self, v):
        h, loss = self.run(v)
        grad = {name: np.zeros_like(v[name]) for name in ("W_xh", "W_hh", "b_h", "W_hy", "b_y", "x")}
        dh = 0
        for t in reversed(range(v["x"].shape[1])):
            dy = h[t + 1] @ v["W_hy"].T + v["b_y"] - v["y"][:, t]
            grad["W_hy"] += dy.T @ h[t + 1]
            grad["b_y"] += dy.sum(0)
            da = (dh + dy @ v["W_hy"]) * (1 - h[t + 1] ** 2)
            grad["W_xh"] += da.T @ v["x"][:, t]
            grad["W_hh"] += da.T @ h[t]
            grad["b_h"] += da.sum(0)
            grad["x"][:, t] = da @ v["W_xh"]
            dh = da @ v["W_hh"]
        return loss + self.drift, {**grad, "h_0": dh * self.error}


def test_a_program_for_a_network_is_judged_at_points_of_the_network():
    report = judge_balls(Program(), seed=3)
    report.assert_ok()
    assert [f.quantity for f in report.findings] == ["L", *(f"d_{g.name}" for g in Program.derivation.wanted)]
    assert report.judge == "ball arithmetic"
    assert "333-bit balls" in report.compared
    assert "B = 2" in report.compared
    assert report.means.startswith("equal to 90 digits")
    assert judge_balls(Program(), sizes={"T": 5, "H": 2}).compared.count("T = 5") == 1


def test_a_wrong_program_is_refuted_by_name():
    report = judge_balls(Program(error=-1))
    assert [f.quantity for f in report.refuted] == ["d_h_0"]
    assert "every entry is -1 times what is right" in report.refuted[0].detail
    drifting = judge_balls(Program(drift=1))
    assert [f.quantity for f in drifting.refuted] == ["L"]
    assert " alone, " in drifting.refuted[0].detail


class Edited:
    """A generated program in whose source one piece of text was replaced."""

    def __init__(self, derivation, old, new):
        self.program = to_numpy(derivation)
        assert old in self.program.source
        object.__setattr__(self.program, "source", self.program.source.replace(old, new))
        self.derivation, self.loss, self.gradients = derivation, self.program.loss, self.program.gradients
        self.names, self.accepted = self.program.names, self.program.accepted


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
@pytest.mark.parametrize("options", [
    {}, {"task": "many-to-one", "loss": "squared-error"}, {"mask": True, "over_time": "mean", "over_batch": "mean"},
])
def test_generated_code_agrees(name, options):
    derivation = derive(network(cell(name), **options))
    report = judge_balls(to_numpy(derivation))
    report.assert_ok()
    assert {f.quantity for f in report.findings} == {"L", *(f"d_{g.name}" for g in derivation.wanted)}
    assert all(f.detail.endswith(" digits") for f in report.findings if f.quantity != "L")


@pytest.mark.parametrize(("old", "new", "wrong"), [
    ("(1 - h[t] * h[t])", "(1 + h[t] * h[t])", {"W_hh", "W_xh", "b_h", "h_0", "x"}),
    ("d_a[t + 1] @ W_hh", "d_a[t + 1] @ W_hh.T", {"W_hh", "W_xh", "b_h", "h_0", "x"}),
    ("d_a[t].T @ h[t - 1]", "d_a[t].T @ h[t - 1] * (t > 1)", {"W_hh"}),
    ("d_h[0] = d_a[1] @ W_hh", "d_h[0] = d_a[1] @ W_hh.T", {"h_0"}),
    ("d_b_y += d_a_y[t].sum(axis=0)", "d_b_y += d_a_y[t].mean(axis=0)", {"b_y"}),
    ("d_a_y[t] = y_hat[t] - y[t]", "d_a_y[t] = y[t] - y_hat[t]", {"W_hh", "W_xh", "b_h", "W_hy", "b_y", "h_0", "x"}),
])
def test_errors_in_generated_code_are_refuted(old, new, wrong):
    derivation = derive(network(cell("rnn")))
    report = judge_balls(Edited(derivation, old, new))
    assert {f.quantity for f in report.refuted} == {f"d_{name}" for name in wrong}


def test_second_derivatives_agree():
    derivation = derive(hessian_vector_network(derive(network(cell("rnn")))))
    report = judge_balls(to_numpy(derivation), sizes={"T": 4, "H": 3, "K": 2})
    report.assert_ok()
    assert [f.quantity for f in report.findings][:2] == ["s", "d2_W_hh"]


def test_an_unspecified_function_is_judged_with_the_sine():
    derivation = derive(network(cell("rnn", activation="phi")))
    judge_balls(to_numpy(derivation)).assert_ok()
    wrong = judge_balls(Edited(derivation, "phi_prime(", "-phi_prime("))
    assert {f.quantity for f in wrong.refuted} == {"d_W_hh", "d_W_xh", "d_b_h", "d_x", "d_h_0"}
    assert [balls.order_of(name) for name in ("phi", "phi_prime", "phi_2", "phi_3")] == [0, 1, 2, 3]


def truncated(window):
    """The state is carried over, but not differentiated, at one time."""
    h, x, T = series("h", "H"), series("x", "D"), network(cell("rnn")).blocks[0].equations[0].span.hi
    w, u = parameter("W", "H", "H"), parameter("U", "H", "D")

    def step(state, lo, hi):
        return Equation(h[time], tanh(w @ state + u @ x[time]), Span(lo, hi))

    scan = Scan((step(h[time - 1], 1, window), step(StopGradient(h[time - 1]), window + 1, window + 1), step(h[time - 1], window + 2, T)))
    givens = (Given(w, "parameter"), Given(u, "parameter"), Given(x, "input", Span(1, T)), Given(h, "initial", Span(0, 0)))
    loss = Equation(Static("L"), time_sum(Total(h[time] * h[time]), 1, T), None, "loss")
    return derive(Network("truncated", givens, (scan, loss), Static("L")))


def test_a_stopped_gradient_does_not_move_in_the_forward_pass():
    derivation = truncated(2)
    program = to_numpy(derivation)
    before = program.names["stop_gradient"]
    judge_balls(program).assert_ok()
    assert program.names["stop_gradient"] is before
    passing = Edited(derivation, "stop_gradient(h[", "np.asarray(h[")
    assert {f.quantity for f in judge_balls(passing).refuted} == {"d_W", "d_U", "d_x", "d_h_0"}
    del passing.names["stop_gradient"]
    unmarked = judge_balls(passing)
    assert {f.quantity for f in unmarked.undecided} == {"d_W", "d_U", "d_x", "d_h_0"}
    assert unmarked.undecided[0].detail == "the network stops gradients and the code defines no stop_gradient"


def test_points_satisfy_the_relations_of_a_network_exactly():
    derivation = derive(network(cell("lstm"), loss="cross-entropy", mask=True))
    sizes = {"B": 3, "T": 6, "D": 2, "H": 3, "K": 4}
    at = balls.exact_point(derivation, sizes, np.random.default_rng(0))
    assert (at.values["y"].sum(axis=-1) == 1).all()
    assert (at.values["y"] > 0).all()
    assert set(np.unique(at.values["m"])) == {0, 1}
    assert all((at.values[name] != 0).all() for name in ("h_0", "c_0", "b_f"))
    assert set(at.wanted) == {g.name for g in derivation.wanted}
