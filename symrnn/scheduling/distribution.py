"""Loop distribution: a scan is split into its strongly connected parts; what is in no cycle needs no loop.

A part runs over all of its times before the next one starts. That is allowed since a scan reads nothing that it computes
later (Kennedy and McKinley, "Loop distribution with arbitrary control flow", 1990).
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Basic

from symrnn.equations import Equation
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form, made_by, read_by


def distributed(form: Form) -> Form:
    """Split every scan into its strongly connected parts, each after those that it reads."""
    blocks: list[Block] = []
    for block in form.blocks:
        if isinstance(block, Scan):
            blocks += [Scan(part, block.step) for part in parts_of(block.equations)]
        else:
            blocks.append(block)
    return replace(form, blocks=tuple(blocks))


def parts_of(equations: tuple[Equation, ...]) -> list[tuple[Equation, ...]]:
    """Return the strongly connected parts of some equations; each reads only itself and parts before it."""
    own = made_by(equations)
    reads: dict[Basic, list[Basic]] = {}
    for e in equations:
        found = reads.setdefault(e.quantity, [])
        found += [q for q in sorted(read_by(e.rhs) & own, key=str) if q not in found]
    rank = {e.quantity: number for number, e in reversed(list(enumerate(equations)))}
    parts = connected({q: sorted(found, key=rank.__getitem__) for q, found in reads.items()})
    return [tuple(e for e in equations if e.quantity in part) for part in parts]


def connected(reads: dict[Basic, list[Basic]]) -> list[set[Basic]]:
    """Return the strongly connected components of a graph, each after those that it points to (Tarjan, 1972)."""
    number: dict[Basic, int] = {}
    lowest: dict[Basic, int] = {}
    stack: list[Basic] = []
    out: list[set[Basic]] = []

    def visit(node: Basic) -> None:
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for other in reads[node]:
            if other not in number:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == number[node]:
            place = stack.index(node)
            out.append(set(stack[place:]))
            del stack[place:]

    for node in reads:
        if node not in number:
            visit(node)
    return out
