"""How each node type is written: one rule each, for LaTeX and for a terminal.

The walker dispatches on the name of the node type and refuses what it does not know. Each rule returns the text and
how tightly it binds, so that brackets appear where a reader needs them and nowhere else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symrnn.activations import activation
from symrnn.errors import NotSupportedError
from symrnn.quantity_text import (
    ATOM,
    HADAMARD,
    POSTFIX,
    PREFIX,
    PRODUCT,
    SUM,
    Written,
    numbered_above,
    write_at,
    write_series,
    write_static,
)
from symrnn.sign_text import (
    bracket_of_complement,
    columns_of,
    function_text,
    rows_text,
    stop_sign,
    times,
    transpose,
    write_constant,
    write_divides,
    write_ones,
)
from symrnn.style import Style, coefficient, generic_time, parentheses, scalar, time_text

INDEX_LETTERS = ("s", "k", "j", "m", "q")
LONG_ROW = 120  # characters of LaTeX above which a row of blocks is set on several lines


def write(node: Any, style: Style) -> Written:
    """Write one node with the rule of its type.

    Raises:
        NotSupportedError: The node type has no rule.
    """
    rule = RULES.get(type(node).__name__)
    if rule is None:
        raise NotSupportedError(f"no rule to write a {type(node).__name__}; add one to symrnn.node_text.RULES")
    return rule(node, style)


def bracket(node: Any, style: Style, tighter_than: int) -> str:
    """Write a node, in brackets unless it binds more tightly than its surroundings."""
    body, precedence = write(node, style)
    return body if precedence > tighter_than else parentheses(body, style)


def write_plus(node: Any, style: Style) -> Written:
    """``a + b - c``, in the order in which it was built; ``[K ∤ t]`` for ``1 - [K ∣ t]``."""
    if (opposite := bracket_of_complement(node, style)) is not None:
        return opposite, ATOM
    out = ""
    for term in node.args:
        body, negative = write_term(term, style)
        sign = "-" if negative else "+"
        out = f"{out} {sign} {body}" if out else ("-" if negative else "") + body
    return out, SUM


def write_term(term: Any, style: Style) -> tuple[str, bool]:
    """Write one term of a sum and tell whether its sign is negative; a constant matrix is written as its number."""
    if type(term).__name__ == "Ones":
        return "1", False
    if type(term).__name__ != "Scaled":
        return bracket(term, style, SUM), False
    c, core = term.args
    negative = bool(c.could_extract_minus_sign())
    size = -c if negative else c
    if type(core).__name__ == "Ones":
        return scalar(size, style), negative
    body = bracket(core, style, SUM)
    return (body if size == 1 else coefficient(size, style) + times(style) + body), negative


def write_scaled(node: Any, style: Style) -> Written:
    """``c A``."""
    body, negative = write_term(node, style)
    return ("-" + body, SUM) if negative else (body, PREFIX)


def mirrored(parts: Sequence[Any], style: Style) -> list[Any]:
    """Return the factors of a product in printed order: from the last to the first where vectors are rows."""
    return list(reversed(parts)) if style.notation.rows else list(parts)


def write_product(node: Any, style: Style) -> Written:
    """``W h``; what weights a column is set apart: ``m_t (a - b)`` for a 1×1 ``m_t``, ``1 (sᵀ g)`` for an inner product."""
    column = next((k for k, factor in enumerate(node.args[:-1], 1) if factor.shape[1] == 1), 0)
    weights = node.args[column:]
    if not column or node.shape[1] != 1 or node.shape[0] == 1:
        return times(style).join(factors(node.args, style)), PRODUCT
    body = times(style).join(factors(node.args[:column], style))
    if any(weight.shape != (1, 1) for weight in weights):
        apart = parentheses(times(style).join(factors(weights, style)), style)
        return times(style).join(mirrored([body, apart], style)), PRODUCT
    return times(style).join([*(bracket(weight, style, HADAMARD) for weight in weights), body]), PRODUCT


def factors(nodes: Sequence[Any], style: Style, *, followed: bool = False) -> Iterator[str]:
    """Write the factors of a matrix product; what reaches to the right needs no brackets at the end of it all."""
    for position, factor in enumerate(mirrored(nodes, style), 1):
        body, precedence = write(factor, style)
        loose = precedence in {SUM, HADAMARD} or (precedence == PREFIX and (followed or position < len(nodes)))
        yield parentheses(body, style) if loose else body


def write_hadamard(node: Any, style: Style) -> Written:
    """``a ⊙ b``; matrix products and sums inside are bracketed."""
    sign = style.pick(*style.notation.hadamard, ".*")
    return f" {sign} ".join(bracket(factor, style, HADAMARD) for factor in node.args), HADAMARD


def superscripted(node: Any, sup: str, style: Style) -> Written:
    """Attach a superscript; in LaTeX a base that carries one already is put in braces."""
    body, precedence = write(node, style)
    if precedence <= POSTFIX:
        body = parentheses(body, style)
    elif style.latex and "^" in body and type(node).__name__ in {"At", "Static"}:
        body = f"{{{body}}}"
    return body + sup, POSTFIX


def write_transposed(node: Any, style: Style) -> Written:
    r"""``Aᵀ``; ``[A]_{:,1:H}`` for rows of ``Aᵀ`` turned back; in LaTeX the number of a layer shares its superscript with the sign, ``W^{(2)\top}``."""
    if (columns := columns_of(node)) is not None:
        return picked(columns.args[0].args[0], of_columns(rows_text(columns, style), style), style)
    body, precedence = write(node.args[0], style)
    if style.latex and precedence == ATOM and numbered_above(node.args[0], style):
        return body.removesuffix("}") + transpose(style).removeprefix("^{"), POSTFIX
    return superscripted(node.args[0], transpose(style), style)


def write_elementwise(node: Any, style: Style) -> Written:
    """``tanh(a)``; the reciprocal as a power, in LaTeX one over a root as a fraction."""
    row = activation(str(node.args[0]))
    if row.name == "rsqrt" and node.shape == (1, 1) and style.latex:
        return rf"\frac{{1}}{{\sqrt{{{write(node.args[1], style)[0]}}}}}", POSTFIX
    if row.name == "reciprocal" and node.shape == (1, 1):
        return superscripted(node.args[1], style.pick("^{-1}", "⁻¹", "^-1"), style)
    if row.name == "reciprocal":
        return superscripted(node.args[1], style.pick(r"^{\circ -1}", "^∘⁻¹", ".^-1"), style)
    return call(function_text(row, style), node.args[1], style)


def call(function: str, argument: Any, style: Style) -> Written:
    """``f(a)``."""
    return function + parentheses(write(argument, style)[0], style), ATOM


def write_function(name: str) -> Callable[[Any, Style], Written]:
    """Return the rule of a node that is written as a function of its operand: ``softmax(a)``, ``diag(a)``."""
    return lambda node, style: call(style.pick(rf"\operatorname{{{name}}}", name), node.args[0], style)


def write_stop_gradient(node: Any, style: Style) -> Written:
    """``sg(a)``, and ``sg_{K∣t-1}(a)`` with a condition."""
    condition = write(node.args[1], style)[0] if len(node.args) == 2 else ""
    return call(stop_sign(condition, style), node.args[0], style)


def write_softmax(node: Any, style: Style) -> Written:
    """``softmax(a)``, and ``softmax(a; m)`` over the rows that a mask leaves in."""
    if node.mask is None:
        return write_function("softmax")(node, style)
    inner = "; ".join(write(arg, style)[0] for arg in node.args)
    return style.pick(r"\operatorname{softmax}", "softmax") + parentheses(inner, style), ATOM


def write_log_softmax(node: Any, style: Style) -> Written:
    """``log softmax(a)``."""
    return style.pick(r"\log ", "log ") + write_function("softmax")(node, style)[0], PREFIX


def write_total(node: Any, style: Style) -> Written:
    """``1ᵀ a`` for a column, ``1ᵀ A 1`` for a matrix."""
    one, inner = style.pick(r"\mathbf{1}", "1"), node.args[0]
    if inner.shape[1] != 1:
        parts = [one + transpose(style), bracket(inner, style, HADAMARD), one]
        return times(style).join(mirrored(parts, style)), PRODUCT
    body = inner.args if type(inner).__name__ == "Product" else (inner,)
    middle = times(style).join(factors(body, style, followed=style.notation.rows))
    return times(style).join(mirrored([one + transpose(style), middle], style)), PRODUCT


def write_one_hot(node: Any, style: Style) -> Written:
    """``e_w``; a constant place is counted from 1, as columns and rows are."""
    index = node.args[0]
    constant = {"Zeros": 1, "Ones": 2}.get(type(index).__name__)
    if type(index).__name__ == "Scaled" and type(index.args[1]).__name__ == "Ones":
        constant = index.args[0] + 1
    place = write(index, style)[0] if constant is None else time_text(sympy.sympify(constant), style)
    return f"e_{{{place}}}", ATOM


def picked(node: Any, place: str, style: Style) -> Written:
    """``[A]_{place}``."""
    return f"[{write(node, style)[0]}]_{{{place}}}", ATOM


def of_columns(place: str, style: Style) -> str:
    """Return a place among the columns of a matrix, which are rows where vectors are."""
    return f"{place},:" if style.notation.rows else f":,{place}"


def write_gather(node: Any, style: Style) -> Written:
    """``[E]_{:,w}``: column ``w`` of a table."""
    return picked(node.args[0], of_columns(write(node.args[1], style)[0], style), style)


def write_column(node: Any, style: Style) -> Written:
    """``[A]_{:,t}``."""
    return picked(node.args[0], of_columns(time_text(node.args[1], style), style), style)


def write_rows(node: Any, style: Style) -> Written:
    """``[A]_{1:H}``, counted from 1, both ends included; ``[A]_{1:H,1:D}`` for rows of columns."""
    place = rows_text(node, style)
    if (columns := columns_of(node.args[0])) is not None:
        return picked(columns.args[0].args[0], ",".join(mirrored([place, rows_text(columns, style)], style)), style)
    return picked(node.args[0], f":,{place}" if style.notation.rows and node.shape[1] != 1 else place, style)


def write_stacked(node: Any, style: Style) -> Written:
    """``[a; b]``, and ``[a, b]`` where vectors are rows: with bars and on several lines where it is too long for one."""
    parts = [write(part, style)[0] for part in node.args]
    if style.latex:
        rows = ["{}" + part if part.startswith("[") else part for part in parts]  # a bracket after \\ is its option
        if style.notation.rows and sum(map(len, rows)) > LONG_ROW:
            return r"\left[\begin{array}{l} " + r" \;\big| \\ ".join(rows) + r" \end{array}\right]", ATOM
        between = " & " if style.notation.rows else r" \\ "
        return r"\begin{bmatrix} " + between.join(rows) + r" \end{bmatrix}", ATOM
    return "[" + (", " if style.notation.rows else "; ").join(parts) + "]", ATOM


def write_time_sum(node: Any, style: Style) -> Written:
    """``Σ_{t=1}^{T} body``; the index gets the first letter that nothing around or inside it uses."""
    taken = style.used | set(style.indices.values())
    letters = itertools.chain((generic_time(style),), INDEX_LETTERS, (f"t{number}" for number in itertools.count(2)))
    letter = next(candidate for candidate in letters if candidate not in taken)
    lo, hi = time_text(node.args[2], style), time_text(node.args[3], style)
    body = bracket(node.args[0], replace(style, indices={**style.indices, node.args[1]: letter}), SUM)
    top = f"{{{hi}}}" if style.medium != "unicode" or len(hi) > 1 else hi
    return style.pick(r"\sum", "Σ", "sum") + f"_{{{letter}={lo}}}^{top} {body}", PREFIX


def write_columns(node: Any, style: Style) -> Written:
    """``[h_1 … h_S]``."""
    body, index, lo, hi = node.args
    first, last = (write(body.xreplace({index: end}), style)[0] for end in (lo, hi))
    mark = ";" if style.notation.rows else ""
    in_latex = rf"\left[{first}{mark or ','} \dots{mark or ','} {last}\right]"
    return style.pick(in_latex, f"[{first}{mark} …{mark} {last}]", f"[{first}{mark} ...{mark} {last}]"), ATOM


RULES: dict[str, Callable[[Any, Style], Written]] = {
    "At": write_at,
    "Column": write_column,
    "Columns": write_columns,
    "Diag": write_function("diag"),
    "Divides": write_divides,
    "Elementwise": write_elementwise,
    "Gather": write_gather,
    "Hadamard": write_hadamard,
    "Identity": write_constant("I"),
    "LogSoftmax": write_log_softmax,
    "OneHot": write_one_hot,
    "Ones": write_ones,
    "Plus": write_plus,
    "Product": write_product,
    "Rows": write_rows,
    "Scaled": write_scaled,
    "Series": write_series,
    "Softmax": write_softmax,
    "Stacked": write_stacked,
    "Static": write_static,
    "StopGradient": write_stop_gradient,
    "TimeSum": write_time_sum,
    "Total": write_total,
    "Transposed": write_transposed,
    "Zeros": write_constant("0"),
}
