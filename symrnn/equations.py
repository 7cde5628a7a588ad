"""A cell: the equations of one time step, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.errors import SpecError
from symrnn.expr import At, Leaf, Node, Series, Static, same, t
from symrnn.shown import Shown
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of


@dataclass(frozen=True)
class Equation(Shown):
    """``lhs = rhs``: at each ``t`` of a span, or once where there is no span.

    Attributes:
        lhs: A value at the generic ``t``, or a static quantity.
        rhs: The formula.
        span: The times at which it holds, or ``None`` for a static quantity.
        role: What the quantity is: pre-activation, gate, candidate, cell state, hidden state, output, loss, …
    """

    lhs: Leaf
    rhs: Node
    span: Span | None = None
    role: str = ""

    def __post_init__(self) -> None:
        """Check that the two sides fit."""
        if not isinstance(self.lhs, Leaf):
            raise SpecError(f"the left side of an equation must be a quantity such as h[t]; got {self.lhs!r}")
        if not isinstance(self.rhs, Node):
            raise SpecError(f"the right side of the equation for {self.name} must be a formula; got {self.rhs!r}")
        if isinstance(self.lhs, At) and self.lhs.time != t:
            raise SpecError(f"an equation defines a value at the generic t; got {writer.text(self.lhs)}")
        (m, n), (p, q) = self.lhs.shape, self.rhs.shape
        if not (same(m, p) and same(n, q)):
            raise SpecError(f"{writer.text(self.lhs)} has shape {m}×{n}, but its equation gives {p}×{q}")

    @property
    def quantity(self) -> Basic:
        """The series or static quantity that the equation defines."""
        return quantity_of(self.lhs)

    @property
    def name(self) -> str:
        """Name of the quantity."""
        return str(self.lhs.name)

    def __str__(self) -> str:
        return f"{writer.text(self.lhs)} = {writer.text(self.rhs)}"

    def shown(self) -> tuple[str, Iterable[Any]]:
        return "", [self]


def as_equation(item: Any) -> Equation:
    """Accept an ``Equation`` or a pair ``(h[t], formula)``."""
    if isinstance(item, Equation):
        return item
    if not (isinstance(item, Sequence) and len(item) == 2):
        raise SpecError(f"an equation is a pair (h[t], formula); got {item!r}")
    return Equation(*item)


@dataclass(frozen=True, init=False)
class Cell(Shown):
    """The equations of one time step.

    States (what is read at ``t-1``) and parameters (static quantities) are found in the equations; inputs are
    declared, so that a misspelt name is an error and not a new input.

    Attributes:
        name: Short name.
        equations: In the order of the paper.
        inputs: Series that come from outside.
        output: The series that a readout reads; by default that of the last equation.
        title: One line on what it is.
        source: Citation.
    """

    name: str
    equations: tuple[Equation, ...]
    inputs: tuple[Series, ...]
    output: Series
    title: str = ""
    source: str = ""
    options: tuple[tuple[str, Any], ...] = field(default=())

    def __init__(
        self, name: str, equations: Iterable[Any], *, inputs: Iterable[Series], output: Series | None = None,
        title: str = "", source: str = "", options: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        """Collect and validate.

        Args:
            name: Short name.
            equations: Pairs ``(h[t], formula)`` or ``Equation`` objects.
            inputs: Series that come from outside.
            output: The series that a readout reads.
            title: One line on what it is.
            source: Citation.
            options: The options that it was built with, for display.

        Raises:
            SpecError: Two equations for one quantity, a read that nobody defines, a state that is never updated.
        """
        listed = tuple(as_equation(item) for item in equations)
        if not listed:
            raise SpecError(f"cell '{name}' has no equations; give at least one, such as (h[t], tanh(...))")
        for field_name, value in (
            ("name", name), ("equations", listed), ("inputs", tuple(inputs)), ("title", title), ("source", source),
            ("output", output if output is not None else listed[-1].quantity), ("options", options),
        ):
            object.__setattr__(self, field_name, value)
        self._validate()

    def shown(self) -> tuple[str, Iterable[Any]]:
        return f"{self.name}: {self.title}" if self.title else self.name, self.equations

    def _validate(self) -> None:
        defined: dict[Basic, Equation] = {}
        for equation in self.equations:
            if not isinstance(equation.lhs, At):
                raise SpecError(f"cell '{self.name}': {equation.name} must be defined at each t, as {equation.name}[t]")
            if equation.quantity in defined:
                raise SpecError(f"cell '{self.name}': two equations for {equation.name}; keep one of them")
            if equation.quantity in self.inputs:
                raise SpecError(f"cell '{self.name}': {equation.name} is an input and has an equation; drop one of them")
            defined[equation.quantity] = equation
        if self.output not in defined:
            raise SpecError(f"cell '{self.name}': the output {self.output.name} has no equation; output must be one of "
                            + ", ".join(e.name for e in self.equations))
        for equation in self.equations:
            for leaf in leaves(equation.rhs):
                self._validate_read(equation, leaf, defined)
        self._validate_names()

    def _validate_read(self, equation: Equation, leaf: Leaf, defined: dict[Basic, Equation]) -> None:
        if isinstance(leaf, Static) or leaf.series in self.inputs:
            return
        where = f"cell '{self.name}': the equation for {equation.name} reads {writer.text(leaf)}"
        if leaf.series not in defined:
            twin = next((q for q in [*defined, *self.inputs] if q.name == leaf.name), None)
            if twin is not None:
                raise SpecError(f"{where} of size {leaf.shape[0]}, but {leaf.name} has size {twin.shape[0]} elsewhere")
            if leaf.time == t:
                raise SpecError(f"{where}, which nobody defines; add an equation for it or list it in inputs")
            raise SpecError(f"{where}, a state that is never updated; add an equation for {leaf.name}[t]")
        if not (leaf.time - t).is_Integer or leaf.time - t > 0:
            raise SpecError(f"{where}; within a cell a read is at t, t-1, t-2 and so on")

    def _validate_names(self) -> None:
        seen: dict[str, Basic] = {}
        for quantity in [*self.inputs, *(e.quantity for e in self.equations), *self.parameters]:
            other = seen.setdefault(quantity.name, quantity)
            if other != quantity:
                raise SpecError(f"cell '{self.name}': two quantities are called {quantity.name}; rename one of them")

    @property
    def states(self) -> tuple[Series, ...]:
        """The series that are read at an earlier time, in the order of their equations."""
        delayed = {leaf.series for e in self.equations for leaf in leaves(e.rhs) if isinstance(leaf, At) and leaf.time != t}
        return tuple(e.quantity for e in self.equations if e.quantity in delayed)

    @property
    def parameters(self) -> tuple[Static, ...]:
        """The static quantities, in the order in which they are read."""
        found = (leaf for e in self.equations for leaf in leaves(e.rhs) if isinstance(leaf, Static))
        return tuple(dict.fromkeys(found))

    def with_sizes(self, sizes: dict[Any, Any]) -> Cell:
        """Return the cell with size letters replaced, such as ``{H: 1}`` for a scalar one."""
        changed = tuple(replace(e, lhs=e.lhs.xreplace(sizes), rhs=e.rhs.xreplace(sizes)) for e in self.equations)
        return Cell(
            self.name, changed, inputs=tuple(x.xreplace(sizes) for x in self.inputs), output=self.output.xreplace(sizes),
            title=self.title, source=self.source, options=self.options,
        )
