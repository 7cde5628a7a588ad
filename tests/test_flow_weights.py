"""Initialisations, and weights and sequences from files; remedies and training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn import architecture, cell, gradient_flow, network
from symrnn.errors import DataError, NotSupportedError, SpecError
from symrnn.flow.loading import load_data, load_params
from symrnn.flow.measure import chain_for
from symrnn.flow.remedies import AFTERWARDS, REMEDIES, remedies
from symrnn.flow.training import flow_along_training
from symrnn.flow.weights import INITS, random_params
from symrnn.layernorm import layer_normalised

SIZES = {"B": 1, "T": 5, "H": 6, "D": 4, "K": 2}


def drawn(name: str, **options: Any) -> dict[str, Any]:
    source = layer_normalised(cell("rnn")) if name == "normalised" else cell(name)
    return random_params(chain_for(source, None, {}), SIZES, np.random.default_rng(0), **options)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "mgu", "indrnn"])
def test_shapes_and_radius(init: str, name: str) -> None:
    params = drawn(name, init=init, radius=0.7)
    net = network(cell(name))
    for static in net.parameters:
        rows, columns = (int(d.xreplace({s: SIZES[s.name] for s in d.free_symbols})) for d in static.shape)
        assert params[static.name].shape == ((rows,) if static.shape[1] == 1 else (rows, columns))
    recurrent = {"rnn": ["W_hh"], "lstm": ["W_f", "W_i", "W_c", "W_o"], "gru": ["U", "U_r", "U_z"], "mgu": ["W_f", "W_h"], "indrnn": ["u"]}
    for matrix in (params[key] for key in recurrent[name]):
        found = np.abs(matrix).max() if matrix.ndim == 1 else np.abs(np.linalg.eigvals(matrix[:, :6])).max()
        assert found == pytest.approx(0.7)


def test_rules() -> None:
    w = drawn("rnn", init="orthogonal")["W_hh"]
    assert w.T @ w == pytest.approx(np.eye(6))
    assert drawn("rnn", init="identity")["W_hh"] == pytest.approx(np.eye(6))
    everything = drawn("lstm", init="pytorch")
    assert max(np.abs(everything[k]).max() for k in everything if not k.endswith("y")) <= 1 / math.sqrt(6)
    assert np.abs(everything["b_f"]).min() > 0
    assert np.abs(drawn("rnn", init="xavier")["W_xh"]).max() <= math.sqrt(6 / 10)
    assert np.all(drawn("rnn")["b_h"] == 0)
    assert drawn("rnn", gain=2.0)["W_xh"] == pytest.approx(2 * drawn("rnn")["W_xh"])
    assert drawn("rnn", gain=2.0)["W_hh"] == pytest.approx(drawn("rnn")["W_hh"])
    assert np.all(drawn("normalised")["g"] == 1)


@pytest.mark.parametrize(("name", "bias", "sign"), [
    ("lstm", "b_f", 1), ("gru-reset-after", "b_z", 1), ("ugrnn", "b_g", 1), ("mgu", "b_f", -1), ("janet", "b_f", 1), ("lstm-peephole", "b_f", 1),
])
def test_forget_bias_is_that_of_the_direct_path(name: str, bias: str, sign: int) -> None:
    params = drawn(name, forget_bias=3.0)
    assert params[bias] == pytest.approx(np.full(6, sign * 3.0))
    assert sum(np.any(np.abs(array) == 3) for array in params.values()) == 1


@pytest.mark.parametrize(("kind", "layers", "both"), [
    ("rnn", 1, False), ("lstm", 1, False), ("gru-reset-after", 1, False), ("lstm", 2, False), ("gru-reset-after", 1, True),
])
def test_weights_of_pytorch(kind: str, layers: int, both: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    kinds = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru-reset-after": torch.nn.GRU}
    module = kinds[kind](3, 5, layers, batch_first=True, bidirectional=both).double()
    path = tmp_path / "weights.npz"
    np.savez(path, **{f"encoder.{key}": value.detach().numpy() for key, value in module.state_dict().items()}, other=np.ones(2))
    net = architecture("bidirectional", cell(kind)) if both else architecture("stacked", [cell(kind)] * layers) if layers > 1 else network(cell(kind))
    x = np.random.default_rng(0).standard_normal((1, 8, 3))
    layer = "bw" if both else None
    flow = gradient_flow(net, params=load_params(path, net, layout="pytorch"), data={"x": x}, layer=layer)
    rows = slice(5, 10) if both else slice(0, 5)
    end = 0 if both else -1
    found = torch.autograd.functional.jacobian(lambda now: module(now)[0][0, end, rows], torch.tensor(x))[:, 0].numpy()
    expected = [math.log10(np.linalg.norm(found[:, lag if both else 7 - lag])) for lag in range(8)]
    assert flow.inputs == pytest.approx(expected)


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_weights_by_the_names_of_the_formulas(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.npz", W_hh=np.eye(3), b_h=np.ones(3))
    assert set(load_params(path, cell("rnn"))) == {"W_hh", "b_h"}
    data = saved(tmp_path / "x.npz", whatever=np.ones((2, 5, 4)))
    assert load_data(data, cell("rnn"))["x"].shape == (2, 5, 4)
    np.save(tmp_path / "x.npy", np.ones((5, 4)))
    assert gradient_flow(cell("rnn"), data=load_data(tmp_path / "x.npy", cell("rnn"))).steps == 5


@pytest.mark.parametrize(("arrays", "layout", "error", "message"), [
    ({"W_xx": np.eye(2)}, "formulas", SpecError, r"^unknown parameter 'W_xx'; did you mean "),
    ({"W_hh": np.full((2, 2), np.nan)}, "formulas", DataError, r"^\S+w\.npz: W_hh has NaN or infinity; expected finite numbers$"),
    ({"W_hh": np.array(["a"])}, "formulas", DataError, r"^\S+w\.npz: W_hh has type <U1; expected real numbers$"),
    ({}, "formulas", DataError, r"^\S+w\.npz: holds no array; write it with numpy\.savez$"),
    ({"W_hh": np.eye(2)}, "keras", SpecError, r"^unknown layout 'keras'; "),
    ({"W_hh": np.eye(2)}, "pytorch", SpecError, r"^\S+w\.npz: weight_ih_l0 is missing; it has W_hh$"),
    ({"weight_ih_l0": np.ones((7, 3)), "weight_hh_l0": np.ones((8, 2))}, "pytorch", DataError,
     r"^\S+w\.npz: weight_ih_l0: expected shape \(4\*H, columns\); got \(7, 3\)$"),
])
def test_bad_weights_are_one_line(arrays: dict[str, Any], layout: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message) as caught:
        load_params(saved(tmp_path / "w.npz", **arrays), cell("lstm" if layout == "pytorch" else "rnn"), layout=layout)
    assert "\n" not in str(caught.value)


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^\S+none\.npz: no such file$"):
        load_params(tmp_path / "none.npz", cell("rnn"))
    (tmp_path / "empty.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"^\S+empty\.npz: not a file of NumPy arrays \(it is empty\); write it with numpy\.savez$"):
        load_data(tmp_path / "empty.npz", cell("rnn"))
    (tmp_path / "cut.npz").write_bytes(saved(tmp_path / "whole.npz", x=np.ones(3)).read_bytes()[:60])
    with pytest.raises(DataError, match=r"^\S+cut\.npz: not a file of NumPy arrays \(.+\); write it with numpy\.savez$"):
        load_data(tmp_path / "cut.npz", cell("rnn"))
    with pytest.raises(DataError, match=r"^\S+x\.npz: x is empty, shape \(1, 0, 3\); expected sequences with at least one step$"):
        load_data(saved(tmp_path / "x.npz", x=np.zeros((1, 0, 3))), cell("rnn"))
    with pytest.raises(NotSupportedError, match=r"^layout pytorch: PyTorch has no cell 'mgu'; it has rnn, lstm, gru-reset-after$"):
        load_params(saved(tmp_path / "w.npz", a=np.ones(1)), cell("mgu"), layout="pytorch")


def test_remedies_are_comparable_and_say_what_they_do() -> None:
    found = {flow.name: flow for flow in remedies(steps=40, hidden=12, radius=0.9, window=5)}
    assert len(found) == len(REMEDIES) + len(AFTERWARDS)
    assert {flow.steps for flow in found.values()} == {40}
    assert {flow.hidden for flow in found.values()} == {12}
    assert all(flow.note for flow in found.values())
    plain, cut, clipped = found["plain"], found["truncation after 5"], found["clipping to 1"]
    assert cut.spectral[:6] == pytest.approx(plain.spectral[:6])
    assert np.all(cut.spectral[6:] == -math.inf)
    assert clipped.spectral == pytest.approx(plain.spectral)
    assert np.sum(10 ** (2 * clipped.delta)) <= 1 + 1e-9
    assert np.ptp(plain.delta - clipped.delta) == pytest.approx(0)
    assert found["identity"].spectral[-1] > -0.5 > -3 > plain.spectral[-1]
    assert found["forget bias 3"].spectral[-1] > found["forget bias 1"].spectral[-1] > found["forget bias 0"].spectral[-1]
    assert found["skip"].spectral[-1] > plain.spectral[-1]


def test_unknown_remedy() -> None:
    with pytest.raises(SpecError, match=r"^unknown remedy 'skips'; did you mean skip\?$"):
        remedies(["skips"])
    with pytest.raises(SpecError, match=r"^window is a whole number from 1 on; got 0$"):
        remedies(["truncation"], window=0)
    with pytest.raises(SpecError, match=r"^steps is a whole number from 1 on; got 0$"):
        remedies(["plain"], steps=0)


def test_training_to_remember_lets_the_gradient_through() -> None:
    before, after = flow_along_training(cell("rnn"), init="orthogonal", gain=0.3, removed=False)
    assert before.loss is not None
    assert after.loss is not None
    assert before.loss > 0.8
    assert after.loss < 0.1
    assert after.inputs[-1] > before.inputs[-1] + 0.5
    assert after.name == "rnn, orthogonal, gain 0.3, after 400 updates"


@pytest.mark.parametrize(("options", "error", "message"), [
    ({"updates": 0}, SpecError, r"^updates is a whole number from 1 on; got 0$"),
    ({"rate": -1.0}, DataError, r"^rate is a finite number from 0 on; got -1\.0$"),
    ({"source": "rnn"}, SpecError, r"^flow_along_training takes a cell; got a str; "),
])
def test_training_with_bad_numbers(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        flow_along_training(**{"source": cell("rnn"), **options})
