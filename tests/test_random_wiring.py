"""Random wirings of layers in both directions, attention, feedback, masks and chosen losses: the judges agree with the rules."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from wirings import FEATURES, wirings

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": False, "database": None}
SMALL = {"B": 2, "T": 5, "S": 3, "H": 2, "D": 5, "K": 2, "V": 3, "A": 2, "F": 2}


def judge(derivation, proved, *, floats):
    """Two judges must agree; the balls must not refute, and may leave open what random cells make undecided, such as a tie."""
    sizes = {letter: number for letter, number in SMALL.items() if letter in {*map(str, derivation.network.sizes), "B"}}
    sizes |= {str(letter): max(sizes[str(letter)], least) for letter, least in derivation.least}
    report = judge_entrywise(derivation, sizes={k: v for k, v in sizes.items() if k != "B"})
    report.assert_ok()
    assert len(report.findings) >= len(derivation.wanted)
    if floats:
        program = to_numpy(derivation)
        judge_numeric(program, sizes=sizes).assert_ok()
        balls = judge_balls(program, sizes=sizes, directions=1)
        assert not balls.refuted
        assert not balls.undecided or "the balls overlap" in str(balls.undecided)
        proved.update([balls.ok])


FEW = (1, 5, 7, 8, 19, 20, 22, 28, 32, 34, 40)
"""Wirings that have every feature between them, found by taking again and again the one with the most that are missing."""


def run(numbers, floats_every):
    """Each wiring by its number, with random cells."""
    seen, proved = Counter(), Counter()

    def judge_wiring(number):
        @seed(number)
        @settings(max_examples=1, **QUIET)
        @given(wirings(number))
        def agree(drawn):
            network, features = drawn
            seen.update(features)
            judge(derive(network), proved, floats=number % floats_every == 0)

        agree()

    for number in numbers:
        judge_wiring(number)
    assert set(seen) == FEATURES
    assert proved[True] > 10 * proved[False]
    return seen


def test_judges_agree_on_random_wirings():
    """Code is judged for one of them; for each fourth wiring, these among them, in the test of many."""
    assert set(run(FEW, floats_every=16)) == FEATURES


@pytest.mark.full
def test_judges_agree_on_many_random_wirings():
    assert min(run(range(100), floats_every=4).values()) >= 3
