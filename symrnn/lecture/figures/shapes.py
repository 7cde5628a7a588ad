"""The figure of shapes: equations as grids that fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from symrnn import writer
from symrnn.activations import activation
from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import (
    Diag,
    Elementwise,
    Hadamard,
    Leaf,
    LogSoftmax,
    Plus,
    Product,
    Rows,
    Scaled,
    Softmax,
    Stacked,
    Static,
    StopGradient,
    TimeSum,
    Transposed,
    split_scalar,
)
from symrnn.lecture.figures.grids import UNIT, Grid, Piece, beside, bracketed, scripted, sign, stacked, summed
from symrnn.lecture.figures.labels import worded
from symrnn.lecture.figures.letters import lettering
from symrnn.lecture.figures.operators import SIGNS, is_constant
from symrnn.lecture.figures.svg import MUTED, document, words, words_width
from symrnn.sign_text import function_text, rows_text
from symrnn.style import Style, coefficient, scalar, time_text
from symrnn.traverse import quantity_of

MARGIN, WIDEST, TALLEST, LONGEST = 16.0, 620.0, 150.0, 130.0
NUMBERS = {"H": 4, "D": 3, "K": 2, "T": 3, "V": 5, "B": 2}
OTHERS = (3, 4, 2, 5)
WEIGHT, VALUE, RESULT, GRADIENT = "#dbe7f6", "#e2f1e4", "#fde9b3", "#fbdcc6"


def shapes_figure(equations: Iterable[Equation], style: Style, labels: Mapping[str, str]) -> str:
    """Draw equations as grids: a square for each entry, names below, sizes beside.

    Args:
        equations: Forward ones, or lines of a derivation.
        style: Of the names, for LaTeX.
        labels: Words of the language, with the keys of ``LABELS``.

    Returns:
        An SVG document.

    Raises:
        NotSupportedError: An optional package is not installed.
        SpecError: No equations.
    """
    chosen = tuple(equations)
    if not chosen:
        raise SpecError("the figure of shapes needs at least one equation; give it those of a network or lines of a derivation")
    drawer = Drawer.of(chosen, style)
    lines: list[tuple[Piece, list[Piece]]] = []
    for equation in chosen:
        left = beside([drawer.grid(equation.lhs, RESULT), sign("=")])
        lines.append((left, broken(drawer.sides(equation.rhs))))
    start = MARGIN + max((left.width for left, _ in lines), default=0.0) + 8
    rows, y, right = [], MARGIN, 0.0
    for left, parts in lines:
        y += max(left.above, parts[0].above)
        rows += left.draw((start - 8 - left.width, y))
        for k, part in enumerate(parts):
            y += part.above + 4 if k else 0.0
            rows += part.draw((start, y))
            right = max(right, start + part.width)
            y += part.below if k else max(left.below, part.below)
        y += 10
    letters = sorted(drawer.letters, key=str)
    sizes = ", ".join(f"{scalar(letter, replace(style, medium='unicode'))} = {drawer.letters[letter]}" for letter in letters)
    note = worded(labels, "sizes", sizes=sizes)
    rows.append(words(note, (MARGIN, y + 8), size=11.0, colour=MUTED))
    width = max(right, MARGIN + words_width(note, 11.0)) + MARGIN
    return document(width, y + 8 + MARGIN, worded(labels, "shapes"), worded(labels, "shapes_description", sizes=sizes), rows)


def broken(pieces: list[Piece]) -> list[Piece]:
    """Put the terms of a sum onto as many lines as they need."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if lines[-1] and sum(p.width + 7 for p in lines[-1]) + piece.width > WIDEST:
            lines.append([])
        lines[-1].append(piece)
    return [beside(line) for line in lines]


@dataclass(frozen=True)
class Drawer:
    """Draws formulas.

    Attributes:
        style: Of the names.
        letters: How many squares each size is drawn with.
        unit: The side of a square.
    """

    style: Style
    letters: Mapping[Expr, int]
    unit: float

    @classmethod
    def of(cls, equations: Sequence[Equation], style: Style) -> Drawer:
        """Choose numbers for the sizes, and squares so small that the largest grid has room."""
        shapes = [leaf.shape for e in equations for side in (e.lhs, e.rhs) for leaf in side.atoms(Leaf)]
        found = {letter for shape in shapes for size in shape for letter in size.free_symbols}
        free = iter(OTHERS * (1 + len(found)))
        letters = {letter: NUMBERS.get(str(letter)) or next(free) for letter in sorted(found, key=str)}
        most = max((int(size.xreplace(letters)) for shape in shapes for size in shape), default=1)
        return cls(style, letters, min(UNIT, TALLEST / most))

    def grid(self, node: Any, fill: str = "") -> Piece:
        """Draw a formula as one grid with its name."""
        shape = tuple(reversed(node.shape)) if self.style.notation.rows else node.shape
        rows, columns = (max(1, int(size.xreplace(dict(self.letters) | {s: 3 for s in size.free_symbols if s not in self.letters}))) for size in shape)
        name = writer.formula(node, self.style)
        if lettering(name, 14.0).width > LONGEST:
            name = r"\dots"
        sizes = tuple(scalar(size, self.style) for size in shape)
        return Grid(rows, columns, name, sizes, fill or self.fill(node), self.unit).piece()  # type: ignore[arg-type]

    def fill(self, node: Any) -> str:
        """Return the colour of a grid: of a parameter, of a gradient, of another value."""
        inner = node.args[0] if isinstance(node, Transposed) else node
        orders = getattr(quantity_of(inner), "orders", ())
        return GRADIENT if orders else WEIGHT if isinstance(inner, Static) else VALUE

    def sides(self, node: Any) -> list[Piece]:
        """Draw a formula as pieces between which a line may be broken."""
        return self.terms(node) if isinstance(node, Plus) else [self.piece(node)]

    def terms(self, node: Any) -> list[Piece]:
        """Draw the terms of a sum, each with the sign in front of it."""
        out = []
        for k, term in enumerate(node.args):
            scale, core = split_scalar(term)
            negative = bool(scale.could_extract_minus_sign())
            body = self.piece(core if abs(scale) == 1 else -1 * term if negative else term)
            out.append(beside([sign("-" if negative else "+"), body]) if k or negative else body)
        return out

    def piece(self, node: Any) -> Piece:
        """Draw a formula."""
        if isinstance(node, Leaf) or (isinstance(node, Transposed) and isinstance(node.args[0], Leaf)):
            return self.grid(node)
        if is_constant(node):
            return sign("1" if type(node).__name__ == "Ones" else writer.formula(node, self.style))
        if isinstance(node, Plus):
            return beside(self.terms(node))
        if isinstance(node, Product):
            factors = tuple(reversed(node.args)) if self.style.notation.rows else node.args
            return beside([self.factor(arg) for arg in factors], 5.0)
        if isinstance(node, Hadamard):
            mark = sign(self.style.notation.hadamard[0])
            return beside([piece for arg in node.args for piece in (mark, self.factor(arg))][1:])
        if isinstance(node, TimeSum):
            return self.over_time(node)
        return self.applied(node)

    def factor(self, node: Any) -> Piece:
        """Draw a factor, in brackets where it is a sum, or a product of another kind."""
        piece = self.piece(node)
        return bracketed(piece) if isinstance(node, Plus | Hadamard | Product) else piece

    def over_time(self, node: Any) -> Piece:
        """Draw a sum over time."""
        body, index, low, high = node.args
        style = replace(self.style, indices={**self.style.indices, index: scalar_letter(index, self.style)})
        first = f"{style.indices[index]}={time_text(low, style)}"
        return beside([summed(first, time_text(high, style)), replace_style(self, style).factor_of_sum(body)])

    def factor_of_sum(self, node: Any) -> Piece:
        """Draw what is summed."""
        return bracketed(self.piece(node)) if isinstance(node, Plus) else self.piece(node)

    def applied(self, node: Any) -> Piece:
        """Draw a function of an operand, a slice, a stack; one grid for anything else."""
        if isinstance(node, Elementwise):
            name = function_text(activation(str(node.args[0])), self.style)
            return beside([sign(name), bracketed(self.piece(node.args[1]))], 1.0)
        if isinstance(node, Softmax | LogSoftmax | Diag | StopGradient) and len(node.args) == 1:
            return beside([sign(SIGNS[type(node).__name__]), bracketed(self.piece(node.args[0]))], 1.0)
        if isinstance(node, Stacked):
            parts = [self.piece(part) for part in node.args]
            return bracketed(beside(parts) if self.style.notation.rows else stacked(parts), "[")
        if isinstance(node, Rows) and isinstance(node.args[0], Leaf):
            return scripted(bracketed(self.piece(node.args[0]), "["), below=rows_text(node, self.style))
        if isinstance(node, Transposed):
            return scripted(bracketed(self.piece(node.args[0])), above=r"\top")
        if isinstance(node, Scaled):
            return beside([sign(coefficient(node.args[0], self.style)), self.factor(node.args[1])], 4.0)
        return self.grid(node)


def scalar_letter(index: Any, style: Style) -> str:
    """Return the letter of a bound index: the running time."""
    return scalar(index, style) if index in style.indices else time_text(type(index)("t", integer=True), style)


def replace_style(drawer: Drawer, style: Style) -> Drawer:
    """Return a drawer with another style."""
    return replace(drawer, style=style)


