"""Who is asked for mistakes, in which order, and with what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from symrnn.errors import NotSupportedError
from symrnn.explaining import asking
from symrnn.verify.handwritten.findings import Diagnosis, Finding

LINE = Finding("wrong sign", "a line", ("dW",), fix="b")
FORMULA = Finding("wrong sign", "a formula", ("dW",), "δa", "-δa")


def told(monkeypatch: pytest.MonkeyPatch, lines: list[Any], formulas: list[Any]) -> tuple[Diagnosis, list[tuple[str, float, Any]]]:
    """Ask stand-ins that answer in turn; return what is told, and who was asked for how many seconds with which guess."""
    asked: list[tuple[str, float, Any]] = []

    def answering(name: str, answers: list[Any]) -> Any:
        def explain(*about: Any, seconds: float, guess: Any = None) -> Any:
            asked.append((name, seconds, guess))
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return SimpleNamespace(explain=explain)

    monkeypatch.setattr(asking, "repair", answering("repair", lines))
    monkeypatch.setattr(asking, "diagnosis", answering("diagnosis", formulas))
    return asking.explain(None, (), None), asked  # type: ignore[arg-type]  # handed on only


def test_formulas_of_known_lines_get_little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = told(monkeypatch, [Diagnosis((LINE,), "by line", complete=True)], [Diagnosis((FORMULA,), "by formula", "rnn", True)])
    assert [(name, seconds) for name, seconds, _ in asked] == [("repair", asking.FIRST), ("diagnosis", asking.FORMULAS)]
    assert (found.findings[0].right, found.findings[0].fix) == ("δa", "b")


def test_what_the_formulas_say_leads_to_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Diagnosis((FORMULA,), "by formula", "rnn", True)
    found, asked = told(monkeypatch, [Diagnosis(statement="nothing"), Diagnosis((LINE,), "by line", complete=True)], [said])
    assert asked[1:] == [("diagnosis", asking.HUNT, None), ("repair", asking.SECOND, said)]
    assert found.findings[0].fix == "b"


def test_the_second_time_counts_where_it_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Diagnosis((LINE,), "a part")
    assert told(monkeypatch, [part, Diagnosis(statement="nothing")], [Diagnosis(statement="none")])[0] == part
    assert told(monkeypatch, [Diagnosis(statement="nothing"), part], [Diagnosis(statement="none")])[0] == part


def test_one_that_fails_leaves_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Diagnosis((FORMULA,), "by formula", "rnn", True)
    found, _ = told(monkeypatch, [NotSupportedError("no"), ValueError("no")], [whole])
    assert found == whole
    found, _ = told(monkeypatch, [KeyError("no"), Diagnosis(statement="nothing")], [TypeError("not that")])
    assert found.statement == "none was found: TypeError while the mistakes were looked for: not that"
