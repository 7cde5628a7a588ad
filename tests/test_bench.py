"""``symrnn bench``: what it prints, what it refuses; no time is asserted."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symrnn
from symrnn import cli
from symrnn.benchmarks import CELLS, COMPETITORS, PACKAGES, TITLES, asking, gradients, naive, products, readable
from symrnn.benchmarks.arranged import by_equations
from symrnn.benchmarks.cases import Case, case, check_same
from symrnn.benchmarks.environment import environment
from symrnn.benchmarks.processes import records
from symrnn.benchmarks.recurrence import Library
from symrnn.benchmarks.sizes import SIZES, size_of
from symrnn.benchmarks.tables import collected, means, report
from symrnn.errors import NotSupportedError, RefutedError, SpecError
from symrnn.parsing.bench import bench_parser

SMALL = "2x3x4x5"
TWO_BACK = """
from symrnn import Cell, parameter, series, t, tanh
x, h = series("x", "D"), series("h", "H")
CELL = Cell("two back", [(h[t], tanh(parameter("W", "H", "H") @ h[t - 2] + parameter("U", "H", "D") @ x[t]))], inputs=[x])
"""


def drawn(name: str, dtype: str = "float64", cell: symrnn.Cell | None = None) -> Case:
    return case(SMALL, name, cell or symrnn.cell(name), dtype)


def result_of(module: Any, one: Case) -> tuple[Any, dict[str, Any]]:
    run, read = module.prepare(one)
    return read(run())


def no_package(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let some packages not be installed, and every other one that a competitor needs be there."""
    found = importlib.util.find_spec
    there = {name: found("json") for name in PACKAGES.values()} | dict.fromkeys(packages)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: there[name] if name in there else found(name, *rest))


def refused(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert cli.main(["bench", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def test_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One process: two cells, a package that is missing, a cell that nobody writes by hand."""
    no_package(monkeypatch, "jax")
    assert cli.main(["bench", "rnn", "gru", "--sizes", SMALL, "--dtypes", "float64", "--rounds", "1", "--against", "naive,readable,jax"]) == 0
    out, err = capsys.readouterr()
    assert "symrnn: jax left out: jax is not installed; pip install 'symrnn[bench]'\n" in err
    assert re.search(r"^\| against +\| B > 1, float64 \|$", out, re.MULTILINE)
    assert re.search(r"^\| size +\| cell \| symrnn, ms \(f64\) \| NumPy as people write it \| symrnn, readable \|$", out, re.MULTILINE)
    number = r"\d+\.\d\d"
    assert re.search(rf"^\| {SMALL} +\| rnn +\| \S+ +\| {number} +\| {number} +\|$", out, re.MULTILINE)
    assert re.search(rf"^\| {SMALL} +\| gru +\| \S+ +\| +\| {number} +\|$", out, re.MULTILINE)
    assert "* Without naive: gru is not written by hand; compare with readable." in out


@pytest.mark.parametrize(("args", "message"), [
    (["lstn"], r"unknown cell 'lstn'; did you mean lstm\?; your own cell is path\.py:NAME"),
    (["lstm", "--against", "torch,tensorflow"],
     r"unknown competitor 'tensorflow'; there are torch, torch-loop, jax, autograd, naive, readable, compiled, products$"),
    (["--sizes", "charnn"], r"unknown size 'charnn'; known: charrnn, mid, large, long, zaremba, or your own B, T, D, H, such as 8x20x32x64$"),
    (["--sizes", "8x20x32"], r"unknown size '8x20x32'; known"),
    (["--sizes", "0x20x32x1"], r"unknown size '0x20x32x1'; known"),
    (["--dtypes", "f32"], r"unknown dtype 'f32'; there are float64, float32$"),
    (["--threads", "1,0"], r"expected numbers of threads from 1 on, such as 1,2; got '1,0'$"),
    (["--rounds", "0"], r"argument --rounds: expected a whole number from 1 on; got '0'"),
    (["missing.py:CELL"], r"no such file: missing\.py$"),
])
def test_bad_input(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.match(rf"symrnn: error: {message}", refused(capsys, *args))


def test_help_names_what_the_tables_have() -> None:
    text = bench_parser().format_help()
    for name, size in SIZES.items():
        assert re.search(rf"^  {name} +{'x'.join(map(str, size))} ", text, re.MULTILINE)
        assert size_of(name) == size_of("x".join(map(str, size))) == size
    assert re.findall(r"^  (\S+) ", text.partition("against:\n")[2].partition("\n\n")[0], re.MULTILINE) == list(TITLES)
    assert list(COMPETITORS) == ["symrnn", *TITLES]
    assert PACKAGES.keys() < TITLES.keys()


def test_what_is_missing_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    no_package(monkeypatch, "torch", "autograd")
    what, lines = asking.installed(asking.asked(["rnn"], sizes="mid", rounds=1))
    assert not {"torch", "torch-loop", "autograd"} & {*what.against}
    assert lines == ("torch, torch-loop left out: torch is not installed; pip install 'symrnn[bench]'",
                     "autograd left out: autograd is not installed; pip install 'symrnn[bench]'")


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("PYTHONPATH", "mine")
    found = environment(2, Path("beside"))
    assert "OPENBLAS_CORETYPE" not in found
    assert found["OPENBLAS_NUM_THREADS"] == found["OMP_NUM_THREADS"] == "2"
    assert found["PYTHONPATH"].startswith("beside") and found["PYTHONPATH"].endswith("mine")  # noqa: PT018  # one value


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cell", CELLS)
def test_numpy_as_people_write_it_is_right(cell: str, dtype: str) -> None:
    one = drawn(cell, dtype)
    check_same("naive", one, result_of(naive, one), result_of(readable, one))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [name for name in COMPETITORS if name in PACKAGES])
@pytest.mark.parametrize("cell", symrnn.CELLS)
def test_others_compute_every_cell(cell: str, name: str) -> None:
    pytest.importorskip(PACKAGES[name])
    one = drawn(cell)
    module = importlib.import_module(COMPETITORS[name])
    if name == "torch" and cell not in CELLS:
        with pytest.raises(NotSupportedError, match=rf"^torch\.nn has no {cell}$"):
            module.prepare(one)
        return
    check_same(name, one, result_of(module, one), result_of(readable, one))


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("cell", symrnn.CELLS)
def test_equations_as_steps(cell: str) -> None:
    """The loss of the arranged equations, run by NumPy, is that of readable code: what the libraries differentiate."""
    one = drawn(cell)
    of = by_equations(one, Library(np, sigmoid, lambda array, n: np.split(array, n, axis=-1)))
    B, T, D, _ = one.sizes
    rows, shared = of.before(of.weights, one.times_first(one.x).reshape(T * B, D))
    state, loss = tuple(np.zeros((B, n)) for n in of.states), 0
    for t in range(T):
        state, h = of.step(shared, state, tuple(array.reshape(T, B, -1)[t] for array in rows))
        logits = h @ of.weights["W_out"].T + of.weights["b_out"]
        loss += np.sum(np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(B), one.classes[:, t]])
    assert loss == pytest.approx(result_of(readable, one)[0], rel=1e-12)
    assert {*of.read(of.weights)} == {*one.params}


def test_other_times_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "two_back.py"
    path.write_text(TWO_BACK, encoding="utf-8")
    one = drawn("mine", cell=asking.load_cell(f"{path}:CELL", {}))
    with pytest.raises(NotSupportedError, match=r"^mine reads other times than the one before$"):
        by_equations(one, Library(np, sigmoid, np.split))


def test_open_function_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^mine cannot be measured: it leaves phi open; choose a function, such as tanh$"):
        drawn("mine", cell=symrnn.cell("rnn", activation="phi"))


def test_strange_sizes_are_refused() -> None:
    x, h = symrnn.series("x", "N"), symrnn.series("h", "H")
    cell = symrnn.Cell("c", [(h[symrnn.t], symrnn.tanh(symrnn.parameter("W", "H", "H") @ h[symrnn.t - 1]
                                                       + symrnn.parameter("U", "H", "N") @ x[symrnn.t]))], inputs=[x])
    with pytest.raises(SpecError, match=r"^mine cannot be measured: a cell has one input, of size D, and states of size H; got N$"):
        drawn("mine", cell=cell)


def wrong(change: Any) -> Any:
    """A competitor whose result is changed."""
    class Module:
        @staticmethod
        def prepare(one: Case) -> Any:
            run, read = readable.prepare(one)
            return run, lambda result: change(*read(result))

    return Module


@pytest.mark.parametrize(("change", "message"), [
    (lambda loss, g: (loss * (1 + 1e-8), g), r"^naive, rnn, 2x3x4x5, float64: the loss is off by 1\.0e-08, and 1e-10 is allowed; no time is taken$"),
    (lambda loss, g: (loss, {**g, "W_hh": -g["W_hh"]}), r"^naive, rnn, 2x3x4x5, float64: W_hh is off by 2\.0e\+00, and 1e-10"),
    (lambda loss, g: (loss, {**g, "W_xh": g["W_xh"].T}), r"^naive, rnn, 2x3x4x5, float64: W_xh has the shape \(4, 5\), not \(5, 4\); no time"),
    (lambda loss, g: (loss, {**g, "b_h": g["b_h"] * np.nan}), r"^naive, rnn, 2x3x4x5, float64: b_h is off by nan"),
    (lambda loss, g: (loss, {n: a for n, a in g.items() if n != "b_y"}), r"^naive, rnn, 2x3x4x5, float64: b_y has the shape \(\), not \(4,\)"),
])
def test_wrong_competitor_is_refused(change: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "reference", lambda one: result_of(readable, one))
    monkeypatch.setattr(naive, "prepare", wrong(change).prepare)
    with pytest.raises(RefutedError, match=message):
        gradients.checked(drawn("rnn"), lambda record: None, {"against": ["naive"]})


def test_readable_is_the_reference_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    no_package(monkeypatch, "torch")
    one = drawn("lstm", "float32")
    loss, found = gradients.reference(one)
    assert loss == pytest.approx(result_of(readable, one)[0], rel=1e-5)
    assert found["W_f"].dtype == np.float64


def test_products_are_two_layouts() -> None:
    assert list(products.prepare(drawn("lstm"))) == ["products, rows", "products, columns"]
    with pytest.raises(NotSupportedError, match=r"^the products of gru are not counted$"):
        products.prepare(drawn("gru"))


def test_a_refusal_of_the_process_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the measuring process says is wrong ends the command, and nothing is printed."""
    monkeypatch.setitem(cli.MODULES, "measured", __name__)
    monkeypatch.setattr(sys.modules[__name__], "measured", refuses, raising=False)
    monkeypatch.setitem(cli.MODULES, "load_warning", __name__)
    monkeypatch.setattr(sys.modules[__name__], "load_warning", lambda: None, raising=False)
    assert refused(capsys, "rnn", "--against", "naive") == "symrnn: error: naive is off; no time is taken\n"


def refuses(*_: object) -> None:
    raise RefutedError("naive is off; no time is taken")


def test_a_file_that_exists_is_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ratios.md"
    path.write_text("kept", encoding="utf-8")
    assert refused(capsys, "rnn", "-o", str(path)) == f"symrnn: error: {path} exists; use --force to replace it, or choose another name\n"
    assert "no such folder" in refused(capsys, "rnn", "-o", str(tmp_path / "no" / "ratios.md"))


def test_a_process_that_dies_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text("import sys\nsys.exit('no memory is left')\n", encoding="utf-8")
    with pytest.raises(NotSupportedError, match=r"^the measuring process stopped: no memory is left$"):
        list(records("dies", 1, {}, tmp_path))


def test_a_process_that_refuses_is_one_line(tmp_path: Path) -> None:
    said = json.dumps({"error": "torch is off"})
    (tmp_path / "says.py").write_text(f"print({said!r})\n", encoding="utf-8")
    with pytest.raises(RefutedError, match=r"^torch is off$"):
        list(records("says", 1, {}, tmp_path))


def record(name: str, wall: float, **of: Any) -> dict[str, Any]:
    return {"size": "mid", "cell": "rnn", "dtype": "float64", "threads": 1, "name": name, "wall": wall, "cpu": 2 * wall, **of}


def test_tables() -> None:
    rows = [record("symrnn", 1.0), record("torch", 4.0), record("products, rows", 0.9), record("products, columns", 0.5),
            record("symrnn", 1.0, cell="gru"), record("readable", 2.0, cell="gru")]
    times = collected(rows, "wall")
    assert times["mid", "rnn", "float64", 1] == {"symrnn": 1.0, "torch": 4.0, "products": 0.5}
    assert means(times, 1).splitlines()[2:] == [
        "| torch.nn              | 0.25           |", "| symrnn, readable      | 0.50           |", "| matrix products alone | 2.00           |"]
    text = report("head", times, ["a note"])
    assert text.startswith("head\n\nOne thread, geometric means:\n\n")
    assert text.endswith("\n\n* a note")
    alone = report("head", collected(rows[:2], "cpu"))
    assert "means" not in alone
    assert "| mid  | rnn  | 2e+03            | 0.25     |" in alone
