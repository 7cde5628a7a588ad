"""Each pass keeps the value of a form: in floating point, and modulo a prime against the chain rule on scalars."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from amounts import examples
from fast_cases import NAMED, TASKED, WIRED, WRT, assert_same, case, form_of, values_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import networks
from sympy import Integer

from symrnn.bptt import derive
from symrnn.derivation import key_of
from symrnn.errors import SpecError
from symrnn.expr import Zeros, t
from symrnn.networks.graph import Scan
from symrnn.scheduling import PASSES, scheduled
from symrnn.scheduling.form import equations_of, recurrent
from symrnn.verify.entrywise.drawing import draw
from symrnn.verify.entrywise.modular import Generators, P
from symrnn.verify.entrywise.printed import Scope, Times, evaluate, reads
from symrnn.verify.entrywise.sizes import judged_sizes
from symrnn.verify.entrywise.unrolled import Point, Unrolled
from symrnn.verify.points import default_sizes, random_point

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
PUBLISHED = [f"{name}, many-to-many" for name in ("rnn", "lstm", "lstm-peephole", "gru", "gru-reset-after", "rnn-block")]
OTHERS = [name for name in NAMED if name not in PUBLISHED]
LARGE = 1e6


class Numbers:
    """Random numbers for a derivation, and the values of its results before any pass."""

    def __init__(self, derivation, wrt="all"):
        self.form = form_of(derivation, wrt)
        self.sizes = default_sizes(derivation)
        self.point = random_point(derivation.network, self.sizes, np.random.default_rng(0))
        self.before = self.values(self.form)

    def values(self, form):
        with np.errstate(all="ignore"):
            return values_of(form, self.point, self.sizes)

    def assert_kept(self, form):
        assert_in_order(form, self.sizes)
        assert_same(self.values(form), self.before)

    def assert_all_kept(self, order=tuple(PASSES)):
        """One pass after the other keeps the value; returns the last form."""
        form = self.form
        for name in order:
            changed = PASSES[name](form)
            if changed != form:
                self.assert_kept(changed)
            form = changed
        return form


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", PUBLISHED)
def test_passes_keep_the_value_of_published_cells(name):
    numbers = Numbers(case(name))
    assert numbers.assert_all_kept() == scheduled(numbers.form.network, numbers.form.results)


@pytest.mark.sampled(20, 2)
@pytest.mark.parametrize("name", ["language model", *(name for name in WIRED if name != "language model"), "layer-normalised"])
def test_passes_keep_the_value_of_networks(name):
    Numbers(case(name)).assert_all_kept()


@pytest.mark.full
@pytest.mark.sampled(9, 9)
@pytest.mark.parametrize("wrt", WRT)
@pytest.mark.parametrize("name", OTHERS)
def test_passes_keep_the_value_of_everything(name, wrt):
    Numbers(case(name), wrt).assert_all_kept()


@pytest.mark.sampled(17, 3)
@pytest.mark.parametrize("alone", PASSES)
@pytest.mark.parametrize("name", ["lstm-peephole, many-to-one", "gru, many-to-many", "windows"])
def test_a_pass_alone_and_twice(name, alone):
    numbers = Numbers(case(name))
    once = PASSES[alone](numbers.form)
    numbers.assert_kept(once)
    numbers.assert_kept(PASSES[alone](once))


def not_too_large(numbers):
    """Products over time without a bound grow until rounding is all that is left: such runs are passed over."""
    assume(all(np.isfinite(array).all() and np.abs(array).max(initial=0) < LARGE for array in numbers.before.values()))


ORDERS = st.permutations([name for name in PASSES if name != "pruned"])


@settings(max_examples=examples(12), **QUIET)
@given(net=networks(), order=ORDERS)
def test_passes_in_any_order_keep_the_value_of_random_networks(net, order):
    numbers = Numbers(derive(net))
    not_too_large(numbers)
    numbers.assert_all_kept()
    numbers.assert_all_kept(order)


# Modulo a prime: what a scheduled form computes is the derivative, exactly.


def assert_true_modulo_a_prime(derivation, form):
    """The results of a form are the true adjoints, which the chain rule on scalars gives, in every entry."""
    sizes = judged_sizes(derivation, None)
    numbers = {letter: Integer(value) for letter, value in sizes.items()}
    net = derivation.network.with_sizes(numbers)
    adjoints = {
        (key_of(derivation.by_quantity[g.quantity].lhs).xreplace(numbers), time): (g.quantity.xreplace(numbers), time)
        for g in derivation.wanted for time in times_of(g.span, numbers)
    }
    unrolled = Unrolled(net, adjoints.values())
    generators = Generators(Random(0))
    relations = [type(c)(c.lhs.xreplace(numbers), c.rhs.xreplace(numbers)) for c in derivation.conditions]
    point = Point(generators, draw(net, relations, generators))
    values = dict(point.values)
    unrolled.run(point)
    truth = unrolled.adjoints(point)
    for e, time in Unrolled(form.as_network().with_sizes(numbers), ()).steps:
        here = numbers if time is None else {**numbers, t: Integer(time)}
        values[e.quantity, time] = evaluate(e.rhs, Scope(here, lambda q: q, values.__getitem__, generators))
    assert (values[net.loss, None][0][0] - point.values[net.loss, None][0][0]) % P == 0
    for mine, primal in adjoints.items():
        wrong = [(x, y) for a, b in zip(values[mine], truth[primal], strict=True) for x, y in zip(a, b, strict=True) if (x - y) % P]
        assert not wrong, mine


def assert_in_order(form, sizes):
    """A form reads nothing before it is there; readable code finds an order of its own, and does not tell."""
    numbers = {letter: Integer(sizes[letter.name]) for letter in form.as_network().sizes}
    net = form.as_network().with_sizes(numbers)
    made = {(g.quantity, time) for g in net.givens for time in times_of(g.span, {})}
    for e, time in Unrolled(net, ()).steps:
        early = set(reads(e.rhs, Times({} if time is None else {t: Integer(time)}, lambda q: q))) - made
        assert not early, f"{e} at {time} reads {early}"
        made.add((e.quantity, time))


def times_of(span, numbers):
    return [None] if span is None else range(int(span.lo.xreplace(numbers)), int(span.hi.xreplace(numbers)) + 1)


@pytest.mark.sampled(62, 4)
@pytest.mark.parametrize("name", [*TASKED, *WIRED, "layer-normalised"])
def test_scheduled_forms_are_the_derivative_modulo_a_prime(name):
    start = form_of(case(name))
    assert_true_modulo_a_prime(case(name), scheduled(start.network, start.results))


@settings(max_examples=examples(12), **QUIET)
@given(net=networks())
def test_scheduled_random_networks_are_the_derivative_modulo_a_prime(net):
    derivation = derive(net)
    start = form_of(derivation)
    assert_true_modulo_a_prime(derivation, scheduled(start.network, start.results))


@pytest.mark.full
def test_scheduled_second_derivatives():
    derivation = case("second order")
    assert_true_modulo_a_prime(derivation, Numbers(derivation).assert_all_kept())


# The comparisons can fail.


def with_error(form, wrong):
    """A form with twice the right side of one equation."""
    doubled = replace(wrong, rhs=2 * wrong.rhs)
    blocks = []
    for block in form.blocks:
        new = tuple(doubled if e is wrong else e for e in equations_of(block))
        blocks.append(Scan(new, block.step) if isinstance(block, Scan) else new[0])
    return replace(form, blocks=tuple(blocks))


@pytest.mark.sampled(10, 2)
@pytest.mark.parametrize("name", PASSES)
def test_an_error_of_a_pass_is_noticed(name):
    """Whatever equation of the recurrences a pass gets wrong, a result is another."""
    numbers = Numbers(case("rnn, many-to-many"))
    form = numbers.form
    for step in PASSES:
        form = PASSES[step](form)
        if step == name:
            break
    found = [e for block in form.blocks if isinstance(block, Scan) and recurrent(block) for e in block.equations]
    assert len(found) >= 4
    kept = set()
    for e in PASSES["needed"](form).equations:
        if e in found and not isinstance(e.rhs, Zeros):
            with pytest.raises(AssertionError, match=r"^\nNot equal to tolerance"):
                numbers.assert_kept(with_error(form, e))
            kept.add(e)
    assert kept


def test_a_wrong_order_is_noticed():
    numbers = Numbers(case("rnn, many-to-many"))
    form = PASSES["hoisted"](PASSES["distributed"](numbers.form))
    assert_in_order(form, numbers.sizes)
    with pytest.raises(SpecError, match=r"^the equation for a reads p_\{a,t\}, which a later scan computes"):
        numbers.assert_kept(replace(form, blocks=(*form.blocks[1:], form.blocks[0])))


def test_an_error_is_noticed_modulo_a_prime():
    derivation = case("rnn, one-to-one")
    form = scheduled(form_of(derivation).network, form_of(derivation).results)
    for e in form.equations:
        if not isinstance(e.rhs, Zeros):
            with pytest.raises(AssertionError):
                assert_true_modulo_a_prime(derivation, with_error(form, e))
