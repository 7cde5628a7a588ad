"""Turn strings round with attention: ``python examples/reverse.py [PNG]``.

An encoder reads a string letter by letter, and a decoder writes it backwards, looking at all states of the encoder through
an attention. Strings have different lengths: masks say where the shorter ones of a batch end. In training the decoder reads
the right letter before (teacher forcing); at the end it reads what it wrote itself. The loss and its gradients are what
``symrnn.to_numpy`` returns, and Adam is written out below.

None of the strings of the test is trained on, and more than 95% of them must come out without a mistake. The attention of one
of them is drawn: a row for each letter that is written, with the weights of the letters that are read. The large weights run
from the upper right to the lower left: the decoder looks at the end first.

Needs matplotlib: ``python -m pip install '.[examples]'``.
"""

import argparse
import string
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import symrnn

LETTERS = "·" + string.ascii_lowercase  # the first begins what is written, and ends it
SHORTEST, LONGEST = 3, 8
SHOWN = "backprop"
Arrays = dict[str, Any]


def drawn(number: int, random: np.random.Generator) -> list[str]:
    """Draw strings of different lengths."""
    lengths = random.integers(SHORTEST, LONGEST + 1, size=number)
    return ["".join(random.choice(list(LETTERS[1:]), size=length)) for length in lengths]


def coded(words: list[str], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of letters, ``(B, length)``, and a mask that is 1 where a word has one."""
    codes = np.array([[LETTERS.index(letter) for letter in word.ljust(length, LETTERS[0])] for word in words])
    return codes, np.arange(length) < np.array([len(word) for word in words])[:, None]


def batch_of(words: list[str]) -> Arrays:
    """Return what the network takes: the words, and their reverse with an end behind it, one step later as its input."""
    source, source_mask = coded(words, LONGEST)
    target, mask = coded([word[::-1] + LETTERS[0] for word in words], LONGEST + 1)
    before = np.concatenate([np.zeros_like(target[:, :1]), target[:, :-1]], axis=1)
    return {"w_src": source, "m_src": source_mask.astype(float), "w": before, "y": target, "m": mask.astype(float)}


class Model:
    """An encoder-decoder with attention, its parameters, and the running moments of Adam."""

    def __init__(self, hidden: int, random: np.random.Generator) -> None:
        """Derive the network, and draw the parameters."""
        net = symrnn.architecture(
            "encoder-decoder", symrnn.cell("gru", bias=True), attention="additive", embed=True, source_mask=True, mask=True,
            over_time="mean", over_batch="mean",
        )
        self.program = symrnn.to_numpy(symrnn.derive(net))
        sizes = {"V": len(LETTERS), "M": len(LETTERS), "D": 24, "H": hidden, "A": hidden}
        shapes = self.program.shapes(sizes)
        self.params = {name: random.normal(size=shape) / np.sqrt(shape[-1]) for name, shape in shapes.items()}
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

    def write(self, words: list[str]) -> tuple[list[str], np.ndarray]:
        """Write letter by letter, each time the likeliest, and return that with the attention ``(B, T, S)``."""
        batch = batch_of(words)
        given = {**self.params, "w_src": batch["w_src"], "m_src": batch["m_src"]}
        written = np.zeros((len(words), LONGEST + 2), dtype=int)
        for time in range(LONGEST + 1):
            seen = self.program.forward({**given, "w": written[:, : time + 1]})
            written[:, time + 1] = seen["y_hat"][:, time].argmax(axis=-1)
        texts = ["".join(LETTERS[code] for code in row[1:]) for row in written]
        return [text.partition(LETTERS[0])[0] for text in texts], seen["alpha"]


def draw(word: str, written: str, attention: np.ndarray, path: Path) -> None:
    """Draw where the decoder looked while it wrote."""
    with mpl.rc_context({"font.size": 11}):
        figure = Figure(figsize=(6.4, 6.2), layout="constrained")
        axes = figure.subplots()
        rows = [*written, "end"]
        image = axes.imshow(attention[: len(rows), : len(word)], cmap="Blues", vmin=0, vmax=1)
        for row, column in zip(*np.nonzero(attention[: len(rows), : len(word)] > 0.02), strict=True):
            weight = attention[row, column]
            axes.text(column, row, f"{weight:.2f}", ha="center", va="center", color="white" if weight > 0.5 else "black")
        axes.set_xticks(range(len(word)), list(word))
        axes.set_yticks(range(len(rows)), rows)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.tick_params(length=0, labelsize=15)
        axes.set_xlabel("letter that is read →")
        axes.set_ylabel("← letter that is written")
        axes.set_title(f"Attention of a decoder that writes “{word}” backwards", fontsize=13, pad=14)
        figure.colorbar(image, label="weight α (each row sums to 1)", shrink=0.85)
        figure.savefig(path, dpi=150)


def progress(done: float, text: str) -> None:
    """Draw a bar on standard error: over itself on a terminal, a line for each tenth elsewhere."""
    bar = "#" * round(30 * done)
    if sys.stderr.isatty():
        print(f"\r[{bar:<30}] {done:4.0%}  {text}", end="" if done < 1 else "\n", file=sys.stderr, flush=True)
    elif round(done * 1000) % 100 == 0:
        print(f"[{bar:<30}] {done:4.0%}  {text}", file=sys.stderr)


def main() -> None:
    """Train, write the held-out strings backwards, and draw the attention of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", nargs="?", type=Path, default=Path("attention.png"), help="where the attention is drawn")
    parser.add_argument("--steps", type=int, default=500, help="steps of training")
    parser.add_argument("--hidden", type=int, default=64, help="units of encoder, decoder and attention")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    random = np.random.default_rng(options.seed)
    held = {*drawn(500, random), SHOWN}
    model = Model(options.hidden, random)
    for number in range(1, options.steps + 1):
        words = [word for word in drawn(48, random) if word not in held]
        loss = model.step(batch_of(words), 8e-3 * (1 - number / options.steps) + 2e-4)
        progress(number / options.steps, f"loss {loss:.3f} nats per letter")

    tests = sorted(held)
    written, attention = model.write(tests)
    exact = np.array([ours == word[::-1] for ours, word in zip(written, tests, strict=True)])
    shown = tests.index(SHOWN)
    draw(SHOWN, written[shown], attention[shown], options.picture)
    for word, ours in [(SHOWN, written[shown]), *zip(tests[:4], written, strict=False)]:
        print(f"{word:>{LONGEST}} -> {ours}")
    print(f"{exact.mean():.1%} of {len(tests)} held-out strings without a mistake; the attention of {SHOWN} is in {options.picture}")
    assert exact.mean() > 0.95, "fewer than 95% of the held-out strings came out without a mistake"


if __name__ == "__main__":
    main()
