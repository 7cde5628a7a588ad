"""One time step of a network as a graph: what is read, what is computed from it, and what goes on to the next step.

Each node of a formula becomes one node of the graph. A product with parameters is one box with their names; ``1 - z`` is one box; a
sum and an elementwise product are circles; what the cell reads and gives are terminals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.equations import Equation
from symrnn.expr import At, Columns, Hadamard, Leaf, Node, Plus, Product, Series, Static, TimeSum, split_scalar, t
from symrnn.lecture.figures.operators import box_text, is_constant, is_parameter, weights_text
from symrnn.networks import Network, Scan
from symrnn.style import Style
from symrnn.traverse import leaves

UNNAMED = frozenset({"pre-activation", "value"})
"""Roles of quantities whose names are not written into the figure."""


@dataclass
class Vertex:
    """A node of the graph.

    Attributes:
        kind: ``state``, ``input``, ``parameter``, ``result``, ``weights``, ``function``, ``sum``, ``product`` or ``operator``.
        text: What stands in it, in LaTeX.
        reads: The numbers of the nodes that it reads.
        signs: For each read, ``-`` where it is subtracted.
        ordered: Whether the order of what it reads matters.
        name: The name of what it gives, in LaTeX; empty where it is not said.
    """

    kind: str
    text: str
    reads: list[int] = field(default_factory=list)
    signs: list[str] = field(default_factory=list)
    ordered: bool = False
    name: str = ""


@dataclass(frozen=True)
class Dataflow:
    """The graph of one time step.

    Attributes:
        vertices: Each reads only what stands before it.
        highways: For each state that passes through elementwise operations only, the nodes on its way.
    """

    vertices: tuple[Vertex, ...]
    highways: tuple[tuple[int, ...], ...]


def layer_names(network: Network, layer: int) -> frozenset[str]:
    """Return the names that belong to one layer; all of the first scan where a network has no layers."""
    parts = [part for part in network.parts if part.role == "layer"]
    if parts:
        return frozenset(parts[min(layer, len(parts) - 1)].names)
    first = next((block for block in network.blocks if isinstance(block, Scan)), None)
    return frozenset() if first is None else frozenset(e.name for e in first.equations if e.role != "loss")


def equations_of_step(network: Network, layer: int = 0) -> tuple[Equation, ...]:
    """Return the equations of one time step of a layer; of a quantity with several, that for most of the times.

    Args:
        network: With any number of layers.
        layer: Which of them, from 0.
    """
    names = layer_names(network, layer)
    found: dict[Basic, Equation] = {}
    for equation in network.equations:
        if isinstance(equation.lhs, At) and equation.name in names and equation.role not in {"loss", "output"}:
            old = found.get(equation.quantity)
            if old is None or (old.span is not None and old.span.single):
                found.pop(equation.quantity, None)
                found[equation.quantity] = equation
    return tuple(found.values())


class Builder:
    """Makes the graph of a few equations.

    Args:
        equations: Of one time step.
        style: Of the names.
    """

    def __init__(self, equations: tuple[Equation, ...], style: Style) -> None:
        self.style = style
        self.equations = {e.quantity: e for e in equations}
        self.states = {leaf.series for e in equations for leaf in leaves(e.rhs)
                       if isinstance(leaf, At) and leaf.series in self.equations and leaf.time != t}
        self.vertices: list[Vertex] = []
        self.known: dict[Any, int] = {}

    def add(self, vertex: Vertex) -> int:
        """Add a node and return its number."""
        self.vertices.append(vertex)
        return len(self.vertices) - 1

    def formula(self, node: Any) -> str:
        """Write a node."""
        return writer.formula(node, self.style)

    def of(self, node: Any) -> int:
        """Return the number of the node of the graph that gives the value of a formula."""
        if node not in self.known:
            self.known[node] = self.made(node)
        return self.known[node]

    def made(self, node: Any) -> int:
        """Make the node of the graph for a formula."""
        if isinstance(node, At) and node.time == t and node.series in self.equations:
            return self.of_equation(self.equations[node.series])
        if isinstance(node, Leaf):
            return self.add(Vertex(self.kind_of(node), self.formula(node)))
        if is_parameter(node):
            return self.add(Vertex("parameter", self.formula(node)))
        if isinstance(node, Plus):
            return self.sum(node)
        if isinstance(node, Product | Hadamard):
            return self.product(node)
        if isinstance(node, Columns | TimeSum):
            return self.sequence(node)
        reads = [self.of(arg) for arg in node.args if isinstance(arg, Node)]
        if not reads:
            return self.add(Vertex("parameter", self.formula(node)))
        kind, text = box_text(node, self.style)
        return self.add(Vertex(kind, text, reads, [""] * len(reads), ordered=len(reads) > 1))

    def kind_of(self, leaf: Leaf) -> str:
        """Return what a quantity is that the step reads."""
        if isinstance(leaf, Static):
            return "parameter"
        return "state" if leaf.series in self.equations else "input"

    def of_equation(self, equation: Equation) -> int:
        """Return the node that gives the value of a quantity, with its name."""
        number = self.of(equation.rhs)
        vertex = self.vertices[number]
        if equation.role not in UNNAMED and not vertex.name and vertex.reads:
            vertex.name = self.formula(equation.lhs)
        return number

    def sum(self, node: Any) -> int:
        """``a + b - c``; with one term that is no constant, a box such as ``1 -``."""
        terms = [split_scalar(term) for term in node.args]
        moving = [arg for arg in node.args if not is_constant(arg)]
        if len(moving) == 1:
            scale, core = split_scalar(moving[0])
            if abs(scale) == 1:
                at = node.args.index(moving[0])
                before, after = (self.rest(node.args[:at]), self.rest(node.args[at + 1:]))
                sign = "-" if scale == -1 else "+" if before else ""
                after = after if after.startswith("-") or not after else "+" + after
                return self.add(Vertex("operator", f"{before}{sign}" + (f"\\,\\cdot\\,{after}" if after else ""), [self.of(core)], [""]))
        reads, signs = [], []
        for (scale, core), term in zip(terms, node.args, strict=True):
            negative = bool(scale.could_extract_minus_sign())
            whole = core if abs(scale) == 1 else (-1 * term if negative else term)
            reads.append(self.of(whole))
            signs.append("-" if negative else "")
        return self.add(Vertex("sum", "+", reads, signs))

    def rest(self, terms: tuple[Any, ...]) -> str:
        """Write constant terms beside each other."""
        out = "".join(writer.formula(Plus(*terms) if len(terms) > 1 else terms[0], self.style)) if terms else ""
        return "1" if terms and all(type(term).__name__ == "Ones" for term in terms) else out

    def product(self, node: Any) -> int:
        """A product: one box with the parameters of it, or a circle where values are multiplied."""
        elementwise = isinstance(node, Hadamard)
        moving = [arg for arg in node.args if not is_parameter(arg)]
        if len(moving) == 1:
            names = weights_text([arg for arg in node.args if arg is not moving[0]], elementwise, self.style)
            return self.add(Vertex("weights", names, [self.of(moving[0])], [""]))
        first = next(k for k, arg in enumerate(node.args) if not is_parameter(arg)) if not elementwise and moving else 0
        reads = [self.of(arg) for arg in node.args[first:]]
        sign = writer_sign(self.style) if elementwise else r"\times"
        number = self.add(Vertex("product", sign, reads, [""] * len(reads), ordered=not elementwise))
        if not first:
            return number
        return self.add(Vertex("weights", weights_text(list(node.args[:first]), False, self.style), [number], [""]))

    def sequence(self, node: Any) -> int:
        """A whole sequence: its letters, or the sum over time of what is read."""
        body, index = node.args[:2]
        if isinstance(node, Columns):
            return self.add(Vertex("input", self.formula(node)))
        inner = dict.fromkeys(leaf for leaf in leaves(body) if not is_parameter(leaf))
        reads = [self.of(leaf) if index not in leaf.free_symbols else self.series(leaf.series) for leaf in inner if isinstance(leaf, At)]
        return self.add(Vertex("operator", r"\sum", reads, [""] * len(reads), ordered=len(reads) > 1))

    def states_in_order(self) -> list[Any]:
        """The states, in the order of their equations."""
        return [quantity for quantity in self.equations if quantity in self.states]

    def series(self, series: Series) -> int:
        """All values of a series, as one thing that is read."""
        if series not in self.known:
            self.known[series] = self.add(Vertex("input", self.formula(series)))
        return self.known[series]


def writer_sign(style: Style) -> str:
    """Return the sign of the elementwise product in LaTeX."""
    return style.notation.hadamard[0]


def dataflow(network: Network, style: Style, layer: int = 0) -> Dataflow:
    """Return the graph of one time step of a layer.

    Args:
        network: The network.
        style: Of the names.
        layer: Which of its layers, from 0.
    """
    equations = equations_of_step(network, layer)
    builder = Builder(equations, style)
    read_outside = {leaf.series for e in network.equations if e.quantity not in builder.equations
                    for leaf in leaves(e.rhs) if isinstance(leaf, At)}
    ends: dict[Basic, int] = {}
    for equation in equations:
        number = builder.of(equation.lhs)
        if equation.quantity in builder.states or equation.quantity in read_outside or equation is equations[-1]:
            ends[equation.quantity] = number
    highways = tuple(found for state in builder.states_in_order() if (found := highway(builder, state, ends[state])))
    for quantity, number in ends.items():
        builder.vertices[number].name = ""
        builder.add(Vertex("result", builder.formula(builder.equations[quantity].lhs), [number], [""]))
    return Dataflow(tuple(builder.vertices), highways)


def highway(builder: Builder, state: Any, end: int) -> tuple[int, ...]:
    """Return the nodes from a state of an earlier step to the state, through sums and elementwise products only; the shortest way."""
    starts = {number for node, number in builder.known.items() if isinstance(node, At) and node.series == state and node.time != t}
    ways: list[tuple[int, ...]] = [(end,)]
    while ways:
        longer = []
        for found in ways:
            if found[0] in starts:
                return found
            vertex = builder.vertices[found[0]]
            if vertex.kind == "sum" or (vertex.kind == "product" and not vertex.ordered):
                longer += [(read, *found) for read in vertex.reads]
        ways = longer
    return ()
