"""What is drawn: inputs, states, outputs and losses at their times, and who reads whom, through what is not drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Columns, Hadamard, Leaf, Node, Product, Series, Static, StopGradient, TimeSum
from symrnn.networks import Network
from symrnn.rewrite import settled
from symrnn.traverse import at_time
from symrnn.unrolling.forward import equation_at

READ = frozenset({"input", "integer"})


@dataclass(frozen=True)
class Edge:
    """One value reads another, through what is not drawn.

    Attributes:
        start: What is read.
        end: What reads it.
        weights: The parameters that multiply it first on the way.
        gates: The values that multiply it elementwise first on the way.
        stopped: Whether no gradient goes back on it.
    """

    start: At
    end: At
    weights: tuple[Static, ...]
    gates: tuple[At, ...]
    stopped: bool


def lanes(derivation: Derivation, states: tuple[Series, ...]) -> list[Series]:
    """Return the series that are drawn, from the bottom to the top."""
    network = derivation.network
    inputs = [g.quantity for g in network.givens if g.kind in READ and g.span is not None]
    names = {state.name for state in states}
    computed = dict.fromkeys(e.quantity for e in network.equations if isinstance(e.quantity, Series))
    drawn_states = [q for q in computed if q.name in names and q not in network.outputs]
    outputs = [q for q in network.outputs if isinstance(q, Series) and q in computed and is_weighted(q, network)]
    losses = [e.quantity for e in network.equations if e.role == "loss" and e.span is not None]
    return list(dict.fromkeys(q for q in [*inputs, *drawn_states, *outputs, *losses] if isinstance(q, Series)))


def is_weighted(quantity: Basic, network: Network) -> bool:
    """Tell whether a quantity is what the network gives, and not weights of an attention."""
    return next((e.role for e in network.equations if e.quantity == quantity), "") == "output"


def edges(derivation: Derivation, drawn: list[Series], shown: Callable[[int], bool]) -> list[Edge]:
    """Return who reads whom, at the times that are shown.

    Raises:
        NotSupportedError: A network that reads a whole sequence at once.
    """
    network = derivation.network
    found: dict[tuple[At, At], Edge] = {}
    for equation in network.equations:
        if equation.quantity not in drawn or equation.span is None:
            continue
        for time in range(int(equation.span.lo), int(equation.span.hi) + 1):
            if not shown(time):
                continue
            end = equation.quantity[Integer(time)]
            for edge in reads(end, settled(at_time(equation.rhs, Integer(time)), {}), end, network, set(drawn), (), (), False):
                old = found.get((edge.start, edge.end))
                found[edge.start, edge.end] = edge if old is None else merged(old, edge)
    return through_outputs(list(found.values()), network)


def through_outputs(found: list[Edge], network: Network) -> list[Edge]:
    """Let a loss that is computed from the logits of an output read the output, as lecturers draw it."""
    roles = {e.quantity: e.role for e in network.equations}
    kept = []
    for edge in found:
        above = next((e for e in found if e.start == edge.start and e.weights == edge.weights and roles.get(e.end.series) == "output"
                      and e.end.time == edge.end.time), None)
        if roles.get(edge.end.series) == "loss" and above is not None:
            edge = Edge(above.end, edge.end, (), (), False)
        kept.append(edge)
    return list({(edge.start, edge.end): edge for edge in kept}.values())


def merged(a: Edge, b: Edge) -> Edge:
    """Join two ways from one value to another."""
    weights, gates = (tuple(dict.fromkeys(x + y)) for x, y in ((a.weights, b.weights), (a.gates, b.gates)))
    return Edge(a.start, a.end, weights, gates, a.stopped and b.stopped)


def reads(
    end: At, node: Any, at: At, network: Network, drawn: set[Series], weights: tuple[Static, ...], gates: tuple[At, ...], stopped: bool,
) -> Iterator[Edge]:
    """Walk from a value through its formula, and those of what is not drawn, to what is."""
    if isinstance(node, At):
        if node.series in drawn or (equation := equation_at(network, node.series, node.time)) is None:
            if node.series in drawn:
                yield Edge(node, end, weights, gates, stopped)
            return
        inner = settled(at_time(equation.rhs, node.time), {})
        for edge in reads(end, inner, node, network, drawn, (), (), stopped):
            yield replace(edge, weights=edge.weights or weights, gates=edge.gates or gates)
        return
    if isinstance(node, Leaf):
        if not isinstance(node, Static) or any(e.quantity == node for e in network.equations):
            raise NotSupportedError(whole_sequence(end))
        return
    if isinstance(node, TimeSum | Columns):
        raise NotSupportedError(whole_sequence(end))
    for arg in node.args:
        if isinstance(arg, Node):
            others = [a for a in node.args if a is not arg] if isinstance(node, Product | Hadamard) else []
            own = tuple(a for a in others if isinstance(a, Static))
            beside = tuple(a for a in others if isinstance(a, At)) if isinstance(node, Hadamard) else ()
            yield from reads(end, arg, at, network, drawn, (*weights, *own), (*gates, *beside), stopped or isinstance(node, StopGradient))


def whole_sequence(end: At) -> str:
    """Say why a network is not drawn."""
    return (f"the drawing shows who reads whom at which time, and {writer.text(end)} reads a whole sequence at once; draw the network "
            "without attention")


def sequence_of(quantity: Series, network: Network) -> Expr | None:
    """Return the length of the sequence that a series belongs to, in a network with symbolic lengths."""
    spans = [e.span for e in network.equations if e.quantity.args[:1] == quantity.args[:1] and e.span is not None]
    spans += [g.span for g in network.givens if g.quantity.args[:1] == quantity.args[:1] and g.span is not None]
    letters = [s for span in spans for end in (span.lo, span.hi) for s in end.free_symbols]
    return letters[0] if letters else None
