"""A backward that keeps only the last terms is refused, however small the others are; checks in float64 pass it."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PATH = Path(__file__).parents[1] / "benchmarks" / "blindness.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("blindness", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["blindness"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


blindness = load()
CUT = list(itertools.product(blindness.RADII, blindness.KEPT))


@pytest.mark.sampled(21)
@pytest.mark.parametrize(("radius", "kept"), CUT)
def test_ours_refuses_each_cut(radius: float, kept: int) -> None:
    report = blindness.ours(blindness.point(radius), kept)
    found = {verdict.name: verdict.verdict for verdict in report.verdicts}
    assert report.status == 1, str(report)
    assert {found[name] for name in ("dx", "dh0", "dU", "dW", "db")} == {"wrong"}, str(report)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("kept", "verdict"), [(8, "wrong"), (19, "right up to float64 constants")])
def test_ours_where_others_look(kept: int, verdict: str) -> None:
    report = blindness.ours_there(blindness.point(0.1), kept)
    found = {found.name: found.verdict for found in report.verdicts}
    assert report.status == 1, str(report)
    assert found["dh0"] == "wrong", str(report)
    assert found["dV"] == verdict, str(report)


@pytest.mark.parametrize("judge", [blindness.ours, blindness.ours_there])
def test_ours_passes_the_right_one(judge) -> None:
    report = judge(blindness.point(0.1), blindness.STEPS)
    assert report.ok, str(report)
    assert [verdict.verdict for verdict in report.verdicts] == ["right"] * 5


@pytest.mark.parametrize("radius", blindness.RADII)
def test_the_point_is_what_it_is_said_to_be(radius: float) -> None:
    W = blindness.point(radius).arguments[3]
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(radius, rel=1e-12)


def test_the_error_is_what_is_missing() -> None:
    place = blindness.point(0.9)
    h, cache = blindness.forward(*place.arguments)
    whole, cut = (blindness.backward(np.ones_like(h), cache, kept)[3] for kept in (blindness.STEPS, 4))
    assert blindness.relative_error(place, 4) == pytest.approx(np.linalg.norm(whole - cut) / np.linalg.norm(whole), rel=1e-9)


def test_gradcheck_passes_what_is_cut() -> None:
    pytest.importorskip("torch")
    place = blindness.point(0.1)
    assert blindness.gradcheck_passes(place, blindness.STEPS)
    assert not blindness.gradcheck_passes(place, 1)
    assert blindness.gradcheck_passes(place, 8)
    assert blindness.relative_error(place, 8) > 1e-12


def test_check_grads_passes_what_is_cut() -> None:
    pytest.importorskip("autograd")
    place = blindness.point(0.1)
    assert blindness.check_grads_passes(place, blindness.STEPS)
    assert not blindness.check_grads_passes(place, 1)
    assert blindness.check_grads_passes(place, 8)
