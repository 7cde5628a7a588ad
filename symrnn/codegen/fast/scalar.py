"""Elementwise calls as loops over rows, one number at a time: neighbouring calls share a loop, and most values in between are not stored.

The loops are for a compiler. Each of them reads and writes few places, since a compiler that works on several numbers at once
has to compare every place that is written with all others: they might overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sympy import Expr, Integer, expand

from symrnn.codegen.fast.merging import overlap, read
from symrnn.codegen.fast.steps import Call, Guarded, Number, Operand, Ref, Step, Times
from symrnn.codegen.values import ATOM, PRODUCT, SUM
from symrnn.expr import same

MOST = 8
"""So many pairs of places are compared before a loop, at most."""


@dataclass(frozen=True)
class Scalar:
    """How a function is written for numbers.

    Attributes:
        form: The expression.
        level: How tightly it binds.
        inner: How tightly each operand has to bind.
    """

    form: str
    level: int
    inner: tuple[int, ...] = (SUM,)


SCALARS = {
    "copyto": Scalar("{}", SUM),
    "add": Scalar("{} + {}", SUM, (SUM, PRODUCT)),
    "subtract": Scalar("{} - {}", SUM, (SUM, PRODUCT)),
    "multiply": Scalar("{} * {}", PRODUCT, (PRODUCT, ATOM)),
    "divide": Scalar("{} / {}", PRODUCT, (PRODUCT, ATOM)),
    "negative": Scalar("-{}", PRODUCT, (ATOM,)),
    "tanh": Scalar("tanh({}, numbers)", ATOM),
    **{name: Scalar(f"math.{name}({{}})", ATOM) for name in ("sin", "cos", "exp", "log")},
}
"""The functions that calls have; ``numbers`` are what ``tanh`` needs."""


def is_scalar(step: Step) -> bool:
    """Tell whether a step can be written for one number after the other: it reads no row that it has written."""
    if isinstance(step, Times):
        return step.plus is None and not overlap(step.operand, step.out)
    if not isinstance(step, Call) or (step.function not in SCALARS and step.function != "reciprocal"):
        return False
    return not any(overlap(ref, call.out) and key(ref)[2:] != key(call.out)[2:] for call in pieces(step) for ref in read(call))


def height(ref: Ref) -> Expr:
    """Return the number of rows."""
    return expand(ref.hi - ref.lo)


def pieces(call: Call) -> list[Call]:
    """Return a call for each piece of the rows that a call sees as pieces; ``1 / x`` as a division."""
    if call.function == "reciprocal":
        call = replace(call, function="divide", inputs=(Number(Integer(1)), *call.inputs))
    count = max(ref.pieces for ref in (*read(call), call.out))
    if count == 1:
        return [call]

    def piece(operand: Operand, place: int) -> Operand:
        if isinstance(operand, Number) or operand.spread:
            return operand if isinstance(operand, Number) else replace(operand, pieces=1, spread=False)
        return part(operand, place)

    def part(ref: Ref, place: int) -> Ref:
        rows = height(ref) / ref.pieces
        return replace(ref, lo=expand(ref.lo + place * rows), hi=expand(ref.lo + (place + 1) * rows), pieces=1)

    return [
        replace(call, inputs=tuple(piece(operand, place) for operand in call.inputs), out=part(call.out, place)) for place in range(count)
    ]


def groups(steps: Sequence[Step], brief: Callable[[Ref], bool]) -> Iterator[Times | list[Call]]:
    """Yield products, and runs of calls that can share a loop.

    Args:
        steps: Calls and products.
        brief: Tells whether rows hold a value for one time only, which needs no place where all that read it share its loop.
    """
    for is_call, some in groupby(steps, key=lambda step: isinstance(step, Call)):
        if not is_call:
            yield from (step for step in some if isinstance(step, Times))
            continue
        group: list[Call] = []
        for unit in units([call for step in some if isinstance(step, Call) for call in pieces(step)], brief):
            for more in [unit] if share([*group, *unit], brief) or share(unit, brief) else [[call] for call in unit]:
                if group and not share([*group, *more], brief):
                    yield group
                    group = []
                group += more
        yield group


def units(calls: Sequence[Call], brief: Callable[[Ref], bool]) -> list[list[Call]]:
    """Put calls together that hand on values for one time."""
    out: list[list[Call]] = []
    last = -1
    for place, call in enumerate(calls):
        if place > last:
            out.append([])
        out[-1].append(call)
        for later in range(place + 1, len(calls)) if brief(call.out) else ():
            if any(key(ref) == key(call.out) for ref in read(calls[later])):
                last = max(last, later)
            if key(calls[later].out) == key(call.out):
                break
    return out


def share(calls: Sequence[Call], brief: Callable[[Ref], bool]) -> bool:
    """Tell whether calls can share a loop: each entry depends on entries of the same row, and there are few places to compare."""
    for place, call in enumerate(calls):
        for other in calls[:place]:
            pairs = [(call.out, ref) for ref in (*read(other), other.out)] + [(other.out, ref) for ref in read(call)]
            if not same(height(call.out), height(other.out)) or any(overlap(a, b) and key(a) != key(b) for a, b in pairs):
                return False
    made = {key(call.out) for call in calls}
    written = {key(call.out) for call in calls if not brief(call.out)}
    others = {key(ref) for call in calls for ref in read(call)} - made
    return len(written) * len(others) + len(written) * (len(written) - 1) // 2 <= MOST


def key(ref: Ref) -> tuple[object, ...]:
    """Return what is the same for the same rows."""
    return ref.array, None if ref.time is None else expand(ref.time), expand(ref.lo), expand(ref.hi)


def needed(ref: Ref, after: Sequence[Step | Guarded]) -> bool:
    """Tell whether a value for one time is read by what follows in the same step of a loop."""
    for part in after:
        if isinstance(part, Guarded):
            if any(needed(ref, steps) for _, steps in part.branches):
                return True
        elif isinstance(part, Call | Times):
            if any(overlap(ref, other) for other in read(part)):
                return True
            if key(part.out) == key(ref):
                return False
    return False


@dataclass
class Rows:
    """Writes the loop that some calls share.

    Attributes:
        calls: The calls.
        operand: Writes a number, or the rows at an index, as a place.
        index: The letter of the index.
        kept: Tells whether rows are needed behind the loop.
    """

    calls: Sequence[Call]
    operand: Callable[[Operand, str], str]
    index: str
    kept: Callable[[Ref], bool]

    def lines(self) -> list[str]:
        """Write the statements of the loop; a value that is read once and then not needed is written where it is read."""
        out: list[str] = []
        pending: dict[tuple[object, ...], tuple[str, int]] = {}
        for place, call in enumerate(self.calls):
            scalar = SCALARS[call.function]
            code = scalar.form.format(*(self.value(*pair, call, pending) for pair in zip(call.inputs, scalar.inner, strict=True)))
            for ref in read(call):
                pending.pop(key(ref), None)
            if self.deferred(place):
                pending[key(call.out)] = (code, scalar.level)
            elif self.used(place):
                out.append(f"{self.operand(call.out, self.index)} = {code}")
        return out

    def value(self, operand: Operand, level: int, call: Call, pending: dict[tuple[object, ...], tuple[str, int]]) -> str:
        """Write an operand."""
        if isinstance(operand, Number):
            return self.operand(operand, self.index)
        found = pending.get(key(operand))
        if found is not None:
            return found[0] if found[1] >= level else f"({found[0]})"
        return self.operand(operand, self.index if same(height(operand), height(call.out)) else "0")

    def readers(self, place: int) -> tuple[list[int], bool]:
        """Return the calls that read the value of a call, each as often as it does, and whether the value ends with the loop."""
        found: list[int] = []
        own = key(self.calls[place].out)
        for later in range(place + 1, len(self.calls)):
            call = self.calls[later]
            found += [later for ref in read(call) if key(ref) == own]
            if key(call.out) == own:
                return found, True
        return found, not self.kept(self.calls[place].out)

    def used(self, place: int) -> bool:
        """Tell whether the value of a call is read at all."""
        found, ends = self.readers(place)
        return bool(found) or not ends

    def deferred(self, place: int) -> bool:
        """Tell whether the value of a call may be written where it is read: once, before any of its operands changes."""
        found, ends = self.readers(place)
        if len(found) != 1 or not ends:
            return False
        operands = self.operands(place)
        return not any(key(call.out) in operands for call in self.calls[place + 1:found[0]])

    def operands(self, place: int) -> set[tuple[object, ...]]:
        """Return what a value is made of, through values that are written where they are read."""
        found: set[tuple[object, ...]] = set()
        for ref in read(self.calls[place]):
            maker = next((p for p in range(place - 1, -1, -1) if key(self.calls[p].out) == key(ref)), None)
            found |= {key(ref)} if maker is None or not self.deferred(maker) else self.operands(maker)
        return found
