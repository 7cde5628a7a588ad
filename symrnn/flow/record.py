"""What was measured of the flow through one network: arrays by lag, norms as logarithms to base 10.

The state ``s`` is the column of everything that the network carries from step to step: ``h`` of a simple cell, ``h`` over
``c`` of an LSTM. Lag ``j`` stands for the time ``k = T - j``; lag 0 is the last time ``T``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

THRESHOLD = -3.0
"""The logarithm of the norm below which an input counts as forgotten."""

NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Flow:
    """What was measured of one network.

    Attributes:
        name: What the network is, and what sets it apart, such as ``lstm, forget bias 1``.
        steps: The number ``T`` of steps.
        hidden: The size of one state.
        states: Names of the states, in the order in which they stand in ``s``.
        spectral: ``log10 ‖∂s_T/∂s_{T-j}‖``, the largest singular value, of the whole state.
        frobenius: The same in the Frobenius norm.
        smallest: ``log10`` of the smallest singular value; NaN at lags at which it was not computed.
        singular: ``log10`` of all singular values at ``singular_lags``, largest first; ``-inf`` for 0, and NaN for what lies
            below the rounding of the largest.
        singular_lags: The lags of ``singular``.
        direct: ``log10`` of the norm of the product of the direct paths, such as ``∏ diag(f_t)``; ``None`` without one.
        bound: ``log10`` of the upper bound by the theorem; ``None`` where none applies.
        bound_text: The line of the theorem, with its conditions.
        delta: ``log10 ‖δs_{T-j}‖``, for the gradient at ``T`` that was given, or for a random one of norm 1.
        inputs: ``log10 ‖∂h_T/∂x_{T-j}‖``, Frobenius norm.
        removed: ``log10 ‖h_T - h_T without x_{T-j}‖``: the forward pass run again with this input 0, not linearised. Differences
            below the rounding of ``h_T``, about 1e-16 of it, mean nothing. NaN where it was not computed.
        angle: Degrees between the dominant directions at lags ``j`` and ``j + 1``, left singular vectors in the space of
            ``s_T``, 0 to 90, to about 0.01: where it goes to 0, all that comes from afar arrives in one direction. NaN at lag 0,
            where no direction is dominant.
        heat: ``log10 ‖∂s_t/∂s_k‖`` at ``heat[row of t, column of k]``, NaN for ``k > t``; ``None`` unless asked for.
        heat_times: The times of the rows and columns of ``heat``, in the order in which the steps run.
        gates: Mean activity of each gate over its units at each step, in the order in which the steps run.
        gates_low: Their quantiles 0.1.
        gates_high: Their quantiles 0.9.
        shares: By kind of factor (``saturation``, ``gate``, ``weights``, ``values``, and ``sum of paths`` for what comes of adding
            several paths), ``log10`` of the factor that it contributes from lag ``j`` to ``j + 1``. Over all lags they add up to
            ``spectral`` at the last lag; see :mod:`symrnn.flow.shares` for the definition.
        paths: The share of each path in the step from lag ``j`` to ``j + 1``, of the squared norm of the dominant gradient; the
            shares of all paths add up to 1.
        memory: The first lag at which the spectral norm is below 1e-3; ``None`` where it never is within ``steps``.
        lyapunov: Lyapunov exponents, natural logarithm per step, largest first.
        sigma_max: The largest singular value of the recurrent matrix; ``None`` where there are several or none.
        radius: Its spectral radius.
        gamma: The largest slope of its activation.
        error: The relative error of ``spectral``, at most, by residual and gap; see :mod:`symrnn.flow.chain`.
        note: What was done, where the record is one of a comparison.
        loss: The loss after training, where the network was trained; else ``None``.
    """

    name: str
    steps: int
    hidden: int
    states: tuple[str, ...]
    spectral: Array
    frobenius: Array
    smallest: Array
    singular: Array
    singular_lags: Array
    direct: Array | None
    bound: Array | None
    bound_text: str
    delta: Array
    inputs: Array
    removed: Array
    angle: Array
    heat: Array | None = None
    heat_times: Array | None = None
    gates: Mapping[str, Array] = field(default_factory=lambda: NONE)
    gates_low: Mapping[str, Array] = field(default_factory=lambda: NONE)
    gates_high: Mapping[str, Array] = field(default_factory=lambda: NONE)
    shares: Mapping[str, Array] = field(default_factory=lambda: NONE)
    paths: Mapping[str, Array] = field(default_factory=lambda: NONE)
    memory: int | None = None
    lyapunov: Array | None = None
    sigma_max: float | None = None
    radius: float | None = None
    gamma: float | None = None
    error: float = 0.0
    note: str = ""
    loss: float | None = None
