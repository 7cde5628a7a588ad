"""The code of one step, and of its Jacobian."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symrnn.codegen import network_source
from symrnn.codegen.arguments import BATCH, arguments_of, positional
from symrnn.codegen.naming import names_of
from symrnn.codegen.runtime import compiled
from symrnn.expr import Divides
from symrnn.jacobians.isolated import Isolated, isolated
from symrnn.jacobians.result import StepJacobian
from symrnn.networks.graph import Network


@dataclass(frozen=True)
class StepProgram:
    """Generated code: the new states of a step from the old ones, and the Jacobian of the step at the same point.

    Attributes:
        step: The step.

    Shapes:
        Arrays by name, as :mod:`symrnn.verify.points` draws them for ``network``: parameters without a batch axis, all else
        ``(B, n)``. States ``(B, n)``, blocks of the Jacobian ``(B, rows, columns)``.
    """

    step: Isolated

    @property
    def network(self) -> Network:
        """The step as a network."""
        return self.step.network

    @property
    def states(self) -> tuple[Any, ...]:
        """What the step carries over."""
        return self.step.states

    @property
    def olds(self) -> tuple[str, ...]:
        """Names of the arrays of the old states."""
        return self.step.olds

    @cached_property
    def names(self) -> dict[str, Any]:
        """What the module of the forward step defines."""
        return compiled(network_source(self.step.network, self.step.states))

    @cached_property
    def jacobian_names(self) -> dict[str, Any]:
        """What the module of the Jacobian defines."""
        return compiled(network_source(self.step.network, tuple(self.step.blocks.values())))

    @property
    def accepted(self) -> tuple[str, ...]:
        """What the functions take beside given quantities: sizes that no array tells, and functions."""
        own = {"params", *(a.name for a in arguments_of(self.network, names_of(self.network, BATCH).arguments))}
        functions = (names["forward"] for names in (self.names, self.jacobian_names) if "forward" in names)
        return tuple(dict.fromkeys(n for function in functions for n in inspect.signature(function).parameters if n not in own))

    def new(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        """Run the forward step, and return the new states."""
        found = run(self.network, self.names["forward"], values)
        return {state: found[state.key] for state in self.states}

    def jacobian(self, values: Mapping[str, Any]) -> dict[tuple[Any, Any], Any]:
        """Return the blocks that are not 0, by new and old state."""
        if not self.step.blocks:
            return {}
        found = run(self.network, self.jacobian_names["forward"], values)
        rows = {state: values[name].shape[-1] for state, name in zip(self.states, self.olds, strict=True)}
        return {(new, old): found[series.key].reshape(-1, rows[new], rows[old]) for (new, old), series in self.step.blocks.items()}


def run(network: Network, forward: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Call a generated function with arrays by the names of what is given."""
    arguments = arguments_of(network, names_of(network, BATCH).arguments)
    accepted = inspect.signature(forward).parameters
    given = {a.name: values[a.given.name] for a in arguments if not a.shared and a.name in accepted}
    given |= {name: values[name] for name in accepted if name in values and name not in given}
    placed = [given.pop(a.name) for a in positional(arguments) if a.name in accepted]
    found: dict[str, Any] = forward({a.given.name: values[a.given.name] for a in arguments if a.shared}, *placed, **given)
    return found


def step_programs(jacobian: StepJacobian) -> list[StepProgram]:
    """Return the code of each step; where conditions depend on the time, at a time inside a window and at a start."""
    windows = [node.args[0] for e in jacobian.of.equations for node in e.rhs.atoms(Divides)]
    times = sorted({2, *(int(window) + 1 for window in windows if window.is_Integer)})
    return [StepProgram(step) for time in times for step in isolated(jacobian, time)]
