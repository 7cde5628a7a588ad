"""The outline of a derivation: what is said, in which order, with formulas that are not yet written in any format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn.derivation import Adjoint, Derivation
from symrnn.equations import Cell, Equation
from symrnn.expr import At, Node, Series, t
from symrnn.networks import Given, Network, Scan
from symrnn.printing.columns import ColumnOf, column_form
from symrnn.printing.parts import Label, labels, runs
from symrnn.printing.pieces import Equations, Line, Outline, Ratio, Section, ShapeRow, Shapes, Words
from symrnn.times import Span
from symrnn.traverse import at_time

GIVEN = {
    "parameter": "parameters", "input": "inputs", "initial": "initial states", "target": "targets", "mask": "masks",
    "integer": "integers", "direction": "directions",
}


def fixed(left: Node, right: Node, span: Span | None, *, descending: bool = False) -> Line:
    """Make a line; over a single time, that time takes the place of ``t``."""
    time = only_time(span)
    return Line(left, right, span, descending) if time is None else Line(at_time(left, time), at_time(right, time))


def only_time(span: Span | None) -> Expr | None:
    """Return the time of a range that holds a single one."""
    return span.lo if span is not None and span.single else None


def forward_lines(network: Network) -> Iterator[Line]:
    """Yield the equations of a network in the order in which they run."""
    for block in network.blocks:
        equations = block.equations if isinstance(block, Scan) else (block,)
        for equation in equations:
            yield fixed(equation.lhs, equation.rhs, equation.span, descending=getattr(block, "step", 1) == -1)


def given_of(adjoint: Adjoint, line: Equation, derivation: Derivation) -> Given | None:
    """Return the given quantity whose gradient a line is, or ``None`` where it is an adjoint on the way."""
    for given in derivation.wanted:
        if given.quantity != adjoint.of:
            continue
        if given.span is None or line.span is None or not derivation.network.order.disjoint(given.span, line.span):
            return given
    return None


def ascending(network: Network) -> set[Basic]:
    """Return the series that the network computes from the first time to the last."""
    scans = [block for block in network.blocks if isinstance(block, Scan)]
    return {e.quantity for scan in scans for e in scan.equations if scan.step == 1}


def backward_lines(derivation: Derivation) -> Iterator[Line]:
    """Yield the adjoints on the way, each in the order of times in which the backward pass meets them."""
    forward = ascending(derivation.network)
    for adjoint in derivation.adjoints:
        descending = adjoint.of in forward
        own = [line for line in adjoint.lines if given_of(adjoint, line, derivation) is None]
        for line in reversed(own) if descending else own:
            yield fixed(line.lhs, line.rhs, line.span, descending=descending)


def gradient_lines(derivation: Derivation, wrt: str | None) -> Iterator[Line]:
    """Yield the gradients: of parameters and directions, then of inputs, then of initial states."""
    rank = {"parameter": 0, "direction": 1, "input": 2, "initial": 3}
    found = []
    for adjoint in derivation.adjoints:
        for line in adjoint.lines:
            given = given_of(adjoint, line, derivation)
            if given is not None and wrt in {None, given.name, str(adjoint.of.key)}:
                found.append((rank[given.kind], given, line))
    for _, given, line in sorted(found, key=lambda item: item[0]):
        value = given.quantity[t] if isinstance(given.quantity, Series) else given.quantity
        time = only_time(line.span)
        left, right = (at_time(side, t if time is None else time) for side in (value, line.rhs))
        yield Line(Ratio(derivation.network.loss, left), right, line.span if time is None else None)


def with_columns(lines: Iterable[Line]) -> Iterator[Line]:
    """Add to the gradient of a table that is looked up what it says of one column."""
    for line in lines:
        yield line
        form = column_form(line.right) if isinstance(line.right, Node) else None
        if form is not None:
            yield Line(ColumnOf(line.left), form)


def values_of(given: Given) -> list[Node]:
    """Return a given quantity at the generic ``t``; initial states at their own times."""
    if not isinstance(given.quantity, Series):
        return [given.quantity]
    if given.kind != "initial" or given.span is None or not (given.span.hi - given.span.lo).is_Integer:
        return [given.quantity[t]]
    return [given.quantity[given.span.lo + k] for k in range(int(given.span.hi - given.span.lo) + 1)]


def shapes(network: Network) -> Shapes:
    """List the given quantities, then the computed ones, those of one kind and shape together."""
    grouped: dict[tuple[str, tuple[Expr, Expr]], dict[Node, None]] = {}
    for given in network.givens:
        grouped.setdefault((GIVEN[given.kind], given.quantity.shape), {}).update(dict.fromkeys(values_of(given)))
    own = {given.quantity for given in network.givens if given.kind != "initial"}
    for equation in network.equations:
        if equation.quantity not in own:
            grouped.setdefault(("computed", equation.lhs.shape), {})[equation.lhs] = None
    return Shapes(tuple(ShapeRow(kind, tuple(values), shape) for (kind, shape), values in grouped.items()))


def parted(title: str, lines: Iterator[Line], network: Network) -> Iterator[Section]:
    """Put lines under a title, and under the part that they belong to where the network has several."""
    found, known = list(lines), labels(network)
    if not known:
        yield Section((title,), (Equations(tuple(found)),))
    elif found:
        yield Section((title,))
        for label, rows in runs(found, lambda line: known.get(defined(line).name) or label_of(line, network), read_by):
            yield Section(label.heading, (Equations(tuple(rows)),), level=2, layer=label.layer)


def defined(line: Line) -> Any:
    """Return the quantity of a line: what it defines, or what the gradient that it gives is taken in."""
    left: Any = line.left.matrix if isinstance(line.left, ColumnOf) else line.left
    return left.below if isinstance(left, Ratio) else left


def read_by(line: Line) -> tuple[str, Any]:
    """Return the key of what a line defines, and the formula that gives it; of a gradient, which nothing reads, no key."""
    left: Any = line.left
    if isinstance(left, Ratio | ColumnOf):
        return "", Integer(0)
    return str(left.series.key if isinstance(left, At) else left.key), line.right


def label_of(line: Line, network: Network) -> Label:
    """Return the label of what belongs to no part: its kind, or that it is the loss."""
    name = defined(line).name
    kinds = (GIVEN[given.kind].capitalize() for given in network.givens if given.quantity.name == name)
    loss = "Loss" if name == network.loss.name else "Other quantities"
    return Label((next(kinds, loss),))


def outline(
    derivation: Derivation, *, wrt: str | None = None, steps: tuple[Section, ...] = (), notes: tuple[Words, ...] = ()
) -> Outline:
    """Arrange a derivation for print.

    Args:
        derivation: What is printed.
        wrt: Keep only the gradient of this name; the adjoints should be those that lead to it.
        steps: Sections with the steps, put between forward and backward pass.
        notes: What the signs mean.
    """
    network = derivation.network
    second = "" if derivation.order == 1 else f" (derivation {derivation.order})"
    sections = [
        Section(("Quantities",), (shapes(network),)),
        *parted("Forward pass", forward_lines(network), network),
        *steps,
        *parted("Backward pass", backward_lines(derivation), network),
        *parted("Gradients", with_columns(gradient_lines(derivation, wrt)), network),
        *([Section(("Conventions",), notes)] if notes else []),
    ]
    empty = [s for s in sections if any(isinstance(part, Equations) and not part.lines for part in s.body)]
    kept = tuple(section for section in sections if section not in empty)
    return Outline(f"Backpropagation through time: {network.name}{second}", kept)


def cell_outline(cell: Cell, notes: tuple[Words, ...] = ()) -> Outline:
    """Arrange the equations of a cell for print, with what the signs mean."""
    grouped: dict[tuple[str, tuple[Expr, Expr]], list[Node]] = {}
    for parameter in cell.parameters:
        grouped.setdefault(("parameters", parameter.shape), []).append(parameter)
    for series in cell.inputs:
        grouped.setdefault(("inputs", series.shape), []).append(series[t])
    for equation in cell.equations:
        grouped.setdefault((equation.role or "computed", equation.lhs.shape), []).append(equation.lhs)
    rows = tuple(ShapeRow(kind, tuple(values), shape) for (kind, shape), values in grouped.items())
    source = (Words((f"Source: {cell.source}.",)),) if cell.source else ()
    title = f"{cell.name}: {cell.title}" if cell.title else cell.name
    return Outline(title, (
        Section(("Equations",), (*source, Equations(tuple(Line(e.lhs, e.rhs) for e in cell.equations)))),
        Section(("Quantities",), (Shapes(rows),)),
        *([Section(("Conventions",), notes)] if notes else []),
    ))
