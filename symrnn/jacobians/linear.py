"""The matrix of what is linear in a column: ``diag(s) - s sᵀ`` for ``s ∘ (g - 1 (sᵀ g))``.

A formula that is linear in a column ``g`` is a sum of three forms, whichever nodes it is made of:

- a column ``(M g) r`` with a row ``r``,
- a row ``l (M g)ᵀ`` with a column ``l``,
- a diagonal ``A diag(M g) B``.

Sums, products, elementwise products with constants, transposes, stacked blocks and blocks of rows lead from forms to
forms: ``(l gᵀ) ∘ X = diag(l) X diag(g)`` and ``(g r) ∘ X = diag(g) X diag(r)``. So a derivative that passes a matrix, as
in additive attention, needs no tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sympy import Integer

from symrnn import writer
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    Diag,
    Hadamard,
    Identity,
    Node,
    OneHot,
    Ones,
    Rows,
    Scaled,
    TimeSum,
    Transposed,
    same,
)
from symrnn.jacobians.products import added, is_diagonal, multiplied, uniform
from symrnn.traverse import leaves

ONE = Ones(1, 1)


@dataclass(frozen=True)
class InColumn:
    """``(M g) r``."""

    matrix: Any
    row: Any = ONE


@dataclass(frozen=True)
class InRow:
    """``l (M g)ᵀ``."""

    column: Any
    matrix: Any


@dataclass(frozen=True)
class InDiagonal:
    """``A diag(M g) B``."""

    left: Any
    matrix: Any
    right: Any


Form: TypeAlias = InColumn | InRow | InDiagonal


def matrix_of(term: Any, g: Any) -> Any:
    """Return ``P`` where ``term = P g`` for columns ``term`` and ``g``.

    Args:
        term: A column that is linear in ``g``.
        g: A column, as it stands in the term.

    Raises:
        NotSupportedError: The term is made of nodes without a form.
    """
    return added(matrix_of_form(form) for form in forms(term, g))


def matrix_of_form(form: Form) -> Any:
    """The matrix of a form that is a column."""
    if isinstance(form, InRow):
        return multiplied(form.column, form.matrix)
    if isinstance(form, InDiagonal):
        return multiplied(form.left, Diag(form.right), form.matrix)
    return form.matrix if form.row == ONE else multiplied(uniform(form.row, form.matrix.shape[0]), form.matrix)


def forms(node: Any, g: Any) -> list[Form]:
    """Return the forms whose sum a node is.

    Raises:
        NotSupportedError: There are none.
    """
    if node == g:
        return [InColumn(Identity(g.shape[0]))]
    if type(node).__name__ not in FORMS:
        raise refused(node)
    return FORMS[type(node).__name__](node, g)


def refused(node: Any) -> NotSupportedError:
    """Say which formula has no matrix."""
    return NotSupportedError(f"no matrix for {writer.text(node)}, a {type(node).__name__}; add a form to symrnn.jacobians.linear")


def moves(node: Any, g: Any) -> bool:
    """Tell whether a formula reads the column."""
    return any(leaf == g for leaf in leaves(node))


def form_plus(node: Any, g: Any) -> list[Form]:
    """A sum."""
    return [form for term in node.args for form in forms(term, g)]


def form_scaled(node: Any, g: Any) -> list[Form]:
    """``c A``."""
    scalar = node.args[0]
    return [with_left(lambda m: Scaled(scalar, m), form) for form in forms(node.args[1], g)]


def with_left(change: Callable[[Any], Any], form: Form) -> Form:
    """Change what stands on the left of a form."""
    if isinstance(form, InColumn):
        return InColumn(change(form.matrix), form.row)
    if isinstance(form, InRow):
        return InRow(change(form.column), form.matrix)
    return settled(InDiagonal(change(form.left), form.matrix, form.right))


def with_right(matrix: Any, form: Form) -> Form:
    """Multiply a form by a matrix from the right."""
    if isinstance(form, InColumn):
        return InColumn(form.matrix, multiplied(form.row, matrix))
    if isinstance(form, InRow):
        return InRow(form.column, multiplied(Transposed(matrix), form.matrix))
    return settled(InDiagonal(form.left, form.matrix, multiplied(form.right, matrix)))


def settled(form: InDiagonal) -> Form:
    """``A diag(v) b`` is ``A diag(b) v`` for a column ``b``; ``aᵀ diag(v) B`` is ``(Bᵀ diag(a) v)ᵀ``."""
    if same(form.right.shape[1], 1):
        return InColumn(multiplied(form.left, Diag(form.right), form.matrix))
    if same(form.left.shape[0], 1):
        return InRow(ONE, multiplied(Transposed(form.right), Diag(Transposed(form.left)), form.matrix))
    return form


def one_moving(parts: Sequence[Any], g: Any, node: Any) -> int:
    """Return which operand reads the column; with two the formula is not linear."""
    moving = [k for k, part in enumerate(parts) if moves(part, g)]
    if len(moving) != 1:
        raise refused(node)
    return moving[0]


def form_product(node: Any, g: Any) -> list[Form]:
    """``A X B``."""
    k = one_moving(node.args, g, node)
    before, after = node.args[:k], node.args[k + 1:]
    found = forms(node.args[k], g)
    if before:
        found = [with_left(lambda m: multiplied(*before, m), form) for form in found]
    return [with_right(multiplied(*after), form) for form in found] if after else found


def form_hadamard(node: Any, g: Any) -> list[Form]:
    """``X ∘ A``."""
    k = one_moving(node.args, g, node)
    constant = Hadamard(*node.args[:k], *node.args[k + 1:])
    return [masked(form, constant, node) for form in forms(node.args[k], g)]


def masked(form: Form, x: Any, node: Any) -> Form:
    """``(M g) r ∘ X = diag(M g) X diag(r)``, ``l (M g)ᵀ ∘ X = diag(l) X diag(M g)``, ``diag(v) B ∘ X = diag(v) (B ∘ X)``."""
    if isinstance(form, InColumn):
        if same(x.shape[1], 1):
            return InColumn(multiplied(Diag(x), form.matrix), form.row)
        return InDiagonal(Identity(x.shape[0]), form.matrix, multiplied(x, Diag(Transposed(form.row))))
    if isinstance(form, InRow):
        return settled(InDiagonal(multiplied(Diag(form.column), x), form.matrix, Identity(x.shape[1])))
    if is_diagonal(form.left):
        return InDiagonal(form.left, form.matrix, Hadamard(form.right, x))
    if is_diagonal(form.right):
        return InDiagonal(Hadamard(form.left, x), form.matrix, form.right)
    raise refused(node)


def form_transposed(node: Any, g: Any) -> list[Form]:
    """``Xᵀ``."""
    return [turned(form) for form in forms(node.args[0], g)]


def turned(form: Form) -> Form:
    """The transpose of a form."""
    if isinstance(form, InColumn):
        return InRow(Transposed(form.row), form.matrix)
    if isinstance(form, InRow):
        return InColumn(form.matrix, Transposed(form.column))
    return InDiagonal(Transposed(form.right), form.matrix, Transposed(form.left))


def form_total(node: Any, g: Any) -> list[Form]:
    """``1ᵀ X 1``."""
    rows, cols = node.args[0].shape
    ones = [with_left(lambda m: multiplied(Ones(1, rows), m), form) for form in forms(node.args[0], g)]
    return ones if same(cols, 1) else [with_right(Ones(cols, 1), form) for form in ones]


def form_rows(node: Any, g: Any) -> list[Form]:
    """``[X]_{i:j}``."""
    whole, start, stop = node.args
    pick = Rows(Identity(whole.shape[0]), start, stop)
    return [with_left(lambda m: multiplied(pick, m), form) for form in forms(whole, g)]


def form_stacked(node: Any, g: Any) -> list[Form]:
    """``[0; X; 0]``, added up over the blocks."""
    found: list[Form] = []
    start: Any = Integer(0)
    for part in node.args:
        place = Transposed(Rows(Identity(node.shape[0]), start, start + part.shape[0]))
        if moves(part, g):
            found += [with_left(lambda m, place=place: multiplied(place, m), form) for form in forms(part, g)]  # type: ignore[misc]
        start = start + part.shape[0]
    return found


def form_column(node: Any, g: Any) -> list[Form]:
    """``[X]_{:,k} = X e_k``."""
    whole, number = node.args
    pick = OneHot(Scaled(number - 1, Ones(1, 1)), whole.shape[1])
    return [with_right(pick, form) for form in forms(whole, g)]


def form_gather(node: Any, g: Any) -> list[Form]:
    """``[X]_{:,w} = X e_w``."""
    whole, index = node.args
    return [with_right(OneHot(index, whole.shape[1]), form) for form in forms(whole, g)]


def form_diag(node: Any, g: Any) -> list[Form]:
    """``diag(X)``."""
    size = Identity(node.shape[0])
    return [InDiagonal(size, matrix_of_form(form), size) for form in forms(node.args[0], g)]


def form_time_sum(node: Any, g: Any) -> list[Form]:
    """``Σ_k X_k``, of columns."""
    body, index, lo, hi = node.args
    if not same(body.shape[1], 1):
        raise refused(node)
    return [InColumn(TimeSum(matrix_of(body, g), index, lo, hi))]


FORMS: dict[str, Callable[[Any, Any], list[Form]]] = {
    "Column": form_column,
    "Diag": form_diag,
    "Gather": form_gather,
    "Hadamard": form_hadamard,
    "Plus": form_plus,
    "Product": form_product,
    "Rows": form_rows,
    "Scaled": form_scaled,
    "Stacked": form_stacked,
    "TimeSum": form_time_sum,
    "Total": form_total,
    "Transposed": form_transposed,
}
"""One rule for each node type that may hold what moves."""


def transposed_terms(matrix: Any) -> Any:
    """The transpose, term by term."""
    terms = matrix.args if type(matrix).__name__ == "Plus" else (matrix,)
    return added(Transposed(term) for term in terms)


def local_jacobian(term: Node, g: Node) -> Any:
    """Return ``J`` where ``term = Jᵀ g``: the local derivative of which a reverse-mode rule gives the transposed product."""
    return transposed_terms(matrix_of(term, g))


__all__ = ["local_jacobian", "matrix_of"]
