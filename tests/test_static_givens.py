"""What is given once for each sequence: an image, or a matrix of its places; dropout masks, static and at each time."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Rational

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Equation
from symrnn.errors import DataError
from symrnn.expr import Gather, LogSoftmax, Ones, Scaled, Softmax, Static, Total, dim, t, time_sum
from symrnn.functions import parameter, series, tanh
from symrnn.networks import Given, Network, Relation, Scan, name_operands
from symrnn.times import Span
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.points import default_sizes, random_point

T, S = dim("T"), dim("S")
WHOLE = Span(1, T)
LOSS = Static("L")


def judge_all(net):
    derivation = derive(net)
    program = to_numpy(derivation)
    assert_judged(derivation, judge_entrywise(derivation), judge_balls(program), judge_numeric(program))
    return program


def assert_judged(derivation, *reports):
    """Each judge agrees, and has looked at every gradient."""
    for report in reports:
        report.assert_ok()
        assert len(report.findings) >= len(derivation.wanted) > 0


def captioning() -> Network:
    """A caption of an image: v starts the state, each word attends to the places in A that are there."""
    image, places, there = Static("v", (), "D", 1), Static("A", (), "D", S), Static("m", (), S, 1)
    tokens, y = series("w", 1), series("y", "K")
    emb, a_h, h, s, ctx = series("u", "D"), series("q", "D"), series("h", "H"), series("alpha", S), series("ctx", "D")
    a_y, ell = series("a_y", "K"), series("ell", 1)
    table, w_v, w_q = parameter("E_w", "D", "V"), parameter("W_v", "H", "D"), parameter("W_q", "D", "H")
    w_h, w_u, w_c, w_y = (parameter(n, *shape) for n, shape in (
        ("W_h", ("H", "H")), ("W_u", ("H", "D")), ("W_c", ("H", "D")), ("W_y", ("K", "H"))))
    steps = name_operands([
        Equation(emb[t], Gather(table, tokens[t]), WHOLE),
        Equation(a_h[t], w_q @ h[t - 1], WHOLE),
        Equation(s[t], Softmax(places.T @ a_h[t], there), WHOLE),
        Equation(ctx[t], places @ s[t], WHOLE),
        Equation(h[t], tanh(w_h @ h[t - 1] + w_u @ emb[t] + w_c @ ctx[t]), WHOLE),
        Equation(a_y[t], w_y @ h[t], WHOLE),
        Equation(ell[t], -(y[t].T @ LogSoftmax(a_y[t])), WHOLE),
    ])
    return Network(
        "captioning",
        (
            *(Given(p, "parameter") for p in (table, w_v, w_q, w_h, w_u, w_c, w_y)),
            Given(image, "input"), Given(places, "input"), Given(there, "mask"),
            Given(tokens, "integer", WHOLE), Given(y, "target", WHOLE),
        ),
        (
            Scan((Equation(h[t], tanh(w_v @ image), Span(0, 0)), *steps)),
            Equation(LOSS, time_sum(ell[t], 1, T), None, "loss"),
        ),
        LOSS, (Relation(Total(y[t]), Ones(1, 1)),),
    )


def dropped_out(kind: str) -> Network:
    """Dropout of the state that is read: a mask of each sequence, the same at all times or a fresh one at each."""
    mask = Static("m", (), "H", 1) if kind == "same" else series("m", "H")
    m = mask if kind == "same" else mask[t]
    w, u, x, h = parameter("W", "H", "H"), parameter("U", "H", "D"), series("x", "D"), series("h", "H")
    return Network(
        f"dropout, {kind}",
        (
            Given(w, "parameter"), Given(u, "parameter"), Given(x, "input", WHOLE), Given(h, "initial", Span(0, 0)),
            Given(mask, "mask", None if kind == "same" else WHOLE),
        ),
        (
            Scan(name_operands([Equation(h[t], tanh(w @ (m * h[t - 1]) + u @ x[t]), WHOLE)])),
            Equation(LOSS, Scaled(Rational(1, 2), time_sum(Total(h[t] * h[t]), 1, T)), None, "loss"),
        ),
        LOSS,
    )


def quadratic() -> Network:
    """No time at all: a bilinear form of a matrix of each sequence, and a row."""
    a, row, w, v = Static("A", (), "D", S), Static("r", (), 1, S), parameter("W", "D", "D"), parameter("v", S)
    body = Total((w @ a) * a) + row @ v + row @ a.T @ w @ a @ v
    return Network(
        "static", (Given(w, "parameter"), Given(v, "parameter"), Given(a, "input"), Given(row, "input")),
        (Equation(LOSS, body, None, "loss"),), LOSS,
    )


NETWORKS = {"captioning": captioning, "quadratic": quadratic, "same": lambda: dropped_out("same"), "each": lambda: dropped_out("each")}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", NETWORKS)
def test_judges_agree(name):
    program = judge_all(NETWORKS[name]())
    assert {given.name for given in program.derivation.network.givens if given.kind == "parameter"} <= {
        given.name for given in program.derivation.wanted}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["quadratic", "same"])
def test_second_order(name):
    second = derive(hessian_vector_network(derive(NETWORKS[name]())))
    assert_judged(second, judge_entrywise(second), judge_balls(to_numpy(second)))


def test_each_sequence_has_a_gradient_of_its_own():
    """The gradients of a batch are those of its sequences one by one; parameters add them up."""
    program = to_numpy(derive(captioning()))
    sizes = {**default_sizes(program.derivation), "B": 3}
    point = random_point(program.derivation.network, sizes, np.random.default_rng(0))
    assert point["A"].shape == (3, sizes["D"], sizes["S"])
    assert point["v"].shape == (3, sizes["D"])
    assert point["m"].shape == (3, sizes["S"])
    shared = {g.name for g in program.derivation.network.givens if g.kind == "parameter"}
    _, whole = program.gradients(point)
    each = [program.gradients({n: v if n in shared else v[b:b + 1] for n, v in point.items()})[1] for b in range(3)]
    for name, gradient in whole.items():
        parts = [single[name] for single in each]
        expected = sum(parts) if name in shared else np.concatenate(parts)
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-15, err_msg=name)
    assert np.abs(whole["A"][0] - whole["A"][1]).max() > 1e-6
    assert np.all(np.moveaxis(whole["A"], 1, 2)[point["m"] == 0] == 0)


def test_a_gradient_that_no_sequence_changes_is_given_to_each():
    v, w = Static("v", (), "D", 1), parameter("W", "D")
    net = Network("linear", (Given(v, "input"), Given(w, "parameter")), (Equation(LOSS, w.T @ v, None, "loss"),), LOSS)
    program = judge_all(net)
    loss, gradients = program({"W": np.array([1.0, 2.0])}, np.ones((3, 2)))
    assert loss == 9
    np.testing.assert_array_equal(gradients["v"], [[1, 2]] * 3)
    np.testing.assert_array_equal(gradients["W"], [3, 3])


def test_a_constant_loss_gives_zeros_of_full_shape():
    v, w = Static("v", (), "D", 1), parameter("W", "D")
    net = Network("sum", (Given(v, "input"), Given(w, "parameter")), (Equation(LOSS, Total(v) + 2 * Total(w), None, "loss"),), LOSS)
    _, gradients = judge_all(net)({"W": np.zeros(2)}, np.zeros((3, 2)))
    np.testing.assert_array_equal(gradients["v"], np.ones((3, 2)))
    np.testing.assert_array_equal(gradients["W"], [6, 6])


@pytest.mark.parametrize("kind", ["same", "each"])
def test_masks_are_drawn_and_taken_as_numbers(kind):
    """Zeros and ones are drawn for each sequence; a mask that is scaled by 1/p is a number like another."""
    program = to_numpy(derive(dropped_out(kind)))
    sizes = {**default_sizes(program.derivation), "B": 4}
    point = random_point(program.derivation.network, sizes, np.random.default_rng(0))
    assert point["m"].shape == ((4, sizes["H"]) if kind == "same" else (4, sizes["T"], sizes["H"]))
    assert set(np.unique(point["m"])) == {0, 1}
    assert np.all(point["m"].max(axis=-1) == 1)
    assert np.all(point["m"].min(axis=-1) == 0)
    _, gradients = program.gradients(point)
    first = point["m"] if kind == "same" else point["m"][:, 0]
    assert np.all(gradients["h_0"][first == 0] == 0)
    assert np.all(gradients["h_0"][first == 1] != 0)
    scaled = {**point, "m": 2 * point["m"], "W": point["W"] / 2}
    np.testing.assert_allclose(program.gradients(scaled)[1]["h_0"], gradients["h_0"], rtol=1e-12)


def test_a_dropout_mask_is_no_weight_of_the_losses():
    """A target is checked at each time, whatever the mask of the units says; a mask of nothing is no error."""
    h, y, ell, m = series("h", "H"), series("y", "H"), series("ell", 1), series("m", "H")
    source = dropped_out("each")
    net = Network(
        "dropout", (*source.givens, Given(y, "target", WHOLE)),
        (
            Scan((*source.blocks[0].equations, Equation(ell[t], -(y[t].T @ LogSoftmax(m[t] * h[t])), WHOLE))),
            Equation(LOSS, time_sum(ell[t], 1, T), None, "loss"),
        ),
        LOSS, (Relation(Total(y[t]), Ones(1, 1)),),
    )
    program = to_numpy(derive(net))
    point = random_point(net, {"B": 2, "D": 2, "H": 3, "T": 3}, np.random.default_rng(0))
    point["m"] = np.zeros_like(point["m"])
    program.gradients(point)
    point["y"][1, 2] *= 2
    with pytest.raises(DataError, match=r"^y: the gradients hold for targets that sum to 1; y\[1, 2\] sums to 2; normalise"):
        program.gradients(point)


def test_an_image_for_each_sequence_is_demanded():
    program = to_numpy(derive(captioning()))
    point = random_point(program.derivation.network, default_sizes(program.derivation), np.random.default_rng(0))
    with pytest.raises(DataError, match=r"^A: expected shape \(B, D, S\); got "):
        program.gradients({**point, "A": point["A"][0]})
