"""The readings of a factor: functions with their argument, derivatives, sums over time, names, what stands in brackets."""

from __future__ import annotations

import re
from functools import partial
from itertools import product
from typing import Any

from sympy import Expr, Integer, Rational, Symbol

from symrnn.errors import SymrnnError
from symrnn.expr import TimeSum
from symrnn.formulas.adjoints import adjoints, derivative, gradient, partial_of, quotient
from symrnn.formulas.brackets import bracketed, divides, picked
from symrnn.formulas.calls import calls
from symrnn.formulas.context import Context, Items
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
def front(context: Context, items: Items) -> tuple[list[Value], int]:
    """Return the readings of the first operand of a product, and how many factors it takes."""
    factor = items[0][1]
    kind = factor.children[0].data
    if kind == "sigma":
        return time_sums(context, factor, items[1:]), len(items)
    if kind == "partial":
        return quotient(context, items), 4
    if kind == "nabla":
        return gradient(context, items), 2
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
        return context.fitting(factor, [partial(turned_one_hot, index, done) for index in context.nested(text, place)])
    except SymrnnError:
        return []


def turned_one_hot(index: Value, done: str) -> Value:
    """``e_w``, with what stands above it."""
    return after(one_hot(index), done)


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
        return context.fitting(factor, [partial(after, v, done) for v in picked(context, factor, below[0])])
    if below:
        raise FormulaError(context.formula, place_of(factor) + 1, "what stands below belongs to a letter or to square brackets")
    return context.fitting(factor, [partial(after, v, done) for v in READINGS[atom.data](context, atom)])


def numbers(atom: Any, done: str, context: Context) -> list[Value]:
    """``2``, ``½``, ``1``, ``1ᵀ``."""
    text = str(atom.children[0])
    if text == "1" and done in {"", "⊤", "T"}:
        return list(ones(done))
    digits = re.findall(r"\d", text) if "frac" in text else []
    value = Rational(*map(int, digits)) if digits else VULGAR.get(text) or Rational(text)
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
    return context.fitting(atom, [partial(divided, a, b) for a, b in product(*values)])


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
    return context.fitting(factor, [partial(summed, v, index, lo, hi) for v in values])


def summed(value: Value, index: Symbol, lo: Expr, hi: Expr) -> Value:
    """Sum over time; a number is multiplied by the number of times."""
    return TimeSum(value, index, lo, hi) if is_node(value) else value * (hi - lo + 1)


READINGS = {
    "group": group, "fraction": fraction, "bracket": bracketed, "divides": divides,
    "root": lambda context, atom: [root_of(v) for v in context.sum(atom.children[1])],
}
