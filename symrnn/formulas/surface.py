"""The surface of a formula: a tree of sums, terms and scripts with places, and letters in one plain form.

The grammar is in ``grammar.lark``. Nothing here knows what a letter means.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any
from unicodedata import normalize

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from symrnn.errors import SpecError
from symrnn.notation.spelling import FONTS, LETTERS

COMMANDS = {
    **LETTERS, "varphi": "φ", "varepsilon": "ε", "vartheta": "θ", "top": "⊤", "intercal": "⊤", "prime": "′", "odot": "⊙",
    "circ": "∘", "ast": "∗", "star": "⋆", "mid": "∣", "nmid": "∤", "dots": "…", "ldots": "…", "cdots": "…", "partial": "∂",
    "Delta": "Δ", "Gamma": "Γ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}
ABOVE = {
    "tilde": "\u0303", "widetilde": "\u0303", "hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304",
    "vec": "\u20d7", "dot": "\u0307", "overrightarrow": "\u20d7", "overleftarrow": "\u20d6",
}
BLANK = re.compile(r"\\[,;:! ]|\\(left|right|quad|qquad|displaystyle|mathopen|mathclose|[bB]igg?[lr]?)(?![A-Za-z])|[\s~]")
GROUP = r"\{([^{}]*)\}"
SINGLE = {"ᵀ": "⊤", "'": "′", "−": "-", "|": "∣", "⁻¹": "-1"}


class FormulaError(SpecError):
    """A formula that cannot be read, with the place.

    Attributes:
        formula: The text.
        column: Where, counted from 1.
        reason: What is wrong there.
    """

    def __init__(self, formula: str, column: int, reason: str) -> None:
        self.formula, self.column, self.reason = formula, column, reason
        super().__init__(f"column {column} of the formula: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.formula, self.column, self.reason)

    @property
    def marked(self) -> str:
        """The formula, and below it a caret at the place."""
        return f"{self.formula}\n{' ' * (self.column - 1)}^"


@cache
def grammar() -> Lark:
    """Load the grammar."""
    text = files("symrnn.formulas").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def parse(formula: str) -> Tree[Token]:
    """Return the tree of a formula.

    Raises:
        FormulaError: The text is no formula.
    """
    try:
        return grammar().parse(formula)
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        raise FormulaError(formula, place + 1, f"{formula[place]!r} is no sign of a formula") from None
    except UnexpectedToken as error:
        raise FormulaError(formula, *unexpected(error, formula)) from None
    except UnexpectedInput as error:
        raise FormulaError(formula, (error.pos_in_stream or 0) + 1, "this is no formula") from None


def unexpected(error: UnexpectedToken, formula: str) -> tuple[int, str]:
    """Return the place of a sign that does not fit, and what is wrong."""
    wanted = set(error.expected)
    if error.token.type == "$END":
        closing = [sign for name, sign in (("RBRACE", "}"), ("RPAR", ")"), ("RSQB", "]"), ("END", r"\end")) if name in wanted]
        what = f"a bracket is not closed, {' or '.join(closing)} is missing" if closing else "a quantity is missing"
        return len(formula) + 1, f"the formula ends too early: {what}"
    place = (error.token.start_pos or 0) + 1
    where = "stands where a quantity is due" if "WORD" in wanted and "OPERATOR" not in wanted else "does not fit here"
    return place, f"{str(error.token)!r} {where}"


def place_of(tree: Any) -> int:
    """Return where a part of a formula begins."""
    return tree.start_pos or 0 if isinstance(tree, Token) else getattr(tree.meta, "start_pos", 0)


def source_of(tree: Any, formula: str) -> str:
    """Return the text of a part of a formula."""
    end = tree.end_pos if isinstance(tree, Token) else getattr(tree.meta, "end_pos", place_of(tree))
    return formula[place_of(tree):end]


def unwrapped(raw: str) -> str:
    """Take the braces off a script."""
    return raw[1:-1] if raw.startswith("{") and raw.endswith("}") else raw


@cache
def plain(raw: str) -> str:
    """Write a letter or a script in one plain form: without fonts, braces and blanks, with accents behind their letter."""
    text = re.sub(r"\\([A-Za-z]+)", lambda m: m[0] if m[1] not in COMMANDS else COMMANDS[m[1]], BLANK.sub(" ", raw))
    text = re.sub(rf"\\({'|'.join([*FONTS, 'operatorname', 'bm'])})\*?(?![A-Za-z])", "", text)
    accent = re.compile(rf"\\({'|'.join(ABOVE)})\s*(?:{GROUP}|(\w))")
    before = None
    while before != text:
        before = text
        text = accent.sub(lambda m: (m[2] if m[2] is not None else m[3]).strip() + ABOVE[m[1]], text)
        text = re.sub(r"(?<![\\A-Za-z])" + GROUP, r"\1", text) if before == text else text
    text = re.sub(r"[{}\s]", "", text).replace("\\", "")
    for sign, other in SINGLE.items():
        text = text.replace(sign, other)
    return normalize("NFD", text)
