"""Reads a printed formula back and computes it: an independent parser of the terminal's text, in any notation."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from symrnn import writer
from symrnn.activations import ACTIVATIONS
from symrnn.expr import At, Static
from symrnn.node_text import write
from symrnn.notation import function_name

BOUND = re.compile(r"Σ_\{(\w+)=")
BRACKET = re.compile(r"\[(\w+) ([∣∤]) ([^]>]+)( > 0)?\]")
WIDTH = 4
"""Columns of a table of embeddings."""
TOKEN = re.compile(
    r"e_\{[^}]*\}|\[\w+ [∣∤] [^]]+\]|sg_\{[^}]*\}|⟨\d+⟩|Σ_\{[^}]*\}\^(?:\{[^}]*\}|\S)|\]_\{[^}]*\}|1ᵀ|𝟙₊|½|\d+|\^∘⁻¹|⁻¹|ᵀ|[^\W\d_ᵀ]+(?:_[^\Wᵀ]+)?′*|[-+()\[\];,]|[^\s\w]"
)


def softmax(z, mask):
    """Softmax of a column, over the entries that a mask leaves in."""
    return mask * np.exp(z) / (mask * np.exp(z)).sum()


FUNCTIONS = {
    "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0), "phi": np.sin,
    "phi'": np.cos, "softmax": lambda z: softmax(*z) if isinstance(z, tuple) else softmax(z, 1), "log": np.log, "sg": lambda z: z,
    "step": lambda z: 1.0 * (z > 0), "softplus": lambda z: np.log(1 + np.exp(z)),
    "rsqrt": lambda z: 1 / np.sqrt(z),
}


def leaves_in(node, style):
    """Printed text of every quantity in a formula, to the quantity with its bound index named."""
    text = writer.formula(node, style)
    letter = BOUND.search(text)
    found = {}
    for leaf in node.atoms(At, Static):
        bound = [s for s in leaf.time.free_symbols if s.name.startswith("_s")] if isinstance(leaf, At) else []
        own = replace(style, indices=dict.fromkeys(bound, letter[1])) if letter else style
        key = (leaf.key if isinstance(leaf, Static) else leaf.series.key, "bound" if bound else getattr(leaf, "time", ""),
               leaf.time - bound[0] if bound else 0)
        found[write(leaf, own)[0]] = key
    return text, found


def with_keys(node, style):
    """Return the text with a number for each quantity, and the quantities by their numbers."""
    text, found = leaves_in(node, style)
    keys = []
    for name in sorted(found, key=len, reverse=True):
        edges = (r"(?<![\w⟨])" if re.match(r"\w", name) else "", r"(?![^\Wᵀ]|\^[^∘])" if re.search(r"\w$", name) else "")
        text = re.sub(edges[0] + re.escape(name) + edges[1], f"⟨{len(keys)}⟩", text)
        keys.append(found[name])
    return text, keys


class Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text, values, profile, numbers=None):
        self.numbers = numbers or {}
        self.tokens = [t for t in TOKEN.findall(text) if not t.isspace()]
        self.values, self.rows, self.sign = values, profile.rows, profile.hadamard[1]
        own = {row.text: name for name, row in ACTIVATIONS.items()} | {"φ": "phi", "φ′": "phi'"}
        given = {function_name(letter, "unicode"): name for name, letter in profile.functions.items()}
        own |= given | {letter + "′": name + "'" for letter, name in given.items()}
        self.names = {**{name: name for name in FUNCTIONS}, **own}

    def next(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, expected=None):
        token = self.tokens.pop(0)
        assert expected in {None, token}, f"{token!r} where {expected!r} is due"
        return token

    def whole(self):
        value = self.sum()
        assert not self.tokens, self.tokens
        return value

    def sum(self):
        value = -self.term(self.take()) if self.next() == "-" else self.term("")
        while self.next() in {"+", "-"}:
            sign = self.take()
            value = value + self.term(sign) if sign == "+" else value - self.term(sign)
        return value

    def term(self, _):
        if self.next().startswith("Σ"):
            self.take()
            return self.term("")
        factors = [self.factor()]
        if self.next() == self.sign:
            while self.next() == self.sign:
                self.take()
                factors.append(self.factor())
            return np.prod(np.broadcast_arrays(*(np.ones((1, 1)) if isinstance(f, str) else f for f in factors)), axis=0)
        while self.next() and self.next() not in {"+", "-", ")", ";", ",", "]"} and not self.next().startswith("]_"):
            assert self.next() != self.sign, "a product and an elementwise product side by side"
            factors.append(self.term("") if self.next().startswith("Σ") else self.factor())
        return self.multiplied(factors)

    def multiplied(self, factors):
        """A product; ones are as many as the factor beside them has entries, and spread where there is none."""
        for place, factor in enumerate(factors):
            if isinstance(factor, str):
                factors[place] = self.ones(factor, factors[:place], factors[place + 1:])
        value = factors[0]
        for factor in factors[1:]:
            value = value * factor if 1 in {np.size(value), np.size(factor)} else value @ factor
        return value

    def place(self, text, width):
        """Some column: that of a quantity by its value, that of a time the first one."""
        return int(100 * self.values[int(text[1:-1])].item()) % width if text.startswith("⟨") else 0

    def ones(self, sign, before, after):
        """``1`` is a column and ``1ᵀ`` a row; where vectors are rows, the other way round."""
        if (sign == "1") != self.rows:
            return np.ones((before[-1].shape[1], 1)) if before and np.size(before[-1]) > 1 else np.ones((1, 1))
        if not after:
            return np.ones((1, 1))
        other = self.multiplied(list(after))
        return np.ones((1, other.shape[0])) if np.size(other) > 1 else np.ones((1, 1))

    def factor(self):
        value = self.atom()
        if self.next() == "/":
            self.take()
            return np.array(1.0 if isinstance(value, str) else value) / self.factor()
        while self.next() in {"ᵀ", "⁻¹", "^∘⁻¹"}:
            value = value.T if self.take() == "ᵀ" else 1 / value
        return value

    def atom(self):
        token = self.take()
        if token.startswith("⟨"):
            return self.values[int(token[1:-1])]
        if token in {"1", "1ᵀ"}:
            return token
        if token.startswith("e_{"):
            column = np.eye(WIDTH)[:, [self.place(token[3:-1], WIDTH)]]
            return column.T if self.rows else column
        if token == "½" or token.isdigit():
            return np.array([[0.5 if token == "½" else float(token)]])
        if token == "(":
            value = self.sum()
            if self.next() == ";":
                self.take()
                value = value, self.sum()
            self.take(")")
            return value
        if token == "[":
            return self.stack()
        if token.startswith("["):
            return np.array([[float(self.divides(token))]])
        if token.startswith("sg_"):
            return self.factor()
        function = FUNCTIONS[self.names[token]]
        return function(self.factor())

    def divides(self, token):
        """Whether a number divides a time, as the bracket says it: ``[J ∤ t]``, ``[J ∣ t-1 > 0]``."""
        number, sign, time, above = BRACKET.fullmatch(token).groups()
        parts = re.findall(r"([-+]?)(\w+)", time)
        modulus = self.number(number)
        value = sum((-1 if minus == "-" else 1) * self.number(part) for minus, part in parts)
        holds = value % modulus == 0 and (value > 0 or not above)
        return holds if sign == "∣" else not holds

    def number(self, text):
        return int(text) if text.isdigit() else self.numbers[text]

    def stack(self):
        parts = [self.sum()]
        while self.next() in {";", ","}:
            assert self.take() == ("," if self.rows else ";")
            parts.append(self.sum())
        end, axis = self.take(), 1 if self.rows else 0
        value = np.concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]
        if end == "]":
            return value
        place = end[3:-1]
        if re.fullmatch(r"[^:]+,:" if self.rows else r":,[^:]+", place):  # a column of a matrix, which is a row where vectors are
            number = self.place(place.strip(":,"), value.shape[1 - axis])
            return value[[number], :] if self.rows else value[:, [number]]
        *leading, place = place.split(",")
        assert leading in ([], [":"] if self.rows else []), end
        lo, hi = map(int, place.split(":"))
        return np.take(value, range(lo - 1, hi), axis=axis)
