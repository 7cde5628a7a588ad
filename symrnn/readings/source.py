"""Python functions as formulas: the source is found, read by latexify-py and never run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn import writer
from symrnn.activations import ACTIVATIONS, unspecified
from symrnn.errors import NotSupportedError, SpecError, unknown
from symrnn.expr import Diag, Elementwise, LogSoftmax, Node, Softmax, Static, StopGradient
from symrnn.readings.package import PREFIXES, latex_of
from symrnn.readings.tokens import tokens
from symrnn.style import Style

CALLS: Mapping[str, Callable[[Node], Node]] = MappingProxyType({
    "softmax": Softmax, "log_softmax": LogSoftmax, "diagflat": Diag, "diag": Diag, "stop_gradient": StopGradient,
})
"""Functions beside those of the activation table."""
FIRST_LETTER = 0xAC00  # single letters that no formula has and that are no digits: latexify-py writes them bare
RETURNED = "return"

Function = Callable[..., Any] | str


@dataclass(frozen=True)
class Row:
    """One assignment of a function, or what it returns.

    Attributes:
        name: The name that is assigned, or ``return``.
        latex: What latexify-py wrote.
        code: The line of Python.
    """

    name: str
    latex: str
    code: str


def read_function(function: Function, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    r"""Read a Python function as formulas.

    Args:
        function: A function whose source can be found, or the source. It is read, never run.
        names: LaTeX of names of the function, such as ``{"h_prev": "h_{t-1}"}``; others stay as latexify-py writes them.

    Returns:
        Name and LaTeX of each assignment in turn; what is returned comes last, as ``return``, unless it is names.

    Raises:
        NotSupportedError: latexify-py is missing, or cannot read the function.
        SpecError: The source cannot be found, or has no such name.
    """
    definition, source = parsed(function)
    check_names(definition, names)
    for latex in names.values():
        tokens(latex)
    rows = rows_of(definition, source, {**functions_of(Style()), **names})
    return tuple((row.name, row.latex) for row in rows)


def check_names(definition: ast.FunctionDef, names: Mapping[str, str]) -> None:
    """Refuse a name that the function does not use: latexify-py would ignore it."""
    nodes = list(ast.walk(definition))
    used = {n.id for n in nodes if isinstance(n, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
    called = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    for name in names:
        if name not in used | called:
            raise unknown(f"name of the function {definition.name}", name, used | called)


def parsed(function: Function) -> tuple[ast.FunctionDef, str]:
    """Find the source of a function, without its decorators.

    Raises:
        SpecError: It cannot be found, or is not one function.
    """
    try:
        text = textwrap.dedent(function if isinstance(function, str) else inspect.getsource(function)).strip() + "\n"
        tree = ast.parse(text)
    except (OSError, TypeError):
        name = getattr(function, "__name__", repr(function))
        raise SpecError(f"the source of {name} cannot be found; give the source as text") from None
    except SyntaxError as error:
        raise SpecError(f"the source of the function, line {error.lineno}: {error.msg}") from None
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(found) != 1:
        raise SpecError(f"expected the source of one function, def name(...); got {len(found) or 'no'} functions")
    return found[0], (ast.get_source_segment(text, found[0]) or "") + "\n"


def function_source(text: str, name: str, where: str) -> str:
    """Return the source of one function of a module, which is read and not run.

    Args:
        text: The source of the module.
        name: The function.
        where: What the module is called in messages.

    Raises:
        SpecError: The text is no Python, or has no such function.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SpecError(f"{where}, line {error.lineno}: {error.msg}") from None
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name not in functions:
        raise unknown(f"function of {where}", name, functions)
    return ast.get_source_segment(text, functions[name]) or ""


def step_of_file(where: str) -> str:
    """Return the source of a function of a file, ``path.py:NAME``; the file is read and not run.

    Raises:
        SpecError: The file cannot be read, is no Python, or has no such function.
    """
    path, colon, name = where.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise SpecError(f"'{where}' is not a function of a file; with --cell, write path.py:NAME")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    return function_source(text, name, path)


def functions_of(style: Style) -> dict[str, str]:
    """Return the LaTeX of each function that may be called, by its name in Python."""
    probe = Static("q")
    argument = f"({writer.latex(probe, style)})"
    rows = [row for row in [*ACTIVATIONS.values(), *map(unspecified, range(4))] if row.numpy.endswith("({z})")]
    calls = {row.numpy.removesuffix("({z})").removeprefix("np."): Elementwise(row.name, probe) for row in rows}
    calls |= {name: node(probe) for name, node in CALLS.items()}
    return {name: writer.latex(node, style).removesuffix(argument) for name, node in calls.items()}


def rows_of(definition: ast.FunctionDef, source: str, letters: Mapping[str, str]) -> list[Row]:
    """Let latexify-py read a function, and take what it wrote apart.

    Args:
        definition: The parsed function.
        source: Its text.
        letters: LaTeX of names; each goes through latexify-py as a letter of its own.

    Raises:
        NotSupportedError: latexify-py is missing, or cannot read the function.
    """
    refuse_misread(definition)
    marks = {name: chr(FIRST_LETTER + number) for number, name in enumerate(letters)}
    written = split_rows(latex_of(source, {**marks, "block": "array"}))
    statements = [s for s in definition.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    table = str.maketrans({mark: letters[name] for name, mark in marks.items()})
    rows = [Row(target_of(s), latex.translate(table), ast.unparse(s)) for s, latex in zip(statements, written, strict=True)]
    last = statements[-1]
    return rows[:-1] if isinstance(last, ast.Return) and only_names(last.value) else rows


def refuse_misread(definition: ast.FunctionDef) -> None:
    """Refuse what latexify-py would read wrongly, without a word."""
    for node in ast.walk(definition):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.BinOp | ast.UnaryOp):
            raise NotSupportedError(f"latexify-py drops the brackets of {ast.unparse(node)}; give what stands in them a name")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) not in PREFIXES:
            raise NotSupportedError(f"latexify-py leaves out what {ast.unparse(node)} is a method of; call a function "
                                    f"instead, such as {node.func.attr}(...)")
        if isinstance(node, ast.Assign) and not (len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            raise NotSupportedError(f"cannot read '{ast.unparse(node)}' as an equation; assign to one name at a time")


def target_of(statement: ast.stmt) -> str:
    """Return the name that a statement assigns."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return RETURNED if target is None else ast.unparse(target)


def only_names(value: ast.expr | None) -> bool:
    """Tell whether what is returned is names and nothing else."""
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    return all(part is None or isinstance(part, ast.Name) for part in parts)


def split_rows(latex: str) -> list[str]:
    """Split what latexify-py wrote into its rows; the rows of a matrix stay together."""
    body = latex.removeprefix(r"\begin{array}{l} ")
    if body == latex:
        return [latex]
    rows: list[str] = []
    depth = 0
    for part in body.removesuffix(r" \end{array}").split(r" \\ "):
        rows[-1:] = [rows[-1] + r" \\ " + part] if depth else [*rows[-1:], part]
        depth += part.count(r"\begin{") - part.count(r"\end{")
    return rows
