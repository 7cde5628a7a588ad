"""Named simplifications of derived terms. Each holds on its own; together they give the textbook form."""

from __future__ import annotations

from typing import Any

from sympy import Basic

from symrnn.cell import Equation
from symrnn.expr import (
    At,
    Diag,
    Elementwise,
    Hadamard,
    Identity,
    Node,
    Ones,
    Plus,
    Product,
    Scaled,
    Softmax,
    Static,
    Transposed,
    t,
)
from symrnn.network.graph import Network, Relation
from symrnn.traverse import at_time, leaves, rebuilt


def named_values(network: Network) -> dict[Node, Equation]:
    """Return the function applications that have a name: ``softmax(a_t)`` with the equation ``ŷ_t = softmax(a_t)``."""
    return {e.rhs: e for e in network.equations if isinstance(e.rhs, Elementwise | Softmax)}


def reuse_named_value(term: Any, values: dict[Node, Equation]) -> Any:
    """``softmax(a_t)`` becomes ``ŷ_t``: a value that the forward pass has named is not computed again."""

    def change(node: Any) -> Any:
        if not isinstance(node, Elementwise | Softmax):
            return node
        operand = next((leaf for leaf in leaves(node) if isinstance(leaf, At)), None)
        if operand is None:
            return values[node].lhs if node in values else node
        generic = node.xreplace({operand.time: t}) if operand.time.is_Symbol else node.xreplace({operand: operand.series[t]})
        equation = values.get(generic)
        return at_time(equation.lhs, operand.time) if equation is not None else node

    return rebuilt(term, change)


def use_relation(term: Any, relation: Relation) -> Any:
    """``1ᵀ y_t`` becomes ``1``: an equality that the given numbers satisfy."""
    moving = next((leaf for leaf in leaves(relation.lhs) if isinstance(leaf, At)), None)

    def change(node: Any) -> Any:
        if node == relation.lhs:
            return relation.rhs
        if moving is None or type(node) is not type(relation.lhs):
            return node
        here = next((leaf for leaf in leaves(node) if isinstance(leaf, At) and leaf.series == moving.series), None)
        same = here is not None and at_time(relation.lhs, here.time) == node
        return at_time(relation.rhs, here.time) if same else node

    return rebuilt(term, change)


def is_trivial(term: Node) -> bool:
    """Tell whether an adjoint is so simple that a name for it would only hide it: a constant, or one given quantity."""
    core = term.args[1] if isinstance(term, Scaled) else term
    if isinstance(core, Product) and core.shape == (1, 1):
        return all(isinstance(part, Elementwise | Static | At) and not _has_adjoint(part) for part in core.args)
    return isinstance(core, Ones) or (isinstance(core, At | Static | Elementwise) and not _has_adjoint(core))


def _has_adjoint(node: Basic) -> bool:
    return any((leaf.series.orders if isinstance(leaf, At) else leaf.orders) for leaf in leaves(node))


def local_derivative(term: Node, g: Node) -> Node | None:
    """Return ``J`` where ``term = Jᵀ g`` for a column ``g``; ``None`` where the term has another form.

    ``Aᵀ g`` has ``J = A``; ``g ∘ v`` has ``J = diag(v)``; a sum has the sum.
    """
    matrix = _pullback_matrix(term, g)
    return None if matrix is None else Transposed(matrix)


def _pullback_matrix(term: Node, g: Node) -> Node | None:
    if term == g:
        return Identity(g.shape[0])
    if g.shape[1] != 1:
        return None
    if isinstance(term, Scaled):
        inner = _pullback_matrix(term.args[1], g)
        return None if inner is None else Scaled(term.args[0], inner)
    if isinstance(term, Plus):
        parts = [_pullback_matrix(part, g) for part in term.args]
        return None if any(part is None for part in parts) else Plus(*[part for part in parts if part is not None])
    if isinstance(term, Product) and not any(g in leaves_of(part) for part in term.args[:-1]):
        inner = _pullback_matrix(term.args[-1], g)
        return None if inner is None else Product(*term.args[:-1], inner)
    if isinstance(term, Hadamard):
        holding = [part for part in term.args if g in leaves_of(part)]
        rest = [part for part in term.args if g not in leaves_of(part)]
        inner = _pullback_matrix(holding[0], g) if len(holding) == 1 else None
        return None if inner is None or not rest else Product(Diag(Hadamard(*rest)), inner)
    return None


def leaves_of(node: Basic) -> set[Any]:
    """The quantities of a formula."""
    return set(leaves(node))
