"""What the signs of a derivation mean, when its lines hold, and where a letter is not the profile's first choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sympy import Integer

from symrnn.derivation import Derivation
from symrnn.equations import Cell
from symrnn.expr import Node, Series, Softmax, StopGradient, t
from symrnn.networks import Part
from symrnn.printing.outline import GIVEN
from symrnn.printing.parts import Spelled
from symrnn.printing.pieces import Equality, Lettered, Ratio, Words
from symrnn.style import Style

ROWS = (
    "Vectors are rows: each letter, and each derivative, stands for the transpose of what it is in column form, and "
    "products run in reverse order. Rules are stated for columns."
)

MASKED = Spelled(r"\operatorname{softmax}(a; m)", "softmax(a; m)", "softmax(a; m)")
MASKED_ENTRY = Spelled(r"m_i e^{a_i} / \sum_j m_j e^{a_j}", "m_i exp(a_i) / Σ_j m_j exp(a_j)", "m_i exp(a_i) / sum_j m_j exp(a_j)")
STOP, STOP_WHERE = Spelled(r"\operatorname{sg}(q)", "sg(q)", "sg(q)"), Spelled(r"\operatorname{sg}_{C}(q)", "sg_C(q)", "sg_C(q)")
BRACKET = Spelled("[C]", "[C]", "[C]")


def conventions(derivation: Derivation, style: Style) -> tuple[Words, ...]:
    """Say what the signs mean and when the lines hold."""
    return (
        shape_of_adjoints(derivation, style),
        *(Words(("Condition on what is given: ", Equality(c.lhs, c.rhs), ".")) for c in derivation.conditions),
        *signs(derivation),
        *least_lengths(derivation),
        Words(("The formulas are for one sequence; over a batch, losses and parameter gradients add up.",)),
        *form(style),
        *replaced_letters(style, *quantities_of(derivation), derivation.network.cell, derivation.network.parts),
    )


def cell_conventions(cell: Cell, style: Style) -> tuple[Words, ...]:
    """Say what the signs of a cell's equations mean, where that is not plain."""
    nodes: dict[str, Node] = {p.name: p for p in cell.parameters} | {x.name: x[t] for x in cell.inputs}
    roles = {p.name: "parameter" for p in cell.parameters} | {x.name: "input" for x in cell.inputs}
    nodes |= {e.name: e.lhs for e in cell.equations}
    roles |= {e.name: e.role for e in cell.equations}
    return (*form(style), *replaced_letters(style, nodes, roles, cell.name))


def shape_of_adjoints(derivation: Derivation, style: Style) -> Words:
    """``δq_t = ∂L/∂q_t has the shape of q_t``; where both are written alike, once."""
    q, dq = Series("q")[t], Series("q", (derivation.order,))[t]
    ratio = Ratio(derivation.network.loss, q)
    alike = style.notation.adjoint in {"fraction", "nabla"} and derivation.order in style.losses
    return Words((ratio if alike else Equality(dq, ratio), " has the shape of ", q, " (denominator layout)."))


def signs(derivation: Derivation) -> Iterator[Words]:
    """Say what signs mean that are not those of every textbook: a masked softmax, a stopped gradient and its condition."""
    formulas = [e.rhs for e in derivation.network.equations]
    if any(node.mask is not None for rhs in formulas for node in rhs.atoms(Softmax)):
        yield Words(("With a mask m, entry i of ", MASKED, " is ", MASKED_ENTRY, "."))
    stops = [node for rhs in formulas for node in rhs.atoms(StopGradient)]
    if any(stop.condition is None for stop in stops):
        yield Words((STOP, " is q, and nothing is differentiated through it."))
    if any(stop.condition is not None for stop in stops):
        yield Words((STOP_WHERE, " is q, and where the condition C holds nothing is differentiated through it; ", BRACKET,
                     " is 1 where C holds, and 0 elsewhere."))


def form(style: Style) -> Iterator[Words]:
    """Say that vectors are rows, where they are."""
    if style.notation.rows:
        yield Words((ROWS,))


def least_lengths(derivation: Derivation) -> tuple[Words, ...]:
    """Say how long sequences must be for the printed lines to hold."""
    bounds = [Equality(length, Integer(least), "≥") for length, least in derivation.least]
    listed = [piece for bound in bounds for piece in (", ", bound)][1:]
    return (Words(("The lines hold for ", *listed, ".")),) if bounds else ()


def quantities_of(derivation: Derivation) -> tuple[dict[str, Node], dict[str, str]]:
    """Return the quantities of the network by name, and what each one is."""
    network = derivation.network
    nodes: dict[str, Node] = {}
    roles: dict[str, str] = {}
    for given in network.givens:
        nodes[given.name] = given.quantity[t] if isinstance(given.quantity, Series) else given.quantity
        roles[given.name] = GIVEN[given.kind].removesuffix("s")
    for equation in network.equations:
        nodes[equation.name] = equation.lhs if equation.span is None else equation.quantity[t]
        roles[equation.name] = equation.role
    return nodes, roles


def replaced_letters(
    style: Style, nodes: Mapping[str, Node], roles: Mapping[str, str], cell: str, parts: tuple[Part, ...] = ()
) -> Iterable[Words]:
    """Name each quantity that is printed in another letter than the profile's first one, and what has that letter."""
    for name, letter, holder in style.notation.replaced(nodes, cell, parts):
        yield Words((
            nodes[name], " here is the ", Lettered(nodes[name], letter), f" of {style.notation.name}: in this network, ",
            nodes[holder], f" is {with_article(roles[holder] or 'another quantity')}.",
        ))


def with_article(role: str) -> str:
    """Return ``a gate``, ``an input``."""
    if role.startswith("another"):
        return role
    return ("an " if role[0] in "aeiou" else "a ") + role
