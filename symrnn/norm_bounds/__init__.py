"""Bounds on the flow of gradients: of one step by rules on node types, of many steps as theorems with their conditions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sympy import Symbol

from symrnn import writer
from symrnn.equations import Cell
from symrnn.errors import SpecError
from symrnn.expr import Diag, t
from symrnn.jacobians import StepJacobian, step_jacobian
from symrnn.networks.graph import Network
from symrnn.norm_bounds.norms import CONSTANT, ENTRY, LARGEST, Atom, NormBound, norm_bound
from symrnn.norm_bounds.ranges import slopes_of, uniform
from symrnn.norm_bounds.result import Bounds, step_norms, with_atoms
from symrnn.norm_bounds.theorems import (
    Theorem,
    contraction_theorems,
    direct_theorems,
    linear_theorems,
    product_theorem,
    step_theorem,
)


def bounds(source: StepJacobian | Network | Cell) -> Bounds:
    """Bound the norms of the Jacobians of a step, and say what follows for many steps.

    Args:
        source: The Jacobian of a step, or a network or cell.

    Returns:
        A bound for each block, in the values of the step and for all values, and theorems with their conditions.

    Raises:
        SpecError: Something else, or a network without a recurrence.
        NotSupportedError: The Jacobian cannot be derived.
    """
    if not isinstance(source, StepJacobian | Network | Cell):
        raise SpecError(f"bounds takes the Jacobian of a step, a network or a cell; got a {type(source).__name__}")
    jacobian = source if isinstance(source, StepJacobian) else step_jacobian(source)
    slopes = slopes_of(jacobian.of)
    blocks = {e.quantity: norm_bound(e.rhs, slopes, jacobian.ends) for e in jacobian.lines}
    whole = {series: uniform(bound, jacobian.of) for series, bound in blocks.items()}
    network, atoms = with_atoms(jacobian, blocks)
    found = theorems_of(jacobian, blocks, whole)
    return Bounds(
        jacobian, MappingProxyType(blocks), MappingProxyType(whole), MappingProxyType({one.name: one for one in found}), network,
        MappingProxyType(atoms),
    )


def theorems_of(jacobian: StepJacobian, blocks: Mapping[Any, NormBound], whole: Mapping[Any, NormBound]) -> list[Theorem]:
    """Return the theorems that the form of a Jacobian gives."""
    text, latex = jacobian.style(medium="unicode"), jacobian.style()
    described = next(iter(blocks.values())).text(text) if len(blocks) == 1 else "the spectral norm of the matrix of the bounds of its blocks"
    found = [product_theorem(described)]
    simple = contraction(next(iter(whole.values()))) if len(whole) == 1 else None
    if simple is None:
        found.append(step_theorem(described))
    else:
        gamma, sigma = simple
        linear = next(iter(blocks.values())).atoms == (sigma,)
        found += contraction_theorems(sigma.text(text), sigma.text(latex), gamma)
        found += linear_theorems(float(linear) if linear or gamma is not None else None)
    direct = {
        new: path.term.args[0].xreplace({t: Symbol("j", integer=True)}) for (new, old), paths in jacobian.paths.items() for path in paths
        if new == old and path.name == "direct" and isinstance(path.term, Diag)
    }
    for state, gate in direct.items():
        found += direct_theorems(writer.text(gate, text), writer.latex(gate, latex), f" of {state.name}" if len(direct) > 1 else "")
    return found


def contraction(bound: NormBound) -> tuple[float | None, Atom] | None:
    """Return ``γ`` and ``σ_max(W)`` where a bound is their product, ``γ`` as ``None`` where nothing tells it."""
    kinds = sorted(atom.kind for atom in bound.atoms)
    if len(bound.terms) != 1 or len(bound.terms[0].atoms) != len(kinds) or kinds not in ([LARGEST], [CONSTANT, LARGEST], [ENTRY, LARGEST]):
        return None
    gamma = float(bound.terms[0].number) if kinds == [LARGEST] else None
    return gamma, next(atom for atom in bound.atoms if atom.kind == LARGEST)


__all__ = ["Bounds", "NormBound", "Theorem", "bounds", "norm_bound", "step_norms"]
