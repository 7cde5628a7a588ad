"""Rules for nodes that move entries or act along columns: the values of their operands are written already.

A rule takes the node, the values of its operands in order, and the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from symrnn.codegen.values import ATOM, PRODUCT, SUM, Scope, Value, as_matrix, expanded, multiply, total, transposed
from symrnn.expr import same

ArrayRule = Callable[[Any, Sequence[Value], Scope], Value]

HELPERS = MappingProxyType({
    "softmax": '''
def softmax(a, axis=-1):
    """exp(a) / sum(exp(a)); the largest entry is taken out first, so that nothing overflows."""
    e = np.exp(a - a.real.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
''',
    "masked_softmax": '''
def masked_softmax(a, m, axis=-1):
    """softmax(a) over the places where m is 1, 0 where m is 0; the largest entry that counts is taken out first."""
    counts = m.real > 0
    top = np.where(counts, a.real, -np.inf).max(axis=axis, keepdims=True)
    e = m * np.exp(np.where(counts, a, top) - top)
    return e / e.sum(axis=axis, keepdims=True)
''',
    "log_softmax": '''
def log_softmax(a, axis=-1):
    """The logarithm of softmax(a), finite where softmax(a) is 0 in floating point."""
    z = a - a.real.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
''',
    "one_hot": '''
def one_hot(index, size, dtype):
    """A row of zeros with a 1 at each index, counted from 0."""
    return (np.arange(size) == index).astype(int).astype(dtype)
''',
    "scatter": '''
def scatter(rows, places, size):
    """Add each row to the column at its place, counted from 0, over times and sequences; the columns that this gives."""
    rows, places = np.concatenate(rows), np.concatenate(places)[:, 0]
    table = np.zeros((size, rows.shape[1]), rows.dtype)
    np.add.at(table, places, rows)
    return table.T
''',
    "stop_gradient": '''
def stop_gradient(a, here=True):
    """The value itself; where this holds, the backward pass takes it for a constant."""
    return a
''',
})
"""Functions that generated code defines where it uses them."""


def array_hadamard(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """a ∘ b."""
    return multiply(values, node.shape)


def array_transposed(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """Aᵀ."""
    return transposed(values[0])


def array_stop_gradient(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """The value itself, under a name that says that no gradient passes, or when none does."""
    scope.used.helpers["stop_gradient"] = HELPERS["stop_gradient"]
    value = expanded(values[0], scope)
    here = "" if node.condition is None else f", {values[1].code}"
    return replace(value, code=f"stop_gradient({value.code}{here})", level=ATOM)


def array_divides(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """[K | t]."""
    return divides(node, scope, "==")


def divides(node: Any, scope: Scope, sign: str) -> Value:
    """A comparison of the remainder of a time with 0."""
    time = scope.number(node.args[1])
    code = f"{time if time.isidentifier() else f'({time})'} % {scope.number(node.args[0])} {sign} 0"
    return Value(f"{time} > 0 and {code}" if node.positive else code, SUM, node.shape, full=False)


def array_elementwise(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """f(a)."""
    row = node.function
    value = expanded(values[0], scope) if values[0].scalar is not None else values[0]
    if row.helper:
        scope.used.helpers[row.name] = row.helper
    elif row.name.startswith("phi"):
        scope.used.functions.add(row.numpy.removesuffix("({z})"))
    call = row.numpy.endswith("({z})")
    return replace(value, code=row.numpy.format(z=value.code if call else value.atom), level=ATOM if call else PRODUCT)


def by_column(name: str) -> ArrayRule:
    """Return the rule of a helper that works on each column: along the rows of a batch; a second operand is a mask."""

    def rule(node: Any, values: Sequence[Value], scope: Scope) -> Value:
        own = f"masked_{name}" if len(values) > 1 else name
        scope.used.helpers[own] = HELPERS[own]
        value, *masks = (expanded(v, scope) for v in values)
        batched = value.batched or any(mask.batched for mask in masks)
        if same(value.shape[1], 1):
            codes = [value.code, *(mask.code for mask in masks)]
            return replace(value, code=f"{own}({', '.join(codes)})", level=ATOM, batched=batched)
        place = "[..., 0, :]" if value.is_vector else ""
        codes = [as_matrix(value).code, *(as_matrix(mask).code for mask in masks)]
        return replace(value, code=f"{own}({', '.join(codes)}, axis=-2){place}", level=ATOM, batched=batched)

    rule.__name__ = f"array_{name}"
    return rule


def array_total(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """1ᵀ A 1."""
    return total(values[0], scope)


def array_diag(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """diag(v)."""
    v = expanded(values[0], scope)
    if same(node.shape[0], 1):
        return v
    eye = f"np.eye({scope.number(node.shape[0])}, dtype={scope.dtype()})"
    return Value(f"{v.atom}[..., None] * {eye}", PRODUCT, node.shape, batched=v.batched)


def array_one_hot(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """e_w."""
    scope.used.helpers["one_hot"] = HELPERS["one_hot"]
    code = f"one_hot({values[0].code}, {scope.number(node.args[1])}, {scope.dtype()})"
    return Value(code, ATOM, node.shape, batched=values[0].batched)


def array_gather(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """Column w of E."""
    table, w = as_matrix(values[0]), values[1]
    if w.scalar is not None:
        code = f"{table.atom}[..., {w.code}]"
    elif table.batched:
        place = expanded(w, scope, batched=True)
        code = f"np.take_along_axis({table.code}, {place.atom}[..., None], axis=-1)[..., 0]"
    else:
        code = f"{table.atom}.T[{w.atom}[..., 0]]"
    return Value(code, ATOM, node.shape, batched=table.batched or w.batched)


def array_stacked(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """[a; b]."""
    batched = any(value.batched for value in values)
    parts = [expanded(value, scope, batched=batched) for value in values]
    column = same(node.shape[1], 1)
    codes = [part.code if column else as_matrix(part).code for part in parts]
    axis = -1 if column else -2
    return Value(f"np.concatenate([{', '.join(codes)}], axis={axis})", ATOM, node.shape, batched=batched)


def array_rows(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """Rows i … j-1 of A."""
    _, start, stop = node.args
    value = expanded(values[0], scope)
    first = scope.number(start)
    rows = f"{first if start != 0 else ''}:{scope.number(stop)}"
    if same(value.shape[1], 1):
        return Value(f"{value.atom}[..., {rows}]", ATOM, node.shape, batched=value.batched)
    place = f"{first}, :" if same(node.shape[0], 1) else f"{rows}, :"
    return Value(f"{value.atom}[..., {place}]", ATOM, node.shape, batched=value.batched)


def array_column(node: Any, values: Sequence[Value], scope: Scope) -> Value:
    """Column k of A, counted from 1."""
    matrix, number = node.args
    value = expanded(values[0], scope)
    if same(matrix.shape[1], 1):
        return value
    k = scope.number(number - 1)
    place = f"{k}:{scope.number(number)}" if value.is_vector else k
    return Value(f"{value.atom}[..., {place}]", ATOM, node.shape, batched=value.batched)


ARRAY_RULES: MappingProxyType[str, ArrayRule] = MappingProxyType({
    "Column": array_column,
    "Diag": array_diag,
    "Divides": array_divides,
    "Elementwise": array_elementwise,
    "Gather": array_gather,
    "Hadamard": array_hadamard,
    "LogSoftmax": by_column("log_softmax"),
    "OneHot": array_one_hot,
    "Rows": array_rows,
    "Softmax": by_column("softmax"),
    "Stacked": array_stacked,
    "StopGradient": array_stop_gradient,
    "Total": array_total,
    "Transposed": array_transposed,
})
