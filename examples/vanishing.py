"""Why gradients vanish or explode: the Jacobian of a step, its bounds, and the cases that can be done by hand.

The scalar and the linear network in closed form; a contraction, where the gradient vanishes whatever the inputs are; the same
network above the bound, where nothing is promised; and the direct path of the LSTM beside the whole step.
"""

import numpy as np

import symrnn

RNG = np.random.default_rng(0)
STEPS = 50


def parameters(W: np.ndarray, inputs: int = 2) -> dict[str, np.ndarray]:
    """Return parameters of a simple recurrent network with a given recurrent matrix."""
    H = len(W)
    return {"W_hh": W, "W_xh": RNG.standard_normal((H, inputs)), "b_h": np.zeros(H), "W_hy": np.ones((1, H)), "b_y": np.zeros(1)}


def norms(steps: np.ndarray) -> np.ndarray:
    """Return the norms of the products of the first 1, 2, 3, … steps."""
    product, found = np.eye(steps.shape[-1]), []
    for step in steps:
        product = step @ product
        found.append(np.linalg.norm(product, 2))
    return np.array(found)


def scalar() -> None:
    """One unit: the derivative over many steps is the product of the ``w φ'(a_j)``."""
    forward = symrnn.step_jacobian(symrnn.cell("rnn")).forward()
    w, x = 0.9, RNG.standard_normal((1, STEPS, 2))
    params = parameters(np.array([[w]]))
    h, product = 0.0, 1.0
    for now in x[0]:
        h = np.tanh(w * h + params["W_xh"][0] @ now)
        product *= w * (1 - h * h)
    found = norms(forward(params, x)["J_h_h"][0])[-1]
    assert np.isclose(found, abs(product), rtol=1e-10)
    print(f"one unit, w = {w}: |∂h_{STEPS}/∂h_0| = {found:.3e}, by hand {abs(product):.3e}")


def linear() -> None:
    """``φ`` the identity: powers of ``W``. The radius decides the limit, and nothing before it."""
    forward = symrnn.step_jacobian(symrnn.cell("rnn", activation="identity")).forward()
    x = RNG.standard_normal((1, STEPS, 2))
    normal = norms(forward(parameters(np.diag([0.9, 0.5])), x)["J_h_h"][0])
    assert np.allclose(normal, 0.9 ** np.arange(1, STEPS + 1))
    skewed = norms(forward(parameters(np.array([[0.9, 10.0], [0.0, 0.9]])), x)["J_h_h"][0])
    assert skewed.max() > 38
    assert skewed[-1] < skewed.max() / 10
    print(f"linear, radius 0.9: a normal W decays from the first step; one that is not normal grows to {skewed.max():.1f} first")
    W, D = np.array([[1.5, -1.5], [1.5, -1.5]]), np.diag([1.0, 0.2])
    assert not (W @ W).any()
    assert np.isclose(max(abs(np.linalg.eigvals(D @ W))), 1.2)
    print("a nilpotent W has radius 0, and diag(1, 0.2) W has radius 1.2: radii of factors do not multiply")


def nonlinear() -> None:
    """tanh: below ``γ σ_max(W) = 1`` the bound decides; above it, only the numbers do."""
    jacobian = symrnn.step_jacobian(symrnn.cell("rnn"))
    held, forward = symrnn.bounds(jacobian), jacobian.forward()
    orthogonal = np.linalg.qr(RNG.standard_normal((8, 8)))[0]
    loud, quiet = RNG.standard_normal((1, STEPS, 2)), np.zeros((1, STEPS, 2))
    below = norms(forward(parameters(0.8 * orthogonal), loud)["J_h_h"][0])
    assert held.theorem("vanishing").holds(sigma_max=0.8)
    assert (below <= 0.8 ** np.arange(1, STEPS + 1) * (1 + 1e-12)).all()
    saturated = norms(forward(parameters(1.2 * orthogonal), 3 * loud)["J_h_h"][0])
    growing = norms(forward(parameters(1.2 * orthogonal), quiet)["J_h_h"][0])
    assert not held.theorem("vanishing").holds(sigma_max=1.2)
    assert saturated[-1] < 1e-3
    assert np.isclose(growing[-1], 1.2**STEPS)
    print(f"tanh, σ_max = 0.8: {below[-1]:.1e} after {STEPS} steps, at most {0.8**STEPS:.1e}")
    print(f"tanh, σ_max = 1.2: {saturated[-1]:.1e} with loud inputs, {growing[-1]:.1e} at rest. {held.theorem('vanishing').what_still_holds(sigma_max=1.2)}")


def gated() -> None:
    """The LSTM: the direct path alone, and the whole step, whose other paths come on top."""
    jacobian = symrnn.step_jacobian(symrnn.cell("lstm"))
    forward, H = jacobian.forward(), 16
    shapes = {"W": (H, H), "U": (H, 2), "b": (H,)}
    for bias in (1.0, 5.0):
        params = {f"{letter}_{gate}": RNG.standard_normal(shape) / np.sqrt(H) for letter, shape in shapes.items() for gate in "fico"}
        params |= {"b_f": np.full(H, bias), "W_hy": np.ones((1, H)), "b_y": np.zeros(1)}
        J = forward(params, RNG.standard_normal((1, STEPS, 2)))
        whole = norms(np.block([[J["J_h_h"][0], J["J_h_c"][0]], [J["J_c_h"][0], J["J_c_c"][0]]]))
        direct = norms(J["J_c_c"][0])
        gates = np.diagonal(J["J_c_c"][0], axis1=-2, axis2=-1)
        assert np.isclose(direct[-1], gates.prod(axis=0).max())
        assert direct[-1] <= gates.max(axis=1).prod() * (1 + 1e-12)
        assert whole[-1] >= direct[-1]
        print(f"LSTM, forget bias {bias:g}: direct path {direct[-1]:.1e}, whole step {whole[-1]:.1e} over {STEPS} steps")
    one = symrnn.bounds(jacobian).theorem("constant error carousel")
    assert one.holds(least_gate=1.0, largest_gate=1.0)
    assert not one.holds(least_gate=0.9, largest_gate=1.0)


if __name__ == "__main__":
    scalar()
    linear()
    nonlinear()
    gated()
