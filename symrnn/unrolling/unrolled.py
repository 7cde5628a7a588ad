"""``unroll``: a derivation for a number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Expr, Integer

from symrnn.bptt import derive
from symrnn.derivation import Derivation
from symrnn.errors import NotSupportedError, SpecError, unknown
from symrnn.expr import At, Series, t
from symrnn.networks import Network
from symrnn.notation import Notation, notation
from symrnn.printing import medium_of
from symrnn.printing.latex import write_latex
from symrnn.printing.markdown import write_markdown
from symrnn.printing.unicode_text import write_text
from symrnn.style import Style
from symrnn.traverse import leaves
from symrnn.unrolling.drawing import Picture, draw_svg, draw_tikz, picture
from symrnn.unrolling.forward import KEPT_ROLES, Substituted, Substitution
from symrnn.unrolling.lettering import Lettering
from symrnn.unrolling.outline import MOST_EXPLICIT, unrolled_outline
from symrnn.unrolling.paths import Paths, PathSum, by_paths
from symrnn.unrolling.recurrences import Recurrence, recurrences

FORMATS = ("unicode", "latex", "markdown")
SUBSTITUTIONS: Mapping[str, str] = {
    "states": "gates and candidates keep their names",
    "everything": "down to parameters, inputs and initial states",
}
"""What is substituted, and what that leaves."""
NESTING = 6
DEEPEST = 20


@dataclass(frozen=True)
class Unrolled:
    """A derivation, unrolled.

    Attributes:
        derivation: With symbolic lengths.
        explicit: The same for numbers of steps.
        steps: How many.
        wrt: The quantity in which the gradient is written as a sum over paths; ``None`` for all of them.
        back_to: How many steps the substitution goes back from a generic ``t``; ``None`` down to what is given.
        substitute: A key of ``SUBSTITUTIONS``.
        nesting: How many steps are nested in one line of the substitution.
        notation: A profile.
    """

    derivation: Derivation
    explicit: Derivation
    steps: int
    wrt: str | None
    back_to: int | None
    substitute: str
    nesting: int
    notation: Notation

    @cached_property
    def recurrences(self) -> tuple[Recurrence, ...]:
        """The recurrences, with symbolic lengths.

        Raises:
            NotSupportedError: A recurrence that no product of Jacobians describes.
        """
        return recurrences(self.derivation)

    @cached_property
    def states(self) -> tuple[Series, ...]:
        """The series that are read at other times than their own, in the order of their equations."""
        equations = self.derivation.network.equations
        read = {leaf.series for e in equations for leaf in leaves(e.rhs) if isinstance(leaf, At) and leaf.time != t and (leaf.time - t).is_Integer}
        return tuple(q for q in dict.fromkeys(e.quantity for e in equations) if isinstance(q, Series) and q in read)

    @cached_property
    def forward(self) -> tuple[Substituted, ...]:
        """The states put into themselves."""
        network = self.explicit.network if self.back_to is None else self.derivation.network
        keep = KEPT_ROLES if self.substitute == "states" else frozenset()
        kept = frozenset(e.quantity for e in network.equations if e.role in keep and e.quantity not in self.states)
        states = frozenset(q for q in (e.quantity for e in network.equations) if isinstance(q, Series) and q.name in {s.name for s in self.states})
        wanted = [self._last(q, network) for q in dict.fromkeys(e.quantity for e in network.equations) if q in self._ends(network)]
        return Substitution(network, kept, states, self.nesting, self.back_to).lines(wanted)

    def _ends(self, network: Network) -> set[Any]:
        """Return the states that no other state needs: those of the last layer, in both directions."""
        names = {s.name for s in self.states}
        reads = {e.quantity: {leaf.series for leaf in leaves(e.rhs) if isinstance(leaf, At)} for e in network.equations}
        needed: dict[Any, set[Any]] = {}
        for quantity in reads:
            waiting, seen = [quantity], set()
            while waiting:
                for other in reads.get(waiting.pop(), ()):
                    if other not in seen:
                        seen.add(other)
                        waiting.append(other)
            needed[quantity] = seen
        states = [q for q in reads if getattr(q, "name", "") in names]
        above = [q for q in states if not any(q in needed[other] and other not in needed[q] for other in states)]
        now = {q: {leaf.series for e in network.equations if e.quantity == q for leaf in leaves(e.rhs) if isinstance(leaf, At) and leaf.time == t}
               for q in reads}
        inner = {q for q in above for other in above if other != q and within(other, q, now)}
        return {q for q in above if q not in inner} or set(above)

    def _last(self, quantity: Any, network: Network) -> At:
        """Return the value that the scan computes last, or that at the generic time."""
        if self.back_to is not None:
            value: At = quantity[t]
            return value
        spans = [e.span for e in network.equations if e.quantity == quantity and e.span is not None]
        backward = any(isinstance(leaf, At) and leaf.series == quantity and leaf.time - t == 1 for e in network.equations for leaf in leaves(e.rhs))
        times = [int(s.lo if backward else s.hi) for s in spans]
        last: At = quantity[Integer(min(times) if backward else max(times))]
        return last

    @cached_property
    def sums(self) -> tuple[PathSum, ...]:
        """The gradients as sums over paths, with numbers; of every given quantity without ``wrt``.

        Raises:
            NotSupportedError: A step that is no product of matrices, such as that of a decoder with attention.
        """
        paths = Paths(self.explicit, recurrences(self.explicit))
        names = [self.wrt] if self.wrt is not None else [g.name for g in self.derivation.wanted if g.kind == "parameter"]
        return tuple(one for name in names for one in paths.sums(name))

    @cached_property
    def sample(self) -> tuple[PathSum, ...]:
        """The sums; of two steps where there are many, since they have a term for each pair of times.

        Raises:
            NotSupportedError: A step that is no product of matrices.
        """
        if self.steps <= MOST_EXPLICIT:
            return self.sums
        names = (g.name for g, e in zip(self.derivation.wanted, self.explicit.wanted, strict=True) if e.name == self.wrt)
        return unroll(self.derivation, 2, wrt=next(names, None)).sums

    def by_paths(self) -> Derivation:
        """Return the derivation for these steps with its gradients as sums over paths, for judges and for code.

        Raises:
            NotSupportedError: A step that is no product of matrices.
        """
        return by_paths(self.explicit, self.sums)

    def render(self, format: str = "unicode", *, ascii: bool = False) -> str:
        """Print it.

        Args:
            format: ``unicode``, ``latex`` or ``markdown``; drawings are made by ``svg()`` and ``tikz()``.
            ascii: For ``unicode``, ASCII characters only.

        Raises:
            SpecError: Unknown format.
        """
        if format not in FORMATS:
            raise unknown("format", format, FORMATS)
        style = Style.of(self.derivation.network, self.notation, medium_of(format, ascii))
        try:
            found, refused = self.recurrences, ""
            _ = self.sample
        except NotSupportedError as error:
            found, refused = (), str(error)
        lettered = Lettering.of(self.derivation, found, style).style
        writer = {"unicode": write_text, "latex": write_latex, "markdown": write_markdown}[format]
        return writer(unrolled_outline(self, found, refused, lettered), lettered)

    def svg(self) -> str:
        """Draw the unrolled graph with the gradients that flow back, as SVG.

        Raises:
            NotSupportedError: A network with more than one sequence, or one that reads a whole sequence at once.
        """
        return draw_svg(self._picture("unicode"))

    def tikz(self) -> str:
        """Draw the unrolled graph with the gradients that flow back, as a LaTeX document with TikZ.

        Raises:
            NotSupportedError: A network with more than one sequence, or one that reads a whole sequence at once.
        """
        return draw_tikz(self._picture("latex"))

    def _picture(self, medium: str) -> Picture:
        style = Style.of(self.derivation.network, self.notation, medium)
        return picture(self.explicit, self.states, self.steps, style, symbolic=self.derivation.network, wrt=self.wrt)

    def _repr_markdown_(self) -> str:
        return self.render("markdown")


def within(start: Any, wanted: Any, now: Mapping[Any, set[Any]]) -> bool:
    """Tell whether a quantity needs another at its own time."""
    waiting, seen = [start], {start}
    while waiting:
        for other in now.get(waiting.pop(), ()):
            if other == wanted:
                return True
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return False


def lengths(network: Network) -> tuple[Expr, ...]:
    """Return the letters of the lengths of sequences."""
    spans = [e.span for e in network.equations if e.span is not None] + [g.span for g in network.givens if g.span is not None]
    return tuple(sorted({s for span in spans for end in (span.lo, span.hi) for s in end.free_symbols}, key=str))


def unroll(
    network: Network | Derivation, steps: int, *, wrt: str | None = None, back_to: int | None = None, substitute: str = "states",
    nesting: int = NESTING, notation: str | Notation = "indexed",
) -> Unrolled:
    """Unroll a network over a number of steps.

    Args:
        network: A network, or its derivation.
        steps: The length of its sequences, of each where it has several.
        wrt: The gradient that is written as a sum over paths; without it, those in all parameters that a recurrence reads.
        back_to: Put states into themselves from a generic ``t`` back to ``t - back_to``, instead of down to what is given.
        substitute: ``states``, gates and candidates keep their names; or ``everything``.
        nesting: How many steps are nested in one line; after as many, a state gets a line of its own.
        notation: A notation profile: its name, the path of a ``.toml`` file, or a ``Notation``.

    Returns:
        The substitution, the backward pass time by time, gradients as sums over paths, drawings.

    Raises:
        SpecError: Something else than a network, a number that is not one, an unknown quantity, notation or substitution.
    """
    if not isinstance(network, Network | Derivation):
        raise SpecError(f"unroll takes a network or a derivation; got a {type(network).__name__}; write unroll(network(cell), steps)")
    check_number("steps", steps, 1)
    if back_to is not None:
        check_number("back_to", back_to, 1, DEEPEST)
    check_number("nesting", nesting, 1, DEEPEST)
    if substitute not in SUBSTITUTIONS:
        raise unknown("substitution", substitute, SUBSTITUTIONS)
    derivation = network if isinstance(network, Derivation) else derive(network)
    if wrt is not None:
        derivation.given(wrt)
    assume = bool(derivation.conditions) or not derivation.network.relations
    sized = derivation.network.with_sizes(dict.fromkeys(lengths(derivation.network), steps))
    explicit = derive(sized, assume=assume)
    if wrt is not None and wrt not in {g.name for g in explicit.wanted}:
        given = derivation.given(wrt)
        wrt = next(g.name for g in explicit.wanted if g.quantity.key == given.quantity.key and g.kind == given.kind)
    return Unrolled(derivation, explicit, steps, wrt, back_to, substitute, max(nesting, back_to or 1), _profile(notation))


def _profile(given: str | Notation) -> Notation:
    """Find a notation; the argument of ``unroll`` has the name of the function that does."""
    return notation(given)


def check_number(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number in a range.

    Raises:
        SpecError: Not one.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        upto = f"from {least} on" if most is None else f"from {least} to {most}"
        raise SpecError(f"{name} must be a whole number {upto}; got {value!r}")
