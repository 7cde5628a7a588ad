"""What gates do, read off the equations that they stand in: keep, write, mix, show, reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from symrnn.equations import Equation
from symrnn.expr import At, Elementwise, Hadamard, Node, Plus, Series, t
from symrnn.networks.graph import Network
from symrnn.traverse import leaves

FORGET, UPDATE, UPDATE_NEW, INPUT, OUTPUT, RESET, MULTIPLIES = "forget", "update", "update_new", "input", "output", "reset", "multiplies"


@dataclass(frozen=True)
class Use:
    """One product that a gate stands in.

    Attributes:
        kind: What the gate is there; the second factor is ``old`` or ``other``.
        reader: The equation.
        old: The old value that it multiplies, where it does.
        other: The value of this step that it multiplies, where it does.
    """

    kind: str
    reader: Equation
    old: Node | None = None
    other: Node | None = None


@dataclass(frozen=True)
class Factor:
    """A gate in a product: as it is, or as ``1 - g``."""

    plain: bool
    rest: tuple[Any, ...]


def states_of(network: Network) -> tuple[Series, ...]:
    """Return the series that are read one step before or after their own time, in the order of their equations."""
    read = {leaf.series for e in network.equations for leaf in leaves(e.rhs)
            if isinstance(leaf, At) and leaf.time != t and (leaf.time - t).is_Integer}
    return tuple(q for q in dict.fromkeys(e.quantity for e in network.equations) if isinstance(q, Series) and q in read)


def is_gate(equation: Equation, network: Network) -> bool:
    """Tell whether an equation defines a gate: by its role, or as a sigmoid without another role that multiplies something."""
    sigmoid = isinstance(equation.rhs, Elementwise) and equation.rhs.function.name == "sigmoid"
    return equation.role == "gate" or (equation.role in {"value", ""} and sigmoid and bool(uses_of(equation, network)))


def uses_of(gate: Equation, network: Network) -> tuple[Use, ...]:
    """Return what a gate does, each product once."""
    states = set(states_of(network))
    behind = {q: state for state in states for q in masked(network, state)}
    found: list[Use] = []
    for reader in network.equations:
        products, own = list(factors_in(reader, gate)), behind.get(reader.quantity, reader.quantity)
        kept = [(f, o) for f in products for o in f.rest if is_old(o) and o.series == own]
        new = [(f, o) for f in products for o in f.rest if isinstance(o, At) and o.time == t]
        if kept and new and kept[0][0].plain != new[0][0].plain:
            found.append(Use(UPDATE if kept[0][0].plain else UPDATE_NEW, reader, kept[0][1], new[0][1]))
            continue
        for factor in products:
            found += [use_of(factor, o, reader, own, states) for o in factor.rest[:1]]
    return tuple(found)


def masked(network: Network, state: Series) -> tuple[Series, ...]:
    """Return the new value of a state that a mask keeps from being written: ``h_t = m_t h_new_t + (1 - m_t) h_{t-1}``."""
    for e in network.equations:
        read = set(leaves(e.rhs))
        rest = [leaf for leaf in read if isinstance(leaf, At) and leaf.time == t and leaf.series.shape == state.shape]
        flags = [leaf for leaf in read if leaf.shape == (1, 1)]
        if e.quantity == state and len(read) == 3 and len(rest) == len(flags) == 1 and any(is_old(leaf) and leaf.series == state for leaf in read):
            return (rest[0].series,)
    return ()


def use_of(factor: Factor, other: Any, reader: Equation, state: Any, states: set[Series]) -> Use:
    """Tell what a gate does in one product of an equation that computes a state, or what a mask lets into one."""
    if factor.plain and is_old(other):
        if other.series == state:
            return Use(FORGET, reader, old=other)
        if state not in states:
            return Use(RESET, reader, old=other)
    if factor.plain and reader.role == "pre-activation":
        return Use(RESET, reader, old=other)
    if factor.plain and isinstance(other, At) and state in states:
        own = any(leaf.series == state for leaf in leaves(reader.rhs) if isinstance(leaf, At))
        return Use(INPUT if own else OUTPUT, reader, other=other)
    return Use(MULTIPLIES, reader, other=other)


def factors_in(reader: Equation, gate: Equation) -> Iterator[Factor]:
    """Yield the products entry by entry in which a gate stands, with the other factors."""
    for node in in_order(reader.rhs):
        if isinstance(node, Hadamard):
            for place, arg in enumerate(node.args):
                rest = (*node.args[:place], *node.args[place + 1:])
                if arg == gate.lhs:
                    yield Factor(True, rest)
                elif isinstance(arg, Plus) and list(leaves(arg)) == [gate.lhs]:
                    yield Factor(False, rest)


def in_order(node: Any) -> Iterator[Any]:
    """Yield a node and what is inside of it, from left to right."""
    yield node
    for arg in node.args:
        yield from in_order(arg)


def is_old(node: Any) -> bool:
    """Tell whether a factor is a value of another step."""
    return isinstance(node, At) and node.time != t


def role_of(equation: Equation, network: Network) -> str:
    """Return the key of the role of a quantity: that of a gate says what it does, where it does one thing.

    A cell of one's own need not name roles: what is carried over is a hidden state, what a gate lets in is a candidate.
    """
    if not equation.role and not is_gate(equation, network):
        return unnamed_role(equation, network)
    if equation.role not in {"gate", ""} and not is_gate(equation, network):
        return equation.role
    kinds = {use.kind.removesuffix("_new") for use in uses_of(equation, network)} - {MULTIPLIES}
    return f"gate_{kinds.pop()}" if len(kinds) == 1 else "gate_several" if kinds else "gate"


def unnamed_role(equation: Equation, network: Network) -> str:
    """Tell what a quantity without a role is, by who reads it."""
    if equation.quantity in states_of(network):
        return "hidden state"
    let_in = {use.other for gate in network.equations if is_gate(gate, network) for use in uses_of(gate, network)
              if use.kind in {INPUT, UPDATE, UPDATE_NEW}}
    return "candidate" if equation.lhs in let_in else "other"


__all__ = ["Use", "is_gate", "masked", "role_of", "states_of", "uses_of"]
