"""Fast code against readable code, on every cell, task, network and layout; and what must hold of it at any input."""

from __future__ import annotations

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from fast_cases import (
    LAYOUTS,
    NAMED,
    WIRED,
    WRT,
    assert_fast_is_readable,
    assert_same,
    case,
    fast,
    random_values,
    readable,
)
from test_lambdify import Run

from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.derivation import hessian_vector_network
from symrnn.errors import DataError, SpecError
from symrnn.verify.numeric import judge_numeric

LSTM, GRU, RNN = (f"{name}, many-to-many" for name in ("lstm", "gru", "rnn"))
PLACES = [(name, layout, wrt) for name in NAMED for layout in LAYOUTS for wrt in WRT]


def sizes_of(derivation, **wanted):
    """Those sizes that a network has, none below the least length for which its equations hold."""
    least = {str(letter): number for letter, number in derivation.least}
    known = {str(letter) for letter in derivation.network.sizes} | {"B"}
    return {letter: max(number, least.get(letter, 1)) for letter, number in wanted.items() if letter in known}


def assert_agrees(derivation, layout, wrt, seed=0):
    """At sizes of every kind, with one program, whose workspace was used at the others before."""
    program = fast(derivation, wrt, layout)
    for wanted in ({}, {"T": 9, "S": 7, "B": 9}, {"T": 1, "S": 1, "H": 1, "D": 1, "B": 1}, {"B": 1}, {}):
        assert_fast_is_readable(derivation, program, random_values(derivation, seed, **sizes_of(derivation, **wanted)))


@pytest.mark.sampled(61)
@pytest.mark.parametrize(("name", "layout", "wrt"), PLACES)
def test_fast_code_is_readable_code(name, layout, wrt):
    assert_agrees(case(name), layout, wrt)


@pytest.mark.parametrize("name", [LSTM, GRU])
def test_products_in_more_blocks_than_one(name):
    """Where the batch comes last, products for all times have about a thousand columns at once."""
    derivation = case(name)
    values = random_values(derivation, T=70, B=33)
    assert_fast_is_readable(derivation, fast(derivation, "parameters", "feature-first"), values)


def test_products_of_large_weights():
    """Where the batch comes last, a large weight is multiplied with the columns of several times at once."""
    derivation = case(RNN)
    values = random_values(derivation, T=5, B=300, D=370, H=370, K=370)
    assert_fast_is_readable(derivation, fast(derivation, "parameters", "feature-first"), values, tolerance=1e-11)


@pytest.mark.sampled(62, 5)
@pytest.mark.parametrize("name", NAMED)
def test_the_layout_is_chosen_by_the_batch(name):
    assert_agrees(case(name), None, "parameters")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("wrt", ["x", ("W_f", "h_0"), ("c_0",), ("x", "b_y")])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_some_gradients(layout, wrt):
    program = fast(case(LSTM), wrt, layout)
    values = random_values(case(LSTM))
    assert_fast_is_readable(case(LSTM), program, values)
    assert list(program.gradients(values)[1]) == ([wrt] if isinstance(wrt, str) else list(wrt))
    assert float(program.loss(values)) == pytest.approx(float(readable(case(LSTM)).loss(values)), rel=1e-13)


def test_what_has_no_gradient():
    with pytest.raises(SpecError, match=r"^unknown gradient 'y'; "):
        to_numpy(case(LSTM), style="fast", wrt=["y"])
    with pytest.raises(SpecError, match=r"^unknown layout 'batch'; "):
        to_numpy(case(LSTM), style="fast", layout="batch")


@pytest.mark.sampled(17, 2)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [LSTM, GRU, "rnn-block, many-to-one", *WIRED, "layer-normalised"])
def test_single_precision(name, layout):
    """All of the work is in single precision, and near the result of double precision."""
    double, single = random_values(case(name)), random_values(case(name), dtype=np.float32)
    loss, gradients = readable(case(name)).gradients(double)
    found, mine = fast(case(name), "all", layout).gradients(single)
    assert {array.dtype for array in mine.values()} == {np.dtype(np.float32)}
    assert float(found) == pytest.approx(float(loss), rel=1e-4)
    assert_same(mine, gradients, 1e-4, 1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [LSTM, "gru, many-to-one"])
def test_classes_as_integers(name, layout):
    values = random_values(case(name), B=4)
    classes = np.random.default_rng(1).integers(values["y"].shape[-1], size=values["y"].shape[:-1])
    program = fast(case(name), "all", layout)
    expected = program.gradients(values | {"y": np.eye(values["y"].shape[-1])[classes]})
    found = program.gradients(values | {"y": classes})
    assert found[0] == expected[0]
    assert_same(found[1], expected[1], 0, 0)


@pytest.mark.full
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [RNN, "rnn-block, many-to-one"])
def test_second_derivatives(name, layout):
    assert_agrees(derive(hessian_vector_network(case(name))), layout, "all")


# The judges, and SymPy's own code for each formula.


@pytest.mark.full
@pytest.mark.sampled(5, 5)
@pytest.mark.parametrize("name", NAMED)
def test_fast_code_before_the_numeric_judge(name):
    judge_numeric(fast(case(name), "all", "batch-first")).assert_ok()


@pytest.mark.sampled(13)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [RNN, LSTM, GRU, "gru-reset-after, many-to-one", "windows", "additive"])
def test_fast_code_is_what_sympy_makes_of_each_formula(name, layout):
    """Each formula agrees with the readable code, and the values at the ends are those of the fast code."""
    derivation = case(name)
    run = Run(derivation, sequence=1)
    for equation in run.network.equations:
        run.assert_agrees(equation)
    extra = {letter: number for letter, number in run.sizes.items() if letter in fast(derivation, "all", layout).accepted}
    gradients = fast(derivation, "all", layout).gradients(run.point | extra)[1]
    for g in derivation.wanted:
        if g.kind != "parameter" and g.span is not None:
            mine = run.values[derivation.by_quantity[g.quantity].lhs.series]
            times = run.times(g.span)
            here = np.array([mine[time].reshape(-1) for time in times])
            found = gradients[g.name][1].reshape(here.shape)
            np.testing.assert_allclose(found, here, rtol=1e-9, atol=1e-12)


# What must hold at any input.


def both(name, wrt="all"):
    return [fast(case(name), wrt, layout) for layout in LAYOUTS]


@pytest.mark.sampled(8, 2)
@pytest.mark.parametrize("name", [LSTM, GRU, *WIRED])
def test_inputs_are_not_changed(name):
    values = random_values(case(name))
    for program in both(name):
        frozen = {key: np.array(array) for key, array in values.items()}
        for array in frozen.values():
            array.flags.writeable = False
        assert_same(program.gradients(frozen)[1], readable(case(name)).gradients(values)[1])
        for key, array in values.items():
            np.testing.assert_array_equal(frozen[key], array)


@pytest.mark.sampled(17, 2)
@pytest.mark.parametrize("name", [LSTM, *WIRED, "gru, many-to-one", "lstm, one-to-many"])
def test_results_are_no_part_of_the_workspace(name):
    for program in both(name):
        loss, first = program.gradients(random_values(case(name)))
        kept, before = {key: array.copy() for key, array in first.items()}, np.array(loss)
        loss_then, second = program.gradients(random_values(case(name), seed=1))
        assert float(loss_then) != float(loss) == float(before)
        assert_same(first, kept, 0, 0)
        for array in second.values():
            array[...] = np.nan
        assert_same(program.gradients(random_values(case(name)))[1], kept, 0, 0)


def test_two_threads_have_their_own_numbers():
    calls, threads = 20, 3
    for program in both(LSTM):
        points = [random_values(case(LSTM), seed, T=40, H=16, B=4) for seed in range(threads)]
        alone = [program.gradients(point) for point in points]
        start = Barrier(threads)

        def call(number, program=program, points=points, start=start):
            start.wait()
            return [program.gradients(points[number]) for _ in range(calls)]

        with ThreadPoolExecutor(threads) as pool:
            for number, found in enumerate(pool.map(call, range(threads))):
                for loss, gradients in found:
                    assert loss == alone[number][0]
                    assert_same(gradients, alone[number][1], 0, 0)


@pytest.mark.sampled(13)
@pytest.mark.parametrize("name", [LSTM, GRU, RNN, "lstm-peephole, many-to-one", "gru-reset-after, many-to-many", *WIRED, "mgu, many-to-many"])
def test_no_warning_at_large_inputs(name):
    for program in both(name):
        for sign in (1, -1):
            values = random_values(case(name))
            large = {g.name for g in case(name).network.givens if g.kind in {"input", "initial"}}
            values = {key: sign * 1000 * np.sign(array) if key in large else array for key, array in values.items()}
            with np.errstate(all="raise", under="ignore"):
                loss, gradients = program.gradients(values)
            assert np.isfinite(loss)
            assert_same(gradients, readable(case(name)).gradients(values)[1], 1e-11, 1e-12)


@pytest.mark.parametrize("name", [LSTM, GRU, "gru, many-to-one"])
def test_nan_in_gives_nan_out(name):
    for program in both(name):
        values = random_values(case(name))
        values["x"][0, 1, 0] = np.nan
        with np.errstate(all="ignore"):
            loss, gradients = program.gradients(values, check_finite=False)
            expected = readable(case(name)).gradients(values, check_finite=False)[1]
        assert np.isnan(loss)
        for key, array in expected.items():
            np.testing.assert_array_equal(np.isnan(gradients[key]), np.isnan(array), err_msg=key)
        after = random_values(case(name))  # and leaves nothing in the workspace
        assert_same(program.gradients(after)[1], readable(case(name)).gradients(after)[1])


@pytest.mark.parametrize(("wrong", "message"), [
    ({"x": (2, 6)}, r"x: expected shape \(B, T, D\); got \(2, 6\)$"),
    ({"W_f": (3, 4)}, r"W_f: expected shape \(H, H\), which is \(3, 3\); got \(3, 4\) "),
    ({"y": (2, 5, 5)}, r"y: expected shape \(B, T, K\), which is .*; got \(2, 5, 5\) "),
    ({"h_0": (3, 3)}, r"h_0: expected shape \(B, H\), which is .*; got \(3, 3\) "),
])
def test_wrong_shapes(wrong, message):
    values = random_values(case(LSTM), D=4, H=3, T=6, K=5)
    for program in both(LSTM):
        with pytest.raises(DataError, match="^" + message):
            program.gradients(values | {name: np.ones(shape) for name, shape in wrong.items()})
        with pytest.raises(DataError, match=r"^x: NaN or infinity among the numbers; "):
            program.gradients(values | {"x": np.full_like(values["x"], np.nan)})
    assert issubclass(DataError, ValueError)


@pytest.mark.sampled(17, 2)
@pytest.mark.parametrize("name", [LSTM, GRU, "rnn-block, many-to-one", *WIRED])
def test_arrays_that_are_not_contiguous(name):
    values = random_values(case(name))
    for program in both(name):
        loss, expected = program.gradients(values)
        for change in (np.asfortranarray, apart, lambda array: array[..., ::-1].copy()[..., ::-1]):
            found, gradients = program.gradients({key: change(array) if np.ndim(array) else array for key, array in values.items()})
            assert float(found) == pytest.approx(float(loss), rel=1e-13)
            assert_same(gradients, expected)


def apart(array):
    """The same numbers, as each second entry of each axis."""
    wide = np.zeros([2 * size for size in array.shape], array.dtype)
    every = tuple(slice(None, None, 2) for _ in array.shape)
    wide[every] = array
    return wide[every]


@pytest.mark.sampled(83, 7)
@pytest.mark.parametrize(("name", "layout", "wrt"), PLACES)
def test_the_module_imports_numpy_alone_and_is_clean(name, layout, wrt, tmp_path):
    source = fast(case(name), wrt, layout).source
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]
    path = tmp_path / "fast_code.py"
    path.write_text(source, encoding="utf-8")
    pytest.importorskip("ruff", reason="is not needed by the quick run; the full one has it")
    checked = subprocess.run([sys.executable, "-m", "ruff", "check", "--isolated", path], capture_output=True, text=True, check=False)
    assert not checked.returncode, checked.stdout
