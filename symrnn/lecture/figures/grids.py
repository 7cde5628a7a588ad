"""Matrices and vectors as grids, and the signs between them: boxes that stand beside each other on one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symrnn.lecture.figures.letters import lettering
from symrnn.lecture.figures.svg import INK, MUTED, Point, box, formula, number

UNIT, NAME, SIDE = 11.0, 20.0, 12.0
"""The side of a square; room for a name below a grid; room for a size beside it."""


@dataclass(frozen=True)
class Piece:
    """Something that is drawn around an axis.

    Attributes:
        width: Of it.
        above: The axis.
        below: The axis.
        draw: Draws it with its left end at a place on the axis.
        inner: How far its squares, without names and sizes, go above and below the axis.
        parts: Between which a line may be broken.
    """

    width: float
    above: float
    below: float
    draw: Callable[[Point], list[str]]
    inner: float = 0.0
    parts: tuple[Piece, ...] = ()


def beside(pieces: Sequence[Piece], gap: float = 7.0) -> Piece:
    """Put pieces beside each other."""
    def draw(at: Point) -> list[str]:
        rows, x = [], at[0]
        for piece in pieces:
            rows += piece.draw((x, at[1]))
            x += piece.width + gap
        return rows

    width = sum(piece.width for piece in pieces) + gap * (len(pieces) - 1)
    return Piece(width, max(p.above for p in pieces), max(p.below for p in pieces), draw, max(p.inner for p in pieces), tuple(pieces))


def sign(text: str, size: float = 16.0) -> Piece:
    """A sign or a word on the axis."""
    set_text = lettering(text, size)
    return Piece(set_text.width, size * 0.7, size * 0.7, lambda at: [formula(text, (at[0] + set_text.width / 2, at[1]), size=size)])


@dataclass(frozen=True)
class Grid:
    """A grid that is to be drawn.

    Attributes:
        rows: How many squares up.
        columns: How many across.
        name: Below it, in LaTeX.
        sizes: The letters of its rows and columns, in LaTeX.
        fill: Of the squares.
        unit: The side of a square.
    """

    rows: int
    columns: int
    name: str
    sizes: tuple[str, str]
    fill: str
    unit: float = UNIT

    def piece(self) -> Piece:
        """Return it as a piece, with its sizes on the left and above, and its name below."""
        wide, high = self.columns * self.unit, self.rows * self.unit
        left = lettering(self.sizes[0], 10.5).width + 4
        name = lettering(self.name, 14.0).width
        width = left + max(wide, (name - wide) / 2 + wide)
        start = left + max(0.0, (name - wide) / 2 - left)
        width = start + max(wide, (wide + name) / 2)

        def draw(at: Point) -> list[str]:
            x, y = at[0] + start, at[1] - high / 2
            lines = "".join(f"M{number(x + k * self.unit)},{number(y)}v{number(high)}" for k in range(1, self.columns))
            lines += "".join(f"M{number(x)},{number(y + k * self.unit)}h{number(wide)}" for k in range(1, self.rows))
            out = [box(x, y, wide, high, fill=self.fill, rounded=1.5)]
            if lines:
                out.append(f'<path d="{lines}" fill="none" stroke="{INK}" stroke-width="0.6" stroke-opacity="0.55"/>')
            out.append(formula(self.sizes[0], (x - 4, at[1] + 3.5), size=10.5, colour=MUTED, anchor="end"))
            out.append(formula(self.sizes[1], (x + wide / 2, y - 7), size=10.5, colour=MUTED))
            return [*out, formula(self.name, (x + wide / 2, y + high + 12), size=14.0)]

        return Piece(width, high / 2 + SIDE + 2, high / 2 + NAME, draw, high / 2)


def bracketed(inside: Piece, kind: str = "(") -> Piece:
    """Put brackets around a piece, as high as its squares."""
    half, wide = max(inside.inner, 9.0) + 4, 7.0

    def draw(at: Point) -> list[str]:
        end = at[0] + inside.width + 2 * wide + 4
        return [curve(kind, at[0] + wide, at[1], half, -1), *inside.draw((at[0] + wide + 2, at[1])), curve(kind, end - wide, at[1], half, 1)]

    return Piece(inside.width + 2 * wide + 4, max(inside.above, half), max(inside.below, half), draw, half)


def curve(kind: str, x: float, y: float, half: float, side: int) -> str:
    """Draw one bracket, open to the middle."""
    top, bottom, by = number(y - half), number(y + half), 6.0 * side
    if kind == "[":
        way = f"M{number(x)},{top}h{number(by * 0.6)}V{bottom}h{number(-by * 0.6)}"
    else:
        way = f"M{number(x)},{top}Q{number(x + by)},{number(y)} {number(x)},{bottom}"
    return f'<path d="{way}" fill="none" stroke="{INK}" stroke-width="1.2" stroke-linecap="round"/>'


def stacked(pieces: Sequence[Piece]) -> Piece:
    """Put pieces below each other."""
    width = max(piece.width for piece in pieces)
    high = sum(piece.above + piece.below for piece in pieces)

    def draw(at: Point) -> list[str]:
        rows, y = [], at[1] - high / 2
        for piece in pieces:
            rows += piece.draw((at[0] + (width - piece.width) / 2, y + piece.above))
            y += piece.above + piece.below
        return rows

    return Piece(width, high / 2, high / 2, draw, high / 2)


def scripted(inside: Piece, below: str = "", above: str = "") -> Piece:
    """Set a small formula at the lower or the upper right of a piece."""
    wide = max(lettering(below, 11.0).width if below else 0.0, lettering(above, 11.0).width if above else 0.0)

    def draw(at: Point) -> list[str]:
        x = at[0] + inside.width + 1
        rows = inside.draw(at)
        if below:
            rows.append(formula(below, (x, at[1] + inside.inner + 4), size=11.0, anchor="start"))
        if above:
            rows.append(formula(above, (x, at[1] - inside.inner + 4), size=11.0, anchor="start"))
        return rows

    return Piece(inside.width + wide + 2, inside.above, inside.below, draw, inside.inner)


def summed(low: str, high: str) -> Piece:
    """The sign of a sum with its ends."""
    width = max(lettering(text, size).width for text, size in ((r"\sum", 26.0), (low, 10.5), (high, 10.5)))

    def draw(at: Point) -> list[str]:
        x = at[0] + width / 2
        return [formula(r"\sum", (x, at[1]), size=26.0), formula(low, (x, at[1] + 22), size=10.5), formula(high, (x, at[1] - 21), size=10.5)]

    return Piece(width, 28.0, 30.0, draw)
