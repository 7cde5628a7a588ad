"""Mistakes planted in right programs: right ones are never refused, wrong ones always are."""

from __future__ import annotations

import pytest
from planted_programs import RIGHT, verdict_on

FINE = {"right", "right up to float64 constants"}


@pytest.mark.parametrize("program", RIGHT)
def test_right_programs_are_never_refused(program: str) -> None:
    report = verdict_on(program)
    assert report.status == 0, str(report)
    assert {v.verdict for v in report.verdicts} <= FINE, str(report)
