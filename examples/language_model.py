"""A character language model trained with generated code: ``python examples/language_model.py [FILE] [--page HTML]``.

An LSTM reads a text character by character and predicts the next one; the loss and its gradients are what
``symrnn.to_numpy`` returns, and Adam is written out below. It is trained on short windows, and is then one model for
sequences of any length: it reads a tenth of the text in one go, predicts the last character of a word from the ones before
(many-to-one, with the same parameters), and writes a text by itself, one character at a time.

The last tenth of the text is held out, and the tenth before it says when to stop. The model must predict the held-out tenth
better than an add-one bigram table of everything before it. ``--page`` writes the beginning of the text, coloured by the
memory of the unit that changes most slowly, after Karpathy, Johnson and Fei-Fei (2015).

Units: losses are nats per character; the perplexity is ``exp`` of that, the number of characters among which the model in
effect still hesitates.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import symrnn

README = Path(__file__).parents[1] / "README.md"
WINDOW, BATCH, LONGEST = 40, 16, 64
Arrays = dict[str, Any]


def bigram_loss(train: np.ndarray, held: np.ndarray, size: int) -> float:
    """Return the loss of an add-one bigram table of ``train`` on the pairs of ``held``."""
    counts = np.ones((size, size))
    np.add.at(counts, (train[:-1], train[1:]), 1)
    table = np.log(counts / counts.sum(axis=1, keepdims=True))
    return float(-table[held[:-1], held[1:]].mean())


def windows(text: np.ndarray, starts: np.ndarray, length: int) -> Arrays:
    """Return windows of a text, ``w``, and what follows each character, ``y``."""
    cut = text[starts[:, None] + np.arange(length + 1)]
    return {"w": cut[:, :-1], "y": cut[:, 1:]}


class Model:
    """An LSTM between an embedding and a softmax, its parameters, and the running moments of Adam."""

    def __init__(self, size: int, hidden: int, random: np.random.Generator) -> None:
        """Derive the network, and draw the parameters."""
        net = symrnn.architecture("language-model", symrnn.cell("lstm"), over_time="mean", over_batch="mean")
        last = symrnn.architecture("language-model", symrnn.cell("lstm"), task="many-to-one", over_batch="mean")
        self.program, self.last = (symrnn.to_numpy(symrnn.derive(one)) for one in (net, last))
        shapes = self.program.shapes({"V": size, "D": 32, "H": hidden})
        self.params: Arrays = {
            name: random.normal(size=shape) / np.sqrt(shape[-1]) if len(shape) == 2 else np.zeros(shape)
            for name, shape in shapes.items()
        }
        self.params["E_w"] *= np.sqrt(size) / 4
        self.params["b_f"] += 1  # the memory is kept at first
        self.moments = {name: (np.zeros(shape), np.zeros(shape)) for name, shape in shapes.items()}
        self.steps = 0

    def step(self, batch: Arrays, rate: float) -> float:
        """Make one step of Adam, gradients clipped to the norm 1, and return the loss before it."""
        loss, gradients = self.program.gradients({**self.params, **batch})
        self.steps += 1
        scale = min(1.0, 1.0 / np.sqrt(sum(np.sum(gradients[name] ** 2) for name in self.params)))
        for name, (first, second) in self.moments.items():
            g = scale * gradients[name]
            first += 0.1 * (g - first)
            second += 0.01 * (g * g - second)
            mean, square = first / (1 - 0.9**self.steps), second / (1 - 0.99**self.steps)
            self.params[name] = self.params[name] - rate * mean / (np.sqrt(square) + 1e-8)
        return float(loss)

    def loss(self, text: np.ndarray) -> float:
        """Return the loss on a text, read from its first character to its last in one go."""
        return float(self.program.loss({**self.params, **windows(text, np.zeros(1, dtype=int), len(text) - 1)}))

    def loss_after(self, text: np.ndarray, length: int) -> float:
        """Return the loss of one character after so many others, at 500 places of a text that are the same for each number."""
        cut = windows(text, np.linspace(LONGEST, len(text) - 1, 500).astype(int) - length, length)
        return float(self.last.loss({**self.params, "w": cut["w"], "y": cut["y"][:, -1]}))

    def following(self, text: np.ndarray) -> np.ndarray:
        """Return how likely each character is to follow a text."""
        return np.asarray(self.last.forward({**self.params, "w": text[None]})["y_hat"][0])

    def memory(self, text: np.ndarray) -> np.ndarray:
        """Return ``tanh(c_t)`` of each unit after each character, ``(T, H)``."""
        return np.tanh(self.program.forward({**self.params, "w": text[None]}, also="c")["c"][0])

    def sample(self, start: np.ndarray, length: int, random: np.random.Generator) -> list[int]:
        """Continue a text; the states go from one character to the next."""
        written, states, new = list(start), {}, start
        for _ in range(length):
            seen = self.program.forward({**self.params, **states, "w": new[None]}, also=("h", "c"))
            states = {"h_0": seen["h"][:, -1], "c_0": seen["c"][:, -1]}
            chances = seen["y_hat"][0, -1]
            new = random.choice(len(chances), size=1, p=chances / chances.sum())
            written += list(new)
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
    best, kept = np.inf, model.params
    for number in range(1, steps + 1):
        batch = windows(learnt, random.integers(0, len(learnt) - WINDOW, size=BATCH), WINDOW)
        loss = model.step(batch, 1e-2 * (1 - number / steps) + 5e-4)
        if number % 25 == 0 or number == steps:
            seen = model.loss(watched)
            if seen < best:
                best, kept = seen, dict(model.params)
        progress(number / steps, f"loss {loss:.3f}, best on the part that is watched {best:.3f}")
    model.params = kept


def page_of(model: Model, text: str, codes: np.ndarray) -> str:
    """Colour a text by the unit whose memory changes most slowly, for how much it changes in all."""
    memory = model.memory(codes)
    unit = int(np.argmin(np.mean(np.diff(memory, axis=0) ** 2, axis=0) / np.var(memory, axis=0)))
    return symrnn.activity_html(text, memory[:, unit], title="What one unit remembers", unit=f"tanh(c) of unit {unit}")


def main() -> None:
    """Train, compare with the bigram table, and show what the model can do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=README, help="a UTF-8 text; the project's README by default")
    parser.add_argument("--page", type=Path, metavar="HTML", help="write a text coloured by the activity of a unit")
    parser.add_argument("--steps", type=int, default=400, help="steps of training")
    parser.add_argument("--hidden", type=int, default=96, help="units of the LSTM")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    random = np.random.default_rng(options.seed)
    text = options.file.read_text(encoding="utf-8")
    if len(text) < 2000:
        parser.error(f"{options.file} has {len(text)} characters; give a text of 2000 or more")
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    held = codes[len(codes) * 9 // 10 :]
    before = codes[: len(codes) - len(held)]

    model = Model(len(letters), options.hidden, random)
    learnt, watched = before[: len(codes) * 8 // 10], before[len(codes) * 8 // 10 :][:20000]
    train(model, learnt, watched, options.steps, random)

    print("".join(letters[code] for code in model.sample(codes[:40], 200, random)))
    print("\nthe last character of a word, predicted from the ones before:")
    for word, _ in Counter(re.findall(r"\w{5,}", text[len(before) :])).most_common(5):
        chances = model.following(np.array([letters.index(letter) for letter in word[:-1]]))
        guess, truth = int(chances.argmax()), letters.index(word[-1])
        right = "right" if guess == truth else f"wrong: {word[-1]!r} had {chances[truth]:.0%}"
        print(f"  {word[:-1]} -> {letters[guess]!r} with {chances[guess]:.0%}, {right}")
    print(f"\ntrained on windows of {WINDOW} characters; perplexity of a held-out character, by the number of those before it:")
    for length in (1, 4, 16, LONGEST):
        print(f"  {length:3d} {np.exp(model.loss_after(held, length)):7.2f}")
    if options.page:
        options.page.write_text(page_of(model, text[:8000], codes[:8000]), encoding="utf-8")
    ours, table = model.loss(held), bigram_loss(before, held, len(letters))
    print(f"\n{len(codes)} characters, {len(letters)} different; on the held-out tenth, read in one go:")
    print(f"  LSTM                  {ours:.3f} nats per character, perplexity {np.exp(ours):.2f}")
    print(f"  add-one bigram table  {table:.3f} nats per character, perplexity {np.exp(table):.2f}")
    assert ours < table, "the model predicts the held-out tenth no better than pairs of characters do"


if __name__ == "__main__":
    main()
