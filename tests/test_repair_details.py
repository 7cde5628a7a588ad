"""Repairs that need more than the line itself: gradients with other names, weight decay, parts of arrays, a guess by somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_repair import WRONG, Mistake, assert_named, diagnosed, edited, loaded

from symrnn.repair.guess import Guess
from symrnn.verify.handwritten.findings import Diagnosis, Finding, Place

GREEK = '''import numpy as np


def forward(x, y, h0, W, U):
    h, loss = [h0], 0.0
    for k in range(len(x)):
        h.append(np.tanh(x[k] @ W + h[k] @ U))
        loss = loss + np.sum((h[k + 1] - y[k]) ** 2)
    return loss, (x, y, h, W, U)


def backward(cache):
    x, y, h, W, U = cache
    gW, gU = np.zeros(W.shape), np.zeros(U.shape)
    flow = np.zeros(h[0].shape)
    for k in reversed(range(len(x))):
        e = 2 * (h[k + 1] - y[k]) + flow
        s = e * (1 - h[k + 1] ** 2)
        gW += x[k].T @ s
        gU += h[k].T @ s
        flow = s @ U.T
    return gW, gU
'''
SHAPES = {"x": (4, 3, 6), "y": (4, 3, 5), "h0": (3, 5), "W": (6, 5), "U": (5, 5)}

DECAY = '''import numpy as np


def forward(x, W, V):
    h = np.tanh(x @ W)
    return np.sum(h @ V) / len(x) + 0.05 * np.sum(V * V), (x, h, W, V)


def backward(cache):
    x, h, W, V = cache
    scale = 1 / len(x)
    dout = np.ones((len(x), V.shape[1])) * scale
    dV = h.T @ dout + 0.1 * V
    dh = dout @ V.T
    dW = x.T @ (dh * (1 - h ** 2))
    return dW, dV
'''

PARTS = '''import numpy as np


def forward(x, h, W, U):
    v = np.concatenate([h, x], axis=1)
    a, b = np.tanh(v @ W), np.tanh(v @ U)
    return a * b, (v, a, b, W, U, h.shape[1])


def backward(dy, cache):
    v, a, b, W, U, H = cache
    da, db = dy * b * (1 - a ** 2), dy * a * (1 - b ** 2)
    dv = da @ W.T
    dw = db @ U.T
    dh = dv[:, :H] + dw[:, :H]
    dx = dv[:, H:] + dw[:, H:]
    return dx, dh, v.T @ da, v.T @ db
'''


@pytest.mark.parametrize("mistake", [
    Mistake("s = e * (1 - h[k + 1] ** 2)", "s = e", "missing derivative", "s ="),
    Mistake("h[k + 1] - y[k]) + flow", "h[k + 1] - y[k])", "missing carry", "e ="),
    Mistake("2 * (h[k + 1]", "(h[k + 1]", "wrong scale", "e ="),
], ids=lambda m: m.kind)
def test_gradients_of_a_loss_that_are_not_called_so(mistake: Mistake, tmp_path: Path) -> None:
    source = edited(GREEK, mistake)
    module = loaded(source, tmp_path)
    assert_named(diagnosed(module.forward, module.backward, SHAPES, loss="loss", returns=["dW", "dU"]), source, (mistake,))


@pytest.mark.parametrize("mistakes", [
    (Mistake(" + 0.1 * V", "", "missing term", "dV ="),),
    (Mistake(" + 0.1 * V", "", "missing term", "dV ="), Mistake("scale = 1 / len(x)", "scale = 1.0", "wrong scale", "scale =")),
], ids=len)
def test_weight_decay_that_is_left_out(mistakes: tuple[Mistake, ...], tmp_path: Path) -> None:
    source = edited(DECAY, *mistakes)
    module = loaded(source, tmp_path)
    found = diagnosed(module.forward, module.backward, {"x": (3, 4), "W": (4, 5), "V": (5, 2)}, loss="result 1", returns=["dW", "dV"])
    assert_named(found, source, mistakes)
    assert [f.fix for f in found.findings if f.kind == "missing term"] == ["dV = h.T @ dout + 0.1 * V"]


def test_a_part_that_another_array_is_cut_into(tmp_path: Path) -> None:
    mistake = Mistake("dv[:, H:] + dw[:, H:]", "dv[:, H:]", "missing term", "dx =")
    source = edited(PARTS, mistake)
    module = loaded(source, tmp_path)
    found = diagnosed(module.forward, module.backward, {"x": (3, 2), "h": (3, 4), "W": (6, 4), "U": (6, 4)}, returns=["dx", "dh", "dW", "dU"])
    assert_named(found, source, (mistake,))


def test_a_guess_says_which_edits_are_tried_first_and_which_not_at_all() -> None:
    said = Diagnosis((Finding("wrong sign", "", places=(Place(7, ""),)), Finding("missing term", "")), "", complete=True)
    guess = Guess.of(said)
    assert guess.allows("wrong sign")
    assert guess.allows("missing carry")
    assert not guess.allows("missing transpose")
    assert guess.favour("wrong sign", 7) > guess.favour("wrong sign", 8) > guess.favour("missing carry", 8) > guess.favour("missing transpose", 8) == 0
    partly = Guess.of(Diagnosis(said.findings, ""))
    assert partly.allows("missing transpose")
    assert Guess.of(Diagnosis((), "", complete=True)).allows("missing transpose")


def test_a_guess_leads_to_the_line(tmp_path: Path) -> None:
    mistake = Mistake("s = e * (1 - h[k + 1] ** 2)", "s = e", "missing derivative", "s =")
    module = loaded(edited(GREEK, mistake), tmp_path)
    right = Diagnosis((Finding("missing derivative", ""),), "", complete=True)
    wrong = Diagnosis((Finding("missing transpose", ""),), "", complete=True)
    options = {"loss": "loss", "returns": ["dW", "dU"], "verdict": WRONG}
    assert diagnosed(module.forward, module.backward, SHAPES, guess=right, **options).complete
    assert not diagnosed(module.forward, module.backward, SHAPES, guess=wrong, **options).complete
