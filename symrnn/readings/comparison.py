r"""The second reading: what latexify-py writes for a forward step, beside our own formulas.

latexify-py reads source text and knows nothing of symrnn. It gets the letters of our notation through its
``identifiers``; what it writes is compared with our formulas token by token (:mod:`symrnn.readings.tokens`).

Guarantees:
    Agreement means that the Python source, read by independent code, shows the formulas that we print: the same names
    at the same times, the same functions, signs and terms, in the same order.

    Blind to: ``@`` against ``*``, which latexify-py writes alike, and so to brackets around products; the call of a
    function against a name times a bracket; keyword arguments such as ``axis=0``, which it does not read; the order in
    which names are returned; what a function such as ``sigmoid`` does; shapes and numbers. These are for the judges.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symrnn import writer
from symrnn.codegen.reading import ForwardStep, forward_step
from symrnn.equations import Cell
from symrnn.errors import unknown
from symrnn.expr import Node
from symrnn.notation import Notation
from symrnn.readings.source import (
    RETURNED,
    Function,
    Row,
    check_names,
    function_source,
    functions_of,
    parsed,
    rows_of,
)
from symrnn.readings.tokens import tokens
from symrnn.style import Style, scalar


@dataclass(frozen=True)
class SecondReading:
    """One equation, read twice.

    Attributes:
        name: The quantity, as the cell calls it.
        ours: The LaTeX of the cell's equation; empty where the cell has none.
        theirs: The LaTeX of latexify-py; empty where the function has none.
        source: The line of Python that latexify-py read.
        functions: Tokens that are functions.
    """

    name: str
    ours: str
    theirs: str
    source: str
    functions: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def agrees(self) -> bool:
        """Whether both formulas have the same tokens."""
        return not self.difference

    @property
    def difference(self) -> str:
        """The first tokens that differ, or nothing."""
        if not self.ours or not self.theirs:
            return f"the {'function' if self.ours else 'cell'} has no equation for {self.name}"
        ours, theirs = (tokens(latex, self.functions) for latex in (self.ours, self.theirs))
        changes = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
        first = next((change[1:] for change in changes if change[0] != "equal"), None)
        if first is None:
            return ""
        a, b, c, d = first
        return f"ours has {' '.join(ours[a:b]) or 'nothing'} where theirs has {' '.join(theirs[c:d]) or 'nothing'}"


def second_reading(cell: Cell, notation: str | Notation = "indexed") -> tuple[SecondReading, ...]:
    """Write the forward step of a cell, let latexify-py read it, and put its formulas beside ours.

    Args:
        cell: Any cell.
        notation: The profile for both; the letters of one that prints rows are set in columns, as the step is.

    Returns:
        One reading for each equation, in the order of evaluation.

    Raises:
        NotSupportedError: latexify-py is missing, or the cell contains what it cannot read.
        SpecError: Unknown notation.
    """
    forward = forward_step(cell)
    return compared(forward, function_source(forward.source, "step", "the forward step"), {}, notation)


def compare_function(
    cell: Cell, function: Function, names: Mapping[str, str] | None = None, *, notation: str | Notation = "indexed"
) -> tuple[SecondReading, ...]:
    """Compare a user's own step function with the equations of a cell.

    Args:
        cell: The cell.
        function: A function whose source can be found, or the source. It is read, never run.
        names: What the function's names stand for, in the names of ``symrnn read CELL --source``, such as
            ``{"Wf": "W_f", "h_old": "h_prev", "h": "h_t"}``; names that are alike need not be given.
        notation: The profile for both.

    Returns:
        One reading for each equation of the cell and for each further assignment; ``difference`` says what differs.

    Raises:
        NotSupportedError: latexify-py is missing, or cannot read the function or the cell.
        SpecError: The source cannot be found, a name is unknown, or the notation.
    """
    return compared(forward_step(cell), function, names or {}, notation)


def compared(
    forward: ForwardStep, function: Function, names: Mapping[str, str], notation: str | Notation
) -> tuple[SecondReading, ...]:
    """Read a function in the letters of a cell, and put its equations beside those of the cell by name."""
    given = Style.of_cell(forward.cell, notation)
    style = replace(given, notation=replace(given.notation, form="columns"))
    calls = functions_of(style)
    known = {**calls, **{name: letter(leaf, style) for name, leaf in forward.names.items()}}
    definition, source = parsed(function)
    check_names(definition, names)
    for meaning in names.values():
        if meaning not in known:
            raise unknown(f"name of the forward step of {forward.cell.name}", meaning, known)
    rows = rows_of(definition, source, {**known, **{name: known[meaning] for name, meaning in names.items()}})
    output = next(name for name, equation in forward.targets.items() if equation.quantity == forward.cell.output)
    rows = [named(row, names, output, known[output]) for row in rows]
    heads = frozenset(tokens(latex)[-1] for latex in calls.values())
    return tuple(beside(forward, rows, style, heads))


def letter(leaf: Any, style: Style) -> str:
    """Write a quantity or a symbol."""
    return writer.latex(leaf, style) if isinstance(leaf, Node) else scalar(leaf, style)


def named(row: Row, names: Mapping[str, str], output: str, latex: str) -> Row:
    """Give a row the name that the forward step has for it; what is returned is the output."""
    if row.name == RETURNED:
        return Row(output, f"{latex} = {row.latex}", row.code)
    return Row(names.get(row.name, row.name), row.latex, row.code)


def beside(forward: ForwardStep, rows: Sequence[Row], style: Style, heads: frozenset[str]) -> list[SecondReading]:
    """Pair equations and rows by name; what has no partner stands alone."""
    out = []
    for name, equation in forward.targets.items():
        ours = f"{letter(equation.lhs, style)} = {letter(equation.rhs, style)}"
        found = [row for row in rows if row.name == name] or [Row(name, "", "")]
        out += [SecondReading(equation.name, ours, row.latex, row.code, heads) for row in found]
    alone = [row for row in rows if row.name not in forward.targets]
    return [*out, *(SecondReading(row.name, "", row.latex, row.code, heads) for row in alone)]


def readings_text(title: str, readings: Sequence[SecondReading]) -> str:
    """Return readings as a text: each equation in Python, as we write it and as latexify-py does."""
    different = sum(not reading.agrees for reading in readings)
    verdict = f"{different} of {len(readings)} differ" if different else "the same" if len(readings) == 1 else f"{len(readings)} equations, all the same"
    lines = [f"{title}, read by latexify-py: {verdict}"]
    for reading in readings:
        lines += ["", f"{reading.name}: {reading.difference or 'same'}"]
        parts = (("python", reading.source), ("ours", reading.ours), ("theirs", reading.theirs))
        lines += [f"  {label:<8}{content}" for label, content in parts if content]
    return "\n".join(lines) + "\n"
