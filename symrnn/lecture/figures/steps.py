"""The unrolled graph with a box for each step of each layer: which values are drawn, and who reads whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Integer

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.expr import At, Series, Static, TimeSum, Transposed
from symrnn.lecture.figures.letters import lettering
from symrnn.networks import Network
from symrnn.style import Style
from symrnn.traverse import at_time, leaves
from symrnn.unrolling.drawing.graph import READ, Edge, edges, lanes, sequence_of
from symrnn.unrolling.drawing.picture import flows, kind_of
from symrnn.unrolling.unrolled import Unrolled

LONGEST = 88.0
"""Points that a label takes at most; longer ones are left out."""


@dataclass(frozen=True)
class Step:
    """One step of a layer.

    Attributes:
        layer: Its number.
        group: Its sequence.
        time: Its time.
    """

    layer: int
    group: int
    time: int


@dataclass(frozen=True)
class Arrow:
    """One end reads another.

    Attributes:
        start: A value or a step.
        end: A value or a step.
        back: Whether a gradient flows back.
        text: What multiplies on the way forward, in LaTeX.
        back_text: What flows back.
    """

    start: Any
    end: Any
    back: bool
    text: str = ""
    back_text: str = ""


@dataclass(frozen=True)
class Steps:
    """All that is drawn.

    Attributes:
        values: Each value with its kind: ``input``, ``state``, ``output``, ``loss``.
        steps: The boxes, with the name of their cell.
        arrows: Between them.
        group: The sequence of each series.
        states: For each layer its series, from above: those first that are read from outside.
        backward: The layers that run from the last time to the first.
        texts: The name of each value, and that of its adjoint, in LaTeX.
        loss: The whole loss, in LaTeX.
    """

    values: dict[At, str]
    steps: dict[Step, str]
    arrows: tuple[Arrow, ...]
    group: dict[Series, int]
    states: dict[int, list[Series]]
    backward: frozenset[int]
    texts: dict[At, tuple[str, str]]
    loss: str


def steps_of(unrolled: Unrolled, style: Style) -> Steps:
    """Find what is drawn of an unrolled network.

    Args:
        unrolled: A few steps of it.
        style: Of the names, for LaTeX.

    Raises:
        NotSupportedError: A network that reads a whole sequence at once.
    """
    explicit, symbolic = unrolled.explicit, unrolled.derivation.network
    drawn = lanes(explicit, unrolled.states)
    found = edges(explicit, drawn, lambda time: True)
    letters = list(dict.fromkeys(sequence_of(series, symbolic) for series in drawn))
    group = {series: letters.index(sequence_of(series, symbolic)) for series in drawn}
    layer = {series: k for k, part in enumerate(p for p in symbolic.parts if p.role == "layer") for series in drawn if series.name in part.names}
    names = [part.cell for part in symbolic.parts if part.role == "layer"]
    if not symbolic.parts:
        layer, names = {s: 0 for s in drawn if s.name in {q.name for q in unrolled.states}}, [symbolic.cell or symbolic.name]
    inner = {e.quantity for e in explicit.network.equations}
    inputs = {g.quantity for g in explicit.network.givens if g.kind in READ}

    def box(value: At) -> Any:
        return Step(layer[value.series], group[value.series], int(value.time)) if computed(value) else value

    def computed(value: At) -> bool:
        return value.series in layer and any(s.covers(value.time) for s in spans(explicit.network, value.series) if value.series in inner)

    arrows: dict[tuple[Any, Any], list[Edge]] = {}
    for edge in found:
        end = box(edge.end) if edge.start.series in layer or computed(edge.end) else edge.end
        if end != box(edge.start):
            arrows.setdefault((edge.start, end), []).append(edge)
    values = {v: kind_of(v, Hidden(), explicit) for edge in found for v in (edge.start, edge.end)}  # type: ignore[arg-type]
    made = [arrow_of(start, end, some, explicit, style, inputs, layer) for (start, end), some in arrows.items()]
    made += [Arrow(box(v), v, True, "", adjoint_text(v, style)) for v in values if computed(v)]
    return Steps(
        values, {box(v): names[layer[v.series]] for v in values if computed(v)}, (*made, *to_loss(explicit, values, style)), group,
        states_of(layer, found, values), backward_layers(symbolic, layer),
        {v: (writer.formula(v, style), adjoint_text(v, style)) for v in values}, writer.formula(explicit.network.loss, style),
    )


class Hidden:
    """Says that every value is drawn."""

    def is_hidden(self, value: At) -> bool:
        """Return that it is."""
        return False


def spans(network: Network, series: Series) -> list[Any]:
    """Return the ranges of times at which a series is computed; without single times, such as that of a first state that is copied."""
    found = [e.span for e in network.equations if e.quantity == series and e.span is not None]
    several = [span for span in found if not span.single]
    return [Covering(int(span.lo), int(span.hi)) for span in several or found]


@dataclass(frozen=True)
class Covering:
    """A range of numbers."""

    first: int
    last: int

    def covers(self, time: Any) -> bool:
        """Tell whether a time is in it."""
        return self.first <= int(time) <= self.last


def adjoint_text(value: At, style: Style) -> str:
    """Write the gradient in a value."""
    return writer.formula(value.series.adjoint_series(1)[value.time], style)


def arrow_of(
    start: At, end: Any, some: list[Edge], derivation: Derivation, style: Style, inputs: set[Any], layer: dict[Series, int],
) -> Arrow:
    """Join the ways from a value to a step or to another value into one arrow."""
    back = any(flows(edge, derivation, inputs) for edge in some)
    weights = tuple(dict.fromkeys(w for edge in some for w in edge.weights))
    gates = tuple(dict.fromkeys(g for edge in some for g in edge.gates))
    sign = style.notation.hadamard[0]
    if len(weights) == 1:
        text, turned = (writer.formula(node, style) for node in (weights[0], transposed(weights[0])))
    elif not weights and len(gates) == 1:
        text = turned = rf"{sign}\,{writer.formula(gates[0], style)}"
    else:
        text = turned = ""
    if back and start.series in layer and not isinstance(end, Step):
        turned = from_outside(start, derivation, style, layer) or turned
    return Arrow(start, end, back, fitting(text), fitting(turned) if back else "")


def transposed(weight: Static) -> Any:
    """Return the transpose of a matrix, and a column as it is."""
    return Transposed(weight) if weight.shape[1] != 1 else weight


def fitting(text: str) -> str:
    """Return a label that is not too long."""
    return text if text and lettering(text, 12.0).width <= LONGEST else ""


def from_outside(value: At, derivation: Derivation, style: Style, layer: dict[Series, int]) -> str:
    """Write what flows back into a value from outside of the layers, where that is one term."""
    terms = [c.term for c in derivation.by_quantity[value.series].contributions
             if c.step.reader.quantity not in layer and c.span is not None and int(c.span.lo) <= int(value.time) <= int(c.span.hi)
             and c.step.reader.role in {"pre-activation", "output", "loss"} and not reads_layer(c.step.reader, layer)]
    return writer.formula(at_time(terms[0], Integer(int(value.time))), style) if len(terms) == 1 else ""


def reads_layer(equation: Any, layer: dict[Series, int]) -> bool:
    """Tell whether an equation also reads values of a layer at other times: then it belongs to the layer."""
    return any(isinstance(leaf, At) and leaf.series in layer and leaf.time != equation.lhs.time for leaf in leaves(equation.rhs))


def states_of(layer: dict[Series, int], found: list[Edge], values: dict[At, str]) -> dict[int, list[Series]]:
    """Return the states of each layer, those first that something outside of the layer reads."""
    outside = {e.start.series for e in found if e.start.series in layer and layer.get(e.end.series) != layer[e.start.series]}
    order = sorted(layer, key=lambda series: (series not in outside, series.name))
    shown = {value.series for value in values}
    return {number: [s for s in order if layer[s] == number and s in shown] for number in sorted(set(layer.values()))}


def backward_layers(network: Network, layer: dict[Series, int]) -> frozenset[int]:
    """Return the layers that read later times."""
    names = {series.name: number for series, number in layer.items()}
    return frozenset(names[e.name] for block in network.blocks if getattr(block, "step", 1) == -1
                     for e in block.equations if e.name in names)  # type: ignore[union-attr]


def to_loss(derivation: Derivation, values: dict[At, str], style: Style) -> list[Arrow]:
    """Return the arrows to the whole loss."""
    network = derivation.network
    rhs = next((e.rhs for e in network.equations if e.quantity == network.loss), None)
    read: set[Series] = set()
    for leaf in leaves(rhs) if rhs is not None else ():
        if isinstance(leaf, At):
            read.add(leaf.series)
    summed = rhs is not None and bool(rhs.atoms(TimeSum))
    times = set(leaves(rhs)) if rhs is not None and not summed else set()
    return [Arrow(v, network.loss, True, "", adjoint_text(v, style) if len(read) == 1 and v.series in derivation.by_quantity else "")
            for v in values if v.series in read and (summed or v in times)]


__all__ = ["Arrow", "Step", "Steps", "steps_of"]
