"""How much each kind of factor, and each path, contributes to the growth or decay of a gradient.

Let ``u`` be the left singular vector of ``∂s_T/∂s_0`` and ``g_j = (∂s_T/∂s_{T-j})ᵀ u``, so that ``‖g_0‖ = 1`` and ``‖g_T‖`` is
the spectral norm over all steps. A step is a sum over paths, ``g_{j+1} = Σ_p a_p`` with ``a_p = A_pᵀ g_j``, and ``A_p`` is a
product of factors ``F_1 F_2 ⋯``, each of one kind (``symrnn.flow.factors``). Then

    log ‖g_{j+1}‖ - log ‖g_j‖ = Σ_p w_p Σ_i log(‖F_iᵀ ⋯ F_1ᵀ g_j‖ / ‖F_{i-1}ᵀ ⋯ F_1ᵀ g_j‖) + rest,    w_p = ‖a_p‖² / Σ_q ‖a_q‖².

The weights ``w_p`` are the shares of the paths; they add up to 1. The inner sum, taken by kind, gives the shares of
saturation, weights, gates and values. The rest, ``log ‖g_{j+1}‖ - Σ_p w_p log ‖a_p‖`` and the part of ``g_j`` that a path does not
read, is what comes of adding several paths; it is 0 where there is one. So the shares add up to the whole by definition, step
by step, and over all steps to ``log10`` of the spectral norm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.flow.factors import KINDS, VALUES, Term
from symrnn.flow.run import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

TOGETHER = "sum of paths"


@dataclass
class Backward:
    """Gradients pulled back through all steps.

    Attributes:
        run: The steps.
        start: Two columns of ``s_T``: the dominant direction, and the gradient of a loss.
        logs: ``log10`` of the norms of both at each lag.
        kinds: ``log10`` of what each kind of factor contributes, by lag.
        paths: The share of each path, by lag.
        direct: ``log10`` of the norm of the product of the direct paths; ``None`` where a state has none.
    """

    run: Run
    start: Array
    logs: Array = field(init=False)
    kinds: dict[str, Array] = field(init=False)
    paths: dict[str, Array] = field(init=False)
    direct: Array | None = field(init=False, default=None)

    def take(self) -> Backward:
        """Go from the last step to the first."""
        count = len(self.run)
        self.logs = np.zeros((count + 1, 2))
        names = named(self.run.chain.terms)
        self.kinds = {kind: np.zeros(count) for kind in (*KINDS, TOGETHER)}
        self.paths = {name: np.zeros(count) for name in names}
        held, scale = self.start, np.zeros(2)
        directs: dict[Any, list[Array]] = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            scale, held = normed(held, scale)
            self.logs[0] = scale
            for part in self.run.chunks():
                jacobians, _ = self.run.jacobians(part)
                lags = count - np.arange(part.start, part.stop)
                met, after = np.empty((len(jacobians), self.run.size)), np.empty((len(jacobians), self.run.size))
                for k in range(len(jacobians) - 1, -1, -1):
                    met[k] = held[:, 0]
                    held = np.dot(jacobians[k].T, held)
                    after[k] = held[:, 0]
                    scale, held = normed(held, scale)
                    self.logs[lags[k]] = scale
                self.divide(part, lags - 1, met, after, names, directs)
            self.direct = along(directs, count)
        used = {kind: values for kind, values in self.kinds.items() if np.any(values != 0)}
        self.kinds = used
        return self

    def divide(
        self, part: slice, lags: Array, met: Array, after: Array, names: list[str], directs: dict[Any, list[Array]]
    ) -> None:
        """Divide the growth at the steps of a chunk; ``met`` are gradients of norm 1 that meet a step, ``after`` behind it."""
        factors = self.run.factors(part)
        weights, inner, lengths = [], [], []
        for term in self.run.chain.terms:
            own, length = passed(term, self.run.number(term.scalar), factors, met[:, self.run.rows[term.new]])
            inner.append(own)
            lengths.append(length)
            weights.append(length**2)
            if term.new == term.old and term.name.startswith("direct"):
                entries = np.full(met[:, self.run.rows[term.new]].shape, self.run.number(term.scalar))
                for factor in term.factors:
                    entries = entries * factors[factor.series][..., 0]
                directs.setdefault((term.new, part.start), []).append(entries)
        total = np.sum(weights, axis=0)
        single = len(weights) == 1
        shares = [np.ones(len(met)) if single else np.where(total > 0, w / np.where(total > 0, total, 1), 0.0) for w in weights]
        growth = np.log10(np.linalg.norm(after, axis=1))
        rest = growth.copy()
        for name, share, own in zip(names, shares, inner, strict=True):
            self.paths[name][lags] = share
            for kind, value in own.items():
                weighed = np.where((share > 0) & ~np.isnan(value), share * np.where(share > 0, value, 0.0), 0.0)
                self.kinds[kind][lags] += weighed
                rest -= weighed
        self.kinds[TOGETHER][lags] = 0.0 if single else np.where(np.any(met != 0, axis=1), rest, 0.0)


def normed(held: Array, scale: Array) -> tuple[Array, Array]:
    """Return the logarithms of the norms of the columns, and the columns with norm 1; what is 0 stays 0."""
    lengths = np.linalg.norm(held, axis=0)
    return scale + np.log10(lengths), held / np.where(lengths > 0, lengths, 1.0)


def named(terms: tuple[Term, ...]) -> list[str]:
    """Name the paths: by what they pass, and between which states where there are several."""
    several = len({term.new for term in terms}) > 1
    plain = [f"{term.old.name} → {term.new.name}: {term.name}" if several else term.name for term in terms]
    often, seen, out = Counter(plain), Counter[str](), []
    for name in plain:
        seen[name] += 1
        out.append(f"{name} ({seen[name]})" if often[name] > 1 else name)
    return out


def passed(term: Term, scalar: float, factors: dict[Any, Array], met: Array) -> tuple[dict[str, Array], Array]:
    """Let gradients pass the factors of a term from left to right; return the logarithms by kind, and the last lengths."""
    held, length = met, np.linalg.norm(met, axis=1)
    kinds: dict[str, Array] = {}
    for factor in term.factors:
        array = factors[factor.series]
        if factor.diagonal:
            held = held * array[..., 0]
        else:
            held = held @ array[0] if len(array) == 1 else np.einsum("ti,tij->tj", held, array)
        now = np.linalg.norm(held, axis=1)
        kinds[factor.kind] = kinds.get(factor.kind, 0.0) + np.log10(now) - np.log10(length)
        length = now
    if scalar != 1:
        kinds[VALUES] = kinds.get(VALUES, 0.0) + np.log10(abs(scalar))
    return kinds, abs(scalar) * length


def along(directs: dict[Any, list[Array]], count: int) -> Array | None:
    """Multiply the direct paths of each state, and take the largest entry of any state at each lag."""
    if not directs:
        return None
    best = np.full(count + 1, -np.inf)
    for state in dict.fromkeys(state for state, _ in directs):
        parts = sorted((start, sum(entries)) for (own, start), entries in directs.items() if own == state)
        entries = np.concatenate([values for _, values in parts])[::-1]
        logs = np.cumsum(np.log10(np.abs(entries)), axis=0).max(axis=1)
        best[1:] = np.maximum(best[1:], logs)
    best[0] = 0.0
    return best
