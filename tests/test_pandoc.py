"""Every formula of every cell through pandoc's LaTeX reader, in one process."""

from __future__ import annotations

import subprocess

import pypandoc
import pytest
from latex_structure import assert_well_formed

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.derivation import hessian_vector_network
from symrnn.networks import TASKS, network
from symrnn.notation import PROFILES
from symrnn.printing import render, render_cell
from symrnn.style import Style

CANARY = r"\frac{1}"


def pandoc(document: str, source: str) -> tuple[str, list[str]]:
    """Convert to HTML with MathML; return it and the warnings."""
    done = subprocess.run(
        [pypandoc.get_pandoc_path(), "-f", source, "-t", "html", "--mathml"],
        input=document, capture_output=True, text=True, encoding="utf-8", check=True,
    )
    return done.stdout, [row for row in done.stderr.splitlines() if row.startswith("[WARNING]")]


def derivations(cells):
    for name in cells:
        for task in TASKS:
            yield derive(network(cell(name), task=task))
        yield derive(hessian_vector_network(derive(network(cell(name)))))


FULL = pytest.param(tuple(CELLS), tuple(PROFILES), marks=pytest.mark.full, id="all")
SAMPLE = pytest.param(("rnn", "lstm-block", "gru"), ("indexed", "notes-000", "d2l"), id="sample")


@pytest.mark.parametrize(("cells", "profiles"), [SAMPLE, FULL])
def test_pandoc_reads_every_formula(cells, profiles):
    formulas = []
    documents = []
    for derivation in derivations(cells):
        for profile in profiles:
            style = Style.of(derivation.network, profile)
            lines = (*derivation.network.equations, *derivation.lines)
            formulas += [f"{writer.latex(e.lhs, style)} = {writer.latex(e.rhs, style)}" for e in lines]
    for name in cells:
        documents += [render(derive(network(cell(name))), "latex", notation=profile) for profile in profiles]
    documents += [render_cell(cell(name), "latex", notation=profile) for name in cells for profile in profiles]
    unique = list(dict.fromkeys(formulas))
    for formula in unique:
        assert_well_formed(formula)
    blocks = [rf"\[ {formula} \]" for formula in unique]
    html, warnings = pandoc("\n\n".join([*documents, *blocks, rf"\[ {CANARY} \]"]), "latex")
    assert len(unique) > 200
    assert html.count("<math") >= len(unique)
    assert len(warnings) == 1, warnings
    assert CANARY in warnings[0]


@pytest.mark.parametrize("name", ["rnn", "gru-reset-after"])
def test_pandoc_reads_markdown_with_its_steps(name):
    text = render(derive(network(cell(name))), "markdown", steps=True)
    html, warnings = pandoc(f"{text}\n\n$${CANARY}$$\n", "markdown")
    assert len(warnings) == 1, warnings
    assert CANARY in warnings[0]
    assert html.count("<math") > 30
    assert "<table" in html


def test_pandoc_reads_latex_with_its_steps():
    text = render(derive(network(cell("lstm"))), "latex", notation="notes-000", steps=True)
    html, warnings = pandoc(text, "latex")
    assert warnings == []
    assert "vjp_hadamard" in html
