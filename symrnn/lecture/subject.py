"""What a lecture is about: a derivation, its style, its language; and the anchors by which its parts refer to each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symrnn import writer
from symrnn.derivation import Adjoint, Derivation
from symrnn.equations import Cell, Equation
from symrnn.expr import At, Node, Series, t
from symrnn.lecture.checking import Record
from symrnn.lecture.known_cell import display_name, is_published
from symrnn.lecture.uses import role_of, states_of
from symrnn.lecture.wording import Wording
from symrnn.networks.graph import Network, Scan
from symrnn.printing.outline import fixed, given_of
from symrnn.printing.pieces import Line
from symrnn.style import Style, shape_text
from symrnn.times import Span
from symrnn.traverse import at_time

SHORT, FULL, EXERCISE = "short", "full", "exercise"
STARTS = frozenset({"initial", "initial state"})
"""Roles of equations that a recurrence starts from."""
LEVELS = (SHORT, FULL, EXERCISE)


@dataclass(frozen=True)
class Subject:
    """A derivation as the subject of a lecture.

    Attributes:
        derivation: Of a network.
        style: How its formulas are printed, as LaTeX.
        words: The words of the language.
        level: One of ``LEVELS``.
        record: What the judges found.
        cell: The cell, where it is known.
        matches: Whether the network has the equations of the cell, name by name.
        name: What the lecture calls it.
        place: What its anchors begin with, where a document is about several.
    """

    derivation: Derivation
    style: Style
    words: Wording
    level: str
    record: Record
    cell: Cell | None = None
    matches: bool = False
    name: str = ""
    place: str = ""

    @property
    def network(self) -> Network:
        """The network."""
        return self.derivation.network

    def shown(self, name: str) -> str:
        """Return what the lecture calls a cell; one of the reader's own keeps its name."""
        return name if self.cell is not None and self.cell.name == name and not is_published(self.cell) else display_name(name)

    @property
    def several(self) -> bool:
        """Whether the document is about other cells as well."""
        return bool(self.place)

    def formula(self, node: Any) -> str:
        """Write a formula for a sentence."""
        return f"${writer.formula(node, self.style)}$"

    def listed(self, nodes: Iterable[Any]) -> str:
        """Write formulas with commas between them, each once."""
        return ", ".join(dict.fromkeys(self.formula(node) for node in nodes))

    def shape(self, node: Any) -> str:
        """Write a shape for a sentence."""
        return f"${shape_text(node.shape, chr(92) + 'times ', self.style) or 1}$" if node.shape != (1, 1) else r"$1 \times 1$"

    def title(self, key: str) -> str:
        """Return a heading; it names the cell where the document is about several."""
        return self.words(f"{key}_of", name=self.name) if self.several else self.words(key)

    def anchored(self, what: str) -> str:
        """Return the anchor of a section or a picture."""
        return f"{self.place}{what}"

    @cached_property
    def states(self) -> tuple[Series, ...]:
        """What is carried from step to step."""
        return states_of(self.network)

    @cached_property
    def roles(self) -> dict[Any, str]:
        """The key of the role of each computed quantity; of one with several equations, that of the first that starts no recurrence."""
        found: dict[Any, str] = {}
        for equation in sorted(self.network.equations, key=lambda e: e.role in STARTS):
            found.setdefault(equation.quantity, role_of(equation, self.network))
        return found

    def role(self, quantity: Any) -> str:
        """Name the role of a quantity."""
        kind = next((g.kind for g in self.network.givens if g.quantity == quantity and g.kind != "initial"), None)
        if kind == "parameter":
            return self.words("roles.bias" if self.is_bias(quantity) else "roles.parameter")
        return self.words.first(f"roles.{kind or self.roles.get(quantity, 'other')}", "roles.other")

    def is_bias(self, quantity: Any) -> bool:
        """Tell whether a parameter is a column that is added."""
        return quantity.shape[1] == 1 and any(
            quantity in node.args for e in self.network.equations for node in e.rhs.atoms(Node) if type(node).__name__ == "Plus")

    @cached_property
    def forward_lines(self) -> tuple[tuple[Equation, Line, str], ...]:
        """The equations in the order in which they run, as lines with anchors."""
        found, seen = [], dict[str, int]()
        for block in self.network.blocks:
            for e in block.equations if isinstance(block, Scan) else (block,):
                anchor = numbered(self.anchored(f"fwd-{slug(e.quantity)}"), seen)
                found.append((e, fixed(e.lhs, e.rhs, e.span, descending=getattr(block, "step", 1) == -1), anchor))
        return tuple(found)

    @cached_property
    def anchors(self) -> dict[Any, str]:
        """The anchor of each equation, and of each line of the backward pass."""
        found: dict[Any, str] = {}
        for equation, _, anchor in self.forward_lines:
            found.setdefault(equation, anchor)
        for adjoint in self.derivation.adjoints:
            seen = dict[str, int]()
            for line in self.ordered(adjoint):
                kind = "bwd" if given_of(adjoint, line, self.derivation) is None else "grad"
                found[line] = numbered(self.anchored(f"{kind}-{slug(adjoint.of)}"), seen)
        return found

    def defined(self, quantity: Any) -> str:
        """Return the anchor of the equation that defines a quantity, or nothing for what is given."""
        return next((anchor for e, _, anchor in self.forward_lines if e.quantity == quantity), "")

    def runs_up(self, adjoint: Adjoint) -> bool:
        """Tell whether the network computes a quantity from the first time to the last."""
        scans = [b for b in self.network.blocks if isinstance(b, Scan) and any(e.quantity == adjoint.of for e in b.equations)]
        return bool(scans) and scans[0].step == 1

    def ordered(self, adjoint: Adjoint) -> list[Equation]:
        """Return the lines of an adjoint in the order of times in which the backward pass meets them."""
        return list(reversed(adjoint.lines)) if self.runs_up(adjoint) else list(adjoint.lines)

    def on_the_way(self, adjoint: Adjoint) -> list[Equation]:
        """Return the lines of an adjoint that are not the gradient of something given."""
        return [line for line in self.ordered(adjoint) if given_of(adjoint, line, self.derivation) is None]

    def printed(self, adjoint: Adjoint, line: Equation) -> Line:
        """Return a line of the backward pass for print."""
        return fixed(line.lhs, line.rhs, line.span, descending=self.runs_up(adjoint))

    def cells(self) -> Iterator[str]:
        """Yield the names of the cells, each once."""
        yield from dict.fromkeys([part.cell for part in self.network.parts if part.cell] or [self.network.cell])

    def value(self, quantity: Any) -> Any:
        """Return a quantity at the generic time, or itself."""
        return quantity[t] if isinstance(quantity, Series) else quantity


def at_running_time(leaf: Any) -> Any:
    """Return a value that a sum or a list reads at an index of its own, at the running time instead."""
    bound = {s: t for s in leaf.time.free_symbols if s.name.startswith("_s")} if isinstance(leaf, At) else {}
    return leaf.xreplace(bound) if bound else leaf


def written_at(equation: Equation) -> Any:
    """Return what an equation computes, at the time at which it holds where that is one."""
    span = equation.span
    return at_time(equation.lhs, span.lo) if isinstance(span, Span) and span.single else equation.lhs


def slug(quantity: Any) -> str:
    """Write the name of a quantity as a part of an anchor."""
    return re.sub(r"[^A-Za-z0-9]+", "-", str(quantity.key)).strip("-")


def numbered(anchor: str, seen: dict[str, int]) -> str:
    """Give the second equation of a quantity an anchor of its own."""
    seen[anchor] = seen.get(anchor, 0) + 1
    return anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}"


def read_at(leaf: Any) -> int:
    """Return how many steps off the running time a value is read; 0 for what has no time, or another one."""
    if not isinstance(leaf, At) or not (leaf.time - t).is_Integer:
        return 0
    return int(leaf.time - t)


__all__ = ["EXERCISE", "FULL", "LEVELS", "SHORT", "Subject", "at_running_time", "read_at", "slug", "written_at"]
