"""How names, times and numbers look: the parts of a formula that are no formulas themselves.

``Style`` holds everything that decides how a formula is printed. The rules for the nodes are in :mod:`symrnn.writer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

import sympy

from symrnn.notation import INDEXED, UNMARKED, Mark, Notation, accented, marked, notation, owners, spell

POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
FRACTIONS = {sympy.Rational(1, 2): "½"}


@dataclass(frozen=True)
class Alike:
    """Layers that are printed once.

    Attributes:
        base: The number of the layer that is printed for all of them.
        letter: The letter that stands for the number.
    """

    base: int
    letter: str


@dataclass(frozen=True)
class Style:
    """Everything that decides how a formula looks.

    Attributes:
        medium: ``latex``, ``unicode`` or ``ascii``.
        notation: The profile.
        letters: Printed name of each quantity of the network at hand (``Notation.assign``).
        losses: Name of the loss by the order of the derivation, for ``∂L/∂W``.
        indices: Letters of the bound indices at this place.
        used: Letters that no bound index may take.
        marks: The mark of each quantity that has one.
        alike: How numbers of layers are printed where one layer stands for several.
        ratios: Names that are printed as a derivative, with what is above and below: ``∂c_t/∂h_{t-1}``.
    """

    medium: str = "latex"
    notation: Notation = INDEXED
    letters: Mapping[str, str] = field(default_factory=dict)
    losses: Mapping[int, str] = field(default_factory=lambda: {1: "L"})
    indices: Mapping[Any, str] = field(default_factory=dict)
    used: frozenset[str] = frozenset()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    alike: Alike | None = None
    ratios: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Any, profile: str | Notation = "indexed", medium: str = "latex") -> Style:
        """Return the style for the formulas of one network: no two of its quantities look the same.

        Args:
            network: The network, or the one whose derivation is printed.
            profile: Name of a notation.
            medium: ``latex``, ``unicode`` or ``ascii``.

        Raises:
            SpecError: Unknown notation.
        """
        chosen = notation(profile).beside(str(size) for size in network.sizes)
        losses = [e.name for e in network.equations if e.role == "loss" and e.span is None and e.name != network.loss.name]
        second = any(1 in getattr(e.quantity, "orders", ()) for e in network.equations) and bool(losses)
        named = {1: losses[-1], 2: network.loss.name} if second else {1: network.loss.name}
        letters = chosen.assign(network.names, network.cell, network.parts)
        owned = owners(network.names, network.cell, network.parts)
        return cls(medium, chosen, letters, named, marks={name: o.mark for name, o in owned.items() if o.mark != UNMARKED})

    @classmethod
    def of_cell(cls, cell: Any, profile: str | Notation = "indexed", medium: str = "latex") -> Style:
        """Return the style for the formulas of a cell.

        Raises:
            SpecError: Unknown notation.
        """
        chosen = notation(profile)
        names = [q.name for q in (*cell.parameters, *cell.inputs)] + [e.name for e in cell.equations]
        return cls(medium, chosen, chosen.assign(names, cell.name))

    @property
    def latex(self) -> bool:
        """Whether the medium is LaTeX."""
        return self.medium == "latex"

    def layer_text(self, number: int) -> str:
        """Write the number of a layer: ``2``, or ``ℓ-1`` where one layer stands for several."""
        if self.alike is None:
            return str(number)
        letter = spell(self.alike.letter, self.medium).base
        return letter if number == self.alike.base else f"{letter}{number - self.alike.base:+d}"

    def pick(self, latex: str, unicode: str, ascii_text: str | None = None) -> str:
        """Return the form for this medium; without one for ASCII, the Unicode form serves."""
        if self.latex:
            return latex
        return unicode if self.medium == "unicode" or ascii_text is None else ascii_text


def scalar(value: Any, style: Style) -> str:
    """Write a scalar coefficient or a time."""
    if value in style.indices:
        return style.indices[value]
    if value.is_Integer:
        return str(value)
    if value.is_Symbol and len(letter := symbol_text(value, style)) == 1:
        return letter
    if value in FRACTIONS and style.medium == "unicode":
        return FRACTIONS[value]
    if isinstance(value, sympy.Add):
        ordered = sorted(value.args, key=lambda a: bool(a.is_number))
        return " + ".join(scalar(a, style) for a in ordered).replace("+ -", "- ")
    named = value.xreplace({s: sympy.Symbol(symbol_text(s, style)) for s in value.free_symbols if s.is_Symbol})
    return sympy.latex(named) if style.latex else str(named)


def symbol_text(symbol: Any, style: Style) -> str:
    """Write a size or a time in the letter of the profile; a bound index in its own."""
    if symbol in style.indices:
        return style.indices[symbol]
    letter = style.notation.symbols.get(symbol.name)
    if letter is None:
        return symbol.name
    base, sub, sup = spell(letter, style.medium)
    return raised(subscripted(base, sub, style), sup, style)


def generic_time(style: Style) -> str:
    """Write the running time: ``t``, or the letter that the profile has for it."""
    return symbol_text(sympy.Symbol("t", integer=True), style)


def coefficient(value: Any, style: Style) -> str:
    """Write a scalar in front of a matrix: in brackets where it would run into what follows."""
    body = scalar(value, style)
    if isinstance(value, sympy.Add):
        return parentheses(body, style)
    return f"({body})" if not style.latex and "/" in body else body


def parentheses(body: str, style: Style) -> str:
    """Put round brackets around a text; large ones in LaTeX where the text is tall."""
    tall = style.latex and any(mark in body for mark in (r"\frac", r"\sum", r"\left", r"\begin"))
    return rf"\left({body}\right)" if tall else f"({body})"


def time_text(value: Any, style: Style) -> str:
    """Write a time or a row as it stands in a subscript: ``t-1``, ``2H+1``."""
    tight = scalar(value, style).replace(" - ", "-").replace(" + ", "+")
    return re.sub(r"(?<=\d)\*(?=[A-Za-z])", "", tight) if style.medium == "unicode" else tight


def span_text(span: Any, style: Style, *, descending: bool = False) -> str:
    """Write a range of times: ``t = 1, …, T``, or ``t = T, …, 1``."""
    ends = [time_text(end, style) for end in ((span.hi, span.lo) if descending else (span.lo, span.hi))]
    running = generic_time(style)
    if span.single:
        return f"{running} = {ends[0]}"
    dots = style.pick(r"\dots", "…", "...")
    return f"{running} = {ends[0]}, {ends[1]}" if span.hi - span.lo == 1 else f"{running} = {ends[0]}, {dots}, {ends[1]}"


def numbers_text(letter: str, first: int, last: int, style: Style) -> str:
    """Write the numbers that a letter stands for: ``ℓ = 2, …, 5``."""
    dots = f" {style.pick(chr(92) + 'dots', '…', '...')}," if abs(last - first) > 1 else ""
    return f"{spell(letter, style.medium).base} = {first},{dots} {last}"


def free_letter(candidates: Iterable[str], style: Style) -> str:
    """Return the first letter that no quantity, size or time of the network is printed with, nor the number of a layer."""
    bases = [*style.letters.values(), *style.notation.symbols.values(), "t"]
    taken = {spell(letter, "unicode").base for letter in [*bases, *([style.alike.letter] if style.alike else [])]}
    numbered = (f"{candidate}_{number}" for number in count(2) for candidate in candidates)
    return next(c for c in chain(candidates, numbered) if spell(c, "unicode").base not in taken or "_" in c)


def shape_text(shape: tuple[Any, Any], cross: str, style: Style) -> str:
    """Write rows and columns, those of the transpose where vectors are rows."""
    sizes = reversed(shape) if style.notation.rows else shape
    return cross.join(parentheses(text, style) if size.is_Add else text for size in sizes if (text := scalar(size, style)))


def mark_adjoint(orders: tuple[int, ...], style: Style) -> str:
    """Return the ``δ`` in front of an adjoint, ``δ²`` for the second derivation."""
    marks = []
    for order in reversed(orders):
        power = "".join(POWERS[int(digit)] for digit in str(order))
        raised = "" if order == 1 else style.pick(f"^{{{order}}}", power, f"^{order}")
        marks.append(style.pick(r"\delta", "δ", "delta") + raised + style.pick(" ", "", " "))
    return "".join(marks)


def subscripted(base: str, sub: str, style: Style) -> str:
    """Attach a subscript, in braces where needed."""
    if not sub:
        return base
    return f"{base}_{{{sub}}}" if style.latex or len(sub) > 1 else f"{base}_{sub}"


def raised(body: str, sup: str, style: Style) -> str:
    """Attach a superscript that belongs to a name."""
    if not sup:
        return body
    bare = not style.latex and (len(sup) == 1 or re.fullmatch(r"\([^(),]*\)", sup))
    return f"{body}^{sup}" if bare else f"{body}^{{{sup}}}"


def is_bold(shape: tuple[Any, Any], style: Style) -> bool:
    """Tell whether letters of a shape are bold; scalars never are."""
    if shape == (1, 1) or style.notation.bold == "none":
        return False
    return style.notation.bold == "all" or 1 in shape


def static_name(name: str, style: Style, shape: tuple[Any, Any] = (1, 1), *, bar: bool = False) -> str:
    """Write the name of a static quantity: ``W_hh``."""
    base, sub, sup = named(name, style, shape, bar=bar)
    body = f"{base}_{sub}" if not style.latex and sub.isalnum() else subscripted(base, sub, style)
    return raised(body, sup, style)


def named(name: str, style: Style, shape: tuple[Any, Any], *, bar: bool = False) -> tuple[str, str, str]:
    """Spell the letter of a quantity, with a bar for its adjoint where that is wanted."""
    letter = spell(style.letters.get(name, name), style.medium, bold=is_bold(shape, style))
    if mark := style.marks.get(name):
        number = "" if mark.layer is None else style.layer_text(mark.layer)
        above, arrows = style.notation.above, style.notation.arrows
        letter = marked(letter, mark, style.medium, above=above, arrows=arrows, layer=number)
    base, sub, sup = letter
    return (accented(base, "bar", style.medium) if bar else base), sub, sup


def value_name(name: str, time: Any, style: Style, shape: tuple[Any, Any] = (1, 1), *, bar: bool = False) -> str:
    """Write the name of a value at a time: ``h_{t-1}``, ``h^{(t-1)}``; of the series where the time is ``None``."""
    base, sub, sup = named(name, style, shape, bar=bar)
    if time is None:
        return raised(subscripted(base, sub, style), sup, style)
    at = time_text(time, style)
    if style.notation.time == "h_t":
        return raised(subscripted(base, f"{sub},{at}" if sub else at, style), sup, style)
    body = raised(subscripted(base, sub, style), sup, style)
    body = style.pick(f"{{{body}}}", f"({body})") if sup else body
    if style.notation.time == "h^(t)":
        return body + style.pick(f"^{{({at})}}", f"^({at})")
    return body + (f"^{{{at}}}" if style.latex or len(at) > 1 else f"^{at}")


def nabla(below: str, loss: str, style: Style) -> str:
    """Write ``∇_b L`` from two texts."""
    return style.pick(rf"\nabla_{{{below}}} ", f"∇_{{{below}}} ", f"grad_{{{below}}} ") + loss


def derivative(above: str, below: str, style: Style) -> str:
    """Write ``∂a/∂b`` from two texts."""
    return style.pick(
        rf"\frac{{\partial {above}}}{{\partial {below}}}", f"∂{above}/∂{below}",
        "/".join("d" + (part if re.match(r"[A-Za-z](_|\^|$)", part) else f"({part})") for part in (above, below)),
    )
