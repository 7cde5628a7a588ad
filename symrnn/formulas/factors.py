"""The readings of a factor: functions with their argument, derivatives, sums over time, names, what stands in brackets."""

from __future__ import annotations

import re
from itertools import product
from typing import Any, Protocol

from sympy import Expr, Integer, Rational, Symbol

from symrnn.activations import activation
from symrnn.errors import SymrnnError
from symrnn.expr import Diag, Elementwise, LogSoftmax, Series, Softmax, StopGradient, TimeSum
from symrnn.formulas.brackets import bracketed, divides, picked
from symrnn.formulas.letters import Letters
from symrnn.formulas.names import (
    after,
    base_of,
    constants,
    flat,
    one_hot,
    ones,
    plain_script,
    quantities,
    root_of,
    scripts,
    symbol,
    unknown_letter,
)
from symrnn.formulas.shaping import Value, divided, is_node
from symrnn.formulas.surface import FormulaError, place_of, source_of, unwrapped

VULGAR = {"½": Rational(1, 2), "⅓": Rational(1, 3), "¼": Rational(1, 4), "⅔": Rational(2, 3), "¾": Rational(3, 4)}
Items = list[tuple[str, Any]]
"""Factors, each with the sign before it."""


class Context(Protocol):
    """What reads the parts of a factor."""

    formula: str
    letters: Letters

    def sum(self, tree: Any) -> list[Value]:
        """Return the readings of a sum."""

    def term(self, tree: Any) -> list[Value]:
        """Return the readings of a term."""

    def products_of(self, tree: Any, items: Items) -> list[Value]:
        """Return the readings of a product."""

    def nested(self, text: str, place: int) -> list[Value]:
        """Return the readings of a part that was kept as text."""

    def fitting(self, tree: Any, tries: Any) -> list[Value]:
        """Return the values of the tries that fit."""


def front(context: Context, items: Items) -> tuple[list[Value], int]:
    """Return the readings of the first operand of a product, and how many factors it takes."""
    factor = items[0][1]
    kind = factor.children[0].data
    if kind == "sigma":
        return time_sums(context, factor, items[1:]), len(items)
    if kind == "partial":
        return quotient(context, items), 4
    if kind == "nabla":
        return gradient(context, factor), 2
    if (marked := adjoints(context, items)) is not None:
        return marked
    own = names(context, factor)
    if own:
        return own, 1
    if (called := calls(context, items)) is not None:
        return called
    if (split := apart(context, items)) is not None:
        return split
    return others(context, factor), 1


def names(context: Context, factor: Any) -> list[Value]:
    """Return the quantities, sizes and constants that a factor can be."""
    formula, letters = context.formula, context.letters
    parts = flat(factor, formula)
    if parts is None:
        return []
    found: list[Value] = []
    misfit: SymrnnError | None = None
    for quantity in quantities(factor, letters, formula):
        try:
            found.append(after(quantity.node, quantity.after))
        except SymrnnError as error:
            misfit = misfit or error
    if misfit is not None and not found:
        raise FormulaError(formula, place_of(factor) + 1, str(misfit))
    found += symbol(factor, letters, formula)
    if base_of(parts[0], formula) == "e" and parts[1] and letters.one_hot:
        found += one_hots(context, factor)
    return found or list(constants(factor, letters, formula))


def one_hots(context: Context, factor: Any) -> list[Value]:
    """Return the one-hot columns that ``e_w`` can be."""
    below = next(script for script in factor.children[1:] if script.data == "below") if factor.children[1:] else None
    if below is None:
        return []
    text = unwrapped(source_of(below.children[0], context.formula))
    place = place_of(below.children[0]) + (1 if source_of(below.children[0], context.formula).startswith("{") else 0)
    done = " ".join(plain_script(s, context.formula) for s in factor.children[1:] if s.data != "below")
    try:
        return [after(one_hot(index), done) for index in context.nested(text, place)]
    except SymrnnError:
        return []


def adjoints(context: Context, items: Items) -> tuple[list[Value], int] | None:
    """``δh_t``, ``δ² δh_t``; nothing where no ``δ`` stands in front."""
    orders: list[int] = []
    place = 0
    while place < len(items) and (order := delta(items[place][1], context)) is not None and (place == 0 or not items[place][0]):
        orders.append(order)
        place += 1
    if not orders:
        return None
    if place == len(items) or items[place][0]:
        raise FormulaError(context.formula, place_of(items[place - 1][1]) + 1, "δ stands in front of nothing; write δh_t")
    factor = items[place][1]
    found = quantities(factor, context.letters, context.formula)
    if not found:
        raise unknown_letter(factor, context.letters, context.formula)
    return [after(f.adjoint(reversed(orders)).node, f.after) for f in found], place + 1


def delta(factor: Any, context: Context) -> int | None:
    """Return the order of a ``δ``; nothing where a factor is none."""
    parts = flat(factor, context.formula)
    if parts is None or base_of(parts[0], context.formula) not in {"δ", "delta"} or parts[1]:
        return None
    if parts[2] and not parts[2].isdigit():
        return None
    return int(parts[2] or 1)


def quotient(context: Context, items: Items) -> list[Value]:
    """``∂L/∂h_t`` in a line."""
    shape = [(sign, item.children[0].data == "partial") for sign, item in items[:4]]
    if len(shape) < 4 or [p for _, p in shape] != [True, False, True, False] or [s for s, _ in shape[1:]] != ["", "/", ""]:
        raise FormulaError(context.formula, place_of(items[0][1]) + 1, "∂ stands for a derivative such as ∂L/∂h_t")
    return derivative(context, items[1][1], items[3][1])


def derivative(context: Context, above: Any, below: Any) -> list[Value]:
    """``∂L/∂h_t``: the adjoint that the loss has."""
    order = order_of(context, above)
    found = quantities(below, context.letters, context.formula)
    if not found:
        raise unknown_letter(below, context.letters, context.formula)
    if any(f.after for f in found):
        raise FormulaError(context.formula, place_of(below) + 1, "what stands above belongs to the derivative or to the quantity; put brackets")
    return [f.adjoint((order,)).node for f in found]


def order_of(context: Context, factor: Any) -> int:
    """Return which derivation a loss belongs to."""
    losses = context.letters.style.losses
    for found in quantities(factor, context.letters, context.formula, timed=False):
        for order, name in losses.items():
            if found.quantity.name == name and not found.quantity.orders:
                return order
    known = " or ".join(losses.values())
    raise FormulaError(context.formula, place_of(factor) + 1, f"{source_of(factor, context.formula)} is not the loss; it is called {known}")


def gradient(context: Context, factor: Any) -> list[Value]:
    """``∇_h L``; the loss is the factor behind it."""
    below = [script for script in factor.children[1:] if script.data == "below"]
    if not below:
        raise FormulaError(context.formula, place_of(factor) + 1, "∇ needs the quantity below it: ∇_{h_t} L")
    raw = source_of(below[0].children[0], context.formula)
    place = place_of(below[0].children[0]) + (1 if raw.startswith("{") else 0)
    found = context.nested(unwrapped(raw), place)
    return [marked(value, 1) for value in found]


def marked(leaf: Any, order: int) -> Value:
    """Return the adjoint of a leaf."""
    series = getattr(leaf, "series", None)
    return series.adjoint_series(order)[leaf.time] if isinstance(series, Series) else leaf.adjoint_static(order)


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
    values, used = front(context, items[1:])
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
    if name == "softmax" and len(arguments) <= 2:
        return Softmax(*arguments)
    if len(arguments) > 1:
        raise SymrnnError(f"{name} has one argument")
    if name == "diag":
        return Diag(first)
    if name == "sg":
        return StopGradient(first, condition) if is_node(first) else first
    if not is_node(first):
        raise SymrnnError(f"{name} of a number")
    if name == "log" and isinstance(first, Softmax) and first.mask is None and not primes:
        return LogSoftmax(first.args[0])
    if name == "phi":
        return Elementwise(name + "'" * primes, first)
    value = Elementwise(name, first)
    if primes > 1:
        raise SymrnnError(f"{name} is differentiated {primes} times; write the formula out")
    return activation(name).derivative(first, value) if primes else value


def apart(context: Context, items: Items) -> tuple[list[Value], int] | None:
    """Read ``Wh_t`` as ``W h_t`` where nothing is called ``Wh``; nothing where that does not help."""
    factor = items[0][1]
    parts = flat(factor, context.formula)
    base = str(factor.children[0].children[0]) if parts and parts[0] is factor.children[0] else ""
    known = context.letters.entries.keys() | context.letters.symbols.keys()
    if len(base) < 2 or not base.isalpha() or not all(letter in known for letter in base):
        return None
    padded = " ".join(base) + source_of(factor, context.formula)[len(base):]
    return context.nested(padded, place_of(factor)), 1


def others(context: Context, factor: Any) -> list[Value]:
    """Return the readings of what is no letter: numbers, fractions, roots, brackets."""
    atom = factor.children[0]
    below, above = scripts(factor, context.formula)
    done = " ".join(above)
    if atom.data == "letter":
        raise unknown_letter(factor, context.letters, context.formula)
    if atom.data == "number":
        return numbers(atom, done, context)
    if below and atom.data == "bracket":
        return context.fitting(factor, [lambda v=v: after(v, done) for v in picked(context, factor, below[0])])
    if below:
        raise FormulaError(context.formula, place_of(factor) + 1, "what stands below belongs to a letter or to square brackets")
    return context.fitting(factor, [lambda v=v: after(v, done) for v in READINGS[atom.data](context, atom)])


def numbers(atom: Any, done: str, context: Context) -> list[Value]:
    """``2``, ``½``, ``1``, ``1ᵀ``."""
    text = str(atom.children[0])
    if text == "1" and done in {"", "⊤", "T"}:
        return list(ones(done))
    value = VULGAR.get(text) or Rational(text)
    return [after(value, done)]


def group(context: Context, atom: Any) -> list[Value]:
    """``(a)``."""
    sums = [c for c in atom.children if getattr(c, "data", "") == "sum"]
    if len(sums) > 1:
        raise FormulaError(context.formula, place_of(atom) + 1, "several operands in brackets, and no function in front")
    return context.sum(sums[0])


def fraction(context: Context, atom: Any) -> list[Value]:
    r"""``\frac{\partial L}{\partial h}``, ``\frac{a}{2}``."""
    above, below = atom.children[1:]
    marks = [partial_of(part) for part in (above, below)]
    if marks[0] is not None and marks[1] is not None:
        return derivative(context, *marks)
    values = [context.sum(part) if part.data == "sum" else [Integer(part.children[0])] for part in (above, below)]
    return context.fitting(atom, [lambda a=a, b=b: divided(a, b) for a, b in product(*values)])


def partial_of(part: Any) -> Any:
    """Return the factor behind ``∂`` in a part of a fraction; nothing where there is none."""
    term = part.children[0] if part.data == "sum" and len(part.children) == 1 else None
    factors = term.children if term is not None else []
    return factors[1] if len(factors) == 2 and factors[0].children[0].data == "partial" else None


def time_sums(context: Context, factor: Any, items: Items) -> list[Value]:
    """``Σ_{s=1}^{T} a_s``."""
    below, above = scripts(factor, context.formula)
    match = re.fullmatch(r"(.+?)=(.+)", below[0]) if below else None
    limits = [context.letters.time(text) for text in (match[2], above[0])] if match and above else [None]
    if match is None or None in limits:
        raise FormulaError(context.formula, place_of(factor) + 1, "a sum over time needs its first and last time: Σ_{t=1}^{T}")
    if not items:
        raise FormulaError(context.formula, place_of(factor) + 1, "a sum over time of nothing")
    lo, hi = limits
    letter, index = match[1], Symbol(f"_index{len(context.letters.bound)}", integer=True)
    outer = dict(context.letters.bound)
    context.letters.bound[letter] = index
    try:
        values = context.products_of(factor, items)
    finally:
        context.letters.bound.clear()
        context.letters.bound.update(outer)
    return context.fitting(factor, [lambda v=v: summed(v, index, lo, hi) for v in values])


def summed(value: Value, index: Symbol, lo: Expr, hi: Expr) -> Value:
    """Sum over time; a number is multiplied by the number of times."""
    return TimeSum(value, index, lo, hi) if is_node(value) else value * (hi - lo + 1)


READINGS = {
    "group": group, "fraction": fraction, "bracket": bracketed, "divides": divides,
    "root": lambda context, atom: [root_of(v) for v in context.sum(atom.children[1])],
}
