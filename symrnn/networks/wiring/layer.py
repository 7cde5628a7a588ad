"""A layer: a cell run over the times of what it reads, forward or backward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import At, Hadamard, Node, Product, Series, Static, dim, same, t
from symrnn.functions import check_size, series
from symrnn.networks.graph import Given
from symrnn.networks.naming import name_operands
from symrnn.networks.wiring.given import until
from symrnn.networks.wiring.links import Built, Link
from symrnn.networks.wiring.wires import Item, Wires, brief, fits, suffixed
from symrnn.times import Span
from symrnn.traverse import rebuilt, with_values

DIRECTIONS = {"forward": 1, "backward": -1}
STARTS = "initial state"
"""Role of an equation that says what a state starts from."""


@dataclass(frozen=True)
class Layer(Item):
    """A cell run over the times of what it reads.

    Where a network has several layers, the names of a layer's quantities end in its name: ``h_l2``, ``W_hh_l2``.

    Attributes:
        name: By which others read its output.
        cell: The equations of a step.
        reads: What takes the place of the cell's input; several are put on top of each other. For a cell with several
            inputs, a mapping from their names.
        direction: ``forward``, from 1 to the last time, or ``backward``, from the last to 1.
        size: Size of the hidden state, in place of the cell's letter.
        starts: What the states start from: a layer (its states of the same names, where it ends), or what has one value
            (for the state that is the output), or a mapping from states to such. States that are not named are given.
        mask: A mask of size 1: where it is 0 the states stay as they are (padding).
        dropout: A mask by which the input is multiplied.
        recurrent_dropout: A mask by which the last output is multiplied where a matrix meets it.
        residual: Whether what is read is added to the output.
        length: Letter (or formula) of the last time, for a cell that reads nothing that has a length.

    Shapes:
        As in the cell, with its input's size replaced by that of what is read.

    Raises:
        SpecError: No cell, an unknown direction, links that do not fit.
    """

    cell: Cell
    reads: Any = "x"
    direction: str = "forward"
    size: Any = None
    starts: Any = None
    mask: str | None = None
    dropout: str | None = None
    recurrent_dropout: str | None = None
    residual: bool = False
    length: Any = None

    def check(self) -> None:
        if not isinstance(self.cell, Cell):
            raise SpecError(f"{self.label} takes a cell; got {brief(self.cell)}; write Layer('{self.name}', cell('lstm'))")
        self.choose("direction", self.direction, DIRECTIONS)
        if self.size is not None:
            check_size(self.name, self.size)
        self.inputs()
        self.sources()

    def inputs(self) -> dict[str, tuple[str, ...]]:
        """Return, for each input of the cell, the links that take its place.

        Raises:
            SpecError: An input that nobody names, or a name that is no input.
        """
        own = [x.name for x in self.cell.inputs]
        if not isinstance(self.reads, Mapping):
            if len(own) != 1:
                raise SpecError(f"{self.label}: cell '{self.cell.name}' has the inputs {', '.join(own) or 'none'}; say what "
                                "takes the place of each, as reads={'input': 'item', ...}")
            return {own[0]: self.names_in("reads", self.reads)}
        for name in self.reads:
            self.choose("input", name, own)
        missing = [name for name in own if name not in self.reads]
        if missing:
            raise SpecError(f"{self.label}: nothing takes the place of the input {missing[0]} of cell '{self.cell.name}'")
        return {name: self.names_in("reads", self.reads[name]) for name in own}

    def sources(self) -> dict[str, str]:
        """Return the links from which states start, by the name of the state; ``""`` for one link for all."""
        if self.starts is None:
            return {}
        if not isinstance(self.starts, Mapping):
            return {"": self.name_in("starts", self.starts)}
        for name in self.starts:
            self.choose("state", name, [q.name for q in self.cell.states])
        return {name: self.name_in("starts", link) for name, link in self.starts.items()}

    def links(self, wires: Wires) -> Iterator[Link]:
        for names in self.inputs().values():
            yield from map(Link, names)
        for name in self.sources().values():
            yield Link(name, "starts from", now=False, whole=True)
        for what in ("mask", "dropout", "recurrent_dropout"):
            if getattr(self, what) is not None:
                yield Link(getattr(self, what), what)

    @property
    def cell_name(self) -> str:
        return self.cell.name

    @property
    def step(self) -> int:
        return DIRECTIONS[self.direction]

    def own_span(self, wires: Wires) -> Span | None:
        return None if self.length is None else until(self.length)

    def mark(self, wires: Wires) -> str:
        return self.name if len(wires.of_type(Layer)) > 1 else ""

    def rows(self, wires: Wires) -> Expr:
        if self.size is not None:
            return dim(self.size)
        own = self.cell.output.shape[0]
        shared = own.free_symbols & {x.shape[0] for x in self.cell.inputs}
        size: Expr = own.xreplace(self.letters(wires)) if shared else own
        return size

    def quantity(self, wires: Wires) -> Series | Static:
        if self.residual:
            return series(suffixed(f"{self.cell.output.name}_res", self.mark(wires)), self.rows(wires))
        return self.state(self.cell.output.name, wires)

    def state(self, name: str, wires: Wires) -> Series:
        """Return a state (or another quantity) of the cell as it is called in the network.

        Raises:
            SpecError: The cell has none of that name.
        """
        own = {e.name: e.quantity for e in self.cell.equations}
        self.choose("state", name, own)
        return Series(suffixed(name, self.mark(wires)), (), *own[name].xreplace(self.letters(wires)).shape)

    def letters(self, wires: Wires) -> dict[Any, Expr]:
        """Return what takes the place of the cell's size letters.

        Raises:
            SpecError: A number in the cell that does not fit what is read.
        """
        found: dict[Any, Expr] = {}
        for x in self.cell.inputs:
            own, names = x.shape[0], self.inputs()[x.name]
            size = sum((wires.size(name) for name in names[1:]), wires.size(names[0]))
            if own.is_Symbol and same(found.setdefault(own, size), size):
                continue
            own = found.get(own, own)
            if not same(own, size):
                fits(self, " and ".join(names), size, own, f"the size of the input {x.name} of cell '{self.cell.name}'")
        hidden = self.cell.output.shape[0]
        if self.size is not None:
            if not hidden.is_Symbol:
                raise SpecError(f"{self.label}: the hidden state of cell '{self.cell.name}' has the size {hidden}; leave size out")
            if not same(found.setdefault(hidden, dim(self.size)), dim(self.size)):
                raise SpecError(f"{self.label}: cell '{self.cell.name}' has one letter {hidden} for its input, of size {found[hidden]}, "
                                f"and its output, of size {self.size}; leave size out")
        return found

    def build(self, wires: Wires) -> Built:
        span = wires.span(self.name)
        if span is None:
            raise SpecError(f"{self.label} reads only what has one value, so that nothing says how many times it has; "
                            "say length='T', or read an Input with a length as well")
        cell = self.cell.with_sizes(self.letters(wires))
        before, meant = self.read(cell, wires, span)
        equations = [self.with_inputs(e, meant) for e in name_operands(cell.equations)]
        if self.recurrent_dropout is not None:
            equations = self.dropped(equations, cell, wires)
        if self.mask is not None:
            equations = self.held(equations, cell, wires)
        if self.step == -1:
            equations = [reversed_reads(e) for e in equations]
        marks = self.marked(equations, cell, wires)
        timed = [Equation(e.lhs.xreplace(marks), e.rhs.xreplace(marks), span, e.role) for e in equations]
        timed += self.added(wires, span)
        parameters = tuple(Given(marks.get(p, p), "parameter") for p in cell.parameters)
        return Built((*before, *self.started(cell, wires, span), *timed), parameters)

    def read(self, cell: Cell, wires: Wires, span: Span) -> tuple[list[Equation], dict[Basic, Node]]:
        """Return equations for inputs that are put together, and what takes the place of each input of the cell."""
        equations: list[Equation] = []
        meant: dict[Basic, Node] = {}
        for x in cell.inputs:
            value = wires.joined(self, self.inputs()[x.name])
            if self.dropout is not None and len(cell.inputs) > 1:
                raise SpecError(f"{self.label}: dropout is for a cell with one input; cell '{cell.name}' has {len(cell.inputs)}; "
                                "multiply in the cell")
            if self.dropout is not None:
                value = Hadamard(value, wires.mask(self, self.dropout, value.shape[0], "dropout"))
            if not isinstance(value, At | Static):
                name = series(f"{x.name}_{self.name}", value.shape[0])
                equations.append(Equation(name[t], value, span, "input"))
                value = name[t]
            meant[x] = value
        return equations, meant

    def with_inputs(self, equation: Equation, meant: dict[Basic, Node]) -> Equation:
        """Replace the cell's inputs by what is read."""
        return Equation(equation.lhs, with_values(equation.rhs, meant), None, equation.role)

    def dropped(self, equations: list[Equation], cell: Cell, wires: Wires) -> list[Equation]:
        """Multiply the last output by a mask where a matrix meets it (Gal & Ghahramani 2016)."""
        h = cell.output
        kept = series(f"{h.name}_in", h.shape[0])
        mask = wires.mask(self, self.recurrent_dropout or "", h.shape[0], "recurrent_dropout")
        meant = {h[t - 1]: kept[t]}

        def change(node: Any) -> Any:
            return node.xreplace(meant) if isinstance(node, Product) and isinstance(node.args[0], Static) else node

        changed = [Equation(e.lhs, rebuilt(e.rhs, change), None, e.role) for e in equations]
        if not any(leaf.series == kept for e in changed for leaf in e.rhs.atoms(At)):
            raise SpecError(f"{self.label}: recurrent_dropout '{self.recurrent_dropout}' has nothing to do: in cell '{cell.name}' no "
                            f"matrix meets {h.name}_{{t-1}}; leave it out")
        return [Equation(kept[t], Hadamard(h[t - 1], mask), None, "value"), *changed]

    def held(self, equations: list[Equation], cell: Cell, wires: Wires) -> list[Equation]:
        """Let the states stay as they are where the mask is 0: ``h_t = h_new_t m_t + h_{t-1} (1 - m_t)``."""
        mask = wires.mask(self, self.mask or "", 1, "mask")
        states = [q for q in dict.fromkeys([*cell.states, cell.output]) if isinstance(q, Series)]
        fresh = {q: series(f"{q.name}_new", q.shape[0]) for q in states}
        now = {q[t]: new[t] for q, new in fresh.items()}
        roles = {e.quantity: e.role for e in equations}
        changed = [Equation(e.lhs.xreplace(now), e.rhs.xreplace(now), None, e.role) for e in equations]
        return changed + [Equation(q[t], new[t] * mask + q[t - 1] * (1 - mask), None, roles[q]) for q, new in fresh.items()]

    def marked(self, equations: list[Equation], cell: Cell, wires: Wires) -> dict[Any, Any]:
        """Return the names of the network for those of the cell."""
        mark = self.mark(wires)
        own: dict[Any, Any] = {e.quantity: Series(suffixed(e.name, mark), (), *e.quantity.shape) for e in equations}
        own.update({p: Static(suffixed(p.name, mark), (), *p.shape) for p in cell.parameters})
        return own if mark else {}

    def added(self, wires: Wires, span: Span) -> list[Equation]:
        """Return the equation of a residual link."""
        if not self.residual:
            return []
        names = next(iter(self.inputs().values()))
        read = wires.joined(self, names)
        fits(self, names[0], read.shape[0], self.rows(wires), "the size of its output, to which it is added; put a Dense between")
        return [Equation(wires.signal(self.name).now, read + self.state(self.cell.output.name, wires)[t], span, "hidden state")]

    def started(self, cell: Cell, wires: Wires, span: Span) -> list[Equation]:
        """Return equations for the states that start from something."""
        at = span.lo - 1 if self.step == 1 else span.hi + 1
        found = []
        for name, link in self.sources().items():
            source = wires.items[link]
            if name == "" and isinstance(source, Layer):
                theirs = {q.name for q in source.cell.states}
                shared = [q.name for q in cell.states if q.name in theirs]
                if not shared:
                    raise SpecError(f"{self.label} starts from '{link}', but their states have no name in common; write "
                                    f"starts={{'{cell.output.name}': Last(...)}}")
                found += [(own, Ended(source, own).value(wires)) for own in shared]
            else:
                found.append((name or cell.output.name, wires.last(link)))
        equations = []
        for name, value in found:
            state = self.state(name, wires)
            fits(self, self.sources().get(name, self.sources().get("", name)), value.shape[0], state.shape[0], f"the size of {name}")
            equations.append(Equation(state[t], value, Span(at, at), STARTS))
        return equations


@dataclass(frozen=True)
class Ended:
    """A state of a layer where its scan ends."""

    layer: Layer
    state: str

    def value(self, wires: Wires) -> Node:
        """Return the value at the last time, of a backward layer at the first."""
        span = wires.span(self.layer.name)
        if span is None:
            raise SpecError(f"{self.layer.label} has one value only; it cannot start another layer")
        return self.layer.state(self.state, wires)[span.hi if self.layer.step == 1 else span.lo]


def reversed_reads(equation: Equation) -> Equation:
    """Turn the past round: what was read at ``t - k`` is read at ``t + k``."""
    turned = {leaf: leaf.series[2 * t - leaf.time] for leaf in equation.rhs.atoms(At)}
    return Equation(equation.lhs, equation.rhs.xreplace(turned), None, equation.role)
