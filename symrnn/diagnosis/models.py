"""What a forward pass may be: a published cell in one of its variants, and what its gradient is taken of.

A model is a network whose derivation is known. Where upstream gradients are handed to the backward, the loss is
``L = Σ_t Σ_q g_{q,t}ᵀ q_t`` over the states ``q`` of the cell, with given ``g``: then ``δh_t = g_{h,t} + …``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from inspect import signature
from itertools import product
from typing import Any

from symrnn.bptt import derive
from symrnn.cells import CELLS
from symrnn.derivation import Derivation
from symrnn.equations import Cell, Equation
from symrnn.expr import At, Elementwise, Hadamard, Leaf, Node, Plus, Product, Rows, Series, Static, dim, t, time_sum
from symrnn.functions import parameter, series
from symrnn.networks import Given, Network, Scan, network
from symrnn.networks.naming import name_operands, stem_of
from symrnn.times import Span

T = dim("T")
STATES, READOUT, BARE = "states", "readout", "no bias"
LOSSES = (("cross-entropy", "softmax"), ("squared-error", "linear"), ("squared-error", "sigmoid"), ("binary-cross-entropy", "sigmoid"))
MEANT: dict[str, set[str]] = {"cross-entropy": {"integers", "one_hot", "probabilities", "kept"},
                              "binary-cross-entropy": {"one_hot", "probabilities", "kept", "positive"},
                              "squared-error": {"real", "positive", "one_hot", "probabilities", "kept"}}
"""The kinds of targets that a loss can have."""
TASKS = ("many-to-many", "many-to-one")
CHOICES: dict[str, tuple[Any, ...]] = {"update_gate": ("old", "new"), "activation": ("tanh", "relu", "sigmoid", "identity"),
                                       "bias": (True, False)}
"""What is tried of the options of published cells, by name of the option; others keep their default."""


@dataclass(frozen=True)
class Role:
    """What a parameter is for.

    Attributes:
        parameter: The parameter.
        gate: The quantity in whose equation it stands, without accent: ``f``.
        reads: Name of what a matrix multiplies, ``"1"`` for a bias, ``"*"`` for a vector that multiplies entry by entry.
    """

    parameter: Static
    gate: str
    reads: str


@dataclass(frozen=True)
class Model:
    """A network that a forward pass may be.

    Attributes:
        cell: Its cell.
        ends: ``STATES``, ``READOUT``, or loss, readout and task of a network with a loss; ``"no bias"`` for a readout without.
        network: Its equations.
        upstream: The series of given upstream gradients, by the name of the series that they are of.
    """

    cell: Cell
    ends: tuple[str, ...]
    network: Network
    upstream: tuple[tuple[str, Series], ...] = ()

    @cached_property
    def derivation(self) -> Derivation:
        """The derivation of its network."""
        return derive(self.network)

    @cached_property
    def roles(self) -> tuple[Role, ...]:
        """What its parameters are for."""
        return roles(self.cell)

    @property
    def title(self) -> str:
        """How it is called in a report: ``gru (update_gate=new)``."""
        shown = ", ".join(f"{name}={value}" for name, value in self.cell.options if value not in (True, "tanh", "old"))
        return f"{self.cell.name}{f' ({shown})' if shown else ''}"


def variants(name: str) -> Iterator[Cell]:
    """Yield a published cell with each combination of its options."""
    takes = [option for option in signature(CELLS[name]).parameters if option in CHOICES]
    for values in product(*(CHOICES[option] for option in takes)):
        yield CELLS[name](**dict(zip(takes, values, strict=True)))


def cells(fits: Callable[[Cell], bool]) -> Iterator[Cell]:
    """Yield the cells that are tried, gate by gate ones only.

    Args:
        fits: Tells of one variant of a cell whether its matrices can be those of the code.
    """
    for name in CELLS:
        usual = CELLS[name]()
        if not any(e.rhs.atoms(Rows) for e in usual.equations) and fits(usual):
            yield from variants(name)


def altered(cell: Cell) -> Iterator[Cell]:
    """Yield the cell with one of its functions left out or exchanged: an LSTM without the tanh of its cell state."""
    for place, equation in reversed(list(enumerate(cell.equations))):
        for function in sorted(equation.rhs.atoms(Elementwise), key=str):
            for other in ("identity", "relu", "tanh", "sigmoid"):
                if other != str(function.args[0]) and (other == "identity" or "tanh" in (other, str(function.args[0]))):
                    changed = replace(equation, rhs=equation.rhs.xreplace({function: Elementwise(other, function.args[1])}))
                    listed = [*cell.equations[:place], changed, *cell.equations[place + 1:]]
                    yield Cell(cell.name, listed, inputs=cell.inputs, output=cell.output, title=cell.title, source=cell.source,
                               options=(*cell.options, (f"{function.args[0]} in {equation.name}", other)))


def of_states(cell: Cell, ends: tuple[str, ...]) -> Model:
    """Return the model in which upstream gradients are given for the states of a cell, or for a linear readout of it."""
    named = name_operands([replace(e, span=Span(1, T)) for e in cell.equations])
    readers: list[Series] = list(dict.fromkeys([cell.output, *cell.states]))
    extra: list[Equation] = []
    own: list[Given] = []
    if READOUT in ends:
        V, b, y = parameter("W_hy", "K", cell.output.shape[0]), parameter("b_y", "K"), series("y_hat", "K")
        plain = BARE in ends
        extra = [Equation(y[t], V @ cell.output[t] if plain else V @ cell.output[t] + b, Span(1, T), "output")]
        readers = [y, *readers]
        own = [Given(p, "parameter") for p in ((V,) if plain else (V, b))]
    given = {q.name: series(f"g_{q.name.removesuffix('_hat')}", q.shape[0]) for q in readers}
    loss = Equation(Static("L"), time_sum(Plus(*(given[q.name][t].T @ q[t] for q in readers)), 1, T), role="loss")
    first = Span(0, 0)
    net = Network(
        f"{cell.name}, with upstream gradients",
        (*(Given(p, "parameter") for p in cell.parameters), *own, *(Given(x, "input", Span(1, T)) for x in cell.inputs),
         *(Given(q, "initial", first) for q in cell.states), *(Given(g, "target", Span(1, T)) for g in given.values())),
        (Scan((*named, *extra)), loss), loss.lhs, cell=cell.name)
    return Model(cell, ends, net, tuple(given.items()))


def of_loss(cell: Cell, ends: tuple[str, ...]) -> Model:
    """Return the model with a readout and a loss."""
    loss, readout, task = ends[:3]
    return Model(cell, ends, network(cell, task=task, readout=readout, loss=loss, bias=BARE not in ends))


@cache
def model(cell: Cell, ends: tuple[str, ...]) -> Model:
    """Return the model of a cell with one of the ends."""
    return of_loss(cell, ends) if len(ends) > 2 else of_states(cell, ends)


def all_ends(has_loss: bool, readout: bool, bias: bool, targets: str, every: bool | None) -> tuple[tuple[str, ...], ...]:
    """Return what a gradient may be taken of.

    Args:
        has_loss: Whether the code returns a loss.
        readout: Whether there is a matrix for a readout.
        bias: Whether there is a bias for it.
        targets: What kind of numbers targets are: ``integers``, ``one_hot``, ``real``, ….
        every: Whether there is a target at each time; ``None`` where that is not known.
    """
    bare = () if bias else (BARE,)
    if not has_loss:
        return ((READOUT, *bare),) if readout else ((STATES,),)
    tasks = TASKS if every is None else TASKS[:1] if every else TASKS[1:]
    losses = [(loss, way) for loss, way in LOSSES if targets in MEANT.get(loss, {targets})]
    return tuple((loss, way, task, *bare) for loss, way in losses for task in tasks) if readout else ()


def roles(cell: Cell) -> tuple[Role, ...]:
    """Tell what each parameter is for, from where it stands in the equations."""
    found: dict[Static, Role] = {}
    for equation in cell.equations:
        for p in cell.parameters:
            for reads in reading(equation.rhs, p, {x.name for x in cell.inputs}):
                found.setdefault(p, Role(p, stem_of(equation), reads))
    return tuple(found[p] for p in cell.parameters if p in found)


def reading(node: Any, parameter: Static, inputs: Collection[str]) -> Iterator[str]:
    """Yield what a parameter meets in a formula: ``"x"`` for an input, whatever it is called, else the name of a state."""
    if isinstance(node, Product) and parameter in node.args:
        rest = sorted({leaf.name for factor in node.args[node.args.index(parameter) + 1:] for leaf in factor.atoms(At)})
        yield "x" if set(rest) & set(inputs) else rest[0] if rest else "1"
    elif isinstance(node, Hadamard) and parameter in node.args:
        yield "*"
    elif isinstance(node, Plus) and parameter in node.args:
        yield "1"
    for arg in node.args if isinstance(node, Node) and not isinstance(node, Leaf) else ():
        yield from reading(arg, parameter, inputs)
