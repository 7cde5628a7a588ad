"""What is done against vanishing and exploding gradients, measured on the same inputs at the same sizes.

Sources: Pascanu, Mikolov & Bengio 2013 (clipping); Le, Jaitly & Hinton 2015 (identity and ReLU); Saxe, McClelland & Ganguli 2014
(orthogonal); Gers, Schmidhuber & Cummins 2000 and Jozefowicz, Zaremba & Sutskever 2015 (forget bias); Jaeger et al. 2007, leaky
integrators (the sum over time as a skip connection); Ba, Kiros & Hinton 2016 (layer normalisation); Williams & Peng 1990
(truncation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Rational

from symrnn.cells import cell
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError, unknown
from symrnn.expr import t
from symrnn.flow.measure import gradient_flow
from symrnn.flow.record import Flow
from symrnn.functions import parameter, series, tanh
from symrnn.layernorm import layer_normalised

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

RATE = Rational(1, 10)
"""How far a step of the cell with a skip connection goes."""


@dataclass(frozen=True)
class Remedy:
    """One network of the comparison.

    Attributes:
        make: Makes its cell.
        note: What it does, and what it does not.
        options: Of ``gradient_flow``.
        scaled: Whether its recurrent weights have the radius of the comparison; others have a rule of their own.
    """

    make: Callable[[], Cell]
    note: str
    options: Mapping[str, Any] = field(default_factory=dict)
    scaled: bool = False


def skipping() -> Cell:
    """``h_t = h_{t-1} + tanh(W_hh h_{t-1} + W_xh x_t + b_h) / 10``: each step adds to the state."""
    x, h = series("x", "D"), series("h", "H")
    net = parameter("W_hh", "H", "H") @ h[t - 1] + parameter("W_xh", "H", "D") @ x[t] + parameter("b_h", "H")
    return Cell("rnn with skip", [Equation(h[t], h[t - 1] + RATE * tanh(net), role="hidden state")], inputs=(x,))


REMEDIES: Mapping[str, Remedy] = MappingProxyType({
    "plain": Remedy(lambda: cell("rnn"), "the tanh network with Gaussian weights that the others are compared with", scaled=True),
    "orthogonal": Remedy(
        lambda: cell("rnn"), "W keeps every norm; what is left of the decay is the saturation of tanh", {"init": "orthogonal"}),
    "relu": Remedy(
        lambda: cell("rnn", activation="relu"), "slopes are 0 or 1: no saturation above 0, and units that are off pass nothing",
        scaled=True),
    "identity": Remedy(
        lambda: cell("rnn", activation="relu"), "W = I and ReLU: a unit that stays on passes its gradient on unchanged",
        {"init": "identity", "gain": 0.01}),
    "forget bias 0": Remedy(
        lambda: cell("lstm"), "the direct path is the product of the forget gates, about 1/2 each", {"forget_bias": 0.0}),
    "forget bias 1": Remedy(lambda: cell("lstm"), "the forget gates start at about 0.73", {"forget_bias": 1.0}),
    "forget bias 3": Remedy(lambda: cell("lstm"), "the forget gates start at about 0.95", {"forget_bias": 3.0}),
    "skip": Remedy(skipping, "the Jacobian of a step is I plus a tenth of that of the plain step", scaled=True),
    "layer normalisation": Remedy(
        lambda: layer_normalised(cell("rnn")), "what meets tanh has mean 0 and variance 1: the scale that W_hh and W_xh share drops out",
        scaled=True),
})
"""What changes the Jacobians of a step."""

AFTERWARDS = ("clipping", "truncation")
"""What is done to gradients and leaves the Jacobians alone."""


def remedies(
    names: Iterable[str] | None = None, *, steps: int = 100, hidden: int = 64, inputs: int | None = None, seed: int = 0,
    radius: float | None = None, limit: float = 1.0, window: int = 20,
) -> tuple[Flow, ...]:
    """Measure remedies beside the plain network, on the same inputs.

    Args:
        names: Keys of ``REMEDIES``, or ``clipping`` or ``truncation``; all of them by default.
        steps: The number of steps.
        hidden: The size of the states.
        inputs: The size of the inputs; by default that of the states.
        seed: Of inputs and weights.
        radius: Spectral radius of the plain network, and of those with ReLU, with skips and with layer normalisation.
        limit: What clipping limits the norm of the gradient to.
        window: The number of steps that truncation keeps.

    Returns:
        One record for each, with its name and a note that says what it changes.

    Raises:
        SpecError: An unknown name, or a number that is none.
    """
    wanted = [*REMEDIES, *AFTERWARDS] if names is None else list(names)
    for name in wanted:
        if name not in (*REMEDIES, *AFTERWARDS):
            raise unknown("remedy", name, (*REMEDIES, *AFTERWARDS))
    if not isinstance(window, int) or window < 1:
        raise SpecError(f"window is a whole number from 1 on; got {window!r}")
    if not limit > 0:
        raise SpecError(f"limit is a number above 0; got {limit!r}")
    data = {"x": np.random.default_rng(seed).standard_normal((1, steps, inputs or hidden))} if steps > 0 else None

    def measured(name: str) -> Flow:
        remedy = REMEDIES[name]
        scale = {"radius": radius} if remedy.scaled else {}
        found = gradient_flow(
            remedy.make(), steps=steps, hidden=hidden, inputs=inputs, data=data, seed=seed, name=name, **{**scale, **remedy.options})
        return replace(found, note=remedy.note)

    plain = measured("plain") if {"plain", *AFTERWARDS} & set(wanted) else None
    out = []
    for name in wanted:
        if plain is None or name not in {"plain", *AFTERWARDS}:
            out.append(measured(name))
        else:
            out.append({"clipping": clipped(plain, limit), "truncation": truncated_after(plain, window)}.get(name, plain))
    return tuple(out)


def clipped(flow: Flow, limit: float) -> Flow:
    """Return the flow with the gradient in all states of the sequence clipped to a norm.

    The gradient of every step is multiplied by one number: nothing that has vanished comes back, and the relation between near and
    far stays. The Jacobians, and so all norms but ``delta``, are those of before.
    """
    finite = flow.delta[np.isfinite(flow.delta)]
    highest = float(finite.max()) if finite.size else 0.0
    norm = highest + 0.5 * float(np.log10(np.sum(10.0 ** (2 * (finite - highest)))))
    shift = min(0.0, float(np.log10(limit)) - norm)
    said = f"divides the gradient of all steps by 10^{-shift:.2g}" if shift else "changes nothing here: the gradient is below the limit"
    return replace(
        flow, name=f"clipping to {limit:g}", delta=flow.delta + shift,
        note=f"clipping {said}; the Jacobians, and the ratio of far to near, stay as they are",
    )


def truncated_after(flow: Flow, window: int) -> Flow:
    """Return the flow of a gradient that is stopped after some steps: what lies further back is lost, what is nearer stays."""
    lost = np.arange(flow.steps + 1) > window
    power = 10.0 ** (2 * (flow.delta - np.max(flow.delta[np.isfinite(flow.delta)], initial=-np.inf)))
    part = float(power[lost].sum() / power.sum()) if power.sum() > 0 else 0.0

    def cut(array: Array) -> Array:
        return np.where(lost[: len(array)], -np.inf, array)

    return replace(
        flow, name=f"truncation after {window}", spectral=cut(flow.spectral), frobenius=cut(flow.frobenius), delta=cut(flow.delta),
        inputs=cut(flow.inputs), direct=None if flow.direct is None else cut(flow.direct), singular=np.zeros((0, flow.singular.shape[-1])),
        singular_lags=np.zeros(0, dtype=int), smallest=np.full(flow.steps + 1, np.nan), heat=None, heat_times=None, lyapunov=None,
        shares={}, paths={}, memory=window + 1 if flow.memory is None and lost.any() else min(flow.memory or window + 1, window + 1),
        note=f"gradients stop after {window} steps: {100 * part:.2g} % of the squared norm over all steps is lost; "
        "the forward pass is as before",
    )
