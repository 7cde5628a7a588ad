from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Float, Rational, gamma, sqrt

from symrnn.activations import ACTIVATIONS
from symrnn.errors import DataError, NotSupportedError
from symrnn.verify.entrywise.degrees import Degree, function_degree
from symrnn.verify.entrywise.modular import Generators, P, Packing, has_root, root
from symrnn.verify.entrywise.scalars import build, scalar_function, slot

numbers = st.integers(0, P - 1)
Z = slot(0)


def generators():
    return Generators(Random(7))


def value(expr, *values):
    return scalar_function(expr).value(values, generators())


@given(numbers, st.sampled_from([-4, -3, -2, -1, 2, 3, 4]))
def test_exp_of_a_multiple_is_a_power(z, c):
    g = generators()
    assert g.exp(z * c % P) == pow(g.exp(z), c, P)


@given(numbers)
def test_exp_of_a_half_is_a_root_whichever_comes_first(z):
    g = generators()
    whole = g.exp(2 * z % P)
    assert pow(g.exp(z), 2, P) == whole


@given(numbers, st.integers(1, P - 1))
def test_log_and_exp_undo_each_other(z, v):
    g = generators()
    assert g.exp(g.log(v)) == v
    assert g.log(g.exp(z)) == z


@given(numbers)
def test_parity_and_the_circle(z):
    g = generators()
    assert (g.tanh(z) + g.tanh(-z % P)) % P == 0
    assert (g.sin(z) + g.sin(-z % P)) % P == 0
    assert g.cos(z) == g.cos(-z % P)
    assert (g.sin(z) ** 2 + g.cos(z) ** 2) % P == 1


@given(st.integers(1, P - 1))
def test_exactly_one_of_a_number_and_its_negative_is_positive(z):
    g = generators()
    assert g.positive(z) != g.positive(-z % P)


def test_values_at_zero():
    g = generators()
    assert [g.exp(0), g.tanh(0), g.sin(0), g.cos(0), g.log(1)] == [1, 0, 0, 1, 0]
    assert not g.positive(0)


def test_equal_arguments_give_equal_values_and_others_differ():
    g = generators()
    assert g.of("f", 5) == g.of("f", 5)
    assert len({g.of("f", 5), g.of("f", 6), g.of("g", 5), g.tanh(5), g.exp(5)}) == 5


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_roots_multiply(a, b):
    assert root(a * a) * root(b * b) % P == root(a * a * b * b)
    assert pow(root(a * a), 2, P) == a * a


def test_a_number_without_a_root_is_refused():
    assert [n for n in (2, 3, 5, 7) if has_root(n)] == [2, 5]
    with pytest.raises(NotSupportedError, match=r"^√3 has no value modulo 2\^61 - 1; give the size"):
        root(3)


def test_division_by_zero_is_refused():
    with pytest.raises(DataError, match=r"^a formula divides by 0"):
        generators().inverse(0)


@given(st.lists(st.lists(numbers, min_size=5, max_size=5), min_size=1, max_size=8), st.data())
def test_packed_vectors_add_and_scale_like_vectors(vectors, data):
    packing = Packing(5)
    factors = [data.draw(numbers) for _ in vectors]
    packed = [sum(x * packing.unit(k) for k, x in enumerate(v)) for v in vectors]
    total = packing.fold(sum(f * p for f, p in zip(factors, packed, strict=True)))
    expected = [sum(f * v[k] for f, v in zip(factors, vectors, strict=True)) % P for k in range(5)]
    assert packing.unpack(total) == expected
    assert packing.unpack(packing.fold((P - 1) * total)) == [-x % P for x in expected]


def test_folding_holds_for_long_sums():
    packing = Packing(3)
    full = sum((P - 1) * packing.unit(k) for k in range(3))
    assert packing.unpack(packing.fold(2**20 * (P - 1) * full)) == [2**20] * 3


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_rational_expressions_have_their_values(x, y):
    expr = (slot(0) * slot(1) + Rational(1, 3)) / (slot(0) ** 2 + 1) ** 2
    exact = (Fraction(x) * y + Fraction(1, 3)) / Fraction(x * x + 1) ** 2
    assert value(expr, x % P, y % P) == exact.numerator * pow(exact.denominator, -1, P) % P


@given(st.integers(1, P - 1), st.sampled_from(sorted(ACTIVATIONS)))
def test_the_derivative_column_of_the_table_agrees_with_the_scalar_column(z, name):
    """Each derivative, written out by hand here, holds between generators."""
    g = generators()
    function = scalar_function(ACTIVATIONS[name].scalar(Z) + 0 * Z)
    s, slope = function.value((z,), g), function.derivative(0)((z,), g)
    step = int(g.positive(z))
    expected = {
        "tanh": 1 - s * s, "sigmoid": s * (1 - s), "relu": step, "leaky_relu": step + (1 - step) * pow(100, -1, P),
        "softplus": pow(1 + g.exp(-z % P), -1, P), "elu": step + (1 - step) * (1 + s), "sin": g.cos(z),
        "cos": -g.sin(z), "identity": 1, "step": 0, "exp": s, "log": pow(z, -1, P), "reciprocal": -s * s,
        "rsqrt": -s**3 * pow(2, -1, P),
    }
    assert slope == expected[name] % P


def test_derivatives_of_a_sum_are_taken_in_each_operand():
    function = scalar_function(slot(0) * slot(1) + slot(0) * slot(2) + slot(3))
    g = generators()
    assert [function.derivative(k)((2, 3, 5, 7), g) for k in range(5)] == [8, 2, 2, 1, 0]


def test_conditions():
    assert value(sympy.Piecewise((5, sympy.Eq(Z, 2)), (6, True)), 2) == 5
    assert value(sympy.Piecewise((5, sympy.Ne(Z, 2) & (Z >= 3)), (6, True)), 3) == 5
    assert value(sympy.Piecewise((5, sympy.Or(Z < 3, Z <= 2)), (6, True)), 3) + value(sympy.Integer(1)) in {6, 7}


def test_what_has_no_value_is_refused():
    with pytest.raises(NotSupportedError, match=r"^the entrywise judge has no value for gamma in gamma\(v0\); it knows "):
        build(gamma(Z))
    with pytest.raises(NotSupportedError, match=r"^the entrywise judge compares exactly and cannot take the float 0\.1"):
        build(Float("0.1") * Z)
    with pytest.raises(NotSupportedError, match=r"^the entrywise judge has no value for v0\*\*\(1/3\); powers are"):
        build(Z ** Rational(1, 3))


def test_half_powers():
    assert pow(value(1 / sqrt(sympy.Integer(5))), -2, P) == 5
    assert pow(value(sympy.pi), 2, P) == value(sympy.pi**2)


def test_degrees_count_factors_inverses_and_tangents():
    x = Degree(2, 3)
    assert (x * x | x) == Degree(4, 5)
    assert x.inverse == Degree(1, 0, 1, 2)
    assert (x * x.inverse).cleared(inversions=10, exponentials=0) == 3 * (1 + 10 * 2)
    assert function_degree(sympy.tanh(Z), x) == Degree(1, 2 + 3)
    assert function_degree(1 / Z, x) == Degree(1, 2 + 3, 1, 2)
