"""The writer of formulas: one small walker for LaTeX and for a terminal, in any notation.

It dispatches on the name of the node type and refuses what it does not know. Each rule returns the text and how
tightly it binds, so that brackets appear where a reader needs them and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symrnn.activations import activation
from symrnn.errors import NotSupportedError
from symrnn.notation import INDEXED, Notation, spell

SUM, PRODUCT, HADAMARD, POSTFIX, ATOM = range(5)
INDEX_LETTERS = ("t", "s", "k", "j", "m", "q")


@dataclass(frozen=True)
class Style:
    """Everything that decides how a formula looks.

    Attributes:
        latex: LaTeX where true, Unicode for a terminal where false.
        notation: The profile.
        letters: Printed name of each quantity of the network at hand (``Notation.assign``).
        loss: Name of the loss, for ``∂L/∂W``.
        indices: Letters of the bound indices at this place.
        used: Letters that no bound index may take.
    """

    latex: bool = True
    notation: Notation = INDEXED
    letters: Mapping[str, str] = field(default_factory=dict)
    loss: str = "L"
    indices: Mapping[Any, str] = field(default_factory=dict)
    used: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PlainText:
    """A finished text, for SymPy's pretty printer."""

    content: str

    def _pretty(self, printer: Any) -> Any:
        return printer._print_basestring(self.content)


Written = tuple[str, int]


def latex(node: Any, style: Style | None = None) -> str:
    """Write a formula as LaTeX (math mode; ``amsmath`` and ``amssymb`` suffice)."""
    return _start(node, replace(style or Style(), latex=True))


def text(node: Any, style: Style | None = None) -> str:
    """Write a formula as Unicode text for a terminal."""
    return _start(node, replace(style or Style(), latex=False))


def _start(node: Any, style: Style) -> str:
    times = {s.name for leaf in node.atoms(sympy.Symbol) for s in leaf.free_symbols if not s.name.startswith("_s")}
    return write(node, replace(style, used=frozenset(times)))[0]


def write(node: Any, style: Style) -> Written:
    """Write one node with the rule of its type.

    Raises:
        NotSupportedError: The node type has no rule.
    """
    rule = RULES.get(type(node).__name__)
    if rule is None:
        raise NotSupportedError(f"no rule to write a {type(node).__name__}; add one to symrnn.writer.RULES")
    return rule(node, style)


def bracket(node: Any, style: Style, tighter_than: int) -> str:
    """Write a node, in brackets unless it binds more tightly than its surroundings."""
    body, precedence = write(node, style)
    return body if precedence > tighter_than else parentheses(body, style)


def parentheses(body: str, style: Style) -> str:
    """Put round brackets around a text; large ones in LaTeX where the text is tall."""
    tall = style.latex and any(mark in body for mark in (r"\frac", r"\sum", r"\left"))
    return rf"\left({body}\right)" if tall else f"({body})"


def scalar(value: Any, style: Style) -> str:
    """Write a scalar coefficient or a time."""
    if value in style.indices:
        return style.indices[value]
    named = value.xreplace({s: sympy.Symbol(letter) for s, letter in style.indices.items()}) if style.indices else value
    if isinstance(named, sympy.Add):
        ordered = sorted(named.args, key=lambda a: bool(a.is_number))
        body = " + ".join(scalar(a, replace(style, indices={})) for a in ordered).replace("+ -", "- ")
        return body if style.latex else body.replace(" ", "")
    return sympy.latex(named) if style.latex else str(named)


def time_text(value: Any, style: Style) -> str:
    """Write a time as it stands in a subscript: ``t-1``."""
    return scalar(value, style).replace(" ", "")


def letter_of(name: str, style: Style) -> tuple[str, str]:
    """Base and subscript of a quantity in this style."""
    return spell(style.letters.get(name, name), style.latex)


def mark_adjoint(orders: tuple[int, ...], style: Style) -> str:
    """Return the ``δ`` in front of an adjoint."""
    sign = r"\delta" if style.latex else "δ"
    marks = ["" if order == 1 else (f"^{{{order}}}" if style.latex else "²³⁴⁵⁶⁷⁸⁹"[order - 2]) for order in reversed(orders)]
    return "".join(sign + mark + (" " if style.latex else "") for mark in marks)


def subscripted(base: str, sub: str, style: Style) -> str:
    """Attach a subscript, in braces where needed."""
    if not sub:
        return base
    return f"{base}_{{{sub}}}" if style.latex or len(sub) > 1 else f"{base}_{sub}"


def write_static(node: Any, style: Style) -> Written:
    """``W_f``; ``∂L/∂W_f`` for its gradient."""
    base, sub = letter_of(node.name, style)
    name = subscripted(base, sub, style) if style.latex else base + (f"_{sub}" if sub else "")
    if node.orders == (1,) and node.name != style.loss:
        loss = subscripted(*letter_of(style.loss, style), style)
        return (rf"\frac{{\partial {loss}}}{{\partial {name}}}" if style.latex else f"∂{loss}/∂{name}"), ATOM
    return mark_adjoint(node.orders, style) + name, ATOM


def write_series(node: Any, style: Style) -> Written:
    """A series without its time: ``h``."""
    base, sub = letter_of(node.name, style)
    return mark_adjoint(node.orders, style) + subscripted(base, sub, style), ATOM


def write_at(node: Any, style: Style) -> Written:
    """``h_{t-1}`` or ``h^{(t-1)}``, with ``δ`` in front for an adjoint."""
    base, sub = letter_of(node.name, style)
    time = time_text(node.time, style)
    mark = mark_adjoint(node.series.orders, style)
    if style.notation.superscript_time:
        return mark + subscripted(base, sub, style) + (f"^{{({time})}}" if style.latex else f"^({time})"), ATOM
    return mark + subscripted(base, f"{sub},{time}" if sub else time, style), ATOM


def write_plus(node: Any, style: Style) -> Written:
    """``a + b - c``, in the order in which it was built."""
    out = ""
    for term in node.args:
        body, negative = write_term(term, style)
        sign = "-" if negative else "+"
        out = f"{out} {sign} {body}" if out else ("-" if negative else "") + body
    return out, SUM


def write_term(term: Any, style: Style) -> tuple[str, bool]:
    """Write one term of a sum without its sign; constant matrices are written as their number."""
    kind = type(term).__name__
    if kind == "Ones":
        return "1", False
    if kind == "Scaled":
        c, core = term.args
        negative = bool(c.could_extract_minus_sign())
        return write_scaled_parts(-c if negative else c, core, style), negative
    return bracket(term, style, SUM), False


def write_scaled_parts(c: Any, core: Any, style: Style) -> str:
    """Write ``c A`` for a positive looking ``c``."""
    if type(core).__name__ == "Ones":
        return scalar(c, style)
    body = bracket(core, style, SUM)
    if c == 1:
        return body
    front = scalar(c, style)
    if isinstance(c, sympy.Add):
        front = parentheses(front, style)
    return f"{front} {body}"


def write_scaled(node: Any, style: Style) -> Written:
    """``c A``."""
    c, core = node.args
    negative = bool(c.could_extract_minus_sign())
    body = write_scaled_parts(-c if negative else c, core, style)
    return ("-" + body, SUM) if negative else (body, PRODUCT)


def write_product(node: Any, style: Style) -> Written:
    """``W h``; elementwise products and sums inside are bracketed."""
    last = len(node.args) - 1
    parts = []
    for position, factor in enumerate(node.args):
        kind = type(factor).__name__
        body, precedence = write(factor, style)
        loose = precedence <= HADAMARD or (kind == "TimeSum" and position < last)
        parts.append(parentheses(body, style) if loose else body)
    return " ".join(parts), PRODUCT


def write_hadamard(node: Any, style: Style) -> Written:
    """``a ⊙ b``; matrix products and sums inside are bracketed."""
    sign = style.notation.hadamard[0 if style.latex else 1]
    return f" {sign} ".join(bracket(factor, style, HADAMARD) for factor in node.args), HADAMARD


def superscripted(node: Any, sup: str, style: Style) -> Written:
    """Attach a superscript; a base that carries one already is put in braces."""
    body = bracket(node, style, POSTFIX)
    if style.latex and type(node).__name__ in {"At", "Static", "Series"} and ("^" in body or r"\delta" in body):
        body = f"{{{body}}}"
    if not style.latex and type(node).__name__ in {"At", "Static", "Series"} and body[0] in "δ∂":
        body = f"({body})" if body[0] == "∂" else body
    return body + (f"^{{{sup}}}" if style.latex else sup), POSTFIX


def write_transposed(node: Any, style: Style) -> Written:
    """``Aᵀ``."""
    return superscripted(node.args[0], r"\top" if style.latex else "ᵀ", style)


def write_elementwise(node: Any, style: Style) -> Written:
    """``tanh(a)``; the reciprocal as a power."""
    row = activation(str(node.args[0]))
    if row.name == "reciprocal":
        single = node.shape == (1, 1)
        latex_power, text_power = ("-1", "⁻¹") if single else (r"\circ -1", "^∘⁻¹")
        return superscripted(node.args[1], latex_power if style.latex else text_power, style)
    names = style.notation.functions.get(row.name, (row.latex, row.text))
    return call(names[0 if style.latex else 1], node.args[1], style)


def call(function: str, argument: Any, style: Style) -> Written:
    """``f(a)``."""
    return function + parentheses(write(argument, style)[0], style), ATOM


def write_softmax(node: Any, style: Style) -> Written:
    """``softmax(a)``."""
    return call(r"\operatorname{softmax}" if style.latex else "softmax", node.args[0], style)


def write_log_softmax(node: Any, style: Style) -> Written:
    """``log softmax(a)``."""
    body, _ = write_softmax(node, style)
    return (r"\log " if style.latex else "log ") + body, PRODUCT


def write_total(node: Any, style: Style) -> Written:
    """``1ᵀ a`` for a column, ``1ᵀ A 1`` for a matrix."""
    one, up = (r"\mathbf{1}", r"^{\top}") if style.latex else ("1", "ᵀ")
    body = bracket(node.args[0], style, HADAMARD)
    return f"{one}{up} {body}" + ("" if node.args[0].shape[1] == 1 else f" {one}"), PRODUCT


def write_constant(sign: tuple[str, str]) -> Callable[[Any, Style], Written]:
    """Return the rule of a constant matrix."""
    return lambda node, style: (sign[0 if style.latex else 1], ATOM)


def write_ones(node: Any, style: Style) -> Written:
    """``1``, bold in LaTeX where it is not a number."""
    return (r"\mathbf{1}" if style.latex and node.shape != (1, 1) else "1"), ATOM


def write_wrapped(latex_name: str, text_name: str) -> Callable[[Any, Style], Written]:
    """Return the rule of a node that is written as a function of its operand."""
    return lambda node, style: call(latex_name if style.latex else text_name, node.args[0], style)


def write_one_hot(node: Any, style: Style) -> Written:
    """``e_w``."""
    index = write(node.args[0], style)[0]
    return f"e_{{{index}}}", ATOM


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
        return r"\begin{bmatrix} " + r" \\ ".join(parts) + r" \end{bmatrix}", ATOM
    return "[" + "; ".join(parts) + "]", ATOM


def with_index(node: Any, style: Style) -> tuple[str, Style]:
    """Choose a letter for the index that a node binds: the first that nothing around or inside it uses."""
    taken = style.used | set(style.indices.values())
    letter = next(candidate for candidate in INDEX_LETTERS if candidate not in taken)
    return letter, replace(style, indices={**style.indices, node.args[1]: letter})


def write_time_sum(node: Any, style: Style) -> Written:
    """``Σ_{t=1}^{T} body``."""
    letter, inner = with_index(node, style)
    lo, hi = time_text(node.args[2], style), time_text(node.args[3], style)
    body = bracket(node.args[0], inner, SUM)
    if style.latex:
        return rf"\sum_{{{letter}={lo}}}^{{{hi}}} {body}", PRODUCT
    return f"Σ_{{{letter}={lo}}}^{hi if len(hi) == 1 else '{' + hi + '}'} {body}", PRODUCT


def write_columns(node: Any, style: Style) -> Written:
    """``[h_1 … h_S]``."""
    body, index, lo, hi = node.args
    first, last = (write(body.xreplace({index: end}), style)[0] for end in (lo, hi))
    return (rf"\left[{first}, \dots, {last}\right]" if style.latex else f"[{first} … {last}]"), ATOM


RULES: dict[str, Callable[[Any, Style], Written]] = {
    "At": write_at,
    "Column": write_column,
    "Columns": write_columns,
    "Diag": write_wrapped(r"\operatorname{diag}", "diag"),
    "Elementwise": write_elementwise,
    "Gather": write_gather,
    "Hadamard": write_hadamard,
    "Identity": write_constant(("I", "I")),
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
    "StopGradient": write_wrapped(r"\operatorname{sg}", "sg"),
    "TimeSum": write_time_sum,
    "Total": write_total,
    "Transposed": write_transposed,
    "Zeros": write_constant(("0", "0")),
}
