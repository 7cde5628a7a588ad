"""Reproduce what is known of vanishing and exploding gradients: ``python examples/decay.py``.

Four cases, from what can be done by hand to what has to be measured. A state of one number: ``∂h_T/∂h_0`` is ``w`` to the power
of ``T``. A linear network: eigenvalues decide in the limit, and a matrix with radius 0.5 makes gradients grow at first (C. Moler
and C. Van Loan, 1978, on what eigenvalues of a matrix that is not normal do not say). tanh: with ``γ σ_max(W) < 1`` gradients
vanish for certain; above it nothing is promised, and they do one or the other (R. Pascanu, T. Mikolov and Y. Bengio, 2013). An
LSTM over 100 steps with forget biases 0, 1, 2, 3 and 5 (F. Gers, J. Schmidhuber and F. Cummins, 2000; R. Jozefowicz, W. Zaremba and
I. Sutskever, 2015): the direct path alone would keep ``σ(b)^100``; the state as a whole keeps more, through the other gates.
"""

import math
from statistics import median
from typing import Any

import numpy as np

from symrnn import cell, gradient_flow

STEPS, HIDDEN, INPUTS, DRAWS = 100, 64, 32, 9
EARLIER = {1.0: 5e-8, 2.0: 0.24, 3.0: 22.0, 5.0: 176.0}
"""One draw at the same sizes, measured with other code before this project had any; draws differ by a factor of two to ten."""
LIGHT: dict[str, Any] = {"removed": False, "lyapunov": False, "lags": ()}


def norm(kind: str, W: np.ndarray, steps: int, lag: int) -> float:
    """Return ``‖∂h_T/∂h_{T-lag}‖`` of a simple network whose inputs and biases are 0."""
    size = len(W)
    params = {"W_hh": W, "W_xh": np.zeros((size, 1)), "b_h": np.zeros(size)}
    flow = gradient_flow(cell("rnn", activation=kind), params=params, data={"x": np.zeros((steps, 1))}, **LIGHT)
    return float(10 ** flow.spectral[lag])


def by_hand() -> None:
    """Scalars and linear networks, beside their closed forms."""
    print("w     activation  |∂h_100/∂h_0|  by hand: |w|^100")
    for w in (0.9, 1.0, 1.1, -0.5):
        for kind in ("identity", "tanh"):
            found = norm(kind, np.array([[w]]), STEPS, STEPS)
            print(f"{w:<4}  {kind:<10}  {found:<13.3e}  {abs(w) ** STEPS:.3e}")
            assert math.isclose(found, abs(w) ** STEPS, rel_tol=1e-9)
    jordan = np.array([[0.5, 10.0], [0.0, 0.5]])
    print("\nlinear, W = [[0.5, 10], [0, 0.5]], spectral radius 0.5\nlag  ‖∂h_T/∂h_{T-lag}‖  by hand: ‖W^lag‖")
    for lag in (0, 1, 2, 5, 10, 50):
        power = np.array([[0.5**lag, 10.0 * lag * 0.5 ** max(0, lag - 1)], [0.0, 0.5**lag]])
        found = norm("identity", jordan, 50, lag)
        print(f"{lag:<3}  {found:<17.3e}  {np.linalg.norm(power, 2):.3e}")
        assert math.isclose(found, float(np.linalg.norm(power, 2)), rel_tol=1e-6)
    assert norm("identity", jordan, 50, 1) > 10 > 1e-10 > norm("identity", jordan, 50, 50)


def promise() -> None:
    """Below ``γ σ_max(W) = 1`` every draw vanishes; above it one network does and another does not."""
    print(f"\ntanh, γ = 1, {DRAWS} draws\nσ_max(W)  largest ‖∂h_100/∂h_0‖  (γ σ_max)^100")
    orthogonal = np.linalg.qr(np.random.default_rng(0).standard_normal((HIDDEN, HIDDEN)))[0]
    for sigma in (0.8, 0.95):
        flows = []
        for seed in range(DRAWS):
            drawn = np.random.default_rng(seed).standard_normal((HIDDEN, HIDDEN))
            W = drawn * (sigma / np.linalg.norm(drawn, 2))
            flows.append(gradient_flow(cell("rnn"), params={"W_hh": W}, steps=STEPS, inputs=HIDDEN, seed=seed, **LIGHT))
        largest = 10 ** max(flow.spectral[-1] for flow in flows)
        print(f"{sigma:<8}  {largest:<22.1e}  {sigma**STEPS:.1e}")
        assert largest <= sigma**STEPS < 1
    quiet = norm("tanh", 1.1 * orthogonal, STEPS, STEPS)
    busy = gradient_flow(cell("rnn"), params={"W_hh": 1.1 * orthogonal}, steps=STEPS, inputs=HIDDEN, **LIGHT)
    print(f"1.1       {quiet:.1e} without inputs: it explodes; {10 ** busy.spectral[-1]:.1e} with inputs from N(0, 1): it vanishes")
    assert quiet > 1e3
    assert busy.spectral[-1] < -3


def forget_biases() -> None:
    """The LSTM for each forget bias: ``‖∂(h, c)_100/∂(h, c)_0‖`` beside its direct path, and beside the gate at its bias."""
    print(f"\nLSTM, H = {HIDDEN}, D = {INPUTS}, weights uniform within ±1/8, median of {DRAWS} draws\n"
          "forget bias  ‖∂(h,c)_100/∂(h,c)_0‖  direct path  σ(b)^100  one earlier draw")
    before = 0.0
    for bias in (0.0, 1.0, 2.0, 3.0, 5.0):
        flows = [gradient_flow(cell("lstm"), steps=STEPS, hidden=HIDDEN, inputs=INPUTS, init="pytorch", forget_bias=bias, seed=seed, **LIGHT)
                 for seed in range(DRAWS)]
        whole, direct = (10 ** median(float(values[-1]) for values in part) for part in zip(*((f.spectral, f.direct) for f in flows), strict=True))
        gate = (1 / (1 + math.exp(-bias))) ** STEPS
        print(f"{bias:<11g}  {whole:<21.1e}  {direct:<11.1e}  {gate:<8.1e}  {EARLIER.get(bias, '')}".rstrip())
        assert whole > direct
        assert whole > 10 * gate
        assert before < whole
        assert EARLIER.get(bias, whole) / 5 < whole < EARLIER.get(bias, whole) * 5
        before = whole


def main() -> None:
    """Print the tables."""
    by_hand()
    promise()
    forget_biases()
    vanished = norm("tanh", np.diag([0.5, 0.9]), STEPS, STEPS)
    assert math.isclose(vanished, 0.9**STEPS, rel_tol=1e-9)


if __name__ == "__main__":
    main()
