"""Runs any network on PyTorch tensors, and differentiates it by PyTorch's autograd.

It reads the equations of a network as they stand, one node at a time, with the batch as leading axis. It shares no
code with the derivation, the rewriting or the generated code, so what it returns is evidence from elsewhere.

Shapes:
    Every value is (m, n), or (B, m, n) where it differs between the sequences of a batch; vectors are columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
from sympy import Basic, Expr, Integer, Symbol

from symrnn.derivation import Derivation
from symrnn.equations import Equation
from symrnn.errors import DataError, NotSupportedError
from symrnn.expr import (
    At,
    Column,
    Columns,
    Diag,
    Divides,
    Elementwise,
    Gather,
    Hadamard,
    Identity,
    LogSoftmax,
    Node,
    OneHot,
    Ones,
    Plus,
    Product,
    Rows,
    Scaled,
    Softmax,
    Stacked,
    Static,
    StopGradient,
    TimeSum,
    Total,
    Transposed,
    Zeros,
    t,
)
from symrnn.networks.graph import Given, Network, Scan
from symrnn.verify.numeric.torch_functions import elementwise, log_softmax, softmax, torch
from symrnn.verify.points import given_shape, size_in

Tensor = Any
Bound = Mapping[Symbol, int]
SHARED = frozenset({"parameter", "direction"})
"""Kinds of what belongs to all sequences of a batch alike."""


class Run:
    """One run of a network.

    Attributes:
        sizes: A number for each size letter; ``B`` is the batch.
        statics: Values of static quantities.
        series: Values of series by time.
    """

    def __init__(self, sizes: Mapping[str, int], like: Tensor) -> None:
        self.sizes = sizes
        self.like = like
        self.statics: dict[Basic, Tensor] = {}
        self.series: dict[Basic, dict[int, Tensor]] = {}
        self.now: dict[Symbol, int] = {}

    def number(self, expression: Expr) -> int:
        """Return a size or time as a number."""
        return size_in(expression.xreplace({s: Integer(v) for s, v in self.now.items()}), self.sizes)

    def divides(self, modulus: Expr, time: Expr, positive: int = 0) -> bool:
        """Tell whether a number divides a time."""
        when = self.number(time)
        return when % self.number(modulus) == 0 and (when > 0 or not positive)

    def scalar(self, expression: Expr) -> float:
        """Return a scalar factor as a number."""
        letters = {s: Integer(self.now.get(s, self.sizes.get(s.name, 0))) for s in expression.free_symbols}
        return float(expression.xreplace(letters))

    def give(self, given: Given, value: Tensor) -> None:
        """Store what a network is given."""
        rows, cols = (size_in(size, self.sizes) for size in given.quantity.shape)
        if given.span is None:
            batch = () if given.kind in SHARED else (self.sizes["B"],)
            self.statics[given.quantity] = value.reshape(*batch, rows, cols)
            return
        lo, hi = size_in(given.span.lo, self.sizes), size_in(given.span.hi, self.sizes)
        columns = value.reshape(self.sizes["B"], hi - lo + 1, rows, cols).unbind(1)
        self.series.setdefault(given.quantity, {}).update(zip(range(lo, hi + 1), columns, strict=True))

    def scan(self, scan: Scan) -> None:
        """Run the equations of a scan at each time, in the direction of the scan."""
        spans = [(size_in(e.span.lo, self.sizes), size_in(e.span.hi, self.sizes)) for e in scan.equations if e.span]
        for time in sorted({time for lo, hi in spans for time in range(lo, hi + 1)}, reverse=scan.step < 0):
            self.now = {t: time}
            for equation, (lo, hi) in zip(scan.equations, spans, strict=True):
                if lo <= time <= hi:
                    self.series.setdefault(equation.quantity, {})[time] = self.value(equation.rhs)
        self.now = {}

    def static(self, equation: Equation) -> None:
        """Evaluate an equation that has no time."""
        self.statics[equation.quantity] = self.value(equation.rhs)

    def value(self, node: Node) -> Tensor:
        """Evaluate a formula.

        Raises:
            NotSupportedError: A node type without a rule.
        """
        rule = RULES.get(type(node))
        if rule is None:
            raise NotSupportedError(f"there is no PyTorch rule for {type(node).__name__}; add it to RULES in torch_eval.py")
        return rule(self, *node.args)

    def each(self, body: Node, index: Symbol, lo: Expr, hi: Expr) -> list[Tensor]:
        """Evaluate the body of a sum or collection at each value of its index."""
        outer, found = self.now, []
        for time in range(self.number(lo), self.number(hi) + 1):
            self.now = {**outer, index: time}
            found.append(self.value(body))
        self.now = outer
        return found

    def joined(self, parts: list[Tensor], axis: int) -> Tensor:
        """Put matrices next to each other along an axis."""
        batch = torch().broadcast_shapes(*(part.shape[:-2] for part in parts))
        return torch().cat([part.expand(*batch, *part.shape[-2:]) for part in parts], axis)

    def filled(self, number: int, rows: Expr, cols: Expr) -> Tensor:
        """Return a matrix of one number."""
        return self.like.new_full((self.number(rows), self.number(cols)), number)

    def one_hot(self, index: Tensor, size: int) -> Tensor:
        """Return the unit column of an integer."""
        return (index.real.round() == torch().arange(size).reshape(-1, 1)).to(self.like.dtype)

    def per_sequence(self, value: Tensor) -> Tensor:
        """Give every sequence of the batch its own value."""
        return value.expand(self.sizes["B"], *value.shape[-2:])


def product(factors: list[Tensor]) -> Tensor:
    """Multiply matrices from left to right."""
    return reduce(lambda a, b: a @ b, factors)


RULES: Mapping[type[Node], Callable[..., Tensor]] = MappingProxyType({
    At: lambda run, series, time: run.series[series][run.number(time)],
    Static: lambda run, *args: run.statics[Static(*args)],
    Plus: lambda run, *terms: reduce(lambda a, b: a + b, map(run.value, terms)),
    Product: lambda run, *factors: product([run.value(f) for f in factors]),
    Hadamard: lambda run, *factors: reduce(lambda a, b: a * b, map(run.value, factors)),
    Scaled: lambda run, scalar, a: run.scalar(scalar) * run.value(a),
    Transposed: lambda run, a: run.value(a).transpose(-1, -2),
    Elementwise: lambda run, name, a: elementwise(str(name), run.value(a)),
    Softmax: lambda run, a, *mask: softmax(run.value(a), *map(run.value, mask)),
    LogSoftmax: lambda run, a: log_softmax(run.value(a)),
    Total: lambda run, a: run.value(a).sum((-1, -2), keepdim=True),
    Diag: lambda run, a: run.value(a).squeeze(-1).diag_embed(),
    Identity: lambda run, n: torch().eye(run.number(n), dtype=run.like.dtype),
    OneHot: lambda run, w, n: run.one_hot(run.value(w), run.number(n)),
    Ones: lambda run, m, n: run.filled(1, m, n),
    Zeros: lambda run, m, n: run.filled(0, m, n),
    Stacked: lambda run, *parts: run.joined([run.value(p) for p in parts], -2),
    Rows: lambda run, a, start, stop: run.value(a)[..., run.number(start) : run.number(stop), :],
    Columns: lambda run, *args: run.joined(run.each(*args), -1),
    Column: lambda run, a, k: run.value(a)[..., run.number(k) - 1 : run.number(k)],
    Gather: lambda run, table, w: run.value(table) @ run.one_hot(run.value(w), run.number(table.shape[1])),
    TimeSum: lambda run, body, *rest: reduce(lambda a, b: a + b, run.each(body, *rest), run.filled(0, *body.shape)),
    Divides: lambda run, *args: run.filled(int(run.divides(*args)), Integer(1), Integer(1)),
    StopGradient: lambda run, a, *condition: run.value(a) if any(run.value(c) == 0 for c in condition) else run.value(a).detach(),
})


def tensors_of(network: Network, values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Turn arrays into tensors of double precision.

    Raises:
        DataError: A given quantity has no values.
    """
    missing = [g.name for g in network.givens if g.name not in values]
    if missing:
        raise DataError(f"no values for {', '.join(missing)}; give an array for each of them")
    arrays = {g.name: np.asarray(values[g.name]) for g in network.givens}
    dtype = np.complex128 if any(np.iscomplexobj(a) for a in arrays.values()) else np.float64
    return {name: torch().tensor(array.astype(dtype)) for name, array in arrays.items()}


def run_network(network: Network, tensors: Mapping[str, Tensor], sizes: Mapping[str, int]) -> Run:
    """Evaluate every equation of a network."""
    run = Run(sizes, next(iter(tensors.values())))
    for given in network.givens:
        run.give(given, tensors[given.name])
    for block in network.blocks:
        if isinstance(block, Scan):
            run.scan(block)
        else:
            run.static(block)
    return run


def autograd(network: Network, values: Mapping[str, Any], sizes: Mapping[str, int], wanted: tuple[Given, ...]
             ) -> tuple[Any, dict[str, Any]]:
    """Return the loss of a batch and its gradients by PyTorch's autograd.

    Args:
        network: What is differentiated.
        values: Arrays by name, in the layout of :mod:`symrnn.verify.points`.
        sizes: A number for each size letter; ``B`` is the batch.
        wanted: What the gradients are taken in.

    Returns:
        The loss and an array for each name, shaped as the values are.

    Raises:
        DataError: A given quantity has no values.
    """
    tensors = tensors_of(network, values)
    inputs = [tensors[given.name].requires_grad_() for given in wanted]
    run = run_network(network, tensors, sizes)
    loss = run.per_sequence(run.statics[network.loss]).sum()
    if not loss.requires_grad:
        return loss.item(), {g.name: np.zeros(x.shape) for g, x in zip(wanted, inputs, strict=True)}
    found = torch().autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    return loss.item(), {g.name: grad.numpy() for g, grad in zip(wanted, found, strict=True)}


def run_lines(derivation: Derivation, values: Mapping[str, Any], sizes: Mapping[str, int]) -> tuple[Any, dict[str, Any]]:
    """Return the loss of a batch and its gradients by the printed lines of a derivation, without autograd.

    Args:
        derivation: Whose lines are run, after the equations of its network.
        values: Arrays by name, real or complex.
        sizes: A number for each size letter; ``B`` is the batch.

    Raises:
        DataError: A given quantity has no values.
    """
    run = run_network(derivation.as_network(), tensors_of(derivation.network, values), sizes)
    gradients: dict[str, Any] = {}
    for given in derivation.wanted:
        lhs = derivation.by_quantity[given.quantity].lhs
        if given.span is None:
            value = run.per_sequence(run.statics[lhs])
            value = value.sum(0) if given.kind in SHARED else value
        else:
            times = range(size_in(given.span.lo, sizes), size_in(given.span.hi, sizes) + 1)
            value = torch().stack([run.per_sequence(run.series[lhs.series][time]) for time in times], 1)
        gradients[given.name] = value.reshape(given_shape(given, sizes)).numpy()
    return run.per_sequence(run.statics[derivation.network.loss]).sum().item(), gradients
