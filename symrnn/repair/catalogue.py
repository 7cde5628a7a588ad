"""All kinds of edits, and those of one statement in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from symrnn.repair.edits_algebra import accumulations, brackets, dropped_factors, dropped_terms, signs
from symrnn.repair.edits_orders import axes, comparisons, exchanged_indices, reversals, shifted_slices, summed_at
from symrnn.repair.edits_references import conditions, derivatives, guards, ranges, replacements, transposes, unclipped
from symrnn.repair.edits_scales import rescaled, scales
from symrnn.repair.edits_statements import deleted, inserted, multiplied_after, scaled_after, uncut, unzeroed, updated
from symrnn.repair.edits_terms import added_factors, added_terms, added_values, decayed, made_up_terms
from symrnn.repair.scopes import Scope, looks_adjoint
from symrnn.repair.sites import Change, Off, Site, bracketed
from symrnn.repair.source import Statement, Unit, Variant

Edits = Callable[[Site], Iterator[Change]]
TIERS: tuple[tuple[Edits, ...], ...] = (
    (transposes, accumulations, signs, dropped_terms, dropped_factors, brackets, guards, unclipped, scales, rescaled, deleted, ranges, uncut, scaled_after,
     reversals, shifted_slices, axes, exchanged_indices, summed_at, comparisons),
    (decayed, replacements, derivatives, added_terms, added_factors, added_values, multiplied_after),
    (unzeroed, made_up_terms, inserted, updated),
)
"""Kinds of edits: those of which there are few first."""
BY_NUMBERS: frozenset[Edits] = frozenset({rescaled, scaled_after, decayed})
"""Those that depend on the numbers by which whole gradients are off."""
HEADS: tuple[Edits, ...] = (ranges, conditions, comparisons, reversals, shifted_slices)


Made = dict[tuple[Statement, str, Edits, Off], list[Change]]


def changes_of(site: Site, tier: int, made: Made | None = None) -> list[Change]:
    """Return the edits of one statement, each text once.

    Args:
        site: The statement.
        tier: Which kinds of edits.
        made: Remembers them, so that those are not made anew that are the same after other edits.
    """
    made = {} if made is None else made
    found: dict[Variant, Change] = {}
    if counts(site):
        return []
    for edits in TIERS[tier] if not site.statement.head else HEADS if tier == 0 else ():
        key = (site.statement, site.text, edits, site.off if edits in BY_NUMBERS else Off())
        if key not in made:
            made[key] = list(edits(site))
        for change in made[key]:
            before = found.get(change.variant)
            if change.variant != (site.text,) and (before is None or change.cost < before.cost):
                found[change.variant] = change
    return list(found.values())


def counts(site: Site) -> bool:
    """Tell whether a statement sets a whole number that is no gradient: a size, or what a loop counts with."""
    value = site.value
    if value is None or site.statement.head or not site.targets or not isinstance(site.scope.value(site.source(value)), int):
        return False
    return not any(looks_adjoint(target) or target in site.scope.carries for target in site.targets)


def site_of(
    statement: Statement, text: str, unit: Unit, scopes: Mapping[Statement, Scope], off: Off | None = None,
) -> Site:
    """Return a statement as a place for edits."""
    scope = scopes[statement]
    following = [s for s in unit.ordered if s.block == statement.block and s.index > statement.index and s in scopes and not s.head]
    after = scopes[following[0]] if following else scope
    return Site(statement, text, unit, scope, after, off or Off())


def probe(site: Site) -> Variant | None:
    """Return the statement with other values in it, to see what depends on it; ``None`` where it has no values."""
    value = site.value
    if value is None or site.statement.head:
        return None
    parts = list(getattr(value, "elts", [value]))
    text = site.text
    changed = False
    for part in reversed(parts):
        array = site.scope.value(site.source(part))
        if site.shape(part) is None or isinstance(array, int):
            continue
        start, end = site.span(part)
        text = text[:start] + f"{bracketed(site.source(part))} * 1.25 + 0.0371" + text[end:]
        changed = True
    return (text,) if changed else None
