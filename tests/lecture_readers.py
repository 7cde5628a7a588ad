"""What reads lectures in the slow lane: a browser and TeX."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from symrnn.lecture.document import Document
from symrnn.lecture.formats import write


@cache
def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


needs_browser = [pytest.mark.full, pytest.mark.skipif(chromium() is None, reason="needs Chromium")]
WIDER = """() => [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, pre")
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5).map((e) => e.tagName + "." + e.className)"""
OVER = """() => { const slide = lectureDeck.getCurrentSlide(); const box = slide.getBoundingClientRect();
  return [...slide.querySelectorAll("*")].filter((e) => { const r = e.getBoundingClientRect();
    return r.width && (r.bottom > box.bottom + 1 || r.right > box.right + 1); }).map((e) => e.tagName + "." + e.className); }"""


@contextmanager
def browsing(folder: Path):
    """Give what opens a page at a width; in the end nothing has been said on the console and nothing was asked of the network."""
    with pytest.importorskip("playwright.sync_api").sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        said: list[str] = []

        def opened(content: bytes, width: int, *, script: bool = True):
            target = folder / "page.html"
            target.write_bytes(content)
            page = browser.new_context(viewport={"width": width, "height": 720}, java_script_enabled=script).new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda request: said.append(request.url[:80]) if not request.url.startswith(("file:", "data:")) else None)
            page.goto(target.as_uri())
            return page

        yield opened
        assert said == []
        browser.close()


def assert_compiles(document: Document, engine: str, folder: Path) -> None:
    write(document, folder / "lecture.tex")
    for _ in range(2):
        command = [engine, "-interaction=nonstopmode", "-halt-on-error", "lecture.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-1500:]
    log = (folder / "lecture.log").read_text(encoding="utf-8", errors="replace").replace("\n", "")
    assert [float(size) for size in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(size) > 10] == []
    assert not re.search(r"eference .{1,60} undefined", log)
    assert "Missing character" not in log
