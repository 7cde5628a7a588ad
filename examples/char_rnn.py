"""A character model trained with generated code: ``python examples/char_rnn.py [FILE]``.

A GRU reads a text character by character and learns to predict the next one; loss and gradients are what
``symrnn.to_numpy`` returns. The last tenth of the text is held out, and the tenth before it says when to stop. At the end
the model must predict the held-out tenth better than an add-one bigram table of everything before it.

Units: losses are nats per character.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

import symrnn

README = Path(__file__).parents[1] / "README.md"
Params = dict[str, Any]


def bigram_loss(train: np.ndarray, held: np.ndarray, size: int) -> float:
    """Return the loss of an add-one bigram table of ``train`` on the pairs of ``held``."""
    counts = np.ones((size, size))
    np.add.at(counts, (train[:-1], train[1:]), 1)
    table = np.log(counts / counts.sum(axis=1, keepdims=True))
    return float(-table[held[:-1], held[1:]].mean())


class Model:
    """A GRU with a softmax readout, its parameters, and the running moments of Adam."""

    def __init__(self, size: int, hidden: int, random: np.random.Generator) -> None:
        """Derive the network, and draw the parameters."""
        net = symrnn.network(symrnn.cell("gru", bias=True), task="many-to-many", loss="cross-entropy", over_time="mean",
                             over_batch="mean")
        self.program = symrnn.to_numpy(symrnn.derive(net))
        self.eye = np.eye(size)
        self.hidden = hidden
        self.steps = 0
        sizes = {"D": size, "K": size, "H": hidden}
        shapes = {p.name: [sizes[str(d)] for d in p.shape if d != 1] for p in net.parameters}
        self.params: Params = {
            name: random.normal(size=shape) / np.sqrt(hidden) if len(shape) == 2 else np.zeros(shape)
            for name, shape in shapes.items()
        }
        self.first = {name: np.zeros(shape) for name, shape in shapes.items()}
        self.second = {name: np.zeros(shape) for name, shape in shapes.items()}

    def step(self, windows: np.ndarray, rate: float) -> float:
        """Make one step of Adam on a batch of windows of the text, ``(B, T + 1)``, and return the loss before it."""
        loss, gradients = self.program(self.params, self.eye[windows[:, :-1]], windows[:, 1:])
        self.steps += 1
        scale = min(1.0, 1.0 / np.sqrt(sum(np.sum(gradients[name] ** 2) for name in self.params)))
        for name in self.params:
            g = scale * gradients[name]
            self.first[name] += 0.1 * (g - self.first[name])
            self.second[name] += 0.01 * (g * g - self.second[name])
            mean, square = self.first[name] / (1 - 0.9**self.steps), self.second[name] / (1 - 0.99**self.steps)
            self.params[name] = self.params[name] - rate * mean / (np.sqrt(square) + 1e-8)
        return float(loss)

    def loss(self, text: np.ndarray) -> float:
        """Return the loss on a text, read from its first character to its last in one go."""
        values = {**self.params, "x": self.eye[text[None, :-1]], "y": text[None, 1:]}
        return float(self.program.loss(values))

    def sample(self, start: np.ndarray, length: int, random: np.random.Generator) -> list[int]:
        """Continue a text."""
        written = list(start)
        for _ in range(length):
            y_hat = self.program.forward({**self.params, "x": self.eye[np.array(written[-64:])[None]]})["y_hat"]
            written.append(int(random.choice(len(self.eye), p=y_hat[0, -1] / y_hat[0, -1].sum())))
        return written


def progress(done: float, text: str) -> None:
    """Draw a bar on standard error: over itself on a terminal, a line for each tenth elsewhere."""
    bar = "#" * round(30 * done)
    if sys.stderr.isatty():
        print(f"\r[{bar:<30}] {done:4.0%}  {text}", end="" if done < 1 else "\n", file=sys.stderr, flush=True)
    elif round(done * 1000) % 100 == 0:
        print(f"[{bar:<30}] {done:4.0%}  {text}", file=sys.stderr)


def train(model: Model, learnt: np.ndarray, watched: np.ndarray, steps: int, random: np.random.Generator) -> None:
    """Train on random windows of one part of a text, and keep the parameters that are best on another."""
    best, kept, length, batch = np.inf, model.params, 40, 16
    for number in range(1, steps + 1):
        starts = random.integers(0, len(learnt) - length, size=batch)
        rate = 1e-2 * (1 - number / steps) + 5e-4
        loss = model.step(learnt[starts[:, None] + np.arange(length + 1)], rate)
        if number % 25 == 0 or number == steps:
            seen = model.loss(watched)
            if seen < best:
                best, kept = seen, model.params
        progress(number / steps, f"loss {loss:.3f}, best on the part that is watched {best:.3f}")
    model.params = kept


def main() -> None:
    """Train, compare with the bigram table, and write a little text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=README, help="a UTF-8 text; the project's README by default")
    parser.add_argument("--steps", type=int, default=300, help="steps of training")
    parser.add_argument("--hidden", type=int, default=96, help="units of the GRU")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    random = np.random.default_rng(options.seed)
    text = options.file.read_text(encoding="utf-8")
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    held = codes[len(codes) * 9 // 10 :]
    before = codes[: len(codes) - len(held)]
    learnt, watched = before[: len(codes) * 8 // 10], before[len(codes) * 8 // 10 :]

    model = Model(len(letters), options.hidden, random)
    train(model, learnt, watched, options.steps, random)
    ours, table = model.loss(held), bigram_loss(before, held, len(letters))
    sample = model.sample(codes[:40], 200, random)
    print("".join(letters[code] for code in sample))
    print(f"\n{len(codes)} characters, {len(letters)} different; on the held-out tenth, in nats per character:")
    print(f"  GRU {ours:.3f}, add-one bigram table {table:.3f}")
    assert ours < table, "the model predicts the held-out tenth no better than pairs of characters do"


if __name__ == "__main__":
    main()
