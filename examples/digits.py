"""Read images row by row: ``python examples/digits.py``.

An image is no sequence, but it can be read as one: here each row of pixels is a glimpse, and an LSTM that has seen all eight
of them says which digit it was (many-to-one). The data are the 1797 handwritten digits, 8×8 pixels each, that come with
scikit-learn: three quarters to train, one quarter to test, the same share of each digit in both. The loss and its gradients
are what ``symrnn.to_numpy`` returns, and Adam is written out below.

Needs scikit-learn: ``python -m pip install '.[examples]'``.
"""

import argparse
import sys
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symrnn

Arrays = dict[str, Any]


class Adam:
    """Adam with its running moments."""

    def __init__(self, params: Arrays) -> None:
        """Start with no moments."""
        self.moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in params.items()}
        self.steps = 0

    def step(self, params: Arrays, gradients: Arrays, rate: float) -> Arrays:
        """Return the parameters after a step."""
        self.steps += 1
        moved = {}
        for name, (first, second) in self.moments.items():
            first += 0.1 * (gradients[name] - first)
            second += 0.001 * (gradients[name] ** 2 - second)
            mean, square = first / (1 - 0.9**self.steps), second / (1 - 0.999**self.steps)
            moved[name] = params[name] - rate * mean / (np.sqrt(square) + 1e-8)
        return moved


def main() -> None:
    """Train on three quarters of the images, and test on the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="how often each image is seen")
    parser.add_argument("--hidden", type=int, default=48, help="units of the LSTM")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    random = np.random.default_rng(options.seed)
    digits = load_digits()
    learnt, held, answers, truth = train_test_split(
        digits.images / 8 - 1, digits.target, test_size=0.25, stratify=digits.target, random_state=options.seed
    )
    program = symrnn.to_numpy(symrnn.derive(
        symrnn.network(symrnn.cell("lstm"), task="many-to-one", loss="cross-entropy", over_batch="mean")
    ))
    shapes = program.shapes({"D": 8, "H": options.hidden, "K": 10})
    params: Arrays = {name: random.normal(size=shape) / np.sqrt(options.hidden) for name, shape in shapes.items()}
    adam = Adam(params)
    for epoch in range(options.epochs):
        losses = []
        for chosen in np.array_split(random.permutation(len(learnt)), len(learnt) // 32):
            loss, gradients = program(params, learnt[chosen], answers[chosen])
            params = adam.step(params, gradients, 1e-2 * (1 - epoch / options.epochs))
            losses.append(loss)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", file=sys.stderr)

    said = program.forward({**params, "x": held})["y_hat"].argmax(axis=-1)
    right = said == truth
    for digit in range(10):
        print(f"  {digit}: {right[truth == digit].sum():2d} of {np.sum(truth == digit)}")
    print(f"{right.sum()} of {len(held)} test images right: {right.mean():.1%}")
    assert right.mean() > 0.95, "fewer than 95% of the test images were read right"


if __name__ == "__main__":
    main()
