"""The ball judge against generated code with planted errors."""

from __future__ import annotations

import ast
from dataclasses import replace
from inspect import getsource

import numpy as np
import pytest

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Equation
from symrnn.expr import Static, StopGradient, Total, time_sum
from symrnn.expr import t as time
from symrnn.functions import parameter, series, tanh
from symrnn.networks import Given, Network, Scan, network
from symrnn.times import Span
from symrnn.verify.balls import agreement, directional, judge_balls, mismatch
from symrnn.verify.balls import judge as balls
from symrnn.verify.balls.dual import Undecided
from symrnn.verify.points import default_sizes
from symrnn.verify.report import AGREES, UNDECIDED


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


@pytest.mark.sampled(7)
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


@pytest.mark.sampled(2)
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


def test_a_loss_that_one_point_does_not_decide_is_compared_at_the_next():
    derivation = derive(network(cell("rnn")))
    code = balls.GeneratedCode(to_numpy(derivation), default_sizes(derivation))
    rng = np.random.default_rng(0)
    first, second = (balls.exact_point(derivation, default_sizes(derivation), rng) for _ in range(2))
    tied = replace(first, values={**first.values, **{k: v * 0 for k, v in first.values.items() if k == "W_hy"}})
    honest = balls.compare_losses(derivation, code, [second], 333)
    assert honest.verdict == AGREES
    real = code.loss

    def undecided_once(values):
        if not any(values["W_hy"].ravel()[0:1] != 0):
            raise Undecided("a tie")
        return real(values)

    code.loss = undecided_once
    assert balls.compare_losses(derivation, code, [tied], 333).verdict == UNDECIDED
    assert balls.compare_losses(derivation, code, [tied, second], 333) == honest
