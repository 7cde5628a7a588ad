"""Texts of the command line: the published cells, and what the judges found."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sympy import Expr, Integer, factor

from symrnn.cell import Cell
from symrnn.cells import CELLS, cell
from symrnn.verify.report import AGREES, REFUTED, JudgeReport

VERSION = 1
"""Version of the JSON of the reports."""
SIGNS = {"⊙": "*", "∗": "*", "·": "*", "Σ": "sum", "∂": "d", "ᵀ": "^T", "∞": "inf", "…": "...", "→": "->", "≤": "<=",
         "−": "-", "×": "x", "∘": "*", "‖": "|", "½": "1/2", "“": '"', "”": '"', "’": "'", "≠": "!="}


def to_ascii(text: str) -> str:
    """Write a text with ASCII characters only: Greek letters by name, accents left out."""
    return "".join(map(ascii_of, unicodedata.normalize("NFD", text)))


def ascii_of(character: str) -> str:
    """Write one character with ASCII characters only."""
    if character.isascii():
        return character
    if character in SIGNS:
        return SIGNS[character]
    name = unicodedata.name(character, "")
    if name.startswith("COMBINING"):
        return {"COMBINING TILDE": "~", "COMBINING CIRCUMFLEX ACCENT": "^", "COMBINING MACRON": "-"}.get(name, "")
    if name.startswith("GREEK"):
        return name.rpartition(" ")[2].lower()
    plain = unicodedata.normalize("NFKD", character)
    return plain if plain.isascii() else "?"


def parameter_count(of: Cell) -> Expr:
    """Return the number of parameters of a cell, such as ``4 H (D + H + 1)``."""
    return factor(sum((p.shape[0] * p.shape[1] for p in of.parameters), Integer(0)))


def formula_text(count: Expr) -> str:
    """Write a polynomial as people do: ``4 H (D + H + 1)``."""
    return str(count).replace("**2", "²").replace("*", " ")


def cell_text(of: Cell) -> str:
    """Describe one cell in a few lines."""
    options = ", ".join(f"{name}={value}" for name, value in of.options)
    lines = [
        f"{of.name}: {of.title}",
        f"  source      {of.source}",
        f"  options     {options}",
        f"  inputs      {', '.join(x.name for x in of.inputs)}",
        f"  states      {', '.join(s.name for s in of.states)}",
        f"  parameters  {', '.join(p.name for p in of.parameters)}",
        f"              {formula_text(parameter_count(of))} numbers",
        "  equations   " + "\n              ".join(map(str, of.equations)),
    ]
    return "\n".join(lines)


def cells_text() -> str:
    """Describe the published cells."""
    head = "Sizes: D of the input, H of the hidden state. Options stand with their defaults.\n\n"
    return head + "\n\n".join(cell_text(cell(name)) for name in CELLS) + "\n"


def reports_text(reports: Sequence[JudgeReport]) -> str:
    """Return a table of quantities and judges, and below it what each judge compared and what that means."""
    quantities = list(dict.fromkeys(f.quantity for r in reports for f in r.findings))
    verdicts = {(r.judge, f.quantity): f for r in reports for f in r.findings}
    rows = [["quantity", *(r.judge for r in reports)]]
    for quantity in quantities:
        found = [verdicts.get((r.judge, quantity)) for r in reports]
        rows.append([quantity, *("-" if f is None else f.verdict for f in found)])
    return "\n".join([*aligned(rows), "", *(line for r in reports for line in report_lines(r))]).rstrip() + "\n"


def report_lines(report: JudgeReport) -> list[str]:
    """Say in a few lines what one judge did, and every finding that does not agree."""
    agree = sum(f.verdict == AGREES for f in report.findings)
    counts = [f"{agree} agree", f"{len(report.refuted)} refuted", f"{len(report.undecided)} undecided"]
    wrong = [f"  {f.verdict.upper() if f.verdict == REFUTED else f.verdict}: {f.quantity}: {f.detail}"
             for f in (*report.refuted, *report.undecided)]
    return [
        f"{report.judge}: {', '.join(counts)} ({report.seconds:.2f} s)",
        f"  compared: {report.compared}",
        f"  means:    {report.means}",
        f"  blind to: {report.blind}",
        *wrong,
        "",
    ]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Pad the columns of a table."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def reports_json(reports: Sequence[JudgeReport]) -> str:
    """Return the reports as JSON."""
    content: dict[str, Any] = {
        "version": VERSION,
        "refuted": any(r.refuted for r in reports),
        "ok": all(r.ok for r in reports),
        "reports": [asdict(r) for r in reports],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
