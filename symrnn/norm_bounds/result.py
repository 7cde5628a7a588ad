"""The bounds of a network's steps, and the theorems that they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symrnn.equations import Equation
from symrnn.errors import DataError, unknown
from symrnn.expr import Series, same, t
from symrnn.jacobians import StepJacobian
from symrnn.networks.graph import Network, Scan
from symrnn.norm_bounds.norms import ENTRY, STEP, Atom, NormBound
from symrnn.norm_bounds.theorems import Theorem
from symrnn.notation import Notation
from symrnn.style import Style, derivative
from symrnn.times import Order
from symrnn.writer import formula


@dataclass(frozen=True)
class Bounds:
    """Bounds on the norms of the Jacobians of a step, and what they say about many steps.

    Attributes:
        jacobian: Whose bounds they are.
        blocks: A bound for each line of the Jacobian, in the values of the step: ``max|f_t|``, ``σ_max(W)``.
        uniform: Likewise for all values: ``γ`` in the place of a slope, 1 in that of a gate. What has no bound for all values,
            such as a cell state, is kept.
        theorems: By name.
        network: The network of the Jacobian with what the bounds read as further outputs; ``evaluate`` reads their values.
        atoms: The series of each atom.
    """

    jacobian: StepJacobian
    blocks: Mapping[Series, NormBound]
    uniform: Mapping[Series, NormBound]
    theorems: Mapping[str, Theorem]
    network: Network = field(repr=False)
    atoms: Mapping[tuple[Series, Atom], Series] = field(repr=False)

    def theorem(self, name: str) -> Theorem:
        """Look up a theorem.

        Raises:
            SpecError: There is none of that name.
        """
        if name not in self.theorems:
            raise unknown("theorem", name, self.theorems)
        return self.theorems[name]

    def what_still_holds(self, **numbers: float) -> str:
        """Say of each theorem whose conditions given numbers decide what may be concluded, a line each.

        Args:
            numbers: Such as ``sigma_max=1.2``; keys of ``NUMBERS``.

        Raises:
            SpecError: An unknown number.
            DataError: A number that is negative, NaN or infinite.
        """
        told = [
            f"{theorem.name}: {theorem.what_still_holds(**numbers)}" for theorem in self.theorems.values()
            if all(name in {**theorem.known, **numbers} for c in theorem.conditions for name in c.needs)
        ]
        return "\n".join(told)

    def render(self, *, notation: str | Notation = "indexed", medium: str = "unicode") -> str:
        """Write the bounds of the blocks, for one step and for all values, and the theorems.

        Args:
            notation: A notation profile.
            medium: ``unicode``, ``ascii`` or ``latex``; in LaTeX the formulas alone, as one ``aligned`` block.

        Raises:
            SpecError: Unknown notation.
        """
        style = self.jacobian.style(notation, medium)
        rows = [(self.name(series, style), bound.text(style), self.uniform[series].text(style)) for series, bound in self.blocks.items()]
        if medium == "latex":
            lines = [rf"\left\lVert {name} \right\rVert &\le {bound}" for name, bound, _ in rows]
            lines += [f"&{theorem.latex}" for theorem in self.theorems.values()]
            return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"
        less, bars = style.pick("", "≤", "<="), style.pick("", "‖", "||")
        out = [f"{self.jacobian.of.name}: bounds", ""]
        for name, bound, whole in rows:
            out.append(f"  {bars}{name}{bars} {less} {bound}" + (f" {less} {whole}" if whole != bound else ""))
        return "\n".join([*out, "", *(f"  {theorem.name}: {theorem.text}" for theorem in self.theorems.values())]) + "\n"

    def name(self, series: Any, style: Style) -> str:
        """Write ``∂c_t/∂h_{t-1}``."""
        above, below = self.jacobian.ratio(*self.jacobian.ends[series])
        return derivative(formula(above, style), formula(below, style), style)

    def __str__(self) -> str:
        return self.render()

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.render(medium='latex')}$"

    def evaluate(self, outputs: Mapping[str, Any]) -> dict[tuple[Series, Series], Any]:
        """Return the bound of each block at each time.

        Args:
            outputs: What the code of ``network`` returned: arrays by name.

        Returns:
            By new and old state, for the blocks that are not 0.

        Raises:
            DataError: An array is missing.

        Shapes:
            Each array ``(B, times)``, or ``(B,)`` where a step has one time.
        """
        missing = [series.name for series in self.atoms.values() if series.key not in outputs]
        if missing:
            raise DataError(f"the bounds read {missing[0]}, which is not among the outputs; run the code of bounds(...).network")
        sizes = sizes_of(self.network.outputs, outputs)
        found: dict[Any, Any] = {}
        for series, bound in self.blocks.items():
            found[series] = bound.value(lambda atom, own=series: self.measured(own, atom, outputs, found), sizes)  # type: ignore[misc]
        return {self.jacobian.ends[s]: value for s, value in found.items() if self.jacobian.ends[s] in self.jacobian.paths}

    def measured(self, own: Any, atom: Atom, outputs: Mapping[str, Any], found: Mapping[Any, Any]) -> Any:
        """Return the value of an atom at each time."""
        if atom.kind == STEP:
            whole = found[atom.node.series]
            here = outputs[own.key].shape[1] if own.key in outputs else np.shape(whole)[-1]
            return whole[:, np.shape(whole)[1] - here:] if np.ndim(whole) == 2 else whole
        array = np.abs(outputs[self.atoms[own, atom].key])
        if atom.kind == ENTRY:
            return array.max(axis=-1)
        signed = outputs[self.atoms[own, atom].key]
        rows, cols = atom.node.shape
        vector = same(rows, 1) or same(cols, 1)
        return np.linalg.norm(signed, axis=-1) if vector else np.linalg.norm(signed, ord=2, axis=(-2, -1))


def sizes_of(series: Iterable[Any], outputs: Mapping[str, Any]) -> dict[Any, int]:
    """Read size letters off the arrays of series."""
    found: dict[Any, int] = {}
    for one in series:
        own = [size for size in one.shape if size != 1]
        if one.key in outputs and own:
            found |= {size: number for size, number in zip(own, np.shape(outputs[one.key])[-len(own):], strict=True) if size.is_Symbol}
    return found


def step_norms(values: Mapping[tuple[Series, Series], Any]) -> Any:
    """Return a bound on the norm of the whole step: the norm of the matrix of the bounds of its blocks.

    Args:
        values: What ``Bounds.evaluate`` returned, of scans that step together.
    """
    states = list(dict.fromkeys(state for key in values for state in key))
    shape = np.shape(next(iter(values.values())))
    matrix = np.zeros((*shape, len(states), len(states)))
    for (new, old), value in values.items():
        matrix[..., states.index(new), states.index(old)] = value
    return np.linalg.norm(matrix, ord=2, axis=(-2, -1))


def with_atoms(jacobian: StepJacobian, blocks: Mapping[Series, NormBound]) -> tuple[Network, dict[tuple[Series, Atom], Series]]:
    """Return the network with an equation for each atom of each line, at the times of the line."""
    names: dict[tuple[Any, Any], Series] = {}
    known: dict[Any, Series] = {}
    scans: list[Scan] = []
    for line in jacobian.lines:
        new: list[Equation] = []
        for atom in blocks[line.quantity].atoms:
            if atom.kind == STEP:
                continue
            key = (atom.node, line.span)
            if key not in known:
                rows, cols = atom.node.shape
                known[key] = Series(f"N_{len(known) + 1}", (), rows, cols)
                new.append(Equation(known[key][t], atom.node, line.span, "bounded"))
            names[line.quantity, atom] = known[key]
        if new:
            scans.append(Scan(tuple(new), jacobian.steps[jacobian.ends[line.quantity][1]]))
    network = jacobian.network
    every: Iterable[Any] = (*(e.quantity for e in jacobian.lines), *known.values())
    return replace(network, blocks=(*network.blocks, *scans), outputs=tuple(every), order=Order()), names


__all__ = ["Bounds", "step_norms", "with_atoms"]
