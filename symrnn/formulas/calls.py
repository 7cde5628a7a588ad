"""Functions with their argument: ``tanh(a)``, ``σ'(a)``, ``softmax(a; m)``, ``sg_{K∣t}(a)``."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from symrnn.activations import activation
from symrnn.errors import SpecError
from symrnn.expr import Diag, Elementwise, LogSoftmax, Softmax, StopGradient
from symrnn.formulas.context import Context, Items
from symrnn.formulas.names import (
    after,
    base_of,
    flat,
    scripts,
)
from symrnn.formulas.shaping import Value, is_node
from symrnn.formulas.surface import FormulaError, place_of, source_of, unwrapped


def calls(context: Context, items: Items) -> tuple[list[Value], int] | None:
    """``tanh(a)``, ``σ'(a)``, ``tanh² a``, ``softmax(a; m)``, ``sg_{K∣t}(a)``; nothing where the first factor is no function."""
    factor = items[0][1]
    parts = flat(factor, context.formula)
    if parts is None:
        return None
    base = base_of(parts[0], context.formula)
    name = context.letters.functions.get(f"{base}_{parts[1]}" if parts[1] else base) or context.letters.functions.get(base)
    if name is None or (parts[1] and name != "sg" and f"{base}_{parts[1]}" not in context.letters.functions):
        return None
    if len(items) == 1 or items[1][0]:
        raise FormulaError(context.formula, place_of(factor) + 1, f"{base} is a function and needs its argument: {base}(a_t)")
    taken, arguments, left = argument(context, items)
    primes = parts[2].split().count("′")
    powers = " ".join(p for p in parts[2].split() if p != "′")
    condition = conditions(context, factor) if name == "sg" and parts[1] else [None]
    values = [lambda a=a, c=c: after(after(applied(name, primes, a, c), powers), left) for a, c in product(arguments, condition)]
    return context.fitting(factor, values), taken


def argument(context: Context, items: Items) -> tuple[int, list[tuple[Value, ...]], str]:
    """Return how many factors a function and its argument take, the readings, and what stands above the brackets."""
    factor = items[1][1]
    atom = factor.children[0]
    if atom.data == "group" and source_of(atom, context.formula).startswith("("):
        below, above = scripts(factor, context.formula)
        sums = [c for c in atom.children if getattr(c, "data", "") == "sum"]
        if not below:
            return 2, list(product(*(context.sum(s) for s in sums))), " ".join(above)
    values, used = context.front(items[1:])
    return used + 1, [(v,) for v in values], ""


def conditions(context: Context, factor: Any) -> list[Value]:
    """Return the conditions of a stop that stand below ``sg``."""
    script = next(s for s in factor.children[1:] if s.data == "below").children[0]
    raw = source_of(script, context.formula)
    place, text = place_of(script) + (1 if raw.startswith("{") else 0), unwrapped(raw)
    bare = re.search(r"∣|∤|\\n?mid", text) and not text.lstrip().startswith(("[", "("))
    return context.nested(f"[{text}]", place - 1) if bare else context.nested(text, place)


def applied(name: str, primes: int, arguments: tuple[Value, ...], condition: Value) -> Value:
    """Apply a function, or a derivative of it."""
    first = arguments[0]
    if name == "sg" and not is_node(first):
        return first
    if not all(map(is_node, arguments)):
        raise SpecError(f"{name} of a number; a column is due")
    if name == "softmax" and len(arguments) <= 2:
        return Softmax(*arguments)
    if len(arguments) > 1:
        raise SpecError(f"{name} has one argument; got {len(arguments)}")
    if name == "diag":
        return Diag(first)
    if name == "sg":
        return StopGradient(first, condition)
    if name == "log" and isinstance(first, Softmax) and first.mask is None and not primes:
        return LogSoftmax(first.args[0])
    if name == "phi":
        return Elementwise(name + "'" * primes, first)
    value = Elementwise(name, first)
    if primes > 1:
        raise SpecError(f"{name} is differentiated {primes} times; write the formula out")
    return activation(name).derivative(first, value) if primes else value
