"""Functions as text that can be edited: statements by place, other texts in their place, compiled anew and swapped in.

A function is written out with one statement a line, so that several variants of a statement can stand side by side in
one compiled function; a global number chooses the one that runs. The function objects stay: only their code is exchanged,
so that closures, classes and references to them go on working, and it is put back afterwards.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import CodeType, FunctionType

CHOICE, WATCH, TURN = "_symrnn_choice", "_symrnn_watch", "_symrnn_turn"
"""Globals of the user's module: which variant runs, who watches statements, and who counts the turns of loops."""
OPEN, CLOSE = "⟨", "⟩"
"""Brackets that an edit puts around what it inserts; those that are not needed are dropped when the line is shown."""
PLAIN = str.maketrans({OPEN: "(", CLOSE: ")"})
WIDE = {"f", "f4", "<f4", "float32", "single", "half", "float16", "e"}
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)


@dataclass(frozen=True, slots=True)
class Statement:
    """A simple statement, or the expression in the head of a loop or condition.

    Attributes:
        unit: Number of its function.
        index: Number in the function.
        text: Its source.
        line: Of the file, from 1.
        node: What it is: ``Assign``, ``AugAssign``, ``Expr``, ``Return``; ``For``, ``If``, ``While`` for heads.
        loops: Names that the loops around it count with.
        block: Number of the suite that it stands in.
        column: Of its first character.
    """

    unit: int
    index: int
    text: str
    line: int
    node: str
    loops: tuple[str, ...]
    block: int
    column: int = 0

    @property
    def head(self) -> bool:
        """Whether it is the expression of a head."""
        return self.node in ("For", "If", "While")


Variant = tuple[str, ...]
"""Statements that stand in the place of one."""
Patch = Mapping[Statement, Variant]


@dataclass(frozen=True)
class Unit:
    """A function that can be edited.

    Attributes:
        number: Its place among all.
        function: The object.
        code: What it ran before.
        tree: Of its source.
        statements: By the node of the tree.
        lines: Of the file, from ``first`` on.
        first: Number of the first line.
    """

    number: int
    function: FunctionType
    code: CodeType
    tree: ast.FunctionDef
    statements: Mapping[ast.AST, Statement]
    lines: tuple[str, ...]
    first: int

    @cached_property
    def ordered(self) -> list[Statement]:
        """Its statements in order."""
        return sorted(self.statements.values(), key=lambda s: s.index)


@lru_cache(maxsize=50_000)
def text_of(node: ast.AST) -> str:
    """Write a tree as source, once."""
    return ast.unparse(node)


def units_of(functions: Sequence[FunctionType]) -> list[Unit]:
    """Return what can be edited of some functions: those whose source can be read."""
    found: list[Unit] = []
    for function in functions:
        made = unit_of(len(found), function)
        if made is not None:
            found.append(made)
    return found


def unit_of(number: int, function: FunctionType) -> Unit | None:
    """Return a function as something to edit; ``None`` where its source cannot be read."""
    try:
        lines, first = inspect.getsourcelines(function.__code__)
        text = textwrap.dedent("".join(lines))
        tree = next(iter(ast.parse(text).body))
    except (OSError, TypeError, SyntaxError, IndentationError, StopIteration):
        return None
    if not isinstance(tree, ast.FunctionDef) or tree.name != function.__code__.co_name:
        return None
    collector = Collector(number, text, max(first, 1))
    collector.suite(tree.body, ())
    unit = Unit(number, function, function.__code__, tree, collector.found, tuple("".join(lines).splitlines()), max(first, 1))
    try:
        compiled(unit, {})
    except (SyntaxError, ValueError):
        return None
    return unit


@dataclass
class Collector:
    """Walks the statements of a function.

    Attributes:
        unit: Number of the function.
        text: Its source, dedented.
        first: Line of the file in which it begins.
        found: The statements by node.
        blocks: How many suites were met.
    """

    unit: int
    text: str
    first: int
    found: dict[ast.AST, Statement] = field(default_factory=dict)
    blocks: int = 0

    def suite(self, body: Sequence[ast.stmt], loops: tuple[str, ...]) -> None:
        """Walk a suite."""
        self.blocks += 1
        block = self.blocks
        for node in body:
            inner = loops
            if isinstance(node, SIMPLE):
                self.add(node, node, loops, block)
            elif isinstance(node, ast.For):
                self.add(node, node.iter, loops, block)
                inner = (*loops, *(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)), *counters(node))
            elif isinstance(node, ast.If | ast.While):
                self.add(node, node.test, loops, block)
                inner = (*loops, *counters(node)) if isinstance(node, ast.While) else loops
            for part in ("body", "orelse"):
                if isinstance(node, ast.For | ast.If | ast.While | ast.With) and getattr(node, part, None):
                    self.suite(getattr(node, part), inner)

    def add(self, node: ast.AST, shown: ast.AST, loops: tuple[str, ...], block: int) -> None:
        """Remember a statement."""
        text = ast.get_source_segment(self.text, shown) or text_of(shown)
        line = self.first + getattr(shown, "lineno", 1) - 1
        self.found[node] = Statement(self.unit, len(self.found), text, line, type(node).__name__, loops, block,
                                     getattr(shown, "col_offset", 0))


def counters(loop: ast.For | ast.While) -> list[str]:
    """Return the names that a loop sets itself and uses as indices, as in ``t = T - 1 - k`` and ``t -= 1``."""
    nodes = [n for part in loop.body for n in ast.walk(part)]
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    used = {n.id for s in nodes if isinstance(s, ast.Subscript) for n in ast.walk(s.slice) if isinstance(n, ast.Name)}
    return sorted(stored & used)


Writer = Callable[[Statement], list[str]]
"""Says which lines stand in the place of a statement."""


def written_out(unit: Unit, write: Writer) -> str:
    """Write a function with one statement a line."""
    return "\n".join(suite_lines(unit, [unit.tree], 0, write))


def suite_lines(unit: Unit, body: Sequence[ast.stmt], depth: int, write: Writer) -> list[str]:
    """Write the statements of a suite."""
    found: list[str] = []
    for node in body:
        known = unit.statements.get(node)
        if known is not None and not known.head:
            found += [" " * depth + line for line in write(known)]
        elif isinstance(node, ast.For | ast.If | ast.While | ast.With | ast.FunctionDef) and (known or node is unit.tree or isinstance(node, ast.With)):
            expression = write(known)[0] if known else ""
            found.append(" " * depth + head_text(node, expression))
            found += suite_lines(unit, node.body, depth + 1, write)
            if isinstance(node, ast.For | ast.If | ast.While) and node.orelse:
                found += [" " * depth + "else:", *suite_lines(unit, node.orelse, depth + 1, write)]
        else:
            found += [" " * depth + line for line in text_of(node).split("\n")]
    return found


def head_text(node: ast.stmt, expression: str) -> str:
    """Write the head of a compound statement with another expression in it."""
    if isinstance(node, ast.For):
        return f"for {text_of(node.target)} in ({expression}):"
    if isinstance(node, ast.If | ast.While):
        return f"{'if' if isinstance(node, ast.If) else 'while'} ({expression}):"
    if isinstance(node, ast.FunctionDef):
        return f"def {node.name}({text_of(node.args)}):"
    assert isinstance(node, ast.With)  # for types: no other node has a suite here
    return f"with {', '.join(map(text_of, node.items))}:"


def compiled(unit: Unit, variants: Mapping[Statement, Mapping[int, Variant]], base: Patch | None = None, watch: bool = False) -> CodeType:
    """Compile a function with variants of its statements side by side.

    Args:
        unit: The function.
        variants: By statement, the variants by the number that chooses them.
        base: What stands in the place of statements when no variant is chosen.
        watch: Whether each statement tells that it is about to run.

    Raises:
        SyntaxError: A variant is no Python.
        ValueError: The function would close over other variables.
    """
    base = base or {}

    def write(statement: Statement) -> list[str]:
        usual = base.get(statement, (statement.text,))
        mine = variants.get(statement, {})
        if statement.head:
            chosen = head_choice([(number, v[0]) for number, v in mine.items()], usual[0])
            return [f"({chosen}) and {TURN}()" if statement.node == "While" and variants else chosen]
        told = [f"{WATCH}({unit.number}, {statement.index}, locals())"] if watch else []
        return told + choice_lines(list(mine.items()), usual)

    body = written_out(unit, write).translate(PLAIN)
    free = unit.code.co_freevars
    text = f"def shell({', '.join(free)}):\n" + textwrap.indent(body, " ") if free else body
    code = compile(widened(text), unit.code.co_filename, "exec", dont_inherit=True)
    for _ in range(2 if free else 1):
        code = next(c for c in code.co_consts if isinstance(c, CodeType))
    if code.co_freevars != free:
        raise ValueError(f"{unit.code.co_name} would close over {code.co_freevars} instead of {free}")
    return code


def choice_lines(mine: Sequence[tuple[int, Variant]], usual: Variant) -> list[str]:
    """Write a statement that a number chooses."""
    if not mine:
        return list(usual)
    found: list[str] = []
    for number, variant in mine:
        found += [f"{'elif' if found else 'if'} {CHOICE} == {number}:", *(" " + line for line in variant)]
    return [*found, "else:", *(" " + line for line in usual)]


def head_choice(mine: Sequence[tuple[int, str]], usual: str) -> str:
    """Write the expression of a head that a number chooses."""
    return "".join(f"({text}) if {CHOICE} == {number} else " for number, text in mine) + f"({usual})"


def widened(text: str) -> ast.Module | str:
    """Ask for float64 where a function asks for float32 by a text."""
    if not any(f"'{word}'" in text or f'"{word}"' in text for word in WIDE):
        return text
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            asked = [k.value for k in node.keywords if k.arg == "dtype"]
            asked += node.args[:1] if isinstance(node.func, ast.Attribute) and node.func.attr == "astype" else []
            for value in asked:
                if isinstance(value, ast.Constant) and value.value in WIDE:
                    value.value = "float64"
    return tree
