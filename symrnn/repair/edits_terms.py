"""Edits that add or drop terms, factors, numbers and statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from symrnn.repair.edits_algebra import repeated
from symrnn.repair.edits_references import derivatives_at, in_product, numpy_name
from symrnn.repair.scopes import Atom, Scope, looks_adjoint, node_root
from symrnn.repair.sites import Change, Site, bracketed, is_number, is_product, is_sum
from symrnn.repair.source import text_of

MOST_TERMS = 250


def slots(site: Site) -> Iterator[ast.expr]:
    """Yield the parts that are gradients, arrays, and no index."""
    for node in site.in_value():
        if site.shape(node) and site.is_adjoint(node) and not isinstance(node, ast.Tuple | ast.List) \
                and not isinstance(site.parents.get(node), ast.Attribute | ast.Subscript | ast.Starred):
            yield node


def added_terms(site: Site) -> Iterator[Change]:
    """a → a + b."""
    for node in slots(site):
        if is_sum(site.parents.get(node)):
            continue
        text, shape = site.source(node), site.shape(node)
        present = {text_of(n) for n in ast.walk(node) if isinstance(n, ast.expr)}
        for atom in site.scope.atoms:
            if atom.adjoint and (atom.shape == shape or (atom.shape == () and atom.zero)) and atom.text not in present | set(site.targets) - site.scope.carries:
                yield Change(site.spliced(node, bracketed(f"{text} + {atom.text}")), "missing carry" if atom.carry else "missing term",
                             1.1 if atom.carry else 2.0, "", atom.text)


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
            if a.shape == shape and v.shape in (shape, shape[1:]):
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
                derived = kind == "missing derivative" or (present and form != atom.text)
                yield Change(site.spliced(node, bracketed(f"{text} * {form}")), "missing derivative" if derived else kind,
                             cost + 0.6 * (site.statement.node == "Return"), "", form)


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


def scales(site: Site) -> Iterator[Change]:
    """a → 2 * a, a / N; mean ↔ sum; another number."""
    for node in site.in_value():
        above = site.parents.get(node)
        if is_number(node) and not (isinstance(above, ast.BinOp) and isinstance(above.op, ast.Pow | ast.Sub)):
            number = float(ast.literal_eval(node))
            for new in dict.fromkeys((1, 2, 0.5, number * 2, number / 2)):
                if new != number:
                    yield Change(site.spliced(node, f"{new:g}"), "wrong scale", 1.5, site.source(node), f"{new:g}")
        if isinstance(node, ast.Call):
            yield from means(site, node)
        if site.is_reference(node) and site.scope.numbers.get(text_of(node), 0) > 1 and is_product(above):
            for other, value in site.scope.numbers.items():
                if value > 1 and value != site.scope.numbers[text_of(node)]:
                    yield Change(site.spliced(node, other), "wrong scale", 1.6, site.source(node), other)
    yield from rescaled(site)


def means(site: Site, node: ast.Call) -> Iterator[Change]:
    """mean ↔ sum."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    if name in ("mean", "sum", "average"):
        other, text = "sum" if name != "sum" else "mean", site.source(node.func)
        new = text[: len(text) - len(name)] + other
        yield Change(site.spliced(node.func, new), "wrong scale", 1.1, text, new)


def rescaled(site: Site) -> Iterator[Change]:
    """a → a / N, 2 * a: by the numbers that whole gradients are off by."""
    value = site.value
    if value is None or not isinstance(site.node, ast.Assign | ast.AugAssign) or isinstance(value, ast.Tuple) or not scalable(site, value):
        return
    text = bracketed(site.source(value))
    numbers = {name: n for name, n in site.scope.numbers.items() if n > 1}
    names = dict.fromkeys([*numbers, *(f"({a} * {b})" for a in numbers for b in numbers if a < b)])
    size = {name: numbers.get(name) or int(np.prod([numbers[p] for p in name.strip("()").split(" * ")])) for name in names}
    turned = isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Div)
    for ratio in site.ratios:
        for sign, due in (("*", 1 / ratio if ratio else 0.0), ("/", ratio)):
            for name in [n for n in names if abs((1 / due if turned and due else due) / size[n] - 1) < 1e-6][:2]:
                yield Change(site.spliced(value, f"{text} {sign} {name}"), "wrong scale", 1.3, "", f"{sign} {name}")
    for factor in ("2", "0.5"):
        yield Change(site.spliced(value, f"{factor} * {text}"), "wrong scale", 1.6, "", f"{factor} *")


def scalable(site: Site, value: ast.expr) -> bool:
    """Tell whether an expression can be multiplied by a number: an array, a fraction, or what something is divided by."""
    shape = site.shape(value)
    if shape == ():
        divides = isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Mult | ast.Div)
        return divides or isinstance(site.scope.value(site.source(value)), float)
    return bool(shape)


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
            if n > 1 and any(abs(r / ratio - 1) < 1e-6 for r in site.ratios):
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


def is_set(site: Site, text: str) -> bool:
    """Tell whether the function sets something."""
    root = text.partition("[")[0]
    return any(known.startswith(root) for known in set_in(site.unit.tree))


@lru_cache(maxsize=100)
def set_in(tree: ast.AST) -> frozenset[str]:
    """Return what a function sets, as text."""
    return frozenset(text_of(n) for n in ast.walk(tree) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript) and isinstance(n.ctx, ast.Store))
