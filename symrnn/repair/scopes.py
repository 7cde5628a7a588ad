"""What is alive where: values and shapes that the code itself had when it came to a statement."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from symrnn.repair.source import Statement, Unit, text_of
from symrnn.verify.handwritten.naming import stems

PURE = {"T", "dot", "sum", "mean", "transpose", "reshape", "copy", "ravel", "shape", "squeeze", "astype", "items", "keys", "values"}
MOST = 90
"""Things that can be read at a statement, at most."""
CARRYING = re.compile(r"next|carry|_n$", re.IGNORECASE)
BUILTINS = {"len", "range", "zip", "max", "min", "float", "int"}
SCALAR = (int, float, np.integer, np.floating)


@dataclass(frozen=True)
class Atom:
    """Something that can be read at a statement.

    Attributes:
        text: How the code writes it.
        shape: Of its value.
        adjoint: Whether it is a gradient: it changes with the upstream gradient.
        carry: Whether it comes from another turn of the loop.
        zero: Whether it is 0.
        low: Its smallest entry.
        high: Its largest entry.
    """

    text: str
    shape: tuple[int, ...]
    adjoint: bool
    carry: bool = False
    zero: bool = False
    low: float = -np.inf
    high: float = np.inf


@dataclass
class Scope:
    """What is alive at a statement.

    Attributes:
        env: Local names, from the second time that the statement was reached.
        space: Globals.
        atoms: What can be read, each value once.
        numbers: Whole numbers by text, such as ``N``.
        adjoint: Names, and other texts, that are gradients.
        carries: Names that come from another turn of the loop.
    """

    env: dict[str, Any]
    space: dict[str, Any]
    atoms: tuple[Atom, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    adjoint: frozenset[str] = frozenset()
    carries: frozenset[str] = frozenset()
    known: dict[str, Any] = field(default_factory=dict)

    def value(self, text: str) -> Any:
        """Return the value of an expression without side effects; ``None`` where it has none."""
        if text not in self.known:
            self.known[text] = self.computed(text)
        return self.known[text]

    def computed(self, text: str) -> Any:
        """Compute the value of an expression."""
        read = expression(text)
        if read is None or not all(map(self.is_pure, read.calls)):
            return None
        try:
            return eval(read.code, self.space, self.env)
        except Exception:  # what stands in an edited program may raise anything
            return None

    def is_pure(self, function: ast.AST) -> bool:
        """Tell whether a function only computes: one of NumPy's, or a method that changes nothing."""
        if isinstance(function, ast.Attribute) and function.attr in PURE:
            return True
        return self.is_numpy(function) or (isinstance(function, ast.Name) and function.id in BUILTINS)

    def is_numpy(self, function: ast.AST) -> bool:
        """Tell whether a function is one of NumPy's."""
        root = function
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id in self.env:
            return False
        value = self.space.get(root.id)
        return value is np or type(value) is np.ufunc or getattr(value, "__module__", "").partition(".")[0] == "numpy"

    def shape(self, text: str) -> tuple[int, ...] | None:
        """Return the shape of an expression; ``None`` where it is no number or array of numbers."""
        value = self.value(text)
        if isinstance(value, SCALAR) and not isinstance(value, bool):
            return ()
        return value.shape if isinstance(value, np.ndarray) and value.dtype.kind == "f" else None

    def is_adjoint(self, node: ast.AST) -> bool:
        """Tell whether a name, an item or an attribute is a gradient."""
        if isinstance(node, ast.Name):
            return node.id in self.adjoint
        return isinstance(node, ast.Attribute | ast.Subscript) and text_of(node) in self.adjoint


@dataclass(frozen=True)
class Expression:
    """An expression that can be computed.

    Attributes:
        code: Compiled.
        calls: The functions that it calls.
    """

    code: CodeType
    calls: tuple[ast.AST, ...]


@lru_cache(maxsize=20_000)
def expression(text: str) -> Expression | None:
    """Compile an expression; ``None`` where it is none, or does more than to compute."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        return None
    nodes = list(ast.walk(tree))
    if any(isinstance(n, ast.Lambda | ast.NamedExpr | ast.Await | ast.Yield) for n in nodes):
        return None
    return Expression(compile(tree, "<expression>", "eval"), tuple(n.func for n in nodes if isinstance(n, ast.Call)))


def texts_in(unit: Unit) -> list[str]:
    """Return the names, items and attributes that a function reads or sets, as it writes them."""
    found: dict[str, None] = {}
    for node in ast.walk(unit.tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and node_root(node) and "T" not in attributes(node):
            found[text_of(node)] = None
    return [*found, *(text for text in parts_alike(unit) if text not in found)]


def parts_alike(unit: Unit) -> Iterator[str]:
    """Yield the parts of each array that another one is cut into: ``b[:, H:]`` where ``a[:, H:]`` and ``b[:, :H]`` are read."""
    cut = [node for node in ast.walk(unit.tree) if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
           and any(isinstance(part, ast.Slice) for part in ast.walk(node.slice))]
    for name in dict.fromkeys(node.value.id for node in cut if isinstance(node.value, ast.Name)):
        for node in cut:
            yield text_of(node).replace(text_of(node.value), name, 1)


def attributes(node: ast.AST) -> set[str]:
    """Return the attributes on the way down to the root of a reference."""
    found = set()
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        node = node.value
    return found


def node_root(node: ast.AST) -> str:
    """Return the name at the root of a reference; empty where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


@lru_cache(maxsize=5_000)
def shifted(text: str, loops: tuple[str, ...]) -> list[str]:
    """Return a reference at the times before and after: ``hs[t - 1]`` and ``hs[t + 1]`` of ``hs[t]``."""
    tree = ast.parse(text, mode="eval").body
    if not isinstance(tree, ast.Subscript):
        return []
    found = []
    for loop in loops:
        for base, moves in ((f"{loop}", (-1, 1)), (f"{loop} - 1", (0, 1)), (f"{loop} + 1", (0, -1))):
            index = text_of(tree.slice)
            parts = index.strip("()").split(", ")
            for k, part in enumerate(parts):
                if part == base:
                    for move in moves:
                        new = loop if move == 0 else f"{loop} {'+' if move > 0 else '-'} 1"
                        found.append(f"{text_of(tree.value)}[{', '.join([*parts[:k], new, *parts[k + 1:]])}]")
    return found


@lru_cache(maxsize=1_000)
def index_patterns(tree: ast.AST, loops: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the indices with loop counters in them that a function uses, with what they are the indices of."""
    return tuple(sorted({(n.value.id, text_of(n.slice)) for n in ast.walk(tree) if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)
                         and any(isinstance(x, ast.Name) and x.id in loops for x in ast.walk(n.slice))}))


def alike(one: Any, other: Any) -> bool:
    """Tell whether two values can be read by the same indices: two lists, two dicts, two arrays of as many axes and as long."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.ndim == other.ndim and abs(one.shape[0] - other.shape[0]) <= 1
    return isinstance(one, list | dict | tuple) and type(one) is type(other)


def candidates(unit: Unit, statement: Statement, env: dict[str, Any], texts: Sequence[str]) -> Iterator[str]:
    """Yield what could be read at a statement, as text; short ways of writing first."""
    yield from env
    yield from texts
    for text in texts:
        yield from shifted(text, statement.loops)
    patterns = index_patterns(unit.tree, statement.loops)
    for name, value in env.items():
        if isinstance(value, np.ndarray):
            yield from (*(f"{name}.shape[{axis}]" for axis in range(value.ndim)), f"{name}.size")
        if isinstance(value, dict):
            yield from (f"{name}[{key!r}]" for key in list(value) if isinstance(key, str))
        elif hasattr(value, "_fields"):
            yield from (f"{name}.{key}" for key in value._fields)
        elif hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
            for key, part in list(vars(value).items()):
                yield f"{name}.{key}"
                if isinstance(part, dict):
                    yield from (f"{name}.{key}[{inner!r}]" for inner in list(part) if isinstance(inner, str))
        yield from (f"{name}[{pattern}]" for base, pattern in patterns if alike(value, env.get(base)))


def read_values(unit: Unit, statement: Statement, env: dict[str, Any], texts: Sequence[str]) -> dict[str, Any]:
    """Return copies of what can be read at a statement, by text."""
    scope = Scope(env, unit.function.__globals__)
    found: dict[str, Any] = {}
    for text in dict.fromkeys(candidates(unit, statement, env, texts)):
        value = env[text] if text in env else scope.computed(text)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            found[text] = value.copy()
        elif isinstance(value, SCALAR) and not isinstance(value, bool):
            found[text] = value
        if len(found) >= 3 * MOST:
            break
    return found


def carries_of(unit: Unit) -> set[str]:
    """Return the names that bring something from another turn of a loop: read before they are set, or set to 0 before it."""
    found: set[str] = set()
    zeros = {name for node in ast.walk(unit.tree) if isinstance(node, ast.Assign) and is_zero(node.value)
             for target in node.targets for name in names_in(target)}
    for loop in ast.walk(unit.tree):
        if isinstance(loop, ast.For | ast.While):
            parts = [n for part in loop.body for n in ast.walk(part) if isinstance(n, ast.Assign | ast.AugAssign | ast.Expr | ast.Return)]
            stored: set[str] = set()
            early: set[str] = set()
            for part in sorted(parts, key=lambda n: (n.lineno, n.col_offset)):
                targets = set().union(*map(names_in, part.targets)) if isinstance(part, ast.Assign) else set()
                read = {n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
                early |= read - stored - targets
                stored |= targets
            found |= (early & (stored | zeros)) | (zeros & stored)
    return found


def is_zero(node: ast.AST) -> bool:
    """Tell whether an expression is 0, by its form."""
    if isinstance(node, ast.Tuple):
        return all(map(is_zero, node.elts))
    return text_of(node) in ("0", "0.0") or "zeros" in text_of(node)


def names_in(target: ast.AST) -> set[str]:
    """Return the plain names that an assignment sets."""
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def brings_carry(text: str, carries: set[str]) -> bool:
    """Tell whether something comes from the next time step: by what the loop does with it, or by its name."""
    return text in carries or bool(CARRYING.search(text))


def looks_adjoint(text: str) -> bool:
    """Tell whether a name is one that gradients go by."""
    name = text.rpartition(".")[2].partition("[")[0] if not text.endswith("]") else text.partition("[")[0].rpartition(".")[2]
    return bool(stems(name)) or name.lower().startswith(("grad", "delta", "carry"))
