"""From a published cell to its derivation, one formula of it, LaTeX, code, and a step of gradient descent."""

import numpy as np
import sympy

import symrnn


def main() -> None:
    """Derive the LSTM, many-to-one, and train it to tell the sign of a running sum."""
    net = symrnn.network(symrnn.cell("lstm"), task="many-to-one", loss="cross-entropy", over_batch="mean")
    derivation = symrnn.derive(net)
    print(symrnn.render(derivation, wrt="b_f"))
    print("as a SymPy object:", sympy.latex(derivation.gradient("W_f")))

    function = symrnn.to_numpy(derivation)
    print(f"the code has {len(function.source.splitlines())} lines")

    random = np.random.default_rng(1)
    sizes = {"D": 1, "H": 8, "K": 2}
    params = {p.name: 0.5 * random.normal(size=[sizes[str(d)] for d in p.shape if d != 1]) for p in net.parameters}
    x = random.normal(size=(64, 10, 1))
    y = (x.sum(axis=(1, 2)) > 0).astype(int)
    first, _ = function(params, x, y)
    for _ in range(300):
        loss, gradients = function(params, x, y)
        params = {name: value - 0.5 * gradients[name] for name, value in params.items()}
    print(f"loss before {first:.3f}, after three hundred steps {loss:.3f}")
    assert loss < first / 3


if __name__ == "__main__":
    main()
