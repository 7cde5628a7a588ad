"""All judges on every cell, task, readout and loss: a sample; with ``--full`` every pair, and a third of the rest."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.networks import LOSSES, READOUTS, TASKS, network
from symrnn.networks.readout import NEEDS
from symrnn.verify.panel import JUDGES, check

WIRINGS = [{"task": task} for task in TASKS] + [{"task": "one-to-many", "feed": "output"}]
ENDS = [(readout, loss) for readout in READOUTS for loss in LOSSES if NEEDS.get(loss, readout) == readout]
EVERY = list(product(range(len(CELLS)), range(len(WIRINGS)), range(len(ENDS))))
SAMPLE = [(c, w, (c + w) % len(ENDS)) for c, w in product(range(len(CELLS)), range(len(WIRINGS)))]


def label(case: tuple[int, int, int]) -> str:
    c, w, e = case
    return "-".join([list(CELLS)[c], *WIRINGS[w].values(), *ENDS[e]])


def assert_judges_agree(case: tuple[int, int, int]) -> None:
    c, w, e = case
    readout, loss = ENDS[e]
    derivation = derive(network(cell(list(CELLS)[c]), readout=readout, loss=loss, **WIRINGS[w]))
    reports = check(derivation)
    assert len(reports) == len(JUDGES)
    for report in reports:
        report.assert_ok()
        assert len(report.findings) >= len(derivation.wanted)


def test_the_sample_has_every_pair() -> None:
    for axes in combinations(range(3), 2):
        pairs = [{tuple(case[axis] for axis in axes) for case in cases} for cases in (SAMPLE, EVERY)]
        assert pairs[0] == pairs[1]


@pytest.mark.sampled(19)
@pytest.mark.parametrize("case", SAMPLE, ids=label)
def test_judges_agree(case: tuple[int, int, int]) -> None:
    assert_judges_agree(case)


@pytest.mark.full
@pytest.mark.sampled(3, 3)
@pytest.mark.parametrize("case", sorted(set(EVERY) - set(SAMPLE)), ids=label)
def test_judges_agree_on_more(case: tuple[int, int, int]) -> None:
    assert_judges_agree(case)
