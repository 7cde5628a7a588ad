"""Edits of sums, products, signs and brackets."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from symrnn.repair.scopes import names_in
from symrnn.repair.sites import (
    Change,
    Site,
    bracketed,
    factors_of,
    in_derivative,
    is_number,
    is_product,
    is_sum,
    terms_of,
)
from symrnn.repair.source import text_of

OPERATORS = {"+=": ast.Add, "-=": ast.Sub, "*=": ast.Mult, "/=": ast.Div}


def signs(site: Site) -> Iterator[Change]:
    """a + b ↔ a - b, -a ↔ a, += ↔ -=."""
    for node in site.in_value():
        if is_sum(node):
            assert isinstance(node, ast.BinOp)  # for types
            other = "-" if isinstance(node.op, ast.Add) else "+"
            if not is_number(node.left) and not is_number(node.right):
                new = f"{site.source(node.left)} {other} {bracketed(site.source(node.right))}"
                yield Change(site.spliced(node, bracketed(new)), "wrong sign", 1.2, site.source(node), new)
                if other == "+":
                    new = f"{site.source(node.right)} - {bracketed(site.source(node.left))}"
                    yield Change(site.spliced(node, bracketed(new)), "wrong sign", 1.15, site.source(node), new)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            yield Change(site.spliced(node, bracketed(site.source(node.operand))), "wrong sign", 1.2, site.source(node), site.source(node.operand))
    if isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Add | ast.Sub):
        yield from reassigned(site, "-=" if isinstance(site.node.op, ast.Add) else "+=", "wrong sign", 1.2)
    value = site.value
    if value is not None and isinstance(site.node, ast.Assign | ast.AugAssign) and site.shape(value):
        for term in terms_of(value):
            new = f"-{bracketed(site.source(term))}"
            yield Change(site.spliced(term, bracketed(new)), "wrong sign", 1.4, site.source(term), new)


def reassigned(site: Site, operator: str, kind: str, cost: float) -> Iterator[Change]:
    """Yield the statement with another way of assigning."""
    node = site.node
    if isinstance(node, ast.Assign | ast.AugAssign) and site.value is not None:
        target = node.target if isinstance(node, ast.AugAssign) else node.targets[-1]
        if not isinstance(target, ast.Tuple) and (isinstance(node, ast.AugAssign) or len(node.targets) == 1):
            end, start = site.span(target)[1], site.span(site.value)[0]
            middle = site.text[end:start]
            old = middle.strip().rstrip("(" + "⟨").strip()
            yield Change((site.text[:end] + middle.replace(old, operator, 1) + site.text[start:],), kind, cost, old, operator)


def accumulations(site: Site) -> Iterator[Change]:
    """X = e ↔ x += e."""
    if isinstance(site.node, ast.Assign):
        brings = any(t in site.scope.carries and assignments(site.unit.tree)[t] > 2 for t in site.targets)
        yield from reassigned(site, "+=", "missing carry" if brings else "not accumulated", 1.0)
    elif isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Add):
        yield from reassigned(site, "=", "a term too much", 1.5)


@lru_cache(maxsize=100)
def assignments(tree: ast.AST) -> Counter[str]:
    """Count how often each name is set."""
    return Counter(name for n in ast.walk(tree) if isinstance(n, ast.Assign) for target in n.targets for name in names_in(target))


def dropped_terms(site: Site) -> Iterator[Change]:
    """a + b → a, and b where it is a gradient."""
    value = site.value
    whole = [text_of(term) for term in terms_of(value)] if value is not None else []
    for node in site.in_value():
        if is_sum(node) and not in_derivative(node, site.parents):
            assert isinstance(node, ast.BinOp)  # for types
            for kept, gone in ((node.left, node.right), (node.right, node.left)):
                if is_number(kept) or is_number(gone):
                    continue
                kept_text = site.source(kept)
                if kept is node.right and isinstance(node.op, ast.Sub):
                    kept_text = "-" + bracketed(kept_text)
                twice = whole.count(text_of(gone)) > 1 or repeated(site, gone) or any(akin(gone, term) for term in terms_of(kept))
                yield Change(site.spliced(node, bracketed(kept_text)), "doubled term" if twice else "a term too much", 1.3, site.source(gone))


def akin(one: ast.expr, other: ast.expr) -> bool:
    """Tell whether two products differ in one factor only, as ``dc * f`` and ``dc_next * f`` do."""
    mine, theirs = Counter(map(text_of, factors_of(one))), Counter(map(text_of, factors_of(other)))
    return mine.total() == theirs.total() > 1 and (mine & theirs).total() == mine.total() - 1


def repeated(site: Site, term: ast.expr) -> bool:
    """Tell whether a term is added elsewhere in the function too."""
    text = text_of(term)
    names = {n.id for n in ast.walk(term) if isinstance(n, ast.Name)}
    if len(names) < 1 or text.isidentifier():
        return False
    return written_in(site.unit.tree)[text] > 1


@lru_cache(maxsize=100)
def written_in(tree: ast.AST) -> Counter[str]:
    """Count the expressions of a function by their text."""
    return Counter(text_of(n) for n in ast.walk(tree) if isinstance(n, ast.expr))


def dropped_factors(site: Site) -> Iterator[Change]:
    """a * b → a, and b; a / b → a."""
    for node in site.in_value():
        if not is_product(node):
            continue
        assert isinstance(node, ast.BinOp)  # for types
        pairs = [(node.left, node.right)] + ([(node.right, node.left)] if isinstance(node.op, ast.Mult) else [])
        for kept, gone in pairs:
            if site.shape(kept) is not None and site.shape(kept) != site.shape(node):
                continue
            yield Change(site.spliced(node, bracketed(site.source(kept))), kind_of_factor(site, gone), 1.3, site.source(gone))


def kind_of_factor(site: Site, gone: ast.expr) -> str:
    """Say which mistake a factor is that should not be there."""
    if is_number(gone, 0):
        return "missing carry" if site.sets_carry or site.scope.carries else "missing term"
    if not site.shape(gone):
        return "wrong scale"
    return "a factor too much"


def brackets(site: Site) -> Iterator[Change]:
    """a * b + c ↔ a * (b + c)."""
    for node in site.in_value():
        if is_sum(node):
            assert isinstance(node, ast.BinOp)  # for types
            op = "+" if isinstance(node.op, ast.Add) else "-"
            for product, other in ((node.left, node.right), (node.right, node.left)):
                yield from drawn_in(site, node, product, other, op)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Div):
            yield from multiplied_out(site, node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul"):
            yield from split_call(site, node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and is_sum(node.left):
            assert isinstance(node.left, ast.BinOp)  # for types
            sign = "-" if isinstance(node.left.op, ast.Sub) else "+"
            new = f"{site.source(node.left.left)} {sign} {site.source(node.left.right)}**{site.source(node.right)}"
            yield Change(site.spliced(node, bracketed(new)), "wrong derivative" if is_number(node.left.left, 1) else "brackets", 1.1, site.source(node), new)


def drawn_in(site: Site, node: ast.BinOp, product: ast.expr, other: ast.expr, op: str) -> Iterator[Change]:
    """a * b + c → a * (b + c)."""
    factors = factors_of(product)
    if len(factors) < 2 or in_derivative(node, site.parents):
        return
    for k, inside in enumerate(factors):
        rest = [f for i, f in enumerate(factors) if i != k]
        first, second = (inside, other) if product is node.left else (other, inside)
        left = " * ".join(bracketed(site.source(f)) for f in rest)
        new = f"{left} * ({site.source(first)} {op} {bracketed(site.source(second))})"
        yield Change(site.spliced(node, bracketed(new)), "brackets", 1.2, site.source(node), new)


def multiplied_out(site: Site, node: ast.BinOp) -> Iterator[Change]:
    """a * (b + c) → a * b + c, and b + a * c."""
    sign = "*" if isinstance(node.op, ast.Mult) else "@" if isinstance(node.op, ast.MatMult) else "/"
    for total, factor, left in ((node.left, node.right, False), (node.right, node.left, True)):
        if not is_sum(total) or (left and sign == "/"):
            continue
        assert isinstance(total, ast.BinOp)  # for types
        if is_number(total.left):
            continue
        op = "+" if isinstance(total.op, ast.Add) else "-"
        a, b, f = site.source(total.left), bracketed(site.source(total.right)), bracketed(site.source(factor))
        one = (f"{f} {sign} {bracketed(a)}", f"{f} {sign} {b}") if left else (f"{bracketed(a)} {sign} {f}", f"{b} {sign} {f}")
        for new in (f"{one[0]} {op} {b}", f"{a} {op} {one[1]}"):
            yield Change(site.spliced(node, bracketed(new)), "brackets", 1.3, site.source(node), new)


def split_call(site: Site, node: ast.Call) -> Iterator[Change]:
    """np.dot(A, b + c) → np.dot(A, b) + c, and b + np.dot(A, c)."""
    for argument in node.args:
        if is_sum(argument):
            assert isinstance(argument, ast.BinOp)  # for types
            op = "+" if isinstance(argument.op, ast.Add) else "-"
            start, end = (k - site.span(node)[0] for k in site.span(argument))
            text = site.source(node)
            a, b = site.source(argument.left), bracketed(site.source(argument.right))
            with_a, with_b = text[:start] + a + text[end:], text[:start] + site.source(argument.right) + text[end:]
            for new in (f"{with_a} {op} {b}", f"{a} {op} {with_b}"):
                yield Change(site.spliced(node, bracketed(new)), "brackets", 1.3, text, new)
