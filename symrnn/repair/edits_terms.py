"""Edits that add or drop terms, factors, numbers and statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from symrnn.repair.edits_references import derivatives_at, in_product, numpy_name
from symrnn.repair.scopes import Atom, Scope
from symrnn.repair.sites import Change, Site, bracketed, is_product, is_sum
from symrnn.repair.source import text_of

MOST_TERMS = 250


def slots(site: Site) -> Iterator[ast.expr]:
    """Yield the parts that are gradients, arrays, and no index."""
    for node in site.in_value():
        if site.shape(node) and site.is_adjoint(node) and not isinstance(node, ast.Tuple | ast.List) \
                and not isinstance(site.parents.get(node), ast.Attribute | ast.Subscript | ast.Starred):
            yield node


def added_terms(site: Site) -> Iterator[Change]:
    """a → a + b; where nothing in a whole value is known as a gradient, as at a loss, only what is carried."""
    whole = [site.value] if site.value is not None and site.shape(site.value) and not site.is_adjoint(site.value) else []
    for node in (*slots(site), *whole):
        if is_sum(site.parents.get(node)):
            continue
        text, shape = site.source(node), site.shape(node)
        present = {text_of(n) for n in ast.walk(node) if isinstance(n, ast.expr)}
        absent = [a for a in site.scope.atoms if a.adjoint and a.text not in present | set(site.targets) - site.scope.carries]
        for atom in absent:
            if (atom.shape == shape or (atom.shape == () and atom.zero)) and (atom.carry or node not in whole):
                yield Change(site.spliced(node, bracketed(f"{text} + {atom.text}")), "missing carry" if atom.carry else "missing term",
                             1.1 if atom.carry else 2.0, "", atom.text)


def decayed(site: Site) -> Iterator[Change]:
    """a → a + 0.01 * W: the decay of weights, by the numbers by which whole gradients are off."""
    if site.value is not None and isinstance(site.node, ast.Assign | ast.AugAssign) and not isinstance(site.value, ast.Tuple):
        shape = site.shape(site.value) or next((site.after.shape(target) for target in site.targets), None)
        for atom in site.scope.atoms:
            if not atom.adjoint and atom.shape and atom.shape == shape:
                for number in site.off.decays:
                    term = f"{number:g} * {atom.text}"
                    yield Change(site.spliced(site.value, f"{site.source(site.value)} + {term}"), "missing term", 1.3, "", term)


def made_up_terms(site: Site) -> Iterator[Change]:
    """a → a + b * f, a + b @ W.T."""
    if site.value is not None and site.shape(site.value) and isinstance(site.node, ast.Assign | ast.AugAssign):
        text = site.source(site.value)
        for term, _ in made_terms(site, site.scope, site.shape(site.value) or (), "")[:MOST_TERMS]:
            yield Change(site.spliced(site.value, f"{text} + {term}"), kind_of_term(site, term), 2.4, "", term)


def kind_of_term(site: Site, term: str) -> str:
    """Say which mistake it is that a term is missing."""
    carried = any(isinstance(n, ast.Name) and n.id in site.scope.carries and n.id not in site.targets for n in ast.walk(ast.parse(term, mode="eval")))
    return "missing carry" if carried else "missing term"


def made_terms(site: Site, scope: Scope, shape: tuple[int, ...], using: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return products of a gradient and other values that have a shape, with what they read.

    Args:
        site: Where they are put; says how the code writes products.
        scope: What is alive.
        shape: Wanted.
        using: A name that must be in them; empty for any.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    gradients = [a for a in scope.atoms if a.adjoint and a.shape and not a.zero and (not using or a.text == using)]
    values = [a for a in scope.atoms if not a.adjoint and a.shape]
    for a in gradients:
        if using and a.shape == shape:
            found.append((a.text, (a.text,)))
        if a.shape != shape:
            found += [(text, (a.text,)) for text in sums(a, shape)]
        for v in values:
            if a.shape == shape and (v.shape in (shape, shape[1:]) or (1 in v.shape and fits(v.shape, shape))):
                found += [(f"{a.text} * {v.text}", (a.text, v.text)), (f"{a.text} * (1 - {v.text})", (a.text, v.text))]
            found += [(text, (a.text, v.text)) for text in products(site, a, v, shape)]
    return found


def sums(a: Atom, shape: tuple[int, ...]) -> list[str]:
    """Return the sums of a gradient over the batch that have a shape."""
    if len(a.shape) == 2 and shape == a.shape[1:]:
        return [f"{a.text}.sum(axis=0)"]
    if len(a.shape) == 2 and shape == (a.shape[0],):
        return [f"{a.text}.sum(axis=1)"]
    if len(a.shape) == 2 and len(shape) == 2 and 1 in shape:
        return [f"{a.text}.sum(axis={axis}, keepdims=True)" for axis in (0, 1) if shape == tuple(1 if k == axis else s for k, s in enumerate(a.shape))]
    return []


def products(site: Site, a: Atom, v: Atom, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield the matrix products of two values that have a shape."""
    if len(a.shape) == len(v.shape) == 1:
        if shape == a.shape + v.shape:
            yield f"{numpy_name(site)}.outer({a.text}, {v.text})"
        if shape == v.shape + a.shape:
            yield f"{numpy_name(site)}.outer({v.text}, {a.text})"
    elif len(v.shape) == 1 and a.shape + v.shape == shape:
        yield f"{a.text}[..., None] * {v.text}"
    for left, right in ((a, v), (v, a)):
        for one, first in ((left.shape, left.text), *([(left.shape[::-1], left.text + ".T")] if len(left.shape) == 2 else [])):
            for two, second in ((right.shape, right.text), *([(right.shape[::-1], right.text + ".T")] if len(right.shape) == 2 else [])):
                if max(len(one), len(two)) == 2 and one[-1] == two[0] and one[:-1] + two[1:] == shape:
                    yield multiplied(site, first, second)


def multiplied(site: Site, one: str, other: str) -> str:
    """Write a matrix product as the function does."""
    text = "\n".join(site.unit.lines)
    if " @ " in text or "@" in text.replace("@staticmethod", "").replace("@classmethod", ""):
        return f"{one} @ {other}"
    return f"{one}.dot({other})" if ".dot(" in text.replace("np.dot(", "") else f"{numpy_name(site)}.dot({one}, {other})"


def added_factors(site: Site) -> Iterator[Change]:
    """a → a * b, a * (1 - h**2)."""
    name = numpy_name(site)
    for node in slots(site):
        if is_product(site.parents.get(node)):
            continue
        text, shape = bracketed(site.source(node)), site.shape(node) or ()
        for atom in site.scope.atoms:
            if atom.adjoint or not atom.shape or not fits(atom.shape, shape):
                continue
            present = any(isinstance(n, ast.expr) and text_of(n) == atom.text for n in ast.walk(node))
            for form, kind, cost in factors_at(name, atom, shape):
                half = present and form == f"(1 - {atom.text})"
                yield Change(site.spliced(node, bracketed(f"{text} * {form}")), "wrong derivative" if half else kind,
                             cost + 0.6 * (site.statement.node == "Return") - 0.5 * half, "", form)


def factors_at(name: str, atom: Atom, shape: tuple[int, ...]) -> Iterator[tuple[str, str, float]]:
    """Yield what a value can be in a product: itself, its complement, derivatives where it is in the range of an activation."""
    yield atom.text, "missing factor", 1.8
    if atom.low > 0 and atom.high < 1:
        yield f"(1 - {atom.text})", "missing factor", 1.8
    if atom.shape == shape:
        yield from derivatives_at(name, atom)


def added_values(site: Site) -> Iterator[Change]:
    """x.T @ a → (x * r).T @ a."""
    for node in site.references:
        above = site.parents.get(node)
        held = above if isinstance(above, ast.Attribute) and above.attr == "T" else node
        if site.is_adjoint(node) or not site.shape(node) or not in_product(site, held):
            continue
        for atom in site.scope.atoms:
            if not atom.adjoint and atom.shape == site.shape(node) and atom.text != site.source(node):
                yield Change(site.spliced(node, f"({site.source(node)} * {atom.text})"), "missing factor", 1.9, "", f"* {atom.text}")


def fits(one: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Tell whether an array can multiply another without changing its shape."""
    try:
        return np.broadcast_shapes(one, shape) == shape
    except ValueError:
        return False
