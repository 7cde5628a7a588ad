"""What may be overwritten: values, or rows of them, that nobody reads any more where another one is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Basic, Expr, expand

from symrnn.equations import Equation
from symrnn.expr import At, Elementwise, Hadamard, LogSoftmax, Plus, Product, Rows, Series, Stacked, same, t
from symrnn.networks.graph import Scan
from symrnn.scheduling.form import Form, at, recurrent


def overwritten(node: Any) -> Iterable[tuple[At, tuple[Expr, Expr] | None]]:
    """Yield the values, or rows of them, whose place the value of a formula may take."""
    if isinstance(node, Elementwise) and isinstance(node.args[1], At):
        yield node.args[1], None
    if isinstance(node, LogSoftmax) and isinstance(node.args[0], At):
        yield node.args[0], None
    if isinstance(node, Elementwise) and isinstance(node.args[1], Rows) and isinstance(node.args[1].args[0], At):
        yield node.args[1].args[0], node.args[1].args[1:]
    if isinstance(node, Plus):
        for term in node.args:
            if isinstance(term, Rows) and isinstance(term.args[0], At):
                yield term.args[0], term.args[1:]
            elif isinstance(term, At):
                yield term, None
        first = next((term for term in node.args if isinstance(term, Hadamard)), None)
        if first is not None and not any(isinstance(term, Product) for term in node.args):
            yield from ((factor, None) for factor in first.args if isinstance(factor, At))
    if isinstance(node, Hadamard):
        yield from ((factor, None) for factor in node.args if isinstance(factor, At))


def brief_values(form: Form, readers: dict[Basic, Any]) -> set[Basic]:
    """Return the columns of recurrences that are read in the step that makes them, and nowhere else."""
    found = set()
    for block in form.blocks:
        if not (isinstance(block, Scan) and recurrent(block)):
            continue
        for e in block.equations:
            read = readers.get(e.quantity, [])
            here = all(reader in block.equations and at(leaf, t) for reader, leaf in read)
            if is_column(e.quantity) and here and e.quantity not in form.results and one_equation(form, e.quantity):
                found.add(e.quantity)
    while True:
        handed = {q for q in found if any(is_same_array(reader) and reader.quantity not in found for reader, _ in readers.get(q, []))}
        if not handed:
            return found
        found -= handed


def is_same_array(e: Equation) -> bool:
    """Tell whether a value may be rows of the array that it reads, or the other way round."""
    return isinstance(e.rhs, Rows) or is_stack(e)


def read_apart(source: Basic, readers: dict[Basic, Any]) -> bool:
    """Tell whether a value is read in pieces only, each by one equation and with no row in common."""
    pieces = [
        node.args[1:] for e, _ in readers[source] for node in e.rhs.atoms(Rows) if isinstance(node.args[0], At) and node.args[0].series == source
    ]
    apart = all(
        expand(b[0] - a[1]).is_nonnegative or expand(a[0] - b[1]).is_nonnegative for number, a in enumerate(pieces) for b in pieces[:number]
    )
    return len(pieces) == len(readers[source]) and apart


def wholes(source: Basic, form: Form) -> list[Basic]:
    """Return the value of which another one is rows, that of which this is rows, and so on."""
    found: list[Basic] = []
    while (whole := next((e.rhs.args[0].series for e in form.equations if e.quantity == source and is_piece(e.rhs)), None)) is not None:
        found.append(whole)
        source = whole
    return found


def is_piece(node: Any) -> bool:
    """Tell whether a formula is rows of one value."""
    return isinstance(node, Rows) and isinstance(node.args[0], At)


def one_equation(form: Form, *quantities: Basic) -> bool:
    """Tell whether quantities are each defined by one equation, zeros beside the ends aside, over the same times."""
    spans = [form.defined.get(q, []) for q in quantities]
    return all(len(own) == 1 and own == spans[0] for own in spans)


def is_column(quantity: Any) -> bool:
    """Tell whether a quantity is a column."""
    return isinstance(quantity, Series) and same(quantity.shape[1], 1)


def is_stack(e: Equation) -> bool:
    """Tell whether an equation puts series on top of each other, each as it is."""
    return e.span is not None and isinstance(e.rhs, Stacked) and all(
        isinstance(part, At) and part.time == t and is_column(part.series) for part in e.rhs.args
    )
