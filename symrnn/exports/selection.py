"""Names of formulas, and the lines that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symrnn.derivation import Derivation
from symrnn.errors import unknown
from symrnn.networks.graph import DIFFERENTIABLE
from symrnn.printing.outline import backward_lines, forward_lines, gradient_lines
from symrnn.printing.pieces import Line

GROUPS = ("forward", "backward", "gradients", "all")
Named = dict[str, list[Line]]


def chosen_lines(derivation: Derivation, names: Iterable[str]) -> list[Line]:
    """Return the lines of the named formulas, each once, in the order of the names.

    Raises:
        SpecError: A name that stands for no formula; the nearest names are offered.
    """
    forward, backward, gradients = forward_named(derivation), backward_named(derivation), gradients_named(derivation)
    groups = {group: lines_of(part) for group, part in zip(GROUPS, (forward, backward, gradients), strict=False)}
    named: Named = {**groups, "all": [line for lines in groups.values() for line in lines]}
    for name, lines in forward.items():
        named.setdefault(name, lines)
    for part in (gradients, backward):
        for name, lines in part.items():
            for alias in (f"delta_{name}", f"d_{name}", f"d{name}", name):
                named.setdefault(alias, lines)
    return list(dict.fromkeys(line for name in names for line in found(name, named, derivation)))


def found(name: str, named: Named, derivation: Derivation) -> list[Line]:
    """Look up one name."""
    if name in named:
        return named[name]
    for given in derivation.network.givens:
        if given.kind not in DIFFERENTIABLE and name in {f"{mark}{given.name}" for mark in ("", "d", "d_", "delta_")}:
            derivation.given(given.name)  # raises, and says why
    raise unknown("formula", name, named)


def lines_of(part: Named) -> list[Line]:
    """Return all lines, in order."""
    return [line for lines in part.values() for line in lines]


def forward_named(derivation: Derivation) -> Named:
    """Forward equations by the name of what they define."""
    network, named = derivation.network, Named()
    for equation, line in zip(network.equations, forward_lines(network), strict=True):
        named.setdefault(str(equation.quantity.key), []).append(line)
    return named


def backward_named(derivation: Derivation) -> Named:
    """Lines of the adjoints on the way, by the name of the quantity."""
    parts = {str(a.of.key): list(backward_lines(replace(derivation, adjoints=(a,)))) for a in derivation.adjoints}
    return {name: lines for name, lines in parts.items() if lines}


def gradients_named(derivation: Derivation) -> Named:
    """Lines of the gradients, by the name of what is given."""
    parts = {given.name: list(gradient_lines(derivation, given.name)) for given in derivation.wanted}
    return {name: lines for name, lines in parts.items() if lines}
