"""What README and docs show is what runs: Python sessions, commands with their output, files, links."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from symrnn import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r" +\d+\.\d\d$", re.MULTILINE)


def blocks(page: Path, *kinds: str) -> list[tuple[str, str]]:
    """Kind and content of the fenced blocks of a page."""
    return [(k, body) for k, body in FENCE.findall(page.read_text(encoding="utf-8")) if k in kinds]


def sessions(body: str) -> list[tuple[str, str]]:
    """Command and output, for each command of a console block."""
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def ran(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run ``symrnn …`` and return what it prints, errors included."""
    words = shlex.split(command)
    assert words[0] == "symrnn", "console blocks show symrnn only; use sh for what is not run here"
    cli.main(words[1:])
    out, err = capsys.readouterr()
    return out + err


def same(shown: str, real: str) -> bool:
    """Compare, with ``...`` for what is left out and without the seconds of a table."""
    shown, real = (SECONDS.sub("", text).rstrip() + "\n" for text in (shown, real))
    return doctest.OutputChecker().check_output(shown, real, doctest.ELLIPSIS)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_python_sessions(page: Path) -> None:
    text = "\n".join(body for _, body in blocks(page, "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], update_golden: bool
) -> None:
    text = page.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for kind, body in blocks(page, "python", "console"):
        if kind == "python":
            first = body.partition("\n")[0]
            assert re.fullmatch(r"# \w+\.py", first), "a python block is a file; its first line is its name"
            Path(first.removeprefix("# ")).write_text(body, encoding="utf-8")
            continue
        for command, shown in sessions(body):
            real = ran(command, capsys)
            if same(shown, real):
                continue
            assert update_golden, f"{page.name}: $ {command}\n{real}"
            assert "\n..." not in "\n" + shown, f"{page.name}: what is left out must be edited by hand\n{real}"
            text = text.replace(f"$ {command}\n{shown}", f"$ {command}\n{real}", 1)
    if update_golden:
        page.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_of_tables(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = re.findall(r"^\|.*\| `(symrnn (?:derive|check|params) [a-z][^`…]*)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert page.name != "networks.md" or len(rows) == 9
    for command in rows:
        assert "symrnn: error" not in ran(command, capsys), command


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_files_that_are_named_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for path in re.findall(r"`((?:symrnn|tests|docs|examples|benchmarks|\.ci)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_every_page_is_reachable() -> None:
    linked = {(page.parent / target).resolve() for page in PAGES
              for target in re.findall(r"\]\(([^)#]+\.md)", page.read_text(encoding="utf-8")) if "://" not in target}
    assert {p.resolve() for p in PAGES if p.parent.name != "changes"} - linked == {ROOT / "README.md"}
