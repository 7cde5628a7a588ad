"""Numbers of parameters: by part and by gate, as a formula and as a number, as the formulas and as frameworks count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sympy import Expr, Integer, factor

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import Ones, Plus, Product, Stacked, Static, dim
from symrnn.networks import Network, Part
from symrnn.traverse import leaves

CONVENTIONS: Mapping[str, str] = MappingProxyType({
    "formulas": "the biases that stand in the equations",
    "pytorch": "two bias vectors a gate, b_ih and b_hh",
    "keras": "one bias vector a gate; two where the equations need two in one gate (GRU, reset_after=True)",
})
"""What counts as a bias of a layer; a readout, an attention or a dense map has its own biases everywhere."""

INNER = frozenset({"pre-activation", "value"})
"""Roles of what belongs to the gate or state that reads it."""


@dataclass(frozen=True)
class ParameterBlock:
    """The parameters of one gate, state, table or readout.

    Attributes:
        name: The quantity that they serve.
        part: ``cell`` for a layer, or ``embedding``, ``attention``, ``dense``, ``readout``.
        parameters: Their names.
        count: How many numbers they hold, biases as the convention counts them.
        unshared: How many there would be if each equation had its own at each of its times.
        mark: What the names of the part end in, such as ``l2``; empty where there is one layer.
        cell: Name of the cell of a layer.
    """

    name: str
    part: str
    parameters: tuple[str, ...]
    count: Expr
    unshared: Expr
    mark: str = ""
    cell: str = ""


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

    def of(self, part: str, mark: str | None = None) -> Expr:
        """Return the count of the ``cell`` (all layers), the ``readout`` or another part; with a mark, of that one alone."""
        chosen = (block for block in self.blocks if block.part == part and mark in (None, block.mark))
        return factor(sum((block.count for block in chosen), Integer(0)))

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Part and mark of each part, in order."""
        return tuple(dict.fromkeys((block.part, block.mark) for block in self.blocks))

    @property
    def total(self) -> Expr:
        """All parts together."""
        return factor(sum((block.count for block in self.blocks), Integer(0)))

    def unshared(self, steps: Any = None) -> Expr:
        """Return how many there would be if each equation had its own parameters at each time at which it holds.

        An encoder then has ``S`` sets, a decoder ``T``, the readout of many-to-one a single one, and what has no time one; a
        table that is read by an embedding and by the readout is counted for both.

        Args:
            steps: Number of times; the letter ``T`` by default.
        """
        count = sum((block.unshared for block in self.blocks), Integer(0))
        return factor(count if steps is None else count.xreplace({dim("T"): Integer(steps)}))


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
    if not isinstance(bias, bool):
        raise SpecError(f"bias is True or False; got {bias!r}")
    parts = (Part("layer", "", of.name, tuple(p.name for p in of.parameters)),) if isinstance(of, Cell) else parts_of(of)
    blocks = [block for part in parts for block in blocks_of(part, of, convention, bias=bias)]
    return ParameterCounts(of.name, convention, tuple(blocks))


def parts_of(network: Network) -> tuple[Part, ...]:
    """Return the parts with the parameters that each holds alone; where a network names none, the roles of equations decide."""
    held = {p.name for p in network.parameters}
    found: list[Part] = []
    for part in network.parts:
        own = tuple(name for name in part.names if name in held)
        held -= set(own)
        found.append(Part(part.role, part.mark, part.cell, own))
    rest = grouped_parameters(network.equations, {p for p in network.parameters if p.name in held}).values()
    for role in ("layer", "readout"):
        named = [p.name for readers, parameters in rest for p in parameters if role == role_of(readers[0], network)]
        found.append(Part(role, "", network.cell if role == "layer" else "", tuple(named)))
    return tuple(part for part in found if part.names)


def role_of(equation: Equation, network: Network) -> str:
    """Tell whether an equation leads to an output alone, or belongs to a layer."""
    return "readout" if served_by(equation, network.equations).role == "output" else "layer"


def blocks_of(part: Part, of: Cell | Network, convention: str, *, bias: bool) -> list[ParameterBlock]:
    """Count the parameters of one part by what they serve."""
    own = {p for p in of.parameters if p.name in part.names}
    grouped = grouped_parameters(of.equations, own)
    gates = {name: gate_of(equations, found) for name, (equations, found) in grouped.items()}
    most = max((gate.vectors for gate in gates.values()), default=1)
    each = {"pytorch": 2, "keras": max(1, most)}.get(convention, 0) * bias
    blocks = []
    for name, (_, found) in grouped.items():
        gate = gates[name]
        as_written = convention == "formulas" or part.role != "layer" or not gate.has_matrix
        biases = gate.biases if as_written else each * gate.rows
        uses = [times_read(p, of) for p in found]
        unshared = sum((entries(p) * n for p, n in zip(found, uses, strict=True)), (biases - gate.biases) * uses[0])
        blocks.append(ParameterBlock(
            name, "cell" if part.role == "layer" else part.role, tuple(p.name for p in found), factor(gate.weights + biases),
            factor(unshared), part.mark, part.cell))
    return blocks


def entries(parameter: Static) -> Expr:
    """Return how many numbers a parameter holds."""
    return parameter.shape[0] * parameter.shape[1]


def times_read(parameter: Static, of: Cell | Network) -> Expr:
    """Return at how many times the equations of one quantity in each part read a parameter; in a cell, at ``T`` times."""
    if isinstance(of, Cell):
        return dim("T")
    first: dict[int, str] = {}
    count: Expr = Integer(0)
    for equation in of.equations:
        if parameter in leaves(equation.rhs):
            part = next((n for n, part in enumerate(of.parts) if equation.name in part.names), -1)
            if first.setdefault(part, equation.name) == equation.name:
                span = equation.span
                count += Integer(1) if span is None else span.hi - span.lo + 1
    return count


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
