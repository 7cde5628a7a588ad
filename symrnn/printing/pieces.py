"""What a print is made of: formulas that are not yet written in any format, in lines, sentences, tables and sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sympy import Expr

from symrnn.expr import Node
from symrnn.printing.columns import ColumnForm, ColumnOf
from symrnn.printing.parts import LayerNumber, LayerRange, Spelled
from symrnn.times import Span


@dataclass(frozen=True)
class Ratio:
    """``∂above/∂below``."""

    above: Node
    below: Node


@dataclass(frozen=True)
class Chain:
    """``(∂above/∂below)ᵀ received``."""

    above: Node
    below: Node
    received: Node


@dataclass(frozen=True)
class Equality:
    """``left = right`` inside a sentence, or with another sign such as ``≥``."""

    left: Formula
    right: Formula
    sign: str = "="


@dataclass(frozen=True)
class Code:
    """A name or a rule as it stands in the source."""

    content: str


@dataclass(frozen=True)
class Lettered:
    """A quantity in a letter that it does not have in this network."""

    node: Node
    letter: str


Formula: TypeAlias = Node | Ratio | Chain | Lettered | ColumnForm | ColumnOf | LayerNumber | LayerRange | Spelled | Expr
Piece: TypeAlias = str | Code | Equality | Formula


@dataclass(frozen=True)
class Words:
    """A sentence with formulas in it."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Line:
    """One printed equation.

    Attributes:
        left: The left side; ``None`` continues the line above.
        right: The right side.
        span: The times at which it holds, where there are several.
        descending: Whether the times are run from the last to the first.
        sign: ``=``, ``+=``, or empty where the right side goes on from the line above.
    """

    left: Formula | None
    right: Node | ColumnForm | Spelled
    span: Span | None = None
    descending: bool = False
    sign: str = "="


@dataclass(frozen=True)
class Equations:
    """Equations below each other, aligned at their signs."""

    lines: tuple[Line, ...]


class ShapeRow(NamedTuple):
    """Quantities of one kind and shape; of one layer that stands for several, where it says for which."""

    kind: str
    values: tuple[Node, ...]
    shape: tuple[Expr, Expr]
    layers: LayerRange | None = None


@dataclass(frozen=True)
class Shapes:
    """What there is, with shapes."""

    rows: tuple[ShapeRow, ...]


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; level 1 is the highest.

    Attributes:
        heading: Words and formulas.
        body: In order.
        level: 1 or 2.
        layer: The number of the layer that it is about.
        layers: The layers that this one stands for, where it stands for several.
    """

    heading: tuple[Piece, ...]
    body: tuple[Words | Equations | Shapes, ...] = ()
    level: int = 1
    layer: int | None = None
    layers: LayerRange | None = None


@dataclass(frozen=True)
class Outline:
    """A title and sections."""

    title: str
    sections: tuple[Section, ...]
