"""Rules and simplifications where no published cell goes: matrices of several columns, names that are not always there."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symrnn.bptt import derive
from symrnn.equations import Equation
from symrnn.expr import LogSoftmax, Ones, Softmax, Static, Total, dim, t, time_sum
from symrnn.functions import series, tanh
from symrnn.networks import Given, Network, Scan
from symrnn.networks.graph import Relation
from symrnn.rewrite import use_relation
from symrnn.times import Span
from symrnn.verify.panel import check
from symrnn.vjp import rule_of

end = dim("T")
whole = Span(1, end)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("node_type", [Softmax, LogSoftmax])
def test_softmax_of_several_columns_passes_back_column_by_column(node_type, columns):
    a, g = Static("a", (), 3, columns), Static("g", (), 3, columns)
    node = node_type(a)
    ((operand, received, binder),) = rule_of(node).apply(node, g, node)
    assert (operand, binder) == (a, None)
    total = sum(g._entry(i, j) * node._entry(i, j) for i in range(3) for j in range(columns))
    entries = [q._entry(i, j) for q in (a, g) for i in range(3) for j in range(columns)]
    point = {entry: sympy.Rational(k % 5 - 2, k + 3) for k, entry in enumerate(entries)}
    for i, j in np.ndindex(3, columns):
        true = sympy.diff(total, a._entry(i, j))
        assert abs(sympy.N((received.as_explicit()[i, j] - true).subs(point), 30)) < 1e-20


def test_a_named_value_is_not_read_where_it_is_not_there():
    """``s_t = tanh(x_t)`` from t = 2 on; the slope of another ``tanh(x_t)`` at t = 1 cannot be written in it."""
    x, s, r, loss = series("x", "D"), series("s", "D"), series("r", "D"), Static("L")
    scan = Scan((Equation(s[t], tanh(x[t]), Span(2, end)), Equation(r[t], tanh(x[t]) * x[t], whole)))
    total = Equation(loss, time_sum(r[t].T @ r[t], 1, end) + time_sum(s[t].T @ r[t], 2, end), None)
    for report in check(derive(Network("named late", (Given(x, "input", whole),), (scan, total), loss))):
        report.assert_ok()


def test_a_relation_holds_for_what_it_says_and_for_nothing_else():
    y, w = series("y", "K"), Static("w", (), "K", 1)
    relation = Relation(Total(y[t]), Ones(1, 1))
    assert use_relation(Total(y[t - 1]), relation) == Ones(1, 1)
    for other in (Total(y[t] * w), w.T @ y[t], Total(w)):
        assert use_relation(other, relation) == other
