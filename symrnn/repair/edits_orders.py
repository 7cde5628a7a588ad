"""Edits of order and place: sequences the other way round, slices, axes, indices, and sums over indices that come twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from symrnn.repair.edits_references import numpy_name
from symrnn.repair.scopes import SCALAR
from symrnn.repair.sites import Change, Site, bracketed, is_number, is_sum
from symrnn.repair.source import text_of

SIDE_BY_SIDE = {"zip", "enumerate", "reversed", "list", "tuple"}
RUNNING = {"cumsum", "cumprod", "nancumsum"}
ALONG = {"sum", "mean", "average", "max", "min", "repeat", "concatenate", "stack", "flip", "roll", "take", "prod", "expand_dims", "squeeze", "reduce", *RUNNING}
"""Functions that take an axis."""


def name_of(function: ast.AST) -> str:
    """Return the last word of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def calls(site: Site) -> Iterator[ast.Call]:
    """Yield the calls in a statement, those of what is gone through too."""
    return (node for node in ast.walk(site.node) if isinstance(node, ast.Call))


def cuts(site: Site) -> Iterator[tuple[ast.Subscript, list[ast.expr]]]:
    """Yield what is cut out by slices, with the parts of the index."""
    for node in ast.walk(site.node):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
            if any(isinstance(part, ast.Slice) for part in parts):
                yield node, parts


def cut(site: Site, node: ast.Subscript, parts: list[ast.expr], place: int, new: str) -> str:
    """Write a reference with another part of its index; without index where nothing is cut any more."""
    texts = [new if k == place else text_of(part) for k, part in enumerate(parts)]
    return site.source(node.value) if set(texts) == {":"} else f"{site.source(node.value)}[{', '.join(texts)}]"


def reversals(site: Site) -> Iterator[Change]:
    """X ↔ X[::-1]: what a step goes through, and what is gone through side by side; cumsum(X) ↔ cumsum(X[::-1])[::-1]."""
    for node, parts in cuts(site):
        for k, part in enumerate(parts):
            if isinstance(part, ast.Slice) and part.step is not None and text_of(part.step) == "-1" and part.lower is part.upper is None:
                yield Change(site.spliced(node, bracketed(cut(site, node, parts, k, ":"))), "wrong time", 1.2, site.source(node), cut(site, node, parts, k, ":"))
    for call in calls(site):
        name = name_of(call.func)
        if name in ("reversed", "flip", "flipud") and len(call.args) == 1:
            yield Change(site.spliced(call, bracketed(site.source(call.args[0]))), "wrong time", 1.3, site.source(call), site.source(call.args[0]))
        if name in SIDE_BY_SIDE or not site.scope.is_numpy(call.func):
            for argument in [*call.args, *(k.value for k in call.keywords)]:
                if is_sequence(site, argument):
                    new = f"{bracketed(site.source(argument))}[::-1]"
                    yield Change(site.spliced(argument, new), "wrong time", 1.4, site.source(argument), new)
        if name in RUNNING:
            yield from run_back(site, call)
    for term in site.references if not site.statement.loops else ():
        if is_sum(site.parents.get(term)) and is_sequence(site, term):
            new = f"{site.source(term)}[::-1]"
            yield Change(site.spliced(term, new), "wrong time", 1.5, site.source(term), new)


def is_sequence(site: Site, node: ast.expr) -> bool:
    """Tell whether a part is a list of arrays or the like, or an array of several axes, and not turned round already."""
    if text_of(node).endswith("[::-1]"):
        return False
    if isinstance(node, ast.ListComp):
        return True
    value = site.scope.value(site.source(node)) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else None
    if isinstance(value, np.ndarray):
        return value.ndim > 1
    return isinstance(value, list | tuple) and len(value) > 1 and not isinstance(value[0], SCALAR)


def run_back(site: Site, call: ast.Call) -> Iterator[Change]:
    """cumsum(X, axis=k) → cumsum(X[::-1], axis=k)[::-1]: a running sum from the end."""
    inner = call.args[0] if call.args and site.scope.is_numpy(call.func) else call.func.value if isinstance(call.func, ast.Attribute) else None
    axis = next((k.value for k in call.keywords if k.arg == "axis"), None)
    if inner is None or not (axis is None or is_number(axis)):
        return
    number = int(ast.literal_eval(axis)) if axis is not None else 0
    index = f"[{':, ' * number}::-1]" if number >= 0 else "[..., ::-1]"
    start, (a, b) = site.span(call)[0], site.span(inner)
    text = site.source(call)
    new = f"{text[:a - start]}{bracketed(site.source(inner))}{index}{text[b - start:]}{index}"
    yield Change(site.spliced(call, new), "wrong time", 1.2, text, new)


def shifted_slices(site: Site) -> Iterator[Change]:
    """h[1:] ↔ h[:-1] ↔ h; x[:n] ↔ x[n:], x[-n:]."""
    for node, parts in cuts(site):
        for k, part in enumerate(parts):
            if not isinstance(part, ast.Slice) or part.step is not None or part.lower is not None is not part.upper:
                continue
            for new, kind, cost in other_slices(part):
                text = cut(site, node, parts, k, new)
                yield Change(site.spliced(node, text), kind, cost, site.source(node), text)
    for call in calls(site):
        for argument in call.args if name_of(call.func) in SIDE_BY_SIDE else ():
            if isinstance(argument, ast.Name) and is_sequence(site, argument):
                for new in (f"{argument.id}[1:]", f"{argument.id}[:-1]"):
                    yield Change(site.spliced(argument, new), "wrong time", 1.5, argument.id, new)


def other_slices(part: ast.Slice) -> Iterator[tuple[str, str, float]]:
    """Yield what can stand for a slice that is open on one side, with the mistake and a cost."""
    lower, upper = (text_of(bound) if bound is not None else "" for bound in (part.lower, part.upper))
    if (lower, upper) in (("1", ""), ("", "-1")):
        yield (":-1" if lower else "1:"), "wrong time", 1.1
        yield ":", "wrong time", 1.2
    elif upper:
        yield f"{upper}:", "wrong quantity", 1.5
        yield f"-{bracketed(upper)}:", "wrong quantity", 1.6
    elif lower:
        yield f":{lower}", "wrong quantity", 1.5
        yield f":-{bracketed(lower)}", "wrong quantity", 1.6


def axes(site: Site) -> Iterator[Change]:
    """X.sum(axis=1) ↔ X.sum(axis=0)."""
    for call in calls(site):
        if name_of(call.func) not in ALONG:
            continue
        method = isinstance(call.func, ast.Attribute) and not site.scope.is_numpy(call.func)
        given = [k.value for k in call.keywords if k.arg == "axis"] or call.args[0 if method else 1:][:1]
        inner = call.func.value if method and isinstance(call.func, ast.Attribute) else call.args[0] if call.args else None
        if inner is None or not given or not isinstance(given[0], ast.Constant | ast.UnaryOp):
            continue
        count = len(site.shape(inner) or ()) or 2
        number = site.scope.value(site.source(given[0]))
        for axis in range(count) if isinstance(number, int) else ():
            if axis != number % count:
                yield Change(site.spliced(given[0], f"{axis}"), "not accumulated", 1.3, site.source(call), site.source(call).replace(
                    f"axis={site.source(given[0])}", f"axis={axis}"))


def exchanged_indices(site: Site) -> Iterator[Change]:
    """A[i][j] → A[j][i], A[i, j] → A[j, i]."""
    for node in ast.walk(site.node):
        if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
            continue
        pair: tuple[ast.expr, ...] = ()
        root = node.value
        if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
            pair = tuple(node.slice.elts)
        elif isinstance(node.value, ast.Subscript):
            pair, root = (node.value.slice, node.slice), node.value.value
        if len(pair) == 2 and all(isinstance(part, ast.Name) for part in pair):
            one, other = map(text_of, pair)
            new = f"{site.source(root)}[{other}, {one}]" if isinstance(node.slice, ast.Tuple) else f"{site.source(root)}[{other}][{one}]"
            yield Change(site.spliced(node, new), "missing transpose", 1.3, site.source(node), new)


def summed_at(site: Site) -> Iterator[Change]:
    """A[i] += d → np.add.at(A, i, d): where an index comes twice, only one of its terms is kept."""
    node = site.node
    if not isinstance(node, ast.AugAssign) or not isinstance(node.op, ast.Add | ast.Sub) or not isinstance(node.target, ast.Subscript):
        return
    index = node.target.slice
    value = site.scope.value(site.source(index)) if not isinstance(index, ast.Tuple | ast.Slice) else None
    if isinstance(value, list) and all(isinstance(part, int) for part in value):
        value = np.array(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim:
        name = "add" if isinstance(node.op, ast.Add) else "subtract"
        new = f"{numpy_name(site)}.{name}.at({site.source(node.target.value)}, {site.source(index)}, {site.source(node.value)})"
        yield Change((new,), "not accumulated", 0.9, site.text, new)


OTHER = {ast.Gt: ">=", ast.GtE: ">", ast.Lt: "<=", ast.LtE: "<"}


def comparisons(site: Site) -> Iterator[Change]:
    """t >= 0 ↔ t > 0; h <= 1 ↔ h <= 0."""
    for node in ast.walk(site.node):
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in OTHER:
            continue
        left, (right,), sign = node.left, node.comparators, OTHER[type(node.ops[0])]
        new = f"{site.source(left)} {sign} {site.source(right)}"
        kind = kind_of_comparison(site, node)
        yield Change(site.spliced(node, bracketed(new)), kind, 1.0 if kind == "wraps around" else 1.2, site.source(node), new)
        for number in ("0", "1") if is_number(right) else ():
            if site.source(right) != number:
                new = site.source(node)[: site.span(right)[0] - site.span(node)[0]] + number
                yield Change(site.spliced(node, bracketed(new)), kind, 1.3, site.source(node), new)


def kind_of_comparison(site: Site, node: ast.Compare) -> str:
    """Say which mistake a wrong comparison is: of a loop's counter, or of values, as in the derivative of ReLU."""
    if not any(isinstance(n, ast.Name) and n.id in site.statement.loops for n in (node.left, *node.comparators)):
        return "wrong derivative"
    return "wraps around" if isinstance(node.ops[0], ast.GtE) else "missing term"
