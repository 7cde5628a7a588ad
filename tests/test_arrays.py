from __future__ import annotations

import math
import operator
from types import ModuleType

import numpy as np
import pytest
from flint import arb

from symrnn.verify.balls.arrays import BallArray, dual_array, object_arrays
from symrnn.verify.balls.dual import Dual, Undecided, as_dual, precision


@pytest.fixture(autouse=True)
def bits():
    with precision(333):
        yield


RNG = np.random.default_rng(0)
A, B, C, V = RNG.uniform(0.1, 1, (3, 4)), RNG.uniform(0.1, 1, (4, 5)), RNG.uniform(0.1, 1, (3, 4)), RNG.uniform(0.1, 1, 4)

PROGRAMS = {
    "matmul": lambda a, b, c, v: a @ b,
    "dot": lambda a, b, c, v: np.dot(a, v),
    "dot method": lambda a, b, c, v: a.dot(b),
    "vector dot": lambda a, b, c, v: v @ v,
    "outer": lambda a, b, c, v: np.outer(v, v),
    "einsum": lambda a, b, c, v: np.einsum("ij,jk->ik", a, b),
    "einsum to a number": lambda a, b, c, v: np.einsum("ij,ij->", a, c),
    "tensordot": lambda a, b, c, v: np.tensordot(a, b, 1),
    "sum": lambda a, b, c, v: np.sum(a),
    "sum over an axis": lambda a, b, c, v: a.sum(axis=1, keepdims=True) + c.sum(0),
    "mean": lambda a, b, c, v: np.mean(a, axis=0) + a.mean(),
    "var": lambda a, b, c, v: np.var(a) + np.std(a, axis=0),
    "norm": lambda a, b, c, v: np.linalg.norm(a),
    "where": lambda a, b, c, v: np.where(a > 0.5, a, -c),
    "where with an integer": lambda a, b, c, v: np.where(a > 0.5, np.exp(a), 0),
    "maximum": lambda a, b, c, v: np.maximum(a, c) - np.minimum(a, 0.5),
    "clip": lambda a, b, c, v: np.clip(a, 0.25, 0.75) + a.clip(0.5, None),
    "max": lambda a, b, c, v: np.max(a, axis=1) + a.min(),
    "argmax": lambda a, b, c, v: np.argmax(a, axis=1) + np.argmin(v),
    "softmax": lambda a, b, c, v: (e := np.exp(a - a.max(axis=-1, keepdims=True))) / e.sum(axis=-1, keepdims=True),
    "powers": lambda a, b, c, v: a**2 + a**0.5 + np.power(a, 3) + np.square(a) + 2**a + np.float_power(a, 1.5),
    "abs and sign": lambda a, b, c, v: np.abs(a - 0.5) + np.sign(c - 0.5),
    "functions": lambda a, b, c, v: np.tanh(a) + np.exp(a) + np.log(a) + np.sqrt(a) + np.sin(a) + np.log1p(a) + np.expm1(a),
    "logaddexp": lambda a, b, c, v: np.logaddexp(a, 0.0) + np.logaddexp.reduce(a, axis=1, keepdims=True),
    "heaviside": lambda a, b, c, v: np.heaviside(a - 0.5, 0.5),
    "isnan": lambda a, b, c, v: np.isnan(a).any() + np.isfinite(a).sum() + np.isinf(np.log(a)).sum(),
    "a number": lambda a, b, c, v: np.isnan(a[0, 0]) + np.tanh(a[0, 0]) + math.exp(a[0, 1]) + math.log(a[0, 2], 2),
    "allclose": lambda a, b, c, v: np.allclose(a, a + 1e-9) + 2 * np.allclose(a, c),
    "stacks": lambda a, b, c, v: np.vstack([np.hstack([a, c]), np.concatenate([np.zeros((1, 4)), v[None]], axis=1)]),
    "mixed numbers": lambda a, b, c, v: np.tanh(np.array([0.0, v[0], 1])) + np.exp(np.tril(a[:, :3])),
    "buffers": lambda a, b, c, v: filled(np.zeros(4), v) + filled(np.empty_like(v), v) + filled(np.zeros(4, np.float32), v),
    "tanh of zeros": lambda a, b, c, v: np.tanh(np.zeros((2, 3))) + np.exp(np.zeros_like(a[:2, :3])) + np.log(np.ones(3)),
    "eye": lambda a, b, c, v: np.eye(4) @ v + np.full(4, 0.5) + np.full_like(v, 2) + np.ones_like(v),
    "types": lambda a, b, c, v: a.astype(np.float32).astype(float) + np.asarray(a, dtype=np.float64) + np.array(a, float),
    "transposed": lambda a, b, c, v: (a.T @ c).reshape(2, 8)[:, ::-1].copy(),
    "added at": lambda a, b, c, v: added_at(v),
    "masked": lambda a, b, c, v: a * (c > 0.5) + (a > 0.5).astype(float),
    "list of lists": lambda a, b, c, v: np.array([[x * 2 for x in row] for row in a]),
    "in place": lambda a, b, c, v: in_place(a.copy(), c),
    "real": lambda a, b, c, v: a.real + np.real(c) + np.conj(a),
    "nan_to_num": lambda a, b, c, v: np.nan_to_num(a),
}


def filled(buffer, values):
    for i in range(len(values)):
        buffer[i] = values[i] * 2
    return buffer


def added_at(v):
    total = np.zeros(3)
    np.add.at(total, [0, 2, 0, 1], v)
    return total


def in_place(a, c):
    a += c
    a *= 2
    a[:, 1:3] -= c[:, :2]
    np.tanh(a, out=a)
    np.multiply(a, c, out=a)
    return a


@pytest.mark.parametrize("name", PROGRAMS)
def test_numpy_gives_on_balls_what_it_gives_on_floats(name):
    expected = PROGRAMS[name](A, B, C, V)
    with object_arrays():
        found = PROGRAMS[name](*map(dual_array, (A, B, C, V)))
    assert np.shape(found) == np.shape(expected)
    floats = [float(as_dual(x).value.mid()) for x in np.asarray(found, dtype=object).reshape(-1)]
    np.testing.assert_allclose(floats, np.asarray(expected, dtype=float).reshape(-1), rtol=2e-6)


def test_derivatives_pass_through_arrays():
    x = dual_array([0.25, 0.5])
    x[0] = Dual(x[0].value, arb(1))
    with object_arrays():
        y = np.logaddexp(x, np.zeros(2)).sum() + np.max(x * np.array([3, 1])) + np.where(x > 0.3, 0, x)[0]
    assert y.tangent.overlaps(1 / (1 + (-x[0].value).exp()) + 4)


def test_integers_and_truth_values_stay_what_they_are():
    with object_arrays():
        made = [np.zeros(2, int), np.ones(2, dtype=bool), np.array([1, 2]), np.full(2, 7), np.zeros_like(np.arange(3))]
        assert [m.dtype.kind for m in made] == ["i", "b", "i", "i", "i"]
        assert np.array([1.5, 2.5]).dtype == np.float64
        assert np.isnan(np.array([1.0, np.nan])).tolist() == [False, True]
        assert math.sqrt(4) == 2.0
        assert np.logaddexp(0.0, 0.0) == pytest.approx(math.log(2))
        assert np.array([None, {}], dtype=object)[0] is None


def test_empty_slots_hold_nan():
    with object_arrays():
        assert np.isnan(np.empty((2, 2))).all()
        assert np.isnan(np.empty_like(np.zeros(2), dtype=np.float32)).all()
        assert np.empty(2, dtype=object)[0] is None


def test_a_float_buffer_from_before_refuses_balls():
    buffer = np.zeros(2)
    with object_arrays(), pytest.raises(TypeError, match=r"^a ball is not rounded to a float"):
        buffer[0] = as_dual(1) / 3


def test_everything_is_restored_whatever_is_raised():
    before, mathematical = dict(vars(np)), dict(vars(math))
    with object_arrays():
        with object_arrays():
            assert isinstance(np.zeros(1), BallArray)
        assert isinstance(np.zeros(1), BallArray)
    assert dict(vars(np)) == before
    with pytest.raises(ZeroDivisionError, match=r"^integer division or modulo by zero$"), object_arrays():
        operator.floordiv(1, 0)
    assert dict(vars(np)) == before
    assert dict(vars(math)) == mathematical
    assert np.zeros(1).dtype == np.float64


def test_names_imported_by_foreign_code_are_replaced_and_restored():
    source = """
from math import exp
from numpy import zeros, float32
import numpy
def loss(x):
    z = zeros(2, dtype=float)
    z[0] = x
    buffer = numpy.zeros(1, dtype=float32)
    buffer[0] = exp(z[0]) if isinstance(z[0], float) else 0
    return float(buffer[0] + numpy.array(z).astype(float)[1])
"""
    module = ModuleType("foreign")
    exec(source, vars(module))
    before = dict(vars(module))
    with object_arrays(vars(module)):
        found = module.loss(as_dual(1) / 3)
    assert found.value.overlaps((arb(1) / 3).exp())
    assert vars(module) == before
    assert module.loss(0.0) == 1.0


def test_float_stays_itself_for_plain_numbers():
    space = {}
    with object_arrays(space):
        cast = space["float"]
        assert type(cast(3)) is float
        assert cast(dual_array([[0.5]])) == 0.5
        assert isinstance(0.5, cast)
        assert not isinstance(1, cast)
        assert np.zeros(1, cast).dtype == object
    assert space == {}


def test_a_tie_of_a_maximum_that_moves_is_undecided():
    x = dual_array([0.5, 0.5])
    x[0] = Dual(x[0].value, arb(1))
    with pytest.raises(Undecided, match=r"^cannot differentiate a comparison of 0\.5"):
        np.max(x)


def test_a_broadcast_array_of_balls_converts():
    row = np.array([as_dual(1), as_dual(2)], dtype=object).view(BallArray)
    with object_arrays():
        whole = np.asarray(np.broadcast_to(row, (3, 2)), dtype=float)
    assert whole.shape == (3, 2)
    assert isinstance(whole, BallArray)


def test_numpy_random_keeps_float_buffers() -> None:
    space = {"randn": np.random.randn, "rng": np.random.default_rng(3), "np": np}
    before = dict(space)
    with object_arrays(space):
        drawn = [np.random.rand(3, 4),  # noqa: NPY002  # what foreign code calls
                 space["randn"](50, 40), space["rng"].normal(size=(7, 3)), np.random.default_rng(1).random(5),
                 np.random.RandomState(0).randn(3), np.random.permutation(6).astype(float)]  # noqa: NPY002
        assert np.zeros(2).dtype == object
    assert all(array.dtype == float and np.isfinite(array).all() for array in drawn)
    assert space == before
