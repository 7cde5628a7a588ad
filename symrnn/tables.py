"""Texts of the command line: the published cells, and what the judges found."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sympy import Expr, Integer, factor

from symrnn import writer
from symrnn.cells import CELLS, cell
from symrnn.equations import Cell
from symrnn.networks import NETWORKS
from symrnn.printing.words import width
from symrnn.style import Style
from symrnn.verify.report import AGREES, JudgeReport

WIDTH = 110
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


def cell_text(of: Cell, *, ascii: bool = False) -> str:
    """Describe one cell in a few lines."""
    style = Style.of_cell(of, medium="ascii" if ascii else "unicode")
    equations = [f"{writer.text(e.lhs, style)} = {writer.text(e.rhs, style)}" for e in of.equations]
    count = formula_text(parameter_count(of))
    rows = [
        ("source", of.source),
        ("options", ", ".join(f"{name}={value}" for name, value in of.options)),
        ("inputs", ", ".join(x.name for x in of.inputs)),
        ("states", ", ".join(s.name for s in of.states)),
        ("parameters", ", ".join(p.name for p in of.parameters)),
        ("", f"{count} numbers"),
        ("equations", equations[0]),
        *(("", equation) for equation in equations[1:]),
    ]
    return "\n".join([f"{of.name}: {of.title}", *(f"  {name:<12}{value}" for name, value in rows)])


def cells_text(*, ascii: bool = False) -> str:
    """Describe the published cells."""
    head = "Sizes: D of the input, H of the hidden state. Options stand with their defaults.\n\n"
    return head + "\n\n".join(cell_text(cell(name), ascii=ascii) for name in CELLS) + "\n"


def options_text(title: str, options: Iterable[str]) -> str:
    """List options as the command line spells them, below each other where they are many."""
    words = ", ".join("--" + option.replace("_", "-") for option in options)
    return textwrap.fill(words, WIDTH, initial_indent=title, subsequent_indent=" " * len(title), break_on_hyphens=False)


def networks_text(*, ascii: bool = False) -> str:
    """Describe the architectures: what each is, what all take, and what each takes beside that."""
    every = [of.options for of in NETWORKS.values()]
    common = [option for option in every[0] if all(option in options for options in every)]
    parts = [options_text("All take: ", [*common, "truncate", "clip"])]
    for name, of in NETWORKS.items():
        own = options_text(f"  {'takes':<12}", (option for option in of.options if option not in common))
        parts.append(f"{name}: {of.sketch}\n{own}")
    text = "\n\n".join(parts) + "\n"
    return to_ascii(text) if ascii else text


def reports_text(title: str, reports: Sequence[JudgeReport], *, every: bool = False) -> str:
    """Return a table of the judges and what each found, and below it what each compared and what that means.

    Args:
        title: What was judged.
        reports: One a judge.
        every: Whether to list every finding, not only those that do not agree.
    """
    rows = [["judge", "agree", "refuted", "undecided", "seconds"]]
    for r in reports:
        counts = sum(f.verdict == AGREES for f in r.findings), len(r.refuted), len(r.undecided)
        rows.append([r.judge, *map(str, counts), f"{r.seconds:.2f}"])
    parts = [f"{title}: {verdict(reports)}", "\n".join(aligned(rows)), *(described(r, every=every) for r in reports)]
    return "\n\n".join(parts) + "\n"


def verdict(reports: Sequence[JudgeReport]) -> str:
    """Say in a few words what all reports come to."""
    if any(r.refuted for r in reports):
        return "refuted"
    return "every judge agrees" if all(r.ok for r in reports) else "not refuted, but not everything could be decided"


def described(report: JudgeReport, *, every: bool) -> str:
    """Say what one judge compared, what agreement means and where the judge is blind; list its findings."""
    listed = report.findings if every else (*report.refuted, *report.undecided)
    rows = [[f"  {f.verdict}", f.quantity, f.detail] for f in listed]
    texts = (("compared", report.compared), ("means", report.means), ("blind to", report.blind))
    lines = [
        textwrap.fill(text, WIDTH, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12) for name, text in texts
    ]
    return "\n".join([report.judge, *lines, *(aligned(rows) if rows else [])])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Pad the columns of a table."""
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(text + " " * (w - width(text)) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def reports_json(title: str, reports: Sequence[JudgeReport]) -> str:
    """Return the reports as JSON."""
    content: dict[str, Any] = {
        "version": VERSION,
        "network": title,
        "refuted": any(r.refuted for r in reports),
        "ok": all(r.ok for r in reports),
        "reports": [asdict(r) for r in reports],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
