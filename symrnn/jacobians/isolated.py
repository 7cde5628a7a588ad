"""One step alone, as a network: everything that it reads from elsewhere is given.

The forward step and the lines of its Jacobian are then code of the same few arrays, and can be held against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Integer

from symrnn.equations import Equation
from symrnn.expr import At, Columns, Leaf, Node, Plus, Series, Softmax, Static, TimeSum, Total, t
from symrnn.jacobians.result import StepJacobian
from symrnn.jacobians.step import Group, groups
from symrnn.networks.graph import Given, Network, Scan
from symrnn.times import Order, Span
from symrnn.traverse import leaves


@dataclass(frozen=True)
class Isolated:
    """One step.

    Attributes:
        network: The equations of the step at one time, and the lines of the Jacobian.
        states: What it carries over.
        olds: Names of the arrays of the old states, in the order of the states.
        blocks: The series of the Jacobians that are blocks, by new and old state.
    """

    network: Network
    states: tuple[Any, ...]
    olds: tuple[str, ...]
    blocks: dict[tuple[Any, Any], Any]


def isolated(jacobian: StepJacobian, time: int = 2) -> list[Isolated]:
    """Return each step of a network alone: one for each direction of each range of times.

    Args:
        jacobian: The Jacobian of the network's steps.
        time: The time of the step; it counts where conditions depend on the time, as in truncated networks.
    """
    found = []
    for group in groups(jacobian.of):
        states = tuple(state for state in group.states if state in jacobian.states)
        if states:
            found.append(Maker(jacobian, group, states, Integer(time)).made())
    return found


@dataclass
class Maker:
    """Cuts one step out of a network."""

    jacobian: StepJacobian
    group: Group
    states: tuple[Any, ...]
    time: Any
    givens: dict[Any, Given] = field(default_factory=dict)

    def made(self) -> Isolated:
        """Return the step."""
        lines = [e for e in self.jacobian.lines if self.jacobian.ends[e.quantity][1] in self.states]
        own = self.needed([*self.states, *(q.series for e in lines for q in leaves(e.rhs) if isinstance(q, At))])
        here = Span(self.time, self.time)
        kept = [Equation(e.lhs, self.cut(e.rhs), here, e.role) for q, e in self.group.equations.items() if q in own]
        kept += [Equation(e.lhs, self.cut(e.rhs), here, e.role) for e in lines]
        loss = Static("L_step")
        ends = Equation(loss, Plus(*(Total(state[self.time]) for state in self.states)), None, "loss")
        for state in self.states:
            self.given(state, self.time - self.group.step, "initial")
        network = self.jacobian.of
        alone = replace(
            network, name=f"{network.name}, one step", givens=tuple(self.givens.values()), blocks=(Scan(tuple(kept), self.group.step), ends),
            loss=loss, relations=(), outputs=(), order=Order(),
        )
        blocks = {self.jacobian.ends[e.quantity]: e.quantity for e in lines if self.jacobian.ends[e.quantity] in self.jacobian.paths}
        olds = tuple(self.givens[state, self.time - self.group.step].name for state in self.states)
        return Isolated(alone, self.states, olds, blocks)

    def needed(self, wanted: Iterable[Any]) -> set[Any]:
        """Return the quantities of the step that something needs."""
        waiting, found = list(wanted), set[Any]()
        while waiting:
            q = waiting.pop()
            if q in self.group.equations and q not in found:
                found.add(q)
                reads = leaves(self.group.equations[q].rhs)
                waiting += [leaf.series for leaf in reads if isinstance(leaf, At) and leaf.time == t]
        return found

    def cut(self, node: Any) -> Any:
        """Give what is read from elsewhere a place among the givens."""
        if isinstance(node, Columns | TimeSum):
            return self.static(Static(f"whole_{next(leaves(node)).name}", (), *node.shape), "input")
        if isinstance(node, Softmax) and isinstance(node.mask, Static):
            return Softmax(self.cut(node.args[0]), self.static(node.mask, "mask"))
        if isinstance(node, Static):
            kinds = {g.quantity: g.kind for g in self.jacobian.of.givens}
            return self.static(node, kinds.get(node, "input"))
        if isinstance(node, At):
            return self.read(node)
        return node.func(*map(self.cut, node.args)) if isinstance(node, Node) and not isinstance(node, Leaf) else node

    def static(self, node: Any, kind: str) -> Any:
        """Give a static quantity."""
        self.givens.setdefault((node, None), Given(node, "input" if kind == "target" else kind))
        return node

    def read(self, leaf: At) -> Any:
        """Give what is not of this step: the old states at their time, all else as an input of this time."""
        series: Any = leaf.series
        if leaf.time == t and (series in self.group.equations or series in self.jacobian.ends):
            return leaf
        if leaf.time == t - self.group.step and series in self.group.states:
            self.given(series, self.time - self.group.step, "initial")
            return leaf
        kinds = {g.quantity: g.kind for g in self.jacobian.of.givens}
        kind = kinds.get(series, "input")
        offset = "" if leaf.time == t else "_" + str(leaf.time).replace(" ", "").replace("-", "m").replace("+", "p")
        copy = Series(series.name + offset, *series.args[1:])
        self.given(copy, self.time, kind if kind in {"integer", "mask"} else "input")
        return copy[t]

    def given(self, series: Any, time: Any, kind: str) -> None:
        """Add a series that is given at one time."""
        self.givens.setdefault((series, time), Given(series, kind, Span(time, time)))
