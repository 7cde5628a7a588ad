"""One forward step of a cell as Python for reading: no batch, no loop, vectors are columns.

The source runs as it stands, and is what the second reading (:mod:`symrnn.readings`) gives to latexify-py. Node
types that latexify-py cannot read are refused.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sympy import Add, Expr, Mul, Number, Pow, Symbol, fraction

from symrnn import writer
from symrnn.activations import ACTIVATIONS
from symrnn.codegen.arrays import HELPERS
from symrnn.codegen.formatting import assignment, paragraph, signature
from symrnn.codegen.naming import RESERVED, Names
from symrnn.equations import Cell, Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Leaf, Node, Ones, Product, Scaled, t
from symrnn.networks.ordering import ordered

SUM, PRODUCT, ATOM = range(3)
"""How tightly a piece of code binds; ``@`` and ``*`` bind alike, and neither stands within the other without brackets."""
TAKEN = frozenset({*ACTIVATIONS, "block", "array", "diag", "diagflat", "numpy", "prev"})

Code = tuple[str, int]


@dataclass(frozen=True)
class ForwardStep:
    """A forward step as source.

    Attributes:
        cell: Whose step it is.
        source: A Python module with the function ``step``; it imports NumPy alone.
        names: What each identifier of ``step`` stands for.
        targets: The identifier that each equation assigns, in the order of evaluation.
    """

    cell: Cell
    source: str = field(repr=False)
    names: Mapping[str, Leaf | Symbol] = field(repr=False)
    targets: Mapping[str, Equation] = field(repr=False)


@dataclass
class Step:
    """What the rules write into while a step is written."""

    names: Names = field(default_factory=lambda: Names(taken=set(RESERVED | TAKEN)))
    given: dict[Any, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)

    def name(self, leaf: Any) -> str:
        """Return the identifier of a quantity or a symbol: ``h_t``, ``h_prev``, ``W_f``."""
        if leaf not in self.given:
            self.given[leaf] = self.names.fresh(wanted(leaf))
        return self.given[leaf]

    def write(self, node: Any) -> Code:
        """Write one node with the rule of its type.

        Raises:
            NotSupportedError: latexify-py cannot read what the node would be in Python.
        """
        kind = type(node).__name__
        if kind not in RULES:
            why = REFUSED.get(kind, f"a {kind}, which has no rule; add one to RULES in symrnn/codegen/reading.py")
            raise NotSupportedError(f"{writer.text(node)} has no form that latexify-py can read: {why}")
        return RULES[kind](node, self)

    def atom(self, node: Any) -> str:
        """Write a node, in brackets unless it is a name or a call."""
        code, level = self.write(node)
        return code if level == ATOM else f"({code})"


def wanted(leaf: Any) -> str:
    """Return the identifier that a quantity should have."""
    if isinstance(leaf, At) and leaf.time in {t, t - 1}:
        return f"{leaf.series.key}_{'t' if leaf.time == t else 'prev'}"
    return str(leaf.key) if isinstance(leaf, Leaf) else str(leaf)


def read_leaf(node: Any, step: Step) -> Code:
    """``h_prev``."""
    return step.name(node), ATOM


def read_ones(node: Any, step: Step) -> Code:
    """1, where it is a number."""
    if node.shape != (1, 1):
        raise NotSupportedError(f"a {node.shape[0]}×{node.shape[1]} matrix of ones has no form that latexify-py can read")
    return "1", ATOM


def read_plus(node: Any, step: Step) -> Code:
    """``a + b - c``."""
    code = ""
    for term in node.args:
        body, negative = term_code(term, step)
        if code:
            code += (" - " if negative else " + ") + body
        else:
            code = "-" + body if negative else body
    return code, SUM


def term_code(term: Any, step: Step) -> tuple[str, bool]:
    """Write one term of a sum and tell whether its sign is negative; a constant matrix is its number."""
    if isinstance(term, Ones):
        return "1", False
    if not isinstance(term, Scaled):
        code, level = step.write(term)
        return (code if level > SUM else f"({code})"), False
    c, core = term.args
    negative = bool(c.could_extract_minus_sign())
    size = -c if negative else c
    number = scalar_code(size, step)
    if isinstance(core, Ones):
        return number, negative
    if size == 1:
        return (step.write(core)[0] if type(core).__name__ == "Hadamard" else step.atom(core)), negative
    return f"{number if number.isidentifier() or number.isdigit() else f'({number})'} * {step.atom(core)}", negative


def read_scaled(node: Any, step: Step) -> Code:
    """``2 * a``, ``-a``."""
    code, negative = term_code(node, step)
    return ("-" + code, SUM) if negative else (code, PRODUCT)


def scalar_code(value: Expr, step: Step) -> str:
    """Write a coefficient."""
    if not all(isinstance(part, Add | Mul | Pow | Number | Symbol) for part in value.atoms(Expr) | set(value.args)):
        raise NotSupportedError(f"the coefficient {value} has no form that latexify-py can read")
    if isinstance(value, Add):
        parts = sorted(value.args, key=lambda part: bool(part.is_number))
        return " + ".join(scalar_code(part, step) for part in parts).replace("+ -", "- ")
    named = value.xreplace({symbol: Symbol(step.name(symbol)) for symbol in value.free_symbols})
    above, below = fraction(named)
    return ast.unparse(ast.parse(str(above) if below == 1 else f"({above}) / ({below})"))


def read_product(node: Any, step: Step) -> Code:
    """``W @ h``; what weights a column stands in front: ``m_t * (a - b)`` for a 1×1 ``m_t``."""
    column = next((k for k, factor in enumerate(node.args[:-1], 1) if factor.shape[1] == 1), 0)
    weights = node.args[column:]
    if not column or node.shape[1] != 1 or node.shape[0] == 1:
        return " @ ".join(map(step.atom, node.args)), PRODUCT
    if any(weight.shape != (1, 1) for weight in weights):
        return " @ ".join([*map(step.atom, node.args[:column]), step.atom(Product(*weights))]), PRODUCT
    return " * ".join([*map(step.atom, weights), step.atom(Product(*node.args[:column]))]), PRODUCT


def read_hadamard(node: Any, step: Step) -> Code:
    """``f_t * c_prev``."""
    return " * ".join(map(step.atom, node.args)), PRODUCT


def read_elementwise(node: Any, step: Step) -> Code:
    """``np.tanh(a)``."""
    row = node.function
    if not row.numpy.endswith("({z})") or row.name == "step":  # the name of the function that is written
        raise NotSupportedError(f"the function {row.name} has no form that latexify-py can read as a call")
    if row.helper:
        step.helpers[row.name] = row.helper
    elif row.name.startswith("phi"):
        step.functions[row.numpy.removesuffix("({z})")] = None
    return row.numpy.format(z=step.write(node.args[1])[0]), ATOM


def read_call(name: str, more: str = "") -> Callable[[Any, Step], Code]:
    """Return the rule of a node that is a call of its operand."""

    def rule(node: Any, step: Step) -> Code:
        if name in HELPERS:
            step.helpers[name] = HELPERS[name]
        return f"{name}({step.write(node.args[0])[0]}{more})", ATOM

    return rule


def read_stop(node: Any, step: Step) -> Code:
    """``stop_gradient(h_prev)``; a stop at some times only is refused by its condition."""
    for condition in node.args[1:]:
        step.write(condition)
    return read_call("stop_gradient")(node, step)


def read_transposed(node: Any, step: Step) -> Code:
    """``W.T`` of a name: latexify-py drops the brackets of anything else."""
    if not isinstance(node.args[0], Leaf):
        raise NotSupportedError(f"{writer.text(node)} has no form that latexify-py can read: it drops the brackets of what "
                                "is transposed; give it a name with an equation of its own")
    return f"{step.name(node.args[0])}.T", ATOM


def read_stacked(node: Any, step: Step) -> Code:
    """``np.block([[h_prev], [x_t], [1]])``."""
    return f"np.block([{', '.join(f'[{step.write(part)[0]}]' for part in node.args)}])", ATOM


def read_softmax(node: Any, step: Step) -> Code:
    """``softmax(a, axis=0)``."""
    if node.mask is not None:
        raise NotSupportedError(f"{writer.text(node)} has no form that latexify-py can read: it has no sign for a mask")
    return read_call("softmax", ", axis=0")(node, step)


RULES: Mapping[str, Callable[[Any, Step], Code]] = MappingProxyType({
    "At": read_leaf,
    "Diag": read_call("np.diagflat"),
    "Elementwise": read_elementwise,
    "Hadamard": read_hadamard,
    "LogSoftmax": read_call("log_softmax", ", axis=0"),
    "Ones": read_ones,
    "Plus": read_plus,
    "Product": read_product,
    "Scaled": read_scaled,
    "Softmax": read_softmax,
    "Stacked": read_stacked,
    "Static": read_leaf,
    "StopGradient": read_stop,
    "Transposed": read_transposed,
})

REFUSED: Mapping[str, str] = MappingProxyType({
    "Column": "it refuses slices such as A[:, 0:1]",
    "Columns": "it has no sign for a sequence of columns",
    "Divides": "a step has no time that it could divide",
    "Gather": "it refuses slices such as E[:, w]",
    "Identity": "it has no sign for np.eye",
    "OneHot": "it has no sign for one-hot columns",
    "Rows": "it refuses slices such as a[0:H]; the gate-by-gate form of the cell can be read",
    "TimeSum": "a step has no sum over time",
    "Total": "it writes np.sum(a) as a sum without an index",
    "Zeros": "it has no sign for zeros of a symbolic shape",
})
"""Node types without a rule, and why."""


def forward_step(cell: Cell) -> ForwardStep:
    """Write the forward step of a cell.

    Args:
        cell: Any cell.

    Raises:
        NotSupportedError: The cell contains what latexify-py cannot read.
        SpecError: The equations have a cycle within a time step.
    """
    step, equations = Step(), ordered(cell.equations)
    lines, targets = [], {}
    for equation in equations:
        code = step.write(equation.rhs)[0]
        targets[step.name(equation.lhs)] = equation
        lines += assignment(step.name(equation.lhs), "=", code, 4)
    results = [step.name(series[t]) for series in dict.fromkeys([cell.output, *cell.states])]
    head = signature("step", arguments(cell, step, targets), list(step.functions))
    helpers = [helper.strip("\n") + "\n\n\n" for helper in step.helpers.values()]
    body = [*head, *docstring(cell, step), *lines, f"    return {', '.join(results)}"]
    uses = "import numpy as np\n\n\n" if "np." in "".join([*helpers, *lines]) else ""
    names = MappingProxyType({name: leaf for leaf, name in step.given.items()})
    return ForwardStep(cell, uses + "".join(helpers) + "\n".join(body) + "\n", names, MappingProxyType(targets))


def arguments(cell: Cell, step: Step, targets: Mapping[str, Equation]) -> list[str]:
    """Return what a step is given: inputs, earlier values, parameters, coefficients."""
    def rank(leaf: Any) -> int:
        if not isinstance(leaf, At):
            return 2 if isinstance(leaf, Node) else 3
        return 0 if leaf.series in cell.inputs else 1

    given = [leaf for leaf, name in step.given.items() if name not in targets]
    return [step.given[leaf] for leaf in sorted(given, key=rank)]


def docstring(cell: Cell, step: Step) -> list[str]:
    """Say what the function is, and the shapes."""
    shapes = [f"{name}:\N{NO-BREAK SPACE}{leaf.shape[0]}×{leaf.shape[1]}" for leaf, name in step.given.items()
              if isinstance(leaf, Node)]
    text = f"Shapes:\N{NO-BREAK SPACE}{', '.join(shapes).replace('*', '')}."
    return [f'    """One forward step of {cell.name}, for one sequence; vectors are columns.', "",
            *paragraph(text, 4, 4), '    """']
