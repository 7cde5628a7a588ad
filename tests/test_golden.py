"""Golden files: what the cells print, whole. ``pytest tests/test_golden.py --update-golden`` accepts what is new."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.networks import network
from symrnn.printing import render

GOLDEN = Path(__file__).parent / "golden"
ENDINGS = {"unicode": "txt", "latex": "tex", "markdown": "md"}
PROFILES = ("indexed", "notes-000", "greff", "pytorch")
CASES = [
    *((name, profile, "latex", False) for name in CELLS for profile in PROFILES),
    *((name, profile, "unicode", False) for name in ("rnn", "lstm", "gru", "gru-reset-after") for profile in PROFILES[:2]),
    ("rnn", "d2l", "unicode", False),
    ("lstm", "goodfellow", "unicode", False),
    ("rnn", "indexed", "markdown", True),
    ("rnn", "keras", "markdown", True),
]


def assert_golden(path: Path, text: str, update: bool) -> None:
    """Compare with the accepted text, or accept."""
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    accepted = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    diff = "\n".join(difflib.unified_diff(accepted, text.splitlines(), f"accepted {path.name}", "now", lineterm=""))
    if diff:
        raise AssertionError(f"{diff}\naccept with --update-golden")


@pytest.mark.parametrize(("name", "profile", "format", "steps"), CASES)
def test_print_is_as_accepted(name, profile, format, steps, update_golden):
    text = render(derive(network(cell(name))), format, notation=profile, steps=steps)
    mark = "-steps" if steps else ""
    assert_golden(GOLDEN / f"{name}.{profile}{mark}.{ENDINGS[format]}", text, update_golden)


def test_every_golden_file_belongs_to_a_case():
    expected = {f"{name}.{profile}{'-steps' if steps else ''}.{ENDINGS[format]}" for name, profile, format, steps in CASES}
    assert {path.name for path in GOLDEN.iterdir()} == expected


def test_the_comparison_shows_a_difference(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("δh_t = W δa_t\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"^--- accepted a\.txt\n\+\+\+ now\n(.|\n)*\+δh_t = Wᵀ δa_t\naccept with"):
        assert_golden(path, "δh_t = Wᵀ δa_t\n", False)
    assert_golden(path, "new\n", True)
    assert_golden(path, "new\n", False)
