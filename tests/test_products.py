"""Matrix products in FLINT hold the same numbers as NumPy's loop over dual numbers, tangents too."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from symrnn.verify import verify_gradient
from symrnn.verify.balls.arrays import BallArray, dual_array, object_arrays
from symrnn.verify.balls.dual import Dual, precision
from symrnn.verify.balls.products import LARGEST, product

RNG = np.random.default_rng(3)


def moving(*shape: int, still: bool = False) -> BallArray:
    """An array of dual numbers that are no fractions; half of them move."""
    made = dual_array(RNG.normal(size=shape))
    for index, entry in np.ndenumerate(made):
        made[index] = Dual(entry.value.exp(), None if still or sum(index) % 2 else entry.value.sin())
    return made


def by_loop(a, b):
    """NumPy's own loop over objects."""
    return np.asarray(a, dtype=object).view(np.ndarray) @ np.asarray(b, dtype=object).view(np.ndarray)


def assert_same(got, wanted) -> None:
    assert np.shape(got) == np.shape(wanted)
    for a, b in zip(np.asarray(got, object).flat, np.asarray(wanted, object).flat, strict=True):
        assert a.value.overlaps(b.value)
        assert a.value.rad() <= 4 * b.value.rad() + arb(10) ** -99
        assert (arb(0) if a.tangent is None else a.tangent).overlaps(arb(0) if b.tangent is None else b.tangent)


@pytest.mark.parametrize(("left", "right"), [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)), ((1, 1), (1, 1))])
@pytest.mark.parametrize("still", [False, True])
def test_products_are_those_of_the_loop(left, right, still) -> None:
    with precision(333):
        a, b = moving(*left, still=still), moving(*right)
        for got in (a @ b, a.dot(b), np.dot(a, b), np.matmul(a, b)):
            assert_same(got, by_loop(a, b))
        with object_arrays():
            assert_same(np.matmul(a, b), by_loop(a, b))
            assert_same(np.dot(a, b), by_loop(a, b))


def test_products_with_plain_arrays() -> None:
    with precision(333):
        a, plain, mask = moving(3, 4), RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2)) > 0
        assert_same(a @ plain, by_loop(a, dual_array(plain)))
        assert_same(plain.T @ a.T, by_loop(dual_array(plain.T), a.T))
        assert_same(a @ mask, by_loop(a, dual_array(mask.astype(int))))
        assert_same(a @ np.asarray(moving(4, 2)).view(np.ndarray) * 0, np.zeros((3, 2)).astype(object) + Dual(arb(0)))


def test_zeros_stay_exact_and_do_not_move() -> None:
    made = dual_array(np.zeros((2, 3))) @ moving(3, 4)
    assert all(entry.value.is_zero() and entry.tangent is None for entry in made.flat)
    exact = dual_array([[0.5, 3.0]]) @ dual_array([[0.25], [2.0]])
    assert exact[0, 0].value == arb(6.125)
    assert exact[0, 0].value.is_exact()


def test_nan_is_carried_and_strangers_are_left_to_numpy() -> None:
    assert (dual_array([[1.0, np.nan]]) @ dual_array([[1.0], [0.0]]))[0, 0].isnan()
    assert product(dual_array(np.ones((2, 3))), np.array([["a"], ["b"], ["c"]], dtype=object)) is None
    assert product(dual_array(np.ones((2, 3))), dual_array(np.ones((2, 3)))) is None
    assert product(dual_array(np.ones((LARGEST + 1, LARGEST + 1))), dual_array(np.ones((LARGEST + 1, LARGEST + 1)))) is None
    with pytest.raises(ValueError, match=r"^matmul: Input operand 1 has a mismatch in its core dimension 0"):
        dual_array(np.ones((2, 3))) @ dual_array(np.ones((2, 3)))


def test_small_entries_keep_their_digits() -> None:
    with precision(333):
        a = dual_array(np.array([[1.0, 2.0], [2.0**-300, 2.0**-301]]))
        for entry in (a @ moving(2, 3))[1]:
            assert entry.value.rad() / abs(entry.value) < arb(10) ** -95


def test_what_numpy_joins_and_chooses_keeps_balls_through_astype() -> None:
    a = moving(2, 3)
    joined = (np.concatenate([a, a]), np.hstack([a, a]), np.stack([a, a]), np.where(np.ones((2, 3), bool), a, 0.0), np.split(a, 3, axis=1)[1],
              np.tensordot(a, a.T, 1), np.einsum("ij,kj->ik", a, a), np.roll(a, 1), np.tile(a, 2), np.flip(a, 0))
    assert all(type(array) is BallArray for array in joined)
    assert all(type(entry) is Dual for array in joined for entry in array.astype(np.float32).flat)


def test_a_right_program_runs_its_forward_a_few_times_only() -> None:
    runs = []

    def forward(x, W, U, b):
        runs.append(1)
        return np.tanh(x @ W @ U + b), (x, W, U, b)

    def backward(dy, cache):
        x, W, U, b = cache
        da = dy * (1 - np.tanh(x @ W @ U + b) ** 2)
        return da @ U.T @ W.T, x.T @ da @ U.T, (x @ W).T @ da, da.sum(axis=0)

    report = verify_gradient(forward, backward, (np.ones((3, 4)), np.ones((4, 5)), np.ones((5, 2)), np.ones(2)), returns=["dx", "dW", "dU", "db"])
    assert [v.verdict for v in report.verdicts] == ["right"] * 4
    assert all(v.digits >= 90 for v in report.verdicts)
    assert len(runs) < 2 * 2 * 4
