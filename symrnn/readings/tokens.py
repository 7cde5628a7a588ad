r"""Formulas in LaTeX as lists of tokens, so that two writers' formulas can be compared.

Dropped is what does not change the meaning: spaces, the size of brackets, the sign of a product (``\odot``, ``\cdot``,
``\ast`` and nothing at all are one), brackets around a product without a sum, braces around a single token, ``\mathrm``
and ``\operatorname`` around a word. A name with its subscripts and its time is one token: ``h_{t-1}``, ``h^{(t)}``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from symrnn.errors import SpecError

LEXEME = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S", re.DOTALL)
SIZES = frozenset({
    r"\left", r"\right", r"\mathopen", r"\mathclose", r"\big", r"\bigl", r"\bigr", r"\Big", r"\Bigl", r"\Bigr",
    r"\,", r"\;", r"\:", r"\!", "\\ ", "~", r"\displaystyle", r"\limits",
})
PRODUCTS = frozenset({r"\cdot", r"\odot", r"\ast", r"\circ", r"\times", r"\otimes", "*"})
WORDS = frozenset({r"\mathrm", r"\operatorname", r"\text", r"\textrm"})
DRESSES = frozenset({
    r"\tilde", r"\hat", r"\bar", r"\vec", r"\dot", r"\widetilde", r"\widehat", r"\overline", r"\mathit", r"\mathbf",
    r"\boldsymbol", r"\bm", r"\mathcal", r"\mathbb", r"\mathsf", r"\mathfrak", r"\begin", r"\end",
})
"""Commands that make one token with the group behind them."""
OPERATORS = frozenset({"+", "-", "=", ",", "(", ")", "[", "]", "{", "}", "&", r"\\", "|", ":", ";"})
TRANSPOSE = r"^{\top}"


def tokens(latex: str, functions: Collection[str] = ()) -> list[str]:
    """Return the tokens of a formula.

    Args:
        latex: Math mode.
        functions: Tokens that are functions: the brackets behind them stay.

    Raises:
        SpecError: A brace or a bracket is not closed.
    """
    reader = Reader(LEXEME.findall(latex), latex)
    found = reader.sequence()
    if reader.rest:
        raise SpecError(f"a brace is closed that was not opened: {latex}")
    return without_idle_brackets(found, functions, latex)


@dataclass
class Reader:
    """Reads lexemes from the front."""

    rest: list[str]
    latex: str

    def __post_init__(self) -> None:
        """Turn the lexemes round: the next one is the last."""
        self.rest.reverse()

    def sequence(self) -> list[str]:
        """Read up to the brace that closes, or to the end."""
        out: list[str] = []
        while self.rest and self.rest[-1] != "}":
            lexeme = self.rest.pop()
            if lexeme in {"_", "^"}:
                self.script(out, lexeme)
            elif lexeme == "'" and out:
                out[-1] += "'"
            elif lexeme == "." and self.rest[-1:] == ["T"]:
                self.rest.pop()
                out.append(TRANSPOSE)
            elif lexeme not in SIZES and lexeme not in PRODUCTS:
                out += self.atom(lexeme)
        return out

    def atom(self, lexeme: str) -> list[str]:
        """Read what a lexeme begins."""
        if lexeme == "{":
            inner = self.group_tokens()
            return inner if len(inner) <= 1 else ["{", *inner, "}"]
        if lexeme in WORDS:
            word = self.raw().replace(r"\_", "_")
            return [word if len(word) > 1 else f"{lexeme}{{{word}}}"]
        return [f"{lexeme}{{{self.raw()}}}"] if lexeme in DRESSES else [lexeme]

    def script(self, out: list[str], sign: str) -> None:
        """Read a subscript or superscript: part of the name, except for a transpose or a power."""
        content = self.raw()
        if content in {r"\top", r"\intercal"}:
            out.append(TRANSPOSE)
        elif not out or out[-1] in OPERATORS or (sign == "^" and not content.startswith("(")):
            out.append(f"{sign}{{{content}}}")
        else:
            out[-1] += f"{sign}{{{content}}}"

    def group_tokens(self) -> list[str]:
        """Read a group that was opened, as tokens."""
        inner = self.sequence()
        if not self.rest:
            raise SpecError(f"a brace is not closed: {self.latex}")
        self.rest.pop()
        return inner

    def raw(self) -> str:
        """Read the argument of a command, as text without spaces."""
        if not self.rest:
            raise SpecError(f"an argument is missing at the end: {self.latex}")
        first = self.rest.pop()
        if first != "{":
            return first
        out, depth = [], 1
        while depth:
            if not self.rest:
                raise SpecError(f"a brace is not closed: {self.latex}")
            lexeme = self.rest.pop()
            depth += (lexeme == "{") - (lexeme == "}")
            out.append(lexeme)
        return "".join(out[:-1])


def without_idle_brackets(found: list[str], functions: Collection[str], latex: str) -> list[str]:
    """Drop round brackets that hold no sum and stand behind no function."""
    opened: list[int] = []
    idle: set[int] = set()
    for place, token in enumerate(found):
        if token == "(":
            opened.append(place)
        elif token == ")":
            if not opened:
                raise SpecError(f"a bracket is closed that was not opened: {latex}")
            start = opened.pop()
            called = start > 0 and found[start - 1] in functions
            if not called and not is_sum(found[start + 1:place]):
                idle |= {start, place}
    if opened:
        raise SpecError(f"a bracket is not closed: {latex}")
    return [token for place, token in enumerate(found) if place not in idle]


def is_sum(inner: list[str]) -> bool:
    """Tell whether there is a sum or a list outside of every bracket."""
    depth = 0
    for token in inner:
        depth += (token in {"(", "[", "{"}) - (token in {")", "]", "}"})
        if depth == 0 and token in {"+", "-", ",", "="}:
            return True
    return False
