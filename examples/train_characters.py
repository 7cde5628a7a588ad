"""A character model trained at full speed: ``python examples/train_characters.py [FILE] [--optimizer sgd]``.

An LSTM reads windows of a text, one character at a time, each as a vector with a single one, and predicts the character
that follows. All of a step is generated code, ``symrnn.to_numpy(…, style="fast", optimizer="adam")``: the loss and its
gradients, and what clipping by norm and the optimizer do, in place and in pieces that fit into the cache. A step makes no
array of the size of the parameters.

The last tenth of the text is held out. The model must predict it better than an add-one bigram table of the rest.
``benchmarks/training.py`` compares the same steps with PyTorch's.

Units: losses are nats per character; speed is characters read per second.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import symrnn

README = Path(__file__).parents[1] / "README.md"
WINDOW, BATCH = 40, 32
RATES = {"adam": 1e-2, "sgd": 1.0}
CLASSES = {"adam": "Adam", "sgd": "SGD"}
Arrays = dict[str, Any]


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


def train(step: Callable[..., Any], rate: float, text: np.ndarray, size: int, steps: int, random: np.random.Generator) -> None:
    """Train on random windows of a text; the rate falls to zero in a straight line."""
    one_hot, begin, reported = np.eye(size, dtype=np.float32), time.perf_counter(), 0.0
    for number in range(1, steps + 1):
        starts = random.integers(0, len(text) - WINDOW, size=BATCH)
        codes = text[starts[:, None] + np.arange(WINDOW + 1)]
        loss = step(rate * (1 - number / steps), one_hot[codes[:, :-1]], codes[:, 1:])
        reported += float(loss) / min(steps, 50)
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
    program = symrnn.to_numpy(symrnn.derive(net), style="fast", wrt="parameters", optimizer=options.optimizer)
    params = drawn(program, len(letters), options.hidden, random)
    optimizer = program.names[CLASSES[options.optimizer]](params, limit=1.0)
    step = partial(program.names["training_step"], optimizer)
    train(step, RATES[options.optimizer], known, len(letters), options.steps, random)

    one_hot = np.eye(len(letters), dtype=np.float32)
    ours = float(program.names["loss"](optimizer.params, one_hot[held[None, :-1]], held[None, 1:]))
    table = bigram_loss(known, held, len(letters))
    print(f"{len(codes)} characters, {len(letters)} different; on the held-out tenth, read in one go:")
    print(f"  LSTM                  {ours:.3f} nats per character, perplexity {np.exp(ours):.2f}")
    print(f"  add-one bigram table  {table:.3f} nats per character, perplexity {np.exp(table):.2f}")
    assert ours < table, "the model predicts the held-out tenth no better than pairs of characters do"


if __name__ == "__main__":
    main()
