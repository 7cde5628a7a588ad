"""The examples run to their final assert, as programs of their own."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ELSEWHERE = {"language_model.py", "reverse.py", "decay.py"}
"""Run by tests of their own, below."""
SLOW = {"digits.py"}
"""Run with ``--full`` only; ``prices.py`` is another that learns from data."""
SHOTS = ["--steps", "150", "--hidden", "64"]


def needs(path: Path) -> list[str]:
    """Packages that an example imports and that are missing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return sorted({top for name in names if importlib.util.find_spec(top := name.partition(".")[0]) is None})


def ran(name: str, *args: str, folder: Path) -> str:
    """Run an example on one core, and return what it prints."""
    path = ROOT / "examples" / name
    if missing := needs(path):
        pytest.skip(f"{name} needs {', '.join(missing)}: python -m pip install '.[examples]'")
    one = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(path), *args], cwd=folder, env=one, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", [
    pytest.param(p, marks=[pytest.mark.full] if p.name in SLOW else []) for p in EXAMPLES if p.name not in ELSEWHERE
], ids=lambda p: p.name)
def test_example(path: Path, tmp_path: Path) -> None:
    assert ran(path.name, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_strings_are_turned_round(tmp_path: Path) -> None:
    out = ran("reverse.py", "seen.png", folder=tmp_path)
    assert "backprop -> porpkcab" in out
    assert [path.name for path in tmp_path.iterdir()] == ["seen.png"]
    assert (tmp_path / "seen.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.full
def test_language_model_on_the_readme(tmp_path: Path) -> None:
    out = ran("language_model.py", *SHOTS, "--page", "page.html", folder=tmp_path)
    assert "add-one bigram table" in out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<span class="[np]\d+(?: up| down)?" title="[+-]\d\.\d\d">', page)) > 1000


@pytest.mark.full
def test_language_model_on_any_file(tmp_path: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))
    text = tmp_path / "text.txt"
    text.write_text(pages[:60_000], encoding="utf-8")
    assert "add-one bigram table" in ran("language_model.py", str(text), folder=tmp_path)
    assert "add-one bigram table" in ran("language_model.py", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_each_example_ends_with_an_assert(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").partition('if __name__ == "__main__"')[0].rstrip().splitlines()
    assert lines[-1].startswith("    assert ")


def test_what_the_examples_need_is_an_extra() -> None:
    wanted = {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extra = re.search(r"^examples = \[(.*)\]$", project, re.MULTILINE)[1]
    imported = {line.split()[1].partition(".")[0] for path in EXAMPLES
                for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(("import ", "from "))}
    assert {name for name in imported if name in wanted} == set(wanted)
    assert all(package in extra for package in wanted.values())


@pytest.mark.full  # the how-to on gradient flow has the same norms, and runs always
def test_the_tables_of_the_reference_are_what_the_example_prints(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "gradient-flow.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)).split()
    real = ran("decay.py", folder=tmp_path).split()
    assert list(tmp_path.iterdir()) == []
    assert len(shown) == len(real) > 100
    for left, right in zip(shown, real, strict=True):
        if re.fullmatch(r"-?\d\.\d+e[+-]\d+", right):
            assert float(left) == pytest.approx(float(right), rel=0.2)
        else:
            assert left == right
