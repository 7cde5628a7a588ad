"""A statement as a place for edits: its tree, what stands around each part, and how a part is replaced in the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symrnn.repair.scopes import Scope, node_root
from symrnn.repair.source import CLOSE, OPEN, PLAIN, Statement, Unit, Variant, text_of

DERIVATIVES = re.compile(r"prime|deriv|grad|(^|\.)d_?(tanh|sig|logistic|relu|act|f$)", re.IGNORECASE)
"""Names of functions that are derivatives."""


@dataclass(frozen=True)
class Change:
    """An edit of one statement.

    Attributes:
        variant: What stands in its place.
        kind: The mistake that it repairs.
        cost: Likely edits cost little.
        old: The part that is replaced; empty where something is added.
        new: What is due instead; empty where something is dropped.
    """

    variant: Variant
    kind: str
    cost: float
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Off:
    """By what whole gradients are off, where that can be said with a number.

    Attributes:
        ratios: What is returned, over what is right.
        decays: What is right less what is returned, over the array that the gradient is taken in: left out weight decay.
    """

    ratios: tuple[float, ...] = ()
    decays: tuple[float, ...] = ()


@dataclass
class Site:
    """A statement that is edited.

    Attributes:
        statement: Which.
        text: Its source as it is now.
        unit: Its function.
        scope: What is alive.
        after: What is alive afterwards.
        off: By what whole gradients are off.
    """

    statement: Statement
    text: str
    unit: Unit
    scope: Scope
    after: Scope
    off: Off = field(default_factory=Off)
    shapes: dict[str, tuple[int, ...] | None] = field(default_factory=dict)
    gradients: dict[ast.AST, bool] = field(default_factory=dict)

    @cached_property
    def plain(self) -> str:
        """The text with ordinary brackets."""
        return self.text.translate(PLAIN)

    @cached_property
    def node(self) -> ast.stmt:
        """The tree of the statement."""
        return ast.parse(self.plain).body[0]

    @cached_property
    def value(self) -> ast.expr | None:
        """The expression in it: the right-hand side, or all of a head."""
        return getattr(self.node, "value", None)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """What each part stands in."""
        return {child: node for node in ast.walk(self.node) for child in ast.iter_child_nodes(node)}

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins."""
        found = [0]
        for line in self.plain.split("\n"):
            found.append(found[-1] + len(line) + 1)
        return found

    def place(self, line: int, column: int) -> int:
        """Return the position of a line and a column of bytes."""
        start = self.starts[line - 1]
        text = self.plain[start:]
        return start + (column if text.isascii() else len(text.encode()[:column].decode()))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a part begins and ends."""
        return (self.place(node.lineno, node.col_offset),  # type: ignore[attr-defined]  # of expressions only
                self.place(node.end_lineno, node.end_col_offset))  # type: ignore[attr-defined]

    def source(self, node: ast.AST) -> str:
        """Return the text of a part."""
        start, end = self.span(node)
        return self.plain[start:end]

    def spliced(self, node: ast.AST, new: str) -> Variant:
        """Return the statement with another text in the place of a part."""
        start, end = self.span(node)
        return (self.text[:start] + new + self.text[end:],)

    def in_value(self) -> Iterator[ast.expr]:
        """Yield the parts of the expression that stand for values: no indices, no keywords, no functions."""
        if self.value is not None:
            yield from parts_of(self.value)

    def is_reference(self, node: ast.AST) -> bool:
        """Tell whether a part reads something that has a name, as a whole."""
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or not node_root(node):
            return False
        above = self.parents.get(node)
        if isinstance(node, ast.Attribute) and (node.attr in ("T", "shape") or (isinstance(above, ast.Call) and above.func is node)):
            return False
        value = self.scope.env.get(node_root(node), self.scope.space.get(node_root(node)))
        return value is not None and value is not np

    @cached_property
    def references(self) -> list[ast.expr]:
        """The parts that read something."""
        return [node for node in self.in_value() if self.is_reference(node)
                and not (isinstance(self.parents.get(node), ast.Attribute | ast.Subscript) and self.is_reference(self.parents[node]))]

    def shape(self, node: ast.AST | str) -> tuple[int, ...] | None:
        """Return the shape of a part, or of a text."""
        text = node if isinstance(node, str) else self.source(node)
        if text not in self.shapes:
            self.shapes[text] = self.scope.shape(text) if not text.startswith("*") else None
        return self.shapes[text]

    def is_adjoint(self, node: ast.AST) -> bool:
        """Tell whether a part is a gradient."""
        if node not in self.gradients:
            self.gradients[node] = any(self.scope.is_adjoint(n) for n in ast.walk(node))
        return self.gradients[node]

    @cached_property
    def targets(self) -> list[str]:
        """What is set, as text."""
        if isinstance(self.node, ast.AugAssign):
            return [text_of(self.node.target)]
        if not isinstance(self.node, ast.Assign):
            return []
        return [text_of(part) for target in self.node.targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]

    @property
    def sets_carry(self) -> bool:
        """Whether it sets what goes to another turn of the loop."""
        return any(target in self.scope.carries for target in self.targets)


def parts_of(node: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression and its parts that are values."""
    yield node
    if isinstance(node, ast.Subscript | ast.Attribute):
        yield from parts_of(node.value)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield from parts_of(node.func.value)
        for argument in node.args:
            yield from parts_of(argument)
        for keyword in node.keywords:
            if keyword.arg not in ("axis", "keepdims", "dtype", "shape", "out"):
                yield from parts_of(keyword.value)
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from parts_of(child)


def bracketed(text: str) -> str:
    """Put brackets around a text that may go again when the line is shown."""
    return text if text.isidentifier() else f"{OPEN}{text}{CLOSE}"


def is_product(node: ast.AST | None) -> bool:
    """Tell whether an expression multiplies or divides entry by entry."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)


def is_sum(node: ast.AST | None) -> bool:
    """Tell whether an expression adds or subtracts."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def is_number(node: ast.AST | None, *numbers: float) -> bool:
    """Tell whether an expression is a number, one of some."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and (not numbers or node.value in numbers)


def in_derivative(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Tell whether a part stands in a derivative by its form: ``1 - h**2``, ``f * (1 - f)``."""
    while node in parents:
        above = parents[node]
        if isinstance(above, ast.BinOp) and isinstance(above.op, ast.Sub) and is_number(above.left, 1) and is_bent(above.right):
            return True
        if isinstance(above, ast.Call) and node in above.args and DERIVATIVES.search(text_of(above.func)):
            return True
        if is_product(above) and any(is_complement(n, text_of(m)) for n in factors_of(above) for m in factors_of(above) if n is not m):
            members = {text_of(m) for m in factors_of(above)}
            if any(is_complement(n, m) and (node is n or text_of(node) == m) for n in factors_of(above) for m in members):
                return True
        node = above
    return False


def is_bent(node: ast.AST) -> bool:
    """Tell whether an expression is a square: ``h**2``, ``h * h``, ``np.square(h)``, ``np.power(h, 2)``."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Pow) or (isinstance(node.op, ast.Mult) and text_of(node.left) == text_of(node.right))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name) and text_of(node.func).rpartition(".")[2] in ("square", "power")


def is_complement(node: ast.AST, text: str) -> bool:
    """Tell whether an expression is 1 minus a text."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.left, 1) and text_of(node.right) == text


def factors_of(node: ast.AST) -> list[ast.expr]:
    """Return the factors of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*factors_of(node.left), *factors_of(node.right)]
    return [node] if isinstance(node, ast.expr) else []


def terms_of(node: ast.AST) -> list[ast.expr]:
    """Return the terms of a sum."""
    if is_sum(node):
        assert isinstance(node, ast.BinOp)  # for types
        return [*terms_of(node.left), *terms_of(node.right)]
    return [node] if isinstance(node, ast.expr) else []
