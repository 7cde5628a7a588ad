"""The numeric judge: it passes what is right, refutes planted errors, and is blind where it says so."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amounts import examples
from hypothesis import assume, given, settings
from strategies import networks

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.derivation import Derivation, hessian_vector_network
from symrnn.equations import Equation
from symrnn.errors import DataError
from symrnn.expr import At, Node, Plus, Scaled, StopGradient, TimeSum, t
from symrnn.networks import Network, Scan, network
from symrnn.verify import points
from symrnn.verify.numeric import directions, judge_numeric, torch_eval, torch_functions
from symrnn.verify.numeric import judge as numeric
from symrnn.verify.points import default_sizes, random_point

CELLS = ("rnn", "lstm", "gru", "gru-reset-after")
TASKS: tuple[dict[str, Any], ...] = (
    {},
    {"task": "many-to-one", "loss": "squared-error", "readout": "softmax"},
    {"task": "one-to-many", "feed": "output", "mask": True, "over_time": "mean", "over_batch": "mean"},
    {"loss": "binary-cross-entropy", "over_time": "mean"},
)


def derived(kind: str = "rnn", task: str = "many-to-many", **options: Any) -> Derivation:
    return derive(network(cell(kind, **options), task=task))


class Altered:
    """A program whose gradients are altered by hand."""

    def __init__(self, derivation: Derivation, alter: Callable[[dict[str, Any], dict[str, Any]], Any]) -> None:
        self.derivation = derivation
        self.honest = to_numpy(derivation)
        self.accepted = self.honest.accepted
        self.alter = alter

    def loss(self, values: dict[str, Any]) -> Any:
        return self.honest.loss(values)

    def gradients(self, values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        loss, found = self.honest.gradients(values)
        found = {name: g.copy() for name, g in found.items()}
        self.alter(found, values)
        return loss, found


def corrupted(derivation: Derivation, lhs: str, change: Callable[[Node], Node]) -> Derivation:
    """The derivation with the printed lines of one adjoint changed."""
    adjoint = next(a for a in derivation.adjoints if str(a.lhs.key) in {lhs, f"{lhs}_t"})
    lines = tuple(replace(line, rhs=change(line.rhs)) for line in adjoint.lines)
    assert lines != adjoint.lines
    wrong = replace(adjoint, lines=lines)
    return replace(derivation, adjoints=tuple(wrong if a is adjoint else a for a in derivation.adjoints))


def refuted(program: Any, **options: Any) -> set[str]:
    found = judge_numeric(program, **options)
    assert not found.ok
    return {f.quantity for f in found.refuted}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("options", TASKS, ids=lambda o: o.get("task") or o.get("loss") or "plain")
@pytest.mark.parametrize("kind", CELLS)
def test_passes_every_cell_and_task(kind: str, options: dict[str, Any]) -> None:
    derivation = derive(network(cell(kind), **options))
    found = judge_numeric(to_numpy(derivation))
    found.assert_ok()
    names = [f.quantity for f in found.findings]
    assert names == ["L", *(f"d_{g.name}" for g in derivation.wanted), "second derivative"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "softplus", "sin", "phi"])
def test_passes_other_activations(activation: str) -> None:
    for seed in range(3):
        judge_numeric(to_numpy(derived(activation=activation)), seed=seed).assert_ok()


def test_passes_hessian_vector_products() -> None:
    second = derive(hessian_vector_network(derived("gru", "many-to-one")))
    found = judge_numeric(to_numpy(second))
    found.assert_ok()
    assert {"s", "d2_U", "d2_v_U", "d2_h_0"} <= {f.quantity for f in found.findings}


@settings(max_examples=examples(25))
@given(networks())
def test_passes_random_networks(random: Network) -> None:
    derivation = derive(random)
    program = to_numpy(derivation)
    sizes = default_sizes(derivation)
    values = random_point(random, sizes, np.random.default_rng(0))
    with np.errstate(all="ignore"):
        extra = {name: size for name, size in sizes.items() if name in program.accepted}
        loss, gradients = program.gradients({**values, **extra})
    largest = np.max([abs(loss), *(np.abs(g).max() for g in gradients.values())])
    assume(1e-6 < largest < 1e3)  # a random recurrence may explode, and a random loss be zero everywhere
    assert not judge_numeric(program).refuted


def test_says_what_it_compared() -> None:
    found = judge_numeric(to_numpy(derived()), sizes={"H": 4, "T": 9})
    assert "B = 2, D = 3, H = 4, K = 11, T = 9" in found.compared
    finding = next(f for f in found.findings if f.quantity == "d_W_hh")
    assert finding.detail.startswith("relative errors: complex step ")
    assert ", differences " in finding.detail
    assert found.seconds > 0
    assert "smaller than 1e-12" in found.blind


ALTERATIONS: dict[str, tuple[str, Callable[[dict[str, Any], dict[str, Any]], Any], set[str]]] = {
    "sign": ("rnn", lambda g, v: g.update(b_h=-g["b_h"]), {"d_b_h"}),
    "transposed": ("rnn", lambda g, v: g.update(W_hh=g["W_hh"].T), {"d_W_hh"}),
    "swapped gates": ("lstm", lambda g, v: g.update(W_f=g["W_i"], W_i=g["W_f"]), {"d_W_f", "d_W_i"}),
    "scaled by 1 + 1e-10": ("gru", lambda g, v: g.update(U_z=g["U_z"] * (1 + 1e-10)), {"d_U_z"}),
    "wrong at t = 1 only": ("lstm", lambda g, v: g["x"][:, 0].__imul__(1.001), {"d_x"}),
    "wrong at t = T only": ("lstm", lambda g, v: g["x"][:, -1].__imul__(1.001), {"d_x"}),
    "one sequence of the batch": ("lstm", lambda g, v: g["c_0"][0].__imul__(1.001), {"d_c_0"}),
    "zero": ("gru-reset-after", lambda g, v: g["b_Un"].__imul__(0), {"d_b_Un"}),
    "missing": ("rnn", lambda g, v: g.pop("h_0"), {"d_h_0"}),
    "wrong shape": ("rnn", lambda g, v: g.update(W_xh=g["W_xh"].T), {"d_W_xh"}),
    "NaN": ("rnn", lambda g, v: g["W_hy"].__setitem__((0, 0), np.nan), {"d_W_hy"}),
    "infinite": ("rnn", lambda g, v: g["x"].__setitem__((0, 0, 0), np.inf), {"d_x"}),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("error", ALTERATIONS)
def test_refutes_altered_gradients(error: str) -> None:
    kind, alter, wrong = ALTERATIONS[error]
    assert refuted(Altered(derived(kind), alter)) - {"second derivative"} == wrong


def test_messages_of_what_cannot_be_compared() -> None:
    details = {}
    for error in ("missing", "wrong shape", "NaN"):
        kind, alter, _ = ALTERATIONS[error]
        (details[error],) = (f.detail for f in judge_numeric(Altered(derived(kind), alter)).refuted)
    assert details == {
        "missing": "the program returns no such gradient",
        "wrong shape": "its shape is (3, 5), expected (5, 3)",
        "NaN": "NaN or infinite in 1 of 55 entries",
    }


def without_carry(rhs: Node) -> Node:
    """δc_t without ``δc_{t+1} ∘ f_{t+1}``."""
    terms = rhs.args if isinstance(rhs, Plus) else (rhs,)
    kept = [a for a in terms if not any(str(leaf.series.key) == "d_c" for leaf in a.atoms(At))]
    return Plus(*kept) if kept else Scaled(0, rhs)


def from_time_2(rhs: Node) -> Node:
    """A sum over time that starts one step late."""
    body, index, lo, hi = rhs.args
    return TimeSum(body, index, lo + 1, hi)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("kind", "lhs", "change", "some"),
    [
        ("lstm", "d_c", without_carry, {"d_W_f", "d_U_i", "d_x", "d_c_0"}),
        ("lstm", "d_o", lambda rhs: -rhs, {"d_W_o", "d_x", "d_h_0"}),
        ("rnn", "d_W_xh", from_time_2, {"d_W_xh"}),
        ("gru", "d_z", lambda rhs: 2 * rhs, {"d_W_z", "d_U_z", "d_x", "d_h_0"}),
        ("gru-reset-after", "d_b_Un", from_time_2, {"d_b_Un"}),
    ],
)
def test_refutes_code_from_a_wrong_line(kind: str, lhs: str, change: Callable[[Node], Node], some: set[str]) -> None:
    right = derived(kind)
    found = refuted(to_numpy(corrupted(right, lhs, change)))
    assert some <= found
    assert "d_W_hy" not in found


def test_refutes_what_is_wrong_only_at_second_order() -> None:
    derivation = derived()
    sizes = default_sizes(derivation)
    values = random_point(derivation.network, sizes, np.random.default_rng(3))

    def alter(g: dict[str, Any], v: dict[str, Any]) -> None:
        g["W_hh"] = g["W_hh"] + 0.01 * (v["W_hh"] - values["W_hh"])

    assert refuted(Altered(derivation, alter), values=values) == {"second derivative"}


def last_terms(number: int, scale: float) -> Any:
    """A many-to-one RNN with 20 steps whose ``∂L/∂W_hh`` keeps the last terms of its sum over time only."""
    derivation = derived(task="many-to-one")
    sizes = {**default_sizes(derivation), "H": 8, "T": 20}
    values = random_point(derivation.network, sizes, np.random.default_rng(0))
    values["W_hh"] = scale * values["W_hh"]

    def cut(rhs: Node) -> Node:
        body, index, _, hi = rhs.args
        return TimeSum(body, index, hi - number + 1, hi)

    return judge_numeric(to_numpy(corrupted(derivation, "d_W_hh", cut)), sizes=sizes, values=values)


def test_is_blind_to_terms_that_vanish() -> None:
    """With ``W`` scaled by 0.1, what 16 of 20 terms leave out is below rounding: the floating-point check passes."""
    last_terms(16, 0.1).assert_ok()
    assert not last_terms(16, 1.0).ok
    assert not last_terms(4, 0.1).ok
    assert not last_terms(19, 1.0).ok


def test_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numeric, "has_torch", lambda: False)
    found = judge_numeric(to_numpy(derived()))
    found.assert_ok()
    assert not any("PyTorch" in f.detail for f in found.findings)
    assert "PyTorch is not installed" in found.compared
    kind, alter, wrong = ALTERATIONS["transposed"]
    assert refuted(Altered(derived(kind), alter)) - {"second derivative"} == wrong


def test_code_for_real_numbers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that drops imaginary parts is held against differences, which alone find an error too."""
    monkeypatch.setattr(numeric, "has_torch", lambda: False)

    class Real(Altered):
        def loss(self, values: dict[str, Any]) -> Any:
            return super().loss({k: v if v.dtype.kind == "i" else v.astype(np.float64) for k, v in values.items()})

    found = judge_numeric(Real(derived(), lambda g, v: None))
    found.assert_ok()
    assert [f.quantity for f in found.findings][-1] == "d_h_0"
    assert not any("complex step" in f.detail for f in found.findings)
    assert refuted(Real(derived(), lambda g, v: g["W_xh"].__imul__(1 + 1e-6))) == {"d_W_xh"}


def with_stop_gradient() -> Derivation:
    """An RNN that passes no gradient from one step to the step before."""
    plain = network(cell("rnn"))
    state = next(e.quantity for e in plain.equations if e.name == "h")

    def cut(equation: Equation) -> Equation:
        return replace(equation, rhs=equation.rhs.xreplace({state[t - 1]: StopGradient(state[t - 1])}))

    scan, *rest = plain.blocks
    return derive(replace(plain, blocks=(Scan(tuple(map(cut, scan.equations))), *rest)))


def test_a_stop_gradient_stands_still_in_complex_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = with_stop_gradient()
    wrong = Altered(stopped, lambda g, v: g["W_hh"].__imul__(1 + 1e-10))
    wrong.names = wrong.honest.names
    for torch_there in (torch_functions.has_torch(), False):
        monkeypatch.setattr(numeric, "has_torch", lambda there=torch_there: there)
        report = judge_numeric(to_numpy(stopped))
        assert "no differences, since they see through a stop" in report.compared
        report.assert_ok()
        assert refuted(wrong) == {"d_W_hh"}


def test_code_that_does_not_show_where_it_stops_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numeric, "has_torch", lambda: False)
    stopped = with_stop_gradient()
    found = judge_numeric(Altered(stopped, lambda g, v: None))
    assert [f.quantity for f in found.undecided] == [f"d_{g.name}" for g in stopped.wanted]
    assert not found.refuted


def test_refuses_sequences_that_are_too_short() -> None:
    derivation = replace(derived(), least=((derived().network.sizes[-1], 3),))
    with pytest.raises(DataError, match=r"^T = 2 is too short; the derivation holds from T = 3$"):
        judge_numeric(to_numpy(derivation), sizes={"T": 2})


def test_the_judge_imports_no_rule() -> None:
    accused = {"symrnn.vjp", "symrnn.bptt", "symrnn.rewrite", "symrnn.codegen"}
    for module in (numeric, directions, points, torch_eval, torch_functions):
        tree = ast.parse(inspect.getsource(module))
        read = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        read |= {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
        assert not read & accused, module.__name__
