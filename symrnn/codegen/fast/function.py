"""One fast function: its source, and that of the workspace whose arrays it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn.codegen.arguments import (
    BATCH,
    COUNTED,
    Argument,
    arguments_of,
    positional,
    sizes_from,
    unpacked,
)
from symrnn.codegen.fast.chunks import BLOCK, CHUNK
from symrnn.codegen.fast.columns import with_sums
from symrnn.codegen.fast.compiled import Loops
from symrnn.codegen.fast.plan import Plan, arranged
from symrnn.codegen.fast.views import Views
from symrnn.codegen.fast.workspace import made
from symrnn.codegen.fast.writing import Writing
from symrnn.codegen.formatting import grouped, signature
from symrnn.codegen.functions import Function, Result
from symrnn.codegen.naming import names_of
from symrnn.codegen.program import OPTIONAL, docstring
from symrnn.codegen.values import Scope, Used, axes
from symrnn.expr import Node, Rows, Series, Stacked, Static, Transposed
from symrnn.networks.graph import Network
from symrnn.scheduling import Form
from symrnn.scheduling.windows import edges_of
from symrnn.style import Style
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of

TAB = "    "


@dataclass
class FastFunction:
    """One fast function.

    Attributes:
        network: What is computed.
        function: What it returns.
        batch_first: Whether arrays have the batch before the rows.
        own: Name of the class of its workspace.
        profile: The notation of the comments.
        plan: The steps, where they are known already.
        windowed: Whether the function computes a window of a longer sequence: then it takes what lies behind the window, and
            returns what the window before it needs.
        compiled: Whether recurrent loops are functions that Numba compiles.
    """

    network: Network
    function: Function
    batch_first: bool = True
    own: str = "Workspace"
    profile: str = "indexed"
    plan: Plan | None = None
    windowed: bool = False
    compiled: bool = False
    form: Form = field(init=False)
    arguments: tuple[Argument, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Arrange the work, find places for all values, and write everything."""
        plan = self.plan = self.plan or Plan(arranged(self.network, self.function))
        self.form = plan.form
        self.names = names_of(self.form, BATCH)
        self.summed = summed_in(self.form, self.function)
        self.scope = Scope(self.names, BATCH, plan.batched - self.summed, Used())
        series = {q: name for q, name in self.names.quantities.items() if isinstance(q, Series)}
        self.views = Views(plan.places, series, self.batch_first, scratch=dict(plan.scratch))
        self.items = plan.items if self.batch_first else [with_sums(item) for item in plan.items]
        self.read = {quantity_of(leaf) for e in self.form.equations for leaf in leaves(e.rhs)}
        given = arguments_of(self.network, self.names.arguments)
        self.arguments = tuple(a for a in given if self.function.loss or a.kind not in OPTIONAL or a.given.quantity in self.read)
        self.writing = Writing(self.form, self.views, self.scope, self.summed, Style.of(self.form, self.profile, "unicode"), plan.texts)
        if self.compiled:
            self.writing.loops = Loops(self.views, self.own, self.writing.comment, self.writing.operand)
        self.lines = self.written()

    def written(self) -> list[str]:
        """Write the function."""
        placing = [line for a in self.arguments for line in self.placed(a)]
        for series in edges_of(self.form) if self.windowed else ():
            edge = self.views.leaf(series, self.last + 1, self.scope)
            place = edge if edge.endswith("]") else f"{edge}[...]"
            placing.append(f'{place} = 0 if edges is None else edges["{self.names.quantities[series]}"]')
        body, returned = self.writing.lines(self.items), self.returned()
        shared = [a for a in self.arguments if a.shared]
        turned = [self.writing.transposed(a.name, a.given.quantity.shape) for a in shared if a.name in self.writing.turned]
        own = replace(self.scope, indices=((CHUNK, "self.chunk"), (BLOCK, "self.block")))
        self.made = made(self.views, self.integers, own.number)
        used = self.scope.used
        lines, measured, extra = sizes_from({*used.sizes, BATCH}, self.arguments, self.scope)
        self.sizes = [name for size, name in self.names.sizes.items() if size in used.sizes or size == BATCH]
        numbers = [a.name for a in self.arguments if a.kind == "input"][:1] + [f'params["{a.given.name}"]' for a in shared[:1]]
        read = {a.name for a in shared if a.given.quantity in self.read}
        opening = [
            *unpacked(self.arguments, read | measured), *lines, f"dtype = np.result_type({', '.join(numbers) or 'float'})",
            *(["check_precision(dtype)"] if self.writing.loops and self.writing.loops.sources else []),
            f"workspace = take({', '.join([self.own, *self.sizes, 'dtype'])})", *self.views.bound([*placing, *body, *returned]),
            *(f"{name} = np.asarray({self.scope.number(value)}, dtype)" for value, name in self.writing.numbers.items()),
            *grouped(sorted(self.writing.functions), lambda some: f"{', '.join(some)} = {', '.join(f'np.{f}' for f in some)}"),
            *turned, "",
        ]
        keywords = [a.name for a in self.arguments if a.kind == "mask"] + [self.names.sizes[s] for s in extra]
        keywords += sorted(used.functions) + [f"{a.name}=None" for a in self.arguments if a.kind == "initial"]
        keywords += ["edges=None"] if self.windowed else []
        self.taken = ["params", *(a.name for a in positional(self.arguments))], keywords
        self.doc = docstring(self.function, self.arguments, [self.names.sizes[s] for s in extra], sorted(used.functions))
        return [*opening, *placing, *body, "", *returned]

    @property
    def integers(self) -> set[Basic]:
        """The series that hold integers."""
        return {g.quantity for g in self.network.givens if g.kind == "integer"}

    @property
    def last(self) -> Expr:
        """The last time of the sequence."""
        return next(e.span.hi for e in self.form.equations if e.span is not None and not e.span.single)

    def source(self, name: str, doc: Sequence[str]) -> str:
        """Return the source of the function under a name."""
        lines = [*doc, *self.lines]
        own = "\n".join([*signature(name, *self.taken), *(f"{TAB}{line}" if line else "" for line in lines)]) + "\n"
        return "\n\n".join([*(self.writing.loops.sources if self.writing.loops else ()), own])

    def workspace(self) -> str:
        """Return the source of the class whose arrays the function writes."""
        words = "the batch before the rows" if self.batch_first else "the rows before the batch"
        head = [
            f"class {self.own}:", f'{TAB}"""Arrays that are kept between calls with the same sizes: time first, {words}."""', "",
            f"{TAB}def __init__(self, {', '.join([*self.sizes, 'dtype'])}):",
        ]
        body = [f"self.key = ({', '.join([self.own, *self.sizes, 'dtype'])})", *self.made]
        return "\n".join([*head, *(f"{2 * TAB}{line}" for line in body)]) + "\n"

    def returned(self) -> list[str]:
        """Write the return statement."""
        entries = [f'"{r.name}": {self.result(r)}' for r in self.function.results]
        loss = f"{self.names.quantities[self.network.loss]}.sum()" if self.function.loss else ""
        if self.function.alone:
            return [f"loss = {loss}", "keep(workspace)", "return loss"]
        word = "gradients" if self.function.loss else "outputs"
        lines = [f"{word} = {{", *(f"{TAB}{entry}," for entry in entries), "}"]
        if self.windowed:
            names = [(self.names.quantities[q], f"{self.views.leaf(q, Integer(1), self.scope)}.copy()") for q in edges_of(self.form)]
            lines += ["edges = {", *(f'{TAB}"{name}": {code},' for name, code in names), "}"]
        lines.append("keep(workspace)")
        if self.windowed:
            return [*lines, f"return {loss}, {word}, edges"]
        return [*lines, f"return {loss}, {word}" if loss else f"return {word}"]

    def result(self, result: Result) -> str:
        """Write one result; never a part of the workspace."""
        quantity = result.quantity
        if isinstance(quantity, Series):
            span = result.span or Span(1, 1)
            if span.single:
                return f"{self.views.leaf(quantity, span.lo, self.scope)}.copy()"
            return f"{self.views.leaf(quantity, span.lo, self.scope, last=span.hi)}.swapaxes(0, 1).copy()"
        code = self.names.quantities[quantity]
        return code if quantity in self.summed or not result.shared else f"{code}.sum(axis=0)"

    def placed(self, a: Argument) -> list[str]:
        """Put a given series into its array."""
        if a.shared or a.given.span is None or a.given.quantity not in self.read:
            return []
        number = self.scope.number
        target, key = self.views.all_of(a.given.quantity, self.scope), self.views.key_of(a.given.quantity)
        first, last = (number(self.views.index(key, time)) for time in (a.given.span.lo, a.given.span.hi + 1))
        flat = a.kind in COUNTED and len(axes(a.given.quantity.shape)) == 1 and a.given.quantity.shape == (1, 1)
        name = a.name
        column = a.given.quantity in self.views.places.of
        turned = not self.views.batch_first and column
        if a.given.span.single:
            value = f"{name}[:, None]" if flat else name
            value = f"{value}.T" if turned else value
            place = first
        else:
            value = f"{name}[:, :, None]" if flat else name
            value = f"{value}.transpose(1, 2, 0)" if turned else f"{value}.swapaxes(0, 1)"
            place = f"{first}:{last}"
        if a.kind == "initial":
            value = f"0 if {name} is None else {value}"
        line = f"{target}[{place}] = {value}"
        if not a.may_be_classes:
            return [line]
        times, classes = (first, name) if a.given.span.single else (f"np.arange({first}, {last})[:, None]", f"{name}.T")
        rows = f"np.arange({number(BATCH)})"
        entries = ", ".join([times, classes, rows] if turned else [times, rows, classes])
        return [
            f"if {name}.ndim == {len(a.dims) - 1}:  # classes, counted from 0", f"{TAB}{target}[{place}] = 0",
            f"{TAB}{target}[{entries}] = 1", "else:", f"{TAB}{line}",
        ]


def summed_in(form: Form, function: Function) -> frozenset[Basic]:
    """Return the statics that are needed summed over the batch only: gradients, and what these are rows of."""
    readers = form.readers()
    found: set[Basic] = {r.quantity for r in function.results if r.shared and r.quantity not in readers}
    size = -1
    while len(found) != size:
        size = len(found)
        for e in form.equations:
            read = readers.get(e.quantity, [])
            if e.span is None and read and all(reader.quantity in found and rows_or_sum(reader.rhs) for reader, _ in read):
                found.add(e.quantity)
    return frozenset(found)


def rows_or_sum(node: Any) -> bool:
    """Tell whether a formula takes rows of other quantities or puts them together, and nothing else."""
    inner = [part for part in node.args if isinstance(part, Node)]
    return isinstance(node, Static) or (isinstance(node, Rows | Stacked | Transposed) and all(rows_or_sum(part) for part in inner))
