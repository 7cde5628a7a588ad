"""A report as JSON, Markdown and HTML."""

from __future__ import annotations

import json
from html import escape

from symrnn.verify.handwritten.findings import Diagnosis, Finding
from symrnn.verify.handwritten.report import REFUSED, WARNED, Report, Verdict

STYLE = """
:root { color-scheme: light dark; --bad: #b00020; --warn: #8a5a00; --good: #00701a; --line: #8884; --soft: #8881; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --warn: #ffd180; --good: #a5d6a7; } }
body { font: 15px/1.55 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
td, th { padding: .3em .9em .3em 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th, td:nth-child(2) { white-space: nowrap; }
tr.refused td:nth-child(2) { color: var(--bad); font-weight: 600; } tr.warned td:nth-child(2) { color: var(--warn); } tr.good td:nth-child(2) { color: var(--good); }
code { font-size: 93%; } ol.found > li { margin: 1em 0; padding: .6em 1em; background: var(--soft); border-radius: .4em; }
ol.found dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1em; margin: .5em 0 0; } ol.found dd { margin: 0; }
.small { font-size: 87%; opacity: .8; }
"""


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
    shown += diagnosis_html(report.diagnosis)
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(report.subject)}</title><style>{STYLE}</style></head>\n'
            f"<body><h1>{escape(report.headline)}</h1>\n<div class=wide><table><tr><th>output<th>verdict<th>detail</tr>{rows}</table></div>\n{shown}\n"
            f"<p class=small>{escape(report.compared)}</p><ul>{notes}</ul><p class=small>{escape(report.time_text)}</p></body></html>\n")


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Write what is wrong as a list of mistakes; nothing where there is nothing to say."""
    if not diagnosis.statement:
        return ""
    model = f" (the forward is {escape(diagnosis.model)})" if diagnosis.model else ""
    return f"<h2>What is wrong</h2>\n<p>{escape(capital(diagnosis.statement))}{model}.</p>\n<ol class=found>{''.join(map(finding_html, diagnosis.findings))}</ol>\n"


def capital(text: str) -> str:
    """Return a text with a capital letter first."""
    return text[:1].upper() + text[1:]


def finding_html(finding: Finding) -> str:
    """Write a mistake as an entry of a list."""
    rows = [("should be", finding.right), ("the code has", finding.wrong)]
    rows += [(f"line {place.line}", place.source) for place in finding.places] + [("repaired", finding.fix)]
    shown = "".join(f"<dt>{escape(name)}<dd><code>{escape(text)}</code>" for name, text in rows if text)
    return f"<li><strong>{escape(finding.kind)}</strong>: {escape(finding.text)}<dl>{shown}</dl></li>"


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
