"""What a letter with its scripts is: a quantity, a size, an adjoint, a one-hot column; all that it can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sympy import Expr, Integer, Rational

from symrnn import writer
from symrnn.errors import SpecError
from symrnn.expr import Elementwise, Identity, OneHot, Ones, Scaled, Series, Zeros, t
from symrnn.formulas.letters import Entry, Found, Letters
from symrnn.formulas.shaping import Value, inverted, is_node, powered, turned, unknown_size
from symrnn.formulas.surface import FormulaError, place_of, plain, source_of, unwrapped

RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
POSTFIX = {"^∘⁻¹": "∘-1", "⁻¹": "-1", "ᵀ": "⊤", "⊤": "⊤"}


def scripts(factor: Any, formula: str) -> tuple[list[str], list[str]]:
    """Return what stands below and above a factor, in plain form."""
    below: list[str] = []
    above: list[str] = []
    for script in factor.children[1:]:
        text = plain_script(script, formula)
        (below if script.data == "below" else above).append(text)
    return below, above


def plain_script(script: Any, formula: str) -> str:
    """Return a script in plain form."""
    if script.data == "primes":
        return " ".join("′" * len(script.children[0]))
    if script.data == "raised":
        sign = str(script.children[0])
        return POSTFIX.get(sign) or "".join(RAISED[c] for c in sign)
    return plain(unwrapped(source_of(script.children[0], formula)))


def base_of(atom: Any, formula: str) -> str:
    """Return a letter in plain form."""
    return plain(source_of(atom, formula))


def inner_factor(factor: Any) -> Any:
    """Return the single factor that braces or brackets around a letter hold, as in ``{W^{f}}^{(t)}``; else nothing."""
    atom = factor.children[0]
    if atom.data == "group" and len(atom.children) >= 1:
        sums = [c for c in atom.children if getattr(c, "data", "") == "sum"]
        if len(sums) == 1 and len(sums[0].children) == 1 and len(sums[0].children[0].children) == 1:
            return sums[0].children[0].children[0]
    return None


def flat(factor: Any, formula: str) -> tuple[Any, str, str] | None:
    """Return the letter of a factor and what stands below and above it; nothing where it is no letter."""
    atom = factor.children[0]
    below, above = scripts(factor, formula)
    if atom.data == "letter":
        return atom, ",".join(below), " ".join(above)
    inner = inner_factor(factor)
    found = flat(inner, formula) if inner is not None else None
    if found is None:
        return None
    return found[0], ",".join(filter(None, [found[1], *below])), " ".join(filter(None, [found[2], *above]))


def quantities(factor: Any, letters: Letters, formula: str, *, timed: bool = True) -> list[Found]:
    """Return the quantities that a factor can be; ``dh_t`` is ``δh_t`` where nothing is called ``dh``."""
    parts = flat(factor, formula)
    if parts is None:
        return []
    base = base_of(parts[0], formula)
    found = letters.named(base, *parts[1:], timed=timed)
    if not found and re.fullmatch(r"d_?.+", base) and base[1:]:
        found = [f.adjoint((1,)) for f in letters.named(base[1:], *parts[1:], timed=timed)]
    if not found and base == "d" and "_" not in parts[1]:
        found = [f.adjoint((1,)) for f in letters.named(*split_script(parts[1]), parts[2], timed=timed)]
    return found


def split_script(below: str) -> tuple[str, str]:
    """Split ``h_t``, the script of ``d_h_t``, into letter and script."""
    return below[:1], below[1:].lstrip("_")


def after(value: Value, done: str) -> Value:
    """Do to a value what stands above it: ``⊤``, ``2``, ``-1``, ``∘-1``."""
    for sign in done.split():
        if sign in {"⊤", "T", "tr", "′"}:
            value = turned(value)
        elif sign in {"-1", "∘-1"}:
            value = inverted(value) if is_node(value) else 1 / value
        elif (power := sign.lstrip("⊙∘")).isdigit() and power.isascii():
            value = powered(value, Integer(power))
        else:
            raise SpecError(f"{sign} stands above, where a transpose or a power is due")
    return value


def symbol(factor: Any, letters: Letters, formula: str) -> Iterator[Expr]:
    """Yield the size or length that a factor is, such as ``T``, with its power."""
    parts = flat(factor, formula)
    if parts is None:
        return
    base = base_of(parts[0], formula) + (f"_{{{parts[1]}}}" if len(parts[1]) > 1 else f"_{parts[1]}" if parts[1] else "")
    found = letters.symbols.get(base) or letters.symbols.get(plain(base))
    power = re.fullmatch(r"\(?(-?\d+)\)?", parts[2] or "1")
    if found is not None and found != t and power:
        yield found ** Integer(power[1])


def constants(factor: Any, letters: Letters, formula: str) -> Iterator[Value]:
    """Yield the constant that a letter is: ones, zeros, the identity."""
    parts = flat(factor, formula)
    if parts is None or parts[1]:
        return
    base, sign = base_of(parts[0], formula), parts[2]
    if base in {"1", "𝟏"}:
        yield from ones(sign)
    elif base in {"0", "𝟎"}:
        yield Integer(0)
    elif base == "I" and not sign:
        yield Identity(unknown_size())


def ones(sign: str) -> Iterator[Value]:
    """Yield what ``1`` and ``1ᵀ`` are: a column or a row of ones, or a number that fits every shape."""
    if not sign:
        yield Integer(1)
        yield Ones(unknown_size(), 1)
    elif sign in {"⊤", "T", "′"}:
        yield Ones(1, unknown_size())


def one_hot(index: Any) -> Value:
    """``e_w``; a constant place is counted from 1."""
    if not is_node(index):
        place = index - 1
        index = Zeros(1, 1) if place == 0 else Scaled(place, Ones(1, 1))
    return OneHot(index, unknown_size())


def root_of(value: Value) -> Value:
    """``√a``."""
    return inverted(Elementwise("rsqrt", value)) if is_node(value) else value ** Rational(1, 2)


def unknown_letter(factor: Any, letters: Letters, formula: str) -> FormulaError:
    """Say that nothing is called so, with what is called alike."""
    parts = flat(factor, formula)
    text = source_of(factor, formula)
    base = base_of(parts[0], formula) if parts else text
    alike = letters.entries.get(base, [])
    if alike:
        known = ", ".join(sorted({shown(e, letters) for e in alike}))
        reason = f"no quantity of the network is written {text}; with this letter there is {known}"
    else:
        reason = f"no quantity of the network is written {text}; known letters: {' '.join(sorted(letters.entries))}"
    return FormulaError(formula, place_of(factor) + 1, reason)


def shown(entry: Entry, letters: Letters) -> str:
    """Write a quantity for a message."""
    node = entry.quantity[t] if isinstance(entry.quantity, Series) else entry.quantity
    return writer.text(node, letters.style)
