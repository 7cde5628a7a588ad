"""The strongest test: random cells and networks, of every node type and time offset; three judges agree with the rules."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import cells, networks
from sympy import preorder_traversal

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.expr import At, Node, Softmax, StopGradient, t
from symrnn.expr.operators import Operators
from symrnn.networks import network
from symrnn.traverse import leaves
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}
NEVER_WRITTEN = {"Leaf", "Node"}


class Seen:
    """What occurred in a run."""

    def __init__(self):
        self.types, self.offsets, self.twice, self.two_states, self.equations = Counter(), Counter(), 0, 0, Counter()
        self.balls, self.masked, self.windows = Counter(), Counter(), 0

    def add(self, net, derivation):
        for equation in (*net.equations, *derivation.lines):
            self.types.update(type(node).__name__ for node in preorder_traversal(equation.rhs) if isinstance(node, Node))
            self.masked.update(type(n.mask).__name__ for n in equation.rhs.atoms(Softmax) if n.mask is not None)
        for equation in net.equations:
            self.windows += any(stop.condition is not None for stop in equation.rhs.atoms(StopGradient))
            read = list(leaves(equation.rhs))
            self.twice += len(read) != len(set(read))
            moving = [leaf.time - t for leaf in read if isinstance(leaf, At) and (leaf.time - t).is_Integer]
            self.offsets.update(int(gap) for gap in moving)
            self.offsets.update("fixed" for leaf in read if isinstance(leaf, At) and t not in leaf.time.free_symbols)


def judge(derivation, seen, *, floats):
    """Two judges must agree; the balls must not refute, and may leave open a tie, such as attention to equal columns."""
    judge_entrywise(derivation).assert_ok()
    if floats:
        program = to_numpy(derivation)
        judge_numeric(program).assert_ok()
        proved = judge_balls(program)
        assert not proved.refuted
        assert not proved.undecided or "the balls overlap" in str(proved.undecided)
        seen.balls.update([proved.ok])


def run_networks(examples, floats_every):
    seen = Seen()

    @settings(max_examples=examples, **QUIET)
    @given(net=networks(), turn=st.integers(1, floats_every))
    def agree(net, turn):
        derivation = derive(net)
        seen.add(net, derivation)
        judge(derivation, seen, floats=turn == floats_every)

    agree()
    return seen


def run_cells(examples, floats_every):
    seen = Seen()

    @settings(max_examples=examples, **QUIET)
    @given(own=cells(), task=st.sampled_from(["many-to-many", "many-to-one"]), turn=st.integers(1, floats_every))
    def agree(own, task, turn):
        net = network(own, task=task)
        derivation = derive(net)
        seen.add(net, derivation)
        seen.two_states += len(own.states) >= 2
        seen.equations[len(own.equations)] += 1
        judge(derivation, seen, floats=turn == floats_every)

    agree()
    return seen


def assert_everything_occurred(seen):
    missing = set(Operators.registry) - NEVER_WRITTEN - set(seen.types)
    assert not missing
    assert {-2, -1, 0, 1, 2, "fixed"} <= set(seen.offsets)
    assert seen.twice
    assert seen.windows
    assert {"At", "Transposed"} <= set(seen.masked)
    assert seen.balls[True] > 3 * seen.balls[False]


def assert_cells_varied(seen):
    assert {-2, -1, 0} <= set(seen.offsets)
    assert seen.twice
    assert seen.two_states
    assert {2, 3} <= set(seen.equations)
    assert len(seen.equations) >= 4


def test_judges_agree_on_random_networks():
    assert_everything_occurred(run_networks(30, floats_every=4))


def test_judges_agree_on_random_cells():
    assert_cells_varied(run_cells(10, floats_every=4))


@pytest.mark.full
def test_judges_agree_on_many_random_networks():
    assert_everything_occurred(run_networks(150, floats_every=2))


@pytest.mark.full
def test_judges_agree_on_many_random_cells():
    assert_cells_varied(run_cells(60, floats_every=2))


@pytest.mark.full
def test_judges_agree_on_second_derivatives_of_random_cells():
    sizes = Counter()

    @settings(max_examples=20, **QUIET)
    @given(own=cells(max_equations=3))
    def agree(own):
        sizes[len(own.equations)] += 1
        second = derive(hessian_vector_network(derive(network(own))))
        judge_entrywise(second).assert_ok()

    agree()
    assert set(sizes) == {2, 3}
