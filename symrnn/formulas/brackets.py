"""What stands in square brackets: stacks, sequences of columns, conditions on times, rows and columns of a matrix."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

from sympy import Expr, Integer, Symbol, expand

from symrnn.errors import SpecError
from symrnn.expr import At, Column, Columns, Divides, Gather, Ones, Rows, Scaled, Stacked, Transposed, Zeros, complement
from symrnn.formulas.context import Context
from symrnn.formulas.shaping import Value, is_node, solved, turned, unknown_size
from symrnn.formulas.surface import FormulaError, place_of, plain, source_of, unwrapped


def bracketed(context: Context, atom: Any) -> list[Value]:
    """``[a]``, ``[a; b]``, ``[h_1 … h_S]``."""
    cells = [c for c in atom.children if getattr(c, "data", "") == "sum" or getattr(c, "type", "") == "DOTS"]
    dots = [k for k, cell in enumerate(cells) if getattr(cell, "type", "") == "DOTS"]
    if dots:
        if dots != [1] or len(cells) != 3:
            raise FormulaError(context.formula, place_of(cells[dots[0]]) + 1, "a sequence is its first and its last column: [h_1 … h_S]")
        ends = product(context.sum(cells[0]), context.sum(cells[2]))
        return context.fitting(atom, [partial(sequence, a, b) for a, b in ends])
    readings = [context.sum(cell) for cell in cells]
    if len(cells) == 1:
        return readings[0]
    return context.fitting(atom, [partial(stacked, parts) for parts in product(*readings)])


def stacked(parts: tuple[Value, ...]) -> Value:
    """``[a; b]``; zeros among the parts have as many columns as the others."""
    widths = [part.shape[1] for part in parts if is_node(part)]
    width = widths[0] if widths else Integer(1)
    made = [part if is_node(part) else filled(part, width) for part in parts]
    fixed = []
    for part in made:
        put = solved(part.shape[1], width)
        fixed.append(part.xreplace(put) if put else part)
    return Stacked(*fixed)


def filled(number: Expr, width: Expr) -> Value:
    """Return a block of one number with as many rows as its surroundings want."""
    rows = unknown_size()
    return Zeros(rows, width) if number == 0 else Scaled(number, Ones(rows, width))


def sequence(first: Any, last: Any) -> Value:
    """``[h_lo … h_hi]``."""
    index = Symbol("_column", integer=True)
    ends = [a.time for a in first.atoms(At)]
    others = [b.time for b in last.atoms(At)]
    times = [(a, b) for a in ends for b in others if expand(a - b) != 0]
    for lo, hi in times:
        moved = {a: At(a.series, expand(a.time - lo + index)) for a in first.atoms(At)}
        body = first.xreplace({a: m for a, m in moved.items() if expand(a.time - lo).is_Integer})
        if body.xreplace({index: hi}) == last:
            return Columns(body, index, lo, hi)
    raise SpecError("the first and the last column are not one quantity at two times")


def divides(context: Context, atom: Any) -> list[Value]:
    """``[K ∣ t-1]``, ``[K ∣ t-1 > 0]``, ``[K ∤ t-1]``."""
    number, sign, time, *above = atom.children
    parts = [context.letters.time(plain(source_of(part, context.formula))) for part in (number, time)]
    for part, value in zip((number, time), parts, strict=True):
        if value is None:
            raise FormulaError(context.formula, place_of(part) + 1, f"{source_of(part, context.formula)} is neither a number nor a time")
    condition = Divides(parts[0], parts[1], 1 if above else 0)
    return [complement(condition) if str(sign) in {"∤", r"\nmid"} else condition]


def picked(context: Context, factor: Any, below: str) -> list[Value]:
    """``[A]_{1:H}``, ``[A]_{:,w}``, ``[A]_{1:H,1:D}``: rows, columns, or both."""
    script = next(s for s in factor.children[1:] if s.data == "below").children[0]
    raw = source_of(script, context.formula)
    start = place_of(script) + (1 if raw.startswith("{") else 0)
    pieces, place = [], start
    for piece in split(unwrapped(raw)):
        pieces.append((piece.strip(), place))
        place += len(piece) + 1
    if len(pieces) > 2 or (len(pieces) == 1 and ":" not in below):
        raise FormulaError(context.formula, start + 1, "rows are picked as in [a]_{1:H}, a column as in [A]_{:,t}")
    if context.letters.rows and len(pieces) == 2:
        pieces.reverse()
    matrices = bracketed(context, factor.children[0])
    for axis, (piece, where) in enumerate(pieces):
        matrices = along(context, factor, matrices, axis, piece, where)
    return matrices


def split(text: str) -> list[str]:
    """Split a place at the commas that stand outside of braces and brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def along(context: Context, factor: Any, matrices: list[Value], axis: int, piece: str, where: int) -> list[Value]:
    """Pick rows (axis 0) or columns (axis 1)."""
    if piece == ":":
        return matrices
    if ":" in piece:
        lo, hi = (context.letters.time(plain(end)) for end in piece.split(":"))
        if lo is None or hi is None:
            raise FormulaError(context.formula, where + 1, f"{piece} is no range of rows")
        return context.fitting(factor, [partial(rows_of if axis == 0 else columns_of, m, lo, hi) for m in matrices])
    if axis == 0:
        return [turned(m) for m in along(context, factor, [turned(m) for m in matrices], 1, piece, where)]
    number = context.letters.time(plain(piece))
    if number is not None:
        return context.fitting(factor, [partial(Column, m, number) for m in matrices])
    indices = context.nested(piece, where)
    return context.fitting(factor, [partial(Gather, m, i) for m, i in product(matrices, indices)])


def rows_of(matrix: Value, lo: Expr, hi: Expr) -> Value:
    """Rows ``lo … hi``, counted from 1."""
    return Rows(matrix, lo - 1, hi)


def columns_of(matrix: Value, lo: Expr, hi: Expr) -> Value:
    """Columns ``lo … hi``, counted from 1."""
    return turned(Rows(Transposed(matrix), lo - 1, hi))
