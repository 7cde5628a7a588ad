"""Truncated and clipped gradients are told in every calling convention, and are not mistaken for each other or for other mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handwritten_programs import FOLDER as OWN
from handwritten_programs import RIGHT, verdict_on
from wild_programs import FOLDER, wild_verdict

from symrnn.verify import Report, verify_gradient
from symrnn.verify.handwritten import verifying
from symrnn.verify.handwritten.findings import Diagnosis

FINE = {"right", "right up to float64 constants"}


@pytest.fixture(autouse=True)
def judge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts only, without looking for the mistakes behind them."""
    monkeypatch.setattr(verifying, "explained", lambda *about: Diagnosis())
NO_CLIP = "    for dparam in [dWxh, dWhh, dWhy, dbh, dby]:\n        np.clip(dparam, -5, 5, out=dparam)\n"
CARRY = "dhnext = np.dot(Whh.T, dhraw)"
BATCH_END = "    return dx, dh0, dWx, dWh, db"
NORM = "    n = np.sqrt(sum(np.sum(g ** 2) for g in (dWx, dWh, db)))\n    if n > {0}:\n        dWx = dWx * {0} / n; dWh = dWh * {0} / n; db = db * {0} / n\n"


def edited(name: str, tmp_path: Path, *edits: tuple[str, str]) -> Report:
    """Verify an edited copy of a program of one of the two collections."""
    source = ((OWN if name in RIGHT else FOLDER) / f"{name}.py").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    path = tmp_path / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    return verdict_on(name, path) if name in RIGHT else wild_verdict(name, path)


def assert_all(report: Report, verdict: str, besides: str = "", steps: int | None = None) -> None:
    """All outputs have one verdict, but for those that are right (and, in the character model, clipped where they are larger)."""
    fine = set(besides.split())
    found = {v.name: v for v in report.verdicts}
    assert fine <= set(found)
    assert {v.verdict for name, v in found.items() if name not in fine} == {verdict}, str(report)
    assert {v.verdict for name, v in found.items() if name in fine} <= FINE, str(report)
    if steps is not None:
        assert {v.steps for name, v in found.items() if name not in fine} == {steps}, str(report)


TRUNCATED = [
    ("truncating", "bptt_truncate=1000", "bptt_truncate=2", "dLdV", 3),
    ("truncating", "bptt_truncate=1000", "bptt_truncate=0", "dLdV", 1),
    ("training_class", "for t in reversed(range(n)):", "for t in reversed(range(max(0, n - 3), n)):", "d_Why d_by", 3),
    ("training_class", "for t in reversed(range(n)):", "for t in reversed(range(n - 3, n)):", "d_Why d_by", 3),
    ("training_class", "d_h = self.Whh.T @ temp", "d_h = 0 * temp", "d_Why d_by", 1),
    ("column_rnn", "carry = U.T @ da", "carry = U.T @ da if t % 2 else 0 * da", "grads['V'] grads['c']", 2),
    ("column_rnn", "carry = U.T @ da", "carry = 0 * da", "grads['V'] grads['c']", 1),
    ("stacked", "carry = delta @ layer[\"U\"].T", "carry = 0", "", 1),
    ("rnnlm_layers", "dx, dh = layer.backward(dhs[:, t, :] + dh)", "dx, _ = layer.backward(dhs[:, t, :])",
     "self.layers[2].grads[0] self.layers[2].grads[1]", 1),
    ("plain_lists", "range(len(xs) - 1, -1, -1)", "range(len(xs) - 1, len(xs) - 4, -1)", "", 3),
    ("global_lstm", "while cache:", "for _ in range(4):", "grads['W_y'] grads['b_y']", 4),
    ("lstm_nodes", "while idx >= 0:", "while idx >= len(self.x_list) - 3:", "", 3),
    ("batch_average", "+ dnext", "+ dnext * (t % 4 != 3)", "grads['Why'] grads['by']", 4),
    ("encoder_decoder", "range(len(src) - 1, -1, -1)", "range(len(src) - 1, len(src) - 4, -1)",
     "dWo ddec['W'] ddec['U'] ddec['b']", 3),
    ("masked", "range(x.shape[1] - 1, -1, -1)", "range(x.shape[1] - 1, x.shape[1] - 4, -1)", "", 3),
    ("adam_step", "for t in range(T, 0, -1):", "for t in range(T, max(T - 2, 0), -1):", "grads['V']", 2),
    ("relu_masks", "dnext = dh.dot(Whh.T)", "dnext = np.zeros_like(dh)", "dWhy", 1),
]


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("name", "old", "new", "right", "steps"), TRUNCATED)
def test_truncated(name: str, old: str, new: str, right: str, steps: int, tmp_path: Path) -> None:
    assert_all(edited(name, tmp_path, (old, new)), "truncated", right, steps)


def test_truncated_in_a_loss_over_globals(tmp_path: Path) -> None:
    for new, steps in (("dhnext = 0 * dhraw", 1), (CARRY + " if t % 3 else 0 * dhraw", 3)):
        assert_all(edited("char_rnn", tmp_path, (NO_CLIP, ""), (CARRY, new)), "truncated", "dWhy dby", steps)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("name", "old", "new"), [
    ("char_rnn", CARRY, "dhnext = np.dot(Whh, dhraw)"),
    ("char_rnn", CARRY, "dhnext = 0.5 * np.dot(Whh.T, dhraw)"),
    ("training_class", "d_h = self.Whh.T @ temp", "pass"),
    ("char_lstm", "dC_prev = f * dC", "dC_prev = 0 * dC"),
    ("adam_step", "dh = da @ U.T", "dh = da @ U"),
    ("batch_average", "+ dnext", "+ 2 * dnext"),
    ("stacked", "carry = delta @ layer[\"U\"].T", "carry = delta @ layer[\"U\"]"),
])
def test_a_wrong_carry_is_no_truncation(name: str, old: str, new: str, tmp_path: Path) -> None:
    report = edited(name, tmp_path, (old, new))
    assert report.status == 1
    assert {v.verdict for v in report.verdicts} <= FINE | {"wrong", "clipped"}, str(report)
    assert any(v.verdict == "wrong" for v in report.verdicts)


CLIPPED = [
    ("batch_lstm", BATCH_END, NORM.format(5) + BATCH_END, "dx dh0"),
    ("batch_lstm", BATCH_END, NORM.format(500) + BATCH_END, "dx dh0"),
    ("batch_lstm", BATCH_END, "    dWh[dWh > 2] = 2; dWh[dWh < -2] = -2\n" + BATCH_END, "dx dh0 dWx db"),
    ("batch_lstm", BATCH_END, "    db = np.maximum(-300, np.minimum(300, db))\n" + BATCH_END, "dx dh0 dWx dWh"),
    ("batch_lstm", "        dWx += a;", "        dph = np.clip(dph, -.5, .5); dWx += a;", ""),
    ("batch_lstm", "        dWx += a;", "        dph = np.where(np.abs(dph) > .5, .5 * np.sign(dph), dph); dWx += a;", ""),
    ("batch_lstm", "        dWx += a;", "        m = np.abs(dph).max(); dph = dph / m * 40 if m > 40 else dph; dWx += a;", ""),
    ("keyword_rnn", "clip=None", "clip=1.0", ""),
    ("keyword_rnn", "clip=None", "clip=100000.0", ""),
    ("batch_average", "    return loss, grads", "    return loss, {k: g * min(1, 0.05 / norm) for k, g in grads.items()}", ""),
    ("char_lstm", "    return loss, h_s", "    clip_gradients()\n    return loss, h_s", ""),
    ("training_class", "        self.Whh -=", "        for d in [d_Wxh, d_Whh, d_Why, d_bh, d_by]:\n            np.clip(d, -1, 1, out=d)\n        self.Whh -=", ""),
    ("plain_lists", "dh = [sum(U", "db = [max(-0.2, min(0.2, v)) for v in db]; dh = [sum(U", "dW dU"),
    ("encoder_decoder", "    return genc", "    for g in (genc, gdec):\n        for k in g:\n            g[k] = g[k].clip(-1, 1)\n    return genc", "dWo"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "old", "new", "right"), CLIPPED)
def test_clipped(name: str, old: str, new: str, right: str, tmp_path: Path) -> None:
    assert_all(edited(name, tmp_path, (old, new)), "clipped", right)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("edits", "right"), [
    ([(NO_CLIP, NO_CLIP.replace("5", "1"))], ""),
    ([("np.clip(dparam, -5, 5, out=dparam)", "dparam[...] = np.minimum(np.maximum(dparam, -1), 1)")], ""),
    ([("np.clip(dparam, -5, 5, out=dparam)", "dparam[dparam > 1] = 1; dparam[dparam < -1] = -1")], ""),
    ([("np.clip(dparam, -5, 5, out=dparam)", "dparam *= min(1, 1 / np.linalg.norm(dparam))")], ""),
    ([(NO_CLIP, "    n = np.sqrt(sum((d ** 2).sum() for d in [dWxh, dWhh, dWhy, dbh, dby]))\n    for d in [dWxh, dWhh, dWhy, dbh, dby]:\n"
                "        if n > 2: d *= 2 / n\n")], ""),
    ([(NO_CLIP, ""), (CARRY, CARRY + ".clip(-.2, .2)")], "dWhy dby"),
    ([(NO_CLIP, ""), (CARRY, CARRY + "\n        if np.linalg.norm(dhnext) > 1: dhnext *= 1 / np.linalg.norm(dhnext)")], "dWhy dby"),
])
def test_clipped_in_a_loss_over_globals(edits, right, tmp_path: Path) -> None:
    assert_all(edited("char_rnn", tmp_path, *edits), "clipped", right)


def test_hidden_clips_in_a_loss_over_globals(tmp_path: Path) -> None:
    report = edited("char_rnn", tmp_path, ("np.clip(dparam, -5, 5, out=dparam)", "dparam[dparam > 5] = 5; dparam[dparam < -5] = -5"))
    assert {v.name for v in report.verdicts if v.verdict == "clipped"} >= {"dWxh", "dWhh", "dbh"}, str(report)
    assert edited("char_rnn", tmp_path, (NO_CLIP, "")).ok


def steep(z):
    return 1 / (1 + np.exp(-np.clip(z, -20, 20)))


def test_a_clip_inside_an_activation_is_no_clipped_gradient() -> None:
    def forward(x, W, y):
        s = steep(x @ W)
        return np.sum((s - y) ** 2), x

    def backward(x, W, y):
        s = steep(x @ W)
        return x.T @ (2 * (s - y) * s * (1 - s))

    report = verify_gradient(forward, backward, {"x": np.ones((3, 4)), "W": np.ones((4, 5)), "y": np.ones((3, 5)) / 3}, returns=["dW"])
    assert [v.verdict for v in report.verdicts] == ["right"], str(report)


def test_a_check_that_raises_on_large_gradients_is_no_reason_to_stop() -> None:
    def forward(x, W):
        return np.tanh(x @ W), (x, W)

    def backward(dy, cache):
        x, W = cache
        dW = x.T @ (dy * (1 - np.tanh(x @ W) ** 2))
        if np.any(np.abs(dW) > 1e6):
            raise FloatingPointError("gradient explodes")
        return dW

    assert verify_gradient(forward, backward, (np.ones((3, 4)), np.ones((4, 5))), returns=["dW"]).ok


def test_a_mistake_in_the_batch_is_no_truncation() -> None:
    def forward(x, W, U):
        h = np.zeros((x.shape[0], U.shape[0]))
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ W + h @ U)
        return np.sum(h), x

    def backward(x, W, U):
        h, hs = np.zeros((x.shape[0], U.shape[0])), []
        for t in range(x.shape[1]):
            hs.append(h)
            h = np.tanh(x[:, t] @ W + h @ U)
        hs.append(h)
        dh, dW = np.ones(h.shape), np.zeros(W.shape)
        for t in reversed(range(x.shape[1])):
            da = dh * (1 - hs[t + 1] ** 2)
            dW += np.outer(x[0, t], da[0])
            dh = da @ U.T
        return dW

    report = verify_gradient(forward, backward, (np.ones((3, 7, 4)), np.ones((4, 5)), np.ones((5, 5))), returns=["dW"])
    assert [v.verdict for v in report.verdicts] == ["wrong"], str(report)


def test_truncation_of_parameters_by_example_arguments() -> None:
    def forward(x, W, U):
        hs = [np.zeros(U.shape[0])]
        for v in x:
            hs.append(np.tanh(v @ W + hs[-1] @ U))
        return np.sum(np.array(hs) ** 2), (x, W, U, hs)

    def backward(cache):
        x, W, U, hs = cache
        dW, dU = np.zeros(W.shape), np.zeros(U.shape)
        for t in range(1, len(hs)):
            d = 2 * hs[t]
            for s in range(t, max(0, t - 2), -1):
                d = d * (1 - hs[s] ** 2)
                dW += np.outer(x[s - 1], d)
                dU += np.outer(hs[s - 1], d)
                d = U @ d
        return dW, dU

    report = verify_gradient(forward, backward, (np.ones((7, 4)), np.ones((4, 5)), np.ones((5, 5))), returns=["dW", "dU"])
    assert [(v.verdict, v.steps) for v in report.verdicts] == [("truncated", 2)] * 2, str(report)


FIXED = 5
"""Steps of a code whose number of steps stands in the code, so that no shorter sequence can be asked."""


def fixed_forward(x: Any, W: Any, U: Any) -> Any:
    h = [np.ones(U.shape[0])]
    for k in range(FIXED):
        h.append(np.tanh(x[k] @ W + h[k] @ U))
    return np.stack(h[1:]), (x, W, U, h)


def fixed_backward(dh: Any, cache: Any, back: int) -> Any:
    """The gradient in U; each output goes back through so many steps."""
    _, _, U, h = cache
    dU = np.zeros(U.shape)
    for last in range(FIXED):
        flow = dh[last]
        for k in range(last, max(-1, last - back), -1):
            da = flow * (1 - h[k + 1] ** 2)
            dU += np.outer(h[k], da)
            flow = U @ da
    return dU


@pytest.mark.parametrize(("back", "verdict", "steps"), [(2, "truncated", 2), (4, "truncated", 4), (5, "right", None)])
def test_truncated_where_the_length_is_fixed(back: int, verdict: str, steps: int | None) -> None:
    example = {"x": np.ones((FIXED, 3)), "W": np.ones((3, 4)), "U": np.ones((4, 4))}
    report = verify_gradient(fixed_forward, lambda dh, cache: fixed_backward(dh, cache, back), example, returns=["dU"])
    assert [(v.verdict, v.steps) for v in report.verdicts] == [(verdict, steps)], str(report)
