"""Fast code of random cells and networks, and of small networks of every kind that it once got wrong."""

from __future__ import annotations

import numpy as np
import pytest
from amounts import examples
from fast_cases import LAYOUTS, assert_fast_is_readable, case, fast, random_values, readable
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from strategies import cells, networks
from test_fast import assert_apart, form_scheduled
from test_scheduling import Numbers

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell, Equation
from symrnn.expr import LogSoftmax, Rows, Softmax, Static, StopGradient, TimeSum, Total, bound_index, dim, t, time_sum
from symrnn.functions import parameter, series, stack, tanh
from symrnn.networks import Given, Network, Scan, network
from symrnn.scheduling import PASSES
from symrnn.times import Span

QUIET = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "database": None, "phases": (Phase.explicit, Phase.generate),
}  # without shrinking, which takes minutes for a network
LARGE = 1e6
T = dim("T")
x, a, u, v, s, h = (series(n, k) for n, k in [("x", "D"), ("a", "H"), ("u", "H"), ("v", "H"), ("s", 2 * dim("H")), ("h", "H")])
U, W, V = parameter("U", "H", "D"), parameter("W", "H", "H"), parameter("V", "H", 2 * dim("H"))
w, q = series("w", 3 * dim("H")), series("q", 2 * dim("H"))
P, b, H = parameter("P", 2 * dim("H"), "D"), parameter("b", "H"), dim("H")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("equations", [
    pytest.param([
        (a[t], U @ x[t] + W @ h[t - 1]), (u[t], tanh(a[t])), (v[t], tanh(u[t])), (s[t], stack(u[t], v[t])), (h[t], tanh(V @ s[t])),
    ], id="a function of what lies beside its result"),
    pytest.param([(h[t], tanh(U @ x[t] + StopGradient(W @ h[t - 1])))], id="a gradient that is zero"),
    pytest.param([(h[t], tanh(U @ x[t] + W @ h[t - 1] + h[t - 2]))], id="a state from two steps back"),
    pytest.param([
        (u[t], tanh(W @ h[t - 1])), (h[t], tanh(u[t] + h[t - 1] * Total(u[t].T @ u[t]) * Total(U @ x[t]))),
    ], id="a value that both directions compute"),
    pytest.param([(a[t], U @ (x[t] * x[t]) + b), (h[t], tanh(W @ h[t - 1] + a[t]))], id="a bias beside a product of what has no name"),
    pytest.param([
        (a[t], tanh(U @ x[t] + W @ h[t - 1])), (u[t], tanh(W @ h[t - 1])), (s[t], stack(a[t], u[t]) + P @ x[t]), (h[t], tanh(V @ s[t])),
    ], id="an adjoint that is read as a whole and in pieces"),
    pytest.param([
        (s[t], P @ x[t] + stack(h[t - 1], h[t - 1])), (a[t], Rows(s[t], 0, H)), (u[t], tanh(a[t])), (h[t], tanh(V @ s[t] + u[t])),
    ], id="a piece of what is read as a whole"),
    pytest.param([
        (w[t], parameter("R", 3 * H, "D") @ x[t]), (s[t], tanh(Rows(w[t], 0, 2 * H))), (q[t], tanh(Rows(w[t], H, 3 * H))),
        (h[t], tanh(h[t - 1] + V @ (s[t] * q[t]))),
    ], id="pieces with a row in common"),
    pytest.param([
        (s[t], P @ x[t] + stack(U @ x[t], U @ x[t])), (a[t], Rows(s[t], 0, H)), (u[t], Softmax(a[t])), (v[t], LogSoftmax(a[t])),
        (h[t], tanh(h[t - 1] + V @ s[t] + u[t] * v[t])),
    ], id="softmax and its logarithm of a piece of what is read as a whole"),
])
def test_cells_of_every_kind(equations, layout):
    derivation = derive(network(Cell("own", equations, inputs=[x])))
    assert_fast_is_readable(derivation, fast(derivation, "all", layout), random_values(derivation))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["lstm, many-to-many", "gru-reset-after, many-to-one"])
def test_second_derivatives(name, layout):
    derivation = derive(hessian_vector_network(case(name)))
    assert_fast_is_readable(derivation, fast(derivation, "all", layout), random_values(derivation))


def network_of(body, *blocks):
    """A network with a loss that is a sum over the times."""
    loss = Static("L")
    used = [p for p in (U, W) if any(e.rhs.has(p) for block in blocks for e in block.equations) or body.has(p)]
    givens = [*(Given(p, "parameter") for p in used), Given(x, "input", Span(1, T)), Given(h, "initial", Span(0, 0))]
    return Network("own", tuple(givens), (*blocks, Equation(loss, time_sum(Total(body), 1, T), None, "loss")), loss)


RECURRENCE = Scan((Equation(h[t], tanh(W @ h[t - 1] + U @ x[t]), Span(1, T)),))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("net", [
    pytest.param(network_of(h[t] * (W @ h[T]), RECURRENCE), id="a product with the last value beside all others"),
    pytest.param(network_of(h[t] * TimeSum(h[bound_index(1)] * h[t], bound_index(1), 1, T), RECURRENCE), id="a sum within a sum"),
])
def test_networks_of_every_kind(net, layout):
    derivation = derive(net)
    assert_fast_is_readable(derivation, fast(derivation, "all", layout), random_values(derivation))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_initial_states_of_several_times_are_zeros_where_none_is_given(layout):
    derivation = derive(network(Cell("two steps back", [(h[t], tanh(W @ h[t - 2] + U @ x[t]))], inputs=[x])))
    values = random_values(derivation)
    del values["h_m1"]
    assert_fast_is_readable(derivation, fast(derivation, "parameters", layout), values)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("names", [("block", "chunk"), ("x_kept", "h_kept"), ("scratch_1", "h_m1"), ("W_hy_T", "min"), ("h_all", "h_at")])
def test_parameters_may_have_names_that_the_code_would_choose(names, layout):
    W, U = parameter(names[0], "H", "H"), parameter(names[1], "H", "D")
    derivation = derive(network(Cell("own", [(h[t], tanh(W @ h[t - 1] + U @ x[t]) * tanh(U @ x[t]))], inputs=[x])))
    assert_fast_is_readable(derivation, fast(derivation, "parameters", layout), random_values(derivation))


def test_a_network_without_parameters():
    loss, ones = Static("L"), np.ones((2, 3, 2))
    net = Network("own", (Given(x, "input", Span(1, T)),), (Equation(loss, time_sum(Total(x[t] * x[t]), 1, T), None, "loss"),), loss)
    assert to_numpy(derive(net), style="fast").gradients({"x": ones}) == (12, {})


def assert_agrees(derivation, layout):
    values = random_values(derivation)
    with np.errstate(all="ignore"):
        loss, gradients = readable(derivation).gradients(values)
    assume(all(np.isfinite(array).all() and np.abs(array).max(initial=0) < LARGE for array in (np.asarray(loss), *gradients.values())))
    program = to_numpy(derivation, style="fast", wrt="all", layout=layout)
    with np.errstate(all="ignore"):
        assert_fast_is_readable(derivation, program, values, 1e-11)


@settings(max_examples=examples(40), **QUIET)
@given(own=cells(), layout=st.sampled_from(LAYOUTS), task=st.sampled_from(["many-to-many", "many-to-one"]))
def test_random_cells(own, layout, task):
    assert_agrees(derive(network(own, task=task)), layout)


@settings(max_examples=examples(60), **QUIET)
@given(net=networks(), layout=st.sampled_from(LAYOUTS))
def test_random_networks(net, layout):
    assert_agrees(derive(net), layout)


@settings(max_examples=examples(12), **QUIET)
@given(own=cells(max_equations=5), order=st.permutations(list(PASSES)), task=st.sampled_from(["many-to-many", "many-to-one"]))
def test_passes_in_any_order_keep_the_value_of_random_cells(own, order, task):
    numbers = Numbers(derive(network(own, task=task)))
    assume(all(np.isfinite(array).all() and np.abs(array).max(initial=0) < LARGE for array in numbers.before.values()))
    numbers.assert_all_kept()
    numbers.assert_all_kept(order)


@settings(max_examples=examples(20), **QUIET)
@given(own=cells())
def test_values_of_random_cells_share_no_rows(own):
    assert_apart(form_scheduled(derive(network(own))))
