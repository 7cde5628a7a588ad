"""The command ``flow``: what it prints, draws and refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from symrnn import cell, gradient_flow, read_sweep
from symrnn.cli import main
from symrnn.commands.flow import bar, duration
from symrnn.flow.texts import lags_shown, middle, power
from symrnn.flow.weights import INITS
from symrnn.parsing import COMMANDS
from symrnn.sweeps import NAMES

SMALL = ("--steps", "12", "--hidden", "5")
STARTS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def shown(capsys, *args):
    status = main(["flow", *args])
    out, err = capsys.readouterr()
    assert status == 0, err
    return out


def refused(capsys, *args):
    assert main(["flow", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("symrnn: error: ").rstrip("\n")


def test_the_table_has_what_was_measured(capsys):
    out = shown(capsys, "lstm", *SMALL, "--forget-bias", "1")
    flow = gradient_flow(cell("lstm"), steps=12, hidden=5, forget_bias=1.0)
    assert out.startswith("lstm, forget bias 1: H = 5, T = 12, s_t = (h_t, c_t)\n  lag j  ‖∂s_T/∂s_{T-j}‖")
    rows = re.findall(r"^ +(\d+) +(\S+) +(\S+) +(\S+) +(\S+)$", out, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [0, 1, 2, 5, 10, 12]
    for row in rows:
        for text, values in zip(row[1:], (flow.spectral, flow.bound, flow.direct, flow.delta), strict=True):
            assert float(text) == pytest.approx(10 ** values[int(row[0])], rel=6e-3)
    assert "\n  memory    " in out
    assert f"\n  Lyapunov  {flow.lyapunov[0]:.3g} a step, the largest of 10\n" in out
    assert "\n  bound     ‖∂s_t/∂s_k‖ ≤ β_t β_(t-1) ⋯ β_(k+1)" in out
    assert "No condition." in out


def test_json_has_every_number(capsys):
    read = json.loads(shown(capsys, "rnn", "gru", *SMALL, "--json"))
    assert read["version"] == 1
    rnn, gru = read["flows"]
    flow = gradient_flow(cell("rnn"), steps=12, hidden=5)
    assert rnn["log10"]["spectral"] == flow.spectral.tolist()
    assert rnn["sigma_max"] == flow.sigma_max
    assert "direct" not in rnn["log10"]
    assert set(gru["gates"]) == {"r", "z"}
    assert rnn["zero_from"] is None


def test_a_norm_of_zero_is_0_in_the_table(capsys):
    out = shown(capsys, "rnn", *SMALL, "--radius", "0")
    assert re.search(r"^ +1 +0 +0 +0$", out, re.MULTILINE)
    assert "memory    1 steps" in out
    assert json.loads(shown(capsys, "rnn", *SMALL, "--radius", "0", "--json"))["flows"][0]["zero_from"] == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("args", "ending"), [
    (("rnn", "lstm"), "svg"), (("rnn", "gru", "--side-by-side"), "pdf"), (("lstm", "--heat"), "png"), (("gru", "--gates"), "pdf"),
    (("gru", "--singular-values"), "svg"),
])
def test_pictures(capsys, tmp_path, args, ending):
    path = tmp_path / f"flow.{ending}"
    assert main(["flow", *args, *SMALL, "--plot", str(path), "--title", "flow in a lecture"]) == 0
    assert capsys.readouterr().err == f"symrnn: wrote {path}\n"
    assert path.read_bytes().startswith(STARTS[ending])


@pytest.mark.full
def test_remedies(capsys, tmp_path):
    out = shown(capsys, "--remedies", *SMALL, "--plot", "remedies.svg")
    assert out.count("  note      ") >= 8
    assert (tmp_path / "remedies.svg").exists()


def test_training(capsys, tmp_path):
    out = shown(capsys, "rnn", "--steps", "5", "--hidden", "4", "--training", "5", "--plot", "training.svg")
    assert out.count("  loss  ") == 2
    assert (tmp_path / "training.svg").exists()


def test_layers_and_directions(capsys):
    out = shown(capsys, "gru,lstm", "--network", "stacked", *SMALL, "--layer", "1")
    assert "H = 5, T = 12" in out
    assert "s_t" in shown(capsys, "rnn", "--network", "bidirectional", *SMALL, "--layer", "bw")


def test_trained_weights_and_data(capsys, tmp_path):
    rng = np.random.default_rng(1)
    ours = {"W_hh": rng.normal(size=(4, 4)), "W_xh": rng.normal(size=(4, 3)), "b_h": rng.normal(size=4)}
    np.savez("ours.npz", **ours)
    np.savez("theirs.npz", weight_hh_l0=ours["W_hh"], weight_ih_l0=ours["W_xh"], bias_hh_l0=ours["b_h"], bias_ih_l0=np.zeros(4))
    np.savez("data.npz", x=rng.normal(size=(2, 9, 3)))
    one = json.loads(shown(capsys, "rnn", "--params", "ours.npz", "--data", "data.npz", "--json"))["flows"][0]
    two = json.loads(shown(capsys, "rnn", "--params", "theirs.npz", "--layout", "pytorch", "--data", "data.npz", "--json"))["flows"][0]
    assert (one["steps"], one["hidden"]) == (9, 4)
    np.testing.assert_allclose(one["log10"]["spectral"], two["log10"]["spectral"], atol=1e-9)


def test_sweep_is_a_table_a_file_and_a_picture(capsys, tmp_path):
    args = ("rnn", *SMALL, "--sweep", "radius=0.3:1.2:4", "--repeat", "3", "--csv", "sweep.csv", "--plot", "phase.png")
    out = shown(capsys, *args)
    rows = read_sweep(tmp_path / "sweep.csv")
    assert len(rows) == 12
    assert re.findall(r"^ +rnn +(\S+) +3 ", out, re.MULTILINE) == ["0.3", "0.6", "0.9", "1.2"]
    growth = re.findall(r"^ +rnn +0\.9 +3 +\S+ +(\S+)", out, re.MULTILINE)
    assert float(growth[0]) == pytest.approx(middle([row["growth"] for row in rows if row["radius"] == 0.9]), rel=6e-3)
    assert (tmp_path / "phase.png").read_bytes().startswith(STARTS["png"])
    assert refused(capsys, *args) == "phase.png exists; use --force to replace it, or choose another name"
    assert refused(capsys, *args[:-2]) == "sweep.csv exists; use --resume to go on with it, --force to replace it, or choose another name"
    before = (tmp_path / "sweep.csv").read_bytes()
    assert shown(capsys, *args[:-2], "--resume") == out
    assert shown(capsys, *args[:-2], "--force", "--jobs", "2") == out
    assert (tmp_path / "sweep.csv").read_bytes() == before
    assert json.loads(shown(capsys, *args[:-2], "--resume", "--json"))["rows"][0]["radius"] == 0.3
    assert "is the table of another sweep: seed was 0, and is 3 now" in refused(capsys, *args[:-2], "--resume", "--seed", "3")


def test_sweep_over_two_names_and_cells(capsys):
    out = shown(capsys, "rnn", "gru", *SMALL, "--sweep", "radius=0.5,1", "--sweep", "gain=0.5,2")
    assert len(re.findall(r"^ +(?:rnn|gru) ", out, re.MULTILINE)) == 8
    assert "forget bias" in shown(capsys, "lstm", *SMALL, "--sweep", "forget-bias=0,5")


@pytest.mark.parametrize(("args", "message"), [
    ((), "which cell? write symrnn flow rnn lstm, or symrnn flow --remedies; symrnn cells lists them"),
    (("rnm",), "unknown cell 'rnm'; did you mean rnn or ugrnn?; your own cell is path.py:NAME"),
    (("rnn", "--steps", "0"), "argument --steps: expected a whole number from 1 on; got '0'; see symrnn flow --help"),
    (("rnn", "--hidden", "-3"), "argument --hidden: expected a whole number from 1 on; got '-3'; see symrnn flow --help"),
    (("rnn", "--radius", "-1"), "argument --radius: expected a number from 0 on; got '-1'; see symrnn flow --help"),
    (("rnn", "--gain", "nan"), "argument --gain: expected a number such as 1 or 0.5; got 'nan'; see symrnn flow --help"),
    (("rnn", "--init", "gausian"), "unknown initialisation 'gausian'; did you mean gaussian?"),
    (("rnn", "--sweep", "radis=1,2"), "unknown name to sweep 'radis'; did you mean radius?"),
    (("rnn", "--sweep", "radius=1:2"), "'radius=1:2' is no range; write first:last:number with a number from 2 on, such as radius=0.5:1.5:21"),
    (("rnn", "--sweep", "radius=-1,2"), "radius must be at least 0; got -1"),
    (("rnn", "--sweep", "gain=1", "--sweep", "gain=2"), "--sweep gain is given twice; write all its values in one, such as gain=1,2,5"),
    (("rnn", "--sweep", "radius=1,2", "--radius", "1"), "radius is swept and set to 1.0 as well; leave one of them out"),
    (("rnn", "--repeat", "3"), "--repeat is about a sweep; give --sweep as well, such as --sweep radius=0.5:1.5:21"),
    (("rnn", "--resume"), "--resume is about a sweep; give --sweep as well, such as --sweep radius=0.5:1.5:21"),
    (("rnn", "--sweep", "gain=1,2", "--jobs", "0"), "argument --jobs: expected a whole number from 1 on; got '0'; see symrnn flow --help"),
    (("rnn", "--sweep", "gain=1,2", "--heat"), "the picture of a sweep is its phase diagram; leave out --heat"),
    (("rnn", "--heat"), "--heat is about a picture; give --plot FILE as well"),
    (("rnn", "--title", "a"), "--title is about a picture; give --plot FILE as well"),
    (("rnn", "--heat", "--gates", "--plot", "a.svg"), "--heat and --gates are two pictures; choose one of them"),
    (("rnn", "lstm", "--heat", "--plot", "a.svg"), "--heat draws one cell; got rnn lstm; choose one of them"),
    (("rnn", "--gates", "--plot", "a.svg"), "rnn has no gates to draw; use plot_decay, or a cell with gates such as lstm or gru"),
    (("rnn", "--plot", "a.gif"), "a picture is a file that ends in .svg, .png or .pdf; got '.gif' in 'a.gif'; rename it"),
    (("rnn", "--plot", "none/a.svg"), "cannot write none/a.svg: no such folder: none; make it first"),
    (("rnn", "--remedies"), "--remedies compares networks of its own; leave out rnn, or leave out --remedies"),
    (("--remedies", "--gain", "2"), "--remedies has weights of its own; leave out --gain"),
    (("rnn", "lstm", "--training", "5"), "--training shows one network before and after; got rnn lstm; choose one of them"),
    (("rnn", "--training", "5", "--data", "a.npz"), "--training draws its own weights and sequences; leave out --data"),
    (("rnn", "lstm", "--params", "a.npz"), "--params is for one cell, and not for sweeps or remedies; run symrnn flow for each of them"),
    (("rnn", "--layout", "pytorch"), "--layout says how the weights of a file lie; give --params FILE as well"),
    (("rnn", "--params", "none.npz"), "none.npz: no such file"),
])
def test_bad_input_is_one_line(capsys, tmp_path, args, message):
    assert refused(capsys, *args) == message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("make", "message"), [
    (lambda: np.savez("data.npz", x=np.zeros((1, 0, 5))), r"data\.npz: x is empty, shape \(1, 0, 5\); expected sequences with at least one step"),
    (lambda: np.savez("data.npz", x=np.full((1, 3, 5), np.nan)), r"data\.npz: x has NaN or infinity; expected finite numbers"),
    (lambda: open("data.npz", "w").close(), r"data\.npz: not a file of NumPy arrays \(it is empty\); write it with numpy\.savez"),
    (lambda: np.savez("data.npz", z=np.zeros((1, 3, 5)), x=np.zeros((1, 3, 5))), r"unknown given quantity 'z'.*"),
    (lambda: np.savez("data.npz", x=np.zeros(5)), r".*x.*shape.*"),
])
def test_bad_data_is_one_line(capsys, make, message):
    make()
    assert re.fullmatch(message, refused(capsys, "rnn", "--data", "data.npz"))


def test_weights_of_the_wrong_shape_are_one_line(capsys):
    np.savez("params.npz", W_hh=np.eye(4), W_xh=np.zeros((5, 3)))
    assert re.fullmatch(r".*W_xh.*shape.*|.*H.*", refused(capsys, "rnn", "--params", "params.npz"))


def test_help_names_what_the_tables_have():
    text = COMMANDS["flow"].parser().format_help()
    for name in (*INITS, *NAMES):
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", text), name


def test_without_matplotlib_it_is_one_line(tmp_path):
    code = ("import importlib.util, sys\nreal = importlib.util.find_spec\n"
            "importlib.util.find_spec = lambda name, *rest: None if name == 'matplotlib' else real(name, *rest)\n"
            "from symrnn.cli import main\nsys.exit(main(['flow', 'rnn', '--steps', '3', '--hidden', '2', '--plot', 'a.svg']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "symrnn: error: matplotlib is not installed; for pictures, pip install 'symrnn[plots]'\n")


def test_the_bar_of_a_sweep(monkeypatch):
    clock = iter([0.0, 0.05, 10.0, 20.0])
    monkeypatch.setattr("symrnn.commands.flow.time.monotonic", lambda: next(clock))
    lines = []
    progress = bar(lines.append)
    for done in (2, 3, 6, 12):
        progress(done, 12)
    assert lines == ["[" + "#" * 12 + "." * 12 + "] 6 of 12 points, 15 s left", "[" + "#" * 24 + "] 12 of 12 points, 0 s left"]


def test_the_bar_shows_on_a_terminal_only(capsys, monkeypatch):
    args = ["flow", "rnn", *SMALL, "--sweep", "gain=1,2"]
    assert main(args) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(args) == 0
    err = capsys.readouterr().err
    assert "] 2 of 2 points" in err
    assert err.endswith("\r\x1b[K")


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (150, "2 min"), (7200, "2.0 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "1"), (-2.0, "0.01"), (-19.145, "7.16e-20"), (400.3, "2.00e+400"), (float("-inf"), "0"), (float("nan"), ""), (-4.0000001, "1.00e-04"),
])
def test_logarithms_as_numbers(value, text):
    assert power(value) == text


def test_lags_of_the_table():
    assert lags_shown(1) == [0, 1]
    assert lags_shown(100) == [0, 1, 2, 5, 10, 20, 50, 100]
    assert lags_shown(7) == [0, 1, 2, 5, 7]


def test_a_forget_bias_is_for_the_cells_that_have_one(capsys):
    assert main(["flow", "rnn", "lstm", "mgu", *SMALL, "--forget-bias", "1"]) == 0
    out, err = capsys.readouterr()
    assert re.findall(r"^(.*): H = 5", out, re.MULTILINE) == ["rnn", "lstm, forget bias 1", "mgu, forget bias 1"]
    assert "rnn has no gate with a bias on its direct path: --forget-bias is left out there" in err
    assert "has no gate with a bias" in refused(capsys, "rnn", "rnn", *SMALL, "--forget-bias", "1")


def test_what_the_files_decide_is_no_option_besides(capsys):
    np.savez("p.npz", W_hh=np.eye(3), W_xh=np.eye(3, 2))
    np.savez("torch.npz", weight_ih_l0=np.eye(3, 2), weight_hh_l0=np.eye(3))
    np.savez("x.npz", x=np.zeros((4, 2)))
    files = ("--params", "p.npz", "--data", "x.npz")
    assert "rnn, given parameters: H = 3, T = 4" in shown(capsys, "rnn", *files, "--hidden", "3", "--steps", "4")
    assert "--steps 9: the file of --data has 4; leave out --steps" in refused(capsys, "rnn", *files, "--steps", "9")
    assert "--hidden 9: the file of --params has 3; leave out --hidden" in refused(capsys, "rnn", *files, "--hidden", "9")
    assert "radius is a rule for drawing W_hh" in refused(capsys, "rnn", *files, "--radius", "2")
    assert "torch.npz: weight_ih_l0 is a name of PyTorch; give layout pytorch as well" in refused(capsys, "rnn", "--params", "torch.npz")
