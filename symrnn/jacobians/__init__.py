"""The Jacobian of a step: how the states of a recurrent network depend on those of the step before.

Forward accumulation over the named quantities of one step. The local derivatives are those of the reverse-mode rules, read
as matrices; no rule knows a cell. Source of the accumulation: A. Griewank and A. Walther, Evaluating Derivatives, 2008,
section 3.1; of the use of the Jacobian: Y. Bengio, P. Simard and P. Frasconi, Learning long-term dependencies with gradient
descent is difficult, IEEE Trans. Neural Networks 5 (1994) 157-166.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import Zeros
from symrnn.jacobians.accumulate import Accumulated, Path
from symrnn.jacobians.result import StepJacobian
from symrnn.jacobians.step import Group, groups
from symrnn.networks import network as network_of
from symrnn.networks.graph import Network, Part, Scan
from symrnn.notation import mark_of
from symrnn.times import Order
from symrnn.traverse import leaves, quantity_of, with_values


def step_jacobian(source: Network | Cell, *, layer: int | str | None = None) -> StepJacobian:
    """Derive the Jacobian of one step: ``∂h_t/∂h_{t-1}``, or the block matrix of all states.

    Args:
        source: A network, or a cell, which stands for its network with an output at each time.
        layer: The number of a layer, counted from 1, or its mark, such as ``"l2"``, ``"bw"`` or ``"dec"``: its states alone. By
            default the states of all layers; those of scans that do not run together, such as the two directions, have no
            blocks in common.

    Returns:
        The blocks as formulas in the quantities of the network, and as a network that computes them.

    Raises:
        SpecError: Neither a network nor a cell, no recurrence, or no such layer.
        NotSupportedError: A state that is read two steps before, or is a matrix; a formula whose derivative has no matrix.
    """
    if not isinstance(source, Network | Cell):
        raise SpecError(f"step_jacobian takes a network or a cell; got a {type(source).__name__}; write step_jacobian(network(cell))")
    network = network_of(source) if isinstance(source, Cell) else source
    found = groups(network)
    if not found:
        raise SpecError(f"the network '{network.name}' has no recurrence: no scan reads its own past")
    kept = None if layer is None else names_of_layer(network, layer)
    done = [(group, chosen, Accumulated(group).run()) for group in found if (chosen := states_of(group, kept))]
    if not done:
        raise SpecError(f"layer {layer} of the network '{network.name}' carries nothing from step to step; leave out layer")
    return assembled(network, done)


def states_of(group: Group, kept: set[str] | None) -> tuple[Any, ...]:
    """Return the states of a group that were asked for."""
    return tuple(state for state in group.states if kept is None or state.name in kept)


def names_of_layer(network: Network, layer: int | str) -> set[str]:
    """Return the names of the quantities of a layer.

    Raises:
        SpecError: No such layer.
    """
    layers = [part for part in network.parts if part.role == "layer"]
    numbered = [part for part in layers if (mark_of(part.mark).layer or 1) == layer]
    marked = [part for part in layers if isinstance(layer, str) and mark_has(part, layer)]
    if not (numbered or marked):
        marks = ", ".join(part.mark or "1" for part in layers)
        raise SpecError(f"the network '{network.name}' has no layer {layer}; it has {marks}")
    return {name for part in (numbered or marked) for name in part.names}


def mark_has(part: Part, wanted: str) -> bool:
    """Tell whether a mark is the wanted one, or has all its pieces."""
    return bool(wanted) and set(wanted.split("_")) <= set(part.mark.split("_"))


def assembled(network: Network, done: list[tuple[Group, tuple[Any, ...], Accumulated]]) -> StepJacobian:
    """Put the groups together."""
    blocks: dict[Any, Any] = {}
    paths: dict[Any, tuple[Path, ...]] = {}
    lines: list[Equation] = []
    scans: list[Scan] = []
    for group, states, held in done:
        pairs = [(new, old) for new in states for old in states]
        own = needed([(q, o) for q, o in pairs if (q, o) in held.paths], held)
        formulas: dict[Any, Any] = {}
        for line in own:
            formulas[line.quantity] = with_values(line.rhs, formulas)
        for new, old in pairs:
            name = held.names.get((new, old))
            blocks[new, old] = Zeros(new.shape[0], old.shape[0]) if name is None else formulas[name]
            if (new, old) in held.paths:
                paths[new, old] = held.paths[new, old]
        lines += own
        scans += [Scan(tuple(own), group.step)] if own else []
    ends = {name: key for _, _, held in done for key, name in held.names.items()}
    outputs = tuple(name for _, _, held in done for key, name in held.names.items() if key in paths)
    whole = replace(
        network, name=f"{network.name}, with the Jacobians of its steps", blocks=(*network.blocks, *scans), outputs=outputs, order=Order(),
    )
    return StepJacobian(
        network, tuple(state for _, states, _ in done for state in states), MappingProxyType(blocks), MappingProxyType(paths),
        tuple(lines), MappingProxyType({e.quantity: ends[e.quantity] for e in lines}),
        MappingProxyType({state: group.step for group, _, _ in done for state in group.states}), whole,
    )


def needed(wanted: list[Any], held: Accumulated) -> list[Equation]:
    """Return the lines of some Jacobians, and of those that they read, in the order in which they are computed."""
    every = {e.quantity: e for e in held.equations()}
    waiting, kept = [held.names[key] for key in wanted], set[Any]()
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept.add(name)
            waiting += [q for q in map(quantity_of, leaves(every[name].rhs)) if q in every]
    return [line for name, line in every.items() if name in kept]


__all__ = ["Path", "StepJacobian", "step_jacobian"]
