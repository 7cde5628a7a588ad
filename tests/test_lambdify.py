"""Every formula through ``sympy.lambdify``, by the nodes' own printers, against the generated code."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import sympy
from amounts import examples
from hypothesis import HealthCheck, assume, given, settings
from programs import CELLS, OPTIONS
from strategies import cells, networks
from sympy import Integer, Symbol

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import network_source
from symrnn.codegen.naming import identifier
from symrnn.derivation import hessian_vector_network
from symrnn.expr import At, Series, Static, t
from symrnn.networks import network
from symrnn.verify.points import default_sizes, random_point, size_in

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
LARGE = 1e6
SHARED = {"parameter", "direction"}


class Run:
    """All values of one run of generated code, as matrices of one sequence of the batch."""

    def __init__(self, derivation, sequence=1, seed=0):
        self.network, self.sequence = derivation.as_network(), sequence
        self.sizes = default_sizes(derivation)
        self.point = random_point(derivation.network, self.sizes, np.random.default_rng(seed))
        self.values = {}
        for given_ in self.network.givens:
            self.add(given_.quantity, self.point[given_.name], given_.span, batched=given_.kind not in SHARED)
        made = list(dict.fromkeys(e.quantity for e in self.network.equations))
        for quantity, array in zip(made, self.outputs(made), strict=True):
            spans = [e.span for e in self.network.equations if e.quantity == quantity]
            whole = spans[0] and self.network.order.sort([s.lo for s in spans])[0]
            self.add(quantity, array, whole, batched=array.shape[:1] == (self.sizes["B"],))

    def outputs(self, made):
        """What the generated code computes, with everything as an output."""
        namespace = {}
        exec(network_source(self.network, made), namespace)
        given_values = {**self.sizes, **{identifier(name): array for name, array in self.point.items()}}
        takes = inspect.signature(namespace["forward"]).parameters.keys() - {"params"}
        found = namespace["forward"](params=self.point, **{name: given_values[name] for name in takes})
        return [found[str(quantity.key)] for quantity in made]

    def add(self, quantity, array, span, *, batched):
        """Store a quantity: a matrix, or a dictionary of matrices by time."""
        array = array[self.sequence] if batched else array
        shape = tuple(size_in(size, self.sizes) for size in quantity.shape)
        if span is None:
            self.values[quantity] = array.reshape(shape)
            return
        first = size_in(span if isinstance(span, sympy.Expr) else span.lo, self.sizes)
        steps = array.reshape(-1, *shape)
        self.values.setdefault(quantity, {}).update({first + k: step for k, step in enumerate(steps)})

    def argument(self, symbol, time):
        """The value of a free symbol of a formula at a time."""
        if symbol == t:
            return time
        if isinstance(symbol, At):
            return self.values[symbol.series][size_in(symbol.time.xreplace({t: Integer(time or 0)}), self.sizes)]
        return self.values[symbol] if isinstance(symbol, Static | Series) else self.sizes[str(symbol)]

    def times(self, span):
        return [None] if span is None else range(size_in(span.lo, self.sizes), size_in(span.hi, self.sizes) + 1)

    def assert_agrees(self, equation):
        """The lambdified formula gives, at each time, what the generated code computed."""
        symbols = sorted(equation.rhs.free_symbols, key=str)
        function = sympy.lambdify(symbols, equation.rhs, modules="numpy")
        for time in self.times(equation.span):
            computed = self.values[equation.quantity] if time is None else self.values[equation.quantity][time]
            lambdified = function(*(self.argument(symbol, time) for symbol in symbols))
            expected = np.broadcast_to(lambdified, computed.shape)
            np.testing.assert_allclose(computed, expected, rtol=1e-9, atol=1e-12, err_msg=f"{equation} at {time}")


def assert_all_agree(derivation):
    run = Run(derivation)
    for equation in run.network.equations:
        run.assert_agrees(equation)
    return run


@pytest.mark.sampled(13)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_line_of_the_published_cells(kind, options):
    derivation = derive(network(cell(kind), **options))
    run = assert_all_agree(derivation)
    assert {str(e) for e in derivation.lines} & {str(e) for e in run.network.equations}


def test_every_line_of_a_second_derivation():
    assert_all_agree(derive(hessian_vector_network(derive(network(cell("rnn"), mask=True, over_time="mean")))))


def assert_all_agree_unless_large(derivation):
    """Products over time without a bound can grow until rounding is all that is left: such runs are passed over."""
    with np.errstate(over="ignore", invalid="ignore"):
        run = Run(derivation)
    values = [v for value in run.values.values() for v in (value.values() if isinstance(value, dict) else [value])]
    assume(all(np.isfinite(value).all() and np.abs(value).max() < LARGE for value in values))
    for equation in run.network.equations:
        run.assert_agrees(equation)


@settings(max_examples=examples(40), **QUIET)
@given(net=networks())
def test_every_line_of_random_networks(net):
    assert_all_agree_unless_large(derive(net))


@settings(max_examples=examples(20), **QUIET)
@given(own=cells(max_equations=4))
def test_every_line_of_random_cells(own):
    assert_all_agree_unless_large(derive(network(own, task="many-to-one")))


def test_a_wrong_formula_is_noticed():
    derivation = derive(network(cell("rnn")))
    run = Run(derivation)
    line = next(e for e in derivation.lines if e.quantity.key == "d_a")
    wrong = type(line)(line.lhs, 2 * line.rhs, line.span)
    with pytest.raises(AssertionError, match=r"^\nNot equal to tolerance"):
        run.assert_agrees(wrong)


def test_arguments_are_identifiers():
    derivation = derive(network(cell("lstm")))
    line = next(e for e in derivation.lines if e.quantity.key == "d_c" and e.span.hi == Symbol("T", integer=True, positive=True) - 1)
    function = sympy.lambdify(sorted(line.rhs.free_symbols, key=str), line.rhs)
    assert function.__code__.co_varnames[:function.__code__.co_argcount] == ("H", "d_c_tp1", "d_s_c_t", "f_tp1", "s_c_t")
