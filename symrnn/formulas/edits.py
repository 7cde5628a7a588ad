"""Single edits of a formula: what may have gone wrong, by node type, for no cell in particular.

Each edit has a name, the part that is there and the part that takes its place. The pool is what the right formula is made
of: the factors and terms that may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Expr, preorder_traversal

from symrnn.errors import SymrnnError
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    Leaf,
    Node,
    Plus,
    Product,
    Scaled,
    Transposed,
    Zeros,
    split_scalar,
)
from symrnn.expr.node import same


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        kind: Name of the mistake that it repairs: ``"wrong sign"``.
        there: The part that stands in the formula; ``None`` where something is missing.
        due: What should stand there; ``None`` where something is too much.
        result: The formula after the change.
    """

    kind: str
    there: Node | None
    due: Node | None
    result: Node


def terms_of(node: Node) -> list[Node]:
    """Return the terms of a sum."""
    return list(node.args) if isinstance(node, Plus) else [] if isinstance(node, Zeros) else [node]


def total(terms: Iterable[Node], like: Node) -> Node:
    """Add terms; none is 0."""
    listed = list(terms)
    return Plus(*listed) if listed else Zeros(*like.shape)


def edits(node: Node, pool: Pool) -> Iterator[Edit]:
    """Yield every single edit of a formula, the simplest kinds first.

    Args:
        node: The formula.
        pool: What may be missing or meant.
    """
    yield from signs(node)
    own = [*nested(node, pool), *everywhere(node, pool)]
    rank = {kind: k for k, kind in enumerate(KINDS)}
    yield from sorted(own, key=lambda e: rank[e.kind])


KINDS = (
    "missing transpose", "transpose too much", "wrong time", "wrong sign", "a function too much", "a factor too much", "missing factor",
    "wrong quantity", "wrong scale", "brackets", "missing function",
)


def signs(node: Node) -> Iterator[Edit]:
    """Turn the sign of a term, or of all."""
    for term in terms_of(node):
        rest = [Scaled(-1, x) if x == term else x for x in terms_of(node)]
        yield Edit("wrong sign", term, Scaled(-1, term), total(rest, node))


@dataclass(frozen=True)
class Pool:
    """What may be missing or meant.

    Attributes:
        leaves: Quantities, at any time.
        factors: Factors of the right formula.
        functions: Names of functions that the network has.
    """

    leaves: tuple[Leaf, ...]
    factors: tuple[Node, ...]
    functions: tuple[str, ...] = ()

    @classmethod
    def of(cls, right: Iterable[Node], leaves: Iterable[Leaf]) -> Pool:
        """Collect what right formulas are made of."""
        listed = list(right)
        factors = [f for node in listed for f in factors_in(node)]
        functions = {str(f.args[0]) for node in listed for f in node.atoms(Elementwise)}
        return cls(tuple(dict.fromkeys(leaves)), tuple(dict.fromkeys(factors)), tuple(sorted(functions)))


def factors_in(node: Any) -> Iterator[Node]:
    """Yield the factors in a formula, at any depth."""
    if not isinstance(node, Node) or isinstance(node, Leaf):
        return
    if isinstance(node, Product | Hadamard):
        yield from node.args
    for arg in node.args:
        yield from factors_in(arg)


def nested(node: Node, pool: Pool) -> Iterator[Edit]:
    """Yield the edits of a formula and of all its parts."""
    for kind, due in here(node, pool):
        yield Edit(kind, node, due, due)
    for place, arg in enumerate(node.args):
        if isinstance(arg, Node) and not isinstance(node, Leaf):
            for edit in nested(arg, pool):
                args = list(node.args)
                args[place] = edit.result
                changed = attempt(node.func, *args)
                if changed is not None and changed != node:
                    yield Edit(edit.kind, edit.there, edit.due, changed)


def everywhere(node: Node, pool: Pool) -> Iterator[Edit]:
    """Yield the edits of a part that stands in several places, made in all of them."""
    parts = [part for part in preorder_traversal(node) if isinstance(part, Leaf | Elementwise)]
    for part in dict.fromkeys(p for p in parts if parts.count(p) > 1):
        for kind, due in here(part, pool):
            changed = attempt(node.xreplace, {part: due})
            if changed is not None and changed != node:
                yield Edit(kind, part, due, changed)


def attempt(make: Any, *args: Any) -> Any:
    """Make a node; nothing where its shapes do not fit."""
    try:
        return make(*args)
    except SymrnnError:
        return None


def fits(a: Any, b: Any) -> bool:
    """Tell whether two nodes have one shape."""
    return a is not None and all(same(x, y) for x, y in zip(a.shape, b.shape, strict=True))


def here(node: Node, pool: Pool) -> Iterator[tuple[str, Node]]:
    """Yield what may be meant by a part, by its type."""
    if isinstance(node, Leaf):
        yield from leaf_edits(node, pool)
    if isinstance(node, Transposed) and fits(node.args[0], node):
        yield "transpose too much", node.args[0]
    elif isinstance(node, Leaf | Product) and 1 not in node.shape and fits(Transposed(node), node):
        yield "missing transpose", Transposed(node)
    if isinstance(node, Product | Hadamard):
        yield from product_edits(node)
    if isinstance(node, Elementwise) and fits(node.args[1], node):
        yield "a function too much", node.args[1]
    if isinstance(node, Scaled):
        yield from scale_edits(node)
    if isinstance(node, Plus):
        yield from bracket_edits(node)
        yield from ((("wrong sign"), e.result) for e in signs(node))
    if isinstance(node, Hadamard) or 1 in node.shape:
        yield from missing_factors(node, pool)


def leaf_edits(leaf: Leaf, pool: Pool) -> Iterator[tuple[str, Node]]:
    """Another time, another quantity, a function of it."""
    if isinstance(leaf, At):
        for shift in (1, -1, 2, -2):
            yield "wrong time", At(leaf.series, leaf.time + shift)
    for other in pool.leaves:
        moved = At(other.series, leaf.time) if isinstance(other, At) and isinstance(leaf, At) else other
        if moved != leaf and fits(moved, leaf):
            yield "wrong quantity", moved
    for name in pool.functions:
        yield "missing function", Elementwise(name, leaf)


def product_edits(node: Node) -> Iterator[tuple[str, Node]]:
    """Leave a factor out; take the last factor of a product for the factor of a sum."""
    for place in range(len(node.args)):
        rest = [arg for k, arg in enumerate(node.args) if k != place]
        left: Any = attempt(node.func, *rest)
        if fits(left, node):
            yield "a factor too much", left
    for place, arg in enumerate(node.args):
        if isinstance(arg, Plus):
            others = list(node.args)
            for k in range(len(arg.args)):
                others[place] = arg.args[k]
                multiplied = attempt(node.func, *others)
                rest = [x for j, x in enumerate(arg.args) if j != k]
                whole: Any = attempt(Plus, *rest, multiplied) if multiplied is not None else None
                if fits(whole, node):
                    yield "brackets", whole


def scale_edits(node: Node) -> Iterator[tuple[str, Node]]:
    """Take a scale away, or only its size."""
    scale, core = node.args
    yield "wrong scale", core
    if isinstance(scale, Expr) and scale.could_extract_minus_sign():
        yield "wrong sign", Scaled(-scale, core)
        yield "wrong scale", Scaled(-1, core)


def bracket_edits(node: Node) -> Iterator[tuple[str, Node]]:
    """Let the factors of one term multiply the whole sum."""
    for k, term in enumerate(node.args):
        scale, core = split_scalar(term)
        if not isinstance(core, Product | Hadamard):
            continue
        for place, factor in enumerate(core.args):
            rest = [x if j != k else Scaled(scale, factor) for j, x in enumerate(node.args)]
            inner = attempt(Plus, *rest)
            args = list(core.args)
            args[place] = inner
            whole: Any = attempt(core.func, *args) if inner is not None else None
            if fits(whole, node):
                yield "brackets", whole


def missing_factors(node: Node, pool: Pool) -> Iterator[tuple[str, Node]]:
    """Multiply by a factor of the right formula."""
    for factor in pool.factors:
        if fits(factor, node) and not isinstance(factor, Zeros):
            yield "missing factor", Hadamard(node, factor)
        for made in (attempt(Product, factor, node), attempt(Product, node, factor)):
            if fits(made, node):
                yield "missing factor", made


def scaled_by(node: Node, factor: Expr) -> Node:
    """Return a formula times a number."""
    return Scaled(factor, node)


