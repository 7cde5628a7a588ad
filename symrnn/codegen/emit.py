"""Formula to NumPy: one named rule per node type.

A rule takes a node and returns the code of its value with what is known about the array. What a formula says of one
sequence, the code computes for a batch; with ``over_batch`` the code is that of the sum over the batch, which is what
the gradient of a parameter is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sympy import Integer

from symrnn.codegen.arrays import ARRAY_RULES, HELPERS, divides
from symrnn.codegen.products import chain, outer_over_batch, parts_of, scaled_chain
from symrnn.codegen.values import (
    ATOM,
    SUM,
    Scope,
    Value,
    constant,
    expanded,
    is_vector,
    multiply,
    scaled_by,
)
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    Diag,
    Divides,
    Leaf,
    Node,
    OneHot,
    Ones,
    Plus,
    Product,
    Scaled,
    TimeSum,
    Transposed,
    complement,
    same,
)
from symrnn.traverse import quantity_of

Rule = Callable[[Any, Scope], Value]


def emit(node: Any, scope: Scope) -> Value:
    """Write a formula.

    Raises:
        NotSupportedError: There is no rule for a node type.
    """
    name = type(node).__name__
    if name in RULES:
        return RULES[name](node, scope)
    if name not in ARRAY_RULES:
        raise NotSupportedError(f"no NumPy for a {name}; add a rule to symrnn.codegen.emit or symrnn.codegen.arrays")
    return ARRAY_RULES[name](node, [emit(part, scope) for part in node.args if isinstance(part, Node)], scope)


def emit_over_batch(node: Any, scope: Scope) -> Value:
    """Write the sum of a formula over the sequences of a batch; an array without batch axis."""
    if isinstance(node, Plus):
        return added(node, scope, emit_over_batch)
    if isinstance(node, Scaled) and not isinstance(node.args[1], Ones):
        return scaled(node, scope, emit_over_batch)
    if is_scattered(node):
        return scattered(node, scope)
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


def is_scattered(node: Any) -> bool:
    """Tell whether a matrix has columns added up at places that tokens say: ``Σ_t g_t e_{w_t}ᵀ``, or one of its terms."""
    body = node.args[0] if isinstance(node, TimeSum) and not may_be_empty(node.args[3] - node.args[2] + 1) else node
    last = body.args[-1] if isinstance(body, Product) and not is_vector(body.shape) else None
    return isinstance(last, Transposed) and isinstance(last.args[0], OneHot) and bool(last.args[0].args[0].atoms(Leaf))


def scattered(node: Any, scope: Scope) -> Value:
    """Σ_t g_t e_{w_t}ᵀ, over the sequences of a batch too, without the one-hot columns."""
    body, inner, repeated = node, scope, ""
    if isinstance(node, TimeSum):
        body, index, lo, hi = node.args
        times, letter, inner = bound_times(index, lo, hi, scope)
        repeated = f" for {letter} in {times}"
    *front, last = body.args
    scope.used.helpers["scatter"] = HELPERS["scatter"]
    rows = expanded(emit(Product(*front) if len(front) > 1 else front[0], inner), inner, batched=True)
    places = expanded(emit(last.args[0].args[0], inner), inner, batched=True)
    code = f"scatter([{rows.code}{repeated}], [{places.code}{repeated}], {scope.number(node.shape[1])})"
    return Value(code, ATOM, node.shape)


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
    """a + b; a comparison for 1 - [K | t]."""
    held = complement(node) if node.shape == (1, 1) else node
    if isinstance(held, Divides) and not held.positive:
        return divides(held, scope, "!=")
    return added(node, scope, emit)


def added(node: Any, scope: Scope, part: Rule) -> Value:
    """A sum whose terms another rule writes; a fraction among them is divided in the dtype, not before."""
    numbers = [a.args[0] for a in node.args if isinstance(a, Scaled) and isinstance(a.args[1], Ones)]
    common = Integer(math.lcm(*(int(number.q) for number in numbers if number.is_Rational)))
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
    """A B: see symrnn.codegen.products; a diagonal scales the rows of what follows it, or the columns before it."""
    diagonals = [isinstance(factor, Diag) for factor in node.args]
    if any(diagonals) and not all(diagonals) and not any(same(size, 1) for factor in node.args for size in factor.shape):
        own = [factor.args[0] if isinstance(factor, Diag) else factor for factor in node.args]
        return scaled_chain([expanded(emit(factor, scope), scope) for factor in own], diagonals, scope)
    return chain([emit(factor, scope) for factor in node.args], scope)


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


RULES: Mapping[str, Rule] = MappingProxyType({
    "At": emit_leaf,
    "Columns": emit_columns,
    "Identity": emit_identity,
    "Ones": emit_ones,
    "Plus": emit_plus,
    "Product": emit_product,
    "Scaled": emit_scaled,
    "Static": emit_leaf,
    "TimeSum": emit_time_sum,
    "Zeros": emit_zeros,
})
"""Rules of the nodes whose operands are not written one by one."""
