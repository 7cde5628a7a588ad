"""A network with concrete sizes as scalar equations, and its true adjoints by tangents accumulated forward.

Each entry of each quantity at each time is one scalar equation in named entries. SymPy's ``diff`` differentiates that
one equation; nothing here knows a rule for matrices, and nothing runs backward. Every entry whose adjoint is asked for
is a direction of its own: the tangent of the loss along it is the adjoint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn.equations import Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import (
    At,
    Column,
    Columns,
    Divides,
    Leaf,
    Rows,
    Scaled,
    Series,
    Static,
    StopGradient,
    TimeSum,
    complement,
    t,
    weighted,
)
from symrnn.networks.graph import Network, Scan
from symrnn.traverse import at_time, quantity_of, rebuilt
from symrnn.verify.entrywise.degrees import Degree, degree
from symrnn.verify.entrywise.modular import Generators, Packing
from symrnn.verify.entrywise.printed import Key, Matrix
from symrnn.verify.entrywise.scalars import ScalarFunction, elements, scalar_function, slot

STOPPED = " stopped"
"""Mark on the name of a quantity that is read under a stop-gradient; no identifier ends with it."""


@dataclass(frozen=True)
class Operand:
    """An entry that a scalar equation reads.

    Attributes:
        quantity: Its series or static quantity.
        time: Its time, or its distance from the time of the equation; ``None`` for a static quantity.
        relative: Which of the two.
        place: Row and column.
        stopped: Whether no tangent passes.
    """

    quantity: Basic
    time: int | None
    relative: bool
    place: tuple[int, int]
    stopped: bool

    def key(self, now: int | None) -> Key:
        """Quantity and time when the equation is at time ``now``."""
        return self.quantity, self.time + now if self.relative and self.time is not None and now is not None else self.time


@dataclass(frozen=True)
class ScalarEquation:
    """One entry of an equation.

    Attributes:
        function: The right side, its operands in slots.
        operands: In the order of the slots.
    """

    function: ScalarFunction
    operands: tuple[Operand, ...]


def operand(leaf: Leaf, i: Any, j: Any) -> Operand:
    """Describe an entry of a leaf.

    Raises:
        NotSupportedError: A time that is neither fixed nor at a fixed distance, or a place that is not a number.
    """
    quantity, time, relative = quantity_of(leaf), None, False
    if isinstance(leaf, At):
        gap = leaf.time - t
        time, relative = (gap, True) if gap.is_Integer else (leaf.time, False)
    if not (i.is_Integer and j.is_Integer and (time is None or time.is_Integer)):
        raise NotSupportedError(f"the entrywise judge cannot tell which entry {leaf}[{i}, {j}] is; give every size a number")
    stopped = str(leaf.name).endswith(STOPPED)
    if stopped:
        quantity = quantity.func(leaf.name.removesuffix(STOPPED), *quantity.args[1:])
    return Operand(quantity, None if time is None else int(time), relative, (int(i), int(j)), stopped)


def stopped_apart(rhs: Any) -> Any:
    """Give what is read under a stop-gradient a name of its own, so that an entry shows where no tangent passes.

    Under a condition both are read, ``c`` times the one and ``1 - c`` times the other.
    """

    def rename(node: Any) -> Any:
        if isinstance(node, At | Static) and node.name.endswith(STOPPED):
            return node
        if isinstance(node, At):
            return At(Series(node.name + STOPPED, *node.series.args[1:]), node.time)
        return Static(node.name + STOPPED, *node.args[1:]) if isinstance(node, Static) else node

    def apart(node: Any) -> Any:
        if not isinstance(node, StopGradient):
            return node
        renamed = rebuilt(node.args[0], rename)
        if node.condition is None:
            return renamed
        return weighted(renamed, node.condition) + weighted(node.args[0], complement(node.condition))

    return rebuilt(rhs, apart)


def scalar_equations(rhs: Any) -> list[list[ScalarEquation]]:
    """Return the entries of a formula."""
    rows, cols = (int(size) for size in rhs.shape)
    formula = stopped_apart(rhs) if rhs.has(StopGradient) else rhs
    return [[scalar_equation(formula._entry(Integer(i), Integer(j))) for j in range(cols)] for i in range(rows)]


def scalar_equation(entry: Expr) -> ScalarEquation:
    """Put the operands of an entry into slots."""
    slots = {element: slot(k) for k, element in enumerate(dict.fromkeys(elements(entry)))}
    return ScalarEquation(scalar_function(entry.xreplace(slots)), tuple(operand(*element.args) for element in slots))


def place_depends_on_time(node: Any) -> bool:
    """Tell whether ``t`` stands elsewhere than in the time of a quantity, as in column ``t`` of a matrix."""
    if isinstance(node, Column | Columns | Divides | TimeSum | Rows | Scaled):
        own = [arg for arg in node.args if isinstance(arg, Expr) and not arg.is_Matrix]
        if any(t in arg.free_symbols for arg in own):
            return True
    return not isinstance(node, Leaf) and any(place_depends_on_time(arg) for arg in node.args)


@dataclass
class Point:
    """Values and packed tangents at one random point.

    Attributes:
        generators: Values of functions.
        values: Of each quantity at each time.
        tangents: Likewise; missing where nothing moves.
    """

    generators: Generators
    values: dict[Key, Matrix] = field(default_factory=dict)
    tangents: dict[Key, Matrix] = field(default_factory=dict)


class Unrolled:
    """A network at concrete sizes.

    Args:
        network: Without size letters.
        wanted: The quantities and times whose adjoints are asked for.
    """

    def __init__(self, network: Network, wanted: Iterable[Key]) -> None:
        self.network = network
        self._moving = {e for e in network.equations if place_depends_on_time(e.rhs)}
        self._compiled: dict[tuple[Equation, int | None], list[list[ScalarEquation]]] = {}
        self._slots: dict[Key, int] = {}
        total = 0
        for key in wanted:
            rows, cols = key[0].shape
            self._slots[key] = total
            total += int(rows * cols)
        self.packing = Packing(total)

    @cached_property
    def steps(self) -> tuple[tuple[Equation, int | None], ...]:
        """The equations with their times, in the order in which they run."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[tuple[Equation, int | None]]:
        for block in self.network.blocks:
            if not isinstance(block, Scan):
                yield block, None
                continue
            whole = block.span(self.network.order)
            times = range(int(whole.lo), int(whole.hi) + 1)
            for time in times if block.step == 1 else reversed(times):
                for equation in block.equations:
                    if equation.span is not None and equation.span.lo <= time <= equation.span.hi:
                        yield equation, time

    def times(self) -> dict[Basic, set[int | None]]:
        """The times at which each quantity exists."""
        found: dict[Basic, set[int | None]] = {}
        for given in self.network.givens:
            span = given.span
            times = {None} if span is None else set(range(int(span.lo), int(span.hi) + 1))
            found.setdefault(given.quantity, set()).update(times)
        for equation, time in self.steps:
            found.setdefault(equation.quantity, set()).add(time)
        return found

    def entries(self, equation: Equation, time: int | None) -> list[list[ScalarEquation]]:
        """The scalar equations of an equation, shared by all times where they do not depend on the time."""
        moving = time is not None and equation in self._moving
        key = (equation, time if moving else None)
        if key not in self._compiled:
            self._compiled[key] = scalar_equations(at_time(equation.rhs, Integer(time)) if moving else equation.rhs)
        return self._compiled[key]

    def run(self, point: Point) -> None:
        """Compute values and tangents from those of what is given."""
        for key in list(point.values):
            self._seed(point, key)
        for equation, time in self.steps:
            key = (equation.quantity, time)
            results = [[self._step(e, time, point) for e in row] for row in self.entries(equation, time)]
            point.values[key] = [[value for value, _ in row] for row in results]
            if any(tangent for row in results for _, tangent in row):
                point.tangents[key] = [[tangent for _, tangent in row] for row in results]
            self._seed(point, key)

    def one_step(self, point: Point, now: int, moved: Iterable[Key], held: Collection[Basic] = ()) -> Point:
        """Return the tangents at one time along the entries of some quantities, while everything else stands still.

        Args:
            point: Values.
            now: The time.
            moved: Quantities and times.
            held: Quantities that stand still although they are computed at that time.
        """
        still = Point(point.generators, point.values)
        for key in moved:
            self._seed(still, key)
        for equation, time in self.steps:
            if time == now and equation.quantity not in held:
                results = [[self._step(e, time, still)[1] for e in row] for row in self.entries(equation, time)]
                still.tangents[equation.quantity, time] = results
        return still

    def _step(self, scalar: ScalarEquation, now: int | None, point: Point) -> tuple[int, int]:
        """Value and tangent of one scalar equation: ``Σ ∂e/∂operand · tangent of operand``."""
        keys = [operand.key(now) for operand in scalar.operands]
        values = [point.values[key][o.place[0]][o.place[1]] for key, o in zip(keys, scalar.operands, strict=True)]
        tangent = 0
        for number, (key, o) in enumerate(zip(keys, scalar.operands, strict=True)):
            moved = point.tangents.get(key)
            if moved is None or o.stopped:
                continue
            along = moved[o.place[0]][o.place[1]]
            if along:
                tangent += scalar.function.derivative(number)(values, point.generators) * along
        return scalar.function.value(values, point.generators), self.packing.fold(tangent)

    def _seed(self, point: Point, key: Key) -> None:
        """Move each entry of a quantity along a direction of its own."""
        if key not in self._slots:
            return
        rows, cols = (int(size) for size in key[0].shape)
        moved = point.tangents.setdefault(key, [[0] * cols for _ in range(rows)])
        for number in range(rows * cols):
            moved[number // cols][number % cols] += self.packing.unit(self._slots[key] + number)

    def adjoints(self, point: Point) -> dict[Key, Matrix]:
        """The derivatives of the loss in each entry that was asked for."""
        moved = point.tangents.get((self.network.loss, None))
        flat = self.packing.unpack(moved[0][0]) if moved else [0] * self.packing.slots
        found: dict[Key, Matrix] = {}
        for key, start in self._slots.items():
            rows, cols = (int(size) for size in key[0].shape)
            found[key] = [flat[start + i * cols : start + (i + 1) * cols] for i in range(rows)]
        return found

    def degrees(self) -> Mapping[Basic, Degree]:
        """Bounds on the degrees of the values and tangents of each quantity, over all times."""
        found = {given.quantity: Degree(1) for given in self.network.givens}
        for equation, _ in self.steps:
            bound = degree(equation.rhs, lambda leaf: found[quantity_of(leaf)])
            found[equation.quantity] = found.get(equation.quantity, Degree()) | bound
        return found
