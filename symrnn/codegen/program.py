"""From a network to the source of a module: its functions, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sympy import Basic, Expr

from symrnn import writer
from symrnn.cell import Equation
from symrnn.codegen.arguments import (
    BATCH,
    Argument,
    arguments_of,
    placed,
    positional,
    prepared,
    sizes_from,
    unpacked,
)
from symrnn.codegen.arguments import SHARED as SHARED_KINDS
from symrnn.codegen.emit import emit, emit_over_batch
from symrnn.codegen.formatting import assignment, grouped, paragraph, signature
from symrnn.codegen.naming import Names, names_of
from symrnn.codegen.schedule import Choice, Line, Loop, Work, lines_of, made_by, needed, schedule
from symrnn.codegen.values import Scope, Used, Value, expanded
from symrnn.expr import At, Node, Product, Series, TimeSum, t
from symrnn.network.graph import Network
from symrnn.style import Style
from symrnn.times import Span
from symrnn.traverse import at_time, leaves, quantity_of


@dataclass(frozen=True)
class Result:
    """What a function returns under a name.

    Attributes:
        name: Key in the dictionary of results.
        quantity: A series or a static quantity.
        span: The times of a series that are returned, stacked along axis 1.
        shared: Whether it is summed over the batch, as the gradient of a parameter is.
    """

    name: str
    quantity: Basic
    span: Span | None = None
    shared: bool = False


@dataclass(frozen=True)
class Function:
    """What one generated function does.

    Attributes:
        name: Its name.
        title: First line of its docstring.
        results: Entries of the dictionary that it returns; none for a function that returns the loss alone.
        returns: Text of the docstring.
        loss: Whether it returns the loss.
    """

    name: str
    title: str
    results: tuple[Result, ...]
    returns: str
    loss: bool = True


@dataclass
class Writer:
    """Writes the functions of one network; collects the helpers that they share."""

    network: Network
    profile: str = "indexed"
    names: Names = field(init=False)
    batched: frozenset[Basic] = field(init=False)
    style: Style = field(init=False)
    helpers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Assign identifiers, and find out what has a batch axis."""
        self.names = names_of(self.network, BATCH)
        self.batched = batched_quantities(self.network)
        self.style = Style.of(self.network, self.profile, "unicode")

    def function(self, function: Function) -> str:
        """Write one function."""
        outputs = [*([self.network.loss] if function.loss else []), *(r.quantity for r in function.results)]
        work = schedule(self.network, outputs)
        scope = Scope(self.names, BATCH, self.batched, Used())
        body = Body(self, scope, summed_results(self.network, function, outputs), work)
        main = body.lines()
        returned = body.returned(function)
        arguments = arguments_of(self.network, self.names.arguments)
        if not function.loss:
            known = needed(self.network, outputs)
            arguments = tuple(a for a in arguments if a.given.quantity in known)
        opening, extra = self.opening(arguments, scope)
        self.helpers.update(scope.used.helpers)
        keywords = [a.name for a in arguments if a.kind == "mask"] + [self.names.sizes[s] for s in extra]
        keywords += sorted(scope.used.functions)
        keywords += [f"{a.name}=None" for a in arguments if a.kind == "initial"]
        head = signature(function.name, ["params", *(a.name for a in positional(arguments))], keywords)
        doc = docstring(function, arguments, [self.names.sizes[s] for s in extra], sorted(scope.used.functions))
        lines = [*doc, *opening, *main, *returned]
        return "\n".join([*head, *(f"    {line}" if line else "" for line in lines)]) + "\n"

    def opening(self, arguments: Sequence[Argument], scope: Scope) -> tuple[list[str], list[Expr]]:
        """Write the lines before the first equation."""
        used = [a for a in arguments if a.given.quantity in scope.used.quantities]
        ready = [line for a in used for line in prepared(a, scope)]
        seen: set[Basic] = set()
        for a in used:
            ready += placed(a, scope, first=a.given.quantity not in seen)
            seen.add(a.given.quantity)
        read = {a.name for a in used}
        dtype = []
        if scope.used.dtype:
            sources = [first for kinds in ({"input"}, SHARED_KINDS) if (first := first_of(arguments, kinds))]
            read |= set(sources)
            dtype = [f"dtype = np.result_type({', '.join(sources)})"]
        lines, measured, extra = sizes_from(scope.used.sizes, arguments, scope)
        return [*unpacked(arguments, read | measured), *lines, *dtype, *ready], extra


def first_of(arguments: Iterable[Argument], kinds: Iterable[str]) -> str | None:
    """Return the name of the first argument of some kinds."""
    return next((a.name for a in arguments if a.kind in kinds), None)


def batched_quantities(network: Network) -> frozenset[Basic]:
    """Return the quantities that differ between the sequences of a batch."""
    found = {g.quantity for g in network.givens if g.kind not in SHARED_KINDS}
    size = 0
    while len(found) != size:
        size = len(found)
        found |= {e.quantity for e in network.equations if any(quantity_of(leaf) in found for leaf in leaves(e.rhs))}
    return frozenset(found)


def summed_results(network: Network, function: Function, outputs: Iterable[Basic]) -> frozenset[Basic]:
    """Return the gradients that can be summed over the batch at once, since nothing else reads them."""
    known = needed(network, outputs)
    read = {quantity_of(leaf) for e in network.equations if e.quantity in known for leaf in leaves(e.rhs)}
    return frozenset(r.quantity for r in function.results if r.shared and r.quantity not in read)


def docstring(function: Function, arguments: Sequence[Argument], sizes: list[str], functions: list[str]) -> list[str]:
    """Write the docstring: every array with its shape."""
    shared = [f"{a.given.name} {a.text}".replace(" ", "\N{NO-BREAK SPACE}") for a in arguments if a.shared]
    lines = [f'"""{function.title}', "", "Args:", *paragraph(f"params: A dictionary of arrays: {', '.join(shared)}.", 4)]
    for a in [*positional(arguments), *(a for a in arguments if a.kind == "mask")]:
        classes = replace(a, dims=a.dims[:-1]).text if a.may_be_classes else ""
        lines.append(f"    {a.name}: {a.text}{f', or classes as integers {classes}' if classes else ''}.")
    lines += [f"    {size}: A number that no array tells." for size in sizes]
    lines += [f"    {name}: A function of arrays." for name in functions]
    lines += [f"    {a.name}: {a.text}; zeros by default." for a in arguments if a.kind == "initial"]
    return [*lines, "", "Returns:", *(f"    {line}" for line in function.returns.splitlines()), '"""']


@dataclass
class Body:
    """Writes the equations of one function."""

    writer: Writer
    scope: Scope
    summed: frozenset[Basic]
    work: tuple[Work, ...]
    declared: set[Basic] = field(default_factory=set)

    def lines(self) -> list[str]:
        """Write all work, in order."""
        self.declared |= {g.quantity for g in self.writer.network.givens}
        self.scope.used.quantities |= {
            g.quantity for g in self.writer.network.givens if any(g.quantity in made_by(item) for item in self.work)
        }
        out: list[str] = []
        for before, item in zip((None, *self.work), self.work, strict=False):
            if not (isinstance(before, Line) and isinstance(item, Line)):
                out.append("")
            out += self.loop(item) if isinstance(item, Loop) else self.alone(item)
        return [*out, ""]

    def name(self, quantity: Basic) -> str:
        """The identifier of a quantity."""
        return self.scope.names.quantities[quantity]

    def alone(self, line: Line) -> list[str]:
        """Write a line beside the loops."""
        quantity = line.equation.quantity
        if line.time is None or quantity in self.declared:
            return self.line(line, 0, self.scope)
        self.declared.add(quantity)
        code = self.value(line, self.scope).code
        braces = f"{{{self.scope.number(line.time)}: {code}}}"
        return [*self.comment(line, 0), *assignment(self.name(quantity), "=", braces, 0)]

    def loop(self, loop: Loop) -> list[str]:
        """Write a loop, after what it fills."""
        sums = [self.name(e.quantity) for e in loop.sums]
        summed = {e.quantity for e in loop.sums}
        new = [q for q in ordered_quantities(loop) if q not in self.declared | summed]
        self.declared |= {*new, *summed}
        lines = [
            f"{', '.join(self.name(q) for q in group)} = {', '.join('{}' for _ in group)}" for group in grouped(new, 8)
        ]
        lines += [f"{' = '.join(group)} = 0" for group in grouped(sums, 8)]
        inner = replace(self.scope, indices=((t, "t"),))
        lo, hi, number = loop.span.lo, loop.span.hi, self.scope.number
        ends = f"{number(lo)}, {number(hi + 1)}" if loop.step == 1 else f"{number(hi)}, {number(lo - 1)}, -1"
        lines.append(f"for t in range({ends}):")
        for item in loop.body:
            lines += self.line(item, 4, inner) if isinstance(item, Line) else self.choice(item, loop, inner)
        return lines

    def choice(self, choice: Choice, loop: Loop, scope: Scope) -> list[str]:
        """Write lines that hold at some of the times of a loop."""
        out: list[str] = []
        for number, (span, lines) in enumerate(choice.branches):
            last = choice.complete and number == len(choice.branches) - 1
            word = "if" if number == 0 else "elif"
            out.append("    else:" if last else f"    {word} {condition(span, loop.span, scope)}:")
            for line in lines:
                out += self.line(line, 8, scope)
        return out

    def line(self, line: Line, indent: int, scope: Scope) -> list[str]:
        """Write one equation."""
        name = self.name(line.equation.quantity)
        at = "" if line.equation.span is None else f"[{scope.number(t if line.time is None else line.time)}]"
        code = self.value(line, scope).code
        return [*self.comment(line, indent), *assignment(name + at, "+=" if line.adds else "=", code, indent)]

    def value(self, line: Line, scope: Scope) -> Value:
        """Write the right side, in the full shape of what it is stored in."""
        rhs = line.equation.rhs if line.time is None else at_time(line.equation.rhs, line.time)
        quantity = line.equation.quantity
        if quantity in self.summed:
            return expanded(emit_over_batch(rhs, scope), scope)
        value = emit(rhs, scope)
        return value if line.adds and value.full else expanded(value, scope, batched=quantity in scope.batched)

    def comment(self, line: Line, indent: int) -> list[str]:
        """Write the formula above a line that looks different from it."""
        equation = line.equation
        if line.adds or not (has_matrix_product(equation.rhs) or equation.rhs.has(TimeSum)):
            return []
        at = equation if line.time is None else Equation(equation.lhs, equation.rhs)
        left, right = (writer.text(at_time(e, line.time) if line.time is not None else e, self.writer.style)
                       for e in (at.lhs, at.rhs))
        text = f"{' ' * indent}# {left} = {right}"
        return [text] if len(text) <= 96 else []

    def returned(self, function: Function) -> list[str]:
        """Write the return statement."""
        loss = f"{self.name(self.writer.network.loss)}.sum()" if function.loss else ""
        if function.loss and self.writer.network.loss not in self.scope.batched:
            loss = f"{self.scope.number(BATCH)} * {loss}"
        if not function.results:
            return [f"return {loss}"]
        entries = [f'"{r.name}": {self.result(r)}' for r in function.results]
        variable = "gradients" if function.loss else "outputs"
        lines = [f"{variable} = {{", *(f"    {entry}," for entry in entries), "}"]
        return [*lines, f"return {loss}, {variable}" if loss else f"return {variable}"]

    def result(self, result: Result) -> str:
        """Write one entry of the results."""
        if isinstance(result.quantity, Series):
            return self.series_result(result.quantity, result.span)
        if result.quantity in self.summed:
            return self.name(result.quantity)
        if not isinstance(result.quantity, Node):
            return ""
        if result.shared:
            return emit_over_batch(result.quantity, self.scope).code
        return emit(result.quantity, self.scope).code

    def series_result(self, series: Series, span: Span | None) -> str:
        """Write the values of a series at some times, with time as the axis behind the batch."""
        if span is None or span.single:
            time = span.lo if span is not None else t
            return expanded(emit(At(series, time), self.scope), self.scope, batched=True).code
        letter, inner = self.scope.bound(t)
        value = expanded(emit(At(series, t), inner), inner, batched=True)
        times = f"range({self.scope.number(span.lo)}, {self.scope.number(span.hi + 1)})"
        return f"np.stack([{value.code} for {letter} in {times}], axis=1)"


def ordered_quantities(loop: Loop) -> list[Basic]:
    """Return what a loop makes, in order."""
    return list(dict.fromkeys(line.equation.quantity for line in lines_of(loop)))


def has_matrix_product(node: Node) -> bool:
    """Tell whether a formula multiplies by a matrix, so that its code, for a batch of rows, reads differently."""
    return any(1 not in part.shape for product in node.atoms(Product) for part in product.args)


def condition(span: Span, whole: Span, scope: Scope) -> str:
    """Write when a time of a loop lies in a span."""
    number = scope.number
    if span.single:
        return f"t == {number(span.lo)}"
    if span.lo == whole.lo:
        return f"t <= {number(span.hi)}"
    if span.hi == whole.hi:
        return f"t >= {number(span.lo)}"
    return f"{number(span.lo)} <= t <= {number(span.hi)}"
