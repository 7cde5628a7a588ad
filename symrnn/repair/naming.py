"""Which names of a backward pass are gradients, and which bring something from the next time step, by its text alone.

Guarantees:
    None: names are guesses, by which edits are ordered and left out; what an edit does is measured.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from symrnn.repair.scopes import is_zero, looks_adjoint, names_in
from symrnn.repair.source import Unit


def adjoint_names(units: Sequence[Unit], backward: Collection[int], carries: Sequence[Collection[str]]) -> list[frozenset[str]]:
    """Return for each function the names that are gradients: by how they are called, or made of such.

    What begins as 0 in a backward pass and comes back in each turn of a loop is one too, whatever it is called.

    Args:
        units: Functions.
        backward: Numbers of those that only the backward pass runs.
        carries: Names that bring something from another turn of a loop, by function.
    """
    found = [called_gradients(unit) for unit in units]
    for unit in units:
        if unit.number in backward:
            found[unit.number] |= {name for name in begun_as_zero(unit) if name in carries[unit.number]}
    while True:
        before = list(map(len, found))
        for unit in units:
            found[unit.number] |= {name for names, value in assigned(unit) if mentions(value, found[unit.number]) for name in names}
            if unit.number in backward:
                for other, parameter, given in handed_over(unit, units):
                    found[other] |= {parameter} if mentions(given, found[unit.number]) else set()
        if before == list(map(len, found)):
            return [frozenset(names) for names in found]


def called_gradients(unit: Unit) -> set[str]:
    """Return the names and references that are called like gradients."""
    found = {n.id for n in ast.walk(unit.tree) if isinstance(n, ast.Name) and looks_adjoint(n.id)}
    return found | {ast.unparse(n) for n in ast.walk(unit.tree) if isinstance(n, ast.Attribute | ast.Subscript) and looks_adjoint(ast.unparse(n))}


def begun_as_zero(unit: Unit) -> Iterator[str]:
    """Yield the names that are set to 0."""
    for names, value in assigned(unit):
        if is_zero(value):
            yield from names


def assigned(unit: Unit) -> Iterator[tuple[set[str], ast.expr]]:
    """Yield the plain names that each assignment sets, with what it sets them to."""
    for node in ast.walk(unit.tree):
        if isinstance(node, ast.Assign):
            yield set().union(*map(names_in, node.targets)), node.value
        elif isinstance(node, ast.AugAssign):
            yield names_in(node.target), node.value


def mentions(value: ast.AST, names: Collection[str]) -> bool:
    """Tell whether an expression reads one of some names."""
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(value))


def handed_over(unit: Unit, units: Sequence[Unit]) -> Iterator[tuple[int, str, ast.expr]]:
    """Yield what a function gives to others: the number of the other one, its parameter, and the argument."""
    by_name = {other.tree.name: other for other in units}
    for node in ast.walk(unit.tree):
        name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else \
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if name in by_name and isinstance(node, ast.Call):
            other = by_name[name]
            taken = [a.arg for a in other.tree.args.args if a.arg != "self"]
            for parameter, given in [*zip(taken, node.args, strict=False), *((k.arg or "", k.value) for k in node.keywords)]:
                yield other.number, parameter, given


def share_carries(units: Sequence[Unit], carries: Sequence[set[str]]) -> None:
    """Let the arguments of a step be carries where the loop that calls it hands over one."""
    for unit in units:
        for other, parameter, given in handed_over(unit, units):
            if isinstance(given, ast.Name) and given.id in carries[unit.number]:
                carries[other].add(parameter)
