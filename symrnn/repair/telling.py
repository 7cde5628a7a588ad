"""Edits in words, and as the lines that they change."""

from __future__ import annotations

import ast

from symrnn.repair.bench import Edit
from symrnn.repair.source import CLOSE, OPEN, PLAIN, Statement, Unit
from symrnn.verify.handwritten.findings import Finding, Place


def finding_of(edit: Edit, unit: Unit, outputs: tuple[str, ...]) -> Finding:
    """Return an edit as a finding.

    Args:
        edit: What repairs the code.
        unit: The function.
        outputs: What the mistake spoils.
    """
    line = source_line(unit, edit.statement)
    return Finding(edit.change.kind, sentence(edit), outputs, places=(Place(edit.statement.line, line),), fix=repaired(edit, line))


def repaired(edit: Edit, line: str) -> str:
    """Return the line as it should be, or what should be done where it stands."""
    variant, text = edit.change.variant, edit.statement.text
    if variant == ("pass",):
        return "(without this line)"
    if len(variant) > 1:
        return f"{tidy(variant[-1])}  (after this line)"
    new = tidy(variant[0])
    return (line.replace(first_line(text), new, 1) if "\n" not in text else new).strip()


def source_line(unit: Unit, statement: Statement) -> str:
    """Return the line of the file in which a statement begins."""
    index = statement.line - unit.first
    return unit.lines[index].strip() if 0 <= index < len(unit.lines) else first_line(statement.text)


def first_line(text: str) -> str:
    """Return the first line of a text."""
    return text.split("\n", 1)[0]


def sentence(edit: Edit) -> str:
    """Say what is wrong."""
    change = edit.change
    old, new = (short(tidy_part(text)) for text in (change.old, change.new))
    if len(change.variant) > 1:
        return f"`{new}` is missing after line {edit.statement.line}"
    if change.variant == ("pass",):
        return f"`{old}` does not belong there"
    if not change.old:
        return f"`{new}` is missing"
    if not change.new:
        return f"`{old}` does not belong there"
    return f"`{old}` should be `{new}`"


def short(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:77] + "…"


def tidy_part(text: str) -> str:
    """Drop the brackets of edits that a part does not need."""
    try:
        return tidy(text)
    except SyntaxError:
        return text.translate(PLAIN)


def tidy(text: str) -> str:
    """Drop the brackets that edits put around parts, where they are not needed."""
    wanted = ast.dump(ast.parse(text.translate(PLAIN)))
    position = 0
    while (start := text.find(OPEN, position)) >= 0:
        end = matching(text, start)
        bare = text[:start] + text[start + 1:end] + text[end + 1:]
        try:
            needless = ast.dump(ast.parse(bare.translate(PLAIN))) == wanted
        except SyntaxError:
            needless = False
        if needless:
            text = bare
        else:
            position = start + 1
    return text.translate(PLAIN)


def matching(text: str, start: int) -> int:
    """Return where the bracket at a place is closed."""
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == OPEN) - (text[index] == CLOSE)
        if depth == 0:
            return index
    return len(text) - 1
