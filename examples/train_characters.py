"""A character model trained at full speed: ``python examples/train_characters.py [FILE] [--optimizer momentum]``.

An LSTM reads windows of a text, one character at a time, each as a vector with a single one, and predicts the character
that follows. The loss and its gradients are fast generated code, ``symrnn.to_numpy(…, style="fast")``; all parameters lie in
one array, and so do their gradients, and what clipping by norm, Adam or momentum do to them is written below, in place and
in pieces that fit into the cache. A step makes no array of the size of the parameters.

The last tenth of the text is held out. The model must predict it better than an add-one bigram table of the rest.
``benchmarks/training.py`` compares the same steps with PyTorch's.

Units: losses are nats per character; speed is characters read per second.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import symrnn

README = Path(__file__).parents[1] / "README.md"
WINDOW, BATCH, PIECE = 40, 32, 16384
RATES = {"adam": 1e-2, "momentum": 1.0}
Arrays = dict[str, Any]


def pieces(*arrays: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Cut arrays of one length into pieces that fit into the cache together."""
    for first in range(0, len(arrays[0]), PIECE):
        yield [array[first : first + PIECE] for array in arrays]


def clip(g: np.ndarray, limit: float) -> None:
    """g ← g min(1, limit / ‖g‖)."""
    norm = math.sqrt(np.dot(g, g))
    if norm > limit:
        g *= limit / norm


def momentum(p: np.ndarray, g: np.ndarray, velocity: np.ndarray, rate: float, *, keep: float = 0.9) -> None:
    """Set v ← keep v - rate g, p ← p + v; g is used up."""
    for one_p, one_g, v in pieces(p, g, velocity):
        v *= keep
        one_g *= rate
        v -= one_g
        one_p += v


def adam(
    p: np.ndarray, g: np.ndarray, first: np.ndarray, second: np.ndarray, rate: float, number: int, *, epsilon: float,
    keep: tuple[float, float] = (0.9, 0.999),
) -> None:
    """Set p ← p - rate m̂ / (√v̂ + ε), after Kingma and Ba (2015), algorithm 1; g is used up.

    ``first`` and ``second`` are their m / (1 - β₁) and v / (1 - β₂), which saves two products; what is missing, and the
    correction of the bias at step ``number``, are in two numbers.
    """
    beta_1, beta_2 = keep
    root = math.sqrt((1 - beta_2) / (1 - beta_2**number))
    step = rate * (1 - beta_1) / (1 - beta_1**number) / root
    for one_p, one_g, m, v in pieces(p, g, first, second):
        m *= beta_1
        m += one_g
        v *= beta_2
        one_g *= one_g
        v += one_g
        np.sqrt(v, one_g)
        one_g += epsilon / root
        np.divide(m, one_g, one_g)
        one_g *= step
        one_p -= one_g


class Trainer:
    """Parameters in one array, and all that a step needs."""

    def __init__(self, function: Callable[..., Any], params: Arrays, optimizer: str, *, limit: float, epsilon: float = 1e-8) -> None:
        """Copy the parameters into one array, of their dtype; ``function`` is the ``loss_and_gradients`` of generated code."""
        self.function, self.optimizer, self.limit, self.epsilon = function, optimizer, limit, epsilon
        self.flat = np.concatenate([array.ravel() for array in params.values()])
        self.gradient, self.first, self.second = (np.zeros_like(self.flat) for _ in range(3))
        self.params, self.gradients = (self.views(flat, params) for flat in (self.flat, self.gradient))
        self.steps = 0

    @staticmethod
    def views(flat: np.ndarray, like: Arrays) -> Arrays:
        """Return parts of one array by the names and in the shapes of others."""
        parts = np.split(flat, np.cumsum([array.size for array in like.values()])[:-1])
        return {name: part.reshape(array.shape) for part, (name, array) in zip(parts, like.items(), strict=True)}

    def step(self, rate: float, *data: np.ndarray) -> float:
        """Make one step, and return the loss before it."""
        loss, gradients = self.function(self.params, *data)
        for name, place in self.gradients.items():
            place[...] = gradients[name]
        clip(self.gradient, self.limit)
        self.steps += 1
        if self.optimizer == "adam":
            adam(self.flat, self.gradient, self.first, self.second, rate, self.steps, epsilon=self.epsilon)
        else:
            momentum(self.flat, self.gradient, self.first, rate)
        return float(loss)


def drawn(program: Any, size: int, hidden: int, random: np.random.Generator) -> Arrays:
    """Draw the parameters in single precision."""
    shapes = program.shapes({"D": size, "H": hidden, "K": size})
    params: Arrays = {
        name: (random.normal(size=shape) / np.sqrt(hidden) if len(shape) == 2 else np.zeros(shape)).astype(np.float32)
        for name, shape in shapes.items()
    }
    params["b_f"] += 1  # the memory is kept at first
    return params


def bigram_loss(train: np.ndarray, held: np.ndarray, size: int) -> float:
    """Return the loss of an add-one bigram table of ``train`` on the pairs of ``held``."""
    counts = np.ones((size, size))
    np.add.at(counts, (train[:-1], train[1:]), 1)
    table = np.log(counts / counts.sum(axis=1, keepdims=True))
    return float(-table[held[:-1], held[1:]].mean())


def train(trainer: Trainer, text: np.ndarray, size: int, steps: int, random: np.random.Generator) -> None:
    """Train on random windows of a text; the rate falls to zero in a straight line."""
    one_hot, begin, reported = np.eye(size, dtype=np.float32), time.perf_counter(), 0.0
    for number in range(1, steps + 1):
        starts = random.integers(0, len(text) - WINDOW, size=BATCH)
        codes = text[starts[:, None] + np.arange(WINDOW + 1)]
        loss = trainer.step(RATES[trainer.optimizer] * (1 - number / steps), one_hot[codes[:, :-1]], codes[:, 1:])
        reported += loss / min(steps, 50)
        if number % 50 == 0 or number == steps:
            speed = number * BATCH * WINDOW / (time.perf_counter() - begin)
            print(f"step {number:5d}  loss {reported:.3f}  {speed:9,.0f} characters per second", file=sys.stderr)
            reported = 0.0


def main() -> None:
    """Train, and compare with the bigram table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=README, help="a UTF-8 text; the project's README by default")
    parser.add_argument("--optimizer", choices=list(RATES), default="adam")
    parser.add_argument("--steps", type=int, default=250, help="steps of training")
    parser.add_argument("--hidden", type=int, default=96, help="units of the LSTM")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    random = np.random.default_rng(options.seed)
    text = options.file.read_text(encoding="utf-8")
    if len(text) < 2000:
        parser.error(f"{options.file} has {len(text)} characters; give a text of 2000 or more")
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    known, held = np.split(codes, [len(codes) * 9 // 10])

    net = symrnn.network(symrnn.cell("lstm"), task="many-to-many", loss="cross-entropy", over_time="mean", over_batch="mean")
    program = symrnn.to_numpy(symrnn.derive(net), style="fast", wrt="parameters")
    params = drawn(program, len(letters), options.hidden, random)
    trainer = Trainer(program.names["loss_and_gradients"], params, options.optimizer, limit=1.0)
    train(trainer, known, len(letters), options.steps, random)

    one_hot = np.eye(len(letters), dtype=np.float32)
    ours = float(program.names["loss"](trainer.params, one_hot[held[None, :-1]], held[None, 1:]))
    table = bigram_loss(known, held, len(letters))
    print(f"{len(codes)} characters, {len(letters)} different; on the held-out tenth, read in one go:")
    print(f"  LSTM                  {ours:.3f} nats per character, perplexity {np.exp(ours):.2f}")
    print(f"  add-one bigram table  {table:.3f} nats per character, perplexity {np.exp(table):.2f}")
    assert ours < table, "the model predicts the held-out tenth no better than pairs of characters do"


if __name__ == "__main__":
    main()
