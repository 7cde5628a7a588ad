"""Reverse-mode rules: one named rule per node type.

A rule takes a node ``q = f(a, b, …)``, the adjoint ``g = ∂L/∂q`` and the formula ``s`` by which the value of the node
is referred to, and returns for each operand what it receives. ``∂L/∂A`` has the shape of ``A`` (denominator layout).

Source of the rules for sums and products: M. B. Giles, Collected matrix derivative results for forward and reverse mode
algorithmic differentiation, 2008; of reverse mode: A. Griewank and A. Walther, Evaluating Derivatives, 2008, section
3.2; of softmax: J. S. Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990; of its
use over time: P. J. Werbos, Backpropagation through time, Proc. IEEE 78 (1990) 1550-1560.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Dummy, Integer

from symrnn.activations import activation
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    Column,
    Hadamard,
    Identity,
    Node,
    OneHot,
    Ones,
    Product,
    Rows,
    Scaled,
    Softmax,
    Stacked,
    Total,
    Transposed,
    Zeros,
    complement,
    weighted,
)

GILES, GRIEWANK, BRIDLE = "Giles 2008", "Griewank & Walther 2008, section 3.2", "Bridle 1990"


@dataclass(frozen=True)
class Binder:
    """An index that an operand depends on, with its range."""

    index: Basic
    lo: Any
    hi: Any


Received = list[tuple[Any, Node, Binder | None]]
"""Operand, what it receives, and the index that it is received for."""


def vjp_plus(q: Any, g: Node, s: Node) -> Received:
    """q = a + b  ⟹  δa += g,  δb += g."""
    return [(term, g, None) for term in q.args]


def vjp_product(q: Any, g: Node, s: Node) -> Received:
    """Q = A B C  ⟹  δB += Aᵀ g Cᵀ."""
    parts = q.args
    return [
        (part, Product(*map(Transposed, reversed(parts[:k])), g, *map(Transposed, reversed(parts[k + 1:]))), None)
        for k, part in enumerate(parts)
    ]


def vjp_scaled(q: Any, g: Node, s: Node) -> Received:
    """Q = c A  ⟹  δA += c g."""
    return [(q.args[1], Scaled(q.args[0], g), None)]


def vjp_hadamard(q: Any, g: Node, s: Node) -> Received:
    """q = a ∘ b  ⟹  δa += g ∘ b,  δb += g ∘ a."""
    parts = q.args
    return [(part, Hadamard(g, *parts[:k], *parts[k + 1:]), None) for k, part in enumerate(parts)]


def vjp_transposed(q: Any, g: Node, s: Node) -> Received:
    """Q = Aᵀ  ⟹  δA += gᵀ."""
    return [(q.args[0], Transposed(g), None)]


def vjp_elementwise(q: Any, g: Node, s: Node) -> Received:
    """s = f(a)  ⟹  δa += g ∘ f'(a), with f'(a) written in s where it can be: 1 - s∘s for tanh."""
    slope = activation(str(q.args[0])).derivative(q.args[1], s)
    return [(q.args[1], Product(g, slope) if q.shape == (1, 1) else Hadamard(g, slope), None)]


def vjp_softmax(q: Any, g: Node, s: Node) -> Received:
    """s = softmax(a)  ⟹  δa += s ∘ (g - 1 (sᵀ g)), column by column."""
    ones = Ones(q.shape[0], 1)
    inner = Product(Transposed(s), g) if q.shape[1] == 1 else Product(Transposed(ones), Hadamard(s, g))
    return [(q.args[0], Hadamard(s, g - Product(ones, inner)), None)]


def vjp_log_softmax(q: Any, g: Node, s: Node) -> Received:
    """q = log softmax(a)  ⟹  δa += g - softmax(a) (1ᵀ g), column by column."""
    if q.shape[1] == 1:
        return [(q.args[0], -Product(Softmax(q.args[0]), Total(g)) + g, None)]
    sums = Product(Ones(q.shape[0], q.shape[0]), g)
    return [(q.args[0], -Hadamard(Softmax(q.args[0]), sums) + g, None)]


def vjp_total(q: Any, g: Node, s: Node) -> Received:
    """q = 1ᵀ A 1  ⟹  δA += 1 g 1ᵀ."""
    rows, cols = q.args[0].shape
    return [(q.args[0], Product(Ones(rows, 1), g, Ones(1, cols)), None)]


def vjp_diag(q: Any, g: Node, s: Node) -> Received:
    """Q = diag(a)  ⟹  δa += (g ∘ I) 1."""
    size = q.shape[0]
    return [(q.args[0], Product(Hadamard(g, Identity(size)), Ones(size, 1)), None)]


def vjp_gather(q: Any, g: Node, s: Node) -> Received:
    """q = [E]_{:,w}  ⟹  δE += g e_wᵀ; nothing for the integer w."""
    table, index = q.args
    return [(table, Product(g, Transposed(OneHot(index, table.shape[1]))), None)]


def vjp_stacked(q: Any, g: Node, s: Node) -> Received:
    """q = [a; b]  ⟹  δa += the rows of g that a takes."""
    received: Received = []
    start: Any = Integer(0)
    for part in q.args:
        received.append((part, Rows(g, start, start + part.shape[0]), None))
        start = start + part.shape[0]
    return received


def vjp_rows(q: Any, g: Node, s: Node) -> Received:
    """q = [A]_{i:j}  ⟹  δA += [0; g; 0]."""
    whole, start, stop = q.args
    rows, cols = whole.shape
    return [(whole, Stacked(Zeros(start, cols), g, Zeros(rows - stop, cols)), None)]


def vjp_columns(q: Any, g: Node, s: Node) -> Received:
    """E = [h_lo … h_hi]  ⟹  δh_k += [g]_{:,k}."""
    body, index, lo, hi = q.args
    k = Dummy("k", integer=True, nonnegative=True)
    return [(body.xreplace({index: k}), Column(g, k - lo + 1), Binder(k, lo, hi))]


def vjp_column(q: Any, g: Node, s: Node) -> Received:
    """q = [A]_{:,k}  ⟹  δA += g e_kᵀ."""
    whole, number = q.args
    place = Scaled(number - 1, Ones(1, 1))
    return [(whole, Product(g, Transposed(OneHot(place, whole.shape[1]))), None)]


def vjp_time_sum(q: Any, g: Node, s: Node) -> Received:
    """q = Σ_k p_k  ⟹  δp_k += g."""
    body, index, lo, hi = q.args
    k = Dummy("k", integer=True, nonnegative=True)
    return [(body.xreplace({index: k}), g, Binder(k, lo, hi))]


def vjp_constant(q: Any, g: Node, s: Node) -> Received:
    """A constant or an integer quantity: nothing is passed back."""
    return []


def vjp_stop_gradient(q: Any, g: Node, s: Node) -> Received:
    """q = sg_c(A)  ⟹  δA += g (1 - c); without a condition c, nothing."""
    return [] if q.condition is None else [(q.args[0], weighted(g, complement(q.condition)), None)]


@dataclass(frozen=True)
class Rule:
    """A rule with its statement and source; the statement is the rule's docstring.

    Attributes:
        name: Name of the function.
        apply: The rule.
        source: Where it is from.
        data: Places of operands that are data, such as a mask: in what moves, the rule does not hold.
    """

    name: str
    apply: Callable[[Any, Node, Node], Received]
    source: str
    data: tuple[int, ...] = ()

    @property
    def statement(self) -> str:
        """The equation of the rule."""
        return (self.apply.__doc__ or "").strip()


def _rule(function: Callable[[Any, Node, Node], Received], source: str = GRIEWANK, data: tuple[int, ...] = ()) -> Rule:
    return Rule(function.__name__, function, source, data)


RULES: dict[str, Rule] = {
    "Column": _rule(vjp_column),
    "Columns": _rule(vjp_columns),
    "Diag": _rule(vjp_diag),
    "Divides": _rule(vjp_constant),
    "Elementwise": _rule(vjp_elementwise),
    "Gather": _rule(vjp_gather),
    "Hadamard": _rule(vjp_hadamard),
    "Identity": _rule(vjp_constant),
    "LogSoftmax": _rule(vjp_log_softmax, BRIDLE),
    "OneHot": _rule(vjp_constant),
    "Ones": _rule(vjp_constant),
    "Plus": _rule(vjp_plus, GILES),
    "Product": _rule(vjp_product, GILES),
    "Rows": _rule(vjp_rows),
    "Scaled": _rule(vjp_scaled),
    "Softmax": _rule(vjp_softmax, BRIDLE, data=(1,)),
    "Stacked": _rule(vjp_stacked),
    "StopGradient": _rule(vjp_stop_gradient),
    "TimeSum": _rule(vjp_time_sum),
    "Total": _rule(vjp_total),
    "Transposed": _rule(vjp_transposed),
    "Zeros": _rule(vjp_constant),
}
"""One rule for each node type that is not a quantity."""

BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES.values()}


def rule_of(node: Node) -> Rule:
    """Return the rule of a node's type.

    Raises:
        NotSupportedError: There is none.
    """
    rule = RULES.get(type(node).__name__)
    if rule is None:
        raise NotSupportedError(f"no rule to differentiate a {type(node).__name__}; add one to symrnn.vjp.RULES")
    return rule
