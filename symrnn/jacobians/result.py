"""The Jacobian of a step, as data and in print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from symrnn import writer
from symrnn.codegen import network_source
from symrnn.codegen.runtime import compiled
from symrnn.equations import Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import Node, Series, t
from symrnn.jacobians.accumulate import Path
from symrnn.networks.graph import Network
from symrnn.notation import Notation
from symrnn.printing.conventions import form
from symrnn.printing.latex import write_latex
from symrnn.printing.markdown import write_markdown
from symrnn.printing.pieces import Equations, Line, Outline, Piece, Ratio, Section, Words
from symrnn.printing.unicode_text import write_text
from symrnn.shown import Shown, table
from symrnn.style import Style

Block = tuple[Series, Series]
WRITERS: Mapping[str, Callable[[Outline, Style], str]] = MappingProxyType(
    {"unicode": write_text, "latex": write_latex, "markdown": write_markdown}
)
LAYOUT: tuple[Piece, ...] = (
    " has a row for each entry of ", " and a column for each entry of ", " (numerator layout, unlike gradients).",
)


@dataclass(frozen=True)
class StepJacobian(Shown):
    """The derivatives of the new states of one step in the old ones, block by block.

    A block has a row for each entry of the new state and a column for each entry of the old one (numerator layout, unlike
    gradients). The old state is that of ``t - 1``; of ``t + 1`` for what runs backward.

    Attributes:
        of: The network.
        states: What a step carries over, in the order in which it is read.
        blocks: By new and old state, at the generic ``t``: a formula in the quantities of the network; ``0`` where no path leads.
        paths: By new and old state, the terms of which a block is the sum, each with its name. A term may read the
            Jacobian of a quantity on the way by its name, as ``lines`` do.
        lines: The blocks, and the Jacobians that they read by name, as equations with the times at which they hold.
        ends: What each line is the derivative of, and in what: new and old.
        steps: 1 for a state that runs forward, -1 for one that runs backward.
        network: The network with the lines as equations: its outputs are the blocks that are not 0, as series of matrices, so
            that ``network_source(jacobian.network)`` is code for them at all times.
    """

    of: Network
    states: tuple[Series, ...]
    blocks: Mapping[Block, Node]
    paths: Mapping[Block, tuple[Path, ...]]
    lines: tuple[Equation, ...]
    ends: Mapping[Series, Block]
    steps: Mapping[Series, int]
    network: Network = field(repr=False)

    def block(self, new: str, old: str | None = None) -> Node:
        """Return ``∂new_t/∂old_{t-1}`` by names.

        Args:
            new: Name of a state.
            old: Likewise; the same one by default.

        Raises:
            SpecError: No state has the name, or the two belong to scans that do not run together.
        """
        names = {state.name: state for state in self.states}
        for name in (new, old or new):
            if name not in names:
                raise unknown("state", name, names)
        key = names[new], names[old or new]
        if key not in self.blocks:
            raise SpecError(f"{new} and {old} belong to scans that do not step together; no block leads from one to the other")
        return self.blocks[key]

    def ratio(self, new: Any, old: Any) -> tuple[Any, Any]:
        """Return ``new_t`` and ``old_{t-1}``, or ``old_{t+1}`` for what runs backward."""
        return new[t], old[t - self.steps[old]]

    def style(self, notation: str | Notation = "indexed", medium: str = "latex") -> Style:
        """Return the style of the formulas: Jacobians that are read by name are printed as ``∂c_t/∂h_{t-1}``."""
        ratios = {series.name: self.ratio(*ends) for series, ends in self.ends.items()}
        return replace(Style.of(self.of, notation, medium), ratios=ratios)

    def render(self, format: str = "unicode", *, notation: str | Notation = "indexed", ascii: bool = False) -> str:
        """Print the blocks with the names of their terms.

        Args:
            format: ``unicode``, ``latex`` or ``markdown``.
            notation: A notation profile: its name, the path of a ``.toml`` file, or a ``Notation``.
            ascii: For ``unicode``, ASCII characters only.

        Raises:
            SpecError: Unknown format or notation.
        """
        if format not in WRITERS:
            raise unknown("format", format, WRITERS)
        style = self.style(notation, ("ascii" if ascii else "unicode") if format == "unicode" else "latex")
        return WRITERS[format](self.outline(style), style)

    def source(self, *, notation: str = "indexed") -> str:
        """Return a Python module whose function ``forward`` computes the blocks that are not 0 at all times.

        Args:
            notation: The profile of the comments.

        Raises:
            SpecError: Unknown notation.
        """
        return network_source(self.network, notation=notation)

    def forward(self) -> Callable[..., dict[str, Any]]:
        """Return the function ``forward(params, x, *, h_0=None)`` of the source, compiled: blocks by name, such as ``J_h_h``.

        Shapes:
            Blocks are ``(B, times, rows, columns)``.
        """
        function: Callable[..., dict[str, Any]] = compiled(self.source())["forward"]
        return function

    def outline(self, style: Style) -> Outline:
        """Arrange the print."""
        lines = tuple(Line(Ratio(*self.ratio(*self.ends[e.quantity])), e.rhs, e.span) for e in self.lines)
        new, old = self.ratio(self.states[0], self.states[0])
        body: list[Any] = [Equations(lines)]
        if any(key not in self.paths for key in self.blocks):
            body.append(Words(("Blocks that are not listed are 0.",)))
        terms = tuple(Words(tuple(self.terms(key, listed))) for key, listed in self.paths.items() if len(listed) > 1)
        conventions = (Words((Ratio(new, old), LAYOUT[0], new, LAYOUT[1], old, LAYOUT[2])), *form(style))
        sections = [Section(("Jacobian of a step",), tuple(body)), Section(("Conventions",), conventions)]
        if terms:
            sections.insert(1, Section(("What the terms pass, in order",), terms))
        return Outline(f"{self.of.name}: Jacobian of a step", tuple(sections))

    def terms(self, key: Block, listed: Iterable[Path]) -> Iterable[Piece]:
        """Name the terms of a block."""
        yield Ratio(*self.ratio(*key))
        for number, path in enumerate(listed):
            yield "; " if number else ": "
            passed = [q[t] for q in path.through if q.name in path.name.replace(" via ", ", ").split(", ")]
            if not passed:
                yield path.name
            for place, node in enumerate(passed):
                yield from (node,) if place == 0 else (", ", node)
        yield "."

    def __str__(self) -> str:
        return self.render()

    def shown(self) -> tuple[str, Iterable[Any]]:
        return f"{self.of.name}: Jacobian of a step", self.lines

    def _repr_latex_(self) -> str:
        return writer.display(self.lines, self.style())

    def _repr_html_(self) -> str:
        return table(*self.shown(), self.style(medium="unicode"))
