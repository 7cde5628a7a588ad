"""The node set: shapes at birth, canonical form, entries, SymPy's own operations."""

from __future__ import annotations

import pickle

import pytest
import sympy
from amounts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Pool, vector

from symrnn.errors import SpecError
from symrnn.expr import (
    Column,
    Columns,
    Diag,
    Gather,
    Hadamard,
    Identity,
    Leaf,
    OneHot,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Series,
    Stacked,
    Static,
    StopGradient,
    TimeSum,
    Total,
    Transposed,
    Zeros,
    bound_index,
    dim,
    t,
    time_sum,
)
from symrnn.expr.operators import Operators
from symrnn.functions import parameter, series, stack, tanh

D, H, T = dim("D"), dim("H"), dim("T")
h, x, g = series("h", "H"), series("x", "D"), series("g", "H")
W, U, b = parameter("W", "H", "H"), parameter("U", "H", "D"), parameter("b", "H")
m = series("m", 1)


def test_order_of_operands_is_kept():
    assert str(1 - h[t] * h[t]) == "1 - h_t ⊙ h_t"
    assert (W @ h[t - 1] + U @ x[t] + b).args == (W @ h[t - 1], U @ x[t], b)
    assert (h[t] * g[t]).args == (h[t], g[t])


def test_sums_cancel_and_collect():
    assert h[t] + h[t] == 2 * h[t]
    assert h[t] - h[t] == Zeros(H, 1)
    assert h[t] + 0 * g[t] == h[t]
    assert sympy.Rational(1, 2) * h[t] + sympy.Rational(1, 2) * h[t] == h[t]


def test_products_absorb_zeros_ones_and_identities():
    assert W @ Zeros(H, 1) == Zeros(H, 1)
    assert Product(Identity(H), h[t]) == h[t]
    assert Hadamard(Ones(H, 1), h[t]) == h[t]
    assert Product(Ones(H, 1), Ones(1, D)) == Ones(H, D)
    assert Hadamard(Product(Ones(H, 1), m[t]), h[t]) == Product(h[t], m[t])
    assert Product(h[t], Ones(1, 1)) == h[t]


def test_transposes():
    assert Product(h[t].T, W.T) == (W @ h[t]).T
    assert W.T.T == W
    assert m[t] == m[t].T
    assert Transposed(2 * h[t]) == 2 * h[t].T
    assert isinstance(tanh(h[t]).T, Transposed)


def test_scalars_move_to_the_front():
    assert W @ (2 * h[t]) == 2 * (W @ h[t])
    assert -(h[t] - g[t]) == -h[t] + g[t]
    assert (h[t] / T).args[0] == 1 / T
    assert h[t] ** 3 == Hadamard(h[t], h[t], h[t])


def test_stacks_and_slices_undo_each_other():
    both = stack(h[t], x[t])
    assert both.shape == (H + D, 1)
    assert Rows(both, 0, H) == h[t]
    assert Rows(both, H, H + D) == x[t]
    assert stack(stack(h[t], g[t]), x[t]) == stack(h[t], g[t], x[t])


def test_a_column_of_collected_columns_is_the_value_at_that_time():
    k = bound_index(1)
    columns = Columns(h[k], k, 1, T)
    assert columns.shape == (H, T)
    assert Column(columns, t) == h[t]
    assert Column(Columns(h[k], k, 3, T), 1) == h[3]


def test_bound_indices_are_renamed_so_that_equal_sums_are_equal():
    i, j = sympy.symbols("i j", integer=True)
    assert TimeSum(h[i], i, 1, T) == TimeSum(h[j], j, 1, T)
    assert time_sum(h[t], 1, T).xreplace({t: sympy.Integer(5)}) == time_sum(h[t], 1, T)


def test_a_sum_over_one_time_or_of_a_constant_is_no_sum():
    assert time_sum(h[t], T, T) == h[T]
    assert time_sum(b, 1, T) == T * b
    assert time_sum(2 * h[t], 1, T) == 2 * time_sum(h[t], 1, T)


def test_total_of_what_is_weighted_by_one_number():
    assert Total(h[t] * m[t]) == Product(Total(h[t]), m[t])
    assert Total(Ones(H, 1)) == H * Ones(1, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: W @ x[t], r"^cannot multiply W \(H×H\) and x_t \(D×1\); the inner sizes"),
        (lambda: h[t] + x[t], r"^cannot add h_t \(H×1\) and x_t \(D×1\); the terms of a sum need one shape$"),
        (lambda: h[t] * x[t], r"^cannot multiply h_t \(H×1\) and x_t \(D×1\) elementwise"),
        (lambda: stack(W, h[t]), r"^cannot stack W \(H×H\) on h_t \(H×1\)"),
        (lambda: Diag(W), r"^diag needs a column vector; got W \(H×H\)"),
        (lambda: OneHot(h[t], D), r"^a one-hot column needs a 1×1 index; got h_t \(H×1\)"),
        (lambda: Gather(W, h[t]), r"^a one-hot column needs a 1×1 index; got h_t"),
        (lambda: Columns(W, bound_index(1), 1, T), r"^a sequence collects column vectors; got W"),
        (lambda: W @ 2, r"^the right side of @ must be a matrix; got 2"),
        (lambda: h[t] ** -1, r"^cannot raise h_t to -1; expected a positive integer power"),
        (lambda: Plus(), r"^an empty sum has no shape"),
        (lambda: h[t].apply("tnah"), r"^unknown activation 'tnah'; did you mean tanh"),
        (lambda: "two" * h[t], r"^cannot scale h_t by two; expected a number"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_iterating_a_node_is_refused():
    with pytest.raises(TypeError, match=r"^W \(H×H\) has symbolic shape and cannot be iterated"):
        list(W)
    with pytest.raises(TypeError, match=r"^h has a value at each time and cannot be iterated"):
        list(h)


def test_free_symbols_include_the_quantities():
    formula = W @ h[t - 1] + b
    assert {W, b, h[t - 1], H} <= formula.free_symbols
    assert h in time_sum(h[t], 1, T).free_symbols
    assert not any(str(s).startswith("_s") for s in time_sum(h[t], 1, T).free_symbols)


def test_subs_and_pickle():
    formula = tanh(W @ h[t - 1] + U @ x[t] + b)
    assert formula.subs(t, 3).atoms(Leaf) == {W, U, b, h[2], x[3]}
    assert formula.subs(b, Zeros(H, 1)) == tanh(W @ h[t - 1] + U @ x[t])
    assert pickle.loads(pickle.dumps(formula)) == formula
    assert formula.subs({H: 2, D: 3}).shape == (2, 1)


def test_jupyter_shows_latex():
    assert (W @ h[t])._repr_latex_() == r"$\displaystyle W h_{t}$"


def test_every_node_type_has_an_entry_and_numpy_code():
    for name, kind in Operators.registry.items():
        assert kind._entry is not sympy.MatrixExpr._entry, name
        assert hasattr(kind, "_numpycode") or name in {"Leaf", "Node"}, name


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data())
def test_entries_of_random_formulas_are_those_of_the_explicit_matrix(data):
    """SymPy's own matrices, multiplied out, agree with the entries, for sums, products and elementwise products."""
    pool = Pool(now=[x, h], carried=[(h, -1)])
    node = vector(data.draw, pool, "H", 2).xreplace({H: sympy.Integer(2), D: sympy.Integer(3)})
    assert sympy.simplify(explicit(node) - node.as_explicit()) == sympy.zeros(2, 1)


def explicit(node):
    """Evaluate with SymPy's explicit matrices, where a node is one of the plain operations."""
    if isinstance(node, Plus):
        return sum((explicit(a) for a in node.args[1:]), explicit(node.args[0]))
    if isinstance(node, Product):
        return sympy.prod([explicit(a) for a in node.args], start=sympy.eye(int(node.args[0].shape[0])))
    if isinstance(node, Hadamard):
        out = explicit(node.args[0])
        for factor in node.args[1:]:
            out = sympy.matrices.dense.matrix_multiply_elementwise(out, explicit(factor))
        return out
    if isinstance(node, Transposed):
        return explicit(node.args[0]).T
    if isinstance(node, Scaled):
        return node.args[0] * explicit(node.args[1])
    if isinstance(node, Stacked):
        return sympy.Matrix.vstack(*[sympy.Matrix(explicit(a)) for a in node.args])
    if isinstance(node, Diag):
        return sympy.diag(*explicit(node.args[0]))
    return sympy.Matrix(node.as_explicit())


def test_a_scalar_network_is_a_size():
    one = {H: sympy.Integer(1), D: sympy.Integer(1)}
    assert str((W @ h[t - 1] + U @ x[t]).xreplace(one)) == "W h_{t-1} + U x_t"
    assert isinstance(Static("W", (), 1, 1).T, Static)
    assert Series("h", (), "H", 1).orders == ()


def test_a_stopped_gradient_inside_another_vanishes():
    inner = StopGradient(h[t])
    assert StopGradient(inner) == inner
    assert StopGradient(W @ inner + b) == StopGradient(W @ h[t] + b)


def test_the_diagonal_matrix_of_ones_or_zeros_is_a_constant():
    assert Diag(Ones(H, 1)) == Identity(H)
    assert Diag(Zeros(H, 1)) == Zeros(H, H)
    assert Identity(H) + Diag(Zeros(H, 1)) == Identity(H)
