r"""The sum over paths for a sequence of any length: ``\sum_t \sum_{k \le t}`` and an ordered product of Jacobians.

The product is no node of the closed set: it is written here, in the order in which its factors stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn import writer
from symrnn.derivation import Contribution, Derivation
from symrnn.expr import At, Leaf, Node, Plus, Scaled, Series, TimeSum, Transposed, t
from symrnn.node_text import bracket, mirrored
from symrnn.quantity_text import SUM
from symrnn.sign_text import times
from symrnn.style import Style, time_text
from symrnn.times import Span, hull
from symrnn.traverse import leaves
from symrnn.unrolling.lettering import READS, RUNNING, chain_node, plus_one
from symrnn.unrolling.paths import is_short, jacobian_series, vector
from symrnn.unrolling.recurrences import Recurrence, owner_of


@dataclass(frozen=True)
class SymbolicTerm:
    """One way in which a quantity is read.

    Attributes:
        of: The recurrence that reads it; ``None`` where what reads it is beside or above all of them.
        body: In named Jacobians, with ``CHAIN`` for their product.
        reads: The time of the step that reads it.
        over: The times over which ``reads`` runs; ``None`` where it is fixed.
        arrives: The times ``t`` at which something arrives.
    """

    of: Recurrence | None
    body: Node
    reads: Expr = READS
    over: Span | None = None
    arrives: Span | None = None


@dataclass(frozen=True)
class SymbolicSum:
    """The gradient in one quantity.

    Attributes:
        target: What it is taken in; a value at ``READS`` for an input.
        terms: In the order of the derivation.
        over: The times of the target, where it has several.
    """

    target: Leaf
    terms: tuple[SymbolicTerm, ...]
    over: Span | None = None


def symbolic_sum(derivation: Derivation, found: tuple[Recurrence, ...], name: str) -> SymbolicSum | None:
    """Return the gradient as a sum over paths, or ``None`` where the times differ from piece to piece.

    Raises:
        SpecError: Nobody defines the name, or no gradient is taken in it.
        NotSupportedError: A step that is no product of matrices.
    """
    given = derivation.given(name)
    quantity: Any = given.quantity
    contributions = derivation.by_quantity[quantity].contributions
    if given.span is None:
        return SymbolicSum(quantity, tuple(term for c in contributions for term in static_terms(c.term, found)))
    order = derivation.network.order
    own = [c for c in contributions if c.span is not None and not order.disjoint(c.span, given.span)]
    if given.span.single:
        at = [c.term.xreplace({t: given.span.lo}) for c in own]
        return SymbolicSum(quantity[given.span.lo], tuple(term_of(node, None, found) for node in at))
    if any(c.span != given.span for c in own):
        return None
    return SymbolicSum(quantity[READS], tuple(moved(c, found) for c in own), given.span)


def moved(contribution: Contribution, found: tuple[Recurrence, ...]) -> SymbolicTerm:
    """The term of a value at a time: the time is ``k``."""
    term = term_of(contribution.term, None, found, generic=t)
    return replace(term, over=None)


def static_terms(node: Node, found: tuple[Recurrence, ...]) -> Iterator[SymbolicTerm]:
    """Yield the ways in which a parameter is read."""
    scalar, core = (node.args[0], node.args[1]) if isinstance(node, Scaled) else (Integer(1), node)
    if isinstance(core, Plus):
        for part in core.args:
            yield from static_terms(Scaled(scalar, part), found)
    elif isinstance(core, TimeSum) and any(owner_of(leaf, found) for leaf in leaves(core.args[0])):
        body, index, lo, hi = core.args
        yield term_of(Scaled(scalar, body), Span(lo, hi), found, generic=index)
    else:
        yield term_of(node, None, found)


def term_of(node: Node, over: Span | None, found: tuple[Recurrence, ...], *, generic: Basic | None = None) -> SymbolicTerm:
    """Put the path to the states in the place of an adjoint of a recurrence."""
    known = next(((leaf, owner) for leaf in leaves(node) if (owner := owner_of(leaf, found)) is not None), None)
    if known is None:
        return SymbolicTerm(None, node)
    leaf, (of, reader) = known
    reads = leaf.time if isinstance(leaf, At) else READS
    if generic is not None:
        shift = reads - generic
        node, over = node.xreplace({generic: READS - shift}), over.shifted(shift) if over is not None else None
        leaf, reads = leaf.xreplace({generic: READS - shift}), READS
    piece = of.pieces()[-1]
    value = vector(of, reader, reads, [chain_node(of)], t, piece)
    return SymbolicTerm(of, node.xreplace({leaf: value}), reads, over, arriving_span(of))


def arriving_span(of: Recurrence) -> Span:
    """Return the times of a recurrence at which something arrives from outside."""
    spans = [c.span for state in of.states for c in of.arriving(state) if c.span is not None]
    order = of.derivation.network.order
    whole = hull(spans, order)
    return Span(order.sort([whole.lo, of.span.lo])[-1], order.sort([whole.hi, of.span.hi])[0])


def sum_text(term: SymbolicTerm, style: Style) -> str:
    """Write a term with its sums: ``Σ_{t=1}^T Σ_{k=1}^t …``."""
    if term.of is None or term.arrives is None:
        return bracket(term.body, style, SUM)
    arrives = term.arrives.lo if term.arrives.single else t
    body = bracket(term.body.xreplace({t: arrives}), replace(style, used=style.used), SUM)
    text = body.replace(writer.formula(chain_node(term.of), style), product_text(term.of, term.reads, arrives, style))
    return "".join(sums(term, arrives, style)) + text


def sums(term: SymbolicTerm, arrives: Expr, style: Style) -> Iterator[str]:
    """Yield the signs of the sums of a term, the outer one first."""
    of, span = term.of, term.arrives
    if of is None or span is None:
        return
    order, forward = of.derivation.network.order, of.step == 1
    if not span.single:
        lo, hi = span.lo, span.hi
        if term.over is None:
            later = term.reads if term.reads.has(READS) or order.compare(term.reads, lo if forward else hi) * of.step > 0 else None
            lo, hi = (later or lo, hi) if forward else (lo, later or hi)
        yield sum_sign(t, lo, hi, style)
    if term.over is not None:
        lo, hi = term.over.lo, term.over.hi
        yield sum_sign(READS, lo, arrives, style) if forward else sum_sign(READS, arrives, hi, style)


def sum_sign(index: Expr, lo: Expr, hi: Expr, style: Style) -> str:
    """Write ``Σ_{k=1}^{t}`` and a blank."""
    below, above = f"{time_text(index, style)}={time_text(lo, style)}", time_text(hi, style)
    above = above if style.medium == "unicode" and len(above) == 1 else f"{{{above}}}"
    return style.pick(r"\sum", "Σ", "sum") + f"_{{{below}}}^{above} "


def product_text(of: Recurrence, reads: Expr, arrives: Expr, style: Style) -> str:
    """Write ``J_{k+1}ᵀ ⋯ J_tᵀ``, in the order in which the factors are multiplied."""
    ends = [writer.formula(Transposed(jacobian_series(of)[time]), style) for time in (plus_one(reads, of), arrives)]
    first, last = mirrored(ends, style)
    return times(style).join([first, style.pick(r"\cdots", "⋯", "..."), last])


def ordered_product(of: Recurrence, style: Style) -> str:
    """Write the ordered product with its sign: ``∏_{j=k+1}^{t} J_jᵀ``."""
    first, last = plus_one(READS, of), t
    below, above = f"{time_text(RUNNING, style)}={time_text(first, style)}", time_text(last, style)
    above = above if style.medium == "unicode" and len(above) == 1 else f"{{{above}}}"
    factor = writer.formula(Transposed(jacobian_series(of)[RUNNING]), style)
    return style.pick(r"\prod", "∏", "prod") + f"_{{{below}}}^{above} {factor}"


def needs_name(of: Recurrence, reader: Series) -> bool:
    """Tell whether ``∂s_k/∂q_k`` is named."""
    return not is_short(of, reader, of.pieces()[-1])

