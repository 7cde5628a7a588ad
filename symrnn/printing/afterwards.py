"""What follows a backward pass in print: what its stops leave out, and what is done to its gradients."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, expand

from symrnn.clipping import Clipping
from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.expr import Columns, Divides, StopGradient, t
from symrnn.leftout import LeftOut, left_out, steps_kept
from symrnn.networks import Network, Scan
from symrnn.printing.parts import Spelled
from symrnn.printing.pieces import Equality, Outline, Piece, Section, Words
from symrnn.style import Style, scalar, time_text

PAIRS = (
    "The full gradient in a parameter is a sum over the times t of the losses and, for each, over the steps k {}. "
    "Of these pairs, those with k and t in one window are kept."
)
LAG = (
    "The full gradient in a parameter is a sum over the times t of the losses and, for each, over the steps {0} up to t. "
    "Of these pairs, those with t - {0} < {1} are kept: a loss reaches {1} step{2}, its own included."
)
SCANS = "Each scan has windows of its own, and what a window reads of an earlier one is not differentiated; what one scan reads of another is."


def with_afterwards(outline: Outline, derivation: Derivation, style: Style) -> Outline:
    """Add the sections on what is left out, before the conventions, and on clipping, at the end."""
    before = [s for s in outline.sections if s.heading != ("Conventions",)]
    conventions = [s for s in outline.sections if s.heading == ("Conventions",)]
    return Outline(outline.title, (*before, *left_out_sections(derivation, style), *conventions, *clipping_sections(derivation, style)))


def left_out_sections(derivation: Derivation, style: Style) -> Iterator[Section]:
    """Say which terms of the full gradient are missing; a second derivation says it no more than the first."""
    missing = left_out(derivation) if derivation.order == 1 else ()
    if missing:
        yield Section(("Left out",), (*(Words((*sentence(m, style), ".")) for m in missing), *kept(derivation.network)))


def kept(network: Network) -> Iterator[Words]:
    """Say which terms windows keep: pairs of times, where all steps are those of one scan."""
    cut = [b for b in network.blocks if isinstance(b, Scan) and any(map(has_windows, b.equations))]
    if len(cut) == 1 and not any(e.rhs.has(Columns) for e in network.equations):
        yield Words((PAIRS.format("up to t" if cut[0].step == 1 else "from t on"),))
    elif cut:
        yield Words((SCANS,))
    elif (steps := steps_kept(network)) is not None:
        yield Words((LAG.format("k", steps, "s" if steps > 1 else ""),))


def has_windows(equation: Equation) -> bool:
    """Tell whether an equation reads something that is stopped at the starts of windows."""
    return any(d.positive for stop in equation.rhs.atoms(StopGradient) for d in stop.atoms(Divides))


def sentence(missing: LeftOut, style: Style) -> tuple[Piece, ...]:
    """``In δh_t, at t = K, 2K, …: Wᵀ δa_{t+1}``; a term with a condition of another kind is written with it."""
    starts = first_times(missing)
    if starts:
        times: tuple[Piece, ...] = (", at ", Equality(t, time(starts[0], style)), ", ", time(starts[1], style), ", …")
    elif missing.span is None:
        times = ()
    elif missing.span.single:
        times = (", at ", Equality(t, time(missing.span.lo, style)))
    else:
        times = (", at ", Equality(t, time(missing.span.lo, style)), ", …, ", time(missing.span.hi, style))
    if missing.span is not None and missing.span.single:
        at = {t: missing.span.lo}
        return ("In ", missing.lhs.xreplace(at), *times, ": ", missing.term.xreplace(at))
    return ("In ", missing.lhs, *times, ": ", missing.bare if starts else missing.term)


def time(value: Expr, style: Style) -> Spelled:
    """A time, in the medium of the style."""
    text = time_text(value, style)
    return Spelled(text, text, text)


def first_times(missing: LeftOut) -> tuple[Expr, Expr] | None:
    """Return the first two times at which a divisor divides, for a condition that is one above 0."""
    held = missing.condition
    if not isinstance(held, Divides) or not held.positive or missing.span is None or missing.span.single:
        return None
    number, time = held.args[:2]
    return expand((number - time.subs(t, 0)) * time.coeff(t)), expand((2 * number - time.subs(t, 0)) * time.coeff(t))


def clipping_sections(derivation: Derivation, style: Style) -> Iterator[Section]:
    """Say how the gradients are clipped."""
    clip = derivation.clipping
    if clip is not None:
        about = "No part of the derivative: a step after the backward pass, for the gradients g of all parameters"
        where = (" together, with the norm ", NORM, " over all of them: ") if clip.by == "norm" else ", entry by entry: "
        pieces = (about, *((where,) if isinstance(where, str) else where), formula(clip, style), ".")
        yield Section(("Clipping",), (Words(pieces),))


NORM = Spelled(r"\lVert g \rVert", "‖g‖", "|g|")


def formula(clip: Clipping, style: Style) -> Spelled:
    """``g ← g · min(1, c/‖g‖)``, or ``g ← min(c, max(-c, g))``."""
    c = f"{float(clip.limit):g}" if clip.limit.is_Float else scalar(clip.limit, style)
    if clip.by == "value":
        return Spelled(rf"g \leftarrow \min({c}, \max(-{c}, g))", f"g ← min({c}, max(-{c}, g))", f"g <- min({c}, max(-{c}, g))")
    return Spelled(
        rf"g \leftarrow g \cdot \min(1, {c} / \lVert g \rVert)", f"g ← g · min(1, {c}/‖g‖)", f"g <- g * min(1, {c}/|g|)"
    )
