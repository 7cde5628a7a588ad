"""A term that is linear in an adjoint, as a matrix times it: also through slices and stacks."""

from __future__ import annotations

from sympy import Basic

from symrnn.expr import Diag, Hadamard, Node, Plus, Product, Rows, Scaled, Stacked, Transposed, Zeros
from symrnn.rewrite import local_derivative
from symrnn.traverse import leaves


def pullback_matrix(term: Node, g: Node) -> Node | None:
    """Return ``M`` where ``term = M g``; ``None`` where the term has another form.

    ``[M g]_{1:H}`` has ``[M]_{1:H}``; ``[0; g]`` has ``[0; I]``; ``v ∘ (M g)`` has ``diag(v) M``.
    """
    if (local := local_derivative(term, g)) is not None:
        return Transposed(local)
    if isinstance(term, Rows):
        inner = pullback_matrix(term.args[0], g)
        return None if inner is None else Rows(inner, *term.args[1:])
    if isinstance(term, Scaled):
        inner = pullback_matrix(term.args[1], g)
        return None if inner is None else Scaled(term.args[0], inner)
    if isinstance(term, Stacked | Plus):
        parts = [pullback_matrix(part, g) if holds(part, g) else Zeros(part.shape[0], g.shape[0]) for part in term.args]
        known = [part for part in parts if part is not None]
        return term.func(*known) if len(known) == len(parts) else None
    if isinstance(term, Product | Hadamard):
        return factored(term, g)
    return None


def factored(term: Product | Hadamard, g: Node) -> Node | None:
    """Return the matrix of a product of which one factor holds the adjoint: the last one, in a matrix product."""
    holding = [part for part in term.args if holds(part, g)]
    rest = [part for part in term.args if not holds(part, g)]
    if len(holding) != 1 or not rest or (isinstance(term, Product) and holding[0] != term.args[-1]):
        return None
    inner = pullback_matrix(holding[0], g)
    if inner is None:
        return None
    return Product(*rest, inner) if isinstance(term, Product) else Product(Diag(Hadamard(*rest)), inner)


def holds(node: Basic, g: Node) -> bool:
    """Tell whether an adjoint occurs in a formula."""
    return g in set(leaves(node))
