"""Judges that would not end say so; what is asked of them wrongly is refused in a line."""

from __future__ import annotations

import json

import pytest

from symrnn import SpecError, cell, check, derive, dim, network, to_numpy
from symrnn.cli import main
from symrnn.networks import NETWORKS, architecture
from symrnn.verify import balls, entrywise
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.entrywise.sizes import judged_sizes
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.points import default_sizes
from symrnn.verify.work import adjoint_entries, forward_steps

D, H, K, T = (dim(letter) for letter in "DHKT")


def test_the_work_grows_as_the_products_do():
    net = network(cell("rnn"))
    work = [forward_steps(net, {D: 3, H: h, K: 5, T: 7}) for h in (1000, 2000)]
    assert work[1] / work[0] == pytest.approx(4, rel=0.02)
    assert work[0] == pytest.approx(7 * 2 * 1000 * 1000, rel=0.05)
    small = forward_steps(net, {D: 3, H: 5, K: 2, T: 3})
    assert forward_steps(net, {D: 3, H: 5, K: 2, T: 6}) == pytest.approx(2 * small, rel=0.05)
    assert forward_steps(net.with_sizes({"D": 3, "H": 5, "K": 2}), {T: 3}) == small


@pytest.mark.parametrize("name", ["lstm", "gru-reset-after", "lstm-peephole"])
def test_small_sizes_are_far_from_every_limit(name):
    net = network(cell(name), mask=True, over_time="mean")
    assert forward_steps(net, {D: 3, H: 5, K: 7, T: 11}) < 10_000


def test_a_size_that_is_too_large_is_undecided_at_once():
    derivation = derive(network(cell("rnn")).with_sizes({"H": 2000}))
    program = to_numpy(derivation)
    for report in (judge_entrywise(derivation), judge_balls(program), judge_numeric(program)):
        assert [finding.verdict for finding in report.findings] == ["undecided"]
        detail = report.findings[0].detail
        assert detail.startswith("W_hh is 2000×2000: ")
        assert detail.endswith("sizes that are left letters are judged at small numbers: leave it a letter")
        assert "\n" not in detail


def test_a_size_that_python_fixes_is_undecided_too():
    report = judge_entrywise(derive(network(cell("rnn"))), sizes={"H": 300})
    assert [finding.verdict for finding in report.findings] == ["undecided"]
    assert report.findings[0].detail.startswith("W_hh is 300×300: the chain rule on scalars would take ")


def test_the_command_line_ends_with_3(capsys):
    assert main(["check", "rnn", "--size", "H=200", "--judge", "entrywise", "--judge", "numeric", "--json"]) == 3
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [{finding["verdict"] for finding in report["findings"]} for report in reports] == [{"undecided"}, {"agrees"}]


def test_a_target_of_one_entry_is_1(capsys):
    """With K = 1 a softmax and its target are both 1: the loss is 0, which every judge can say."""
    assert main(["check", "rnn", "--size", "K=1"]) == 0
    assert "every judge agrees" in capsys.readouterr().out


def test_what_is_no_list_or_no_derivation():
    derivation = derive(network(cell("rnn")))
    with pytest.raises(SpecError, match=r"^judges is a list of names; got the text 'numeric'; write judges=\['numeric'\]$"):
        check(derivation, judges="numeric")
    with pytest.raises(SpecError, match=r"^check takes a derivation; got Network; write check\(derive\(network\(\.\.\.\)\)\)$"):
        check(network(cell("rnn")))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_far_from_every_limit_at_the_sizes_that_are_chosen(name):
    options = {"attention": "additive"} if "attention" in NETWORKS[name].options else {"layers": 2} if name != "single" else {}
    derivation = derive(architecture(name, cell("lstm"), **options))
    sizes = judged_sizes(derivation, None)
    assert forward_steps(derivation.network, sizes) * adjoint_entries(derivation.lines, sizes) < entrywise.judge.MOST / 10
    numbers = {letter: default_sizes(derivation)[letter.name] for letter in derivation.network.sizes}
    assert forward_steps(derivation.network, numbers) < balls.judge.MOST / 10
