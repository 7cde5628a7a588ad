"""Signs: what is written without a walk through operands, such as functions, constants and brackets of conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symrnn.notation import function_name
from symrnn.quantity_text import ATOM, POSTFIX, Written
from symrnn.style import Style, scalar, time_text


def times(style: Style) -> str:
    """The sign of the matrix product: none, but ``*`` in ASCII."""
    return style.pick(" ", " ", " * ")


def transpose(style: Style) -> str:
    """The sign of the transpose."""
    return style.pick(r"^{\top}", "ᵀ", "^T")


def function_text(row: Any, style: Style) -> str:
    """Write the name of a function; the derivatives of an open one have its letter."""
    stem = row.name.rstrip("'")
    if stem not in style.notation.functions:
        return style.pick(row.latex, row.text, row.name)
    primes = row.name[len(stem):]
    return function_name(style.notation.functions[stem], style.medium) + style.pick(primes, "′" * len(primes), primes)


def write_constant(sign: str) -> Callable[[Any, Style], Written]:
    """Return the rule of a constant matrix."""
    return lambda node, style: (sign, ATOM)


def write_ones(node: Any, style: Style) -> Written:
    """``1``, bold in LaTeX where it is not a number; a row of ones is ``1ᵀ``."""
    if node.shape[0] == 1 != node.shape[1]:
        return style.pick(r"\mathbf{1}", "1") + transpose(style), POSTFIX
    return style.pick("1" if node.shape == (1, 1) else r"\mathbf{1}", "1"), ATOM


def divides_text(node: Any, style: Style, *, negated: bool = False) -> str:
    """Write ``K ∣ t-1``, ``K ∣ t-1 > 0`` or ``K ∤ t-1``."""
    number, time = scalar(node.args[0], style), time_text(node.args[1], style)
    sign = style.pick(r"\nmid", "∤", "!|") if negated else style.pick(r"\mid", "∣", "|")
    return f"{number} {sign} {time}" + (" > 0" if len(node.args) == 3 else "")


def write_divides(node: Any, style: Style) -> Written:
    """``[K ∣ t-1]``: 1 where ``K`` divides ``t - 1``, else 0."""
    return f"[{divides_text(node, style)}]", ATOM


def bracket_of_complement(node: Any, style: Style) -> str | None:
    """``[K ∤ t]`` for ``1 - [K ∣ t]``; ``None`` for any other sum."""
    ones, negative, *more = node.args
    if more or type(ones).__name__ != "Ones" or type(negative).__name__ != "Scaled" or negative.args[0] != -1:
        return None
    held = negative.args[1]
    if type(held).__name__ != "Divides" or len(held.args) == 3:
        return None
    return f"[{divides_text(held, style, negated=True)}]"


def stop_sign(condition: str, style: Style) -> str:
    """Write the name of a stopped gradient, with the condition under which it stops: ``sg_{K∣t-1}``."""
    condition = condition if style.latex else condition.replace(" ", "")
    below = condition[1:-1] if condition.startswith("[") and condition.find("]") == len(condition) - 1 else condition
    return style.pick(r"\operatorname{sg}", "sg") + (f"_{{{below}}}" if below else "")


def rows_text(node: Any, style: Style) -> str:
    """Write which rows are picked."""
    return f"{time_text(node.args[1] + 1, style)}:{time_text(node.args[2], style)}"


def columns_of(node: Any) -> Any:
    """Return the rows of ``Aᵀ`` whose transpose a node is; nothing where it is none."""
    rows = node.args[0] if type(node).__name__ == "Transposed" else None
    if rows is None or type(rows).__name__ != "Rows":
        return None
    return rows if type(rows.args[0]).__name__ == "Transposed" else None
