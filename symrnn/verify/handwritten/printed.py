"""A report as JSON, Markdown and HTML."""

from __future__ import annotations

import json
from html import escape

from symrnn.verify.handwritten.report import REFUSED, WARNED, Report, Verdict

STYLE = "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:60em}td,th{padding:.2em .8em;text-align:left;vertical-align:top}" \
        "tr.refused td:nth-child(2){color:#b00}tr.warned td:nth-child(2){color:#850}tr.good td:nth-child(2){color:#070}code{font-size:95%}"


def report_json(report: Report) -> str:
    """Write a report as JSON."""
    return json.dumps(report.as_dict(), ensure_ascii=False, indent=2) + "\n"


def report_markdown(report: Report) -> str:
    """Write a report as Markdown."""
    lines = [f"# {report.subject}", "", "| output | verdict | detail |", "|---|---|---|"]
    lines += [f"| `{v.name}` | {cell(titled(v))} | {cell(v.detail)} |" for v in report.verdicts]
    for text, names in examples(report).items():
        lines += ["", f"Smallest example of {', '.join(f'`{name}`' for name in names)}: {text}"]
    lines += ["", "```text", *told, "```"] if (told := report.diagnosis.text()) else []
    return "\n".join([*lines, "", report.compared, *(f"\n* {note}" for note in report.notes), "", report.time_text]) + "\n"


def report_html(report: Report) -> str:
    """Write a report as a page of HTML that needs nothing else."""
    rows = "".join(
        f"<tr class={kind(v)}><td><code>{escape(v.name)}</code></td><td>{escape(titled(v))}</td><td>{escape(v.detail)}</td></tr>"
        for v in report.verdicts)
    shown = "".join(f"<p>Smallest example of {escape(', '.join(names))}: <code>{escape(text)}</code></p>" for text, names in examples(report).items())
    told = "".join(f"{escape(line)}\n" for line in report.diagnosis.text())
    shown += f"<pre>{told}</pre>" if told else ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.subject)}</title><style>{STYLE}</style></head>\n'
            f"<body><h1>{escape(report.headline)}</h1>\n<table><tr><th>output<th>verdict<th>detail</tr>{rows}</table>\n{shown}\n"
            f"<p>{escape(report.compared)}</p><ul>{notes}</ul><p>{escape(report.time_text)}</p></body></html>\n")


def titled(verdict: Verdict) -> str:
    """Return the verdict in words, and whether it is accepted."""
    return verdict.title + (", accepted" if verdict.accepted else "")


def kind(verdict: Verdict) -> str:
    """Return the class of a row."""
    if verdict.verdict in REFUSED and not verdict.accepted:
        return "refused"
    return "warned" if verdict.verdict in WARNED or verdict.verdict == "not checked" else "good"


def cell(text: str) -> str:
    """Escape a text for a cell of a table."""
    return text.replace("|", "\\|")


def examples(report: Report) -> dict[str, list[str]]:
    """Return the examples, with the outputs that they are examples of."""
    found: dict[str, list[str]] = {}
    for verdict in report.verdicts:
        if verdict.example is not None:
            found.setdefault(str(verdict.example), []).append(verdict.name)
    return found
