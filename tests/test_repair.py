"""Wrong lines of a backward pass, found by editing its own source until its gradients are right."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from symrnn.repair import explain
from symrnn.verify.balls.dual import precision
from symrnn.verify.handwritten.exploring import explore
from symrnn.verify.handwritten.findings import KINDS, Diagnosis
from symrnn.verify.handwritten.inputs import inputs_of_examples
from symrnn.verify.handwritten.judging import Plan, judge
from symrnn.verify.handwritten.report import CLIPPED, RIGHT, WRONG, Verdict
from symrnn.verify.handwritten.structures import written
from symrnn.verify.handwritten.verifying import Request, by_name, program_of

SECONDS = 30.0
"""Of processor time; nothing here needs that much."""

GATED = '''import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, W, U, b, P, q):
    h, z, g = [h0], [], []
    for t in range(len(x)):
        z.append(sigmoid(x[t] @ P + q))
        g.append(np.tanh(x[t] @ W + h[t] @ U + b))
        h.append(z[t] * h[t] + (1 - z[t]) * g[t])
    return np.stack(h[1:]), (x, h, z, g, W, U, P)


def backward(dh, cache):
    x, h, z, g, W, U, P = cache
    dx = np.zeros(x.shape)
    dW, dU, dP = np.zeros(W.shape), np.zeros(U.shape), np.zeros(P.shape)
    db, dq = np.zeros(U.shape[0]), np.zeros(U.shape[0])
    dh_next = np.zeros(h[0].shape)
    for t in reversed(range(len(x))):
        total = dh[t] + dh_next
        dz = total * (h[t] - g[t])
        dg = total * (1 - z[t])
        dag = dg * (1 - g[t] ** 2)
        daz = dz * z[t] * (1 - z[t])
        dW += x[t].T @ dag
        dU += h[t].T @ dag
        dP += x[t].T @ daz
        db += dag.sum(axis=0)
        dq += daz.sum(axis=0)
        dx[t] = dag @ W.T + daz @ P.T
        dh_next = total * z[t] + dag @ U.T
    dh0 = dh_next
    return dx, dh0, dW, dU, db, dP, dq
'''
GATED_SHAPES = {"x": (4, 3, 2), "h0": (3, 5), "W": (2, 5), "U": (5, 5), "b": (5,), "P": (2, 5), "q": (5,)}

WRAPPING = '''import numpy as np


class Net:
    def __init__(self):
        self.W = np.ones((2, 5)) / 3
        self.U = np.ones((5, 5)) / 4

    def forward(self, x, h0):
        self.x, self.h0 = x, h0
        self.h = np.zeros((len(x), 3, 5))
        prev = h0
        for t in range(len(x)):
            prev = np.tanh(x[t] @ self.W + prev @ self.U)
            self.h[t] = prev
        return self.h

    def backward(self, dh):
        self.dW, self.dU = np.zeros_like(self.W), np.zeros_like(self.U)
        carry = np.zeros_like(self.h0)
        for t in reversed(range(len(dh))):
            prev = self.h[t - 1] if t > 0 else self.h0
            da = (dh[t] + carry) * (1 - self.h[t] ** 2)
            self.dW += self.x[t].T @ da
            self.dU += prev.T @ da
            carry = da @ self.U.T
        return carry
'''

LOSS = '''import numpy as np


def loss_and_gradients(x, y, h0, W, U, V):
    T, N = x.shape[0], x.shape[1]
    hs, ps, loss = {-1: h0}, {}, 0.0
    for t in range(T):
        hs[t] = np.tanh(x[t] @ W + hs[t - 1] @ U)
        ps[t] = hs[t] @ V - y[t]
        loss += 0.5 * np.sum(ps[t] ** 2) / N
    dW, dU, dV = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V)
    dnext = np.zeros_like(h0)
    for t in reversed(range(T)):
        dy = ps[t] / N
        dV += hs[t].T @ dy
        da = (dy @ V.T + dnext) * (1 - hs[t] * hs[t])
        dW += x[t].T @ da
        dU += hs[t - 1].T @ da
        dnext = da @ U.T
    return loss, dW, dU, dV
'''
LOSS_SHAPES = {"x": (4, 3, 2), "y": (4, 3, 7), "h0": (3, 5), "W": (2, 5), "U": (5, 5), "V": (5, 7)}


class Mistake(NamedTuple):
    """An edit of a right program, and what is said of it; ``line`` begins the wrong line, empty where one is left out."""

    old: str
    new: str
    kind: str
    line: str = ""


SINGLE = [
    Mistake("dag @ U.T", "dag @ U", "missing transpose", "dh_next ="),
    Mistake("db += dag.sum", "db = dag.sum", "not accumulated", "db ="),
    Mistake("dh[t] + dh_next", "dh[t] - dh_next", "wrong sign", "total ="),
    Mistake("(h[t] - g[t])", "(g[t] - h[t])", "wrong sign", "dz ="),
    Mistake("total = dh[t] + dh_next", "total = dh[t]", "missing carry", "total ="),
    Mistake("        dh_next = total * z[t] + dag @ U.T\n", "", "missing carry"),
    Mistake(" + dag @ U.T", "", "missing term", "dh_next ="),
    Mistake(" + daz @ P.T", "", "missing term", "dx[t] ="),
    Mistake("dag @ W.T + daz", "dag @ W.T + dag @ W.T + daz", "doubled term", "dx[t] ="),
    Mistake("dag = dg * (1 - g[t] ** 2)", "dag = dg", "missing derivative", "dag ="),
    Mistake("(1 - g[t] ** 2)", "(1 - np.tanh(g[t]) ** 2)", "wrong derivative", "dag ="),
    Mistake("(1 - g[t] ** 2)", "g[t] * (1 - g[t])", "wrong derivative", "dag ="),
    Mistake("(1 - g[t] ** 2)", "(1 - h[t] ** 2)", "wrong derivative", "dag ="),
    Mistake("dg = total * (1 - z[t])", "dg = total", "missing factor", "dg ="),
    Mistake("dP += x[t].T @ daz", "dP += x[t].T @ (daz * z[t])", "a factor too much", "dP +="),
    Mistake("dq += daz.sum", "dq += dag.sum", "wrong quantity", "dq +="),
    Mistake("dU += h[t].T", "dU += h[t + 1].T", "wrong time", "dU +="),
    Mistake("dq += daz.sum", "dq += daz.mean", "wrong scale", "dq +="),
    Mistake("total = dh[t] + dh_next", "total = np.clip(dh[t] + dh_next, -9, 9)", "clipped", "total ="),
]
PAIRS = [
    (SINGLE[0], SINGLE[1]),
    (SINGLE[4], SINGLE[15]),
    (SINGLE[10], SINGLE[16]),
]


def loaded(source: str, folder: Path, name: str = "program") -> ModuleType:
    """Run a source as a module of its own file."""
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"{name}_{abs(hash(str(folder)))}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def diagnosed(
    forward: Any, backward: Any, shapes: dict[str, tuple[int, ...]], *, verdict: str = WRONG, seconds: float = SECONDS,
    guess: Diagnosis | None = None, **options: Any,
) -> Diagnosis:
    """Ask for the mistakes of two functions that were judged; all of their gradients get one verdict."""
    examples = {name: np.full(shape, 0.5) for name, shape in shapes.items()}
    program = program_of(forward, backward, inputs_of_examples(by_name(forward, examples)), {})
    plan = Plan(bits=128, points=1)
    with precision(128):
        subject = explore(program, bits=128, **options)
    judge(subject, plan)
    verdicts = tuple(Verdict(written(path), name, verdict) for name, path in subject.binding.matched.items())
    return explain(subject, verdicts, Request(program, "program", plan=plan), seconds=seconds, guess=guess)


def edited(source: str, *mistakes: Mistake) -> str:
    for mistake in mistakes:
        assert source.count(mistake.old) == 1, mistake
        source = source.replace(mistake.old, mistake.new)
    return source


def assert_named(diagnosis: Diagnosis, source: str, mistakes: tuple[Mistake, ...]) -> None:
    """Each mistake is found once, by kind, in its line, and the right line is what the right program has."""
    assert diagnosis.complete, diagnosis
    assert "right in balls" in diagnosis.statement
    assert sorted(f.kind for f in diagnosis.findings) == sorted(m.kind for m in mistakes), diagnosis
    for mistake in mistakes:
        finding = next(f for f in diagnosis.findings if f.kind == mistake.kind)
        place = finding.places[0]
        assert source.splitlines()[place.line - 1].strip() == place.source
        assert place.source.startswith(mistake.line)
        assert finding.outputs
        assert finding.fix
        assert finding.fix != place.source


@pytest.mark.sampled(4)
@pytest.mark.parametrize("mistake", SINGLE, ids=lambda m: f"{m.kind}: {m.line} {m.new.strip()}")
def test_one_mistake(mistake: Mistake, tmp_path: Path) -> None:
    source = edited(GATED, mistake)
    module = loaded(source, tmp_path)
    verdict = CLIPPED if mistake.kind == "clipped" else WRONG
    assert_named(diagnosed(module.forward, module.backward, GATED_SHAPES, verdict=verdict), source, (mistake,))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mistakes", PAIRS, ids=lambda pair: " and ".join(m.kind for m in pair))
def test_two_mistakes(mistakes: tuple[Mistake, ...], tmp_path: Path) -> None:
    source = edited(GATED, *mistakes)
    module = loaded(source, tmp_path)
    assert_named(diagnosed(module.forward, module.backward, GATED_SHAPES), source, mistakes)


@pytest.mark.parametrize(("mistake", "outputs"), [
    (Mistake("self.h[t - 1] if t > 0 else self.h0", "self.h[t - 1]", "wraps around", "prev ="), ("self.dU",)),
    (Mistake("carry = da @", "carry = 0 * da @", "missing carry", "carry ="), ("self.dU", "self.dW")),
], ids=["wraps", "zero"])
def test_methods_of_an_object(mistake: Mistake, outputs: tuple[str, ...], tmp_path: Path) -> None:
    source = edited(WRAPPING, mistake)
    net = loaded(source, tmp_path).Net()
    before = net.backward.__func__.__code__
    found = diagnosed(net.forward, net.backward, {"x": (4, 3, 2), "h0": (3, 5)})
    assert_named(found, source, (mistake,))
    assert set(outputs) <= set(found.findings[0].outputs)
    assert net.backward.__func__.__code__ is before


@pytest.mark.sampled(2)
@pytest.mark.parametrize("mistake", [
    Mistake("dy = ps[t] / N", "dy = ps[t]", "wrong scale", "dy ="),
    Mistake("(dy @ V.T + dnext) * (1 - hs[t] * hs[t])", "(1 - hs[t] * hs[t]) * (dy @ V.T) + dnext", "brackets", "da ="),
    Mistake("dU += hs[t - 1].T", "dU += hs[t].T", "wrong time", "dU +="),
], ids=lambda m: m.kind)
def test_one_function_for_both_passes(mistake: Mistake, tmp_path: Path) -> None:
    source = edited(LOSS, mistake)
    module = loaded(source, tmp_path)
    assert_named(diagnosed(module.loss_and_gradients, None, LOSS_SHAPES, loss="loss"), source, (mistake,))


def test_a_step_that_the_backward_calls_is_edited(tmp_path: Path) -> None:
    source = GATED.replace("        dag = dg * (1 - g[t] ** 2)\n", "        dag = through_tanh(dg, g[t])\n") \
        + "\n\ndef through_tanh(upstream, value):\n    return upstream * (1 - value)\n"
    module = loaded(source, tmp_path)
    found = diagnosed(module.forward, module.backward, GATED_SHAPES)
    assert_named(found, source, (Mistake("", "", "wrong derivative", "return upstream"),))


def test_a_function_in_a_function(tmp_path: Path) -> None:
    source = "import numpy as np\n\n\ndef made(k):\n    def forward(x, W):\n        return np.tanh(k * x @ W), (x, W)\n\n" \
             "    def backward(dy, cache):\n        x, W = cache\n        da = dy * (1 - np.tanh(k * x @ W) ** 2) * k\n" \
             "        return da @ W, x.T @ da\n\n    return forward, backward\n"
    forward, backward = loaded(source, tmp_path).made(3)
    found = diagnosed(forward, backward, {"x": (3, 5), "W": (5, 5)}, returns=["dx", "dW"])
    assert_named(found, source, (Mistake("", "", "missing transpose", "return da @ W"),))
    assert found.findings[0].fix == "return da @ W.T, x.T @ da"


def test_nothing_is_changed(tmp_path: Path) -> None:
    source = edited(GATED, SINGLE[0])
    module = loaded(source, tmp_path)
    before = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    codes = {name: value.__code__ for name, value in before.items() if hasattr(value, "__code__")}
    diagnosed(module.forward, module.backward, GATED_SHAPES)
    assert (tmp_path / "program.py").read_text(encoding="utf-8") == source
    assert {name: value for name, value in vars(module).items() if not name.startswith("__")} == before
    assert {name: getattr(module, name).__code__ for name in codes} == codes
    assert np.float32 is not np.float64


def test_a_right_program_is_left_alone(tmp_path: Path) -> None:
    module = loaded(GATED, tmp_path)
    found = diagnosed(module.forward, module.backward, GATED_SHAPES, verdict=RIGHT)
    assert not found.findings
    assert not found.complete
    assert found.statement.startswith("every gradient is right")


def test_nothing_found_says_so(tmp_path: Path) -> None:
    source = GATED.replace("dag = dg * (1 - g[t] ** 2)", "dag = np.exp(np.sin(dg)) * 3.7 + np.sqrt(np.abs(total))")
    module = loaded(source, tmp_path)
    found = diagnosed(module.forward, module.backward, GATED_SHAPES, seconds=2.0)
    assert not found.complete
    assert "right in balls" not in found.statement
    assert "runs" in found.statement


def test_the_limit_of_time_is_said(tmp_path: Path) -> None:
    module = loaded(edited(GATED, SINGLE[5]), tmp_path)
    found = diagnosed(module.forward, module.backward, GATED_SHAPES, seconds=0.0)
    assert found.statement == "no edit of the backward that was tried makes its gradients right (1 runs, when the time was over)"


def test_code_without_a_source_says_so() -> None:
    space: dict[str, Any] = {"np": np}
    exec("def forward(x, W):\n    return x @ W, (x, W)\ndef backward(dy, cache):\n    x, W = cache\n    return dy @ W, x.T @ dy", space)
    found = diagnosed(space["forward"], space["backward"], {"x": (3, 5), "W": (5, 5)}, returns=["dx", "dW"])
    assert found.statement == "the source of the backward cannot be read, so that no edit was tried"


@pytest.mark.full
def test_the_part_that_is_repaired_is_said(tmp_path: Path) -> None:
    source = edited(GATED, SINGLE[1]).replace("dq += daz.sum(axis=0)", "dq += np.exp(daz.sum(axis=0))")
    module = loaded(source, tmp_path)
    found = diagnosed(module.forward, module.backward, GATED_SHAPES, seconds=4.0)
    assert "more is wrong" in found.statement or found.complete
    assert "not accumulated" in {f.kind for f in found.findings}


def test_every_kind_is_of_the_catalogue() -> None:
    assert {m.kind for m in SINGLE} <= KINDS.keys()
