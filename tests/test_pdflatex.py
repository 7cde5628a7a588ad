"""Copy and paste into a paper works: every derivation in every notation, set by pdflatex with amsmath alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.networks import architecture, network
from symrnn.networks.truncation import truncated
from symrnn.notation import PROFILES
from symrnn.printing import render

WIDEST = 10.0  # points that a box may stick out
pytestmark = pytest.mark.full


def document(parts, packages="amsmath"):
    return "\n".join([r"\documentclass{article}", rf"\usepackage{{{packages}}}", r"\begin{document}", *parts, r"\end{document}", ""])


def compiled(source: str, folder: Path) -> tuple[list[str], list[float]]:
    """Errors of pdflatex, and by how many points each box sticks out."""
    (folder / "all.tex").write_text(source, encoding="utf-8")
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "all.tex"], cwd=folder, capture_output=True, check=False, timeout=300)
    log = (folder / "all.log").read_text(encoding="utf-8", errors="replace")
    return re.findall(r"^!.*", log, re.M), [float(w) for w in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]


def test_every_cell_in_every_notation_compiles(tmp_path):
    parts = []
    for name in CELLS:
        derivation = derive(network(cell(name)))
        for profile in PROFILES:
            parts += [rf"\section*{{{name}, {profile}}}", render(derivation, "latex", notation=profile)]
    errors, overfull = compiled(document(parts), tmp_path)
    assert errors == []
    assert [width for width in overfull if width > WIDEST] == []
    assert (tmp_path / "all.pdf").stat().st_size > 100_000


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_truncated_networks_in_every_notation_compile(name, tmp_path):
    """``\\nmid`` is of amssymb, as the first line of such an output says; a bracket over a sum is broken inside it."""
    derivation = derive(truncated(network(cell(name)), "J"), clip=5)
    errors, overfull = compiled(document([render(derivation, "latex", notation=p) for p in PROFILES], "amsmath,amssymb"), tmp_path)
    assert errors == []
    assert [width for width in overfull if width > WIDEST] == []
    assert set(compiled(document([render(derivation, "latex")]), tmp_path)[0]) == {"! Undefined control sequence."}


def test_networks_of_several_parts_compile_in_every_notation(tmp_path):
    networks = [
        architecture("bidirectional", cell("lstm"), layers=4), architecture("encoder-decoder", cell("gru"), attention="additive", embed=True),
    ]
    parts = [render(derive(made), "latex", notation=profile) for made in networks for profile in PROFILES]
    errors, overfull = compiled(document(parts), tmp_path)
    assert errors == []
    assert [width for width in overfull if width > WIDEST] == []


@pytest.mark.parametrize("task", ["many-to-one", "one-to-many"])
def test_steps_and_other_tasks_compile(task, tmp_path):
    derivation = derive(network(cell("gru"), task=task, over_time="mean" if task == "one-to-many" else "sum"))
    errors, _ = compiled(document([render(derivation, "latex", steps=True)]), tmp_path)
    assert errors == []


def test_an_error_and_a_wide_line_are_seen(tmp_path):
    wide = r"\begin{align*} " + " ".join([r"W_{hh}^{\top} \delta a_{t} \odot"] * 20) + r" x \end{align*}"
    errors, overfull = compiled(document([wide, r"$a^b^c$"]), tmp_path)
    assert errors == ["! Double superscript."]
    assert max(overfull) > WIDEST
