"""gradient_flow against brute force in NumPy and PyTorch, its definitions, and its errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symrnn
from symrnn import architecture, cell, gradient_flow, network
from symrnn.errors import DataError, NotSupportedError, SpecError
from symrnn.flow import run as steps_of_a_run
from symrnn.flow.measure import chain_for
from symrnn.flow.record import Flow

CELLS = ("rnn", "lstm", "gru", "gru-reset-after", "lstm-peephole", "lstm-coupled", "mgu", "janet", "ugrnn", "indrnn")
SMALL: dict[str, Any] = {"steps": 7, "hidden": 4, "inputs": 3}


def weights_of(rng: np.random.Generator, h: int = 4, d: int = 3) -> dict[str, Any]:
    return {"W_hh": rng.standard_normal((h, h)), "W_xh": rng.standard_normal((h, d)), "b_h": rng.standard_normal(h)}


def plain_run(p: dict[str, Any], x: Any) -> tuple[Any, list[Any]]:
    """States of ``h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h)``, and the Jacobians of its steps."""
    h, states, jacobians = np.zeros(len(p["b_h"])), [], []
    for row in x:
        h = np.tanh(p["W_hh"] @ h + p["W_xh"] @ row + p["b_h"])
        states.append(h)
        jacobians.append(np.diag(1 - h * h) @ p["W_hh"])
    return states, jacobians


def test_every_number_of_the_simple_network_by_hand() -> None:
    rng = np.random.default_rng(0)
    p, x, g = weights_of(rng), rng.standard_normal((6, 3)), rng.standard_normal(4)
    states, jacobians = plain_run(p, x)
    flow = gradient_flow(cell("rnn"), params=p, data={"x": x}, gradient=g, lags=[1, 6], heat=True)
    product = np.eye(4)
    for lag in range(7):
        assert flow.spectral[lag] == pytest.approx(math.log10(np.linalg.norm(product, 2)))
        assert flow.frobenius[lag] == pytest.approx(math.log10(np.linalg.norm(product)))
        assert flow.delta[lag] == pytest.approx(math.log10(np.linalg.norm(product.T @ g)))
        assert flow.bound is not None
        assert flow.bound[lag] == pytest.approx(lag * math.log10(np.linalg.norm(p["W_hh"], 2)))
        if lag in (1, 6):
            assert flow.singular[[1, 6].index(lag)] == pytest.approx(np.log10(np.linalg.svd(product, compute_uv=False)))
        if lag == 6:
            break
        k = 5 - lag
        assert flow.inputs[lag] == pytest.approx(math.log10(np.linalg.norm(product @ np.diag(1 - states[k] ** 2) @ p["W_xh"])))
        without = x.copy()
        without[k] = 0
        assert flow.removed[lag] == pytest.approx(math.log10(np.linalg.norm(plain_run(p, without)[0][-1] - states[-1])))
        product = product @ jacobians[k]
    assert flow.heat is not None
    for t, k in ((4, 1), (6, 0), (3, 2)):
        expected = np.linalg.norm(np.linalg.multi_dot([np.eye(4), *jacobians[k:t][::-1]]), 2)
        assert flow.heat[t, k] == pytest.approx(math.log10(expected))
    assert np.isnan(flow.heat[1, 3])
    assert flow.sigma_max == pytest.approx(np.linalg.norm(p["W_hh"], 2))
    assert flow.radius == pytest.approx(np.abs(np.linalg.eigvals(p["W_hh"])).max())
    assert flow.lyapunov is not None
    assert flow.lyapunov.sum() == pytest.approx(math.log(abs(np.linalg.det(product))) / 6)


def test_lyapunov_exponents_of_a_linear_network_are_the_logarithms_of_the_eigenvalues() -> None:
    rng = np.random.default_rng(1)
    basis, values = np.linalg.qr(rng.standard_normal((3, 3)))[0], np.array([1.2, 0.9, 0.5])
    p = {"W_hh": basis @ np.diag(values) @ basis.T, "W_xh": np.ones((3, 1)), "b_h": np.zeros(3)}
    flow = gradient_flow(cell("rnn", activation="identity"), params=p, steps=200, data={"x": np.zeros((200, 1))})
    assert flow.lyapunov == pytest.approx(np.log(values), abs=0.02)
    assert flow.spectral[-1] == pytest.approx(200 * math.log10(1.2))


@pytest.mark.parametrize("name", CELLS)
def test_products_are_those_of_the_network_by_pytorch(name: str) -> None:
    """``∂(all states)_T/∂x`` of the equations themselves, which no rule of ours has differentiated."""
    torch = pytest.importorskip("torch")
    from_equations = pytest.importorskip("symrnn.verify.numeric.torch_eval")
    net = network(cell(name))
    chain = chain_for(net, None, {})
    sizes = {"B": 1, "T": 7, "H": 4, "D": 3, "K": 2}
    flow, values = with_values(net, sizes)
    tensors = from_equations.tensors_of(net, {**values, "y": np.ones((1, 7, 2)) / 2})

    def last(x: Any) -> Any:
        held = from_equations.run_network(net, {**tensors, "x": x}, sizes)
        return held.per_sequence(held.series[chain.hidden][7])[0, ..., 0].reshape(-1)

    found = torch.autograd.functional.jacobian(last, tensors["x"]).numpy()
    expected = [np.linalg.norm(found[:, 0, 6 - lag]) for lag in range(7)]
    assert 10**flow.inputs == pytest.approx(expected)


def with_values(net: Any, sizes: dict[str, int]) -> tuple[Flow, dict[str, Any]]:
    """A record, and the numbers that it was made with."""
    from_rng = np.random.default_rng(5)
    params = {p.name: from_rng.standard_normal([sizes[str(d)] if d.is_Symbol else 7 for d in p.shape if d != 1]) for p in net.parameters}
    values = {**params, "x": from_rng.standard_normal((1, 7, 3)), "h_0": np.zeros((1, 4)), "c_0": np.zeros((1, 4))}
    return gradient_flow(net, params=params, data={"x": values["x"]}), values


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", CELLS)
@given(st.integers(0, 2**31), st.floats(0.1, 2))
@settings(max_examples=5, deadline=None)
def test_what_no_draw_may_violate(name: str, seed: int, gain: float) -> None:
    flow = gradient_flow(cell(name), **SMALL, seed=seed, gain=gain, radius=gain, removed=False)
    assert flow.bound is not None
    assert np.all(flow.spectral <= flow.bound + 1e-9)
    assert np.all(flow.spectral <= flow.frobenius + 1e-9)
    assert np.all(flow.frobenius <= flow.spectral + 0.5 * math.log10(len(flow.states) * 4) + 1e-9)
    assert np.all(flow.delta <= flow.spectral + 1e-9)
    for values in (flow.gates, flow.gates_low, flow.gates_high):
        for gate in values.values():
            assert np.all((gate >= 0) & (gate <= 1))
    if np.isfinite(flow.spectral[-1]):
        assert sum(values.sum() for values in flow.shares.values()) == pytest.approx(flow.spectral[-1], abs=1e-6)
        assert sum(flow.paths.values()) == pytest.approx(np.ones(7))


def test_one_path_has_shares_by_hand() -> None:
    rng = np.random.default_rng(3)
    p, x = weights_of(rng), rng.standard_normal((5, 3))
    states, jacobians = plain_run(p, x)
    flow = gradient_flow(cell("rnn"), params=p, data={"x": x})
    g = np.linalg.svd(np.linalg.multi_dot(jacobians[::-1]))[0][:, 0]
    for lag in range(5):
        slope = (1 - states[4 - lag] ** 2) * g
        after = p["W_hh"].T @ slope
        assert flow.shares["saturation"][lag] == pytest.approx(math.log10(np.linalg.norm(slope) / np.linalg.norm(g)), abs=1e-6)
        assert flow.shares["weights"][lag] == pytest.approx(math.log10(np.linalg.norm(after) / np.linalg.norm(slope)), abs=1e-6)
        g = after
    assert set(flow.shares) == {"saturation", "weights"}


def test_the_direct_path_of_an_lstm_is_the_product_of_its_forget_gates() -> None:
    rng = np.random.default_rng(4)
    zero = {f"W_{g}": np.zeros((4, 4)) for g in "fico"} | {f"U_{g}": np.zeros((4, 3)) for g in "fico"}
    biases = {"b_f": np.array([0.0, 1.0, 2.0, -1.0]), "b_i": np.zeros(4), "b_c": np.zeros(4), "b_o": np.zeros(4)}
    flow = gradient_flow(cell("lstm"), params={**zero, **biases}, data={"x": rng.standard_normal((30, 3))})
    assert flow.direct is not None
    assert 10 ** flow.direct[-1] == pytest.approx((1 / (1 + math.exp(-2))) ** 30)
    assert flow.gates["f"] == pytest.approx(np.full(30, np.mean(1 / (1 + np.exp(-biases["b_f"])))))


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gradient_flow(cell("lstm"), **SMALL)
    monkeypatch.setattr(steps_of_a_run, "LIMIT", 20_000)
    cut = gradient_flow(cell("lstm"), **SMALL)
    for name in ("spectral", "frobenius", "inputs", "delta", "bound", "direct"):
        assert getattr(cut, name) == pytest.approx(getattr(whole, name)), name
    for kind, values in whole.shares.items():
        assert cut.shares[kind] == pytest.approx(values)


def test_ten_thousand_steps_neither_overflow_nor_underflow() -> None:
    for radius in (0.01, 3.0):
        flow = gradient_flow(cell("rnn", activation="identity"), steps=10_000, hidden=2, inputs=1, radius=radius, init="orthogonal",
                             removed=False, data={"x": np.zeros((10_000, 1))})
        assert flow.spectral[-1] == pytest.approx(10_000 * math.log10(radius), rel=1e-6)
        assert np.all(np.isfinite(flow.delta))


@pytest.mark.parametrize(("draws", "norms"), [
    (1, {2.0: 0.24}), pytest.param(3, {1.0: 5e-8, 2.0: 0.24, 3.0: 22, 5.0: 176}, marks=pytest.mark.full),
])
def test_decay_over_a_hundred_steps_and_forget_biases(draws: int, norms: dict[float, float]) -> None:
    """Lag 100, H = 64: weights uniform in ±1/8 as PyTorch draws them, 32 inputs of N(0, 1); medians of the draws."""
    found = [
        np.median([gradient_flow(cell("lstm"), init="pytorch", inputs=32, forget_bias=bias, seed=seed, lyapunov=False, removed=False).spectral[-1]
                   for seed in range(draws)])
        for bias in norms
    ]
    assert found == pytest.approx(np.log10(list(norms.values())), abs=0.6)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("options", "states"), [
    ({"source": "stacked"}, ("h_l1", "h_l2")), ({"source": "stacked", "layer": 2}, ("h_l2",)),
    ({"source": "bidirectional", "layer": "bw"}, ("h_bw",)), ({"source": "encoder-decoder", "layer": "dec"}, ("h_dec_l1", "h_dec_l2")),
])
def test_networks_of_several_layers(options: dict[str, Any], states: tuple[str, ...]) -> None:
    parts = [cell("gru")] * 2 if options["source"] != "bidirectional" else cell("gru")
    flow = gradient_flow(architecture(options["source"], parts), layer=options.get("layer"), **SMALL)
    assert flow.states == states
    assert flow.bound is not None
    assert np.all(flow.spectral <= flow.bound + 1e-9)
    assert np.all(np.isfinite(flow.inputs))


def test_the_backward_direction_is_the_forward_one_of_the_reversed_sequence() -> None:
    rng = np.random.default_rng(6)
    p, x = weights_of(rng), rng.standard_normal((6, 3))
    one = gradient_flow(cell("rnn"), params=p, data={"x": x[::-1].copy()}, gradient=np.ones(4))
    both = architecture("bidirectional", cell("rnn"))
    two = gradient_flow(both, params={f"{name}_bw": array for name, array in p.items()}, data={"x": x}, layer="bw", gradient=np.ones(4), inputs=3, hidden=4)
    for name in ("spectral", "inputs", "removed", "delta"):
        assert getattr(two, name) == pytest.approx(getattr(one, name)), name


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"steps": 0}, SpecError, r"^steps is a whole number from 1 on; got 0$"),
    ({"hidden": 2.5}, SpecError, r"^hidden is a whole number from 1 on; got 2\.5$"),
    ({"radius": -1.0}, DataError, r"^radius is a finite number from 0 on; got -1\.0$"),
    ({"gain": math.nan}, DataError, r"^gain is a finite number from 0 on; got nan$"),
    ({"init": "gausian"}, SpecError, r"^unknown initialisation 'gausian'; did you mean gaussian\?$"),
    ({"forget_bias": 1.0}, SpecError, r"^forget_bias: the network 'rnn, many-to-many' has no gate with a bias on its direct path; leave it out$"),
    ({"params": {"W_hh": np.eye(3)}, "radius": 0.5}, SpecError,
     r"^radius is a rule for drawing W_hh, and given parameters are taken as they are; leave out one of them$"),
    ({"params": {"W_xh": np.eye(3)}, "gain": 0.5}, SpecError, r"^gain is a rule for drawing W_xh, and given "),
    ({"params": {"W_hh": np.ones((3, 2))}}, DataError, r"^W_hh: expected "),
    ({"params": {"W_hx": np.ones((3, 2))}}, SpecError, r"^unknown quantity 'W_hx'; did you mean "),
    ({"params": {"b_h": np.array([1.0, math.nan])}}, DataError, r"^b_h"),
    ({"data": {"x": np.zeros((1, 0, 3))}}, DataError, r"^x is empty: shape \(1, 0, 3\); expected \(B, T, D\) with at least one step$"),
    ({"sequence": 3}, SpecError, r"^sequence 3: the batch of .* has 1, counted from 0$"),
    ({"gradient": np.ones(3)}, DataError, r"^gradient: expected 64 finite numbers, those of h; got shape \(3,\)$"),
])
def test_bad_input_is_one_line(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        gradient_flow(cell("rnn"), **options)
    assert "\n" not in str(caught.value)


def test_angles_are_those_between_left_singular_vectors() -> None:
    W = np.random.default_rng(2).normal(size=(5, 5)) / 2
    p = {"W_hh": W, "W_xh": np.zeros((5, 1)), "b_h": np.zeros(5)}
    flow = gradient_flow(cell("rnn", activation="identity"), params=p, steps=12)
    u = [np.linalg.svd(np.linalg.matrix_power(W, lag))[0][:, 0] for lag in range(13)]
    assert np.isnan(flow.angle[0])
    assert flow.angle[1:] == pytest.approx([math.degrees(math.acos(abs(u[lag] @ u[lag + 1]))) for lag in range(1, 12)], abs=0.02)
    assert flow.smallest[12] == pytest.approx(math.log10(np.linalg.svd(np.linalg.matrix_power(W, 12), compute_uv=False)[-1]), abs=1e-4)


def test_rules_are_for_parameters_that_are_drawn() -> None:
    with pytest.raises(SpecError, match=r"^forget_bias is a rule for drawing b_f, and given "):
        gradient_flow(cell("lstm"), params={"b_f": np.zeros(3), "W_f": np.eye(3)}, forget_bias=1.0)
    with pytest.raises(SpecError, match=r"^gain is a rule for drawing W, and given "):
        gradient_flow(cell("rnn-block"), params={"W": np.ones((3, 7))}, gain=1.0)
    free = gradient_flow(cell("lstm"), params={"W_f": np.eye(3)}, steps=4, hidden=3, forget_bias=9.0)
    assert free.gates["f"] == pytest.approx(np.ones(4), abs=0.1)


def test_networks_that_have_no_single_step() -> None:
    with pytest.raises(SpecError, match=r"^the network 'rnn, bidirectional, many-to-many' has steps that do not run together; choose a layer: one of 'fw', 'bw'$"):
        gradient_flow(architecture("bidirectional", cell("rnn")))
    with pytest.raises(NotSupportedError, match=r"^the network 'rnn, many-to-many' has a φ that is left open, which has no numbers; choose an activation such as tanh$"):
        gradient_flow(cell("rnn", activation="phi"))
    with pytest.raises(NotSupportedError, match=r"^the network 'rnn, many-to-many, truncated to windows of 3' is truncated"):
        gradient_flow(symrnn.truncated(network(cell("rnn")), 3))
    with pytest.raises(SpecError, match=r"^gradient_flow takes a network or a cell; got a str; write gradient_flow\(cell\('lstm'\)\)$"):
        gradient_flow("lstm")  # type: ignore[arg-type]
