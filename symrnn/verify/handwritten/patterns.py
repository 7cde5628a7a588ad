"""Patterns: how an array lies, as a text such as ``D (i f o g) H``.

    pattern = axis, axis, ... with blanks in between
    axis    = size | ( name name ... ) size | ( part + part + ... )
    part    = size | ( name name ... ) size
    size    = a letter | a number | number*letter

``(i f o g) H`` is one axis of ``4*H`` with a block for each gate, in this order; ``(1 + D + H)`` is one axis of parts on top of
each other, 1 for a row of biases. A letter may have a subscript: ``T_x``, ``H1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symrnn.errors import SpecError

TOKEN = re.compile(r"\s*(?:(?P<word>\w+)|(?P<sign>[()+*]))")
SIZE = re.compile(r"[A-Za-z](?:\d+|_[A-Za-z0-9]+)?")
CAPITAL = re.compile(r"[A-Z](?:\d+|_[A-Za-z0-9]+)?")
SIGNS = re.compile(r"[A-Za-z0-9_()+*\s]+")
END = "the end"
EXAMPLE = 'a pattern is such as "D (i f o g) H"'


@dataclass(frozen=True)
class Axis:
    """One axis of an array.

    Attributes:
        size: Its size, as shapes have it: ``H``, ``4*H``, ``H + D``, ``1``.
        gates: Names of the blocks of equal size that it consists of, in order.
        parts: What it consists of, where these are of different kinds: ``H`` and ``D``.
    """

    size: int | str
    gates: tuple[str, ...] = ()
    parts: tuple[Axis, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """How an array lies.

    Attributes:
        text: As it was written.
        axes: One for each axis of the array.
    """

    text: str
    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int | str, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def gates(self) -> tuple[tuple[str, ...], ...]:
        """The names of the blocks of each axis; none where it has no gates."""
        return tuple(axis.gates for axis in self.axes)

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The sizes of the parts of each axis; none where it has no parts."""
        return tuple(tuple(str(part.size) for part in axis.parts) for axis in self.axes)

    @staticmethod
    def parse(text: str) -> Pattern:
        """Read a pattern.

        Args:
            text: Such as ``D (i f o g) H``.

        Returns:
            The pattern, with its axes.

        Raises:
            SpecError: It cannot be read; the message names the place.
        """
        reader = Reader(text, tokens_of(text))
        axes = []
        while reader.token != END:
            axes.append(reader.axis())
        if not axes:
            reader.refuse("an axis")
        return Pattern(text, tuple(axes))


def is_pattern(text: str) -> bool:
    """Tell whether a text that may stand for itself is meant as a pattern.

    It is where it has a bracket, or a word that is one capital letter, and nothing but letters, digits, blanks, ``( ) + *``.
    """
    if not SIGNS.fullmatch(text):
        return False
    return "(" in text or ")" in text or any(CAPITAL.fullmatch(word) for word in re.findall(r"\w+", text))


def tokens_of(text: str) -> list[tuple[str, int]]:
    """Return words and signs with their places.

    Raises:
        SpecError: Something else stands in the text.
    """
    found, place = [], 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            place += len(text[place:]) - len(text[place:].lstrip())
            raise refusal(text, text[place], place, "letters, digits, blanks and ( ) + *")
        token = match["word"] or match["sign"]
        found.append((token, match.end() - len(token)))
        place = match.end()
    return found


def refusal(text: str, token: str, place: int, expected: str) -> SpecError:
    """Make the error for a pattern that cannot be read."""
    got = END if token == END else f"'{token}'"
    return SpecError(f"the pattern '{text}', character {place + 1}: got {got}, expected {expected}; {EXAMPLE}")


class Reader:
    """Reads tokens one by one."""

    def __init__(self, text: str, tokens: list[tuple[str, int]]) -> None:
        self.text, self.tokens, self.at = text, [*tokens, (END, len(text))], 0

    @property
    def token(self) -> str:
        """The token of the moment."""
        return self.tokens[self.at][0]

    def refuse(self, expected: str) -> None:
        """Refuse the token of the moment.

        Raises:
            SpecError: Always.
        """
        raise refusal(self.text, *self.tokens[self.at], expected)

    def take(self, sign: str = "") -> str:
        """Go past a token, which has to be the sign that is named."""
        token = self.token
        if sign and token != sign:
            self.refuse(f"'{sign}'")
        self.at += 1
        return token

    def axis(self) -> Axis:
        """Read an axis."""
        if self.token != "(":
            return self.size()
        return self.stacked() if self.has_parts() else self.blocks()

    def has_parts(self) -> bool:
        """Tell whether a plus stands in the bracket that opens here, and in no bracket inside."""
        depth = 0
        for token, _ in self.tokens[self.at:]:
            depth += (token == "(") - (token == ")")
            if depth == 0:
                return False
            if token == "+" and depth == 1:
                return True
        return False

    def size(self) -> Axis:
        """size = a letter | a number | number*letter."""
        if self.token.isdecimal() and self.tokens[self.at + 1][0] == "*":
            number = self.take()
            self.take("*")
            return Axis(f"{number}*{self.letter()}")
        if self.token.isdecimal() and int(self.token) > 0:
            return Axis(int(self.take()))
        return Axis(self.letter())

    def letter(self) -> str:
        """Read the letter of a size."""
        if not SIZE.fullmatch(self.token):
            self.refuse("a size: one letter, as H or T_x, or a number")
        return self.take()

    def blocks(self) -> Axis:
        """Blocks: ``( name name ... ) size``."""
        self.take("(")
        gates: list[str] = []
        while self.token != ")":
            if not self.token.isidentifier() or self.token in gates:
                self.refuse("the name of a gate, each once, or ')'")
            gates.append(self.take())
        if not gates:
            self.refuse("the names of gates")
        self.take(")")
        if not (self.token.isdecimal() or SIZE.fullmatch(self.token)):
            self.refuse(f"the size of each of the blocks ({' '.join(gates)}), such as H")
        size = self.size().size
        return Axis(f"{len(gates)}*{size}", tuple(gates))

    def stacked(self) -> Axis:
        """Parts: ``( part + part + ... )``."""
        self.take("(")
        parts = [self.part()]
        while self.token != ")":
            self.take("+")
            parts.append(self.part())
        self.take(")")
        return Axis(" + ".join(str(part.size) for part in parts), (), tuple(parts))

    def part(self) -> Axis:
        """Read one part of an axis."""
        return self.blocks() if self.token == "(" else self.size()


__all__ = ["Axis", "Pattern", "is_pattern"]
