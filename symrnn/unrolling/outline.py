"""What is said of an unrolled derivation, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sympy import Integer

from symrnn.derivation import Adjoint, Derivation
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Series, t
from symrnn.networks import Scan
from symrnn.printing.conventions import form
from symrnn.printing.outline import given_of
from symrnn.printing.parts import labels
from symrnn.printing.pieces import Equality, Equations, Line, Outline, Piece, Ratio, Section, Words
from symrnn.rewrite import added, settled
from symrnn.style import Style, span_text
from symrnn.times import Span
from symrnn.traverse import at_time
from symrnn.unrolling.arguments import argument, definitions, names_of
from symrnn.unrolling.forward import inside_step
from symrnn.unrolling.paths import summands
from symrnn.unrolling.recurrences import Recurrence
from symrnn.unrolling.symbolic import SymbolicSum, symbolic_sum
from symrnn.unrolling.texts import explicit_lines, spelled, substituted_lines, symbolic_lines

MOST_EXPLICIT = 6
"""Up to so many steps a sum over paths is printed term by term: it has a term for each pair of times."""


def unrolled_outline(unrolled: Any, found: tuple[Recurrence, ...], refused: str, style: Style) -> Outline:
    """Arrange an unrolled derivation for print.

    Args:
        unrolled: An ``Unrolled``.
        found: Its recurrences, where their paths can be written.
        refused: Why they cannot.
        style: Which knows the names of the recurrences.
    """
    steps = "1 step" if unrolled.steps == 1 else f"{unrolled.steps} steps"
    paths = path_sections(unrolled, found, style) if not refused else [Section(("Sum over paths",), (Words((f"{refused}.",)),))]
    return Outline(f"Unrolled over {steps}: {unrolled.derivation.network.name}", (
        *forward_sections(unrolled, style), *backward_sections(unrolled, style), *paths, conventions_section(unrolled, found, style),
    ))


def kept_values(unrolled: Any) -> list[Line]:
    """Return the equations of the values that keep their names in a substitution."""
    network = unrolled.derivation.network
    names = {leaf.name for line in unrolled.forward for leaf in line.rhs.atoms(At)}
    defined = {line.lhs.name for line in unrolled.forward} | {state.name for state in unrolled.states}
    order = list(dict.fromkeys(e.quantity for e in network.equations if isinstance(e.quantity, Series)))
    for quantity in reversed(order):
        if quantity.name in names - defined and (inner := inside_step(network, quantity)) is not None:
            names |= {leaf.name for leaf in inner.atoms(At) if leaf.time == t}
    kept = [q for q in order if q.name in names - defined]
    return [Line(q[t], rhs) for q in kept if (rhs := inside_step(network, q)) is not None]


def forward_sections(unrolled: Any, style: Style) -> Iterator[Section]:
    """The substitution, and what keeps its name in it."""
    lines = tuple(substituted_lines(unrolled.forward, style))
    if not lines:
        return
    title = "States put into themselves" if unrolled.back_to is None else "States put into themselves, from any time back"
    body: list[Words | Equations] = [Equations(lines)]
    where = kept_values(unrolled)
    if where:
        body += [Words(("With the values of each step:",)), Equations(tuple(where))]
    yield Section((title,), tuple(body))


def backward_sections(unrolled: Any, style: Style) -> Iterator[Section]:
    """The lines of the backward pass, time by time, and the gradients as sums of numbered terms."""
    explicit: Derivation = unrolled.explicit if unrolled.wrt is None else unrolled.explicit.leading_to(unrolled.wrt)
    yield Section(("Backward pass, time by time",))
    known = labels(explicit.network)
    for (label, time), group in groupby(timed_lines(explicit), key=lambda item: (known.get(item[0]), item[1])):
        at = span_text(Span(time, time), style) if time is not None else ""
        name: tuple[Piece, ...] = () if label is None else (*label.heading, ", ") if at else label.heading
        yield Section((*name, *([spelled(at)] if at else [])) or ("Once",), (Equations(tuple(line for *_, line in group)),), level=2)
    lines = tuple(gradient_lines(explicit, unrolled, style))
    yield Section(("Gradients",), (Equations(lines),))


def timed_lines(derivation: Derivation) -> Iterator[tuple[str, Integer | None, Line]]:
    """Yield the lines of the backward pass in the order in which they run, with name and time."""
    known = derivation.by_quantity
    done: set[Any] = set()
    for block in reversed(derivation.network.blocks):
        equations = list(reversed(block.equations)) if isinstance(block, Scan) else [block]
        adjoints = [known[q] for q in dict.fromkeys(e.quantity for e in equations) if q in known and q not in done]
        done.update(adjoint.of for adjoint in adjoints)
        for adjoint in adjoints:
            for line in adjoint.lines if not isinstance(block, Scan) else ():
                if line.span is None and given_of(adjoint, line, derivation) is None:
                    yield adjoint.of.name, None, Line(line.lhs, line.rhs)
        if isinstance(block, Scan):
            yield from scan_lines(adjoints, block.step, derivation)


def scan_lines(adjoints: list[Adjoint], step: int, derivation: Derivation) -> Iterator[tuple[str, Integer | None, Line]]:
    """Yield the lines of one scan, from the time that it computes last to the first."""
    spans = [line.span for adjoint in adjoints for line in adjoint.lines if line.span is not None]
    if not spans:
        return
    times = range(min(int(s.lo) for s in spans), max(int(s.hi) for s in spans) + 1)
    for time in reversed(times) if step == 1 else times:
        for adjoint in adjoints:
            for line in adjoint.lines:
                if line.span is not None and line.span.lo <= time <= line.span.hi and given_of(adjoint, line_at(line, time), derivation) is None:
                    now = line_at(line, time)
                    yield str(adjoint.of.name), Integer(time), Line(at_time(now.lhs, Integer(time)), now.rhs)


def line_at(line: Equation, time: int) -> Equation:
    """Return what a line says at one of its times."""
    return Equation(line.lhs, settled(at_time(line.rhs, Integer(time)), {}), Span(time, time), line.role)


def gradient_lines(explicit: Derivation, unrolled: Any, style: Style) -> Iterator[Line]:
    """Yield ``∂L/∂W = δa_1 h_0ᵀ + δa_2 h_1ᵀ + …``; with many steps, the sum with its sign."""
    loss = explicit.network.loss
    for given in explicit.wanted:
        adjoint = explicit.by_quantity.get(given.quantity)
        if adjoint is None or unrolled.wrt not in {None, given.name}:
            continue
        for line in adjoint.lines:
            if line.span is None:
                few = unrolled.steps <= MOST_EXPLICIT
                yield Line(Ratio(loss, given.quantity), added(*summands(line.rhs)) if few else line.rhs)
                continue
            for time in range(int(line.span.lo), int(line.span.hi) + 1):
                if given.span is not None and given.span.lo <= time <= given.span.hi:
                    yield Line(Ratio(loss, given.quantity[Integer(time)]), line_at(line, time).rhs)


def path_sections(unrolled: Any, found: tuple[Recurrence, ...], style: Style) -> Iterator[Section]:
    """The sum over paths: what its letters are, for any length, for these steps, and why it is the δ-recursion."""
    derivation = unrolled.derivation
    wanted = [unrolled.wrt] if unrolled.wrt is not None else [g.name for g in derivation.wanted if g.kind == "parameter"]
    symbolic = [total for name in wanted if (total := symbolic_or_none(unrolled, derivation, found, name)) is not None]
    symbolic = [total for total in symbolic if unrolled.wrt is not None or any(term.of is not None for term in total.terms)]
    used = [one for one in found if any(term.of == one for total in symbolic for term in total.terms)]
    if not any(total.terms for total in unrolled.sample):
        why = "No recurrence reads it" if unrolled.wrt is not None else "The network has no recurrence"
        yield Section(("Sum over paths",), (Words((f"{why}: there is one path from each read, and the gradient above is their sum.",)),))
        return
    yield Section(("Sum over paths",), tuple(symbolic_body(derivation, symbolic, used, style)))
    yield Section(("Term by term",), tuple(explicit_body(unrolled, symbolic, style)), level=2)
    if used:
        body = tuple(part for one in used for part in argument(one, len(used) > 1, style))
        yield Section(("Why the sum over paths is the δ-recursion",), body, level=2)


def symbolic_body(
    derivation: Derivation, symbolic: list[SymbolicSum], used: list[Recurrence], style: Style
) -> Iterator[Words | Equations]:
    """What the letters are, and the sums for any length."""
    if not symbolic:
        yield Words(("Jacobians and sums depend on the time in a way that no single formula says; their values stand "
                     "below. A Jacobian that is 0 ends every path that would pass it.",))
        return
    for one in used:
        yield from definitions(one, symbolic, style)
    loss = derivation.network.loss
    fixed = tuple(line for total in symbolic if total.over is None for line in symbolic_lines(loss, total, style))
    if fixed:
        yield Equations(fixed)
    for total in symbolic:
        if total.over is not None:
            ends = span_text(total.over, style).partition(" ")[2]
            yield Words(("For ", spelled(f"{names_of(style)[0]} {ends}"), ":"))
            yield Equations(tuple(symbolic_lines(loss, total, style)))


def symbolic_or_none(unrolled: Any, derivation: Derivation, found: tuple[Recurrence, ...], name: str) -> SymbolicSum | None:
    """Return the sum over paths for any length, where one formula says it."""
    wanted = name if name in {g.name for g in derivation.wanted} else next(
        g.name for g, e in zip(derivation.wanted, unrolled.explicit.wanted, strict=True) if e.name == name)
    try:
        total = symbolic_sum(derivation, found, wanted)
        for one in {term.of for term in total.terms if term.of is not None} if total is not None else ():
            for state in one.states:
                one.jacobian(state, one.pieces()[-1])
        return total
    except NotSupportedError:
        return None


def explicit_body(unrolled: Any, symbolic: list[SymbolicSum], style: Style) -> Iterator[Words | Equations]:
    """The terms for these steps, of one parameter; with many steps, how many there are."""
    if unrolled.steps > MOST_EXPLICIT:
        yield Words((f"For {unrolled.steps} steps there is a term for each pair of times, {unrolled.steps * (unrolled.steps + 1) // 2:,} where "
                     "something arrives at each. The δ-lines above name what they share, and grow in proportion to the steps.",))
        return
    sums = [s for s in unrolled.sums if s.terms]
    if unrolled.wrt is None:
        sums = [min(sums, key=lambda s: not multiplies_state(s.target.name, unrolled.derivation, unrolled.states))]
    number = sum(len(s.terms) for s in sums)
    several = len({s.target for s in sums}) > 1
    of: tuple[Piece, ...] = ("The gradients",) if several else (Ratio(unrolled.derivation.network.loss, sums[0].target),)
    yield Words((*of, f" for {unrolled.steps} step{'s' if unrolled.steps > 1 else ''}: {number} term{'s' if number > 1 else ''}, "
                 "those of one time at which something arrives together."))
    if not symbolic:
        known = dict.fromkeys(e for total in sums for e in total.definitions)
        yield Equations(tuple(Line(at_time(e.lhs, e.span.lo), e.rhs) for e in known if e.span is not None))
    for total in sums:
        yield Equations(tuple(explicit_lines(unrolled.explicit.network.loss, total, style)))


def multiplies_state(name: str, derivation: Derivation, states: tuple[Series, ...]) -> bool:
    """Tell whether a parameter multiplies a state, as a recurrent weight does."""
    own = [a for a in derivation.adjoints if str(getattr(a.of, "name", "")) == name]
    read = {leaf.name for adjoint in own for c in adjoint.contributions for leaf in c.term.atoms(At) if not leaf.series.orders}
    return bool(read & {state.name for state in states})


def conventions_section(unrolled: Any, found: tuple[Recurrence, ...], style: Style) -> Section:
    """What the signs mean."""
    q, dq = Series("q")[t], Series("q", (1,))[t]
    notes = [Words((dq, " is ", Ratio(unrolled.derivation.network.loss, q), " and has the shape of ", q, ": gradients are columns "
                    "(denominator layout)."))]
    if found:
        notes.append(Words(("Jacobians have a row for each entry of what is differentiated (numerator layout); a product without factors "
                            "is the identity.",)))
    conditions = (Words(("Condition on what is given: ", Equality(c.lhs, c.rhs), ".")) for c in unrolled.derivation.conditions)
    return Section(("Conventions",), (*notes, *conditions, *form(style)))
