"""Four days of prices, and the fifth to predict: ``python examples/prices.py``.

The prices are not real: the program makes them, from a seed. The logarithm of a price makes one normal step a day of 2%. There
are two kinds of them:

* a random walk: a step has nothing to do with the steps before, and nothing predicts the fifth price better than the fourth;
* a walk with momentum: a step is 0.6 of the step before plus a new one, so that the last two prices tell part of the fifth.

A simple recurrent network reads four prices and predicts the fifth (many-to-one, linear readout, squared error). It is trained
on each kind and held, on prices that it has not seen, against the last price and against the best prediction there is, which
is known here because we know how the prices were made. On the random walk the network can only come close to the last price,
and does not beat it; with momentum it must. Prices of real markets are closer to the first kind: a small error on a chart is
no sign of a network that foresees anything, since repeating the last price has it too.

The loss and its gradients are what ``symrnn.to_numpy`` returns, and Adam is written out below.

Units: errors are root mean squares, in percent of the price.
"""

import argparse
from typing import Any

import numpy as np

import symrnn

DAYS, STEP, MOMENTUM = 5, 0.02, 0.6
Arrays = dict[str, Any]


def prices(number: int, momentum: float, random: np.random.Generator) -> np.ndarray:
    """Make prices of five days, ``(number, 5)``, that begin between 50 and 150."""
    steps = random.normal(size=(number, DAYS)) * STEP
    steps[:, 0] /= np.sqrt(1 - momentum**2)  # as after many days
    for day in range(1, DAYS):
        steps[:, day] += momentum * steps[:, day - 1]
    return random.uniform(50, 150, size=(number, 1)) * np.exp(np.cumsum(steps, axis=1))


def scaled(known: np.ndarray) -> np.ndarray:
    """Return what the network reads: how far the logarithms are from that of the last known day, in steps."""
    return np.log(known / known[:, 3:4])[..., None] / STEP


def trained(program: Any, seen: np.ndarray, epochs: int, random: np.random.Generator) -> Arrays:
    """Train with Adam, and return the parameters."""
    shapes = program.shapes({"D": 1, "H": 16, "K": 1})
    params: Arrays = {name: random.normal(size=shape) * 0.1 for name, shape in shapes.items()}
    moments = {name: (np.zeros(shape), np.zeros(shape)) for name, shape in shapes.items()}
    x, count = scaled(seen), 0
    for epoch in range(epochs):
        for chosen in np.array_split(random.permutation(len(seen)), len(seen) // 100):
            _, gradients = program(params, x[chosen, :4], x[chosen, 4])
            count += 1
            for name, (first, second) in moments.items():
                first += 0.1 * (gradients[name] - first)
                second += 0.001 * (gradients[name] ** 2 - second)
                mean, square = first / (1 - 0.9**count), second / (1 - 0.999**count)
                params[name] = params[name] - 5e-3 * (1 - epoch / epochs) * mean / (np.sqrt(square) + 1e-8)
    return params


def error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Return the root of the mean squared error of logarithms, in percent."""
    return float(100 * np.sqrt(np.mean(np.log(predicted / true) ** 2)))


def main() -> None:
    """Train on both kinds of prices, and compare with what is known to be best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="how often each series is seen")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    random = np.random.default_rng(options.seed)
    program = symrnn.to_numpy(symrnn.derive(
        symrnn.network(symrnn.cell("rnn"), task="many-to-one", loss="squared-error", over_batch="mean")
    ))
    print("prices made by this program, from a seed; error of the fifth day, in percent of the price")
    print(f"{'':24}{'last price':>12}{'network':>12}{'best there is':>15}")
    errors = {}
    for kind, momentum in [("random walk", 0.0), ("walk with momentum", MOMENTUM)]:
        seen, held = prices(5000, momentum, random), prices(5000, momentum, random)
        params = trained(program, seen, options.epochs, random)
        step = program.forward({**params, "x": scaled(held)[:, :4]})["y_hat"][:, 0] * STEP
        last, before, true = held[:, 3], held[:, 2], held[:, 4]
        predictions = (last, last * np.exp(step), last * (last / before) ** momentum)
        errors[kind] = [error(predicted, true) for predicted in predictions]
        print(f"{kind:24}{errors[kind][0]:12.3f}{errors[kind][1]:12.3f}{errors[kind][2]:15.3f}")
    print("The random walk cannot be predicted better than by its last price; the momentum can be learnt.")

    assert all(best * 0.995 < network < best * 1.02 for _, network, best in errors.values()), "far from the best prediction"
    assert errors["walk with momentum"][1] < 0.9 * errors["walk with momentum"][0], "the momentum was not learnt"


if __name__ == "__main__":
    main()
