"""The rules: complete, documented, and right for each node type on its own (judged entry by entry)."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from strategies import Pool, vector

from symrnn.activations import ACTIVATIONS, UnspecifiedFunction, activation
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import Elementwise, Leaf, Node, Static, StopGradient, Total, dim
from symrnn.expr.operators import Operators
from symrnn.functions import series
from symrnn.vjp import RULES, rule_of


def test_every_node_type_has_a_rule():
    nodes = {n for n, kind in Operators.registry.items() if not issubclass(kind, Leaf) and n != "Node"}
    assert set(RULES) == nodes


@pytest.mark.parametrize("name", RULES)
def test_every_rule_opens_with_its_equation_and_names_its_source(name):
    rule = RULES[name]
    assert rule.name.startswith("vjp_")
    assert "⟹" in rule.statement or "nothing is passed back" in rule.statement
    assert rule.source


def test_an_unknown_node_type_is_refused():
    class Strange(Node):
        pass

    del Operators.registry["Strange"]
    with pytest.raises(NotSupportedError, match=r"^no rule to differentiate a Strange; add one to symrnn\.vjp\.RULES$"):
        rule_of(Strange.make())


@pytest.mark.parametrize("name", [*ACTIVATIONS, "phi", "phi'"])
def test_derivative_of_the_table_is_that_of_the_scalar_form(name):
    """Two columns of a row, written independently, agree: as expressions, or at points where there are branches."""
    z = Static("z", (), 1, 1)
    s = Elementwise(name, z)
    derivative = activation(name).derivative(z, s)
    entry = sympy.Symbol("entry", real=True)
    claimed = derivative._entry(0, 0).subs(z._entry(0, 0), entry)
    true = sympy.diff(activation(name).scalar(entry), entry)
    for point in (sympy.Rational(-7, 5), sympy.Rational(3, 4)) if name != "log" else (sympy.Rational(3, 4),):
        assert sympy.simplify((claimed - true).subs(entry, point)) == 0


def test_unspecified_function_differentiates_to_the_next():
    z = sympy.Symbol("z")
    assert sympy.diff(UnspecifiedFunction(1, z**2), z) == 2 * z * UnspecifiedFunction(2, z**2)


def test_an_unknown_activation_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match=r"^unknown activation 'sigmiod'; did you mean sigmoid\?$"):
        activation("sigmiod")


def receive(node, g, s, totals):
    """Add up what every leaf receives, by the rules alone."""
    if isinstance(node, Leaf):
        totals[node] = totals[node] + g if node in totals else g
        return
    for operand, passed, binder in rule_of(node).apply(node, g, s):
        assert binder is None
        assert operand.shape == passed.shape
        receive(operand, passed, operand, totals)


@given(data=st.data())
def test_rules_agree_with_scalar_differentiation(data):
    """``∂(1ᵀ e)/∂a`` of a random formula, entry by entry, at a random point, against SymPy's scalar ``diff``."""
    x, h = series("x", "D"), series("h", "H")
    pool = Pool(now=[x, h], carried=[(h, -1)])
    node = vector(data.draw, pool, "H", 2)
    if node.has(StopGradient):  # a stopped gradient is not the derivative of its value
        return
    node = node.xreplace({dim("H"): sympy.Integer(2), dim("D"): sympy.Integer(3), dim("T"): sympy.Integer(3)})
    totals = {}
    receive(Total(node), Static("one", (), 1, 1), node, totals)
    scalar = sympy.Add(*node.as_explicit())
    entries = sorted({e for leaf in node.atoms(Leaf) for e in leaf.as_explicit()}, key=str)
    point = {e: sympy.Rational(3 * k % 7 - 3, 5 + k) for k, e in enumerate(entries)}
    point[Static("one", (), 1, 1)._entry(0, 0)] = sympy.Integer(1)
    for leaf, received in totals.items():
        for place in [(0, 0), (int(leaf.shape[0]) - 1, int(leaf.shape[1]) - 1)]:
            true = scalar.diff(leaf._entry(*place)).subs(point)
            assert abs(sympy.N(received._entry(*place).subs(point) - true, 30)) < 1e-20


