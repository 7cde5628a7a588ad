"""Numbers of parameters: by gate, as a formula and as a number, in the conventions of the formulas and of frameworks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sympy import Expr, Integer, factor

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import Ones, Plus, Product, Stacked, Static, dim
from symrnn.networks import Network
from symrnn.networks.readout import A_Y, Y_HAT
from symrnn.traverse import leaves

CONVENTIONS: Mapping[str, str] = MappingProxyType({
    "formulas": "the biases that stand in the equations",
    "pytorch": "two bias vectors a gate, b_ih and b_hh",
    "keras": "one bias vector a gate; two where the equations need two in one gate (GRU, reset_after=True)",
})
"""What counts as a bias of the cell; a readout has one bias everywhere."""

INNER = frozenset({"pre-activation", "value"})
"""Roles of what belongs to the gate or state that reads it."""


@dataclass(frozen=True)
class ParameterBlock:
    """The parameters of one gate, state or readout.

    Attributes:
        name: The quantity that they serve.
        part: ``cell`` or ``readout``.
        parameters: Their names.
        count: How many numbers they hold, biases as the convention counts them.
    """

    name: str
    part: str
    parameters: tuple[str, ...]
    count: Expr


@dataclass(frozen=True)
class ParameterCounts:
    """How many parameters a cell or a network has.

    Attributes:
        name: Of the cell or network.
        convention: A key of ``CONVENTIONS``.
        blocks: In the order of the equations.
    """

    name: str
    convention: str
    blocks: tuple[ParameterBlock, ...]

    def of(self, part: str) -> Expr:
        """Return the count of the ``cell`` or of the ``readout``."""
        return factor(sum((block.count for block in self.blocks if block.part == part), Integer(0)))

    @property
    def total(self) -> Expr:
        """Cell and readout together."""
        return factor(sum((block.count for block in self.blocks), Integer(0)))

    def unshared(self, steps: Any = None) -> Expr:
        """Return how many there would be if each time had its own parameters.

        Args:
            steps: Number of times; the letter ``T`` by default.
        """
        return factor(self.total * (dim("T") if steps is None else Integer(steps)))


@dataclass(frozen=True)
class _Gate:
    """What one block holds: rows of its matrices, entries that are no biases, bias vectors and their entries."""

    rows: Expr
    weights: Expr
    vectors: int
    biases: Expr

    @property
    def has_matrix(self) -> bool:
        return self.rows != 0


def parameter_counts(of: Cell | Network, *, convention: str = "formulas", bias: bool = True) -> ParameterCounts:
    """Count the parameters of a cell, or of a network with its readout.

    Args:
        of: A cell or a network.
        convention: ``formulas``: what stands in the equations; ``pytorch``, ``keras``: the biases that a layer of these
            has, whatever the equations have.
        bias: For ``pytorch`` and ``keras``, whether the layer has biases at all.

    Raises:
        SpecError: Unknown convention.
    """
    if convention not in CONVENTIONS:
        raise unknown("convention", convention, CONVENTIONS)
    if not isinstance(of, Cell | Network):
        raise SpecError(f"parameters are counted of a Cell or a Network; got {type(of).__name__}")
    grouped = grouped_parameters(of.equations, set(of.parameters))
    gates = {name: gate_of(equations, found) for name, (equations, found) in grouped.items()}
    parts = {name: "readout" if {e.name for e in equations} & {A_Y, Y_HAT} else "cell"
             for name, (equations, _) in grouped.items()}
    most = max((gate.vectors for name, gate in gates.items() if parts[name] == "cell"), default=1)
    each = {"pytorch": 2, "keras": max(1, most)}.get(convention, 0) * bias
    return ParameterCounts(of.name, convention, tuple(
        ParameterBlock(name, parts[name], tuple(p.name for p in found), factor(
            gates[name].weights + (gates[name].biases if convention == "formulas" or parts[name] == "readout"
                                   or not gates[name].has_matrix else each * gates[name].rows)))
        for name, (_, found) in grouped.items()
    ))


def grouped_parameters(
    equations: Iterable[Equation], parameters: set[Static]
) -> dict[str, tuple[list[Equation], list[Static]]]:
    """Put each parameter with the gate or state whose equation, or whose inner value's equation, reads it first."""
    listed = tuple(equations)
    grouped: dict[str, tuple[list[Equation], list[Static]]] = {}
    seen: set[Static] = set()
    for equation in listed:
        found = [p for p in dict.fromkeys(leaves(equation.rhs)) if p in parameters and p not in seen]
        if found:
            readers, held = grouped.setdefault(served_by(equation, listed).name, ([], []))
            readers.append(equation)
            held.extend(found)
            seen.update(found)
    return grouped


def served_by(equation: Equation, equations: tuple[Equation, ...]) -> Equation:
    """Follow a pre-activation or an inner value to the gate or state that alone reads it."""
    passed = [equation]
    while equation.role in INNER:
        readers = [e for e in equations if e.role != "loss" and equation.lhs in leaves(e.rhs)]
        if len(readers) != 1 or readers[0] in passed:
            break
        equation = readers[0]
        passed.append(equation)
    return equation


def gate_of(equations: list[Equation], parameters: list[Static]) -> _Gate:
    """Tell weights and biases of one block apart: a bias is a vector that is added, or a column that meets a 1."""
    added = {a for e in equations for plus in e.rhs.atoms(Plus) for a in plus.args}
    vectors = [p for p in parameters if p in added and p.shape[1] == 1]
    inner = [(p.shape[0], columns) for e in equations for p, columns in constant_columns(e) if p in parameters]
    biases = sum((p.shape[0] for p in vectors), Integer(0)) + sum((rows * n for rows, n in inner), Integer(0))
    entries = sum((p.shape[0] * p.shape[1] for p in parameters), Integer(0))
    matrices = {p for e in equations for product in e.rhs.atoms(Product) for p in product.args[:-1]} & set(parameters)
    rows = next((e.lhs.shape[0] for e in equations if matrices & set(leaves(e.rhs))), Integer(0))
    return _Gate(rows, entries - biases, len(vectors) + sum(int(n) for _, n in inner), biases)


def constant_columns(equation: Equation) -> list[tuple[Static, Any]]:
    """Return the matrices that meet a stack with ones in it, each with the number of its columns that meet them."""
    found = []
    for product in equation.rhs.atoms(Product):
        matrix, *_, column = product.args
        if isinstance(matrix, Static) and isinstance(column, Stacked):
            found.append((matrix, sum(a.shape[0] for a in column.args if isinstance(a, Ones))))
    return found
