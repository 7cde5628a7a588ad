"""Layer normalisation: a cell whose pre-activations are normalised over the units of a layer.

Source: J. L. Ba, J. R. Kiros and G. E. Hinton, Layer normalization, arXiv 1607.06450 (2016), section 3.1: a
pre-activation ``a_t`` is shifted by its mean over the units and divided by its standard deviation, then multiplied by a
gain and shifted by a bias, and goes into the nonlinearity. Each step is an equation of its own, so that the derivation
writes out what the mean and the variance receive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sympy import Rational

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import (
    At,
    Elementwise,
    Leaf,
    Node,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Series,
    Softmax,
    Static,
    Total,
    split_scalar,
    t,
)
from symrnn.functions import parameter
from symrnn.networks.naming import is_affine, stem_of
from symrnn.traverse import leaves, rebuilt

FUNCTIONS = (Elementwise, Softmax)
EPS = Rational(1, 100000)
"""What is added to a variance, so that its root is never 0."""


def layer_normalised(cell: Cell, *, eps: Any = EPS) -> Cell:
    """Return a cell in which the pre-activation of each gate and candidate is normalised over the units.

    A pre-activation is an argument of a nonlinearity that holds a matrix product: ``a_t = W x_t + U h_{t-1}``. It becomes

    ``μ_t = (1/H) 1ᵀ a_t``, ``ã_t = a_t - 1 μ_t``, ``var_t = (1/H) ã_tᵀ ã_t``, ``ρ_t = 1/√(var_t + ε)``, ``â_t = ρ_t ã_t``,
    ``n_t = g ⊙ â_t + b``

    and the nonlinearity reads ``n_t``. What is added to all sums alike, a bias or a number, stands behind the
    normalisation, as in the paper: before it, it would be lost with the mean. Where a cell has no bias, one is added.

    A pre-activation that has a name already is normalised where it is read. Where several gates share one matrix product, as
    in ``lstm-block``, the rows of each gate are normalised on their own, so that the cell is that of separate products;
    a bias that is a column of a block matrix, as in ``rnn-block``, stays in it. For the LSTM the paper also has a form that
    normalises ``W x_t`` and ``U h_{t-1}`` apart, and the cell state; here it is the sum, as for the simple network.

    Args:
        cell: Any cell.
        eps: What is added to the variance: a positive number, such as ``Rational(1, 100000)`` or ``1e-5``.

    Shapes:
        μ_t, var_t, ρ_t: 1×1; ã_t, â_t, n_t and each gain and bias: H×1.

    Raises:
        SpecError: Something else than a cell, a cell without a pre-activation, or a number that is not positive.
    """
    if not isinstance(cell, Cell):
        raise SpecError(f"layer_normalised takes a cell; got {cell!r}; write layer_normalised(cell('lstm'))")
    work = Normaliser(cell, positive(eps))
    equations = work.equations()
    return Cell(
        cell.name, equations, inputs=cell.inputs, output=cell.output,
        title=f"{cell.title}, layer-normalised" if cell.title else "layer-normalised",
        source="; ".join(filter(None, (cell.source, "Ba, Kiros & Hinton 2016 (arXiv 1607.06450)"))),
        options=(*cell.options, ("layer_norm_eps", work.eps)),
    )


def positive(number: Any) -> Rational:
    """Return a number exactly.

    Raises:
        SpecError: It is not a positive finite number.
    """
    try:
        found = Rational(str(number))
    except (TypeError, ValueError, ZeroDivisionError):
        found = None
    if found is None or not found.is_finite or found <= 0:
        raise SpecError(f"eps must be a positive number such as 1e-5 or 1/100000; got {number!r}")
    return found


def terms_of(node: Node) -> tuple[Any, ...]:
    """Return the terms of a sum."""
    return node.args if isinstance(node, Plus) else (node,)


def is_shift(term: Node) -> bool:
    """Tell whether a term is the same at all times: a bias, a number, or a multiple of one."""
    core = split_scalar(term)[1]
    return isinstance(core, Static | Ones) or (isinstance(core, Rows) and isinstance(core.args[0], Static))


def parted(node: Node) -> tuple[Node | None, list[Node]]:
    """Split a sum into what moves and what is the same at all times."""
    moving = [term for term in terms_of(node) if not is_shift(term)]
    return (Plus(*moving) if moving else None), [term for term in terms_of(node) if is_shift(term)]


def named_in(node: Any) -> Leaf | None:
    """Return the quantity of this time that a node is, or takes rows of."""
    inner = node.args[0] if isinstance(node, Rows) else node
    return inner if isinstance(inner, At) and inner.time == t else None


@dataclass
class Normaliser:
    """Rewrites the equations of one cell.

    Attributes:
        cell: The cell.
        eps: What is added to variances.
        taken: Names that are in use.
        made: The normalised form of each pre-activation.
        out: Equations so far.
    """

    cell: Cell
    eps: Rational
    taken: set[str] = field(init=False)
    made: dict[Node, Node] = field(default_factory=dict)
    out: list[Equation] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the pre-activations."""
        named = (*self.cell.inputs, *self.cell.parameters, *(e.quantity for e in self.cell.equations))
        self.taken = {quantity.name for quantity in named}
        self.affine = {e.lhs: e for e in self.cell.equations if any(map(is_affine, terms_of(e.rhs)))}
        found = [argument for e in self.cell.equations for argument in self.arguments(e.rhs)]
        if not found:
            raise SpecError(
                f"cell '{self.cell.name}' has no pre-activation to normalise: no nonlinearity is taken of a matrix product"
            )
        self.single = len(dict.fromkeys(found)) == 1
        self.moved = {leaf for leaf in map(named_in, found) if leaf in self.affine and self.only_normalised(leaf)}

    def arguments(self, rhs: Node) -> Iterator[Node]:
        """Yield the pre-activations in a formula, each time that one is read."""
        for node in rhs.find(lambda part: isinstance(part, FUNCTIONS)):
            body, _ = parted(node.args[node.place])
            if body is not None and self.is_preactivation(body):
                yield body

    def is_preactivation(self, body: Node) -> bool:
        """Tell whether a formula holds a matrix product, or reads rows of a quantity of this time that is one."""
        return named_in(body) in self.affine or any(is_affine(split_scalar(term)[1]) for term in terms_of(body))

    def only_normalised(self, leaf: Leaf) -> bool:
        """Tell whether a named pre-activation is read by nonlinearities alone, so that its bias can stand behind."""
        reads = sum(part.series == leaf.series for e in self.cell.equations for part in leaves(e.rhs) if isinstance(part, At))
        return reads == sum(named_in(body) == leaf for e in self.cell.equations for body in self.arguments(e.rhs))

    def fresh(self, stem: str, subscript: str) -> str:
        """Return a name that is free."""
        wanted = name = stem if self.single or not subscript else f"{stem}_{subscript}"
        number = 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name

    def define(self, stem: str, subscript: str, rhs: Node, role: str = "value") -> Any:
        """Add an equation, and return its left side."""
        lhs = Series(self.fresh(stem, subscript), (), *rhs.shape)[t]
        self.out.append(Equation(lhs, rhs, role=role))
        return lhs

    def equations(self) -> list[Equation]:
        """Return the equations of the normalised cell."""
        for equation in self.cell.equations:
            bare = parted(equation.rhs)[0] if equation.lhs in self.moved else None
            rhs = rebuilt(equation.rhs if bare is None else bare, partial(self.change, equation))
            self.out.append(Equation(equation.lhs, rhs, role=equation.role))
        return self.out

    def change(self, reader: Equation, node: Any) -> Any:
        """Let a nonlinearity read the normalised form of its pre-activation."""
        if not isinstance(node, FUNCTIONS):
            return node
        body, shifts = parted(node.args[node.place])
        if body is None or not self.is_preactivation(body):
            return node
        args = list(node.args)
        args[node.place] = self.normalised(body, shifts, reader)
        return node.func(*args)

    def normalised(self, body: Node, shifts: list[Node], reader: Equation) -> Node:
        """Return ``g ⊙ â + b`` under its name, and what is added behind it."""
        leaf = named_in(body)
        numbers = [s for s in shifts if leaf is not None or isinstance(split_scalar(s)[1], Ones)]
        biases = [s for s in shifts if s not in numbers]
        if body not in self.made:
            subscript = stem_of(reader) if leaf is None or isinstance(body, Rows) else str(leaf.name)
            self.made[body] = self.steps(body, [*biases, *self.biases_of(body)], subscript)
        return Plus(self.made[body], *numbers)

    def biases_of(self, body: Node) -> list[Node]:
        """Return the biases of a named pre-activation that stand behind its normalisation, in the rows that are read."""
        leaf = named_in(body)
        if leaf not in self.moved:
            return []
        found = parted(self.affine[leaf].rhs)[1]
        return [Rows(bias, *body.args[1:]) if isinstance(body, Rows) else bias for bias in found]

    def steps(self, body: Node, biases: list[Node], subscript: str) -> Any:
        """Write down the steps of the normalisation; see :func:`layer_normalised`."""
        size = body.shape[0]
        a = body if named_in(body) is not None else self.define("a", subscript, body, "pre-activation")
        mu = self.define("mu", subscript, Scaled(1 / size, Total(a)))
        centred = self.define("a_tilde", subscript, a - Product(Ones(size, 1), mu))
        variance = self.define("var", subscript, Scaled(1 / size, centred.T @ centred))
        rho = self.define("rho", subscript, Elementwise("rsqrt", variance + self.eps))
        scaled = self.define("a_hat", subscript, Product(centred, rho))
        gain = parameter(self.fresh("g", subscript), size)
        bias = Plus(*biases) if biases else parameter(self.fresh("b", subscript), size)
        return self.define("n", subscript, gain * scaled + bias, "pre-activation")
