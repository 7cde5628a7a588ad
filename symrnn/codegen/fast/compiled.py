"""Recurrent loops as functions that Numba compiles: products and loops over rows, for one sequence after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from sympy import Basic, Expr, Integer, expand

from symrnn.codegen.arguments import BATCH
from symrnn.codegen.body import condition
from symrnn.codegen.fast.scalar import Rows, groups, key, needed
from symrnn.codegen.fast.steps import Call, Guarded, Nest, Operand, Ref, Step, Times
from symrnn.codegen.fast.views import Views
from symrnn.codegen.formatting import WIDTH, signature
from symrnn.codegen.values import Scope
from symrnn.expr import Static, t

TAB = "    "
SEQUENCE = "sequence"
"""The index of the sequences of a batch."""

COMPILED = '''
compiled = njit(cache="__file__" in globals(), error_model="numpy", fastmath={"contract"}, nogil=True)
"""Compiles a function when it is first called; a product and a sum may be rounded once."""


def check_precision(dtype):
    """Check that compiled loops can compute in a precision."""
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"compiled loops compute in float32 or float64; got {dtype}: convert the arrays")
'''
WEIGHTED_SUM = '''
@compiled
def weighted_sum(rows, values, out):
    """Write the sum of rows[k] * values[k]: four rows at a time, since the result is read and written each time."""
    whole = len(values) - len(values) % 4
    for j in range(len(out)):
        out[j] = 0
    for k in range(0, whole, 4):
        first, second, third, fourth = values[k], values[k + 1], values[k + 2], values[k + 3]
        for j in range(len(out)):
            out[j] += (rows[k, j] * first + rows[k + 1, j] * second) + (rows[k + 2, j] * third + rows[k + 3, j] * fourth)
    for k in range(whole, len(values)):
        value = values[k]
        for j in range(len(out)):
            out[j] += rows[k, j] * value
'''
TANH = '''
def tanh_numbers(real):
    """What tanh needs in a precision: bounds, log 2 in two parts of which the first has few digits, the series of exp."""
    digits, terms = (44, 14) if real is np.float64 else (15, 9)
    high = math.floor(math.log(2) * 2.0**digits) / 2.0**digits
    low = math.log(2) - high + 2.3190468138462996e-17  # log 2 has this beside its 53 digits
    series = [1 / math.factorial(n) for n in range(terms - 1, 1, -1)]
    return tuple(map(real, (0, 1, 2, 44, 1.5 * 2**23, 1 / math.log(2), high, low))), tuple(map(real, series))


TANH = {np.dtype(real): tanh_numbers(real) for real in (np.float32, np.float64)}


@compiled
def tanh(x, numbers):
    """e / (e + 2) with e = exp(2 |x|) - 1 = 2**k p + (2**k - 1), p = exp(r) - 1, r = 2 |x| - k log 2; without branches."""
    (zero, one, two, most, shift, per, high, low), series = numbers
    z = two * abs(x)
    z = most if z > most else z
    shifted = np.float32(z * per + shift)  # rounds: its last digits are k
    k = one * (shifted - np.float32(1.5 * 2**23))
    bits = np.int32((shifted.view(np.int32) << 23) + 0x3F800000)
    power = one * bits.view(np.float32)
    r = (z - k * high) - k * low
    sum_ = zero
    for term in series:
        sum_ = sum_ * r + term
    e = power * (r + r * r * sum_) + (power - one)
    value = e / (e + two)
    return -value if x < zero else value
'''


@dataclass
class Loops:
    """The compiled loops of a function.

    Attributes:
        views: The arrays of the workspace, and their names.
        own: Name of the class of its workspace; the names of the loops begin with it.
        comment: Writes the formulas of some equations.
        number: Returns the name of a scalar.
        sources: The functions.
    """

    views: Views
    own: str
    comment: Callable[[Sequence[Basic]], list[str]]
    number: Callable[[Operand, None], str]
    sources: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """What the names begin with: ``loss_batch_first``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.own).lower()

    def call(self, nest: Nest, scope: Scope) -> list[str]:
        """Write a loop as a function of its own; return its call."""
        loop = Loop(self, scope)
        name = f"{self.prefix}_loop_{len(self.sources) + 1}"
        lines = loop.body(nest)
        text = "\n".join(lines)
        sizes = sorted(size for size in scope.names.sizes.values() if re.search(rf"\b{size}\b", text))
        given = {**dict.fromkeys(sizes, ""), **dict(sorted(loop.given.items()))}
        head = ["@compiled", *signature(name, list(given), []), f'{TAB}"""Take the steps of a loop over time, for each sequence."""']
        self.sources.append("\n".join([*head, *(TAB + line for line in lines)]) + "\n")
        scope.used.helpers |= {"compiled": COMPILED, **({"weighted_sum": WEIGHTED_SUM} if "weighted_sum(" in text else {}), **({"tanh": TANH} if "numbers" in given else {})}
        arguments = ", ".join(code or name for name, code in given.items())
        whole = f"{name}({arguments})"
        return [whole] if len(whole) < 100 else [f"{name}(", *(TAB + line for line in wrap(arguments, WIDTH, break_long_words=False)), ")"]


@dataclass
class Loop:
    """Writes one loop.

    Attributes:
        loops: The loops of its function.
        scope: Identifiers; the time is bound.
        given: Arguments, with what is given for them where that has another name.
        rows: Names of the rows that some statements read and write, with their code.
        known: Names of rows.
    """

    loops: Loops
    scope: Scope
    given: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[object, ...], str] = field(default_factory=dict)

    @property
    def index(self) -> str:
        """The letter of the rows."""
        return next(letter for letter in ("j", *self.scope.names.indices) if letter in self.scope.names.indices and letter != "t")

    def body(self, nest: Nest) -> list[str]:
        """Write the loop over time."""
        number = self.scope.number
        lo, hi = nest.span.lo, nest.span.hi
        ends = f"{number(lo)}, {number(hi + 1)}" if nest.step == 1 else f"{number(hi)}, {number(lo - 1)}, -1"
        out = [f"for t in range({ends}):"]
        run: list[Step] = []
        for place, part in enumerate([*nest.body, None]):
            if isinstance(part, Call | Times):
                run.append(part)
                continue
            after = nest.body[place:]
            out += [TAB + line for line in self.sequences(run, after)]
            run = []
            if isinstance(part, Guarded):
                for number_, (span, steps) in enumerate(part.branches):
                    last = part.complete and number_ == len(part.branches) - 1
                    word = "if" if number_ == 0 else "elif"
                    out.append(TAB + ("else:" if last else f"{word} {condition(span, nest.span, self.scope)}:"))
                    out += [2 * TAB + line for line in self.sequences(steps, after[1:]) or ["pass"]]
        return out

    def sequences(self, steps: Sequence[Step], after: Sequence[Step | Guarded]) -> list[str]:
        """Write steps that follow each other, for each sequence."""
        if not steps:
            return []
        self.rows = {}
        lines: list[str] = []
        parts = list(groups(steps, self.brief))
        for place, part in enumerate(parts):
            if isinstance(part, Times):
                lines += [*self.loops.comment(part.equations), self.product(part)]
                continue
            rest = [step for later in parts[place + 1:] for step in ([later] if isinstance(later, Times) else later)]
            lines += self.loops.comment(list(dict.fromkeys(e for call in part for e in call.equations)))
            lines += self.calls(part, [*rest, *after])
        made = [f"{name} = {code}" for name, code in self.rows.items()]
        return [f"for {SEQUENCE} in range({self.scope.number(BATCH)}):", *(TAB + line for line in [*made, *lines])]

    def calls(self, calls: Sequence[Call], after: Sequence[Step | Guarded]) -> list[str]:
        """Write the loop over rows that some calls share."""
        rows = Rows(calls, self.place, self.index, lambda ref: not self.brief(ref) or needed(ref, after))
        count = self.scope.number(expand(calls[0].out.hi - calls[0].out.lo))
        lines = rows.lines()
        if any("numbers" in line for line in lines):
            self.given["numbers"] = "TANH[dtype]"
        return [f"for {self.index} in range({count}):", *(TAB + line for line in lines)]

    def product(self, step: Times) -> str:
        """Write a product of a matrix and the rows of a value."""
        name = step.weight if step.turned else f"{step.weight}_T"
        self.given[name] = f"np.ascontiguousarray({name})"
        return f"weighted_sum({name}, {self.row(step.operand)}, {self.row(step.out)})"

    def place(self, operand: Operand, index: str) -> str:
        """Write a number, or an entry of rows."""
        if isinstance(operand, Ref):
            return f"{self.row(operand)}[{index}]"
        name = self.loops.number(operand, None)
        self.given[name] = f"{name}[()]"
        return name

    def brief(self, ref: Ref) -> bool:
        """Tell whether rows hold a value for one time only."""
        return ref.array in self.loops.views.brief or ref.array in self.loops.views.scratch

    def row(self, ref: Ref) -> str:
        """Return the name of rows at a time, for one sequence."""
        views, number = self.loops.views, self.scope.number
        whole = self.whole(Ref(ref.array, Integer(0), ref.height, ref.height, ref.time))
        if ref.time is None and not self.brief(ref):
            return whole
        name = self.known.get(key(ref))
        if name is None:
            name = f"{ref.array}_row" if ref.array in views.scratch else views.name(ref, number) + self.suffix(ref.time)
            statics = {own for q, own in self.scope.names.quantities.items() if isinstance(q, Static)}
            while name in self.known.values() or name in statics:
                name += "_"
            self.known[key(ref)] = name
        at = "" if ref.time is None else f"{number(views.index(ref.array, ref.time))}, "
        at = "0, " if ref.array in views.scratch and views.scratch[ref.array][1] is not None else at
        some = "" if ref.whole else f", {number(expand(ref.lo))}:{number(expand(ref.hi))}"
        self.rows[name] = f"{whole}[{at}{SEQUENCE}{some}]"
        return name

    def suffix(self, time: Expr | None) -> str:
        """Return what tells the rows of one time from those of another."""
        gap = Integer(0) if time is None else expand(time - t)
        return "" if gap == 0 else f"_{'m' if gap.is_negative else 'p'}{abs(gap)}" if gap.is_Integer else "_there"

    def whole(self, ref: Ref) -> str:
        """Return the name of an array."""
        views = self.loops.views
        if ref.array in views.scratch:
            views.used.setdefault(ref.array, "")
            name, code = ref.array, ""
        elif ref.array in views.brief:
            name, code = views.now(ref, self.scope), ""
        elif ref.time is None:
            name, code = ref.array, f"np.ascontiguousarray({ref.array})"
        else:
            name, code = views.use(views.name(ref, self.scope.number), ref, self.scope.number), ""
        self.given[name] = code
        return name
