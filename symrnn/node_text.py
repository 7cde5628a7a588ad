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
from symrnn.style import (
    Style,
    coefficient,
    derivative,
    mark_adjoint,
    parentheses,
    scalar,
    static_name,
    time_text,
    value_name,
)

SUM, PREFIX, PRODUCT, HADAMARD, POSTFIX, ATOM = range(6)
"""How tightly a text binds. A prefix is what reaches to the right as far as it can: ``Σ_t …``, ``log softmax(…)``."""

INDEX_LETTERS = ("t", "s", "k", "j", "m", "q")

Written = tuple[str, int]


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


def write_static(node: Any, style: Style) -> Written:
    """``W_f``; ``∂L/∂W_f`` for its gradient."""
    loss = style.losses.get(node.orders[0]) if len(node.orders) == 1 else None
    if loss is None or node.name in style.losses.values():
        return mark_adjoint(node.orders, style) + static_name(node.name, style), ATOM
    return derivative(static_name(loss, style), static_name(node.name, style), style), POSTFIX if style.latex else PREFIX


def write_series(node: Any, style: Style) -> Written:
    """A series without its time: ``h``."""
    return mark_adjoint(node.orders, style) + value_name(node.name, None, style), ATOM


def write_at(node: Any, style: Style) -> Written:
    """``h_{t-1}`` or ``h^{(t-1)}``, with ``δ`` in front for an adjoint."""
    return mark_adjoint(node.series.orders, style) + value_name(node.name, node.time, style), ATOM


def write_plus(node: Any, style: Style) -> Written:
    """``a + b - c``, in the order in which it was built."""
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


def times(style: Style) -> str:
    """The sign of the matrix product: none, but ``*`` in ASCII."""
    return style.pick(" ", " ", " * ")


def write_product(node: Any, style: Style) -> Written:
    """``W h``; what weights a column is set apart: ``m_t (a - b)`` for a 1×1 ``m_t``, ``1 (sᵀ g)`` for an inner product."""
    column = next((k for k, factor in enumerate(node.args[:-1], 1) if factor.shape[1] == 1), 0)
    weights = node.args[column:]
    if not column or node.shape[1] != 1 or node.shape[0] == 1:
        return times(style).join(factors(node.args, style)), PRODUCT
    body = times(style).join(factors(node.args[:column], style))
    if any(weight.shape != (1, 1) for weight in weights):
        return times(style).join([body, parentheses(times(style).join(factors(weights, style)), style)]), PRODUCT
    return times(style).join([*(bracket(weight, style, HADAMARD) for weight in weights), body]), PRODUCT


def factors(nodes: Sequence[Any], style: Style) -> Iterator[str]:
    """Write the factors of a matrix product; what reaches to the right needs no brackets at the end."""
    for position, factor in enumerate(nodes, 1):
        body, precedence = write(factor, style)
        loose = precedence in {SUM, HADAMARD} or (precedence == PREFIX and position < len(nodes))
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
    """``Aᵀ``."""
    return superscripted(node.args[0], transpose(style), style)


def transpose(style: Style) -> str:
    """The sign of the transpose."""
    return style.pick(r"^{\top}", "ᵀ", "^T")


def write_elementwise(node: Any, style: Style) -> Written:
    """``tanh(a)``; the reciprocal as a power."""
    row = activation(str(node.args[0]))
    if row.name == "reciprocal" and node.shape == (1, 1):
        return superscripted(node.args[1], style.pick("^{-1}", "⁻¹", "^-1"), style)
    if row.name == "reciprocal":
        return superscripted(node.args[1], style.pick(r"^{\circ -1}", "^∘⁻¹", ".^-1"), style)
    return call(style.pick(*style.notation.functions.get(row.name, (row.latex, row.text)), row.name), node.args[1], style)


def call(function: str, argument: Any, style: Style) -> Written:
    """``f(a)``."""
    return function + parentheses(write(argument, style)[0], style), ATOM


def write_function(name: str) -> Callable[[Any, Style], Written]:
    """Return the rule of a node that is written as a function of its operand: ``softmax(a)``, ``diag(a)``."""
    return lambda node, style: call(style.pick(rf"\operatorname{{{name}}}", name), node.args[0], style)


def write_log_softmax(node: Any, style: Style) -> Written:
    """``log softmax(a)``."""
    return style.pick(r"\log ", "log ") + write_function("softmax")(node, style)[0], PREFIX


def write_total(node: Any, style: Style) -> Written:
    """``1ᵀ a`` for a column, ``1ᵀ A 1`` for a matrix."""
    one, inner = style.pick(r"\mathbf{1}", "1"), node.args[0]
    closing = [] if inner.shape[1] == 1 else [one]
    body = inner.args if type(inner).__name__ == "Product" else (inner,)
    middle = list(factors(body, style)) if not closing else [bracket(inner, style, HADAMARD)]
    return times(style).join([one + transpose(style), *middle, *closing]), PRODUCT


def write_constant(sign: str) -> Callable[[Any, Style], Written]:
    """Return the rule of a constant matrix."""
    return lambda node, style: (sign, ATOM)


def write_ones(node: Any, style: Style) -> Written:
    """``1``, bold in LaTeX where it is not a number."""
    return style.pick("1" if node.shape == (1, 1) else r"\mathbf{1}", "1"), ATOM


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


def write_gather(node: Any, style: Style) -> Written:
    """``[E]_{:,w}``: column ``w`` of a table."""
    return picked(node.args[0], f":,{write(node.args[1], style)[0]}", style)


def write_column(node: Any, style: Style) -> Written:
    """``[A]_{:,t}``."""
    return picked(node.args[0], f":,{time_text(node.args[1], style)}", style)


def write_rows(node: Any, style: Style) -> Written:
    """``[A]_{1:H}``, counted from 1, both ends included."""
    first, last = time_text(node.args[1] + 1, style), time_text(node.args[2], style)
    return picked(node.args[0], f"{first}:{last}", style)


def write_stacked(node: Any, style: Style) -> Written:
    """``[a; b]``."""
    parts = [write(part, style)[0] for part in node.args]
    if style.latex:
        rows = ["{}" + part if part.startswith("[") else part for part in parts]  # a bracket after \\ is its option
        return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}", ATOM
    return "[" + "; ".join(parts) + "]", ATOM


def write_time_sum(node: Any, style: Style) -> Written:
    """``Σ_{t=1}^{T} body``; the index gets the first letter that nothing around or inside it uses."""
    taken = style.used | set(style.indices.values())
    letters = itertools.chain(INDEX_LETTERS, (f"t{number}" for number in itertools.count(2)))
    letter = next(candidate for candidate in letters if candidate not in taken)
    lo, hi = time_text(node.args[2], style), time_text(node.args[3], style)
    body = bracket(node.args[0], replace(style, indices={**style.indices, node.args[1]: letter}), SUM)
    top = f"{{{hi}}}" if style.medium != "unicode" or len(hi) > 1 else hi
    return style.pick(r"\sum", "Σ", "sum") + f"_{{{letter}={lo}}}^{top} {body}", PREFIX


def write_columns(node: Any, style: Style) -> Written:
    """``[h_1 … h_S]``."""
    body, index, lo, hi = node.args
    first, last = (write(body.xreplace({index: end}), style)[0] for end in (lo, hi))
    return style.pick(rf"\left[{first}, \dots, {last}\right]", f"[{first} … {last}]", f"[{first} ... {last}]"), ATOM


RULES: dict[str, Callable[[Any, Style], Written]] = {
    "At": write_at,
    "Column": write_column,
    "Columns": write_columns,
    "Diag": write_function("diag"),
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
    "Softmax": write_function("softmax"),
    "Stacked": write_stacked,
    "Static": write_static,
    "StopGradient": write_function("sg"),
    "TimeSum": write_time_sum,
    "Total": write_total,
    "Transposed": write_transposed,
    "Zeros": write_constant("0"),
}
