"""A cell of one's own: the minimal gated unit, derived, printed, run and checked like the published ones.

On the command line: ``symrnn derive examples/own_cell.py:CELL``.

Source: G.-B. Zhou, J. Wu, C.-L. Zhang and Z.-H. Zhou, Minimal gated unit for recurrent neural networks, 2016
(arXiv 1603.09420).
"""

import numpy as np

import symrnn
from symrnn import parameter, series, sigmoid, t, tanh

x, h = series("x", "D"), series("h", "H")
f, h_tilde = series("f", "H"), series("h_tilde", "H")

W_f, U_f, b_f = parameter("W_f", "H", "H"), parameter("U_f", "H", "D"), parameter("b_f", "H")
W_h, U_h, b_h = parameter("W_h", "H", "H"), parameter("U_h", "H", "D"), parameter("b_h", "H")

CELL = symrnn.Cell(
    "mgu",
    [
        (f[t], sigmoid(W_f @ h[t - 1] + U_f @ x[t] + b_f)),
        (h_tilde[t], tanh(W_h @ (f[t] * h[t - 1]) + U_h @ x[t] + b_h)),
        (h[t], (1 - f[t]) * h[t - 1] + f[t] * h_tilde[t]),
    ],
    inputs=[x],
    title="minimal gated unit",
    source="Zhou et al. 2016",
)


def main() -> None:
    """Derive the cell, print what leads to one gradient, hold everything against the judges, and run the code."""
    derivation = symrnn.derive(symrnn.network(CELL, task="many-to-one"))
    print(symrnn.render(derivation, wrt="W_f"))

    reports = symrnn.check(derivation)
    for report in reports:
        print(f"{report.judge}: {len(report.findings)} comparisons, {report.means}")
    assert len(reports) == 3
    assert all(report.ok for report in reports)

    random = np.random.default_rng(0)
    D, H, K, T, B = 3, 5, 2, 7, 4
    sizes = {"D": D, "H": H, "K": K}
    params = {p.name: random.normal(size=[sizes[str(d)] for d in p.shape if d != 1]) for p in derivation.network.parameters}
    x_data, y_data = random.normal(size=(B, T, D)), random.integers(K, size=B)
    loss, gradients = symrnn.to_numpy(derivation)(params, x_data, y_data)
    print(f"loss {loss:.6f}, ∂L/∂W_f of shape {gradients['W_f'].shape}")
    assert gradients["W_f"].shape == (H, H)


if __name__ == "__main__":
    main()
