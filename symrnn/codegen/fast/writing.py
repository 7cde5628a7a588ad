"""From steps to the source of a function and of the workspace whose arrays it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from sympy import Basic, Expr, Integer

from symrnn import writer
from symrnn.codegen.body import condition
from symrnn.codegen.emit import emit
from symrnn.codegen.fast.chunks import FIRST, STOP, kept_whole, runs
from symrnn.codegen.fast.columns import PRODUCT
from symrnn.codegen.fast.compiled import Loops
from symrnn.codegen.fast.expressions import at_once, over_batch, static_value, value_at
from symrnn.codegen.fast.gradients import factors, in_blocks
from symrnn.codegen.fast.probabilities import HELPER
from symrnn.codegen.fast.scalar import is_scalar
from symrnn.codegen.fast.steps import (
    Assign,
    Call,
    Guarded,
    Item,
    Nest,
    Number,
    Once,
    Operand,
    Probabilities,
    Step,
    Times,
    steps_of,
)
from symrnn.codegen.fast.views import Views
from symrnn.codegen.values import Scope, axes
from symrnn.equations import Equation
from symrnn.expr import Stacked, Static, TimeSum, t
from symrnn.scheduling.form import Form
from symrnn.style import Style
from symrnn.times import Span
from symrnn.traverse import leaves, quantity_of

INDENT = "    "


@dataclass
class Writing:
    """Writes the body of a function.

    Attributes:
        form: What is computed.
        views: The arrays of the workspace, and their names.
        scope: Identifiers, and what was used.
        summed: Statics that are sums over the batch.
        style: The notation of the comments.
        texts: The formulas of comments that were written already.
        loops: What makes compiled functions of loops, where that is wanted.
    """

    form: Form
    views: Views
    scope: Scope
    summed: frozenset[Basic]
    style: Style
    texts: dict[Equation, str] = field(default_factory=dict)
    numbers: dict[Expr, str] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    turned: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    told: set[Any] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    loops: Loops | None = None

    def lines(self, items: Sequence[Item]) -> list[str]:
        """Write all items."""
        out: list[str] = []
        self.kept = kept_whole(items)
        products = [step for item in items for step in steps_of(item) if isinstance(step, Times)]
        self.turned |= {step.weight for step in products if step.turned != self.views.batch_first}
        repeated = [step for item in items if isinstance(item, Nest) and item.step for step in steps_of(item) if isinstance(step, Times)]
        self.copied |= {step.weight for step in repeated if step.turned != self.views.batch_first}
        for fixed, group in groupby(items, key=lambda item: isinstance(item, Once) and item.equation is not None):
            if fixed:
                out += self.statics([item.equation for item in group if isinstance(item, Once) and item.equation is not None])
                continue
            for item in group:
                out += ["", *self.nest(item)] if isinstance(item, Nest) else self.once(item)
        return out

    def statics(self, equations: list[Equation]) -> list[str]:
        """Write equations without time: gradients where the batch comes last together, then the others."""
        apart = [] if self.views.batch_first else [e for e in equations if e.quantity in self.summed and factors(e, self.views)]
        lines = [*(line for e in apart for line in self.comment([e])), *in_blocks(apart, self.views, self.scope)]
        return [*([""] if lines else []), *lines, *(line for e in equations if e not in apart for line in self.static(e))]

    def once(self, item: Once) -> list[str]:
        """Write what is done once."""
        return [line for step in item.body for line in self.step(step, None)]

    def static(self, e: Any) -> list[str]:
        """Write an equation without time."""
        name = self.scope.names.quantities[e.quantity]
        turned = [self.transposed(name, e.quantity.shape)] if name in self.turned else []
        if isinstance(e.rhs, Stacked) and all(isinstance(part, Static) and part not in self.scope.batched for part in e.rhs.args):
            self.functions.add("concatenate")
            parts = ", ".join(self.scope.names.quantities[part] for part in e.rhs.args)
            self.scope.used.quantities |= set(e.rhs.args)
            self.views.statics[name] = axes(e.quantity.shape)
            return [f"concatenate(({parts}), 0, {name})", *turned]
        comment = self.comment([e]) if e.rhs.has(TimeSum) else []
        if e.quantity in self.summed and list(leaves(e.rhs)) and {quantity_of(leaf) for leaf in leaves(e.rhs)} <= self.summed:
            return [f"{name} = {emit(e.rhs, self.scope).code}"]
        if e.quantity in self.summed:
            return [*comment, f"{name} = {over_batch(e.rhs, self.views, self.scope)}"]
        return [*comment, f"{name} = {static_value(e.rhs, self.views, self.scope, batched=e.quantity in self.scope.batched)}", *turned]

    def transposed(self, name: str, shape: tuple[Any, Any]) -> str:
        """Write what makes the transpose of a weight: a copy where the products of a loop read it, since these are faster then."""
        if name not in self.copied:
            return f"{name}_T = {name}.T"
        self.views.statics[f"{name}_T"] = axes((shape[1], shape[0]))
        return f"{name}_T[...] = {name}.T"

    def nest(self, nest: Nest) -> list[str]:
        """Write a loop, or what is done for all times at once."""
        number = self.scope.number
        if nest.step == 0:
            return [line for chunked, run in runs(nest.body, self.kept) for line in self.at_once(run, nest.span, chunked=chunked)]
        if self.can_be_compiled(nest):
            return self.compiled(nest)
        lo, hi = nest.span.lo, nest.span.hi
        ends = f"{number(lo)}, {number(hi + 1)}" if nest.step == 1 else f"{number(hi)}, {number(lo - 1)}, -1"
        out = [f"for t in range({ends}):"]
        inner = replace(self, scope=replace(self.scope, indices=((t, "t"),)))
        for part in nest.body:
            out += inner.guarded(part, nest.span) if isinstance(part, Guarded) else [INDENT + line for line in inner.step(part, None)]
        return out

    def can_be_compiled(self, nest: Nest) -> bool:
        """Tell whether a loop becomes a compiled function."""
        return self.loops is not None and all(map(is_scalar, steps_of(nest)))

    def compiled(self, nest: Nest) -> list[str]:
        """Write the call of a compiled function."""
        return self.loops.call(nest, replace(self.scope, indices=((t, "t"),))) if self.loops else []

    def at_once(self, run: list[Step], span: Span, *, chunked: bool) -> list[str]:
        """Write what is done for all times at once, or in chunks of times."""
        if not chunked:
            return [line for step in run for line in self.step(step, span)]
        if self.can_be_compiled(in_turn := Nest(span, 1, tuple(run))):
            return self.compiled(in_turn)
        number = self.scope.number
        self.views.chunk_heights |= {step.out.hi - step.out.lo for step in run if isinstance(step, Call)}
        inner = replace(self, scope=replace(self.scope, indices=((FIRST, "first"), (STOP, "stop"))))
        lines = [line for step in run for line in inner.step(step, Span(FIRST, STOP - 1))]
        return [
            f"for first in range({number(span.lo)}, {number(span.hi + 1)}, chunk):",
            f"{INDENT}stop = min(first + chunk, {number(span.hi + 1)})", *(INDENT + line for line in lines),
        ]

    def guarded(self, guarded: Guarded, whole: Span) -> list[str]:
        """Write steps that are taken at some times."""
        out = []
        for place, (span, steps) in enumerate(guarded.branches):
            last = guarded.complete and place == len(guarded.branches) - 1
            word = "if" if place == 0 else "elif"
            out.append(INDENT + ("else:" if last else f"{word} {condition(span, whole, self.scope)}:"))
            out += [2 * INDENT + line for step in steps for line in self.step(step, None)] or [2 * INDENT + "pass"]
        return out

    def comment(self, equations: Sequence[Any]) -> list[str]:
        """Write the formulas of what begins here."""
        new = [e for e in equations if e not in self.told]
        self.told.update(new)
        for e in new:
            if e not in self.texts:
                self.texts[e] = f"# {writer.text(e.lhs, self.style)} = {writer.text(e.rhs, self.style)}"
        return [self.texts[e] for e in new if len(self.texts[e]) <= 100]

    def step(self, step: Step, span: Span | None) -> list[str]:
        """Write one step, after its formula: at a time, or for all times of a span at once."""
        return [*self.comment(step.equations), *self.code(step, span)]

    def code(self, step: Step, span: Span | None) -> list[str]:
        """Write one step."""
        if isinstance(step, Assign):
            return self.assign(step, span)
        if isinstance(step, Times):
            return self.product(step, span)
        if isinstance(step, Probabilities):
            self.scope.used.helpers["probabilities"] = HELPER
            value, *outs = (self.operand(ref, span) for ref in (step.operand, step.softmax, step.logarithm))
            return [f"probabilities({value}, {-1 if self.views.batch_first else -2}, {', '.join(outs)})"]
        inputs = [self.operand(operand, span) for operand in step.inputs]
        out = self.operand(step.out, span)
        if step.function == "copyto":
            return [f"{out}[...] = {inputs[0]}"]
        self.functions.add(step.function)
        return [f"{step.function}({', '.join([*inputs, out])})"]

    def operand(self, operand: Operand, span: Span | None) -> str:
        """Write what a call reads or writes."""
        if isinstance(operand, Number):
            return self.numbers.setdefault(operand.value, number_name(operand.value, len(self.numbers)))
        return self.views.text(operand, span, self.scope)

    def product(self, step: Times, span: Span | None) -> list[str]:
        """Write a matrix product."""
        weight = f"{step.weight}_T" if step.turned != self.views.batch_first else step.weight
        value, out = self.operand(step.operand, span), self.operand(step.out, span)
        if span is not None and not self.views.batch_first and step.operand.time is not None and step.out.time is not None:
            self.scope.used.helpers["product"] = PRODUCT
            vector = [] if step.plus is None else [self.operand(step.plus, span)]
            return [f"product({', '.join([weight, value, out, *vector])})"]
        flat = span is not None and self.views.batch_first
        if flat:
            value, out = (f"{code}.reshape(-1, {self.scope.number(ref.hi - ref.lo)})" for code, ref in ((value, step.operand), (out, step.out)))
        function = "dot" if (span is None and (step.out.whole or not self.views.batch_first)) else "matmul"
        self.functions.add(function)
        pair = (value, weight) if self.views.batch_first else (weight, value)
        return [f"{function}({', '.join([*pair, out])})"]

    def assign(self, step: Assign, span: Span | None) -> list[str]:
        """Write an assignment of an expression."""
        e = step.equation
        number = self.scope.number
        if span is not None:
            code = at_once(e.rhs, t, span, self.views, self.scope)
            if code is not None:
                place = self.views.leaf(e.quantity, span.lo, self.scope, last=span.hi)
                return [f"{place if place.endswith(']') else place + '[...]'} = {code}"]
            inner = replace(self.scope, indices=((t, "t"),))
            lines = replace(self, scope=inner).code(Assign(e, t), None)
            return [f"for t in range({number(span.lo)}, {number(span.hi + 1)}):", *(INDENT + line for line in lines)]
        rhs = e.rhs if step.time is None or step.time == t else e.rhs.xreplace({t: step.time})
        place = self.views.leaf(e.quantity, t if step.time is None else step.time, self.scope)
        return [f"{place if place.endswith(']') else place + '[...]'} = {value_at(rhs, self.views, self.scope)}"]


def number_name(value: Expr, count: int) -> str:
    """Return a name for a number."""
    return {Integer(1): "one", Integer(1) / 2: "half", Integer(-1): "minus_one", Integer(2): "two"}.get(value, f"number_{count + 1}")
