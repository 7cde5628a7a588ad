"""The factors of the terms of a Jacobian, each with its kind.

Kinds, read off the roles of the quantities that a factor reads; no rule knows a cell:
    saturation: the derivative of an activation. A diagonal factor that reads only what its path passes, such as ``1 - h_t²``
        or, on a path through ``f``, ``f_t ∘ (1 - f_t)``.
    gate: a diagonal factor that reads gates only, such as ``f_t`` on the direct path, or ``o_t``. Gates are the quantities of
        that role, and all that is a logistic function of something.
    weights: a factor that reads parameters only.
    values: every other factor, such as ``c_{t-1}`` on a path through ``f``, or a matrix that depends on the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import Any

from symrnn.equations import Equation
from symrnn.expr import At, Diag, Elementwise, Hadamard, Product, Series, Static, split_scalar, t
from symrnn.jacobians.accumulate import Path
from symrnn.jacobians.result import StepJacobian
from symrnn.jacobians.step import Group
from symrnn.networks.graph import Network
from symrnn.traverse import leaves, quantity_of

SATURATION, GATE, WEIGHTS, VALUES = KINDS = ("saturation", "gate", "weights", "values")


@dataclass(frozen=True)
class Factor:
    """One factor of a term.

    Attributes:
        kind: One of ``KINDS``.
        node: The formula: a column where the factor is the diagonal matrix of it, else a matrix.
        diagonal: Whether the matrix is ``diag(node)``.
        series: The series that holds it at each time; a static quantity where it is a parameter itself.
    """

    kind: str
    node: Any
    diagonal: bool
    series: Any = None


@dataclass(frozen=True)
class Term:
    """One path, cut into its factors from left to right.

    Attributes:
        name: Of the path.
        new: The state that it leads to.
        old: The state that it starts from.
        scalar: A number in front, or a formula of sizes such as ``1/H``.
        factors: In the order in which a gradient meets them.
    """

    name: str
    new: Series
    old: Series
    scalar: Any
    factors: tuple[Factor, ...]


def terms_of(jacobian: StepJacobian, states: tuple[Series, ...]) -> tuple[Term, ...]:
    """Cut the paths between some states into factors, each with a series of its own.

    Args:
        jacobian: The Jacobian of a step.
        states: Those of one chain.
    """
    gates = gates_of(jacobian.of)
    parameters = set(jacobian.of.parameters)
    found: list[Term] = []
    number = 0
    for (new, old), listed in jacobian.paths.items():
        if new not in states or old not in states:
            continue
        for path in listed:
            scalar, factors = cut(path, new, gates, parameters)
            placed = []
            for factor in factors:
                number += 1
                series = factor.node if isinstance(factor.node, Static) else Series(f"F_{number}_factor", (), *factor.node.shape)
                placed.append(replace(factor, series=series))
            found.append(Term(path.name, new, old, scalar, tuple(placed)))
    return tuple(found)


def cut(path: Path, new: Series, gates: set[Any], parameters: set[Any]) -> tuple[Any, list[Factor]]:
    """Cut the term of a path into factors of one kind each."""
    scalar, core = split_scalar(path.term)
    on_the_way = {*path.through, new}
    found: list[Factor] = []
    for part in core.args if isinstance(core, Product) else (core,):
        if not isinstance(part, Diag):
            if type(part).__name__ != "Identity":
                kind = WEIGHTS if {quantity_of(leaf) for leaf in leaves(part)} <= parameters else VALUES
                found.append(Factor(kind, part, False))
            continue
        inner = part.args[0]
        entries = inner.args if isinstance(inner, Hadamard) else (inner,)
        alone = {node for node in entries if node in {g[t] for g in gates} and 1 - node not in entries}
        for kind, same in groupby(entries, key=lambda node: GATE if node in alone else kind_of(node, on_the_way, gates, parameters)):
            found.append(Factor(kind, Hadamard(*same), True))
    return scalar, found


def gates_of(network: Network) -> set[Any]:
    """Return the gates of a network."""
    return {e.quantity for e in network.equations
            if e.role == "gate" or (isinstance(e.rhs, Elementwise) and e.rhs.function.name == "sigmoid" and e.role != "output")}


def kind_of(node: Any, on_the_way: set[Any], gates: set[Any], parameters: set[Any]) -> str:
    """Return the kind of a diagonal factor."""
    read = {quantity_of(leaf) for leaf in leaves(node)}
    now = all(leaf.time == t for leaf in leaves(node) if isinstance(leaf, At))
    if read <= parameters:
        return WEIGHTS
    if now and read <= on_the_way:
        return SATURATION
    return GATE if now and read <= gates | on_the_way else VALUES


def with_lines(jacobian: StepJacobian, lines: Iterable[tuple[Series, Any]], group: Group) -> StepJacobian:
    """Add lines to those of a Jacobian, so that one network of a step computes both."""
    made = tuple(Equation(series[t], node, group.span, "measured") for series, node in lines)
    ends = {e.quantity: (e.quantity, group.states[0]) for e in made}
    return replace(jacobian, lines=(*jacobian.lines, *made), ends=MappingProxyType({**jacobian.ends, **ends}))


def computed(terms: tuple[Term, ...]) -> Iterator[Factor]:
    """Yield the factors that are no parameters themselves."""
    for term in terms:
        yield from (factor for factor in term.factors if not isinstance(factor.series, Static))


def input_of(network: Network, equations: Any) -> Any:
    """Return the column that is given at each time and that some equations read at their own time; ``None`` where none is."""
    given = {g.quantity for g in network.givens if g.kind == "input" and g.span is not None and g.quantity.shape[1] == 1}
    for equation in equations:
        for leaf in leaves(equation.rhs):
            if isinstance(leaf, At) and leaf.time == t and leaf.series in given:
                return leaf.series
    return None
