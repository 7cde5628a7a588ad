"""What a program tells about a network beside its loss: shapes of parameters, values inside."""

from __future__ import annotations

import numpy as np
import pytest

import symrnn
from symrnn.errors import SpecError


@pytest.fixture(scope="module")
def program():
    net = symrnn.architecture("stacked", symrnn.cell("lstm"), task="many-to-one", loss="squared-error")
    return symrnn.to_numpy(symrnn.derive(net))


@pytest.fixture(scope="module")
def values(program):
    random = np.random.default_rng(0)
    params = {name: random.normal(size=shape) for name, shape in program.shapes({"D": 3, "H": 4, "K": 2}).items()}
    return {**params, "x": random.normal(size=(5, 6, 3))}


def test_shapes_are_those_of_the_arrays(program) -> None:
    shapes = program.shapes({"D": 3, "H": 4, "K": 1})
    assert shapes["U_f_l1"] == (4, 3)
    assert shapes["U_f_l2"] == (4, 4)
    assert shapes["b_f_l2"] == (4,)
    assert (shapes["W_hy"], shapes["b_y"]) == ((1, 4), (1,))
    assert set(shapes) == {p.name for p in program.derivation.network.parameters}


def test_shapes_of_what_is_read_together() -> None:
    net = symrnn.architecture("encoder-decoder", symrnn.cell("gru"), attention="additive", embed=True)
    shapes = symrnn.to_numpy(symrnn.derive(net)).shapes({"V": 7, "M": 5, "D": 2, "H": 3, "A": 4})
    assert (shapes["E_src"], shapes["E_w"], shapes["W_r_dec"], shapes["U_a"]) == ((2, 5), (2, 7), (3, 5), (4, 3))


@pytest.mark.parametrize(("sizes", "message"), [
    ({"D": 3, "H": 4}, r"the size K is missing; give numbers for D, H, K$"),
    ({"D": 3, "H": 4, "K": 2, "T": 5}, r"unknown size 'T'; known: D, H, K$"),
    ({"D": 3, "H": 0, "K": 2}, r"the size H must be a whole number from 1 on; got 0$"),
    ({"D": 3, "H": 2.5, "K": 2}, r"the size H must be a whole number from 1 on; got 2\.5$"),
    ({"D": True, "H": 2, "K": 2}, r"the size D must be a whole number from 1 on; got True$"),
])
def test_sizes_that_do_not_fit(program, sizes, message) -> None:
    with pytest.raises(SpecError, match="^" + message):
        program.shapes(sizes)


def test_values_inside(program, values) -> None:
    seen = program.forward(values, also=("h_l1", "h_l2", "c_l2"))
    assert set(seen) == {"y_hat", "h_l1", "h_l2", "c_l2"}
    assert seen["h_l1"].shape == (5, 6, 4)
    last = seen["h_l2"][:, -1] @ values["W_hy"].T + values["b_y"]
    np.testing.assert_allclose(seen["y_hat"], last, rtol=1e-13)
    np.testing.assert_array_equal(program.forward(values, also="h_l1")["h_l1"], seen["h_l1"])
    assert set(program.forward(values)) == {"y_hat"}


def test_values_inside_are_those_of_a_shorter_sequence(program, values) -> None:
    whole = program.forward(values, also="h_l2")["h_l2"]
    begun = program.forward({**values, "x": values["x"][:, :4]}, also="h_l2")["h_l2"]
    np.testing.assert_allclose(begun, whole[:, :4], rtol=1e-13)


def test_the_loss_of_each_time_needs_a_target(program, values) -> None:
    y = np.zeros((5, 2))
    losses = program.forward({**values, "y": y}, also="ell")["ell"]
    assert losses.sum() == pytest.approx(program.loss({**values, "y": y}), rel=1e-13)
    with pytest.raises(SpecError, match=r"^the target y is missing; give an array \(B, K\)$"):
        program.forward(values, also="ell")


def test_an_unknown_name(program, values) -> None:
    with pytest.raises(SpecError, match=r"^unknown computed quantity 'h_l3'; did you mean h_l2 or h_l1 or .*\?$"):
        program.forward(values, also=("h_l2", "h_l3"))


def test_a_language_model_takes_any_length_and_predicts_the_last_with_the_same_parameters() -> None:
    each, last = (
        symrnn.to_numpy(symrnn.derive(symrnn.architecture("language-model", symrnn.cell("lstm"), task=task)))
        for task in ("many-to-many", "many-to-one")
    )
    random = np.random.default_rng(1)
    shapes = each.shapes({"V": 7, "D": 3, "H": 4})
    assert shapes == last.shapes({"V": 7, "D": 3, "H": 4})
    params = {name: random.normal(size=shape) for name, shape in shapes.items()}
    w, y = random.integers(7, size=(2, 9)), random.integers(7, size=(2, 9))
    whole = each.forward({**params, "w": w}, also=("h", "c"))
    for length in (1, 2, 9):
        seen = last.forward({**params, "w": w[:, :length]})["y_hat"]
        np.testing.assert_allclose(seen, whole["y_hat"][:, length - 1], rtol=1e-12)
    losses = [last.loss({**params, "w": w[:, : k + 1], "y": y[:, k]}) for k in range(9)]
    assert sum(losses) == pytest.approx(each.loss({**params, "w": w, "y": y}), rel=1e-12)
    states = {"h_0": whole["h"][:, 3], "c_0": whole["c"][:, 3]}
    rest = each.forward({**params, **states, "w": w[:, 4:]})["y_hat"]
    np.testing.assert_allclose(rest, whole["y_hat"][:, 4:], rtol=1e-12)
