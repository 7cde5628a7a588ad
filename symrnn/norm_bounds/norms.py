"""Bounds on the spectral norm of a formula: one rule for each node type.

``‖A + B‖ ≤ ‖A‖ + ‖B‖``, ``‖A B‖ ≤ ‖A‖ ‖B‖``, ``‖diag(v)‖ = max |v_i|``, ``‖Aᵀ‖ = ‖A‖``, and the norm of rows or columns of a
matrix is at most that of the matrix. What no rule takes apart is an atom: ``σ_max(W)`` of a matrix, ``max |v|`` of the entries
of a diagonal, ``‖v‖`` of a column. A bound is a sum of products of atoms, so it has a value wherever the formula has one.

Source: R. A. Horn and C. R. Johnson, Matrix Analysis, 2nd ed. 2013, section 5.6; of the elementwise product: the same authors,
Topics in Matrix Analysis, 1991, theorem 5.5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sympy import Abs, Expr, Integer, sqrt

from symrnn import writer
from symrnn.expr import At, Hadamard, Leaf, Ones, same
from symrnn.style import Style

LARGEST, ENTRY, LENGTH, STEP, CONSTANT = "largest", "entry", "length", "step", "constant"
"""Kinds of atoms: ``σ_max(A)``, ``max |v|``, ``‖v‖``, the bound of another Jacobian, and a constant of an assumption."""


@dataclass(frozen=True)
class Atom:
    """A number that a bound is made of.

    Attributes:
        kind: One of the kinds above.
        node: The matrix or column; of an assumption the function whose slope is meant.
    """

    kind: str
    node: Any

    def text(self, style: Style) -> str:
        """Write the atom."""
        if self.kind == CONSTANT:
            return style.pick(r"\gamma", "γ", "gamma")
        body = writer.formula(self.node, style)
        if self.kind == ENTRY:
            return style.pick(rf"\max\left|{body}\right|", f"max|{body}|")
        if self.kind == LARGEST:
            return style.pick(rf"\sigma_{{\max}}({body})", f"σ_max({body})", f"sigma_max({body})")
        return style.pick(rf"\left\lVert {body} \right\rVert", f"‖{body}‖", f"||{body}||")


@dataclass(frozen=True)
class Term:
    """A number times atoms."""

    number: Expr
    atoms: tuple[Atom, ...] = ()

    def __mul__(self, other: Term) -> Term:
        return Term(self.number * other.number, (*self.atoms, *other.atoms))

    def text(self, style: Style) -> str:
        """Write the term."""
        front = [] if self.number == 1 and self.atoms else [writer.formula(self.number * Ones(1, 1), style)]
        return style.pick(r" \, ", " ", " * ").join([*front, *(atom.text(style) for atom in self.atoms)])


@dataclass(frozen=True)
class NormBound:
    """A sum of terms that no norm exceeds."""

    terms: tuple[Term, ...]

    def __add__(self, other: NormBound) -> NormBound:
        return NormBound((*self.terms, *other.terms))

    def __mul__(self, other: NormBound) -> NormBound:
        return NormBound(tuple(a * b for a in self.terms for b in other.terms))

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """What it is made of, each once."""
        return tuple(dict.fromkeys(atom for term in self.terms for atom in term.atoms))

    def text(self, style: Style | None = None) -> str:
        """Write the bound; by default for a terminal."""
        given = style or Style(medium="unicode")
        return " + ".join(term.text(given) for term in self.terms) or "0"

    def value(self, of: Callable[[Atom], Any], sizes: Mapping[Any, int]) -> Any:
        """Return the bound as a number, or as an array of them.

        Args:
            of: The value of an atom.
            sizes: Numbers for size letters.
        """
        numbers = [float(term.number.xreplace({letter: Integer(size) for letter, size in sizes.items()})) for term in self.terms]
        return sum((reduce(lambda a, b: a * b, map(of, term.atoms), c) for c, term in zip(numbers, self.terms, strict=True)), 0.0)

    def replaced(self, change: Callable[[Atom], NormBound]) -> NormBound:
        """Put bounds in the place of atoms."""
        return NormBound(tuple(
            new for term in self.terms
            for new in reduce(lambda a, b: a * b, (change(atom) for atom in term.atoms), NormBound((Term(term.number),))).terms
        ))


def number(value: Any) -> NormBound:
    """Return a bound that is a number."""
    return NormBound((Term(Integer(value) if isinstance(value, int) else value),) if value != 0 else ())


def atom(kind: str, node: Any) -> NormBound:
    """Return a bound that is one atom."""
    return NormBound((Term(Integer(1), (Atom(kind, node),)),))


def norm_bound(node: Any, slopes: Iterable[Any] = (), named: Iterable[Any] = ()) -> NormBound:
    """Bound the spectral norm of a matrix, or the length of a column.

    Args:
        node: A formula.
        slopes: Elementwise products that are kept together, such as ``f ∘ (1 - f)``.
        named: Series that hold Jacobians with bounds of their own.
    """
    return Rules(tuple(slopes), frozenset(named)).norm(node)


@dataclass(frozen=True)
class Rules:
    """The rules, with what they keep together."""

    slopes: tuple[Any, ...]
    named: frozenset[Any]

    def norm(self, node: Any) -> NormBound:
        """Bound a norm by the rule of the node's type; a node without one is an atom."""
        rule = RULES.get(type(node).__name__)
        if type(node).__name__ == "Transposed" and same(node.shape[0], 1):
            return self.norm(node.args[0])
        if rule is not None and not (type(node).__name__ in BLOCKS and not any(isinstance(q, At) for q in node.atoms(Leaf))):
            return rule(self, node)
        if isinstance(node, At) and node.series in self.named:
            return atom(STEP, node)
        vector = same(node.shape[0], 1) or same(node.shape[1], 1)
        return atom(LENGTH if vector else LARGEST, node)

    def entry(self, node: Any) -> NormBound:
        """Bound the largest entry of a column: a product factor by factor, slopes of functions together."""
        if isinstance(node, Ones):
            return number(1)
        if type(node).__name__ == "Scaled":
            return number(Abs(node.args[0])) * self.entry(node.args[1])
        if type(node).__name__ == "Product" and node.args[-1].shape == (1, 1):
            return self.entry(node.args[0]) * reduce(lambda a, b: a * b, (atom(ENTRY, f) for f in node.args[1:])) \
                if len(node.args) == 2 else atom(ENTRY, node)
        if not isinstance(node, Hadamard):
            return atom(ENTRY, node)
        rest, found = list(node.args), []
        for slope in self.slopes:
            factors = list(slope.args) if isinstance(slope, Hadamard) else [slope]
            while all(rest.count(f) >= factors.count(f) for f in factors):
                for f in factors:
                    rest.remove(f)
                found.append(atom(ENTRY, slope))
        return reduce(lambda a, b: a * b, [*(self.entry(f) for f in rest), *found])


def bound_zeros(rules: Rules, node: Any) -> NormBound:
    """``‖0‖ = 0``."""
    return number(0)


def bound_one(rules: Rules, node: Any) -> NormBound:
    """``‖I‖ = 1``, ``‖e_w‖ = 1``."""
    return number(1)


def bound_ones(rules: Rules, node: Any) -> NormBound:
    """The matrix of ones has ``√(m n)``."""
    return number(sqrt(node.shape[0] * node.shape[1]))


def bound_scaled(rules: Rules, node: Any) -> NormBound:
    """``‖c A‖ = |c| ‖A‖``."""
    return number(Abs(node.args[0])) * rules.norm(node.args[1])


def bound_plus(rules: Rules, node: Any) -> NormBound:
    """``‖A + B‖ ≤ ‖A‖ + ‖B‖``; ``1 - A ∘ A`` is kept whole."""
    if any(isinstance(term, Ones) for term in node.args):
        return atom(LENGTH if same(node.shape[1], 1) else LARGEST, node)
    return reduce(lambda a, b: a + b, map(rules.norm, node.args))


def bound_product(rules: Rules, node: Any) -> NormBound:
    """``‖A B‖ ≤ ‖A‖ ‖B‖``; ``‖v wᵀ‖ = ‖v‖ ‖w‖``."""
    return reduce(lambda a, b: a * b, map(rules.norm, node.args))


def bound_diag(rules: Rules, node: Any) -> NormBound:
    """``‖diag(v)‖ = max |v_i|``."""
    return rules.entry(node.args[0])


def bound_of_operand(rules: Rules, node: Any) -> NormBound:
    """``‖Aᵀ‖ = ‖A‖``; rows of a matrix have at most its norm."""
    return rules.norm(node.args[0])


def bound_stacked(rules: Rules, node: Any) -> NormBound:
    """``‖[A; B]‖ ≤ ‖A‖ + ‖B‖``."""
    return bound_plus(rules, node)


RULES: dict[str, Callable[[Rules, Any], NormBound]] = {
    "Diag": bound_diag,
    "Identity": bound_one,
    "OneHot": bound_one,
    "Ones": bound_ones,
    "Plus": bound_plus,
    "Product": bound_product,
    "Rows": bound_of_operand,
    "Scaled": bound_scaled,
    "Stacked": bound_stacked,
    "Transposed": bound_of_operand,
    "Zeros": bound_zeros,
}
"""One rule for each node type that is taken apart; every other matrix is an atom."""

BLOCKS = {"Rows", "Transposed", "Stacked"}
"""Types that are kept whole where they are blocks of parameters: ``σ_max([W]_{:,1:H})`` is smaller than ``σ_max(W)``."""

__all__ = ["CONSTANT", "ENTRY", "LARGEST", "LENGTH", "STEP", "Atom", "NormBound", "Term", "atom", "norm_bound", "number"]
