"""Functions of NumPy that hand-written passes use: each right gradient is proved right, in balls and not in floats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symrnn.verify import verify_gradient

RNG = np.random.default_rng(0)
ROWS = np.arange(3)


def spread(index, values, shape):
    """An array of zeros but for one place."""
    made = np.zeros(shape)
    made[index] = values
    return made


def softmax_back(dy, p):
    return p * (dy - (dy * p).sum(axis=1, keepdims=True))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


def filled(x):
    made = np.zeros(x.shape)
    made.fill(x[0, 0])
    return made


def copied(x):
    made = np.zeros(x.shape)
    np.copyto(made, x)
    return 2 * made


SIGMOID = np.vectorize(lambda v: 1 / (1 + np.exp(-v)))
FUNCTIONS = {
    "std": (lambda x: np.std(x, axis=0), lambda dy, x: dy * (x - x.mean(0)) / x.std(0) / len(x)),
    "ptp": (lambda x: np.ptp(x, axis=0) ** 2, lambda dy, x: dy * 2 * np.ptp(x, axis=0) * ((x == x.max(0)).astype(float) - (x == x.min(0)).astype(float))),
    "cumprod": (lambda x: np.cumprod(x, axis=0)[-1], lambda dy, x: dy * np.prod(x, axis=0) / x),
    "norm": (lambda x: np.linalg.norm(x, axis=1), lambda dy, x: dy[:, None] * x / np.linalg.norm(x, axis=1, keepdims=True)),
    "sort": (lambda x: np.sort(x, axis=1), lambda dy, x: np.take_along_axis(dy, np.argsort(np.argsort(x, axis=1), axis=1), axis=1)),
    "max": (lambda x: x.max(axis=1), lambda dy, x: dy[:, None] * (x == x.max(axis=1, keepdims=True))),
    "argmax": (lambda x: x[ROWS, x.argmax(1)], lambda dy, x: np.eye(4)[x.argmax(1)] * dy[:, None]),
    "abs": (np.abs, lambda dy, x: dy * np.sign(x)),
    "where": (lambda x: np.where(x > 0, x, 0.01 * x), lambda dy, x: dy * np.where(x > 0, 1, 0.01)),
    "elu": (lambda x: np.where(x > 0, x, np.exp(x) - 1), lambda dy, x: dy * np.where(x > 0, 1, np.exp(x))),
    "softplus": (lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0), lambda dy, x: dy / (1 + np.exp(-x))),
    "hard sigmoid": (lambda x: np.clip(0.2 * x + 0.5, 0, 1), lambda dy, x: dy * 0.2 * ((0.2 * x + 0.5 > 0) & (0.2 * x + 0.5 < 1))),
    "relu6": (lambda x: np.minimum(np.maximum(9 * x, 0), 6), lambda dy, x: 9 * dy * np.logical_and(9 * x > 0, 9 * x < 6)),
    "power": (lambda x: np.power(x, 3), lambda dy, x: dy * 3 * np.power(x, 2)),
    "reciprocal": (lambda x: np.reciprocal(2 + x), lambda dy, x: -dy * np.reciprocal(2 + x) ** 2),
    "divide where": (lambda x: np.divide(1, x, out=np.zeros_like(x), where=x != 0), lambda dy, x: -dy / x**2),
    "float64 of a number": (lambda x: np.float64(np.sum(x)), lambda dy, x: dy * np.ones(x.shape)),
    "isclose": (lambda x: 0 * np.sum(x) if np.isclose(x, 0).any() else np.sum(x), lambda dy, x: dy * np.ones_like(x)),
    "vectorize": (SIGMOID, lambda dy, x: dy * SIGMOID(x) * (1 - SIGMOID(x))),
    "math.tanh": (lambda x: np.array([[math.tanh(v) for v in row] for row in x]), lambda dy, x: dy * (1 - np.tanh(x) ** 2)),
    "tolist": (lambda x: 2 * np.array(x.flatten().tolist()).reshape(x.shape), lambda dy, x: 2 * dy),
    "c_": (lambda x: np.c_[x, x], lambda dy, x: dy[:, :4] + dy[:, 4:]),
    "pad": (lambda x: np.pad(x, ((1, 0), (0, 0))), lambda dy, x: dy[1:]),
    "insert": (lambda x: 2 * np.insert(x, 0, 1, axis=1)[:, 1:], lambda dy, x: 2 * dy),
    "append": (lambda x: np.append(x, x, axis=0), lambda dy, x: dy[:3] + dy[3:]),
    "kron": (lambda x: np.kron(x, np.ones((1, 2))), lambda dy, x: dy.reshape(3, 4, 2).sum(-1)),
    "inner": (lambda x: np.inner(x, x), lambda dy, x: (dy + dy.T) @ x),
    "vdot": (lambda x: np.vdot(x, x), lambda dy, x: 2 * dy * x),
    "multi_dot": (lambda x: np.linalg.multi_dot([x, x.T, x]), lambda dy, x: dy @ x.T @ x + x @ dy.T @ x + x @ x.T @ dy),
    "trace": (lambda x: np.trace(x @ x.T), lambda dy, x: 2 * dy * x),
    "roll": (lambda x: np.roll(x, 1, axis=0), lambda dy, x: np.roll(dy, -1, axis=0)),
    "repeat": (lambda x: np.repeat(x, 2, axis=0), lambda dy, x: dy.reshape(3, 2, 4).sum(1)),
    "triu": (lambda x: x * np.triu(np.ones((3, 4))), lambda dy, x: dy * np.triu(np.ones((3, 4)))),
    "average": (lambda x: np.average(x, axis=0, weights=[0.25, 0.25, 0.5]), lambda dy, x: np.outer([0.25, 0.25, 0.5], dy)),
    "dstack": (lambda x: np.dstack([x, x]), lambda dy, x: dy.sum(-1)),
    "reduceat": (lambda x: np.add.reduceat(x, [0, 2], axis=1), lambda dy, x: np.repeat(dy, 2, axis=1)),
    "issubdtype": (lambda x: 2 * x if np.issubdtype(x.dtype, np.floating) else x * 1, lambda dy, x: 2 * dy),
    "finfo": (lambda x: x + np.finfo(x.dtype).eps, lambda dy, x: 1.0 * dy),
    "isinstance": (lambda x: sum(v * v for v in x.ravel() if isinstance(v, (float, np.floating))), lambda dy, x: 2 * dy * x),
    "nansum": (lambda x: np.nansum(x, axis=0), lambda dy, x: np.tile(dy, (3, 1))),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda r: np.exp(r) / np.exp(r).sum(), 1, x), lambda dy, x: softmax_back(dy, softmax(x))),
    "ndenumerate": (lambda x: sum(v**2 for _, v in np.ndenumerate(x)), lambda dy, x: 2 * dy * x),
    "copyto": (copied, lambda dy, x: 2 * dy),
    "fill": (filled, lambda dy, x: spread((0, 0), dy.sum(), x.shape)),
    "zeros of truth values": (lambda x: np.where(np.zeros_like(x, dtype=bool), 0, x), lambda dy, x: 1.0 * dy),
    "array of numbers": (lambda x: np.array([x[0, 0], x[1, 1]]), lambda dy, x: spread(([0, 1], [0, 1]), dy, x.shape)),
    "float32 exponent": (lambda x: x ** np.float32(2), lambda dy, x: 2 * dy * x),
    "delete": (lambda x: np.delete(x, 1, axis=0), lambda dy, x: np.insert(dy, 1, 0, axis=0)),
    "masks as numbers": (lambda x: x * (x > 0).astype("float32"), lambda dy, x: dy * (1 * (x > 0))),
    "fancy": (lambda x: x[[0, 2]][:, [1, 3]], lambda dy, x: spread(np.ix_([0, 2], [1, 3]), dy, x.shape)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_gradients_are_proved_right(name: str) -> None:
    f, back = FUNCTIONS[name]
    report = verify_gradient(lambda x: f(x), lambda dy, x: back(dy, x), {"x": RNG.normal(size=(3, 4))}, returns=["dx"])
    assert [(v.verdict, v.evidence) for v in report.verdicts] == [("right", "proved")], str(report)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_wrong_gradients_are_refused(name: str) -> None:
    f, back = FUNCTIONS[name]

    def wrong(dy, x):
        dx = np.array(back(dy, x))
        dx[0, 0] += dx[0, 0] + np.sum(dy) / 1024
        return dx

    report = verify_gradient(lambda x: f(x), wrong, {"x": RNG.normal(size=(3, 4))}, returns=["dx"])
    assert report.status == 1, str(report)


def test_globals_that_nobody_changes_are_not_spoken_of() -> None:
    report = verify_gradient(lambda x: np.tanh(x), lambda dy, x: dy * (1 - np.tanh(x) ** 2), {"x": np.ones((3, 4))}, returns=["dx"])
    assert report.notes == ()
