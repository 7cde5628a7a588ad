"""Named simplifications of derived terms. Each holds on its own; together they give the textbook form."""

from __future__ import annotations

from typing import Any

from sympy import Basic, Expr, Integer, expand

from symrnn.equations import Equation
from symrnn.expr import (
    At,
    Columns,
    Diag,
    Divides,
    Elementwise,
    Hadamard,
    Identity,
    Leaf,
    Node,
    Ones,
    Plus,
    Product,
    Scaled,
    Softmax,
    Stacked,
    Static,
    TimeSum,
    Total,
    Transposed,
    Zeros,
    is_condition,
    same,
    split_scalar,
    t,
)
from symrnn.networks.graph import Network, Relation
from symrnn.times import Order, Span
from symrnn.traverse import at_time, leaves, rebuilt


def named_values(network: Network) -> dict[Node, Equation]:
    """Return the function applications that have a name: ``softmax(a_t)`` with the equation ``ŷ_t = softmax(a_t)``."""
    return {e.rhs: e for e in network.equations if isinstance(e.rhs, Elementwise | Softmax)}


def reuse_named_value(term: Any, values: dict[Node, Equation], ranges: dict[Any, Span], order: Order) -> Any:
    """``softmax(a_t)`` becomes ``ŷ_t``: a value that the forward pass has named is not computed again.

    Args:
        term: A formula at the time of its reader.
        values: The function applications that have a name.
        ranges: The times that ``t`` and the bound indices of the term run over.
        order: Compares times: the named value must be there at every time at which the term reads it.
    """

    def change(node: Any) -> Any:
        if not isinstance(node, Elementwise | Softmax):
            return node
        operand = node.args[node.place]
        if not isinstance(operand, At):
            return values[node].lhs if node in values else node
        equation = values.get(at_generic_time(node, operand.time))
        if equation is None or equation.span is None:
            return node
        moving = next((index for index in ranges if index in operand.time.free_symbols), None)
        times = Span(operand.time, operand.time) if moving is None else ranges[moving].shifted(operand.time - moving)
        return at_time(equation.lhs, operand.time) if order.covers(equation.span, times) else node

    return rebuilt(term, change)


def at_generic_time(node: Any, time: Any) -> Any:
    """Return a formula with the values at one time replaced by those at the generic ``t``."""
    return rebuilt(node, lambda part: part.series[t] if isinstance(part, At) and part.time == time else part)


def use_relation(term: Any, relation: Relation) -> Any:
    """``1ᵀ y_t`` becomes ``1``: an equality that the given numbers satisfy."""
    moving = next((leaf for leaf in leaves(relation.lhs) if isinstance(leaf, At)), None)

    def change(node: Any) -> Any:
        if node == relation.lhs:
            return relation.rhs
        if moving is None or type(node) is not type(relation.lhs):
            return node
        here = next((leaf for leaf in leaves(node) if isinstance(leaf, At) and leaf.series == moving.series), None)
        if here is None or at_time(relation.lhs, here.time) != node:
            return node
        return at_time(relation.rhs, here.time)

    return rebuilt(term, change)


def collected(term: Node) -> Node:
    """``c a - c b`` becomes ``c (a - b)``; ``a m - b m`` with a 1×1 ``m`` becomes ``(a - b) m``; ``δ ∘ a - δ ∘ b`` becomes
    ``δ ∘ (a - b)`` for an adjoint ``δ``.
    """
    if not isinstance(term, Plus):
        return term
    split = [split_scalar(part) for part in term.args]
    front = split[0][0]
    if front not in (1, -1) and all(c in (front, -front) for c, _ in split):
        return Scaled(front, collected(Plus(*(Scaled(c / front, core) for c, core in split))))
    tail = split[0][1].args[-1] if isinstance(split[0][1], Product) else None
    if tail is not None and tail.shape == (1, 1) and all(isinstance(c, Product) and c.args[-1] == tail for _, c in split):
        rest = Plus(*(Scaled(c, Product(*core.args[:-1])) for c, core in split))
        return Product(collected(rest), tail)
    groups: dict[Any, list[Node]] = {}
    for part in term.args:
        groups.setdefault(_leading_adjoint(part) or part, []).append(part)
    return Plus(*(
        members[0] if len(members) == 1 else Hadamard(key, _positive_first(*map(_without_first, members)))
        for key, members in groups.items()
    ))


def added(*terms: Node) -> Node:
    """Add up the contributions to one adjoint, in textbook form."""
    return collected(under_conditions(stacked_rows(stacked_sums(Plus(*terms)))))


def under_conditions(term: Node) -> Node:
    """``[K ∤ t] a + b + [K ∤ t] c`` becomes ``[K ∤ t] (a + c) + b``: each condition is written once."""
    groups: dict[Any, list[Node]] = {}
    for part in term.args if isinstance(term, Plus) else ():
        c, core = split_scalar(part)
        held = tuple(f for f in core.args[1:] if is_condition(f)) if isinstance(core, Product) else ()
        free = Scaled(c, Product(*(f for f in core.args if f not in held))) if held else part
        groups.setdefault(held or part, []).append(free)
    if not any(isinstance(held, tuple) and len(parts) > 1 for held, parts in groups.items()):
        return term
    return Plus(*(
        Product(collected(Plus(*parts)), *held) if isinstance(held, tuple) else parts[0] for held, parts in groups.items()
    ))


def settled(node: Any, ranges: dict[Any, Span]) -> Any:
    """``[K | t > 0]`` becomes ``[K | t]`` where ``t`` runs over times above 0, and a number where a single time tells it.

    Args:
        node: A formula.
        ranges: The times that ``t`` and the bound indices run over.
    """
    if isinstance(node, Divides) and node.positive:
        number, time = node.args[:2]
        index = next((i for i in ranges if i in time.free_symbols), None)
        if index is not None and ranges[index].single and not isinstance(at := node.xreplace({index: ranges[index].lo}), Divides):
            return at
        ends = (time,) if index is None else tuple(expand(time.xreplace({index: e})) for e in (ranges[index].lo, ranges[index].hi))
        lowest = ends[0] if index is None or time.coeff(index) > 0 else ends[-1]
        return Divides(number, time) if lowest.is_Integer and lowest > 0 else node
    if not isinstance(node, Node) or isinstance(node, Leaf) or not node.has(Divides):
        return node
    if isinstance(node, TimeSum | Columns):
        body, index, lo, hi = node.args
        return node.func(settled(body, {**ranges, index: Span(lo, hi)}), index, lo, hi)
    return node.func(*(settled(arg, ranges) for arg in node.args))


def stacked_sums(term: Node) -> Node:
    """``Σ_t [a_t; 0] + Σ_t [0; b_t]`` becomes ``Σ_t [a_t; b_t]``: sums over the same times whose blocks of rows fill the whole."""
    groups: dict[Any, list[Node]] = {}
    for part in term.args if isinstance(term, Plus) else ():
        c, core = split_scalar(part)
        blocks = isinstance(core, TimeSum) and _block_of_rows(core.args[0]) is not None
        groups.setdefault(core.args[1:] if blocks else part, []).append(Scaled(c, core.args[0]) if blocks else part)
    stacks = {times: stacked_rows(Plus(*bodies)) for times, bodies in groups.items() if isinstance(times, tuple)}
    if not any(isinstance(stack, Stacked) and len(groups[times]) > 1 for times, stack in stacks.items()):
        return term
    return Plus(*(
        part for times, parts in groups.items()
        for part in ([TimeSum(stacks[times], *times)] if isinstance(times, tuple) else parts)
    ))


def stacked_rows(term: Node) -> Node:
    """``[a; 0] + [0; b]`` becomes ``[a; b]``: a sum of blocks of rows that fill the whole; terms of one block add up."""
    blocks = [(part, _block_of_rows(part)) for part in (term.args if isinstance(term, Plus) else ())]
    rest = [part for part, block in blocks if block is None]
    waiting = [block for _, block in blocks if block is not None]
    filled: list[Node] = []
    top: Any = Integer(0)
    while not same(top, term.shape[0]):
        here = [rows for start, rows in waiting if same(start, top)]
        if not here or any(not same(rows.shape[0], here[0].shape[0]) for rows in here):
            return term
        waiting = [block for block in waiting if not same(block[0], top)]
        filled.append(Plus(*here))
        top = top + here[0].shape[0]
    return term if waiting else Plus(*rest, Stacked(*filled))


def _block_of_rows(term: Node) -> tuple[Expr, Node] | None:
    """Return where the rows ``g`` of ``c [0; g; 0]`` begin, and ``c g``."""
    c, core = split_scalar(term)
    parts = core.args if isinstance(core, Stacked) else ()
    full = [k for k, part in enumerate(parts) if not isinstance(part, Zeros)]
    if len(full) != 1:
        return None
    return sum((part.shape[0] for part in parts[:full[0]]), Integer(0)), Scaled(c, parts[full[0]])


def _leading_adjoint(term: Node) -> Leaf | None:
    """Return ``δ`` of ``c δ ∘ a`` or ``c δ``."""
    _, core = split_scalar(term)
    first = core.args[0] if isinstance(core, Hadamard) else core
    return first if isinstance(first, Leaf) and has_adjoint(first) else None


def _positive_first(*terms: Node) -> Node:
    """Add up; where the first term is negative, a positive one is written before it: ``a - b``, not ``-b + a``."""
    positive = [term for term in terms if not split_scalar(term)[0].could_extract_minus_sign()]
    lead = positive[:1]
    return Plus(*lead, *(term for term in terms if not lead or term is not lead[0]))


def _without_first(term: Node) -> Node:
    c, core = split_scalar(term)
    return Scaled(c, Hadamard(*core.args[1:]) if isinstance(core, Hadamard) else Ones(*core.shape))


def is_trivial(term: Node) -> bool:
    """Tell whether an adjoint is so simple that a name for it would only hide it: a constant, or one given quantity."""
    core = term.args[1] if isinstance(term, Scaled) else term
    if isinstance(core, Product) and core.shape == (1, 1):
        return all(isinstance(part, Elementwise | Static | At) and not has_adjoint(part) for part in core.args)
    return isinstance(core, Ones) or (isinstance(core, At | Static | Elementwise) and not has_adjoint(core))


def has_adjoint(node: Basic) -> bool:
    """Tell whether an adjoint occurs in a formula."""
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
    if isinstance(term, Total):
        inner = _pullback_matrix(term.args[0], g)
        return None if inner is None else Product(Ones(1, term.args[0].shape[0]), inner)
    if isinstance(term, Product) and all(part.shape == (1, 1) for part in term.args):
        term = Product.make(*sorted(term.args, key=lambda part: g in leaves_of(part)))
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
