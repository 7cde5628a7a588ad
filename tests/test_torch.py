"""Our networks and gradients against torch.nn and autograd, in float64 to 1e-12."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amounts import examples
from hypothesis import assume, given, settings
from strategies import networks
from sympy import Integer

from symrnn.activations import ACTIVATIONS
from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.derivation import Derivation, hessian_vector_network
from symrnn.equations import Equation
from symrnn.errors import DataError, NotSupportedError
from symrnn.expr import Leaf, Node, Static, Total
from symrnn.expr.operators import Operators
from symrnn.functions import parameter
from symrnn.networks import Given, Network, network
from symrnn.verify.numeric.torch_eval import RULES, Run, autograd, run_lines
from symrnn.verify.numeric.torch_functions import FUNCTIONS, elementwise
from symrnn.verify.points import default_sizes, random_point

torch = pytest.importorskip("torch")

CLOSE = 1e-12


def assert_close(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Each gradient agrees relative to its largest entry, for a series at each time of each sequence."""
    assert mine.keys() == theirs.keys()
    for name, other in theirs.items():
        assert np.shape(mine[name]) == np.shape(other), name
        axis = -1 if np.ndim(other) == 3 else None
        gap = np.max(np.abs(mine[name] - other), axis=axis)
        scale = np.max(np.abs(other), axis=axis)
        assert np.all(gap <= CLOSE * scale + 1e-15), (name, gap, scale)


def stacked(p: dict[str, Any], *names: str) -> Any:
    """One of PyTorch's parameters: ours under each other; a number of rows of zeros where there is none."""
    like = next(p[n] for n in names if n)
    return torch.cat([p[n] if n else torch.zeros_like(like) for n in names])


ROWS = {
    "rnn": (("W_xh",), ("W_hh",), ("b_h",), ("",)),
    "lstm": (("U_i", "U_f", "U_c", "U_o"), ("W_i", "W_f", "W_c", "W_o"), ("b_i", "b_f", "b_c", "b_o"), ("",) * 4),
    "gru-reset-after": (("W_r", "W_z", "W_n"), ("U_r", "U_z", "U_n"), ("b_r", "b_z", "b_Wn"), ("", "", "b_Un")),
}
"""Our parameters in PyTorch's order of gates (LSTM i, f, g, o; GRU r, z, n), for each of its four parameters."""
MODULES = {
    "rnn": lambda d, h, **o: torch.nn.RNN(d, h, batch_first=True, nonlinearity=o.get("activation", "tanh")),
    "lstm": lambda d, h: torch.nn.LSTM(d, h, batch_first=True),
    "gru-reset-after": lambda d, h: torch.nn.GRU(d, h, batch_first=True),
}


def torch_nn(kind: str, options: dict[str, str], task: str, values: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Loss and gradients of PyTorch's own module with a softmax readout, by our names."""
    p = {name: torch.tensor(value).requires_grad_(name != "y") for name, value in values.items()}
    w_x, w_h, b_x, b_h = ROWS[kind]
    zeros = torch.zeros(len(b_h) * p["h_0"].shape[-1], dtype=torch.float64)
    parameters = {
        "weight_ih_l0": stacked(p, *w_x), "weight_hh_l0": stacked(p, *w_h), "bias_ih_l0": stacked(p, *b_x),
        "bias_hh_l0": torch.cat([torch.zeros_like(p["b_Un"]).repeat(2), p["b_Un"]]) if any(b_h) else zeros,
    }
    module = MODULES[kind](p["x"].shape[-1], p["h_0"].shape[-1], **options).double()
    state = (p["h_0"][None], p["c_0"][None]) if kind == "lstm" else p["h_0"][None]
    h, _ = torch.func.functional_call(module, parameters, (p["x"], state))
    logits = (h if task == "many-to-many" else h[:, -1:]) @ p["W_hy"].T + p["b_y"]
    width = logits.shape[-1]
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, width), p["y"].reshape(-1, width), reduction="sum")
    wanted = [name for name in values if name != "y"]
    found = torch.autograd.grad(loss, [p[name] for name in wanted])
    return loss.item(), {name: g.numpy() for name, g in zip(wanted, found, strict=True)}


def derived(kind: str, task: str = "many-to-many", **options: str) -> tuple[Derivation, dict[str, int], dict[str, Any]]:
    derivation = derive(network(cell(kind, **options), task=task))
    sizes = {**default_sizes(derivation), "B": 3}
    return derivation, sizes, random_point(derivation.network, sizes, np.random.default_rng(7))


@pytest.mark.parametrize("task", ["many-to-many", "many-to-one"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("rnn", {}), ("rnn", {"activation": "relu"}), ("lstm", {}), ("gru-reset-after", {})],
    ids=["rnn-tanh", "rnn-relu", "lstm", "gru"],
)
def test_agrees_with_torch_nn(kind: str, options: dict[str, str], task: str) -> None:
    derivation, sizes, values = derived(kind, task, **options)
    loss, expected = torch_nn(kind, options, task, values)
    assert {"x", "h_0", "W_hy"} <= expected.keys()
    assert all(np.abs(g).max() > 1e-6 for g in expected.values())
    for found_loss, found in (
        autograd(derivation.network, values, sizes, derivation.wanted),
        run_lines(derivation, values, sizes),
        to_numpy(derivation).gradients(values),
    ):
        assert found_loss == pytest.approx(loss, rel=CLOSE)
        assert_close(found, expected)


def test_torch_nn_notices_swapped_gates() -> None:
    derivation, sizes, values = derived("lstm")
    swapped = {**values, "W_i": values["W_f"], "W_f": values["W_i"]}
    loss, _ = torch_nn("lstm", {}, "many-to-many", swapped)
    assert autograd(derivation.network, values, sizes, derivation.wanted)[0] != pytest.approx(loss, rel=1e-6)


@settings(max_examples=examples(30))
@given(networks())
def test_printed_lines_of_random_networks(random: Any) -> None:
    derivation = derive(random)
    sizes = default_sizes(derivation)
    values = random_point(random, sizes, np.random.default_rng(0))
    values = {name: v if v.dtype.kind == "i" else 0.5 * v for name, v in values.items()}
    loss, expected = autograd(random, values, sizes, derivation.wanted)
    largest = np.max([abs(loss), *(np.abs(g).max() for g in expected.values())])
    assume(largest < 1e6)  # a random recurrence may explode
    found_loss, found = run_lines(derivation, values, sizes)
    assert found_loss == pytest.approx(loss, rel=1e-10, abs=1e-10)
    for name, other in expected.items():
        np.testing.assert_allclose(found[name], other, rtol=1e-9, atol=1e-11 * largest, err_msg=name)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "gru-reset-after"])
def test_second_order_lines(kind: str) -> None:
    """Autograd through the printed backward pass, against the lines derived from it."""
    second = derive(hessian_vector_network(derive(network(cell(kind), task="many-to-one"))))
    sizes = default_sizes(second)
    values = random_point(second.network, sizes, np.random.default_rng(1))
    loss, expected = autograd(second.network, values, sizes, second.wanted)
    found_loss, found = run_lines(second, values, sizes)
    assert found_loss == pytest.approx(loss, rel=CLOSE)
    assert_close(found, expected)


def test_every_node_type_has_a_rule() -> None:
    concrete = {c for c in Operators.registry.values() if c not in {Node, Leaf} and c.__module__.startswith("symrnn.")}
    assert concrete == set(RULES)


def test_every_activation_has_a_form() -> None:
    assert set(FUNCTIONS) == set(ACTIVATIONS) - {"identity"}
    z = np.linspace(0.1, 2.3, 7)
    for name in FUNCTIONS:
        scalar = ACTIVATIONS[name].scalar
        for sign in (1, -1) if name not in {"log", "rsqrt"} else (1,):
            expected = [float(scalar(Integer(sign) * x)) for x in z]
            np.testing.assert_allclose(elementwise(name, torch.tensor(sign * z)).numpy(), expected, rtol=1e-13)


def test_unspecified_function_is_a_sine() -> None:
    z = torch.tensor([0.3], dtype=torch.float64)
    assert elementwise("phi", z).item() == pytest.approx(np.sin(0.3))
    assert elementwise("phi'", z).item() == pytest.approx(np.cos(0.3))
    assert elementwise("phi''", z).item() == pytest.approx(-np.sin(0.3))


def test_missing_values_are_named() -> None:
    derivation, sizes, values = derived("rnn")
    del values["W_hh"], values["h_0"]
    with pytest.raises(DataError, match=r"^no values for W_hh, h_0; give an array for each of them$"):
        autograd(derivation.network, values, sizes, derivation.wanted)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(NotSupportedError, match=r"^there is no PyTorch form of swish; add it to FUNCTIONS in"):
        elementwise("swish", torch.zeros(1))
    run = Run({"H": 2}, torch.zeros(1, dtype=torch.float64))
    with pytest.raises(NotSupportedError, match=r"^there is no PyTorch rule for int; add it to RULES"):
        run.value(3)  # type: ignore[arg-type]


def test_a_loss_that_depends_on_no_data_counts_once_a_sequence() -> None:
    w, loss = parameter("W", "H", "D"), Static("L")
    flat = Network("flat", (Given(w, "parameter"),), (Equation(loss, Total(w * w), None, "loss"),), loss)
    values = {"W": np.arange(6.0).reshape(2, 3)}
    sizes = {"B": 4, "H": 2, "D": 3}
    for found_loss, found in (
        autograd(flat, values, sizes, flat.givens),
        run_lines(derive(flat), values, sizes),
    ):
        assert found_loss == 4 * 55
        np.testing.assert_array_equal(found["W"], 8 * values["W"])
