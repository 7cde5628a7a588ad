"""What the user's code assigns, line by line, in a run that is watched."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from symrnn.diagnosis.observing import as_floats
from symrnn.verify.balls.dual import Dual

MOST_RECORDS, MOST_ENTRIES = 20_000, 4_000


@dataclass(frozen=True)
class Record:
    """What an assignment left behind.

    Attributes:
        file: The file.
        line: First line of the statement.
        name: What was assigned.
        value: The array, without axes of length 1.
        loop: Whether the statement stands in a loop.
        adds: Whether the statement adds to what it assigns.
        copies: Whether the statement only gives another name to what is there, as a call does to its arguments.
        calls: The line of the loop that called the function of the statement; 0 where the statement stands in a loop itself.
    """

    file: str
    line: int
    name: str
    value: Any
    loop: bool
    calls: int = 0
    adds: bool = False
    copies: bool = False


@dataclass(frozen=True)
class Statement:
    """A statement that assigns.

    Attributes:
        line: Its first line.
        targets: What it assigns, as code and as text.
        loop: Whether it stands in a loop.
        adds: Whether it adds to what it assigns.
        copies: Whether it only gives another name to what is there.
    """

    line: int
    targets: tuple[tuple[CodeType, str], ...]
    loop: bool
    adds: bool
    copies: bool


def statements_of(source: str, file: str) -> dict[int, list[Statement]]:
    """Return the assigning statements of a source by each of their lines."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    looped = {inner for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While)) for inner in ast.walk(node)}
    found: dict[int, list[Statement]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made = Statement(node.lineno, tuple(compiled(targets, file)), node in looped, isinstance(node, ast.AugAssign), is_copy(node))
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found.setdefault(line, []).append(made)
    return found


def is_copy(node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> bool:
    """Tell whether a statement only gives another name to what is there."""
    parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    return not isinstance(node, ast.AugAssign) and all(isinstance(part, (ast.Name, ast.Attribute, ast.Subscript)) for part in parts)


def compiled(targets: Iterable[ast.expr], file: str) -> Iterator[tuple[CodeType, str]]:
    """Yield targets as code that reads them."""
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from compiled(target.elts, file)
        elif not isinstance(target, ast.Starred):
            for whole in (target, *([target.value] if isinstance(target, ast.Subscript) else [])):
                text = ast.unparse(whole)
                yield compile(text, file, "eval"), text


@dataclass
class Watch:
    """Records what is assigned in some files while code runs.

    Attributes:
        files: The files.
        begins: Name of the function with which it begins; empty for the first one.
        records: What was assigned, in order.
        lines: The lines that were run.
    """

    files: frozenset[str]
    begins: str = ""
    lines: dict[tuple[str, int], None] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    tables: dict[str, dict[int, list[Statement]]] = field(default_factory=dict)

    def run(self, call: Callable[[], Any]) -> Any:
        """Run something and record."""
        before = sys.gettrace()
        sys.settrace(self.enter)
        try:
            return call()
        finally:
            sys.settrace(before)

    def enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Follow a frame of one of the files, line by line."""
        file = frame.f_code.co_filename
        if file not in self.files:
            return None
        if file not in self.tables:
            self.tables[file] = statements_of("".join(linecache.getlines(file)), file)
        if frame.f_code.co_name == self.begins:
            self.begins = ""
            self.records.clear()
            self.lines.clear()
        self.called(frame)
        last: list[int] = []

        def local(frame: FrameType, event: str, arg: Any) -> Any:
            if last and event in ("line", "return"):
                self.note(frame, file, last[0])
            last[:] = [frame.f_lineno]
            self.lines[file, frame.f_lineno] = None
            return local

        return local

    def note(self, frame: FrameType, file: str, line: int) -> None:
        """Record what the statements of a line have assigned."""
        for statement in self.tables[file].get(line, ()):
            for code, name in statement.targets:
                try:
                    value = eval(code, frame.f_globals, frame.f_locals)  # what the user's own line has just assigned
                except Exception:  # a target that cannot be read has nothing to record
                    continue
                calls = 0 if statement.loop else self.loop_line(frame.f_back)
                if (array := array_of(value)) is not None:
                    self.keep(Record(file, statement.line, name, array, statement.loop, calls, statement.adds, statement.copies))

    def called(self, frame: FrameType) -> None:
        """Record the arguments of a call, at the line that calls."""
        caller = frame.f_back
        if caller is None or caller.f_code.co_filename not in self.tables:
            return
        file = caller.f_code.co_filename
        around = self.tables[file].get(caller.f_lineno)
        line = around[0].line if around else caller.f_lineno
        for name in frame.f_code.co_varnames[:frame.f_code.co_argcount]:
            if (array := array_of(frame.f_locals.get(name))) is not None:
                self.keep(Record(file, line, name, array, bool(around and around[0].loop), copies=True))

    def loop_line(self, frame: FrameType | None) -> int:
        """Return the line of the first loop that a frame is called from; 0 where there is none in the files."""
        while frame is not None and frame.f_code.co_filename in self.tables:
            around = self.tables[frame.f_code.co_filename].get(frame.f_lineno)
            if around and around[0].loop:
                return around[0].line
            frame = frame.f_back
        return 0

    def keep(self, record: Record) -> None:
        """Keep a record."""
        if len(self.records) < MOST_RECORDS:
            self.records.append(record)


def array_of(value: Any) -> Any:
    """Return an array of numbers in float64 without axes of length 1; ``None`` for anything else."""
    if isinstance(value, np.ndarray) and 1 < value.size <= MOST_ENTRIES:
        if value.dtype == object and not all(type(x) is Dual or isinstance(x, (int, float)) for x in value.flat):
            return None
        if value.dtype.kind in "fO":
            array = as_floats(value)
            return array.reshape(tuple(n for n in array.shape if n != 1))
    return None


def files_of(spaces: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Return the files of modules."""
    return frozenset(str(space["__file__"]) for space in spaces if space.get("__file__"))
