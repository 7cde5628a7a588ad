"""Bounds: no draw violates one, the text of each names its conditions, and what still holds is said in words."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symrnn
from symrnn import bounds, network
from symrnn.codegen import network_source
from symrnn.codegen.runtime import compiled
from symrnn.errors import DataError, SpecError
from symrnn.expr import Diag, Identity, Static, Transposed, Zeros
from symrnn.norm_bounds import norm_bound, step_norms
from symrnn.verify.points import default_sizes, random_point

SLACK = 1 + 1e-12
OTHERS = {
    "stacked": lambda: symrnn.architecture("stacked", symrnn.cell("gru"), layers=2),
    "layer norm": lambda: symrnn.layer_normalised(symrnn.cell("rnn")),
    "additive": lambda: symrnn.architecture("encoder-decoder", symrnn.cell("rnn"), attention="additive"),
}
NAMES = [*symrnn.CELLS, *OTHERS]


@cache
def bounds_of(name: str) -> Any:
    """Bounds are derived once, when the first test asks for them."""
    return bounds(OTHERS[name]() if name in OTHERS else symrnn.cell(name))


@cache
def code_of(name: str) -> Any:
    return compiled(network_source(bounds_of(name).network))["forward"]


def ran(name: str, one: Any, seed: int, scale: float) -> dict[str, Any]:
    """Run the code of a network with its bounds."""
    sizes = default_sizes(one.network) | {"B": 2}
    point = random_point(one.network, sizes, np.random.default_rng(seed))
    kinds = {g.name: g.kind for g in one.network.givens}
    params = {n: scale * v for n, v in point.items() if kinds[n] == "parameter"}
    inputs = [v for n, v in point.items() if kinds[n] == "input"]
    starts = {n: scale * v for n, v in point.items() if kinds[n] == "initial"}
    return code_of(name)(params, *inputs, **starts)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.1, 1.0, 3.0, 20.0]))
def test_no_block_exceeds_its_bound(name: str, seed: int, scale: float) -> None:
    one = bounds_of(name)
    outputs = ran(name, one, seed, scale)
    series = {ends: s for s, ends in one.jacobian.ends.items()}
    for key, bound in one.evaluate(outputs).items():
        measured = np.linalg.norm(outputs[series[key].key], ord=2, axis=(-2, -1))
        assert (measured <= bound * SLACK + 1e-300).all(), key


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", list(symrnn.CELLS))
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.1, 1.0, 5.0]))
def test_no_product_of_whole_steps_exceeds_the_product_of_bounds(name: str, seed: int, scale: float) -> None:
    one = bounds_of(name)
    outputs = ran(name, one, seed, scale)
    series = {ends: s for s, ends in one.jacobian.ends.items()}
    steps = step_norms(one.evaluate(outputs))
    states = one.jacobian.states
    for b in range(steps.shape[0]):
        product, limit = None, 1.0
        for time in range(steps.shape[1]):
            step = np.block([[
                outputs[series[new, old].key][b, time] if (new, old) in series else np.zeros((outputs[series[key].key].shape[-1],) * 2)
                for old in states for key in [next(iter(series))]] for new in states])
            product = step if product is None else step @ product
            limit *= steps[b, time]
            assert np.linalg.norm(product, 2) <= limit * SLACK + 1e-300


@given(seed=st.integers(0, 2**32 - 1), sigma=st.floats(0.05, 3.0), activation=st.sampled_from(["tanh", "sigmoid", "relu", "softplus", "identity"]))
def test_the_theorem_of_pascanu(seed: int, sigma: float, activation: str) -> None:
    """``‖∂h_t/∂h_k‖ ≤ (γ σ_max(W))^(t-k)``, below 1 at all lags where ``γ σ_max(W) ≤ 1``."""
    one = rnn_bounds(activation)
    theorem, rng = one.theorem("vanishing"), np.random.default_rng(seed)
    gamma = theorem.known["gamma"]
    W = rng.standard_normal((4, 4))
    W *= sigma / np.linalg.norm(W, 2)
    params = {"W_hh": W, "W_xh": rng.standard_normal((4, 2)), "b_h": rng.standard_normal(4), "W_hy": np.ones((1, 4)), "b_y": np.ones(1)}
    J = forward_of(activation)(params, rng.standard_normal((1, 12, 2)))["J_h_h"][0]
    product = np.eye(4)
    for lag, step in enumerate(J, 1):
        product = step @ product
        assert np.linalg.norm(product, 2) <= (gamma * sigma) ** lag * SLACK
        if one.theorem("no explosion").holds(sigma_max=sigma):
            assert np.linalg.norm(product, 2) <= SLACK
    assert theorem.holds(sigma_max=sigma) == (gamma * sigma < 1)


@cache
def rnn_bounds(activation: str) -> Any:
    return bounds(symrnn.cell("rnn", activation=activation))


@cache
def forward_of(activation: str) -> Any:
    jacobian = symrnn.step_jacobian(symrnn.cell("rnn", activation=activation))
    return compiled(network_source(jacobian.network))["forward"]


@given(seed=st.integers(0, 2**32 - 1), radius=st.floats(0.1, 1.5))
def test_powers_of_a_matrix(seed: int, radius: float) -> None:
    """``ρ^n ≤ ‖W^n‖ ≤ σ_max^n``."""
    W = np.random.default_rng(seed).standard_normal((3, 3))
    W *= radius / max(abs(np.linalg.eigvals(W)))
    sigma = np.linalg.norm(W, 2)
    for n in (1, 2, 5, 20):
        norm = np.linalg.norm(np.linalg.matrix_power(W, n), 2)
        assert radius**n * (1 - 1e-9) <= norm <= sigma**n * (1 + 1e-9)


@given(gates=st.lists(st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3), min_size=1, max_size=30))
def test_the_direct_path(gates: list[list[float]]) -> None:
    """``‖Π diag(f_j)‖ = max_i Π_j |f_ji| ≤ Π_j max |f_j|``, a gate of tanh has both signs; at ``f = 1`` it is the identity."""
    f = np.array(gates)
    norm = np.linalg.norm(np.diag(f.prod(axis=0)), 2)
    assert norm == pytest.approx(np.abs(f).prod(axis=0).max(), rel=1e-12, abs=1e-300)
    assert norm <= np.abs(f).max(axis=1).prod() * SLACK + 1e-300
    carousel = bounds_of("lstm").theorem("constant error carousel")
    assert carousel.holds(least_gate=max(float(f.min()), 0.0), largest_gate=float(np.abs(f).max())) == bool((f == 1).all())


def test_the_direct_path_is_about_absolute_values() -> None:
    direct = bounds(symrnn.cell("lstm")).theorem("direct path")
    assert "every entry of |f_j| is below 1, by a margin" in direct.text
    assert "max_i Π_j |f_j|_i ≤ Π_j max|f_j|" in direct.text
    assert direct.holds(largest_gate=0.9)
    assert not direct.holds(largest_gate=1.5)


def test_what_the_radius_does_not_decide() -> None:
    """Transient growth at radius 0.9; a nilpotent ``W`` with ``ρ(D W) = 1.2``."""
    W = np.array([[0.9, 10.0], [0.0, 0.9]])
    norms = [np.linalg.norm(np.linalg.matrix_power(W, n), 2) for n in range(200)]
    assert max(norms) > 38
    assert norms[-1] < 1e-5
    nilpotent, D = np.array([[1.5, -1.5], [1.5, -1.5]]), np.diag([1.0, 0.2])
    assert not (nilpotent @ nilpotent).any()
    assert max(abs(np.linalg.eigvals(D @ nilpotent))) == pytest.approx(1.2)


def test_bounds_of_nodes() -> None:
    A, v = Static("A", (), "H", "H"), Static("v", (), "H")
    for node, text in [
        (A, "σ_max(A)"), (2 * A + Identity("H"), "2 σ_max(A) + 1"), (Diag(v) @ A, "max|v| σ_max(A)"), (v @ Transposed(v), "‖v‖ ‖v‖"),
        (Zeros("H", "H"), "0"), (-A, "σ_max(A)"),
    ]:
        assert norm_bound(node).text() == text


def test_uniform_bounds() -> None:
    def whole(cell: Any) -> list[str]:
        return [bound.text() for bound in bounds(cell).uniform.values()]

    assert whole(symrnn.cell("rnn")) == ["σ_max(W_hh)"]
    assert whole(symrnn.cell("rnn", activation="sigmoid")) == ["1/4 σ_max(W_hh)"]
    assert whole(symrnn.cell("rnn", activation="phi")) == ["γ σ_max(W_hh)"]
    assert whole(symrnn.cell("lstm"))[1] == "1"


def test_text_names_the_conditions() -> None:
    for one in map(bounds_of, NAMES):
        for theorem in one.theorems.values():
            assert all(condition.text in theorem.text for condition in theorem.conditions)
            assert theorem.source
            assert theorem.conditions or "No condition." in theorem.text
            assert not theorem.conditions or theorem.otherwise
    assert "γ, the supremum of |φ'|, is an assumption" in str(bounds(symrnn.cell("rnn", activation="phi")))


def test_what_still_holds() -> None:
    relu = bounds(symrnn.cell("rnn", activation="relu"))
    told = relu.theorem("vanishing").what_still_holds(sigma_max=1.2)
    assert told.startswith("violated: γ σ_max(W_hh) < 1 (gamma = 1, sigma_max = 1.2). What still holds: ‖∂h_t/∂h_k‖ ≤ (γ σ_max(W_hh))^(t-k)")
    assert "necessary for an explosion, not sufficient" in relu.what_still_holds(sigma_max=1.2)
    assert relu.theorem("no explosion").holds(sigma_max=1.0)
    assert not relu.theorem("vanishing").holds(sigma_max=1.0)
    assert "radii decide nothing" in relu.theorem("linear").what_still_holds(radius=0.5)
    linear = bounds(symrnn.cell("rnn", activation="identity"))
    assert linear.theorem("linear").holds(radius=0.9)
    assert bounds(symrnn.cell("rnn", activation="phi")).theorem("vanishing").holds(gamma=0.25, sigma_max=3.9)


def test_latex_and_notations() -> None:
    for profile in symrnn.PROFILES:
        assert r"\sigma_{\max}" in bounds(symrnn.cell("lstm")).render(notation=profile, medium="latex")
    assert bounds(network(symrnn.cell("rnn")))._repr_latex_().startswith(r"$\displaystyle \begin{aligned}")


def test_refused() -> None:
    one = bounds(symrnn.cell("rnn"))
    with pytest.raises(SpecError, match=r"^the theorem 'vanishing' needs sigma_max, σ_max\(W\), the largest singular value; give sigma_max=$"):
        one.theorem("vanishing").holds()
    with pytest.raises(DataError, match=r"^radius is ρ\(W\), the spectral radius, a number from 0 on; got -1$"):
        one.what_still_holds(radius=-1)
    with pytest.raises(DataError, match=r"^sigma_max is σ_max\(W\), the largest singular value, a number from 0 on; got nan$"):
        one.what_still_holds(sigma_max=float("nan"))
    with pytest.raises(SpecError, match=r"^unknown number 'sigma'"):
        one.what_still_holds(sigma=1.0)
    with pytest.raises(SpecError, match=r"^unknown theorem 'gauss'"):
        one.theorem("gauss")
    with pytest.raises(SpecError, match=r"^bounds takes the Jacobian of a step, a network or a cell; got a int$"):
        bounds(3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"^the bounds read N_1, which is not among the outputs"):
        one.evaluate({})
