"""What is known of products of Jacobians, as theorems with their conditions.

Sources: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, ICML 2013, section 2;
S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997), section 3.2, for the carousel;
R. A. Horn and C. R. Johnson, Matrix Analysis, 2nd ed. 2013, theorem 5.6.12 and corollary 5.6.14, for powers of a matrix.
Pascanu, Mikolov and Bengio write ``x_t = W σ(x_{t-1}) + …``, whose Jacobian is ``W diag(σ'(x_{t-1}))`` (their print has ``Wᵀ``);
here it is ``diag(φ'(a_t)) W``. The bound on the norm is the same for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from symrnn.errors import DataError, SpecError, unknown

PASCANU, HOCHREITER, HORN = "Pascanu, Mikolov & Bengio 2013, section 2", "Hochreiter & Schmidhuber 1997, section 3.2", "Horn & Johnson 2013, section 5.6"
NUMBERS: Mapping[str, str] = MappingProxyType({
    "gamma": "γ, the supremum of |φ'|",
    "sigma_max": "σ_max(W), the largest singular value",
    "radius": "ρ(W), the spectral radius",
    "step": "β, the largest bound of a step",
    "linear": "1 where φ is the identity, else 0",
    "units": "H, the number of units",
    "least_gate": "the smallest entry of the gate of the direct path",
    "largest_gate": "the largest entry of the gate of the direct path, in absolute value",
})
"""Numbers that conditions ask for."""


@dataclass(frozen=True)
class Condition:
    """What must hold for a theorem.

    Attributes:
        name: A word for it.
        text: The condition.
        needs: The numbers that decide it, keys of ``NUMBERS``.
        test: Decides it.
    """

    name: str
    text: str
    needs: tuple[str, ...]
    test: Callable[..., bool]


@dataclass(frozen=True)
class Theorem:
    """A statement about the flow of a gradient over ``t - k`` steps.

    Attributes:
        name: A word for it.
        statement: The statement, for a terminal.
        latex: The formula of the statement.
        conditions: Under which it holds; none where it always does.
        otherwise: What still holds where a condition is violated.
        source: Where it is from.
        known: Numbers that the network tells, such as ``γ`` of its nonlinearity.
    """

    name: str
    statement: str
    latex: str
    conditions: tuple[Condition, ...]
    otherwise: str
    source: str
    known: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The statement with its conditions."""
        if not self.conditions:
            return f"{self.statement}. No condition."
        return f"If {' and '.join(c.text for c in self.conditions)}: {self.statement}."

    def violated(self, **numbers: float) -> tuple[Condition, ...]:
        """Return the conditions that given numbers violate.

        Args:
            numbers: Keys of ``NUMBERS``; what the network tells may be left out.

        Raises:
            SpecError: An unknown number, or one that is missing.
            DataError: A number that is negative, NaN or infinite.
        """
        given = {**self.known, **checked(numbers)}
        for condition in self.conditions:
            for name in condition.needs:
                if name not in given:
                    raise SpecError(f"the theorem '{self.name}' needs {name}, {NUMBERS[name]}; give {name}=")
        return tuple(c for c in self.conditions if not c.test(**{name: given[name] for name in c.needs}))

    def holds(self, **numbers: float) -> bool:
        """Tell whether the conditions hold for given numbers: see ``violated``."""
        return not self.violated(**numbers)

    def what_still_holds(self, **numbers: float) -> str:
        """Say in words what given numbers allow to conclude.

        Raises:
            SpecError: An unknown number, or one that is missing.
            DataError: A number that is negative, NaN or infinite.
        """
        wrong = self.violated(**numbers)
        if not wrong:
            return f"{self.statement}."
        given = {**self.known, **numbers}
        listed = "; ".join(f"violated: {c.text} ({', '.join(f'{name} = {given[name]:g}' for name in c.needs)})" for c in wrong)
        return f"{listed}. What still holds: {self.otherwise}."


def checked(numbers: Mapping[str, float]) -> Mapping[str, float]:
    """Refuse what is no such number."""
    for name, value in numbers.items():
        if name not in NUMBERS:
            raise unknown("number", name, NUMBERS)
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise DataError(f"{name} is {NUMBERS[name]}, a number from 0 on; got {value!r}")
    return numbers


def product_theorem(step: str) -> Theorem:
    """Every network: the norm of a product is at most the product of the norms."""
    return Theorem(
        "product", f"‖∂s_t/∂s_k‖ ≤ β_t β_(t-1) ⋯ β_(k+1), where β_j bounds the norm of the step j: β_t is {step}",
        r"\left\lVert \frac{\partial s_t}{\partial s_k} \right\rVert \le \prod_{j=k+1}^{t} \beta_j", (), "", HORN,
    )


def contraction_theorems(sigma: str, latex: str, gamma: float | None) -> tuple[Theorem, ...]:
    """One state with ``J_t = diag(φ'(a_t)) W``: sufficient for vanishing, necessary for exploding."""
    base = rf"\left(\gamma \, {latex}\right)^{{t-k}}"
    power = rf"\left\lVert \frac{{\partial h_t}}{{\partial h_k}} \right\rVert \le {base}"
    small = Condition("contraction", f"γ {sigma} < 1", ("gamma", "sigma_max"), lambda gamma, sigma_max: gamma * sigma_max < 1)
    least = Condition("no expansion", f"γ {sigma} ≤ 1", ("gamma", "sigma_max"), lambda gamma, sigma_max: gamma * sigma_max <= 1)
    meant = "γ, the supremum of |φ'|, is an assumption here" if gamma is None else f"γ = {gamma:g} is the supremum of |φ'|"
    return (
        Theorem(
            "vanishing", f"‖∂h_t/∂h_k‖ ≤ (γ {sigma})^(t-k), which goes to 0 as t - k grows: the gradient vanishes, whatever the inputs "
            f"are; {meant}", power + r" \to 0", (small,),
            f"‖∂h_t/∂h_k‖ ≤ (γ {sigma})^(t-k), a bound that promises no decay; the gradient may vanish all the same, where |φ'| stays "
            "below its supremum, or keep its size, or grow", PASCANU, known_gamma(gamma),
        ),
        Theorem(
            "no explosion", f"‖∂h_t/∂h_k‖ ≤ 1 for all t ≥ k: the gradient cannot explode; {meant}",
            r"\left\lVert \frac{\partial h_t}{\partial h_k} \right\rVert \le 1", (least,),
            f"{sigma} > 1/γ is necessary for an explosion, not sufficient: saturation of φ, or directions that W does not stretch, may "
            f"hold the gradient down; ‖∂h_t/∂h_k‖ ≤ (γ {sigma})^(t-k) limits how fast it grows", PASCANU, known_gamma(gamma),
        ),
    )


def step_theorem(bound: str) -> Theorem:
    """Any states: the largest bound of a step."""
    small = Condition("contraction", "β < 1, where β ≥ β_j for all steps j", ("step",), lambda step: step < 1)
    return Theorem(
        "vanishing", f"‖∂s_t/∂s_k‖ ≤ β^(t-k), which goes to 0 as t - k grows; β_j is {bound}",
        r"\left\lVert \frac{\partial s_t}{\partial s_k} \right\rVert \le \beta^{t-k} \to 0", (small,),
        "‖∂s_t/∂s_k‖ ≤ β^(t-k), a bound that promises no decay; the product of the β_j of the steps is smaller", HORN,
    )


def direct_theorems(gate: str, latex: str, of: str = "") -> tuple[Theorem, ...]:
    """The path through the state alone: a product of diagonals.

    Args:
        gate: What is on the diagonal.
        latex: Likewise.
        of: The name of the state, where there are several such paths.
    """
    closed = Condition("forgetting", f"every entry of |{gate}| is below 1, by a margin that does not shrink", ("largest_gate",),
                       lambda largest_gate: largest_gate < 1)
    one = Condition("open gate", f"{gate} = 1 in every entry", ("least_gate", "largest_gate"),
                    lambda least_gate, largest_gate: least_gate == largest_gate == 1)
    return (
        Theorem(
            f"direct path{of}", f"the path from old to new state alone, the product of the {gate}, has norm max_i Π_j |{gate}|_i ≤ "
            f"Π_j max|{gate}|, which goes to 0; the paths through gates and candidates come on top, and may be larger",
            rf"\max_i \prod_{{j=k+1}}^{{t}} \left|{latex}\right|_i \le \prod_{{j=k+1}}^{{t}} \max\left|{latex}\right|", (closed,),
            f"the norm of the direct path is max_i Π_j |{gate}|_i, whatever the gates are; an entry whose gates stay near 1 keeps its "
            "gradient", HOCHREITER,
        ),
        Theorem(
            f"constant error carousel{of}", f"the direct path is the identity: it hands every gradient on unchanged, however large t - k is "
            f"({gate} = 1)", rf"\prod_{{j=k+1}}^{{t}} \operatorname{{diag}}({latex}) = I", (one,),
            f"the direct path multiplies entry i by Π_j ({gate})_i, and nothing else: no matrix mixes or stretches it", HOCHREITER,
        ),
    )


def linear_theorems(linear: float | None) -> tuple[Theorem, ...]:
    """``φ`` the identity, ``J_t = W``: powers of one matrix; and one unit, where everything is a number."""
    identity = Condition("linear", "φ is the identity", ("linear",), lambda linear: linear == 1)
    below = Condition("radius below 1", "ρ(W) < 1", ("radius",), lambda radius: radius < 1)
    known = {} if linear is None else {"linear": linear}
    return (
        Theorem(
            "linear", "∂h_t/∂h_k = W^(t-k), with ρ(W)^(t-k) ≤ ‖W^(t-k)‖ ≤ σ_max(W)^(t-k) and ‖W^n‖^(1/n) → ρ(W) (Gelfand): it goes to 0 in "
            "the limit; before that its norm may grow where W is not normal",
            r"\rho(W)^{n} \le \lVert W^{n} \rVert \le \sigma_{\max}(W)^{n}, \quad \lim_{n\to\infty} \lVert W^{n} \rVert^{1/n} = \rho(W)",
            (identity, below), "where φ is the identity, ‖∂h_t/∂h_k‖ = ‖W^(t-k)‖ ≥ ρ(W)^(t-k), so that it does not vanish at ρ(W) = 1 and "
            "grows without limit above; where it is not, radii decide nothing, since those of the factors do not multiply (a nilpotent W, "
            "with ρ(W) = 0, and D = diag(1, 0.2) may have ρ(D W) = 1.2), and only the norms of the steps give a bound", HORN, known,
        ),
        Theorem(
            "scalar", "for one unit ∂h_t/∂h_k = w^(t-k) Π_j φ'(a_j), exactly: |∂h_t/∂h_k| is the product of the |w φ'(a_j)|",
            r"\frac{\partial h_t}{\partial h_k} = w^{t-k} \prod_{j=k+1}^{t} \varphi'(a_j)",
            (Condition("one unit", "H = 1", ("units",), lambda units: units == 1),),
            "for several units the product of the steps is one of matrices that do not commute; its norm is at most the product of theirs",
            PASCANU,
        ),
    )


def known_gamma(value: float | None) -> Mapping[str, float]:
    """Return the slope of a function as a number that the network tells."""
    return {} if value is None else {"gamma": value}
