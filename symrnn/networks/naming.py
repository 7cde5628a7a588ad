"""Names for what a derivation wants to refer to: pre-activations, and inner values such as ``tanh(c_t)``.

The derivative of ``tanh(a)`` is written in its output. Where neither the output nor the argument has a name, the
result would repeat them in every line; so each function application gets an equation of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symrnn.activations import activation
from symrnn.equations import Equation
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    Leaf,
    LogSoftmax,
    Node,
    Ones,
    Plus,
    Product,
    Rows,
    Series,
    Softmax,
    Static,
    split_scalar,
)
from symrnn.notation import ACCENTS
from symrnn.traverse import leaves

FUNCTIONS = (Elementwise, Softmax, LogSoftmax)
PROBE, OUTPUT = Static("probe"), Static("output")


def derivative_reads_output(node: Node) -> bool:
    """Tell whether the derivative of a function is written in its output, as for tanh."""
    if isinstance(node, Elementwise):
        return OUTPUT in activation(str(node.args[0])).derivative(PROBE, OUTPUT).atoms(Static)
    return isinstance(node, Softmax)


def is_affine(node: Node) -> bool:
    """Tell whether a factor of an elementwise product hides a matrix product that both passes would compute."""
    return isinstance(node, Product) or (isinstance(node, Plus) and any(isinstance(a, Product) for a in node.args))


def needs_no_name(node: Any) -> bool:
    """Tell whether an argument is read off a named quantity: itself, rows of it, or it plus a number."""
    if isinstance(node, Rows):
        return isinstance(node.args[0], Leaf)
    if isinstance(node, Plus):
        read = [term for term in node.args if not isinstance(split_scalar(term)[1], Ones)]
        return len(read) == 1 and isinstance(read[0], Leaf)
    return isinstance(node, Leaf)


def stem_of(equation: Equation) -> str:
    """Return the name of the quantity that an equation defines, without its accent."""
    return "_".join(part for part in equation.name.split("_") if part not in ACCENTS)


class _Namer:
    """Splits equations; knows which names are taken."""

    def __init__(self, equations: list[Equation], taken: Iterable[str]) -> None:
        self.taken = {e.name for e in equations} | set(taken)
        compound = [e for e in equations if any(not needs_no_name(f.args[f.place]) for f in e.rhs.atoms(*FUNCTIONS))]
        self.single = len(compound) == 1
        self.out: list[Equation] = []
        self.defined: dict[Any, Leaf] = {}

    def fresh(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name

    def define(self, wanted: str, rhs: Node, like: Equation, role: str) -> Any:
        """Return the name of a formula at the times of an equation; a formula that occurs again has one already."""
        if (rhs, like.span) in self.defined:
            return self.defined[rhs, like.span]
        name = self.fresh(wanted)
        if isinstance(like.lhs, At):
            lhs: Leaf = At(Series(name, (), *rhs.shape), like.lhs.time)
        else:
            lhs = Static(name, (), *rhs.shape)
        self.out.append(Equation(lhs, rhs, like.span, role))
        self.defined[rhs, like.span] = lhs
        return lhs

    def split(self, equation: Equation) -> None:
        rhs = self.visit(equation.rhs, equation, root=True)
        self.out.append(Equation(equation.lhs, rhs, equation.span, equation.role))

    def visit(self, node: Any, equation: Equation, *, root: bool) -> Any:
        if not isinstance(node, Node) or isinstance(node, Leaf):
            return node
        bound = type(node).__name__ in {"TimeSum", "Columns"}  # a name cannot be given to what depends on an index
        args = list(node.args) if bound else [self.visit(arg, equation, root=False) for arg in node.args]
        if isinstance(node, Rows) and is_affine(args[0]):
            args[0] = self.define("a", args[0], equation, "pre-activation")
        if isinstance(node, FUNCTIONS) and not needs_no_name(args[node.place]):
            wanted = "a" if self.single else f"a_{stem_of(equation)}"
            args[node.place] = self.define(wanted, args[node.place], equation, "pre-activation")
        if isinstance(node, Hadamard):
            args = [self.define(f"p_{stem_of(equation)}", a, equation, "value") if is_affine(a) else a for a in args]
        rebuilt = node if args == list(node.args) else node.func(*args)
        if root or not isinstance(node, FUNCTIONS) or not derivative_reads_output(node):
            return rebuilt
        return self.define(f"s_{next(leaves(args[node.place])).name}", rebuilt, equation, "value")


def name_operands(equations: Iterable[Equation], taken: Iterable[str] = ()) -> tuple[Equation, ...]:
    """Give every function application, and every compound argument of one, an equation of its own.

    Args:
        equations: Equations in order.
        taken: Names that the new quantities must not use.

    Returns:
        The split equations, each new one before the one that it was taken from.
    """
    listed = list(equations)
    namer = _Namer(listed, taken)
    for equation in listed:
        namer.split(equation)
    return tuple(namer.out)
