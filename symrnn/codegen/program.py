"""From a network to the source of a module: its functions, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sympy import Basic, Expr

from symrnn.codegen.arguments import (
    BATCH,
    Argument,
    arguments_of,
    placed,
    positional,
    prepared,
    sizes_from,
    unpacked,
)
from symrnn.codegen.arguments import SHARED as SHARED_KINDS
from symrnn.codegen.body import Body
from symrnn.codegen.formatting import paragraph, signature
from symrnn.codegen.functions import Function
from symrnn.codegen.naming import Names, names_of
from symrnn.codegen.schedule import needed, schedule
from symrnn.codegen.values import Scope, Used
from symrnn.networks.graph import Network
from symrnn.style import Style
from symrnn.traverse import leaves, quantity_of

OPTIONAL = frozenset({"target", "mask", "integer"})
"""Kinds that a function need not take where none of its results reads them."""


@dataclass
class Writer:
    """Writes the functions of one network; collects the helpers that they share."""

    network: Network
    profile: str = "indexed"
    names: Names = field(init=False)
    batched: frozenset[Basic] = field(init=False)
    style: Style = field(init=False)
    helpers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Assign identifiers, and find out what has a batch axis."""
        self.names = names_of(self.network, BATCH)
        self.batched = batched_quantities(self.network)
        self.style = Style.of(self.network, self.profile, "unicode")

    def function(self, function: Function) -> str:
        """Write one function."""
        outputs = [*([self.network.loss] if function.loss else []), *(r.quantity for r in function.results)]
        work = schedule(self.network, outputs)
        scope = Scope(self.names, BATCH, self.batched, Used())
        body = Body(self.network, self.style, scope, summed_results(self.network, function, outputs), work)
        main = body.lines()
        returned = body.returned(function)
        arguments = arguments_of(self.network, self.names.arguments)
        if not function.loss:
            known = needed(self.network, outputs)
            arguments = tuple(a for a in arguments if a.kind not in OPTIONAL or a.given.quantity in known)
        opening, extra = self.opening(arguments, scope)
        self.helpers.update(scope.used.helpers)
        keywords = [a.name for a in arguments if a.kind == "mask"] + [self.names.sizes[s] for s in extra]
        keywords += sorted(scope.used.functions)
        keywords += [f"{a.name}=None" for a in arguments if a.kind == "initial"]
        head = signature(function.name, ["params", *(a.name for a in positional(arguments))], keywords)
        doc = docstring(function, arguments, [self.names.sizes[s] for s in extra], sorted(scope.used.functions))
        lines = [*doc, *opening, *main, *returned]
        return "\n".join([*head, *(f"    {line}" if line else "" for line in lines)]) + "\n"

    def opening(self, arguments: Sequence[Argument], scope: Scope) -> tuple[list[str], list[Expr]]:
        """Write the lines before the first equation."""
        used = [a for a in arguments if a.given.quantity in scope.used.quantities]
        ready = [line for a in used for line in prepared(a, scope)]
        seen: set[Basic] = set()
        for a in used:
            ready += placed(a, scope, first=a.given.quantity not in seen)
            seen.add(a.given.quantity)
        read = {a.name for a in used}
        dtype = []
        if scope.used.dtype:
            sources = [first for kinds in ({"input"}, SHARED_KINDS) if (first := first_of(arguments, kinds))]
            read |= set(sources)
            dtype = [f"dtype = np.result_type({', '.join(sources or ['np.float64'])})"]
        lines, measured, extra = sizes_from(scope.used.sizes, arguments, scope)
        return [*unpacked(arguments, read | measured), *lines, *dtype, *ready], extra


def first_of(arguments: Iterable[Argument], kinds: Iterable[str]) -> str | None:
    """Return the name of the first argument of some kinds."""
    return next((a.name for a in arguments if a.kind in kinds), None)


def batched_quantities(network: Network) -> frozenset[Basic]:
    """Return the quantities that differ between the sequences of a batch."""
    found = {g.quantity for g in network.givens if g.kind not in SHARED_KINDS}
    size = 0
    while len(found) != size:
        size = len(found)
        found |= {e.quantity for e in network.equations if any(quantity_of(leaf) in found for leaf in leaves(e.rhs))}
    return frozenset(found)


def summed_results(network: Network, function: Function, outputs: Iterable[Basic]) -> frozenset[Basic]:
    """Return the gradients that can be summed over the batch at once, since nothing else reads them."""
    known = needed(network, outputs)
    read = {quantity_of(leaf) for e in network.equations if e.quantity in known for leaf in leaves(e.rhs)}
    return frozenset(r.quantity for r in function.results if r.shared and r.quantity not in read)


def docstring(function: Function, arguments: Sequence[Argument], sizes: list[str], functions: list[str]) -> list[str]:
    """Write the docstring: every array with its shape."""
    shared = [f"{a.given.name} {a.text}".replace(" ", "\N{NO-BREAK SPACE}") for a in arguments if a.shared]
    lines = [f'"""{function.title}', "", "Args:", *paragraph(f"params: A dictionary of arrays: {', '.join(shared)}.", 4)]
    for a in [*positional(arguments), *(a for a in arguments if a.kind == "mask")]:
        classes = replace(a, dims=a.dims[:-1]).text if a.may_be_classes else ""
        lines.append(f"    {a.name}: {a.text}{f', or classes as integers {classes}' if classes else ''}.")
    lines += [f"    {size}: A number that no array tells." for size in sizes]
    lines += [f"    {name}: A function of arrays." for name in functions]
    lines += [f"    {a.name}: {a.text}; zeros by default." for a in arguments if a.kind == "initial"]
    return [*lines, "", "Returns:", *(f"    {line}" for line in function.returns.splitlines()), '"""']
