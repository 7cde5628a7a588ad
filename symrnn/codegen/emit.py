"""Formula to NumPy: one named rule per node type.

A rule takes a node and returns the code of its value with what is known about the array. What a formula says of one
sequence, the code computes for a batch; with ``over_batch`` the code is that of the sum over the batch, which is what
the gradient of a parameter is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import Integer

from symrnn.codegen.products import chain, outer_over_batch, parts_of
from symrnn.codegen.values import (
    ATOM,
    PRODUCT,
    SUM,
    Scope,
    Value,
    as_matrix,
    constant,
    expanded,
    is_vector,
    multiply,
    scaled_by,
    total,
    transposed,
)
from symrnn.errors import NotSupportedError
from symrnn.expr import Ones, Plus, Product, Scaled, TimeSum, same
from symrnn.traverse import quantity_of

Rule = Callable[[Any, Scope], Value]

HELPERS = {
    "softmax": '''
def softmax(a, axis=-1):
    """exp(a) / sum(exp(a)); the largest entry is taken out first, so that nothing overflows."""
    e = np.exp(a - a.real.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
''',
    "log_softmax": '''
def log_softmax(a, axis=-1):
    """The logarithm of softmax(a), finite where softmax(a) is 0 in floating point."""
    z = a - a.real.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
''',
    "stop_gradient": '''
def stop_gradient(a):
    """The value itself; the backward pass takes it for a constant."""
    return a
''',
    "one_hot": '''
def one_hot(index, size, dtype):
    """A row of zeros with a 1 at each index, counted from 0."""
    return (np.arange(size) == index).astype(int).astype(dtype)
''',
}
"""Functions that generated code defines where it uses them."""


def emit(node: Any, scope: Scope) -> Value:
    """Write a formula.

    Raises:
        NotSupportedError: There is no rule for a node type.
    """
    rule = RULES.get(type(node).__name__)
    if rule is None:
        raise NotSupportedError(f"no NumPy for a {type(node).__name__}; add a rule to symrnn.codegen.emit.RULES")
    return rule(node, scope)


def emit_over_batch(node: Any, scope: Scope) -> Value:
    """Write the sum of a formula over the sequences of a batch; an array without batch axis."""
    if isinstance(node, Plus):
        return added(node, scope, emit_over_batch)
    if isinstance(node, Scaled) and not isinstance(node.args[1], Ones):
        return scaled(node, scope, emit_over_batch)
    if isinstance(node, TimeSum):
        return summed_over_time(node, scope, emit_over_batch)
    if isinstance(node, Product) and not is_vector(node.shape):
        *first, last = parts_of([emit(factor, scope) for factor in node.args], scope)
        column = multiply(first, first[0].shape) if first else last
        if first and column.batched and last.batched:
            return outer_over_batch(column, last, scope)
    value = emit(node, scope)
    if value.batched:
        value = expanded(value, scope)
        code = f"{value.code}.sum(axis=0)" if value.level == ATOM else f"np.sum({value.code}, axis=0)"
        return replace(value, code=code, level=ATOM, batched=False)
    whole = expanded(value, scope)
    return whole if value.scalar == 0 else scaled_by(scope.batch, Integer(1), whole, scope)


def emit_leaf(node: Any, scope: Scope) -> Value:
    """h_t is h[t]; W is W."""
    quantity = quantity_of(node)
    scope.used.quantities.add(quantity)
    time = f"[{scope.number(node.time)}]" if quantity is not node else ""
    return Value(scope.names.quantities[quantity] + time, ATOM, node.shape, batched=quantity in scope.batched)


def emit_zeros(node: Any, scope: Scope) -> Value:
    """0."""
    return constant(0, node.shape, scope)


def emit_ones(node: Any, scope: Scope) -> Value:
    """1."""
    return constant(1, node.shape, scope)


def emit_identity(node: Any, scope: Scope) -> Value:
    """I."""
    if node.shape == (1, 1):
        return constant(1, node.shape, scope)
    return Value(f"np.eye({scope.number(node.args[0])}, dtype={scope.dtype()})", ATOM, node.shape)


def emit_plus(node: Any, scope: Scope) -> Value:
    """a + b."""
    return added(node, scope, emit)


def added(node: Any, scope: Scope, part: Rule) -> Value:
    """A sum whose terms another rule writes; a fraction among them is divided in the dtype, not before."""
    fractions = [a.args[0].q for a in node.args if isinstance(a, Scaled) and isinstance(a.args[1], Ones) and a.args[0].is_Rational]
    common = Integer(math.lcm(*map(int, fractions)))
    if common & (common - 1):
        whole = Plus(*(Scaled(common, term) for term in node.args))
        return scaled_by(Integer(1), common, part(whole, scope), scope)
    code = ""
    values: list[Value] = []
    for term in node.args:
        minus = isinstance(term, Scaled) and term.args[0].could_extract_minus_sign()
        value = part(Scaled(-1, term) if minus else term, scope)
        text = value.factor if minus else value.code
        code += (f" - {text}" if minus else f" + {text}") if values else f"-{text}" if minus else text
        values.append(value)
    full = any(value.full for value in values)
    return Value(code, SUM, node.shape, batched=any(value.batched for value in values), full=full)


def emit_scaled(node: Any, scope: Scope) -> Value:
    """c A."""
    return scaled(node, scope, emit)


def scaled(node: Any, scope: Scope, part: Rule) -> Value:
    """A multiple of what another rule writes; a fraction multiplies first and divides then."""
    number, core = node.args
    if isinstance(core, Ones):
        return constant(number, node.shape, scope)
    above, below = number.as_numer_denom()
    return scaled_by(above, below, part(core, scope), scope)


def emit_product(node: Any, scope: Scope) -> Value:
    """A B: see symrnn.codegen.products."""
    return chain([emit(factor, scope) for factor in node.args], scope)


def emit_hadamard(node: Any, scope: Scope) -> Value:
    """a ∘ b."""
    return multiply([emit(factor, scope) for factor in node.args], node.shape)


def emit_transposed(node: Any, scope: Scope) -> Value:
    """Aᵀ."""
    return transposed(emit(node.args[0], scope))


def emit_elementwise(node: Any, scope: Scope) -> Value:
    """f(a)."""
    row = node.function
    value = emit(node.args[1], scope)
    value = expanded(value, scope) if value.scalar is not None else value
    if row.helper:
        scope.used.helpers[row.name] = row.helper
    elif row.name.startswith("phi"):
        scope.used.functions.add(row.numpy.removesuffix("({z})"))
    call = row.numpy.endswith("({z})")
    return replace(value, code=row.numpy.format(z=value.code if call else value.atom), level=ATOM if call else PRODUCT)


def by_column(name: str) -> Rule:
    """A helper that works along the rows of each column."""

    def rule(node: Any, scope: Scope) -> Value:
        scope.used.helpers[name] = HELPERS[name]
        value = expanded(emit(node.args[0], scope), scope)
        axis = "" if same(value.shape[1], 1) else ", axis=-2"
        value = as_matrix(value) if axis else value
        code = f"{name}({value.code}{axis})"
        lowered = bool(axis) and value.is_vector
        return replace(value, code=code + "[..., 0, :]" if lowered else code, level=ATOM)

    rule.__name__ = f"emit_{name}"
    return rule


def emit_total(node: Any, scope: Scope) -> Value:
    """1ᵀ A 1."""
    return total(emit(node.args[0], scope), scope)


def emit_diag(node: Any, scope: Scope) -> Value:
    """diag(v)."""
    v = expanded(emit(node.args[0], scope), scope)
    eye = f"np.eye({scope.number(node.shape[0])}, dtype={scope.dtype()})"
    return v if v.shape == (1, 1) else Value(f"{v.atom}[..., None] * {eye}", PRODUCT, node.shape, batched=v.batched)


def emit_one_hot(node: Any, scope: Scope) -> Value:
    """e_w."""
    scope.used.helpers["one_hot"] = HELPERS["one_hot"]
    w = emit(node.args[0], scope)
    return Value(
        f"one_hot({w.code}, {scope.number(node.args[1])}, {scope.dtype()})", ATOM, node.shape, batched=w.batched,
    )


def emit_gather(node: Any, scope: Scope) -> Value:
    """Column w of E."""
    table, w = (emit(arg, scope) for arg in node.args)
    table, batched = as_matrix(table), table.batched or w.batched
    if w.scalar is not None:
        code = f"{table.atom}[..., {w.code}]"
    elif table.batched:
        place = expanded(w, scope, batched=True)
        code = f"np.take_along_axis({table.code}, {place.atom}[..., None], axis=-1)[..., 0]"
    else:
        code = f"{table.atom}.T[{w.atom}[..., 0]]"
    return Value(code, ATOM, node.shape, batched=batched)


def emit_stacked(node: Any, scope: Scope) -> Value:
    """[a; b]."""
    values = [emit(part, scope) for part in node.args]
    batched = any(value.batched for value in values)
    values = [expanded(value, scope, batched=batched) for value in values]
    column = same(node.shape[1], 1)
    codes = [value.code if column else as_matrix(value).code for value in values]
    axis = -1 if column else -2
    return Value(f"np.concatenate([{', '.join(codes)}], axis={axis})", ATOM, node.shape, batched=batched)


def emit_rows(node: Any, scope: Scope) -> Value:
    """Rows i … j-1 of A."""
    matrix, start, stop = node.args
    value = expanded(emit(matrix, scope), scope)
    rows = f"{scope.number(start) if start != 0 else ''}:{scope.number(stop)}"
    column = same(value.shape[1], 1)
    single = same(node.shape[0], 1) and not column
    place = f"[..., {rows}]" if column else f"[..., {scope.number(start)}, :]" if single else f"[..., {rows}, :]"
    return Value(f"{value.atom}{place}", ATOM, node.shape, batched=value.batched)


def emit_columns(node: Any, scope: Scope) -> Value:
    """[h_lo … h_hi]."""
    body, index, lo, hi = node.args
    times, letter, inner = bound_times(index, lo, hi, scope)
    value = expanded(emit(body, inner), inner)
    code = f"np.stack([{value.code} for {letter} in {times}], axis=-1)"
    place = "[..., 0]" if same(node.shape[1], 1) else "[..., 0, :]" if same(node.shape[0], 1) else ""
    return Value(code + place, ATOM, node.shape, batched=value.batched)


def bound_times(index: Any, lo: Any, hi: Any, scope: Scope) -> tuple[str, str, Scope]:
    """Return a range of times, the letter of its index, and the scope in which it is bound."""
    times = f"range({scope.number(lo)}, {scope.number(hi + 1)})"
    letter, inner = scope.bound(index)
    return times, letter, inner


def emit_column(node: Any, scope: Scope) -> Value:
    """Column k of A, counted from 1."""
    matrix, number = node.args
    value = expanded(emit(matrix, scope), scope)
    if same(matrix.shape[1], 1):
        return value
    k = scope.number(number - 1)
    place = f"{k}:{scope.number(number)}" if value.is_vector else k
    return Value(f"{value.atom}[..., {place}]", ATOM, node.shape, batched=value.batched)


def emit_time_sum(node: Any, scope: Scope) -> Value:
    """Σ_t p_t."""
    return summed_over_time(node, scope, emit)


def summed_over_time(node: Any, scope: Scope, part: Rule) -> Value:
    """A sum over time of what another rule writes; zeros where there may be no time at all."""
    body, index, lo, hi = node.args
    times, letter, inner = bound_times(index, lo, hi, scope)
    value = expanded(part(body, inner), inner)
    start = ""
    if may_be_empty(hi - lo + 1):
        start = f", start={expanded(constant(0, node.shape, scope), scope, batched=value.batched).code}"
        return replace(value, code=f"sum(({value.code} for {letter} in {times}){start})", level=ATOM)
    return replace(value, code=f"sum({value.code} for {letter} in {times})", level=ATOM)


def may_be_empty(length: Any) -> bool:
    """Tell whether a range of times is empty for sequences of length 1."""
    return bool(length.subs(dict.fromkeys(length.free_symbols, 1)) < 1)


def emit_stop_gradient(node: Any, scope: Scope) -> Value:
    """The value itself, under a name that says that no gradient passes."""
    scope.used.helpers["stop_gradient"] = HELPERS["stop_gradient"]
    value = expanded(emit(node.args[0], scope), scope)
    return replace(value, code=f"stop_gradient({value.code})", level=ATOM)


RULES: dict[str, Rule] = {
    "At": emit_leaf,
    "Column": emit_column,
    "Columns": emit_columns,
    "Diag": emit_diag,
    "Elementwise": emit_elementwise,
    "Gather": emit_gather,
    "Hadamard": emit_hadamard,
    "Identity": emit_identity,
    "LogSoftmax": by_column("log_softmax"),
    "OneHot": emit_one_hot,
    "Ones": emit_ones,
    "Plus": emit_plus,
    "Product": emit_product,
    "Rows": emit_rows,
    "Scaled": emit_scaled,
    "Softmax": by_column("softmax"),
    "Stacked": emit_stacked,
    "Static": emit_leaf,
    "StopGradient": emit_stop_gradient,
    "TimeSum": emit_time_sum,
    "Total": emit_total,
    "Transposed": emit_transposed,
    "Zeros": emit_zeros,
}
"""One rule for each node type."""
