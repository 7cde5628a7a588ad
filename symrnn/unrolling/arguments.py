"""What the letters of a sum over paths are, and why it equals the δ-recursion: an induction in words with formulas."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symrnn import writer
from symrnn.equations import Equation
from symrnn.expr import Identity, Node, Plus, Product, Series, Stacked, Transposed, Zeros, t
from symrnn.printing.pieces import Equations, Line, Piece, Words
from symrnn.style import Style, time_text
from symrnn.times import Span
from symrnn.unrolling.forward import first_and_last
from symrnn.unrolling.lettering import READS, RUNNING, chain_node, passed_series, plus_one, states_series
from symrnn.unrolling.paths import arriving_series, jacobian_node, jacobian_series, reaching_node, reaching_series
from symrnn.unrolling.recurrences import Recurrence, stacked
from symrnn.unrolling.symbolic import SymbolicSum, needs_name, ordered_product, product_text, sum_sign
from symrnn.unrolling.texts import block_grid, long_lines, ratio_of, spelled


def names_of(style: Style) -> tuple[str, str]:
    """Return the letters of the step that reads, and of the running index of a product."""
    return style.indices[READS], style.indices[RUNNING]


def is_plain(of: Recurrence) -> bool:
    """Tell whether the δ of its one state is all that the δ-recursion carries."""
    pieces = of.pieces()
    return len(of.states) == 1 and all(isinstance(reaching_node(of, of.states[0], piece), Identity) for piece in pieces)


def passed(of: Recurrence) -> Series:
    """Return what the δ-recursion carries: the δ of the one state, or a letter for that of the stacked states."""
    return of.states[0].adjoint_series(of.derivation.order) if is_plain(of) else passed_series(of)


def definitions(of: Recurrence, symbolic: list[SymbolicSum], style: Style) -> Iterator[Words | Equations]:
    """Say what ``J``, ``e`` and the others are."""
    state, jacobian, arriving = states_series(of), jacobian_series(of), arriving_series(of)
    lines: list[Line] = []
    if len(of.states) > 1:
        lines.append(Line(state[t], Stacked(*(q[t] for q in of.states))))
        lines.append(Line(jacobian[t], spelled(f"{ratio_of(state[t], state[t - of.step], style)} = {block_grid(of, style)}")))
        lines += block_lines(of, style)
    else:
        lines += [line for piece in of.pieces() for line in jacobian_lines(of, piece, style)]
    for equation in arriving_lines(of):
        single = equation.span is not None and equation.span.single
        at = equation.span.lo if single and equation.span is not None else t
        lines.append(Line(arriving[at], equation.rhs.xreplace({t: at}), None if single else equation.span))
    lines += reader_lines(of, symbolic, style)
    yield Words((arriving[t], " is what arrives at ", state[t], " from outside the recurrence: the gradient along the ways that do not "
                 "pass ", state[t + of.step], ". ", jacobian[t], " has a row for each entry of ", state[t], "."))
    lines.append(Line(spelled(ordered_product(of, style)), spelled(product_text(of, READS, t, style))))
    yield Equations(tuple(lines))
    end = "the earliest" if of.step == 1 else "the latest"
    yield Words((f"The product is ordered, with {end} factor on the " + ("right" if style.notation.rows else "left") + "; for ",
                 spelled(f"{names_of(style)[0]} = {time_text(t, style)}"), " it is the identity."))


def jacobian_lines(of: Recurrence, piece: Span, style: Style) -> Iterator[Line]:
    """``J_t = ∂h_t/∂h_{t-1} = …`` over a piece of its times."""
    state, at = of.states[0], piece.lo if piece.single else t
    value = jacobian_node(of, piece).xreplace({t: at})
    ratio = ratio_of(state[at], state[at - of.step], style)
    span = None if piece.single else piece
    if isinstance(value, Plus):
        yield Line(jacobian_series(of)[at], spelled(ratio))
        yield from long_lines(None, value, style, span)
    else:
        yield Line(jacobian_series(of)[at], spelled(f"{ratio} = {writer.formula(value, style)}"), span)


def block_lines(of: Recurrence, style: Style) -> Iterator[Line]:
    """Yield each block of ``J_t`` that is not 0."""
    pieces = of.pieces()
    for new in of.states:
        for old in of.states:
            for piece in pieces:
                found = of.jacobian(old, piece).get(new)
                if found is not None:
                    at = piece.lo if piece.single else t
                    left = spelled(ratio_of(new[at], old[at - of.step], style))
                    yield from long_lines(left, found.xreplace({t: at}), style, None if piece.single or len(pieces) == 1 else piece)


def reader_lines(of: Recurrence, symbolic: list[SymbolicSum], style: Style) -> Iterator[Line]:
    """Yield what ``∂s_k/∂q_k`` is, for each reader whose name the sums need."""
    read = {series.name for total in symbolic for term in total.terms if term.of == of for series in term.body.atoms(Series)}
    for quantity in dict.fromkeys(e.quantity for e in of.equations):
        if not isinstance(quantity, Series) or reaching_series(of, quantity).name not in read or not needs_name(of, quantity):
            continue
        above = ratio_of(states_series(of)[t], quantity[t], style)
        blocks = of.through(quantity, of.pieces()[-1])
        yield Line(reaching_series(of, quantity)[t], spelled(above))
        if len(of.states) == 1:
            yield from long_lines(None, blocks[of.states[0]], style)
        else:
            for state in of.states:
                if state != quantity:
                    block = blocks.get(state, Zeros(state.shape[0], quantity.shape[0]))
                    yield from long_lines(spelled(ratio_of(state[t], quantity[t], style)), block, style)


def arriving_lines(of: Recurrence) -> Iterator[Equation]:
    """Yield ``e_t`` over pieces of its times."""
    order, span = of.derivation.network.order, of.span
    spans = [c.span for state in of.states for c in of.arriving(state) if c.span is not None]
    marks = [mark for s in spans for mark in (s.lo, s.hi + 1)]
    found: list[Equation] = []
    for piece in order.cut(span, marks):
        blocks = {}
        for state in of.states:
            terms = [c.term for c in of.arriving(state) if c.span is not None and order.covers(c.span, piece)]
            blocks[state] = Plus(*terms) if terms else Zeros(*state.shape)
        node = stacked(of.states, blocks, arriving_series(of).shape[1])
        if found and found[-1].rhs == node and found[-1].span is not None:
            found[-1] = Equation(found[-1].lhs, node, Span(found[-1].span.lo, piece.hi))
        else:
            found.append(Equation(arriving_series(of)[t], node, piece))
    yield from found


def argument(of: Recurrence, several: bool, style: Style) -> Iterator[Words | Equations]:
    """Yield the induction: from the time that the recurrence computes last down to the first."""
    jacobian, arriving, gradient = jacobian_series(of), arriving_series(of), passed(of)
    first, last = first_and_last(of.span, of.step)
    span = of.span
    k, after = names_of(style)[0], plus_one(READS, of)
    claim = sum_over(of, style, READS)
    state = states_series(of)
    begin: tuple[Piece, ...] = ("For ", state[t], ": ") if several else ()
    if not is_plain(of):
        yield Words((*begin, "let " if several else "Let ", gradient[t], " be the gradient in ", state[t], ", its parts held apart: what arrives now or comes back "
                     "from later steps. ",
                     *(("Inside a step, the part of one state may read another, so ", spelled(delta_text(of, style)), ".") if len(of.states) > 1 else ())))
        begin = ()
    yield Words((*begin, "claim, for each " if begin else "Claim, for each ", spelled(k), ":"))
    yield Equations((Line(gradient[READS], spelled(claim)),))
    yield Words(("The recursion reads each state once from outside and once at the next step:",))
    recursion = Plus(arriving[t], Product(Transposed(jacobian[plus_one(t, of)]), gradient[plus_one(t, of)]))
    rest = Span(span.lo, span.hi - 1) if of.step == 1 else Span(span.lo + 1, span.hi)
    yield Equations((Line(gradient[last], arriving[last]), Line(gradient[t], recursion, rest, descending=of.step == 1)))
    yield Words(("Start: at ", spelled(f"{k} = {time_text(last, style)}"), " no step comes after, and the sum has one term, ", arriving[last],
                 ", with a product of no factors."))
    yield Words(("Step: let the claim hold at ", spelled(time_text(after, style)), ". Then",))
    inner = f"{writer.formula(arriving[READS], style)} + "
    factor = writer.formula(Transposed(jacobian[after]), style)
    shifted = sum_over(of, style, after)
    join = f"{shifted} {factor}" if style.notation.rows else f"{factor} {shifted}"
    recursion_at = writer.formula(recursion.xreplace({t: READS}), style)
    yield Equations((Line(gradient[READS], spelled(recursion_at)), Line(None, spelled(inner + join)), Line(None, spelled(claim))))
    yield Words(("since the factor goes in front of each product, and ", arriving[READS], " is the term ", spelled(
        f"{time_text(t, style)} = {k}"), ". So the claim holds down to ", spelled(f"{k} = {time_text(first, style)}"), ". What a "
        "quantity receives from a step is linear in ", gradient[READS], "; with the claim put in, and the two finite sums exchanged, the "
        "gradients above become the sum over paths."))


def delta_text(of: Recurrence, style: Style) -> str:
    """Write ``δc_k = (∂s_k/∂c_k)ᵀ g_k`` for a state that another one reads inside the step."""
    order = of.derivation.order
    own = next((q for q in of.states if not plain_state(of, q)), of.states[0])
    left = writer.formula(own.adjoint_series(order)[READS], style)
    ratio = ratio_of(states_series(of)[READS], own[READS], style)
    tall = (r"\left(", r"\right)^{\top}") if style.latex else ("(", style.pick("", ")ᵀ", ")^T"))
    sign = style.pick(" ", " ", " * ")
    parts = [f"{tall[0]}{ratio}{tall[1]}", writer.formula(passed(of)[READS], style)]
    return f"{left} = {sign.join(reversed(parts) if style.notation.rows else parts)}"


def plain_state(of: Recurrence, state: Series) -> bool:
    """Tell whether nothing inside a step reads a state."""
    blocks = of.through(state, of.pieces()[-1])
    return set(blocks) == {state} and isinstance(blocks[state], Identity)


def sum_over(of: Recurrence, style: Style, reads: Expr) -> str:
    """Write ``Σ_{t=k}^T J_{k+1}ᵀ ⋯ J_tᵀ e_t``."""
    from_here: Node = Product(chain_node(of), arriving_series(of)[t])
    body = writer.formula(from_here, style).replace(writer.formula(chain_node(of), style), product_text(of, reads, t, style))
    return sum_sign(t, *((reads, of.span.hi) if of.step == 1 else (of.span.lo, reads)), style) + body
