"""How much a judge would have to do, estimated before it begins: a judge that would not end says so instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Basic, Integer

from symrnn.equations import Equation
from symrnn.expr import Columns, Leaf, Node, Product, TimeSum
from symrnn.networks.graph import Network
from symrnn.times import Span
from symrnn.traverse import leaves
from symrnn.verify.report import UNDECIDED, Finding, JudgeReport


def counted(size: Any, sizes: Mapping[Basic, Any]) -> int:
    """Return a size as a number; a letter without one, such as the time of an inner sum, counts as 1."""
    value = size.xreplace({letter: Integer(number) for letter, number in sizes.items()})
    return int(value.xreplace(dict.fromkeys(value.free_symbols, Integer(1))))


def entries(quantity: Any, sizes: Mapping[Basic, Any]) -> int:
    """Return how many numbers a matrix has."""
    return counted(quantity.shape[0] * quantity.shape[1], sizes)


def times(span: Span | None, sizes: Mapping[Basic, Any]) -> int:
    """Return at how many times something holds; 1 for what has no time."""
    return 1 if span is None else max(1, counted(span.hi - span.lo + 1, sizes))


def reads(node: Any, sizes: Mapping[Basic, Any]) -> int:
    """Bound how many numbers one entry of a formula reads."""
    if isinstance(node, Leaf):
        return 1
    inner = [reads(arg, sizes) for arg in node.args if isinstance(arg, Node)]
    if isinstance(node, Product):
        links = [counted(arg.shape[1], sizes) for arg in node.args[:-1] if isinstance(arg, Node)]
        return sum(inner) * max(links, default=1)
    if isinstance(node, TimeSum | Columns):
        return sum(inner) * max(1, counted(node.args[3] - node.args[2] + 1, sizes))
    widest = max((entries(arg, sizes) for arg in node.args if isinstance(arg, Node)), default=1)
    return sum(inner) * (widest if counted(node.shape[0] * node.shape[1], sizes) < widest else 1)


def steps(equation: Equation, sizes: Mapping[Basic, Any]) -> int:
    """Bound how many numbers all entries of an equation read, at all its times."""
    whole = sum(entries(leaf, sizes) for leaf in set(leaves(equation.rhs)))
    long = equation.rhs.has(TimeSum, Columns)
    each = reads(equation.rhs, sizes)
    return times(equation.span, sizes) * entries(equation.lhs, sizes) * (each if long else min(each, whole))


def forward_steps(network: Network, sizes: Mapping[Basic, Any]) -> int:
    """Bound the work of one forward pass: the numbers that all its equations read."""
    return sum(steps(equation, sizes) for equation in network.equations)


def adjoint_entries(lines: Iterable[Equation], sizes: Mapping[Basic, Any]) -> int:
    """Return how many numbers the printed lines give, at all their times."""
    return sum(times(line.span, sizes) * entries(line.lhs, sizes) for line in lines)


def largest(network: Network, sizes: Mapping[Basic, Any]) -> str:
    """Say which quantity has most entries: ``W_hh is 200×200``."""
    quantities: Iterable[Any] = (*(g.quantity for g in network.givens), *(e.quantity for e in network.equations))
    most = max(quantities, key=lambda q: entries(q, sizes))
    return f"{most.name} is {counted(most.shape[0], sizes)}×{counted(most.shape[1], sizes)}"


def too_large(judge: str, network: Network, sizes: Mapping[Basic, Any], why: str, blind: str) -> JudgeReport:
    """Report that nothing was compared, and what to do."""
    detail = f"{largest(network, sizes)}: {why}; sizes that are left letters are judged at small numbers: leave it a letter"
    return JudgeReport(judge, "nothing: the sizes are too large for this judge", "nothing", blind,
                       (Finding("all", UNDECIDED, detail),))
