"""The Jacobians of the steps of one run, by generated code.

The network is run once over the sequence. The step is then run again as a network of one time whose batch is the times of a
chunk: everything that it reads from elsewhere is an input, so there is no loop over time, and no derivative is taken per
cell. A chunk holds as many steps as ``LIMIT`` bytes have room for; products run from the last chunk to the first.

To know how a step depends on its input, the input is read as a state of the step before: ``x_t`` becomes ``ξ_{t-1}``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symrnn.activations import is_unspecified
from symrnn.codegen.arguments import BATCH, arguments_of, positional
from symrnn.codegen.module import network_source
from symrnn.codegen.naming import names_of
from symrnn.codegen.runtime import compiled
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import At, Columns, Divides, Elementwise, Leaf, Node, Series, Static, TimeSum, t
from symrnn.flow.factors import Term, computed, gates_of, input_of, terms_of, with_lines
from symrnn.jacobians import StepJacobian, step_jacobian
from symrnn.jacobians.isolated import isolated
from symrnn.jacobians.step import Group, groups
from symrnn.networks.graph import Given, Network, Scan
from symrnn.norm_bounds import Bounds, bounds
from symrnn.norm_bounds.norms import ENTRY, LARGEST, LENGTH, Atom
from symrnn.times import Order, Span
from symrnn.traverse import leaves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Values = Mapping[str, Any]
HERE = 2
"""The time that stands for the generic one in the network of a single step."""


@dataclass(frozen=True)
class Chain:
    """The formulas and the code of the steps of one network: made once, run for any numbers.

    Attributes:
        network: The network.
        group: The scans that step together.
        states: What they carry over.
        source: The input at each time, or ``None``.
        terms: The paths between the states.
        jacobian: Of the network whose input is read as a state, with the factors and what the bounds read as lines.
        bounds: Of the steps between the states.
        atoms: The series of what the bounds read.
    """

    network: Network
    group: Group
    states: tuple[Series, ...]
    source: Any
    terms: tuple[Term, ...]
    jacobian: StepJacobian
    bounds: Bounds
    atoms: Mapping[Atom, Series]
    codes: dict[tuple[Any, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def step(self) -> Any:
        """The step alone."""
        return next(found for found in isolated(self.jacobian, HERE) if set(self.states) <= set(found.states))

    @cached_property
    def wanted(self) -> tuple[Any, ...]:
        """Series of the blocks of the Jacobian, in the states and in the input."""
        return tuple(series for (new, _), series in self.step.blocks.items() if new in self.states)

    @cached_property
    def jacobian_code(self) -> Any:
        """Code of the blocks."""
        return compiled(network_source(self.step.network, self.wanted))["forward"]

    def code_of(self, lines: tuple[Any, ...]) -> Any:
        """Return the code of further lines; it is written once."""
        if lines not in self.codes:
            self.codes[lines] = compiled(network_source(self.step.network, lines))["forward"]
        return self.codes[lines]

    @cached_property
    def reads(self) -> dict[str, tuple[Any, Any]]:
        """What the step reads from elsewhere: series and offset by the name of the array, or a formula without a time."""
        found: dict[str, tuple[Any, Any]] = {}
        for equation in (*self.group.equations.values(), *self.jacobian.lines):
            for node in outermost(equation.rhs):
                if isinstance(node, Columns | TimeSum):
                    found[f"whole_{next(leaves(node)).name}"] = (node, None)
                elif isinstance(node, Static):
                    found[node.name] = (node, None)
                elif isinstance(node, At):
                    offset = "" if node.time == t else "_" + str(node.time).replace(" ", "").replace("-", "m").replace("+", "p")
                    found[node.series.name + offset] = (node.series, node.time - t)
        return found

    @cached_property
    def forward(self) -> Network:
        """The network with what the step reads of whole sequences as quantities of its own."""
        wholes = [Equation(Static(name, (), *node.shape), node, None) for name, (node, when) in self.reads.items()
                  if when is None and not isinstance(node, Static)]
        return replace(self.network, blocks=(*self.network.blocks, *wholes), order=Order()) if wholes else self.network

    @cached_property
    def outputs(self) -> tuple[Any, ...]:
        """What the run over the sequence has to keep."""
        defined = {e.quantity for e in self.forward.equations}
        wholes = (Static(name, (), *q.shape) for name, (q, _) in self.reads.items() if not isinstance(q, Series))
        wanted = [*self.states, *self.gates, *(q for q, _ in self.reads.values()), *wholes]
        return tuple(q for q in dict.fromkeys(wanted) if q in defined)

    @property
    def gates(self) -> tuple[Any, ...]:
        """The gates of the steps."""
        known = gates_of(self.network)
        return tuple(q for q in self.group.equations if q in known)

    @cached_property
    def forward_code(self) -> Any:
        """Code of the run over the sequence."""
        return compiled(network_source(self.forward, self.outputs))["forward"]

    @cached_property
    def hidden(self) -> Series:
        """The state that is read outside: the last one of the role of a hidden state."""
        named = [q for q in self.states if self.group.equations[q].role == "hidden state"]
        return named[-1] if named else self.states[-1]

    def run_forward(self, values: Values) -> dict[str, Any]:
        """Run the network.

        Args:
            values: Arrays by the names of what is given.
        """
        return called(self.forward, self.forward_code, values)


def outermost(node: Any) -> Iterator[Any]:
    """Yield the leaves of a formula, and what it reads of whole sequences."""
    if isinstance(node, Columns | TimeSum | Leaf):
        yield node
    elif isinstance(node, Node):
        for arg in node.args:
            yield from outermost(arg)


def called(network: Network, forward: Any, values: Values) -> dict[str, Any]:
    """Call generated code with arrays by the names of what is given; what it does not read may be missing."""
    arguments = arguments_of(network, names_of(network, BATCH).arguments)
    accepted = inspect.signature(forward).parameters
    named = {a.name: values.get(a.given.name) for a in arguments if not a.shared and a.name in accepted}
    placed = [named.pop(a.name) for a in positional(arguments) if a.name in accepted]
    own = {a.name for a in arguments}
    named |= {name: values[name] for name in accepted if name in values and name not in own}
    found: dict[str, Any] = forward({a.given.name: values.get(a.given.name) for a in arguments if a.shared}, *placed, **named)
    return found


def chain_of(network: Network, layer: int | str | None = None) -> Chain:
    """Derive the steps of a network.

    Args:
        network: The network.
        layer: Which states, as for ``step_jacobian``; needed where a network has steps in two directions.

    Raises:
        SpecError: Steps that do not run together.
        NotSupportedError: A truncated network, or a function that is left open.
    """
    if any(e.rhs.has(Divides) for e in network.equations):
        raise NotSupportedError(
            f"the network '{network.name}' is truncated, so its step depends on the time; measure the network without truncation"
        )
    if any(is_unspecified(node.function.name) for e in network.equations for node in e.rhs.atoms(Elementwise)):
        raise NotSupportedError(f"the network '{network.name}' has a φ that is left open, which has no numbers; choose an activation such as tanh")
    plain = step_jacobian(network, layer=layer)
    found = [group for group in groups(network) if set(group.states) & set(plain.states)]
    if len(found) > 1:
        marks = ", ".join(repr(part.mark) for part in network.parts if part.role == "layer" and part.mark)
        raise SpecError(f"the network '{network.name}' has steps that do not run together; choose a layer: one of {marks}")
    group = found[0]
    states = tuple(state for state in group.states if state in plain.states)
    terms = terms_of(plain, states)
    source = input_of(network, group.equations.values())
    whole = step_jacobian(network if source is None else with_input_as_state(network, source, group))
    bounded = bounds(plain)
    every = dict.fromkeys(atom for bound in bounded.blocks.values() for atom in bound.atoms if atom.kind in {ENTRY, LARGEST, LENGTH})
    atoms = {atom: Series(f"N_{number}_bounded", (), *atom.node.shape) for number, atom in enumerate(every)}
    lines = [(factor.series, factor.node) for factor in computed(terms)] + [(series, atom.node) for atom, series in atoms.items()]
    return Chain(network, group, states, source, terms, with_lines(whole, lines, group), bounded, atoms)


def with_input_as_state(network: Network, source: Series, group: Group) -> Network:
    """Let the steps of a group read the input as a state of the step before."""
    name = next(n for n in (f"{source.name}_in", f"{source.name}_in_2", f"{source.name}_in_3") if n not in network.names)
    state = Series(name, (), *source.shape)
    before = {source[t]: state[t - group.step]}

    def changed(e: Equation) -> Equation:
        return Equation(e.lhs, e.rhs.xreplace(before), e.span, e.role) if e.quantity in group.equations else e

    blocks: list[Any] = [
        Scan(tuple(map(changed, block.equations)), block.step) if isinstance(block, Scan) and block.step == group.step else block
        for block in network.blocks
    ]
    blocks.insert(0, Scan((Equation(state[t], source[t], group.span),), group.step))
    first = group.span.lo if group.step == 1 else group.span.hi
    given = Given(state, "initial", Span(first - group.step, first - group.step))
    return replace(network, givens=(*network.givens, given), blocks=tuple(blocks), order=Order())
