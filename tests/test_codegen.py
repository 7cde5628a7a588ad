"""Generated NumPy code: its gradients against complex steps, on every dtype, at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from programs import CELLS, OPTIONS, SIZES, point_of, program_of

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import network_source, to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell
from symrnn.expr import t
from symrnn.functions import FUNCTION_NAMES, elementwise, parameter, series
from symrnn.networks import network

STEP = 1e-30


def assert_gradients(program, point, tolerance=1e-12):
    """Each gradient, along a random direction, is the complex-step derivative of the program's own loss."""
    loss, gradients = program.gradients(point)
    np.testing.assert_allclose(program.loss(point), loss, rtol=1e-14)
    assert set(gradients) == {g.name for g in program.derivation.wanted}
    rng = np.random.default_rng(1)
    for name, gradient in gradients.items():
        assert gradient.shape == point[name].shape
        direction = rng.standard_normal(point[name].shape)
        stepped = program.loss({**point, name: point[name] + 1j * STEP * direction}).imag / STEP
        np.testing.assert_allclose(np.sum(gradient * direction), stepped, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.sampled(17)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_are_complex_step_derivatives(kind, options):
    program = program_of(kind, **options)
    for steps in (1, 2, 4):
        assert_gradients(program, point_of(program, T=steps))


@pytest.mark.parametrize("name", [name for name in FUNCTION_NAMES if name not in {"log", "exp"}])
def test_every_activation(name):
    program = program_of("rnn", activation=name)
    assert_gradients(program, point_of(program))


def test_central_differences_agree():
    program = program_of("gru", loss="squared-error")
    point = point_of(program)
    _, gradients = program.gradients(point)
    step = 1e-6
    for name, gradient in gradients.items():
        direction = np.ones(gradient.shape)
        up, down = (program.loss({**point, name: point[name] + s * direction}) for s in (step, -step))
        np.testing.assert_allclose(gradient.sum(), (up - down) / (2 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.sampled(13)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", [{}, {"task": "many-to-one"}, {"mask": True, "over_time": "mean"}], ids=str)
def test_second_order_code_is_the_derivative_of_first_order_code(kind, options):
    first = derive(network(cell(kind), **options))
    program, gradient_program = to_numpy(derive(hessian_vector_network(first))), to_numpy(first)
    point = point_of(program)
    assert_gradients(program, point)
    _, products = program.gradients(point)
    names = [g.name for g in first.network.givens]
    moved = {n: point[n] + 1j * STEP * point[f"v_{n}"] if f"v_{n}" in point else point[n] for n in names}
    _, stepped = gradient_program.gradients(moved)
    for name, gradient in stepped.items():
        np.testing.assert_allclose(products[name], gradient.imag / STEP, rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", [*OPTIONS, {"activation": "relu"}, {"activation": "elu"}], ids=str)
def test_float32_stays_float32(kind, options):
    program = program_of("rnn" if "activation" in options else kind, **options)
    point = point_of(program, dtype=np.float32)
    for left_out in ({}, {"h_0", "c_0"}):
        loss, gradients = program.gradients({k: v for k, v in point.items() if k not in left_out})
        assert loss.dtype == np.float32
        assert {name: g.dtype for name, g in gradients.items()} == dict.fromkeys(gradients, np.dtype(np.float32))


def test_float32_stays_float32_with_integers():
    program = program_of(mask=True, over_time="mean")
    point = point_of(program, dtype=np.float32)
    classes = {**point, "y": point["y"].argmax(-1), "m": point["m"].astype(int), "x": np.ones(point["x"].shape, int)}
    loss, gradients = program.gradients(classes)
    assert loss.dtype == np.float32
    assert all(gradient.dtype == np.float32 for gradient in gradients.values())


@pytest.mark.parametrize("options", [{}, {"task": "many-to-one"}, {"loss": "squared-error", "readout": "softmax"}])
def test_integer_targets_are_one_hot_targets(options):
    program = program_of(**options)
    point = point_of(program)
    classes = np.asarray(point["y"].argmax(-1))
    loss, gradients = program.gradients({**point, "y": classes})
    expected, others = program.gradients({**point, "y": np.eye(SIZES["K"])[classes]})
    assert loss == expected
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, others[name])


@pytest.mark.sampled(7)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", [*OPTIONS, {"loss": "squared-error", "readout": "sigmoid"}], ids=str)
def test_nothing_overflows_at_a_thousand(kind, options):
    program = program_of(kind, **options)
    assert_finite_at_a_thousand(program)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "leaky_relu", "softplus", "elu", "sin", "cos", "identity"])
def test_no_activation_overflows_at_a_thousand(name):
    """Without a recurrence, which would multiply a thousand by a thousand."""
    x, h = series("x", "D"), series("h", "H")
    layer = Cell("layer", [(h[t], elementwise(name)(parameter("U", "H", "D") @ x[t]))], inputs=[x])
    assert_finite_at_a_thousand(to_numpy(derive(network(layer))))


def assert_finite_at_a_thousand(program):
    signs = np.random.default_rng(3)
    point = {name: array * np.sign(signs.standard_normal(array.shape)) if name == "x" else array
             for name, array in point_of(program).items()}
    point["x"] = 1000 * np.sign(point["x"])
    point["b_y"] = 1000 * np.sign(point["b_y"])
    with np.errstate(all="raise", under="ignore"):
        loss, gradients = program.gradients(point)
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


def test_a_masked_time_does_not_count():
    program = program_of(mask=True, over_time="mean")
    point = point_of(program)
    point["m"] = np.array([[1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    other = {**point, "y": np.where(point["m"][..., None] == 0, 0.3, point["y"])}
    assert program.loss(point) == program.loss(other)
    whole = {**point, "m": point["m"][..., None].astype(bool)}
    assert program.loss(point) == program.loss(whole)
    shorter = program_of(over_time="mean")
    alone = {name: array for name, array in point.items() if name != "m"}
    second = {n: a[1:, :1] if n in {"x", "y"} else a[1:] if n in {"h_0", "c_0"} else a for n, a in alone.items()}
    first = {n: a[:1] if n in {"x", "y", "h_0", "c_0"} else a for n, a in point.items()}
    np.testing.assert_allclose(program.loss(point) - program.loss({**first, "m": point["m"][:1]}), shorter.loss(second))


@pytest.mark.parametrize("options", OPTIONS[:2] + OPTIONS[5:6], ids=str)
def test_a_batch_is_the_sum_of_its_sequences(options):
    program = program_of(**options)
    point = point_of(program, B=3)
    shared = {g.name for g in program.derivation.network.givens if g.kind == "parameter"}
    rows = [{n: a if n in shared else a[k:k + 1] for n, a in point.items()} for k in range(3)]
    loss, gradients = program.gradients(point)
    singles = [program.gradients(row) for row in rows]
    np.testing.assert_allclose(sum(single for single, _ in singles), loss)
    for name, gradient in gradients.items():
        parts = [single[name] for _, single in singles]
        np.testing.assert_allclose(sum(parts) if name in shared else np.concatenate(parts), gradient, rtol=1e-10, atol=1e-14)


def test_open_functions_are_arguments():
    program = program_of("rnn", activation="phi")
    fixed = program_of("rnn", activation="sin")
    point = point_of(program)
    functions = {"phi": np.sin, "phi_prime": np.cos}
    loss, gradients = program.gradients({**point, **functions})
    expected, others = fixed.gradients(point)
    np.testing.assert_allclose(loss, expected)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[name], rtol=1e-12, atol=1e-15)


def test_outputs_without_targets():
    program = program_of()
    point = point_of(program)
    given = {name: array for name, array in point.items() if name not in {"y", "h_0"}}
    y_hat = program.forward(given)["y_hat"]
    assert y_hat.shape == (2, 4, 7)
    np.testing.assert_allclose(y_hat.sum(-1), 1)
    namespace = {}
    exec(network_source(program.derivation.network, [series("ell", 1)]), namespace)
    params = {g.name: point[g.name] for g in program.derivation.network.givens if g.kind == "parameter"}
    steps = namespace["forward"](params, point["x"], point["y"], c_0=point["c_0"])["ell"]
    assert steps.shape == (2, 4, 1)
    np.testing.assert_allclose(steps.sum(), program.loss({**given, "y": point["y"]}))
