"""The letters of a network: which quantities, sizes, times and functions a text can mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Expr, Integer, Symbol

from symrnn.activations import ACTIVATIONS
from symrnn.expr import At, Gather, OneHot, Series, t
from symrnn.formulas.surface import plain
from symrnn.notation import Notation, function_name
from symrnn.style import Style, named, symbol_text

MEDIA = ("latex", "unicode")
ALIASES = {"sigmoid": "sigmoid", "logistic": "sigmoid", "relu": "relu", "heaviside": "step", "φ": "phi", "tanh": "tanh"}
OPERATORS = ("softmax", "diag", "sg")
TRANSPOSE = r"⊤|T|tr|′"
AFTER = rf"(?:(?P<turned>{TRANSPOSE})|(?P<power>[⊙∘]?\d+)|(?P<inverse>∘?-1))?"


@dataclass(frozen=True)
class Entry:
    """How a quantity is spelled, in the plain form.

    Attributes:
        quantity: A series or a static quantity, without adjoint marks of the derivation at hand.
        sub: What stands below besides the time.
        sup: What stands above besides the time.
        orders: The order of adjoint that the spelling shows, as ``h̄`` does.
    """

    quantity: Basic
    sub: str
    sup: str
    orders: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """A quantity in a text, and what is done to it.

    Attributes:
        quantity: A series or a static quantity.
        time: The time of a series; ``None`` where the text says none.
        after: What stands above the letter besides: ``⊤``, ``2``, ``-1``, ``∘-1``; several are separated by blanks.
    """

    quantity: Any
    time: Expr | None
    after: str = ""

    @property
    def node(self) -> Any:
        """The quantity at its time."""
        return At(self.quantity, self.time) if isinstance(self.quantity, Series) else self.quantity

    def adjoint(self, orders: Iterable[int]) -> Found:
        """Return its adjoint."""
        marked = self.quantity
        for order in orders:
            marked = marked.adjoint_series(order) if isinstance(marked, Series) else marked.adjoint_static(order)
        return Found(marked, self.time, self.after)


@dataclass
class Letters:
    """The letters of one network in one notation.

    Attributes:
        style: How the network is printed.
        entries: Spellings by their base.
        functions: Names of functions by how they are written.
        symbols: Sizes and times by how they are written.
        one_hot: Whether ``e_w`` may be a one-hot column.
    """

    style: Style
    entries: Mapping[str, list[Entry]]
    functions: Mapping[str, str]
    symbols: Mapping[str, Symbol]
    one_hot: bool = False
    bound: dict[str, Symbol] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Any, notation: str | Notation) -> Letters:
        """Collect the letters of a network."""
        style = Style.of(network, notation)
        quantities = dict.fromkeys([*(g.quantity for g in network.givens), *(e.quantity for e in network.equations)])
        entries: dict[str, list[Entry]] = {}
        for base, entry in spelled(quantities, style):
            if entry not in (listed := entries.setdefault(base, [])):
                listed.append(entry)
        symbols = {plain(symbol_text(s, style_in(style, medium))): s for medium in MEDIA for s in (*network.sizes, t)}
        symbols = {s.name: s for s in network.sizes if s.name not in symbols} | symbols
        one_hot = any(g.kind == "integer" for g in network.givens) or any(e.rhs.has(OneHot, Gather) for e in network.equations)
        return cls(style, entries, functions(style), symbols, one_hot)

    @property
    def rows(self) -> bool:
        """Whether vectors are rows."""
        return self.style.notation.rows

    def time(self, text: str) -> Expr | None:
        """Read a time or a size such as ``t-1`` or ``2H+1``; ``None`` where it is none."""
        if not re.fullmatch(r"[-+]?[^-+]+([-+][^-+]+)*", text):
            return None
        total: Expr = Integer(0)
        for sign, part in re.findall(r"([-+]?)([^-+]+)", text):
            value = self.number(part)
            if value is None:
                return None
            total = total - value if sign == "-" else total + value
        return total

    def number(self, text: str) -> Expr | None:
        """Read one term of a time."""
        if text in self.bound or text in self.symbols:
            return self.bound.get(text, self.symbols.get(text))
        if text.isdigit():
            return Integer(text)
        if times := re.fullmatch(r"(\d+)\*?(\D.*)|(\w+)\*(\w+)", text):
            left, right = (self.number(part) for part in times.groups() if part)
            return left * right if left is not None and right is not None else None
        return None

    def named(self, base: str, below: str, above: str, *, timed: bool = True) -> list[Found]:
        """Return the quantities that a letter with scripts can be.

        Args:
            base: The letter in plain form.
            below: What stands below.
            above: What stands above; several scripts are separated by blanks.
            timed: Whether a series needs a time.
        """
        listed = self.entries.get(base, [])
        own = self.style.notation.time
        for manner in (own, *(m for m in ("h_t", "h^(t)", "h^t") if m != own)):
            found = [f for entry in listed for f in self.as_entry(entry, below, above, manner, timed=timed)]
            if found:
                return list(dict.fromkeys(found))
        return []

    def as_entry(self, entry: Entry, below: str, above: str, manner: str, *, timed: bool) -> Iterator[Found]:
        """Yield the ways in which scripts are those of a quantity, its time, and what is done to it."""
        if not above.startswith(entry.sup):
            return
        rest = above.removeprefix(entry.sup).removeprefix(",").strip()
        here = Found(entry.quantity, None).adjoint(entry.orders)
        if not isinstance(entry.quantity, Series):
            if below == entry.sub and is_after(rest):
                yield Found(here.quantity, None, rest)
            return
        if not timed and below == entry.sub and not rest:
            yield here
        if manner == "h_t":
            start = f"{entry.sub}," if entry.sub else ""
            time = self.time(below.removeprefix(start)) if below.startswith(start) else None
            if time is not None and is_after(rest):
                yield Found(here.quantity, time, rest)
            return
        if below != entry.sub:
            return
        pattern = r"\((?P<time>[^()]*)\) ?(?P<rest>.*)" if manner == "h^(t)" else r"(?P<time>[^ ⊤]+) ?(?P<rest>.*)"
        if (match := re.fullmatch(pattern, rest)) and is_after(match["rest"]):
            time = self.time(match["time"])
            if time is not None:
                yield Found(here.quantity, time, match["rest"])


def is_after(text: str) -> bool:
    """Tell whether what is left above a letter is done to it."""
    return all(re.fullmatch(AFTER, part) for part in text.split(" "))


def style_in(style: Style, medium: str) -> Style:
    """Return a style for another medium."""
    return Style(medium, style.notation, style.letters, style.losses, marks=style.marks)


def spelled(quantities: Iterable[Any], style: Style) -> Iterator[tuple[str, Entry]]:
    """Yield the base of each quantity's letter, and the rest of its spelling."""
    for quantity in quantities:
        plainly = type(quantity)(quantity.name, (), *quantity.shape)
        for medium in MEDIA:
            own = style_in(style, medium)
            base, sub, sup = map(plain, named(quantity.name, own, quantity.shape))
            yield base, Entry(plainly, sub, sup)
            if style.notation.adjoint == "bar":
                base, sub, sup = map(plain, named(quantity.name, own, quantity.shape, bar=True))
                yield base, Entry(plainly, sub, sup, (1,))


def functions(style: Style) -> dict[str, str]:
    """Return the names of functions by how they are written, in the plain form."""
    found = {name: name for name in OPERATORS} | dict(ALIASES)
    for name, row in ACTIVATIONS.items():
        found |= {plain(row.latex): name, plain(row.text): name, name: name}
    for name, letter in style.notation.functions.items():
        found |= {plain(function_name(letter, medium)): name for medium in MEDIA}
    return found
