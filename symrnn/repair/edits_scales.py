"""Edits of numbers: 1/N, 2, means and sums."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symrnn.repair.sites import Change, Site, bracketed, is_number, is_product
from symrnn.repair.source import text_of


def scales(site: Site) -> Iterator[Change]:
    """mean ↔ sum; another number."""
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
    size = numbers | {f"({a} * {b})": numbers[a] * numbers[b] for a in numbers for b in numbers if a < b} if site.off.ratios else {}
    cost = 1.3 if site.shape(value) else 1.1  # a number is there to scale
    turned = isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Div)
    for ratio in site.off.ratios:
        for sign, due in (("*", 1 / ratio if ratio else 0.0), ("/", ratio)):
            for name in [n for n in size if abs((1 / due if turned and due else due) / size[n] - 1) < 1e-6][:2]:
                yield Change(site.spliced(value, f"{text} {sign} {name}"), "wrong scale", cost, "", f"{sign} {name}")
    terms = [part for part in (value.left, value.right) if site.shape(part)] if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub) else []
    for factor in ("2", "0.5"):
        yield Change(site.spliced(value, f"{factor} * {text}"), "wrong scale", 1.6, "", f"{factor} *")
        for part in terms:
            yield Change(site.spliced(part, f"{factor} * {bracketed(site.source(part))}"), "wrong scale", 1.7, "", f"{factor} *")


def scalable(site: Site, value: ast.expr) -> bool:
    """Tell whether an expression can be multiplied by a number: an array, a fraction, or what something is divided by."""
    shape = site.shape(value)
    if shape == ():
        divides = isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Mult | ast.Div)
        return divides or isinstance(site.scope.value(site.source(value)), float)
    return bool(shape)
