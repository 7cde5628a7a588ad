"""How a formula goes wrong in somebody's hands: single changes of one formula, by node type, for no cell in particular.

Each change has the name of its mistake, the part that is due and the part that stands there instead. ``structural`` yields
the same changes, in the same order, for formulas that differ in their letters only: so that a mistake that was made in every
gate is one mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Rational, expand

from symrnn.errors import SymrnnError
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    Leaf,
    Node,
    Ones,
    Plus,
    Product,
    Scaled,
    Static,
    TimeSum,
    Transposed,
    dim,
    same,
    split_scalar,
    t,
    time_sum,
)

B, T, K = dim("B"), dim("T"), dim("K")
SCALES: tuple[Any, ...] = (B, 1 / B, T, 1 / T, 2, Rational(1, 2), 1 / (B * T), B * T, K, 1 / K)


@dataclass(frozen=True)
class Change:
    """One change of a formula.

    Attributes:
        kind: Name of the mistake.
        due: The part that should stand there; ``None`` for nothing.
        stands: The part that stands there; ``None`` for nothing.
        result: The formula with it.
    """

    kind: str
    due: Node | None
    stands: Node | None
    result: Node | None


def attempt(make: Any, *args: Any) -> Any:
    """Make a node; nothing where its shapes do not fit."""
    try:
        return make(*args)
    except SymrnnError:
        return None


def fits(a: Any, b: Any) -> bool:
    """Tell whether two nodes have one shape."""
    return a is not None and all(same(x, y) for x, y in zip(a.shape, b.shape, strict=True))


def derivative_of(factors: Sequence[Node]) -> Iterator[tuple[str, tuple[int, ...], Node]]:
    """Find derivatives of activations among factors: the function, the places of its factors, its output."""
    for place, factor in enumerate(factors):
        if isinstance(factor, Elementwise) and str(factor.args[0]) == "step":
            yield "relu", (place,), factor.args[1]
        if not (isinstance(factor, Plus) and len(factor.args) == 2 and isinstance(factor.args[0], Ones)):
            continue
        scale, core = split_scalar(factor.args[1])
        if scale != -1:
            continue
        if isinstance(core, Hadamard) and len(core.args) == 2 and core.args[0] == core.args[1]:
            yield "tanh", (place,), core.args[0]
        elif core in factors:
            yield "sigmoid", (list(factors).index(core), place), core


def forms(function: str, s: Node) -> list[Node]:
    """Return what stands in the place of the derivative of an activation with the output ``s``, its own value last."""
    again = Elementwise(function if function != "relu" else "step", s)
    one = Ones(*s.shape)
    found = [1 - again * again, again * (1 - again), one - s, (1 - s) * (1 - s), s * (1 - s), s * (1 - s * s), 1 - s * s, s * s, s, one + s * s, again]
    right = {"tanh": 1 - s * s, "sigmoid": s * (1 - s)}.get(function)
    return [form for form in found if form != right]


def structural(node: Node, arguments: dict[Node, Node]) -> list[Change]:
    """Return the changes of a formula that need no other letters.

    Args:
        node: The formula.
        arguments: What an activation is applied to, by its output: ``a_f`` of ``f``.
    """
    return [change for change in walked(node, lambda part: changes_here(part, arguments)) if change.result != node]


def walked(node: Node, changes: Any) -> Iterator[Change]:
    """Yield the changes of a formula and of its parts."""
    yield from changes(node)
    if isinstance(node, Leaf | TimeSum):
        return
    for place, arg in enumerate(node.args):
        if not isinstance(arg, Node):
            continue
        for change in walked(arg, changes):
            args = list(node.args)
            args[place] = change.result
            result = attempt(node.func, *args) if change.result is not None else None
            if fits(result, node):
                yield Change(change.kind, change.due, change.stands, result)


def changes_here(node: Node, arguments: dict[Node, Node]) -> Iterator[Change]:
    """Yield the changes of a part, by its type."""
    if isinstance(node, Hadamard):
        yield from derivative_changes(node, arguments)
        yield from factor_changes(node)
    if isinstance(node, Product):
        yield from factor_changes(node)
    if isinstance(node, Transposed) and fits(node.args[0], node):
        yield Change("missing transpose", node, node.args[0], node.args[0])
    if isinstance(node, Plus) and not isinstance(node.args[0], Ones):
        yield from sum_changes(node)
    if isinstance(node, At) and t in node.time.free_symbols:
        for shift in (1, -1):
            yield Change("wrong time", node, At(node.series, node.time + shift), At(node.series, node.time + shift))


def derivative_changes(node: Node, arguments: dict[Node, Node]) -> Iterator[Change]:
    """Leave out the derivative of an activation, or take another one."""
    for function, places, s in derivative_of(node.args):
        due: Node = Hadamard(*(node.args[place] for place in places)) if len(places) > 1 else node.args[places[0]]
        rest = [arg for place, arg in enumerate(node.args) if place not in places]
        if rest:
            yield Change("missing derivative", due, None, Hadamard(*rest) if len(rest) > 1 else rest[0])
        own = forms(function, s)
        if s in arguments:
            z = arguments[s]
            own += [1 - z * z, z * (1 - z), Elementwise("step", s)]
        own.append(due * due)
        for form in own:
            yield Change("wrong derivative", due, form, Hadamard(*rest, form) if rest else form)


def factor_changes(node: Node) -> Iterator[Change]:
    """Leave out a factor, take one twice, or let a factor of a sum multiply one of its terms only."""
    derivative = {place for _, places, _ in derivative_of(node.args) for place in places} if isinstance(node, Hadamard) else set()
    for place, factor in enumerate(node.args):
        rest = [arg for k, arg in enumerate(node.args) if k != place]
        left = attempt(node.func, *rest) if len(rest) > 1 else rest[0]
        if fits(left, node) and place not in derivative:
            yield Change("missing factor", factor, None, left)
        if fits(twice := attempt(node.func, *node.args[:place], factor, *node.args[place:]), node) and place not in derivative:
            yield Change("a factor too much", None, factor, twice)
        if (s := complement_of(factor)) is not None and place not in derivative:
            yield Change("wrong quantity", factor, s, node.func(*node.args[:place], s, *node.args[place + 1:]))
        if isinstance(factor, Plus) and place not in derivative:
            for k, one in enumerate(factor.args):
                multiplied = attempt(node.func, *node.args[:place], one, *node.args[place + 1:])
                others = [x for j, x in enumerate(factor.args) if j != k]
                whole = attempt(Plus, multiplied, *others) if multiplied is not None else None
                if fits(whole, node):
                    yield Change("brackets", node, whole, whole)


def complement_of(node: Node) -> Node | None:
    """Return ``s`` of ``1 - s``."""
    if isinstance(node, Plus) and len(node.args) == 2 and isinstance(node.args[0], Ones):
        scale, core = split_scalar(node.args[1])
        return core if scale == -1 and isinstance(core, At) else None
    return None


def sum_changes(node: Node) -> Iterator[Change]:
    """Leave out a term of a sum inside a product, or turn its sign."""
    for place, term in enumerate(node.args):
        rest = [arg for k, arg in enumerate(node.args) if k != place]
        yield Change("missing term", term, None, Plus(*rest))
        turned = [Scaled(-1, arg) if k == place else arg for k, arg in enumerate(node.args)]
        yield Change("wrong sign", term, Scaled(-1, term), Plus(*turned))


@dataclass(frozen=True)
class Pool:
    """The letters of a network.

    Attributes:
        values: Series of the forward pass.
        adjoints: Series of gradients.
        parameters: Parameters.
    """

    values: tuple[Any, ...]
    adjoints: tuple[Any, ...]
    parameters: tuple[Static, ...]

    def instead(self, leaf: Leaf) -> Iterator[Node]:
        """Yield what may stand in the place of a quantity by mistake: another of its kind, of its shape, at its time."""
        if isinstance(leaf, Static):
            yield from (other for other in self.parameters if other != leaf and fits(other, leaf))
            return
        if not isinstance(leaf, At):
            return
        times = [leaf.time] if leaf.series.orders or leaf.time == t else [leaf.time, t]
        for series in self.adjoints if leaf.series.orders else self.values:
            for time in times:
                other = At(series, time)
                if series != leaf.series and fits(other, leaf):
                    yield other


def exchanged(node: Node, pool: Pool) -> Iterator[Change]:
    """Yield the changes of one quantity of a formula for another one, everywhere and at each place."""
    for leaf in sorted(node.atoms(Leaf), key=str):
        for other in pool.instead(leaf):
            yield Change("wrong quantity", leaf, other, node.xreplace({leaf: other}))
    yield from (Change(c.kind, c.due, c.stands, c.result) for c in walked(node, lambda part: leaf_here(part, node, pool)))


def leaf_here(part: Node, whole: Node, pool: Pool) -> Iterator[Change]:
    """Yield other quantities for one occurrence of a quantity that occurs more than once."""
    if isinstance(part, Leaf) and occurrences(whole, part) > 1:
        for other in pool.instead(part):
            yield Change("wrong quantity", part, other, other)


def occurrences(node: Any, part: Node) -> int:
    """Count how often a part stands in a formula."""
    if node == part:
        return 1
    return sum(occurrences(arg, part) for arg in node.args if isinstance(arg, Node)) if isinstance(node, Node) and not isinstance(node, Leaf) else 0


def over_sums(node: Node, changes: Any) -> Iterator[Change]:
    """Yield changes of what is summed over time, or of the formula itself where nothing is."""
    scale, core = split_scalar(node)
    if not isinstance(core, TimeSum):
        yield from changes(node)
        return
    body, index, lo, hi = core.args
    for change in changes(body.xreplace({index: t})):
        if change.result is not None:
            yield Change(change.kind, change.due, change.stands, Scaled(scale, time_sum(change.result, lo, hi)))


def sum_over_time_changes(node: Node) -> Iterator[Change]:
    """Yield what goes wrong with a sum over time: one term kept, the first left out, a read before the first time that wraps around."""
    scale, core = split_scalar(node)
    if not isinstance(core, TimeSum):
        return
    body, index, lo, hi = core.args
    body = body.xreplace({index: t})
    for kept in (lo, hi):
        one = Scaled(scale, body.xreplace({t: kept}))
        yield Change("not accumulated", node, one, one)
    early = [leaf for leaf in body.atoms(At) if expand(leaf.time - t) == -1 and not leaf.series.orders]
    if early:
        turned = body.xreplace({t: lo}).xreplace({At(leaf.series, lo - 1): At(leaf.series, hi) for leaf in early})
        yield Change("wraps around", node, None, Plus(Scaled(scale, time_sum(body, lo + 1, hi)), Scaled(scale, turned)))
    yield Change("missing term", Scaled(scale, body.xreplace({t: lo})), None, Scaled(scale, time_sum(body, lo + 1, hi)))
    yield Change("missing term", Scaled(scale, body.xreplace({t: hi})), None, Scaled(scale, time_sum(body, lo, hi - 1)))


def scale_changes(node: Node, scales: Iterable[Any] = SCALES) -> Iterator[Change]:
    """Yield multiples of a whole formula."""
    yield Change("wrong sign", node, Scaled(-1, node), Scaled(-1, node))
    for scale in scales:
        yield Change("doubled term" if scale == 2 else "wrong scale", node, Scaled(scale, node), Scaled(scale, node))
