r"""Short formulas as outlines: names with subscripts, superscripts and accents, as the writer prints them in LaTeX.

The input is what :mod:`symrnn.writer` gives for a name in LaTeX: letters, ``_``, ``^``, braces, accents, fonts and signs. A fraction is
set on one line. What is not known is set as upright letters, so that nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from symrnn.lecture.figures.fonts import UNITS, glyph, has

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
SMALLER = 0.7
LOWER, HIGHER = -200.0, 360.0
SPACE = 220.0
BINARY = frozenset("+−=⊙∘∗×·∤∣")
ACCENTS = MappingProxyType({
    r"\tilde": "\u0303", r"\widetilde": "\u0303", r"\hat": "\u0302", r"\widehat": "\u0302", r"\bar": "\u0304", r"\overline": "\u0304",
    r"\overrightarrow": "→", r"\overleftarrow": "←", r"\vec": "→", r"\dot": "\u0307",
})
FONTS = MappingProxyType({
    r"\mathbf": "bold", r"\boldsymbol": "slanted", r"\bm": "slanted", r"\mathrm": "upright", r"\operatorname": "upright",
    r"\text": "upright", r"\mathit": "italic", r"\mathtt": "upright", r"\mathsf": "upright", r"\mathcal": "italic",
})
SPACES = MappingProxyType({r"\,": 167.0, r"\:": 222.0, r"\;": 278.0, r"\ ": 250.0, r"\!": -120.0, r"\quad": 1000.0, "~": 250.0})
SIGNS = MappingProxyType({
    r"\odot": "⊙", r"\circ": "∘", r"\ast": "∗", r"\times": "×", r"\cdot": "·", r"\top": "⊤", r"\dots": "…", r"\ldots": "…",
    r"\cdots": "⋯", r"\partial": "∂", r"\nabla": "∇", r"\sum": "∑", r"\ell": "ℓ", r"\mid": "∣", r"\nmid": "∤", r"\{": "{", r"\}": "}",
    r"\intercal": "⊺", r"\prime": "′", r"\infty": "∞", r"\star": "⋆", r"\to": "→", r"\in": "∈", r"\le": "≤", r"\ge": "≥",
})
GREEK = MappingProxyType({"\\" + name: letter for name, letter in zip(
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "varepsilon", "vartheta", "varphi", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"],
    "αβγδεζηθικλμνξπρστυφχψωεϑϕΓΔΘΛΞΠΣΥΦΨΩ", strict=True)})
IGNORED = frozenset({r"\left", r"\right", r"\big", r"\bigl", r"\bigr", r"\displaystyle", r"\limits", r"\,"})


@dataclass(frozen=True)
class Placed:
    """A letter at its place, in units of the font."""

    letter: str
    x: float
    y: float
    scale: float


@dataclass
class Run:
    """Letters beside each other.

    Attributes:
        width: Where the next begins.
        top: Of the ink.
        bottom: Of the ink; negative below the line.
        placed: The letters.
    """

    width: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    placed: list[Placed] = field(default_factory=list)

    def add(self, other: Run, y: float = 0.0, scale: float = 1.0, x: float | None = None) -> None:
        """Put another run behind this one, or at a place."""
        at = self.width if x is None else x
        self.placed += [Placed(p.letter, at + p.x * scale, y + p.y * scale, p.scale * scale) for p in other.placed]
        self.top, self.bottom = max(self.top, y + other.top * scale), min(self.bottom, y + other.bottom * scale)
        self.width = max(self.width, at + other.width * scale)


def letter_in(letter: str, font: str) -> str:
    """Return a character of a mathematical alphabet: italic, bold, slanted bold; as it is where there is none."""
    if letter == "-":
        return "−"
    if font == "upright":
        return letter
    if letter == "h" and font == "italic":
        return "\u210e"
    starts = {"italic": (0x1D434, 0x1D44E, 0x1D6FC), "bold": (0x1D400, 0x1D41A, 0x1D6C2), "slanted": (0x1D468, 0x1D482, 0x1D736)}[font]
    for first, last, start in zip("Aaα", "Zzω", starts, strict=True):
        if first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    return chr(0x1D7CE + int(letter)) if font != "italic" and letter in "0123456789" else letter


def single(letter: str, font: str) -> Run:
    """Set one letter; Korean and what else the font has not is set as a box."""
    drawn = letter_in(letter, font)
    drawn = drawn if has(drawn) else letter
    ink = glyph(drawn)
    return Run(ink.advance, ink.top, ink.bottom, [Placed(drawn, 0.0, 0.0, 1.0)])


def accented(base: Run, accent: str) -> Run:
    """Set an accent above a run, in the middle."""
    ink, out = glyph(accent), Run()
    arrow = accent in "←→"
    scale = max(0.55, base.width / (ink.right - ink.left)) if arrow else 1.0
    out.add(base)
    lean = 0.0 if len(base.placed) > 1 or arrow else 60.0
    x = base.width / 2 - (ink.left + ink.right) / 2 * scale + lean
    y = base.top - ink.bottom * scale + 60 if arrow else max(0.0, base.top - 470)
    out.placed.append(Placed(accent, x, y, scale))
    out.top = max(out.top, y + ink.top * scale)
    return out


class Setter:
    """Sets a text, token by token.

    Args:
        text: In LaTeX.
    """

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = TOKEN.findall(text)
        self.at = 0

    def run(self, font: str = "italic", level: int = 0) -> Run:
        """Set all up to the brace that closes, or to the end."""
        out = Run()
        while self.at < len(self.tokens) and self.tokens[self.at] != "}":
            token = self.tokens[self.at]
            if token in SPACES or token.isspace() or token in IGNORED or token == "&":
                self.at += 1
                out.width += SPACES.get(token, 0.0)
                continue
            base = self.atom(font, level)
            sign = base.placed[0].letter if len(base.placed) == 1 else ""
            gap = SPACE if sign in BINARY and level == 0 and out.placed else 0.0
            out.width += gap
            out.add(self.scripted(base, font, level))
            out.width += gap or (120.0 if sign == "," else 0.0)
        self.at += 1
        return out

    def atom(self, font: str, level: int) -> Run:
        """Set what stands next: a letter, a group, an accent, a sign."""
        token = self.tokens[self.at]
        self.at += 1
        if token == "{":
            return self.run(font, level)
        if token in FONTS:
            return self.argument(FONTS[token], level)
        if token in ACCENTS:
            return accented(self.argument(font, level), ACCENTS[token])
        if token == r"\frac":
            parts = [self.argument(font, level), single("/", font), self.argument(font, level)]
            if self.at < len(self.tokens) and self.tokens[self.at] != "}":  # what follows is no part of what is below
                parts = [single("(", font), *parts, single(")", font)]
            out = Run()
            for part in parts:
                out.add(part)
            return out
        if token in SIGNS or token in GREEK:
            return single(SIGNS.get(token) or GREEK[token], font if token in GREEK else "upright")
        if token.startswith("\\") and len(token) > 2:
            return self.word(token[1:])
        return single(token[-1], font)

    def word(self, name: str) -> Run:
        """Set a name such as ``tanh`` upright."""
        out = Run()
        for letter in name:
            out.add(single(letter, "upright"))
        return out

    def argument(self, font: str, level: int) -> Run:
        """Set a group or one token."""
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.atom(font, level) if self.at < len(self.tokens) else Run()

    def scripted(self, base: Run, font: str, level: int) -> Run:
        """Set the subscript and the superscript that follow, under each other."""
        scripts: list[tuple[Run, float]] = []
        while self.at < len(self.tokens) and self.tokens[self.at] in "_^":
            below = self.tokens[self.at] == "_"
            self.at += 1
            height = LOWER if below else max(HIGHER, base.top - 330)
            scripts.append((self.argument(font if font == "upright" else "italic", level + 1), height))
        out = Run()
        out.add(base)
        start = out.width + (20.0 if scripts else 0.0)
        for run, height in scripts:
            out.add(run, height, SMALLER, start + (40.0 if height > 0 else 0.0))
        return out


@dataclass(frozen=True)
class Lettering:
    """A formula that is set, in units of its size in points.

    Attributes:
        width: Of all.
        above: The line on which it stands.
        below: The line.
        placed: Letters, in units of the font.
        size: Points in one em.
    """

    width: float
    above: float
    below: float
    placed: tuple[Placed, ...]
    size: float

    def drawn(self) -> Iterator[str]:
        """Yield the path of each letter."""
        for one in self.placed:
            if path := glyph(one.letter).path:
                yield f'<path transform="translate({one.x:.0f} {one.y:.0f}) scale({one.scale:.3g})" d="{path}"/>'


@cache
def lettering(text: str, size: float = 15.0) -> Lettering:
    """Set a short formula.

    Args:
        text: LaTeX, as the writer prints a name.
        size: Points in one em.

    Raises:
        NotSupportedError: An optional package is not installed.
    """
    run, setter = Run(), Setter(text)
    while setter.at < len(setter.tokens):
        run.add(setter.run())
    scale = size / UNITS
    return Lettering(run.width * scale, run.top * scale, -run.bottom * scale, tuple(run.placed), size)
