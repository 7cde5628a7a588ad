"""The bounds of the theorems with the numbers of a run, to stand beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.expr import Static
from symrnn.flow.factors import WEIGHTS
from symrnn.flow.run import Run
from symrnn.norm_bounds import contraction, step_norms
from symrnn.norm_bounds.norms import ENTRY, STEP, Atom
from symrnn.traverse import leaves, quantity_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True)
class Measured:
    """A bound by lag, and the numbers that its theorem asks for.

    Attributes:
        bound: ``log10`` at each lag.
        text: The theorem with its conditions, and what still holds where one is violated.
        sigma_max: The largest singular value of the recurrent matrix, where there is one.
        radius: Its spectral radius.
        gamma: The supremum of the slope, where the steps are a slope times a matrix.
    """

    bound: Array
    text: str
    sigma_max: float | None
    radius: float | None
    gamma: float | None


def measured(run: Run) -> Measured:
    """Return the bound of the theorem that fits: ``(γ σ_max)^lag`` for a slope times a matrix, else the product of the steps' bounds."""
    found = run.chain.bounds
    sigma, radius = of_matrix(run)
    simple = contraction(next(iter(found.uniform.values()))) if len(found.uniform) == 1 else None
    if simple is not None and simple[0] is not None and sigma is not None:
        gamma = simple[0]
        with np.errstate(divide="ignore"):
            bound = np.arange(len(run) + 1) * np.log10(np.float64(gamma * sigma)) if gamma * sigma else by_steps(run)
        bound[0] = 0.0
        theorem = found.theorem("vanishing")
        numbers = {"gamma": gamma, "sigma_max": sigma}
        text = theorem.what_still_holds(**numbers) if theorem.violated(**numbers) else theorem.text
        return Measured(bound, text, sigma, radius, gamma)
    return Measured(by_steps(run), found.theorem("product").text, sigma, radius, None)


def of_matrix(run: Run) -> tuple[float | None, float | None]:
    """Return the largest singular value and the spectral radius of the recurrent matrix; ``None`` where there are several or none."""
    factors = {f.series: f for term in run.chain.terms for f in term.factors if f.kind == WEIGHTS}
    if len(factors) != 1:
        return None, None
    series, factor = next(iter(factors.items()))
    whole = run.values[series.name] if isinstance(series, Static) else run.lines(slice(0, 1), (series,))[series][0]
    matrix = np.diag(np.ravel(whole)) if factor.diagonal else np.asarray(whole)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        return None, None
    return float(np.linalg.norm(matrix, 2)), float(np.abs(np.linalg.eigvals(matrix)).max())


def by_steps(run: Run) -> Array:
    """Return ``log10`` of the product of the bounds of the steps, by lag."""
    logs = []
    with np.errstate(divide="ignore"):
        for part in run.chunks():
            values = blocks_of(run, part)
            norms = step_norms({key: value for key, value in values.items() if set(key) <= set(run.chain.states)})
            logs.append(np.log10(np.broadcast_to(norms, (part.stop - part.start,)))[::-1])
    return np.concatenate([[0.0], np.cumsum(np.concatenate(logs))])


def blocks_of(run: Run, part: slice) -> dict[Any, Array]:
    """Return the bound of each block at the times of a chunk, by new and old state."""
    chain, found = run.chain, dict[Any, Any]()
    fixed = tuple(series for atom, series in chain.atoms.items() if constant(run, atom))
    moving = tuple(series for series in chain.atoms.values() if series not in fixed)
    arrays = {**run.lines(part, moving), **{s: a[:1] for s, a in run.lines(slice(part.start, part.start + 1), fixed).items()}}

    def value(atom: Atom) -> Any:
        if atom.kind == STEP:
            return found[atom.node.series]
        array = arrays[chain.atoms[atom]]
        if atom.kind == ENTRY:
            return np.abs(array).max(axis=(-2, -1))
        return np.linalg.norm(array, 2, axis=(-2, -1))

    count = part.stop - part.start
    letters = {letter: run.sizes[str(letter)] for letter in chain.network.sizes if str(letter) in run.sizes}
    for series, bound in chain.bounds.blocks.items():
        found[series] = np.broadcast_to(bound.value(value, letters), (count,))
    ends = chain.bounds.jacobian.ends
    return {ends[series]: array for series, array in found.items() if ends[series] in chain.bounds.jacobian.paths}


def constant(run: Run, atom: Atom) -> bool:
    """Tell whether an atom reads parameters only."""
    return {quantity_of(leaf) for leaf in leaves(atom.node)} <= set(run.chain.network.parameters)
