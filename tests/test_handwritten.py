"""Gradients written by hand: the right programs pass, each planted mistake is refused, in its own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from handwritten_programs import RIGHT, WRONG, Mistake, source_of, verdict_on

from symrnn.verify.handwritten import verifying
from symrnn.verify.handwritten.findings import Diagnosis

FINE = {"right", "right up to float64 constants"}


@pytest.fixture(autouse=True)
def judge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts only, without looking for the mistakes behind them."""
    monkeypatch.setattr(verifying, "explained", lambda *about: Diagnosis())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_pass(name: str) -> None:
    report = verdict_on(name)
    assert report.status == 0, str(report)
    assert {v.verdict for v in report.verdicts} <= FINE | ({"clipped"} if name == "char_rnn" else set())
    assert all(v.digits is None or v.digits >= 90 for v in report.verdicts)


@pytest.mark.sampled(19)
@pytest.mark.parametrize("mistake", WRONG, ids=lambda m: f"{m.program}-{m.new.strip()[:30]}")
def test_wrong_programs_are_refused(mistake: Mistake, tmp_path: Path) -> None:
    source = source_of(mistake.program)
    assert mistake.old in source
    path = tmp_path / f"{mistake.program}.py"
    path.write_text(source.replace(mistake.old, mistake.new), encoding="utf-8")
    report = verdict_on(mistake.program, path)
    found = {v.name: v.verdict for v in report.verdicts}
    assert report.status == 1, str(report)
    for output in mistake.outputs.removesuffix("!").split(" ") if "result" not in mistake.outputs else [mistake.outputs.removesuffix("!")]:
        assert found[output] == mistake.verdict, str(report)
    if mistake.outputs.endswith("!"):
        others = {name for name in found if name not in mistake.outputs}
        assert {found[name] for name in others} <= FINE | {"clipped"}, str(report)
    if mistake.verdict == "wrong":
        assert any(v.example is not None for v in report.refused), str(report)
