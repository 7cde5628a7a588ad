"""Merging: calls of one function on neighbouring rows become one call.

``σ`` of two gates that lie beside each other is one call; so is ``δc ⊙ k`` for three factors ``k`` that lie beside each other,
with ``δc`` seen once for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, expand

from symrnn.codegen.fast.steps import Call, Guarded, Number, Operand, Ref, Step, Times


def merged(body: Sequence[Step | Guarded]) -> tuple[Step | Guarded, ...]:
    """Merge calls, each with later ones that can be moved to it."""
    rest = list(body)
    place = 0
    while place < len(rest):
        for later in range(place + 1, len(rest)):
            one = together(rest[place], rest[later])
            if one is not None and not hands_on(rest[place], rest[later]) and not any(touches(rest[later], x) for x in rest[place + 1:later]):
                rest[place] = one
                del rest[later]
                break
        else:
            place += 1
    return tuple(rest)


def together(first: Step | Guarded, second: Step | Guarded) -> Call | None:
    """Return one call for two, or ``None``."""
    if not (isinstance(first, Call) and isinstance(second, Call)) or first.function != second.function:
        return None
    if first.out.hi == second.out.lo:
        upper, lower = first, second
    elif second.out.hi == first.out.lo:
        upper, lower = second, first
    else:
        return None
    inputs = [joined(a, b) for a, b in zip(upper.inputs, lower.inputs, strict=True)]
    out = joined(upper.out, lower.out)
    if not isinstance(out, Ref) or None in inputs:
        return None
    spread = any(isinstance(operand, Ref) and operand.spread for operand in inputs)
    parts = [operand for operand in (*inputs, out) if isinstance(operand, Ref)]
    if spread and not all(expand((ref.hi - ref.lo) - (1 if ref.spread else ref.pieces) * height_of(inputs)) == 0 for ref in parts):
        return None
    if not spread:
        if any(ref.pieces > 1 for call in (first, second) for ref in (*call.inputs, call.out) if isinstance(ref, Ref)):
            return None
        parts = [replace(ref, pieces=1) for ref in parts]
    own = iter(parts)
    used = tuple(next(own) if isinstance(operand, Ref) else operand for operand in inputs if operand is not None)
    return Call(first.function, used, next(own), tuple(dict.fromkeys((*first.equations, *second.equations))))


def height_of(inputs: Sequence[Operand | None]) -> Expr:
    """Return the height of the value that stands for each piece."""
    return next(ref.hi - ref.lo for ref in inputs if isinstance(ref, Ref) and ref.spread)


def joined(a: Operand, b: Operand) -> Operand | None:
    """Return the rows of two that follow each other, or a value that stands for both."""
    if isinstance(a, Number) or isinstance(b, Number):
        return a if a == b else None
    if (a.array, a.time) != (b.array, b.time):
        return None
    if (a.lo, a.hi) == (b.lo, b.hi):
        pieces = (a.pieces if a.spread else 1) + (b.pieces if b.spread else 1)
        return replace(a, pieces=pieces, spread=True)
    if a.spread or b.spread or a.hi != b.lo:
        return None
    return replace(a, hi=b.hi, pieces=a.pieces + b.pieces)


def hands_on(first: Step | Guarded, second: Step | Guarded) -> bool:
    """Tell whether a call reads what another one before it writes: then they cannot be one."""
    return isinstance(first, Call) and isinstance(second, Call) and any(overlap(first.out, ref) for ref in read(second))


def touches(moved: Step | Guarded, other: Step | Guarded) -> bool:
    """Tell whether two steps may not change places."""
    if not (isinstance(moved, Call | Times) and isinstance(other, Call | Times)):
        return True
    return any(overlap(other.out, ref) for ref in (*read(moved), moved.out)) or any(overlap(moved.out, ref) for ref in read(other))


def read(step: Call | Times) -> list[Ref]:
    """Return what a step reads."""
    inputs = step.inputs if isinstance(step, Call) else (step.operand,)
    return [ref for ref in inputs if isinstance(ref, Ref)]


def overlap(a: Ref, b: Ref) -> bool:
    """Tell whether two rows may have an entry in common."""
    if a.array != b.array:
        return False
    if a.time is not None and b.time is not None:
        gap = expand(a.time - b.time)
        if gap.is_Integer and gap != 0:
            return False
    return not (expand(b.lo - a.hi).is_nonnegative or expand(a.lo - b.hi).is_nonnegative)
