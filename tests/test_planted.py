"""Mistakes planted in right programs: right ones are never refused, wrong ones always are, and how many are named."""

from __future__ import annotations

import pytest
from planted_programs import (
    GROUPS,
    RECORDS,
    RIGHT,
    Edit,
    Planted,
    Score,
    edited,
    planted_lines,
    score,
    share,
    source_of,
    verdict_on,
)

from symrnn.verify.handwritten import verifying
from symrnn.verify.handwritten.findings import KINDS, Diagnosis, Finding, Place

FINE = {"right", "right up to float64 constants"}
COMBINED = [record for record in RECORDS if len(record.edits) > 1]
LEAST = {"seen": ((False, 0.9), (True, 0.6)), "held out": ((False, 0.75), (True, 0.45))}
"""Shares below which the diagnosis has become worse than it was; it has a budget of processor time, so that a busy machine finds less."""
AIMS = (0.9, 0.7)
"""What is wanted of single and of combined mistakes; what falls short is reported as an expected failure."""


@pytest.fixture
def judge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts only, without looking for the mistakes behind them."""
    monkeypatch.setattr(verifying, "explained", lambda *about: Diagnosis())


@pytest.mark.sampled(5)
@pytest.mark.parametrize("program", RIGHT)
def test_right_programs_are_never_refused(program: str) -> None:
    report = verdict_on(program)
    assert report.status == 0, str(report)
    assert {v.verdict for v in report.verdicts} <= FINE, str(report)


@pytest.mark.usefixtures("judge_alone")
@pytest.mark.sampled(47)
@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_wrong_programs_are_refused(record: Planted) -> None:
    report = verdict_on(record.program, record.edits)
    assert report.status == 1, str(report)
    assert all(v.evidence == "proved" for v in report.refused), str(report)


@pytest.mark.usefixtures("judge_alone")
@pytest.mark.full
@pytest.mark.parametrize("record", COMBINED, ids=str)
def test_no_mistake_of_a_combination_hides_behind_another(record: Planted) -> None:
    alone = [(edit,) for edit in record.edits]
    undone = [tuple(other for other in record.edits if other is not edit) for edit in record.edits]
    for edits in dict.fromkeys([*alone, *undone]):
        report = verdict_on(record.program, edits)
        assert report.status == 1, f"with {[edit.new for edit in edits]} only: {report}"


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_each_mistake_stands_where_it_is_said_to_stand(record: Planted) -> None:
    right, (wrong, _) = source_of(record.program).splitlines(), edited(record.program, record.edits)
    written = wrong.splitlines()
    for edit, lines in zip(record.edits, planted_lines(record.program, record.edits), strict=True):
        assert any(edit.variable in written[line - 1] for line in lines), f"{edit.variable} is in none of the lines {sorted(lines)}"
        assert edit.at or any(written[line - 1] not in right for line in lines), f"the lines {sorted(lines)} stand in the right program"


def test_both_groups_have_the_same_mix() -> None:
    assert [record.group for record in RECORDS] == [GROUPS[number % 3 == 2] for number in range(len(RECORDS))]
    assert len(RECORDS) - len(COMBINED) >= 45
    assert len(COMBINED) >= 30
    assert len({(record.program, record.edits) for record in RECORDS}) == len(RECORDS)
    for group in GROUPS:
        records = [record for record in RECORDS if record.group == group]
        assert {record.program for record in records} == set(RIGHT)
        assert {kind for record in records for edit in record.edits for kind in edit.kinds} == set(KINDS)
        assert {len(record.edits) for record in records} == {1, 2, 3, 4}


def a_finding(kind: str, line: int) -> Finding:
    return Finding(kind, "", places=(Place(line, ""),))


def test_the_score_counts_what_is_exact_only() -> None:
    record = Planted("tanh_rows", (Edit("a", "b", ("missing factor", "wrong derivative"), "a"), Edit("c", "d", "wrong sign", "c")), "seen")
    first, second = a_finding("wrong derivative", 3), a_finding("wrong sign", 7)

    def scored(*findings: Finding) -> Score:
        return Score(record, (frozenset({3, 4}), frozenset({7})), findings)

    assert scored(second, first).exact
    assert not scored(first).exact
    assert not scored(first, first).exact
    assert not scored(first, second, second).exact
    assert not scored(first, a_finding("wrong sign", 8)).exact
    assert not scored(first, a_finding("wrong time", 7)).exact
    assert share([scored(first, second), scored(first)], combined=True) == (1, 2)
    assert share([scored(first, second)], combined=False) == (0, 0)


def test_an_edit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^tanh_rows: 'np' stands there \d+ times; expected once$"):
        edited("tanh_rows", [Edit("np", "numpy", "wrong sign", "h")])
    with pytest.raises(ValueError, match=r"^tanh_rows: two mistakes overlap at 'Wh\.T'; plant them in one edit, or apart$"):
        edited("tanh_rows", [Edit("da.dot(Wh.T)", "da", "missing factor", "dh"), Edit("Wh.T", "Wh", "missing transpose", "dh")])
    with pytest.raises(ValueError, match=r"^'typo' is no kind of mistake; the kinds are missing derivative, "):
        Edit("a", "b", "typo", "a")


@pytest.mark.full
@pytest.mark.parametrize("group", GROUPS)
def test_the_diagnosis_names_mistakes_by_kind_and_line(group: str) -> None:
    scores = score(group)
    short = []
    for (combined, least), aim in zip(LEAST[group], AIMS, strict=True):
        exact, number = share(scores, combined=combined)
        told = "\n".join([f"{group}: {exact} of {number} {'combined' if combined else 'single'} ones are exact", *map(str, scores)])
        assert exact >= least * number, told
        short += [told] if exact < aim * number else []
    if short:
        pytest.xfail("the aim is not reached: " + "\n".join(short))
