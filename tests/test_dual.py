from __future__ import annotations

import operator
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from symrnn.verify.balls.dual import Dual, Undecided, as_dual, ball, precision
from symrnn.verify.balls.functions import FUNCTIONS

dyadic = st.integers(-(2**12), 2**12).map(lambda n: Fraction(n, 1024))
rationals = st.fractions(-9, 9, max_denominator=97)

MPMATH = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "exp2": lambda x: mpmath.power(2, x), "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x), "log2": lambda x: mpmath.log(x, 2), "log10": lambda x: mpmath.log(x, 10),
    "sqrt": mpmath.sqrt, "cbrt": mpmath.cbrt, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan,
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh,
    "tanh": mpmath.tanh, "arcsinh": mpmath.asinh, "arctanh": mpmath.atanh, "erf": mpmath.erf,
}


@pytest.fixture(autouse=True)
def bits():
    with precision(333):
        yield


def moving(value, velocity=1):
    return Dual(ball(value), ball(velocity))


def exact(number):
    return arb(flint.fmpq(number.numerator, number.denominator))


def assert_encloses(found, number, digits=90):
    """The ball contains the number, and is small."""
    assert found.overlaps(number), (found, number)
    assert found.rad() < arb(10) ** -digits * (1 + abs(number)), found


def assert_same(found, expected):
    """The balls overlap, and both are small."""
    assert_encloses(found.value, expected.value)
    assert_encloses(found.tangent, expected.tangent)


@given(st.lists(rationals, min_size=1, max_size=6), rationals)
def test_polynomials_and_their_derivatives_are_exact_rationals(coefficients, point):
    x = moving(point)
    horner = sum((c * x**k for k, c in enumerate(coefficients)), as_dual(0))
    value = sum(c * point**k for k, c in enumerate(coefficients))
    slope = sum(k * c * point ** (k - 1) for k, c in enumerate(coefficients) if k)
    assert_encloses(horner.value, exact(Fraction(value)))
    assert_encloses(arb(0) if horner.tangent is None else horner.tangent, exact(Fraction(slope)))


@given(rationals, rationals, rationals, rationals)
def test_the_four_operations_agree_with_rational_derivatives(a, da, b, db):
    x, y = moving(a, da), moving(b, db)
    for found, value, slope in (
        (x + y, a + b, da + db), (x - y, a - b, da - db), (x * y, a * b, da * b + a * db),
        (x + b, a + b, da), (a - y, a - b, -db), (a * y, a * b, a * db), (-x, -a, -da),
    ):
        assert_encloses(found.value, exact(Fraction(value)))
        assert_encloses(found.tangent, exact(Fraction(slope)))
    if b:
        assert_encloses((x / y).tangent, exact(Fraction((da * b - a * db) / (b * b))))
        assert_encloses((x / b).tangent, exact(Fraction(da / b)))
        assert_encloses((a / y).tangent, exact(Fraction(-a * db / (b * b))))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("point", [Fraction(1, 7), Fraction(3, 4)])
def test_functions_and_their_derivatives_agree_with_mpmath(name, point):
    found = getattr(moving(point, 3), name)()
    with mpmath.workdps(160):
        x = mpmath.mpf(point.numerator) / point.denominator
        value, slope = (mpmath.nstr(v, 130) for v in (MPMATH[name](x), 3 * mpmath.diff(MPMATH[name], x)))
    with precision(450):
        assert_encloses(found.value, arb(value))
        assert found.tangent.overlaps(arb(slope) + arb("0 +/- 1e-70"))


def test_every_function_of_the_table_is_checked():
    assert set(FUNCTIONS) == set(MPMATH)


@given(st.sampled_from(["exp", "tanh", "log", "sin", "arctan", "expm1", "sqrt"]), dyadic)
def test_a_ball_contains_the_ball_of_more_bits(name, point):
    point = abs(point) + Fraction(1, 1024) if name in {"log", "sqrt"} else point
    with precision(60):
        coarse = getattr(moving(point), name)()
    fine = getattr(moving(point), name)()
    assert coarse.value.contains(fine.value)
    assert coarse.tangent.contains(fine.tangent)


@given(dyadic, dyadic)
def test_compositions_enclose_what_more_bits_give(a, b):
    def net(a, b):
        x, y = moving(a, 2), moving(b, -1)
        return ((x * y + 1).tanh() - x / (y * y + 1)).exp() * (x * x + 1).log() + 2.0**y

    with precision(60):
        coarse = net(a, b)
    fine = net(a, b)
    assert coarse.value.contains(fine.value)
    assert coarse.tangent.contains(fine.tangent)


def test_powers():
    third = moving(Fraction(1, 3), 2)
    assert_same(third**2, third * third)
    assert_same(third**-1, 1 / third)
    assert_same(third**0.5, third.sqrt())
    assert_same(third ** Fraction(1, 2), third.sqrt())
    assert_same(third**third, (third * third.log()).exp())
    assert_same(2**third, (third * Dual(arb(2).log())).exp())
    assert (third**0).tangent is None
    assert_encloses((moving(-2) ** 3).tangent, arb(12))
    assert_encloses((moving(0) ** 2).tangent, arb(0))
    assert (moving(-2) ** 0.5).isnan()


def test_numpy_scalars_and_floats_come_in_exactly():
    third = as_dual(Fraction(1, 3))
    for number in (np.float64(0.1), np.float32(0.1), np.float16(0.1), 0.1, np.int64(3), np.uint8(3), True, np.bool_(True)):
        expected = exact(Fraction(float(number)))
        assert ball(number) == expected
        assert ball(number).is_exact()
        assert_encloses((number * third).value, expected / 3)
        assert_encloses((third - number).value, arb(1) / 3 - expected)
        assert_encloses((number / third).value, expected * 3)
    assert ball(np.longdouble(1) / 3) == exact(Fraction(*(np.longdouble(1) / 3).as_integer_ratio()))
    assert ball("1") is None
    assert ball(1j) is None


def test_what_is_no_real_number_is_refused():
    with pytest.raises(TypeError, match=r"^a ball is made of a real number, not of str$"):
        as_dual("1")
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt):
        for pair in ((as_dual(1), [1]), ((1,), as_dual(1)), (1j, as_dual(1))):
            with pytest.raises(TypeError, match=r"^(unsupported operand|can only concatenate|a ball is not|'[<>]' not)"):
                operation(*pair)


def test_comparisons_of_balls_that_are_apart():
    third = as_dual(1) / 3
    assert third < 1
    assert third <= Fraction(1, 2)
    assert not third > 0.5
    assert Fraction(2, 3) >= third
    assert third != 1
    assert third != "1"
    assert max(third, third + 1) > 1
    assert bool(third)
    assert not as_dual(0)
    assert abs(-third) > 0


def test_overlapping_balls_cannot_be_compared():
    third = as_dual(1) / 3
    same = as_dual(1) - as_dual(2) / 3
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        with pytest.raises(Undecided, match=r"^cannot compare 0\.33333333 with 0\.33333333 at 333 bits: the balls overlap$"):
            compare(third, same)
    with pytest.raises(Undecided, match=r"^cannot compare"):
        bool(third - same)
    assert third == third


def test_equal_exact_balls_are_equal():
    assert as_dual(0.5) == as_dual(Fraction(1, 2))
    assert as_dual(3) == 3
    assert as_dual(3) <= 3
    assert not as_dual(3) < 3
    assert hash(as_dual(3)) == hash(3)
    assert hash(as_dual(0.5)) == hash(0.5)
    third = as_dual(1) / 3
    assert {third: "found"}[third] == "found"


def test_a_kink_is_not_differentiated():
    at_zero = moving(0, 1)
    message = r"^cannot differentiate a comparison of 0 with an equal number: the point is on a kink$"
    with pytest.raises(Undecided, match=message):
        abs(at_zero)
    with pytest.raises(Undecided, match=message):
        np.maximum(np.array([at_zero], dtype=object), 0)
    assert np.maximum(np.array([as_dual(0)], dtype=object), 0)[0] == 0
    assert at_zero == at_zero
    assert at_zero == moving(0, 1)


def test_nan_and_infinity_are_carried_and_seen():
    for bad in (as_dual(float("nan")), as_dual(-1).log(), as_dual(1) / 0, as_dual(float("inf")) - float("inf"), moving(0).sqrt()):
        assert not bad.isfinite()
        assert not (bad * 0 + 1).isfinite()
        assert not (bad + as_dual(1)).tanh().isfinite()
    assert as_dual(float("nan")).isnan()
    assert as_dual(float("-inf")).exp() == 0
    assert not as_dual(float("inf")).isnan()
    with pytest.raises(Undecided, match=r"^cannot compare nan with 1"):
        operator.lt(as_dual(float("nan")), 1)


def test_nothing_is_rounded_to_a_float():
    third = as_dual(1) / 3
    refusals = (
        float, int, complex, round, operator.index, np.float64, np.floor, np.rint, np.round, lambda x: x // 1, lambda x: x % 1,
        lambda x: np.zeros(2).__setitem__(0, x), lambda x: np.array([x]).astype(float), lambda x: np.array([x], dtype=float),
        lambda x: [1, 2][x],
    )
    for refused in refusals:
        with pytest.raises(TypeError, match=r"^a ball is not rounded to a float or an integer; keep such values in arrays"):
            refused(third)


def test_programs_can_print_a_loss():
    third = as_dual(1) / 3
    assert f"{third:.4f}" == "0.3333"
    assert f"{third}" == "0.33333333"
    assert str(as_dual(2)) == "2.0000000"
    assert third.item() is third
    assert third.real is third
    assert third.imag == 0
    assert third.T.copy().conjugate() is third
    assert np.shape(third) == ()


def test_angles_and_lengths():
    y, x = moving(Fraction(1, 3), 2), moving(Fraction(-1, 2), 5)
    angle = np.arctan2(y, x)
    assert_encloses(angle.value, arb.atan2(arb(1) / 3, arb(-1) / 2))
    assert_encloses(angle.tangent, (arb(-1) / 2 * 2 - arb(1) / 3 * 5) / (arb(1) / 9 + arb(1) / 4))
    assert_same(np.hypot(y, x), (x * x + y * y).sqrt())
    assert np.arctan2(as_dual(1), 2).tangent is None


def test_the_precision_is_restored():
    with precision(77):
        assert flint.ctx.prec == 77
    assert flint.ctx.prec == 333
    with pytest.raises(ZeroDivisionError, match=r"^integer division or modulo by zero$"), precision(77):
        operator.floordiv(1, 0)
    assert flint.ctx.prec == 333
