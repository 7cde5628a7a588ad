"""The same source runs on object arrays: on a scalar of our own, with a tangent and without ``__float__``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from programs import CELLS, OPTIONS, point_of, program_of


class Scalar:
    """A number with a tangent and nothing that NumPy could turn into a float."""

    __slots__ = ("slope", "value")

    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    @staticmethod
    def of(other):
        return other if isinstance(other, Scalar) else Scalar(other)

    def __add__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value + other.value, self.slope + other.slope)

    __radd__ = __add__

    def __mul__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -Scalar.of(other)

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        other = Scalar.of(other)
        return self * Scalar(1 / other.value, -other.slope / other.value**2)

    def __rtruediv__(self, other):
        return Scalar.of(other) / self

    def __gt__(self, other):
        return self.value > Scalar.of(other).value

    def __ge__(self, other):
        return self.value >= Scalar.of(other).value

    def __lt__(self, other):
        return self.value < Scalar.of(other).value

    def __le__(self, other):
        return self.value <= Scalar.of(other).value

    def tanh(self):
        value = math.tanh(self.value)
        return Scalar(value, self.slope * (1 - value * value))

    def exp(self):
        value = math.exp(self.value)
        return Scalar(value, self.slope * value)

    def log(self):
        return Scalar(math.log(self.value), self.slope / self.value)

    def sin(self):
        return Scalar(math.sin(self.value), self.slope * math.cos(self.value))

    def cos(self):
        return Scalar(math.cos(self.value), -self.slope * math.sin(self.value))


def scalars(array, slopes):
    made = np.empty(array.shape, object)
    for place in np.ndindex(array.shape):
        made[place] = Scalar(float(array[place]), float(slopes[place]))
    return made


@pytest.mark.sampled(7)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_same_source_runs_on_objects(kind, options):
    assert_runs_on_objects(program_of(kind, **options))


@pytest.mark.parametrize("name", ["softplus", "elu", "leaky_relu", "relu", "sin"])
def test_activations_run_on_objects(name):
    assert_runs_on_objects(program_of("rnn", activation=name))


def assert_runs_on_objects(program):
    """Loss, gradients and the tangent of the loss are those of the float64 run."""
    point = point_of(program)
    point.pop("h_0")
    loss, gradients = program.gradients(point)
    rng = np.random.default_rng(2)
    tangents = {n: rng.standard_normal(a.shape) if n in gradients else np.zeros(a.shape) for n, a in point.items()}
    objects = {name: scalars(array, tangents[name]) for name, array in point.items()}
    result, slopes = program.gradients(objects)
    assert isinstance(result, Scalar)
    np.testing.assert_allclose(result.value, loss, rtol=1e-12)
    np.testing.assert_allclose(result.slope, sum(np.sum(gradients[n] * tangents[n]) for n in point if n in gradients))
    for name, gradient in gradients.items():
        values = [Scalar.of(entry).value for entry in slopes[name].ravel()]
        np.testing.assert_allclose(values, gradient.ravel(), rtol=1e-10, atol=1e-14, err_msg=name)
