"""A derivation is a network again: Hessian-vector products of every cell pass the three judges."""

from __future__ import annotations

import pytest

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import hessian_vector_network
from symrnn.networks import network
from symrnn.verify.panel import check


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_hessian_vector_products_pass_the_judges(name):
    second = derive(hessian_vector_network(derive(network(cell(name)))))
    reports = check(second)
    assert [report.judge for report in reports] == ["entrywise", "ball arithmetic", "numeric"]
    for report in reports:
        report.assert_ok()
    named = {finding.quantity for finding in reports[2].findings}
    assert {f"d2_{p.name}" for p in network(cell(name)).parameters} <= named


@pytest.mark.full
def test_third_order_passes_the_entrywise_judge():
    second = derive(hessian_vector_network(derive(network(cell("rnn"), task="many-to-one"))))
    third = derive(hessian_vector_network(second))
    assert third.order == 3
    check(third, judges=["entrywise"])[0].assert_ok()
