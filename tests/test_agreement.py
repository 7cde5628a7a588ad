"""Gradients of hand-written code, with planted errors, against the derivative of its own forward pass."""

from __future__ import annotations

from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest
from flint import arb
from handwritten_nets import (
    NAMES,
    Planted,
    last_step_backward,
    point,
    relu_backward,
    relu_forward,
    rnn_forward,
    rnn_forward_last,
)

from symrnn.errors import DataError
from symrnn.verify.balls.directional import Point, true_gradient
from symrnn.verify.balls.dual import precision
from symrnn.verify.balls.judge import compare_gradients


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


@pytest.mark.sampled(2)
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


@pytest.mark.sampled(3)
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


def test_whole_numbers_move_where_a_gradient_is_wanted():
    at = Point({"a": np.array([[1, 2], [3, 0]]), "k": np.array([1, 0])}, ("a",))

    def backward(v):
        grad = np.zeros((2, 2))
        grad[[0, 1], v["k"]] = 3 * v["a"][[0, 1], v["k"]] ** 2
        return {"a": grad}

    assert judged(backward, at, forward=lambda v: (v["a"][[0, 1], v["k"]] ** 3).sum())["a"].verdict == "agrees"


def test_a_livelier_point_doubles_what_is_small():
    at = Point({"a": [0.1, 0.1], "b": [3.0], "c": [0.0], "d": [0.1], "e": [Fraction(1, 3)]}, ("a", "b", "c", "e"))
    lively = at.livelier()
    assert [list(lively.values[name]) for name in "abcde"] == [[0.8, 0.8], [3.0], [0.0], [0.1], [Fraction(2, 3)]]
    assert lively.wanted == at.wanted
    assert lively.note == " (at weights of at least ½)"


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
