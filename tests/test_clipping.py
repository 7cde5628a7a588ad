"""Clipping: a named step after the backward pass, in print, in code, and as PyTorch does it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import Rational

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.clipping import Clipping
from symrnn.codegen import to_numpy
from symrnn.errors import SpecError
from symrnn.networks import network
from symrnn.printing import from_json, render
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.points import default_sizes, random_point

NET = network(cell("rnn"))
PARAMETERS = ("W_hh", "W_xh", "b_h", "W_hy", "b_y")


def gradients_of(clip: Any, dtype: Any = np.float64) -> tuple[Any, Any]:
    """The functions of a module with clipping, and gradients at a point."""
    derivation = derive(NET, clip=clip)
    program = to_numpy(derivation)
    values = random_point(NET, default_sizes(derivation), np.random.default_rng(0), dtype)
    return program.names["clipped"], program.gradients(values)[1]


def norm_of(gradients: Any) -> float:
    return float(np.sqrt(sum(np.sum(gradients[name] ** 2) for name in PARAMETERS)))


@pytest.mark.parametrize("limit", [0.1, 1, 5, 1000])
def test_norm_over_all_parameters_together(limit: float) -> None:
    clipped, gradients = gradients_of(limit)
    found = clipped(gradients)
    factor = min(1.0, limit / norm_of(gradients))
    for name in PARAMETERS:
        np.testing.assert_allclose(found[name], gradients[name] * factor, rtol=1e-14)
    assert norm_of(found) == pytest.approx(min(limit, norm_of(gradients)), rel=1e-13)
    for name in ("x", "h_0"):
        np.testing.assert_array_equal(found[name], gradients[name])
    assert norm_of(clipped(gradients, limit=0.5)) == pytest.approx(0.5, rel=1e-13)


def test_zero_gradients_stay() -> None:
    clipped, gradients = gradients_of(5)
    zero = {name: 0 * gradient for name, gradient in gradients.items()}
    for name, gradient in clipped(zero).items():
        np.testing.assert_array_equal(gradient, zero[name])


def test_float32_stays() -> None:
    for clip in (0.01, Clipping(0.01, by="value")):
        clipped, gradients = gradients_of(clip, np.float32)
        assert {gradient.dtype for gradient in clipped(gradients).values()} == {np.dtype(np.float32)}


def test_value_cuts_each_entry() -> None:
    clipped, gradients = gradients_of(Clipping(0.25, by="value"))
    found = clipped(gradients)
    for name in PARAMETERS:
        np.testing.assert_array_equal(found[name], np.clip(gradients[name], -0.25, 0.25))
    assert any(np.abs(gradients[name]).max() > 0.25 for name in PARAMETERS)
    np.testing.assert_array_equal(found["x"], gradients["x"])


@pytest.mark.parametrize("limit", [0.5, 2.0, 1000.0])
def test_agrees_with_torch(limit: float) -> None:
    """PyTorch divides by the norm plus 1e-6, so that the results differ by that part."""
    torch = pytest.importorskip("torch")
    clipped, gradients = gradients_of(limit)
    tensors = {name: torch.nn.Parameter(torch.zeros(gradients[name].shape, dtype=torch.float64)) for name in PARAMETERS}
    for name, tensor in tensors.items():
        tensor.grad = torch.tensor(gradients[name].copy())
    norm = torch.nn.utils.clip_grad_norm_(tensors.values(), limit).item()
    assert norm == pytest.approx(norm_of(gradients), rel=1e-14)
    found = clipped(gradients)
    for name, tensor in tensors.items():
        scale = (norm + 1e-6) / norm if norm > limit else 1.0
        np.testing.assert_allclose(found[name], tensor.grad.numpy() * scale, rtol=1e-12)
        np.testing.assert_allclose(found[name], tensor.grad.numpy(), rtol=1.1e-6 / norm)


def test_clipping_is_no_part_of_the_derivative() -> None:
    plain, clipped = derive(NET), derive(NET, clip=5)
    assert clipped.lines == plain.lines
    assert clipped.clipping == Clipping(5)
    assert clipped != plain
    for judge, said in ((judge_entrywise, clipped), (judge_balls, to_numpy(clipped)), (judge_numeric, to_numpy(clipped))):
        report = judge(said)
        report.assert_ok()
        assert report.compared.endswith("; before clipping, which is no part of the derivative")
    assert "clipping" not in judge_entrywise(plain).compared
    assert to_numpy(clipped).source.startswith(to_numpy(plain).source)
    assert "def clipped" not in to_numpy(plain).source
    assert clipped.leading_to("W_hh").clipping == Clipping(5)


def test_formula_stands_in_the_code() -> None:
    doc = " ".join((gradients_of(5)[0].__doc__ or "").split())
    assert doc.startswith("Return gradients with those of the parameters clipped: g * min(1, c / |g|).")
    assert "Pascanu, Mikolov and Bengio 2013, algorithm 1." in doc


@pytest.mark.parametrize(("clip", "unicode", "latex", "plain"), [
    (5, "g ← g · min(1, 5/‖g‖)", r"$g \leftarrow g \cdot \min(1, 5 / \lVert g \rVert)$", "g <- g * min(1, 5/|g|)"),
    (0.25, "g ← g · min(1, 0.25/‖g‖)", r"$g \leftarrow g \cdot \min(1, 0.25 / \lVert g \rVert)$", "g <- g * min(1, 0.25/|g|)"),
    (Clipping(5, by="value"), "g ← min(5, max(-5, g))", r"$g \leftarrow \min(5, \max(-5, g))$", "g <- min(5, max(-5, g))"),
])
def test_clipping_is_the_last_section(clip: Any, unicode: str, latex: str, plain: str) -> None:
    derivation = derive(NET, clip=clip)
    for text, formula in (
        (render(derivation), unicode), (render(derivation, "latex"), latex),
        (render(derivation, "markdown"), latex), (render(derivation, ascii=True), plain),
    ):
        last = " ".join(text[text.rindex("Clipping"):].split())
        assert last.endswith(f": {formula}.")
        assert "No part of the derivative" in last
    assert render(derivation, ascii=True).isascii()
    assert "Clipping" not in render(derive(NET))


@pytest.mark.parametrize("clip", [5, 0.3, Clipping(Rational(1, 3), by="value"), None])
def test_json_reads_back(clip: Any) -> None:
    derivation = derive(NET, clip=clip)
    assert from_json(render(derivation, "json")) == derivation


@pytest.mark.parametrize("limit", [0, -1, True, "5", None, float("nan"), float("inf"), 1j, [1]])
def test_what_is_no_limit_is_refused(limit: Any) -> None:
    with pytest.raises(SpecError, match=r"^the limit of a clipping must be a positive number; got "):
        Clipping(limit)


def test_another_way_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^unknown way to clip 'norms'; did you mean norm\?$"):
        Clipping(5, by="norms")
