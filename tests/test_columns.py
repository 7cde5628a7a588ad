"""The gradient of a table that is looked up: printed column by column, and added up in code without one-hot columns."""

from __future__ import annotations

import re

import numpy as np
import pytest
import wired
from sympy import Integer, Rational

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.equations import Equation
from symrnn.expr import Gather, Series, Static, Total, dim, t, time_sum
from symrnn.networks import Given, Network, Scan
from symrnn.notation import PROFILES
from symrnn.printing import render
from symrnn.printing.columns import ColumnOf, Occurrences, column_form
from symrnn.times import Span
from symrnn.verify.balls import judge_balls

SIZES = {"D": 3, "H": 4, "A": 2, "K": 5, "V": 6, "S": 7, "T": 8}


def numeric(node, values, tokens, at):
    """Compute a formula whose values at times are arrays by (key, time); tokens are whole numbers by (key, time)."""
    kind = type(node).__name__
    if kind == "TimeSum":
        body, index, lo, hi = node.args
        return sum(numeric(body, values, tokens, {**at, index: k}) for k in range(int(lo), int(hi) + 1))
    if kind == "At":
        return values[node.series.key, int(node.time.xreplace({k: Integer(v) for k, v in at.items()}))]
    if kind == "OneHot":
        token, size = node.args
        return np.eye(int(size))[:, [tokens[token.series.key, int(token.time.xreplace({k: Integer(v) for k, v in at.items()}))]]]
    parts = [numeric(part, values, tokens, at) for part in node.args if hasattr(part, "shape")]
    if kind == "Plus":
        return sum(parts)
    if kind == "Scaled":
        return float(node.args[0]) * parts[0]
    if kind == "Transposed":
        return parts[0].T
    assert kind == "Product", kind
    return np.linalg.multi_dot(parts) if len(parts) > 1 else parts[0]


def column(term, place, values, tokens):
    """Column ``place`` of one term of the column form."""
    if isinstance(term, ColumnOf):
        return numeric(term.matrix, values, tokens, {})[:, [place]]
    times = range(int(term.lo), int(term.hi) + 1)
    key, running = term.token.series.key, term.index
    place_of = {k: int(term.token.time.xreplace({running: Integer(k)})) for k in times}
    zero = np.zeros((SIZES["D"], 1))
    return sum((numeric(term.body, values, tokens, {running: k}) for k in times if tokens[key, place_of[k]] == place), zero)


def gradient_of_the_table(**options):
    network = wired.attentive(**options)
    derivation = derive(network.with_sizes({size: Integer(SIZES[str(size)]) for size in network.sizes if str(size) in SIZES}))
    return derivation.gradient("E_w")


@pytest.mark.parametrize("tied", [False, True])
def test_the_columns_are_those_of_the_gradient(tied):
    gradient, rng = gradient_of_the_table(tied=tied), np.random.default_rng(0)
    series = gradient.atoms(Series)
    values = {(s.key, k): rng.standard_normal(tuple(map(int, s.shape))) for s in series for k in range(10)}
    width = int(gradient.shape[1])
    tokens = {(name, k): int(rng.integers(width)) for name in ("v", "w") for k in range(10)}
    form = column_form(gradient)
    assert sum(isinstance(term, Occurrences) for term in form.terms) == 2
    assert len(form.terms) == (3 if tied else 2)
    whole = numeric(gradient, values, tokens, {})
    for place in range(width):
        found = sum(column(term, place, values, tokens) for term in form.terms)
        np.testing.assert_allclose(found, whole[:, [place]], rtol=1e-12)


def test_a_gradient_without_a_lookup_has_no_column_form():
    assert column_form(derive(wired.attentive()).gradient("W_hy")) is None


PRINTED = {
    ("indexed", "unicode"): "[∂L/∂E_w]_{:,j} = Σ_{1≤t≤T: w_t=j} δu_{dec,t} + Σ_{1≤t≤S: v_t=j} δu_{enc,t}",
    ("keras", "unicode"): "[∂L/∂E_w]_{j,:} = Σ_{1≤t≤T: w_t=j} δu_{dec,t} + Σ_{1≤t≤S: v_t=j} δu_{enc,t}",
    ("notes-003", "unicode"): "[∂L/∂E_w]_{:,j} = Σ_{1≤n≤T: w_n=j} δu_{dec,n} + Σ_{1≤n≤S: v_n=j} δu_{enc,n}",
    ("indexed", "latex"): (
        r"[\frac{\partial L}{\partial E_{w}}]_{:,j} &= \sum_{1 \le t \le T:\, w_{t}=j} \delta u_{\mathrm{dec},t} "
        r"+ \sum_{1 \le t \le S:\, v_{t}=j} \delta u_{\mathrm{enc},t}"
    ),
}


@pytest.mark.parametrize(("profile", "format"), list(PRINTED))
def test_the_columns_are_printed_below_the_gradient(profile, format):
    lines = [re.sub(r"\s+", " ", line).strip().removesuffix(r" \\") for line in render(
        derive(wired.attentive()), format, notation=profile).splitlines()]
    assert PRINTED[profile, format] in lines


@pytest.mark.parametrize("profile", list(PROFILES))
def test_columns_are_printed_in_every_profile(profile):
    assert len(re.findall(r"1≤.≤", render(derive(wired.attentive(tied=True)), notation=profile))) == 2


def test_code_adds_columns_up_and_multiplies_by_no_one_hot_matrix():
    program = to_numpy(derive(wired.attentive(tied=True)))
    assert "np.add.at(" in program.source
    assert "one_hot" not in program.source
    judge_balls(program, sizes={"D": 5, "H": 2, "K": 7, "S": 3, "T": 4}).assert_ok()


def test_a_lookup_at_one_time_adds_up_too():
    w, u, table, h = Series("w", (), 1), Series("u", (), "D"), Static("E_w", (), "D", "V"), Series("h", (), "D")
    times = Span(1, dim("T"))
    network = Network(
        "one lookup", (Given(table, "parameter"), Given(w, "integer", times)),
        (Scan((Equation(u[t], Gather(table, w[t]), times), Equation(h[t], u[t] * u[t], times))),
         Equation(Static("L"), time_sum(Total(h[t]), 1, dim("T")) + Total(Gather(table, w[1])), None, "loss")), Static("L"),
    )
    program = to_numpy(derive(network))
    assert program.source.count(" scatter(") == 3  # the helper, all times, one time
    judge_balls(program).assert_ok()


def test_a_column_keeps_the_factor_of_its_sum():
    table, loss = Static("E", (), "D", "V"), Static("L")
    w, u, T = Series("w", (), 1, 1), Series("u", (), "D", 1), dim("T")
    network = Network(
        "halves", (Given(table, "parameter"), Given(w, "integer", Span(1, T))),
        (Scan((Equation(u[t], Gather(table, w[t]) / 2, Span(1, T)),)), Equation(loss, time_sum(Total(u[t]), 1, T))), loss)
    derivation = derive(network)
    form = column_form(derivation.gradient("E"))
    assert form is not None
    assert form.terms[0].body.args[0] == Rational(1, 2)
