"""Edits that drop and add statements, and let something flow where 0 stands."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from symrnn.repair.edits_algebra import repeated
from symrnn.repair.edits_references import numpy_name
from symrnn.repair.edits_terms import MOST_TERMS, factors_at, fits, made_terms
from symrnn.repair.scopes import Atom, looks_adjoint, node_root
from symrnn.repair.sites import Change, Site, bracketed, is_number
from symrnn.repair.source import text_of


def deleted(site: Site) -> Iterator[Change]:
    """Drop the statement."""
    if site.statement.head or isinstance(site.node, ast.Return):
        return
    text = text_of(site.node)
    if "clip" in text:
        kind = "clipped"
    elif isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Mult | ast.Div):
        kind = "wrong scale" if not site.shape(site.node.value) else "a factor too much"
    elif site.sets_carry and site.statement.loops:
        kind = "missing carry"
    else:
        kind = "doubled term" if site.value is not None and repeated(site, site.value) else "a term too much"
    yield Change(("pass",), kind, 1.5, site.text)


def unzeroed(site: Site) -> Iterator[Change]:
    """np.zeros(…) → a gradient: where 0 stands in the place of what flows back."""
    for node in site.in_value():
        text = site.source(node)
        value = site.scope.value(text)
        if isinstance(node, ast.Call | ast.BinOp) and isinstance(value, np.ndarray) and value.size and not value.any() and site.statement.loops:
            kind = "missing carry" if site.sets_carry or site.scope.carries else "missing term"
            terms = [(a.text, ()) for a in site.scope.atoms if a.adjoint and a.shape == value.shape and a.text not in site.targets]
            for term, _ in terms + made_terms(site, site.after, value.shape, "")[:2 * MOST_TERMS]:
                yield Change(site.spliced(node, bracketed(term)), kind, 1.6, text, term)


def uncut(site: Site) -> Iterator[Change]:
    """step(dh, 0) → step(dh, dc)."""
    for node in site.in_value():
        if isinstance(node, ast.Call) and not site.scope.is_numpy(node.func):
            for argument in node.args:
                if is_number(argument, 0):
                    for name in sorted(site.scope.carries):
                        yield Change(site.spliced(argument, name), "missing carry", 1.2, "0", name)


def changed_in_place(site: Site) -> Atom | None:
    """Return the array that a statement changes in place, if it is a gradient."""
    if not isinstance(site.node, ast.AugAssign):
        return None
    root = node_root(site.node.target)
    return next((a for a in site.after.atoms if a.text == root and a.shape and (a.adjoint or looks_adjoint(root))), None)


def scaled_after(site: Site) -> Iterator[Change]:
    """s → s; dy = dy / N: for what is changed in place."""
    atom = changed_in_place(site)
    if atom is None:
        return
    for name, n in site.scope.numbers.items():
        for sign, ratio in (("/", n), ("*", 1 / n if n else 0)):
            if n > 1 and any(abs(r / ratio - 1) < 1e-6 for r in site.off.ratios):
                new = f"{atom.text} = {atom.text} {sign} {name}"
                yield Change((site.text, new), "wrong scale", 1.4, "", new)


def multiplied_after(site: Site) -> Iterator[Change]:
    """s → s; dh = dh * (1 - h**2): for what is changed in place."""
    atom = changed_in_place(site)
    for other in site.after.atoms if atom is not None else ():
        if atom is not None and not other.adjoint and other.shape and fits(other.shape, atom.shape):
            for form, kind, cost in factors_at(numpy_name(site), other, atom.shape):
                new = f"{atom.text} = {atom.text} * {form}"
                yield Change((site.text, new), kind, cost + 0.3, "", new)


def inserted(site: Site) -> Iterator[Change]:
    """s → s; g += …, with what s sets."""
    if site.statement.head or not isinstance(site.node, ast.Assign | ast.AugAssign):
        return
    for target in site.targets:
        fresh = next((a for a in site.after.atoms if a.text == target and a.adjoint and a.shape), None)
        if fresh is None:
            continue
        for goal in site.after.atoms:
            if goal.text == target or not goal.adjoint or not is_set(site, goal.text):
                continue
            shape = goal.shape
            terms = [] if shape == () else made_terms(site, site.after, shape, target)
            if shape == () or (goal.carry and goal.zero):
                terms = made_terms(site, site.after, shape or fresh.shape, target)
            for term, _ in terms[:MOST_TERMS]:
                carried = goal.text in site.scope.carries
                for sign in ("=", "+=") if carried else ("+=",):
                    new = f"{goal.text} {sign} {term}"
                    cost = 2.2 if carried and sign == "=" else 2.6 if carried else 2.5 if goal.text.isidentifier() else 2.9
                    yield Change((site.text, new), "missing carry" if carried else "missing term", cost, "", new)


def updated(site: Site) -> Iterator[Change]:
    """s → s; carry = a * z + b @ U.T: at the end of a loop, for what flows back and is never set."""
    later = any(s.block == site.statement.block and s.index > site.statement.index for s in site.unit.ordered)
    if later or not site.statement.loops or site.statement.head:
        return
    for goal in site.after.atoms:
        if goal.zero and goal.shape and goal.text in site.scope.carries:
            terms = [term for term, _ in made_terms(site, site.after, goal.shape, "")]
            plain = [term for term in terms if " * " in term]
            for one, other in itertools.product(plain, [term for term in terms if " * " not in term]):
                new = f"{goal.text} = {one} + {other}"
                yield Change((site.text, new), "missing carry", 2.8, "", new)


def is_set(site: Site, text: str) -> bool:
    """Tell whether the function sets something."""
    root = text.partition("[")[0]
    return any(known.startswith(root) for known in set_in(site.unit.tree))


@lru_cache(maxsize=100)
def set_in(tree: ast.AST) -> frozenset[str]:
    """Return what a function sets, as text."""
    return frozenset(text_of(n) for n in ast.walk(tree) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript) and isinstance(n.ctx, ast.Store))
