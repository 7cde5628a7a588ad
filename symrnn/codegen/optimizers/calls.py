"""Formulas of rules as NumPy calls that write in place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sympy import Abs, Add, Expr, Integer, Max, Min, Mul, Symbol, default_sort_key, exp, log, sign, tanh

from symrnn.codegen.optimizers.text import HALF, Writer, is_reciprocal, negative
from symrnn.errors import NotSupportedError

FUNCTIONS: Mapping[type, str] = MappingProxyType({
    Abs: "abs", sign: "sign", exp: "exp", log: "log", tanh: "tanh", Max: "maximum", Min: "minimum",
})
"""NumPy function of each SymPy function that a rule may have of arrays."""


@dataclass(frozen=True)
class Call:
    """One call: ``np.function(*inputs, out=out)``."""

    function: str
    inputs: tuple[str, ...]
    out: str

    @property
    def source(self) -> str:
        """The call as Python."""
        if self.function == "copyto":
            return f"np.copyto({self.out}, {self.inputs[0]})"
        return f"np.{self.function}({', '.join(self.inputs)}, out={self.out})"


@dataclass
class Calls:
    """Makes the calls of formulas; those that are done first are asked for first.

    Attributes:
        arrays: Names of the symbols that are arrays.
        python: Writes formulas of numbers.
        made: The calls since they were last taken.
        numbers: The name of each formula of numbers that is computed before the calls.
        scratch: Names of the arrays for values in between.
    """

    arrays: Collection[str]
    python: Writer
    made: list[Call] = field(default_factory=list)
    numbers: dict[Expr, str] = field(default_factory=dict)
    scratch: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def assign(self, target: Symbol, e: Expr) -> list[Call]:
        """Return the calls of ``target ← e``."""
        self.made = []
        terms = Add.make_args(e)
        shares = {term: term / target for term in terms}
        own = Add(*(share for share in shares.values() if self.is_number(share)))
        rest = [term for term in terms if not self.is_number(shares[term])]
        if own == 0 or any(target in term.free_symbols for term in rest) or self.is_number(e):
            self.store(target, self.number(e) if self.is_number(e) else self.value(e))
            return self.made
        if own != 1:
            self.made.append(Call("multiply", (target.name, self.number(own)), target.name))
        for term in sorted(rest, key=default_sort_key):
            function, size = ("subtract", -term) if negative(term) else ("add", term)
            value = self.number(size) if self.is_number(size) else self.value(size)
            self.made.append(Call(function, (target.name, value), target.name))
            self.release([value])
        return self.made

    def store(self, target: Symbol, value: str) -> None:
        """Put a value where it belongs: the call that made it writes there."""
        if value in self.scratch:
            self.made[-1] = replace(self.made[-1], out=target.name)
            self.release([value])
        else:
            self.made.append(Call("copyto", (value,), target.name))

    def is_number(self, e: Expr) -> bool:
        """Tell whether a formula has no array."""
        return not any(symbol.name in self.arrays for symbol in e.free_symbols)

    def number(self, e: Expr) -> str:
        """Return the text of a number, or the name of a formula of numbers."""
        if e.is_number or e.is_Symbol:
            return self.python.text(e)
        if e not in self.numbers:
            self.numbers[e] = f"s{len(self.numbers) + 1}"
        return self.numbers[e]

    def call(self, function: str, *inputs: str) -> str:
        """Add a call that writes over one of its inputs where it may, and return where its result is."""
        own = [name for name in dict.fromkeys(inputs) if name in self.scratch]
        if not own and not self.unused:
            self.scratch.append(f"w{len(self.scratch) + 1}")
            self.unused.append(self.scratch[-1])
        out = own[0] if own else self.unused.pop()
        self.release(own[1:])
        self.made.append(Call(function, inputs, out))
        return out

    def release(self, names: Collection[str]) -> None:
        """Let arrays be used again."""
        self.unused += [name for name in names if name in self.scratch]

    def value(self, e: Expr) -> str:
        """Compute an array, and return its name.

        Raises:
            NotSupportedError: A function that has no form in NumPy here.
        """
        if e.is_Symbol:
            return str(e.name)
        if e.is_Add:
            return self.total(e)
        if e.is_Mul or is_reciprocal(e):
            return self.product(e)
        if e.is_Pow and self.is_number(e.exp):
            base = self.value(e.base)
            known = {Integer(2): "square", HALF: "sqrt"}
            return self.call(known[e.exp], base) if e.exp in known else self.call("power", base, self.number(e.exp))
        if type(e) not in FUNCTIONS:
            raise NotSupportedError(f"{type(e).__name__} has no form in the code of an optimizer; use {', '.join(sorted(f.__name__ for f in FUNCTIONS))}")
        first, *others = [self.number(a) if self.is_number(a) else self.value(a) for a in sorted(e.args, key=self.is_number)]
        if not others:
            return self.call(FUNCTIONS[type(e)], first)
        for other in others:
            first = self.call(FUNCTIONS[type(e)], first, other)
        return first

    def total(self, e: Expr) -> str:
        """Compute a sum, what is subtracted after what is added."""
        arrays = sorted((a for a in e.args if not self.is_number(a)), key=lambda a: (negative(a), default_sort_key(a)))
        value = self.value(arrays[0])
        for a in arrays[1:]:
            value = self.call("subtract", value, self.value(-a)) if negative(a) else self.call("add", value, self.value(a))
        number = Add(*(a for a in e.args if self.is_number(a)))
        return value if number == 0 else self.call("add", value, self.number(number))

    def product(self, e: Expr) -> str:
        """Compute a product; its numbers are one factor, done last."""
        factors = Mul.make_args(e)
        number = Mul(*(f for f in factors if self.is_number(f)))
        arrays = sorted((f for f in factors if not self.is_number(f)), key=default_sort_key)
        bottom = []
        for f in arrays:
            if is_reciprocal(f):
                scale, plain = self.unscaled(1 / f)
                number /= scale
                bottom.append(plain)
        above = self.all_of([f for f in arrays if not is_reciprocal(f)])
        below = self.all_of(bottom)
        if below and not above:
            return self.call("divide", self.number(number), below)
        value = self.call("divide", above, below) if below else above
        if number == 1:
            return value
        return self.call("negative", value) if number == -1 else self.call("multiply", value, self.number(number))

    def all_of(self, factors: list[Expr]) -> str:
        """Multiply arrays, and return the name of the product; nothing for none."""
        value = ""
        for factor in factors:
            value = self.call("multiply", value, self.value(factor)) if value else self.value(factor)
        return value

    def unscaled(self, e: Expr) -> tuple[Expr, Expr]:
        """Return (a, x + b/a) for a x + b with numbers a and b: one call less where it divides."""
        arrays = [a for a in Add.make_args(e) if not self.is_number(a)]
        if not e.is_Add or len(arrays) != 1:
            return Integer(1), e
        scale = Mul(*(f for f in Mul.make_args(arrays[0]) if self.is_number(f)))
        return (scale, arrays[0] / scale + (e - arrays[0]) / scale) if scale.is_nonzero else (Integer(1), e)
