"""Products of Jacobians: norms against dense SVDs and exact products, at any number of steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symrnn.errors import DataError
from symrnn.flow.chain import LOG2, Scaled, Top, products


def norms(jacobians: Any) -> tuple[Any, Any, Any]:
    """Spectral norms, certain bounds and estimates of the errors."""
    top, found = Top(), []
    for product in products(jacobians, jacobians.shape[1]):
        value = product.log10(top.of(product.array, product.square))
        found.append((value, top.certain, top.estimate))
    return tuple(np.array(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


def dense(jacobians: Any) -> Any:
    """The same by an SVD at each lag."""
    return np.array([p.log10(float(np.linalg.norm(p.array, 2))) for p in products(jacobians, jacobians.shape[1])])


def saturated(n: int, steps: int, radius: float, seed: int, orthogonal: bool = False) -> Any:
    """Jacobians ``diag(1 - h²) W`` of a driven network, from the last."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((n, n)) / math.sqrt(n)
    w = radius * (np.linalg.qr(w)[0] if orthogonal else w)
    h, out = np.zeros(n), []
    for _ in range(steps):
        h = np.tanh(w @ h + rng.standard_normal(n))
        out.append((1 - h * h)[:, None] * w)
    return np.array(out[::-1])


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("orthogonal", [False, True])
def test_norms_are_those_of_a_dense_svd(radius: float, orthogonal: bool) -> None:
    jacobians = saturated(48, 150, radius, 1, orthogonal)
    found, certain, estimate = norms(jacobians)
    errors = np.abs(10 ** (found - dense(jacobians)) - 1)
    assert errors.max() < 1e-8
    assert np.all(errors <= certain + 1e-12)
    assert estimate.max() < 1e-8
    assert (certain < 1e-8).mean() > 0.3


def test_coinciding_singular_values() -> None:
    rng = np.random.default_rng(0)
    w = np.linalg.qr(rng.standard_normal((64, 64)))[0]
    found, _, _ = norms(np.broadcast_to(w, (60, 64, 64)))
    assert np.abs(found).max() < 1e-10
    nearly = w @ np.diag(1 - 1e-4 * rng.random(64))
    found, _, _ = norms(np.broadcast_to(nearly, (60, 64, 64)))
    assert np.abs(10 ** (found - dense(np.broadcast_to(nearly, (60, 64, 64)))) - 1).max() < 3e-4


def test_directions_that_never_mix_are_found() -> None:
    """A diagonal product, and two blocks: what is dominant first is overtaken by what the start vector never met."""
    slopes = np.linspace(0.5, 0.95, 48)
    first = np.diag(1 / slopes**10)
    found = norms(np.array([first] + [np.diag(slopes)] * 40))[0]
    assert np.abs(10 ** (found - dense(np.array([first] + [np.diag(slopes)] * 40))) - 1).max() < 1e-8
    rng = np.random.default_rng(3)
    blocks = np.zeros((60, 60))
    blocks[:30, :30] = rng.standard_normal((30, 30)) * 0.5 / math.sqrt(30)
    blocks[30:, 30:] = rng.standard_normal((30, 30)) / math.sqrt(30)
    start = np.diag(np.repeat([100.0, 1.0], 30))
    jacobians = np.array([start] + [blocks] * 60)
    assert np.abs(10 ** (norms(jacobians)[0][30:] - dense(jacobians)[30:]) - 1).max() < 1e-8


@pytest.mark.parametrize("radius", [0.01, 3.0])
def test_ten_thousand_steps(radius: float) -> None:
    rng = np.random.default_rng(0)
    q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    found = norms(np.broadcast_to(radius * q, (10_000, 4, 4)))[0]
    assert found[-1] == pytest.approx(10_000 * math.log10(radius), rel=1e-10)
    assert np.all(np.isfinite(found))


def test_large_and_small_entries() -> None:
    tiny, huge = np.eye(3) * 1e-280, np.eye(3) * 1e280
    assert norms(np.array([tiny] * 5))[0][-1] == pytest.approx(-1400)
    assert norms(np.array([huge] * 5))[0][-1] == pytest.approx(1400)
    assert norms(np.array([np.zeros((3, 3))] * 3))[0][-1] == -math.inf


def test_scaled_is_the_same_matrix() -> None:
    scaled = Scaled(np.array([[1e200, -3e199]]), 5)
    assert np.allclose(np.log10(np.abs(scaled.array)) + LOG2 * scaled.exponent, np.log10([[1e200, 3e199]]) + LOG2 * 5)


def test_nan_is_refused() -> None:
    with pytest.raises(DataError, match=r"^a Jacobian has an entry nan; expected finite numbers; look at the parameters and the data$"):
        norms(np.full((2, 3, 3), np.nan))


@given(st.integers(0, 2**32 - 1), st.integers(41, 50), st.floats(0.1, 3))
@settings(max_examples=15, deadline=None)
def test_never_above_the_norm_nor_below_by_more_than_is_certain(seed: int, n: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    jacobians = scale * rng.standard_normal((12, n, n)) / math.sqrt(n)
    found, certain, _ = norms(jacobians)
    ratio = 10 ** (found - dense(jacobians))
    assert np.all(ratio <= 1 + 1e-10)
    assert np.all(ratio >= 1 - certain - 1e-10)
