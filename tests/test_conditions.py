"""Numbers for which the derived gradients would be wrong are refused, by name and place."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.codegen.conditions import check_distribution
from symrnn.errors import DataError, SpecError
from symrnn.expr import dim
from symrnn.networks import architecture, network
from symrnn.times import Span
from symrnn.verify.points import random_point

SIZES = {"B": 2, "T": 3, "D": 2, "H": 4, "K": 3}


def program_and_point(*, assume=True, **options):
    net = network(cell("rnn"), **options)
    return to_numpy(derive(net, assume=assume)), random_point(net, SIZES, np.random.default_rng(0))


def test_targets_that_do_not_sum_to_one_are_refused():
    program, point = program_and_point()
    program.gradients(point)
    point["y"] = point["y"].copy()
    point["y"][1, 2] *= 2
    with pytest.raises(DataError, match=r"^y: the gradients hold for targets that sum to 1; y\[1, 2\] sums to 2; normalise"):
        program.gradients(point)
    program.gradients(point, check_finite=False)


def test_without_the_condition_any_target_is_taken():
    program, point = program_and_point(assume=False)
    doubled, gradients = program.gradients({**point, "y": 2 * point["y"]})
    single, halves = program.gradients(point)
    np.testing.assert_allclose(doubled, 2 * single)  # the loss is linear in the target, and so is its gradient
    np.testing.assert_allclose(gradients["W_hh"], 2 * halves["W_hh"])


def test_times_that_a_mask_leaves_out_need_no_distribution():
    program, point = program_and_point(mask=True)
    point["m"] = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    point["y"] = point["y"] * point["m"][..., None]
    program.gradients(point)
    point["m"] = np.ones((2, 3))
    with pytest.raises(DataError, match=r"^y: the gradients hold for targets that sum to 1; y\[0, 2\] sums to 0"):
        program.gradients(point)


def test_a_mean_over_no_time_is_refused():
    program, point = program_and_point(mask=True, over_time="mean")
    point["m"] = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    with pytest.raises(DataError, match=r"^m: sequence 1 has no time that counts"):
        program.gradients(point)


def test_a_mean_is_over_the_times_that_carry_loss():
    net = architecture("single", cell("rnn"), mask=True, over_time="mean", times=(1, Span(3, "T")))
    program, point = to_numpy(derive(net)), random_point(net, {**SIZES, "T": 4}, np.random.default_rng(0))
    point["m"] = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    program.gradients(point)
    point["m"] = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    with pytest.raises(DataError, match=r"^m: sequence 1 has no time that counts"):
        program.gradients(point)


def test_float32_rounding_is_no_error():
    rows = np.full((1, 1, 7), 1 / 7, dtype=np.float32)
    check_distribution("y", rows, [])
    with pytest.raises(DataError, match=r"^y: "):
        check_distribution("y", rows * np.float32(1.01), [])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: derive(cell("rnn")), r"^derive takes a network; got a Cell; write derive\(network\(cell\)\)$"),
        (lambda: network("lstm"), r"^network takes a cell; got 'lstm'; write network\(cell\('lstm'\)\)"),
        (lambda: to_numpy(network(cell("rnn"))), r"^to_numpy takes a derivation; got a Network; write to_numpy\(derive\(network\)\)$"),
        (lambda: network(cell("rnn")).with_sizes({"Q": 2}), r"^unknown size 'Q'; "),
        (lambda: network(cell("rnn")).with_sizes({"H": -2}), r"^H must be a letter or a positive whole number; got -2$"),
    ],
)
def test_what_is_no_network_is_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_sizes_may_be_text():
    assert network(cell("rnn")).with_sizes({"H": 2}) == network(cell("rnn")).with_sizes({dim("H"): 2})
