"""The equations of one generated function, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sympy import Basic

from symrnn import writer
from symrnn.codegen.arguments import BATCH
from symrnn.codegen.emit import emit, emit_over_batch
from symrnn.codegen.formatting import assignment, grouped
from symrnn.codegen.functions import Function, Result
from symrnn.codegen.loops import Choice, Line, Loop, Work, lines_of, made_by
from symrnn.codegen.values import Scope, Value, expanded
from symrnn.equations import Equation
from symrnn.expr import At, Node, Product, Series, TimeSum, t
from symrnn.networks.graph import Network
from symrnn.style import Style
from symrnn.times import Span
from symrnn.traverse import at_time


@dataclass
class Body:
    """Writes the equations of one function."""

    network: Network
    style: Style
    scope: Scope
    summed: frozenset[Basic]
    work: tuple[Work, ...]
    declared: set[Basic] = field(default_factory=set)

    def lines(self) -> list[str]:
        """Write all work, in order."""
        self.declared |= {g.quantity for g in self.network.givens}
        self.scope.used.quantities |= {
            g.quantity for g in self.network.givens if any(g.quantity in made_by(item) for item in self.work)
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
        lines = grouped([self.name(q) for q in new], emptied) + grouped(sums, zeroed)
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
        left, right = (writer.text(at_time(e, line.time) if line.time is not None else e, self.style)
                       for e in (at.lhs, at.rhs))
        text = f"{' ' * indent}# {left} = {right}"
        return [text] if len(text) <= 96 else []

    def returned(self, function: Function) -> list[str]:
        """Write the return statement."""
        loss = f"{self.name(self.network.loss)}.sum()" if function.loss else ""
        if function.loss and self.network.loss not in self.scope.batched:
            loss = f"{self.scope.number(BATCH)} * {loss}"
        if function.alone:
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
        return expanded(emit(result.quantity, self.scope), self.scope, batched=not result.shared).code

    def series_result(self, series: Series, span: Span | None) -> str:
        """Write the values of a series at some times, with time as the axis behind the batch."""
        if span is None or span.single:
            time = span.lo if span is not None else t
            return expanded(emit(At(series, time), self.scope), self.scope, batched=True).code
        letter, inner = self.scope.bound(t)
        value = expanded(emit(At(series, t), inner), inner, batched=True)
        times = f"range({self.scope.number(span.lo)}, {self.scope.number(span.hi + 1)})"
        return f"np.stack([{value.code} for {letter} in {times}], axis=1)"


def emptied(names: Sequence[str]) -> str:
    """Make dictionaries by time."""
    return f"{', '.join(names)} = {', '.join('{}' for _ in names)}"


def zeroed(names: Sequence[str]) -> str:
    """Start sums."""
    return f"{' = '.join(names)} = 0"


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
