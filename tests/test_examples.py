"""The examples run to their final assert, as programs of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def ran(path: Path, *args: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, str(path), *args], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", [p for p in EXAMPLES if p.name != "char_rnn.py"], ids=lambda p: p.name)
def test_example(path: Path, tmp_path: Path) -> None:
    assert ran(path, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_char_rnn_on_the_readme(tmp_path: Path) -> None:
    out = ran(ROOT / "examples" / "char_rnn.py", "--steps", "150", "--hidden", "64", folder=tmp_path)
    assert "add-one bigram table" in out


@pytest.mark.full
def test_char_rnn_on_any_file(tmp_path: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))
    text = tmp_path / "text.txt"
    text.write_text(pages, encoding="utf-8")
    assert "add-one bigram table" in ran(ROOT / "examples" / "char_rnn.py", str(text), folder=tmp_path)
    assert "add-one bigram table" in ran(ROOT / "examples" / "char_rnn.py", folder=tmp_path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_each_example_ends_with_an_assert(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").partition('if __name__ == "__main__"')[0].rstrip().splitlines()
    assert lines[-1].startswith("    assert ")
