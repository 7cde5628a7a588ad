"""Two diagnoses of one code as one: what both name is told with its formula and with its line."""

from __future__ import annotations

from symrnn.explaining.joining import joined
from symrnn.verify.handwritten.findings import Diagnosis, Finding, Place

LINE = Finding("missing carry", "`carry` is missing", ("dW", "dh0"), places=(Place(7, "dh = dy[t]"),), fix="dh = dy[t] + carry")
FORMULA = Finding("missing carry", "`dW` is the right gradient, but …", ("dW",), "Wᵀ δa_{t+1} + δy_t", "δy_t", (Place(9, "dW += da @ x"),))
OTHER = Finding("wrong sign", "the sign of …", ("db",), "δa_t", "-δa_t", (Place(12, "db -= da"),))


def by_line(*findings: Finding, complete: bool = True) -> Diagnosis:
    return Diagnosis(findings, "by line", complete=complete)


def by_formula(*findings: Finding, complete: bool = True) -> Diagnosis:
    return Diagnosis(findings, "by formula", "lstm", complete)


def test_what_both_name_has_formula_and_line() -> None:
    found = joined(by_line(LINE), by_formula(FORMULA))
    assert found == Diagnosis((Finding(
        "missing carry", FORMULA.text, ("dW",), FORMULA.right, FORMULA.wrong, LINE.places, LINE.fix),), "by line; by formula", "lstm", True)
    assert [line.strip() for line in found.text()[-2:]] == ["line 7: dh = dy[t]", "repaired   dh = dy[t] + carry"]


def test_fewer_mistakes_are_told() -> None:
    assert joined(by_line(LINE), by_formula(FORMULA, OTHER)).findings[0].fix == LINE.fix
    assert len(joined(by_line(LINE), by_formula(FORMULA, OTHER)).findings) == 1
    assert joined(by_line(LINE, LINE), by_formula(OTHER)).findings == (OTHER,)


def test_as_many_but_others_are_told_by_line() -> None:
    found = joined(by_line(LINE), by_formula(OTHER))
    assert found.findings == (LINE,)
    assert found.statement == "by line"


def test_what_explains_all_is_told_before_what_explains_a_part() -> None:
    assert joined(by_line(LINE), by_formula(OTHER, complete=False)) == by_line(LINE)
    assert joined(by_line(LINE, complete=False), by_formula(OTHER)) == by_formula(OTHER)
    assert joined(by_line(LINE, complete=False), by_formula(OTHER, complete=False)).findings == (OTHER,)
    assert joined(by_line(LINE, complete=False), by_formula(complete=False)).findings == (LINE,)
    assert joined(by_line(complete=False), by_formula(complete=False)).statement == "by formula"


def test_a_finding_is_the_partner_of_one_other() -> None:
    second = Finding("missing carry", "", ("dV",), places=(Place(8, ""),), fix="g = g + carry")
    found = joined(by_line(second, LINE), by_formula(FORMULA, OTHER))
    assert [one.fix for one in found.findings] == [second.fix, LINE.fix]
    assert [one.right for one in found.findings] == ["", FORMULA.right]
