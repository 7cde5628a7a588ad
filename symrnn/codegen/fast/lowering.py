"""From equations to calls that write in place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Expr, Integer, Rational, expand

from symrnn.codegen.fast.overwriting import is_stack
from symrnn.codegen.fast.places import Places
from symrnn.codegen.fast.probabilities import together
from symrnn.codegen.fast.steps import Assign, Call, Guarded, Item, Nest, Number, Once, Operand, Ref, Step, Times
from symrnn.codegen.loops import Choice, Line, Loop, arranged
from symrnn.equations import Equation
from symrnn.expr import (
    At,
    Elementwise,
    Hadamard,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Static,
    Transposed,
    Zeros,
    same,
    split_scalar,
    t,
)
from symrnn.networks.graph import Scan
from symrnn.scheduling.form import Form, recurrent
from symrnn.times import Span
from symrnn.traverse import at_time

UFUNCS = {"tanh": "tanh", "sin": "sin", "cos": "cos", "exp": "exp", "log": "log", "reciprocal": "reciprocal"}
"""Functions of the activation table that are one call."""


class NotInPlaceError(Exception):
    """A formula has no calls that write in place; it is assigned as an expression."""


@dataclass
class Lowering:
    """Turns the equations of a form into steps.

    Attributes:
        form: What is computed.
        places: Where values lie.
        names: Identifiers of static quantities.
        arrays: Names of the arrays.
        scratch: Heights of the arrays for values in between, by name, and the number of times of those for all times at once.
        busy: Those that hold a value now.
        times: The number of times that are computed at once here.
    """

    form: Form
    places: Places
    names: dict[Any, str]
    arrays: dict[int, str]
    scratch: dict[str, tuple[Expr, Expr | None]] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)
    times: Expr | None = None

    def items(self) -> list[Item]:
        """Lower all blocks, in order."""
        out: list[Item] = []
        for block in self.form.blocks:
            if isinstance(block, Equation):
                out.append(Once(equation=block))
            elif isinstance(block, Scan) and all(isinstance(e.rhs, Zeros) for e in block.equations):
                continue
            elif recurrent(block):
                out += self.loop(block)
            else:
                out += [self.at_once(e) for e in block.equations if e.span is not None]
        return [item for item in out if not isinstance(item, Nest) or item.body]

    def at_once(self, e: Equation) -> Item:
        """Lower an equation for all of its times at once."""
        span = e.span or Span(0, 0)
        self.times = None if span.single else expand(span.hi - span.lo + 1)
        return Once(tuple(self.steps(e, span.lo))) if span.single else Nest(span, 0, tuple(self.steps(e, t)))

    def loop(self, scan: Scan) -> list[Item]:
        """Lower a recurrence."""
        self.times = None
        out: list[Item] = []
        for work in arranged(scan, self.form.order):
            if isinstance(work, Line):
                out.append(Once(tuple(self.steps(work.equation, work.time))))
                continue
            out.append(Nest(work.span, work.step, self.body(work)))
        return out

    def body(self, loop: Loop) -> tuple[Step | Guarded, ...]:
        """Lower the body of a loop."""
        body: list[Step | Guarded] = []
        for part in loop.body:
            if isinstance(part, Choice):
                branches = tuple((span, tuple(s for line in lines for s in self.steps(line.equation, t))) for span, lines in part.branches)
                if any(steps for _, steps in branches):
                    body.append(Guarded(branches, part.complete))
            else:
                body += self.steps(part.equation, t)
        return tuple(body)

    def steps(self, e: Equation, time: Expr | None) -> list[Step]:
        """Lower one equation at a time; nothing is left to do where its value is rows of another."""
        if self.is_view(e):
            return []
        if e.quantity in self.places.pairs:
            return together(e, self.places.pairs[e.quantity], self.form, lambda series: self.ref(series, time))
        rhs = e.rhs if time is None or time == t else at_time(e.rhs, time)
        if e.quantity not in self.places.of:
            return [Assign(e, time)]
        before = dict(self.scratch)
        self.busy.clear()
        try:
            return [step if isinstance(step, Assign) else replace(step, equations=(e,)) for step in self.into(rhs, self.ref(e.quantity, time))]
        except NotInPlaceError:
            self.scratch = before
            return [Assign(e, time)]

    def is_view(self, e: Equation) -> bool:
        """Tell whether the value is there already: rows of an array, or parts that lie beside each other."""
        if is_stack(e):
            return e.quantity not in self.places.copied
        if isinstance(e.rhs, Rows) and isinstance(e.rhs.args[0], At) and e.quantity in self.places.of:
            whole = self.places.of.get(e.rhs.args[0].series)
            return whole is not None and self.places.of[e.quantity].array is whole.array
        return False

    def ref(self, series: Basic, time: Any) -> Ref:
        """Return where a value lies."""
        if series not in self.places.of:
            raise NotInPlaceError
        place = self.places.of[series]
        lo, hi = place.rows
        return Ref(self.arrays[id(place.array)], lo, hi, place.array.height, None if place.array.brief else time)

    def temporary(self, height: Expr) -> Ref:
        """Return an array for a value in between."""
        for name, (rows, times) in self.scratch.items():
            if same(rows, height) and times == self.times and name not in self.busy:
                self.busy.append(name)
                return Ref(name, Integer(0), height, height)
        name = f"{'scratch' if self.times is None else 'all_scratch'}_{len(self.scratch) + 1}"
        self.scratch[name] = (height, self.times)
        self.busy.append(name)
        return Ref(name, Integer(0), height, height)

    def release(self, operand: Operand) -> None:
        """Let an array be used again."""
        if isinstance(operand, Ref) and operand.array in self.busy:
            self.busy.remove(operand.array)

    def simple(self, node: Any) -> Operand | None:
        """Return a value that is there already."""
        number, core = split_scalar(node)
        if isinstance(core, Ones) and same(core.shape[1], 1):
            return Number(number)
        if number != 1:
            return None
        if isinstance(core, At):
            return self.ref(core.series, core.time)
        if isinstance(core, Rows) and isinstance(core.args[0], At) and core.args[0].series in self.places.of:
            place = self.places.of[core.args[0].series].part(*core.args[1:])
            lo, hi = place.rows
            time = None if place.array.brief else core.args[0].time
            return Ref(self.arrays[id(place.array)], lo, hi, place.array.height, time)
        if isinstance(core, Static) and same(core.shape[1], 1) and core in self.names:
            return Ref(self.names[core], Integer(0), core.shape[0], core.shape[0], vector=True)
        return None

    def operand(self, node: Any, steps: list[Step]) -> Operand:
        """Return a value, computed into an array in between where it is not there."""
        found = self.simple(node)
        if found is not None:
            return found
        out = self.temporary(node.shape[0])
        steps += self.into(node, out)
        return out

    def into(self, node: Any, out: Ref) -> list[Step]:
        """Write the value of a formula into an array.

        Raises:
            NotInPlaceError: There are no calls for it.
        """
        if not same(node.shape[1], 1):
            raise NotInPlaceError
        found = self.simple(node)
        if found is not None:
            return [] if found == out else [Call("copyto", (found,), out)]
        rules = {Plus: self.plus, Scaled: self.scaled, Hadamard: lambda node, out: self.multiplied(list(node.args), out), Elementwise: self.function, Product: self.product}
        rule = rules.get(type(node))
        if rule is None:
            raise NotInPlaceError
        return rule(node, out)

    def plus(self, node: Any, out: Ref) -> list[Step]:
        """Add terms: what lies at the result already, then a matrix product, then the rest."""
        steps: list[Step] = []
        terms = list(node.args)
        start = next((term for term in terms if self.simple(term) == out), None)
        if start is None:
            computed = [term for term in terms if self.simple(term) is None and split_scalar(term)[0] == 1]
            computed.sort(key=lambda term: not self.overwrites(term, out))
            start = computed[0] if computed else None
            if start is None:
                return self.sum_of_simple(terms, out)
            steps += self.into(start, out)
        return self.with_terms(out, [term for term in terms if term is not start], out, steps)

    def overwrites(self, term: Any, out: Ref) -> bool:
        """Tell whether a product has a factor that lies where it is written."""
        return isinstance(term, Hadamard) and any(self.simple(factor) == out for factor in term.args)

    def sum_of_simple(self, terms: list[Any], out: Ref) -> list[Step]:
        """Add values that are there, of which some are subtracted or scaled."""
        steps: list[Step] = []
        positive = next((term for term in terms if self.simple(term) is not None), terms[0])
        first = self.operand(positive, steps)
        return self.with_terms(first, [term for term in terms if term is not positive], out, steps)

    def with_terms(self, current: Operand, terms: list[Any], out: Ref, steps: list[Step]) -> list[Step]:
        """Add terms to a value, or subtract them."""
        for term in terms:
            sign, core = split_scalar(term)
            negative = sign == -1 and not isinstance(core, Ones)
            operand = self.operand(core if negative else term, steps)
            steps.append(Call("subtract" if negative else "add", (current, operand), out))
            self.release(operand)
            if current != out:
                self.release(current)
            current = out
        return steps

    def scaled(self, node: Any, out: Ref) -> list[Step]:
        """Multiply by a number."""
        number, core = node.args
        steps: list[Step] = []
        found = self.simple(core)
        if found is None:
            steps += self.into(core, out)
            found = out
        if number == -1:
            return [*steps, Call("negative", (found,), out)]
        return [*steps, Call("multiply", (found, Number(number)), out)]

    def multiplied(self, factors: list[Any], out: Ref) -> list[Step]:
        """Multiply values of one shape, and numbers for each sequence."""
        steps: list[Step] = []
        operands = [self.operand(factor, steps) for factor in factors]
        operands.sort(key=lambda operand: operand != out)
        current = operands[0]
        for other in operands[1:]:
            steps.append(Call("multiply", (current, other), out))
            self.release(other)
            if current != out:
                self.release(current)
            current = out
        return steps

    def function(self, node: Any, out: Ref) -> list[Step]:
        """Apply a function; the sigmoid is ½ tanh(½ z) + ½, which cannot overflow."""
        steps: list[Step] = []
        operand = self.simple(node.args[1])
        if operand is None:
            steps += self.into(node.args[1], out)
            operand = out
        name, half = node.function.name, Number(Rational(1, 2))
        if name == "sigmoid":
            return [
                *steps, Call("multiply", (operand, half), out), Call("tanh", (out,), out),
                Call("multiply", (out, half), out), Call("add", (out, half), out),
            ]
        if name not in UFUNCS:
            raise NotInPlaceError
        return [*steps, Call(UFUNCS[name], (operand,), out)]

    def product(self, node: Any, out: Ref) -> list[Step]:
        """Multiply a weight with a value, or a value with numbers for each sequence."""
        if all(same(factor.shape[1], 1) for factor in node.args) and all(same(factor.shape[0], 1) for factor in node.args[1:]):
            return self.multiplied(list(node.args), out)
        if len(node.args) != 2:
            raise NotInPlaceError
        front, value = node.args
        weight, turned = (front.args[0], True) if isinstance(front, Transposed) else (front, False)
        if not isinstance(weight, Static) or weight not in self.names or any(same(size, 1) for size in weight.shape):
            raise NotInPlaceError
        steps: list[Step] = []
        operand = self.operand(value, steps)
        if not isinstance(operand, Ref) or (self.times is not None and operand.time is not None and not operand.time.has(t)):
            raise NotInPlaceError
        self.release(operand)
        return [*steps, Times(self.names[weight], turned, operand, out)]
