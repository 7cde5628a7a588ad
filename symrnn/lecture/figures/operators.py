"""What stands in the box of an operation: the sign of a function, the names of weights, the rows of a slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symrnn import writer
from symrnn.activations import activation
from symrnn.expr import Identity, Leaf, Ones, Scaled, Static, Transposed, Zeros, split_scalar
from symrnn.sign_text import function_text, rows_text
from symrnn.style import Style, coefficient, time_text

SIGNS = {
    "Softmax": r"\operatorname{softmax}", "LogSoftmax": r"\log\operatorname{softmax}", "Diag": r"\operatorname{diag}",
    "Total": r"\mathbf{1}^{\top}", "Transposed": r"(\cdot)^{\top}", "StopGradient": r"\operatorname{sg}", "OneHot": "e",
    "Divides": r"[\cdot]",
}
"""Operations that are one sign."""


def is_constant(node: Any) -> bool:
    """Tell whether a formula is a number for each entry, that nothing changes."""
    core = split_scalar(node)[1] if isinstance(node, Scaled) else node
    return isinstance(core, Ones | Zeros | Identity)


def is_parameter(node: Any) -> bool:
    """Tell whether a factor is a parameter, or a number for each entry."""
    if isinstance(node, Transposed | Scaled):
        return is_parameter(node.args[-1])
    return isinstance(node, Static) or is_constant(node)


def weights_text(factors: Sequence[Any], elementwise: bool, style: Style) -> str:
    """Write the parameters that multiply a value; with the sign in front of it where that is done entry by entry."""
    names = [writer.formula(factor, style) for factor in factors]
    ordered = list(reversed(names)) if style.notation.rows and not elementwise else names
    sign = style.notation.hadamard[0]
    return rf"{sign}\,".join(["", *ordered]) if elementwise else r"\,".join(ordered)


def box_text(node: Any, style: Style) -> tuple[str, str]:
    """Return the kind and the text of the box of an operation."""
    name = type(node).__name__
    if name == "Elementwise":
        return "function", function_text(activation(str(node.args[0])), style)
    if name == "Scaled":
        return "operator", coefficient(node.args[0], style) if node.args[0] != -1 else "-"
    if name == "Rows":
        return "operator", f"[\\cdot]_{{{rows_text(node, style)}}}"
    if name == "Stacked":
        return "operator", r"[\,;]" if not style.notation.rows else r"[\,,]"
    if name == "Column":
        return "operator", rf"[\cdot]_{{:,{time_text(node.args[1], style)}}}"
    if name == "Gather":
        return "weights", writer.formula(node.args[0], style) if isinstance(node.args[0], Leaf) else r"[\cdot]_{:,\cdot}"
    return ("function" if name in {"Softmax", "LogSoftmax"} else "operator"), SIGNS.get(name, rf"\operatorname{{{name}}}")
