"""Edits of what is read: other quantities, other times, transposes, derivatives at other values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher

from symrnn.repair.scopes import Atom, shifted
from symrnn.repair.sites import (
    Change,
    Site,
    bracketed,
    factors_of,
    in_derivative,
    is_bent,
    is_complement,
    is_number,
    is_product,
)
from symrnn.repair.source import text_of

CONTRACTIONS = {"dot", "matmul", "outer"}
ARRAY_MAKERS = {"zeros", "zeros_like"}


def transposes(site: Site) -> Iterator[Change]:
    """A.T ↔ A in matrix products; the factors of a product the other way round."""
    for node in site.in_value():
        inner = untransposed(node)
        if inner is not None and not isinstance(site.parents.get(node), ast.Subscript):
            yield Change(site.spliced(node, bracketed(site.source(inner))), "missing transpose", 1.0, site.source(node), site.source(inner))
        elif in_product(site, node) and inner is None and len(site.shape(node) or ()) == 2:
            new = f"{bracketed(site.source(node))}.T"
            yield Change(site.spliced(node, new), "missing transpose", 1.0, site.source(node), new)
        pair = operands(node)
        if pair is not None:
            yield from exchanged(site, node, *pair)


def untransposed(node: ast.AST) -> ast.expr | None:
    """Return what is transposed; ``None`` where nothing is."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("transpose", "swapaxes"):
        if node.args and isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy"):
            return node.args[0]
        return node.func.value
    return None


def in_product(site: Site, node: ast.AST) -> bool:
    """Tell whether a part is a factor of a matrix product."""
    above = site.parents.get(node)
    if isinstance(above, ast.Attribute) and above.attr in CONTRACTIONS:
        return True
    return above is not None and (pair := operands(above)) is not None and node in pair


def operands(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """Return the two factors of a matrix product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return node.left, node.right
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        if name in CONTRACTIONS and len(node.args) == 2:
            return node.args[0], node.args[1]
        if name in CONTRACTIONS and len(node.args) == 1 and isinstance(node.func, ast.Attribute):
            return node.func.value, node.args[0]
    return None


def exchanged(site: Site, node: ast.expr, left: ast.expr, right: ast.expr) -> Iterator[Change]:
    """Yield a product with its factors the other way round."""
    (a, b), (c, d), start = site.span(left), site.span(right), site.span(node)[0]
    text = site.source(node)
    one, other = bracketed(site.source(left)), bracketed(site.source(right))
    new = text[: a - start] + other + text[b - start:c - start] + one + text[d - start:]
    yield Change(site.spliced(node, bracketed(new)), "missing transpose", 1.6, text, new)


def replacements(site: Site) -> Iterator[Change]:
    """x → another quantity of the same shape; h[t] → h[t - 1]."""
    for node in site.references:
        shape = site.shape(node)
        if not shape:
            continue
        text, adjoint = text_of(node), site.is_adjoint(node)
        times = {text_of(ast.parse(s, mode="eval")) for s in shifted(text, site.statement.loops)}
        for other in times:
            if site.shape(other) == shape:
                yield replaced(site, node, other, "wrong time", 1.15)
        same = [a for a in site.scope.atoms if a.shape == shape and a.adjoint == adjoint and a.text != text and a.text not in times
                and a.text not in site.targets]
        for atom in same:
            yield replaced(site, node, atom.text, kind_of_replacement(text, atom), 1.5 + 0.3 * distance(text, atom.text))
        if not adjoint:
            yield from complements(site, node)


def complements(site: Site, node: ast.expr) -> Iterator[Change]:
    """z ↔ 1 - z."""
    text, above = site.source(node), site.parents.get(node)
    if isinstance(above, ast.BinOp) and is_complement(above, text_of(node)) and above.right is node:
        yield Change(site.spliced(above, bracketed(text)), "wrong quantity", 1.3, site.source(above), text)
    elif not isinstance(above, ast.BinOp) or is_product(above):
        yield Change(site.spliced(node, f"(1 - {text})"), "wrong quantity", 1.3, text, f"1 - {text}")


def distance(one: str, other: str) -> float:
    """Grade how different two names are, between 0 and 1."""
    return 1 - SequenceMatcher(None, one, other).ratio()


def kind_of_replacement(text: str, atom: Atom) -> str:
    """Say which mistake it is to read one thing in the place of another."""
    root = text.partition("[")[0]
    return "wrong time" if "[" in text and atom.text.partition("[")[0] == root and "'" not in atom.text and ":" not in atom.text else "wrong quantity"


def replaced(site: Site, node: ast.expr, new: str, kind: str, cost: float) -> Change:
    """Return the edit that reads something else."""
    derived = in_derivative(node, site.parents)
    return Change(site.spliced(node, new), "wrong derivative" if derived else kind, cost, site.source(node), new)


def numpy_name(site: Site) -> str:
    """Return how the code calls NumPy."""
    found = [name for name, value in site.scope.space.items() if getattr(value, "__name__", "") == "numpy" and hasattr(value, "ndarray")]
    return "np" if "np" in found or not found else found[0]


def forms(np: str, x: str) -> list[str]:
    """Return the derivatives of activations at x."""
    return [f"(1 - {x}**2)", f"{x} * (1 - {x})", f"(1 - {np}.tanh({x})**2)", f"({x} > 0)"]


def derivatives(site: Site) -> Iterator[Change]:
    """1 - x**2 ↔ x * (1 - x), and at other values."""
    np = numpy_name(site)
    for node in site.in_value():
        x = base_of(site, node)
        shape = site.shape(node)
        if x is None or not shape:
            continue
        for form, cost in forms_near(site, np, x, shape):
            if form.strip("()") != text_of(node):
                yield Change(site.spliced(node, bracketed(form)), "wrong derivative", cost, site.source(node), form)
    yield from chained(site)
    for node in site.in_value():
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and site.shape(node) == site.shape(node.args[0]) \
                and not site.is_adjoint(node) and site.shape(node):
            yield Change(site.spliced(node, bracketed(site.source(node.args[0]))), "wrong derivative", 1.1, site.source(node), site.source(node.args[0]))
    for node in site.references:
        if site.shape(node) and not site.is_adjoint(node):
            new = f"{np}.tanh({site.source(node)})"
            yield Change(site.spliced(node, new), "wrong derivative" if in_derivative(node, site.parents) else "wrong quantity", 1.4, site.source(node), new)
            above = site.parents.get(node)
            if isinstance(above, ast.BinOp) and is_number(above.left, 1) and isinstance(above.op, ast.Sub):
                yield Change(site.spliced(node, f"{bracketed(site.source(node))}**2"), "wrong derivative", 1.2, site.source(above), f"1 - {site.source(node)}**2")


def chained(site: Site) -> Iterator[Change]:
    """... * s * (1 - s) → ... * (1 - s**2): where the two factors stand in a longer product."""
    np = numpy_name(site)
    for node in site.in_value():
        if not is_product(node) or is_product(site.parents.get(node)):
            continue
        factors = factors_of(node)
        for x in factors:
            pair = next((f for f in factors if is_complement(f, text_of(x))), None)
            if pair is None or len(factors) < 3 or not site.is_reference(x):
                continue
            rest = " * ".join(bracketed(site.source(f)) for f in factors if f is not x and f is not pair)
            for form, cost in forms_near(site, np, site.source(x), site.shape(x) or ()):
                yield Change(site.spliced(node, bracketed(f"{rest} * {form}")), "wrong derivative", cost,
                             f"{site.source(x)} * {site.source(pair)}", form)


def forms_near(site: Site, np: str, x: str, shape: tuple[int, ...]) -> Iterator[tuple[str, float]]:
    """Yield derivatives of activations at a value, and at others of its shape that are in the range of the activation."""
    for form in forms(np, x):
        yield form, 1.2
    for atom in site.scope.atoms:
        if atom.shape == shape and not atom.adjoint and atom.text != x:
            for form, _, _ in derivatives_at(np, atom):
                yield form, 1.9


def derivatives_at(np: str, atom: Atom) -> Iterator[tuple[str, str, float]]:
    """Yield the derivatives of activations at a value in whose range it is, with the mistake of leaving it out, and a cost."""
    tanh, logistic, inner, step = forms(np, atom.text)
    if atom.low > 0 and atom.high < 1:
        yield logistic, "missing derivative", 1.5
    if atom.low > -1 and atom.high < 1:
        yield tanh, "missing derivative", 1.5
    if atom.low < 0:
        yield inner, "missing derivative", 2.2
    if atom.low <= 0 < atom.high:
        yield step, "missing derivative", 2.1


def base_of(site: Site, node: ast.expr) -> str | None:
    """Return the value that a derivative is taken at, by its form; ``None`` where a part is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.left, 1) and is_bent(node.right):
        inside = [n for n in ast.walk(node.right) if isinstance(n, ast.expr) and site.is_reference(n)]
        return site.source(inside[0]) if inside and inside[0] in site.parents else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and is_number(node.left, 1) and site.is_reference(node.right) \
            and not site.is_adjoint(node.right):
        return site.source(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and is_complement(node.right, text_of(node.left)):
        return site.source(node.left)
    return None


def guards(site: Site) -> Iterator[Change]:
    """h[t - 1] → h[t - 1] if t > 0 else h0."""
    for node in site.references:
        shape = site.shape(node)
        if not isinstance(node, ast.Subscript) or not shape:
            continue
        for loop in site.statement.loops:
            if f"{loop} - 1" in text_of(node.slice):
                text = site.source(node)
                starts = [a.text for a in site.scope.atoms if a.shape == shape and not a.adjoint and "[" not in a.text]
                starts += [f"{numpy_name(site)}.zeros_like({text})"]
                for other in starts:
                    new = f"({text} if {loop} > 0 else {other})"
                    yield Change(site.spliced(node, new), "wraps around", 1.4, text, new.strip("()") if "(" not in other else new[1:-1])


def unclipped(site: Site) -> Iterator[Change]:
    """np.clip(x, a, b) → x."""
    for node in site.in_value():
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        inner = None
        if name in ("clip", "maximum", "minimum"):
            method = isinstance(node.func, ast.Attribute) and site.is_reference(node.func.value)
            inner = node.func.value if method and isinstance(node.func, ast.Attribute) else node.args[0] if node.args else None
        if inner is not None:
            yield Change(site.spliced(node, bracketed(site.source(inner))), "clipped", 1.0, site.source(node), site.source(inner))


def ranges(site: Site) -> Iterator[Change]:
    """range(T - K, T) → range(0, T), range(T - 1, 0, -1) → range(T - 1, -1, -1)."""
    for node in ast.walk(site.node):
        if not isinstance(node, ast.Call) or text_of(node.func).rpartition(".")[2] not in ("range", "arange"):
            continue
        for k, argument in enumerate(node.args[:2]):
            text = site.source(argument)
            downward = len(node.args) == 3 and text != "-1"
            news = ["0"] if len(node.args) == 2 and k == 0 else ["-1"] if downward and k == 1 else []
            for new in [n for n in news if n != text] + [f"{text} - 1", f"{text} + 1"]:
                kind = "missing carry" if new in ("0", "-1") else "wrong time"
                yield Change(site.spliced(argument, new), kind, 1.3, site.source(node), site.source(node).replace(text, new, 1))


def conditions(site: Site) -> Iterator[Change]:
    """if …: → always, never."""
    if site.statement.node == "If":
        for new in ("True", "False"):
            yield Change((new,), "missing carry", 1.8, site.text, new)
