"""Loops over time that Numba compiles, against readable code; and the parts that write them, without Numba."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from amounts import examples
from fast_cases import WIRED, assert_fast_is_readable, assert_same, case, fast, random_values, readable
from hypothesis import example, given, settings
from sympy import Integer
from test_fast import BATCH, QUIET, SIZE, TALL, TIMED, TIMES, UNTIMED, H, bodies, rows, run
from test_fast_product import sizes_of

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.cli import main
from symrnn.codegen import numpy_source, to_numpy
from symrnn.codegen.fast.compiled import TANH
from symrnn.codegen.fast.merging import read
from symrnn.codegen.fast.scalar import Rows, groups, is_scalar, needed
from symrnn.codegen.fast.steps import Call, Number, Times
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import t
from symrnn.networks import network

LSTM, GRU, RNN = (f"{name}, many-to-many" for name in ("lstm", "gru", "rnn"))
NAMES = list(dict.fromkeys([LSTM, *(f"{name}, many-to-many" for name in CELLS), *WIRED, "layer-normalised"]))
compiling = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed; the full run has it")


@cache
def compiled(name, wrt="parameters", layout=None):
    return to_numpy(case(name), style="fast", wrt=wrt, layout=layout, compiled=True)


# Whole programs.


@compiling
@pytest.mark.sampled(40, 2)
@pytest.mark.parametrize("name", NAMES)
def test_compiled_code_is_readable_code(name):
    for wanted in ({"B": 3}, {"T": 1, "S": 1, "H": 1, "D": 1, "B": 1}, {"T": 9, "S": 7, "B": 1}, {"B": 9}, {"B": 3}):
        assert_fast_is_readable(case(name), compiled(name), random_values(case(name), **sizes_of(case(name), **wanted)))


@compiling
@pytest.mark.full
@pytest.mark.sampled(1, 5)
@pytest.mark.parametrize("name", NAMES)
def test_all_gradients_and_any_number_of_sequences(name):
    program = compiled(name, "all", "batch-first")
    for wanted in ({"B": 9}, {"B": 1}):
        assert_fast_is_readable(case(name), program, random_values(case(name), **sizes_of(case(name), **wanted)))


@compiling
@pytest.mark.full
def test_windows_of_compiled_loops():
    program = to_numpy(case(LSTM), style="fast", compiled=True, checkpoint=True)
    assert_fast_is_readable(case(LSTM), program, random_values(case(LSTM), T=7, B=2))


@compiling
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", [RNN, LSTM])
def test_single_precision(name):
    loss, gradients = readable(case(name)).gradients(random_values(case(name), B=2))
    found, mine = compiled(name).gradients(random_values(case(name), dtype=np.float32, B=2))
    assert {array.dtype for array in mine.values()} == {np.dtype(np.float32)}
    assert float(found) == pytest.approx(float(loss), rel=1e-4)
    assert_same(mine, {key: gradients[key] for key in mine}, 1e-4, 1e-5)


@compiling
def test_what_must_hold_at_any_input():
    """One program: it does not change what it is given, takes any layout, has no warnings, hands NaN on, and runs in threads."""
    program, values = compiled(RNN), random_values(case(RNN), B=3)
    before = {key: np.array(array) for key, array in values.items()}
    _, expected = program.gradients(values)
    assert_same(values, before, 0, 0)
    assert_same(program.gradients({key: np.asfortranarray(array) for key, array in values.items()})[1], expected)
    for sign in (1, -1):
        large = values | {"x": sign * 1000 * np.sign(values["x"])}
        with np.errstate(all="raise", under="ignore"):
            assert_fast_is_readable(case(RNN), program, large, 1e-11)
    x = values["x"].copy()
    x[0, 1, 0] = np.nan
    with np.errstate(all="ignore"):
        loss, gradients = program.gradients(values | {"x": x}, check_finite=False)
        wanted = readable(case(RNN)).gradients(values | {"x": x}, check_finite=False)[1]
    assert np.isnan(loss)
    for key, array in gradients.items():
        np.testing.assert_array_equal(np.isnan(array), np.isnan(wanted[key]), err_msg=key)
    points = [random_values(case(RNN), seed, T=40, H=16, B=3) for seed in range(2)]
    alone = [program.gradients(point)[1] for point in points]
    with ThreadPoolExecutor(2) as pool:
        for number, found in enumerate(pool.map(lambda point: [program.gradients(point)[1] for _ in range(20)], points)):
            for gradients in found:
                assert_same(gradients, alone[number], 0, 0)


@compiling
@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_other_precisions_are_refused(activation):
    derivation = derive(network(cell("rnn", activation=activation)))
    program = to_numpy(derivation, style="fast", wrt="parameters", compiled=True)
    with pytest.raises(ValueError, match=r"^compiled loops compute in float32 or float64; got float16: convert the arrays$"):
        program.gradients(random_values(derivation, dtype=np.float16))


def test_loops_are_compiled():
    """No loop over time is left outside, and none calls NumPy."""
    for name in (RNN, LSTM, GRU, "gru-reset-after, many-to-many", "stacked", "bidirectional"):
        functions = [node for node in ast.parse(numpy_source(case(name), style="fast", compiled=True)).body if isinstance(node, ast.FunctionDef)]
        loops = [node for node in functions if "_loop_" in node.name]
        few = [node for node in functions if node.name.endswith("batch_first")]
        assert len(few) == 2
        assert all([ast.unparse(d) for d in node.decorator_list] == ["compiled"] for node in loops)
        assert not any("np." in ast.unparse(node) for node in loops)
        assert not any(isinstance(node, ast.For) for function in few for node in ast.walk(function))


def test_a_loop_that_has_no_scalar_form_stays():
    source = numpy_source(case("layer-normalised"), style="fast", layout="batch-first", compiled=True)
    assert "\n    for t in range(T, 0, -1):\n        # " in source


# Without Numba, and what is refused.


def test_what_is_refused(monkeypatch):
    with pytest.raises(SpecError, match=r'^compiled loops are for fast code; write style="fast"$'):
        to_numpy(case(RNN), compiled=True)
    with pytest.raises(SpecError, match=r'^compiled loops are batch-first; leave the layout out, or write layout="batch-first"$'):
        to_numpy(case(RNN), style="fast", layout="feature-first", compiled=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotSupportedError, match=r"^Numba is not installed; for compiled loops, pip install 'symrnn\[compiled\]'$"):
        to_numpy(case(RNN), style="fast", compiled=True)


def test_the_command_writes_the_file_without_numba(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["code", "rnn", "--style", "fast", "--compiled"]) == 0
    assert "from numba import njit\n" in capsys.readouterr().out
    assert main(["code", "rnn", "--style", "fast", "--compiled", "--memory", "T=3"]) == 2
    assert capsys.readouterr().err == "symrnn: error: --memory counts the arrays of NumPy code; leave --compiled out\n"


@compiling
@pytest.mark.full
def test_a_file_keeps_what_was_compiled(tmp_path):
    (tmp_path / "made.py").write_text(numpy_source(case(RNN), style="fast", compiled=True), encoding="utf-8")
    code = "import numpy as np, made; p = {k: np.ones((2, 2)) for k in ('W_xh', 'W_hh', 'W_hy')} | {k: np.ones(2) for k in ('b_h', 'b_y')}; "
    code += "made.loss_and_gradients(p, np.ones((1, 3, 2)), np.ones((1, 3), int)); print(sum(made.loss_and_gradients_batch_first_loop_1.stats.cache_hits.values()))"
    for hits in (0, 1):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == f"{hits}\n"


# The parts.


@compiling
@pytest.mark.sampled(2)
@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_tanh(real):
    names: dict = {}
    exec("import math\nimport numpy as np\nfrom numba import njit\ncompiled = njit(error_model='numpy', fastmath={'contract'})\n" + TANH, names)
    special = np.array([np.nan, np.inf, -np.inf, 1000, -1000, 0, np.finfo(real).tiny], real)
    found = [names["tanh"](x, names["TANH"][np.dtype(real)]) for x in special]
    np.testing.assert_array_equal(found, np.tanh(special))
    assert {type(value) for value in found} == {float} or real is np.float32
    rng = np.random.default_rng(0)
    points = np.concatenate([scale * rng.standard_normal(200) for scale in (1e-300, 1e-8, 1e-3, 0.1, 0.3, 1, 3, 10)]).astype(real)
    exact = np.tanh(points.astype(np.longdouble))
    error = np.abs([names["tanh"](x, names["TANH"][np.dtype(real)]) for x in points] - exact)
    assert np.all(error <= 3 * np.spacing(np.abs(exact.astype(real))))


def run_in_loops(body, brief):
    """Run calls as loops over rows, one row at a time, and return the arrays."""
    arrays = run([])
    names = {**arrays, "tanh": lambda x, numbers: np.tanh(x), "numbers": None}
    rng = np.random.default_rng(0)
    rng.standard_normal(BATCH * TALL * SIZE * (TIMES * len(TIMED) + len(UNTIMED)))  # as ``run`` draws
    names["W"] = rng.standard_normal((SIZE, SIZE))

    def number(end):
        return int(end.xreplace({H: Integer(SIZE)}))

    def place(operand, index):
        if isinstance(operand, Number):
            return repr(float(operand.value))
        at = "" if operand.time is None else f"[{operand.time}]"
        return f"{operand.array}{at}[{number(operand.lo)} + {index}]"

    parts = list(groups(body, brief))
    for time in range(1, TIMES):
        for here, part in enumerate(parts):
            if isinstance(part, Times):
                views = [f"{ref.array}{'' if ref.time is None else f'[{ref.time}]'}[{number(ref.lo)}:{number(ref.hi)}]" for ref in (part.out, part.operand)]
                exec(f"{views[0]}[...] = W{'.T' if part.turned else ''} @ {views[1]}", names | {"t": time})
                continue
            rest = [step for later in parts[here + 1:] for step in ([later] if isinstance(later, Times) else later)]
            lines = Rows(part, place, "j", lambda ref, rest=rest: not brief(ref) or needed(ref, rest)).lines()
            with np.errstate(all="ignore"):
                for j in range(number(part[0].out.hi - part[0].out.lo)):
                    exec("\n".join(lines) or "pass", names | {"t": time, "j": j})
    return arrays


def brief_in(body):
    """Tell of the rows without time that they hold a value for one time, unless a step reads what an earlier time wrote."""
    made = set()
    for step in body:
        if any(ref.time is None and (ref.lo, ref.hi) not in made for ref in read(step)):
            return lambda ref: False
        made |= {(step.out.lo, step.out.hi)} if step.out.time is None else set()
    return lambda ref: ref.time is None


TWO = Number(Integer(2))
NOT_LATER = [
    Call("add", (rows("a", 0, 1, t), TWO), rows("k", 0, 1, None)), Call("tanh", (rows("a", 1, 2, t),), rows("a", 0, 1, t)),
    Call("multiply", (rows("k", 0, 1, None), TWO), rows("a", 1, 2, t)),
]
"""What the first reads is overwritten before its value is used."""
APART = [Call("copyto", (rows("b", 0, 2, t),), rows("a", 0, 2, t)), Call("tanh", (rows("a", 1, 3, t),), rows("b", 0, 2, t))]
"""The second reads rows of which some are written at a later row."""
MULTIPLIED = [Call("add", (rows("a", 0, 1, t), TWO), rows("k", 0, 1, None)), Times("W", False, rows("k", 0, 1, None), rows("a", 1, 2, t))]
"""A product reads a value in between."""


def test_loops_over_rows_compute_the_same():
    seen = {"calls": 0, "loops": 0}

    @settings(max_examples=examples(200), **QUIET)
    @example(body=NOT_LATER)
    @example(body=APART)
    @example(body=MULTIPLIED)
    @given(body=bodies())
    def same(body):
        body = [step for step in body if is_scalar(step)]
        expected = run(body)
        for brief, kept in ((lambda ref: False, (*TIMED, *UNTIMED)), (brief_in(body), TIMED)):
            found = run_in_loops(body, brief)
            for name in kept:
                np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-12)
        seen["calls"] += sum(isinstance(step, Call) for step in body)
        seen["loops"] += len(list(groups(body, lambda ref: False)))

    same()
    assert seen["calls"] > seen["loops"]


def test_what_products_write_in_between_is_not_cut_into_chunks():
    """With more times than a chunk has; products of the layer above are added up in between."""
    values = random_values(case("bidirectional"), T=80, H=64, D=2, B=7)
    values = {key: 0.2 * array if array.ndim == 2 and key[0] in "WU" else array for key, array in values.items()}
    program = fast(case("bidirectional"), "parameters", "batch-first")
    assert "chunk" in program.source
    assert_fast_is_readable(case("bidirectional"), program, values, 1e-10)
