"""Copy and paste into a paper: every formula of every cell in every profile, set by pdflatex without an error."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from symrnn import CELLS, PROFILES, cell, derive, export, network, render
from symrnn.printing import render_cell

OVERFULL = re.compile(r"Overfull \\[hv]box \(([\d.]+)pt too (?:wide|high)\)")
PREAMBLE = "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n"
WIDEST = 10.0


def compiled(body: str, folder) -> list[str]:
    """Set a document; return the rows of the log that say what is wrong, each after the case that it belongs to.

    Raises:
        AssertionError: pdflatex is missing, or wrote no document.
    """
    program = shutil.which("pdflatex")
    assert program, "pdflatex is missing; install texlive-latex-recommended"
    (folder / "paper.tex").write_text(f"{PREAMBLE}{body}\n\\end{{document}}\n", encoding="utf-8")
    subprocess.run([program, "-interaction=nonstopmode", "paper.tex"], cwd=folder, capture_output=True, check=False)
    assert (folder / "paper.pdf").exists(), "pdflatex wrote no document"
    rows, case = [], ""
    for row in (folder / "paper.log").read_text(encoding="latin-1").splitlines():
        case = row if row.startswith("CASE ") else case
        found = OVERFULL.search(row)
        if row.startswith("!") or (found and float(found.group(1)) > WIDEST):
            rows.append(f"{case}: {row}")
    return rows


@pytest.mark.full
def test_every_formula_can_be_pasted_into_a_paper(tmp_path):
    parts = []
    for name in CELLS:
        derivation = derive(network(cell(name)))
        for profile in PROFILES:
            parts += [f"\\typeout{{CASE {name} {profile}}}", render_cell(cell(name), "latex", notation=profile),
                      render(derivation, "latex", notation=profile), "\\clearpage"]
            for what in ("forward", "backward", f"d{derivation.network.parameters[0].name}"):
                parts.append(f"\\[\n{export(derivation, what, notation=profile)}\\]\n\\clearpage")
    assert len(parts) >= 4 * len(CELLS) * len(PROFILES)
    assert compiled("\n".join(parts), tmp_path) == []


@pytest.mark.full
def test_errors_and_wide_formulas_are_seen(tmp_path):
    wide = "+".join(["abc"] * 60)
    rows = compiled(f"\\typeout{{CASE a}}$\\nonsense$\n\\typeout{{CASE b}}\\[{wide}\\]", tmp_path)
    assert [row.split(" ")[1] for row in rows] == ["a:", "b:"]
    assert "Undefined control sequence" in rows[0]
    assert "Overfull" in rows[1]
