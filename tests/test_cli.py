"""The command line: what it prints where, its exit status, and one line for each kind of bad input."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import symrnn
from symrnn import cli, parsing
from symrnn.errors import OutputError
from symrnn.functions import FUNCTION_NAMES
from symrnn.networks import LOSSES, READOUTS, TASKS
from symrnn.notation import PROFILES
from symrnn.output import write_whole
from symrnn.printing import FORMATS
from symrnn.tables import formula_text, parameter_count
from symrnn.verify.panel import JUDGES
from symrnn.verify.report import AGREES, REFUTED, UNDECIDED, Finding, JudgeReport

OWN = """
from symrnn import Cell, parameter, series, sigmoid, t, tanh
x, h, f = series("x", "D"), series("h", "H"), series("f", "H")
U, W, V = parameter("U", "H", "D"), parameter("W", "H", "H"), parameter("V", "H", "H")
CELL = Cell(
    "minimal",
    [(f[t], sigmoid(W @ h[t - 1] + U @ x[t])), (h[t], f[t] * h[t - 1] + (1 - f[t]) * tanh(V @ h[t - 1] + U @ x[t]))],
    inputs=[x],
)
NUMBER = 3
print("said while it was loaded")
"""

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my_cell.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def refused(capsys: Capture, *args: str) -> str:
    """Run a command that must fail: status 2, nothing on stdout, one line on stderr, which is returned."""
    assert cli.main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("symrnn: error: ")
    assert "internal error" not in lines[0]
    return lines[0].removeprefix("symrnn: error: ")


def shown(capsys: Capture, *args: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    assert cli.main(args) == 0
    return capsys.readouterr().out


def run(*args: str, **settings: object) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONIOENCODING": str(settings.get("encoding", "utf-8"))}
    return subprocess.run([sys.executable, "-m", "symrnn", *args], capture_output=True, env=env, check=False)


BAD = {
    "no command": ((), r"^no command; one of cells, .*check\b.*; see symrnn --help$"),
    "command": (("derve", "lstm"), r"^unknown command 'derve'; did you mean derive\b"),
    "top option": (("--versio",), r"^unknown option '--versio'; did you mean --version"),
    "no cell": (("derive",), r"^the following arguments are required: CELL; see symrnn derive --help$"),
    "cell": (("derive", "lstn"), r"^unknown cell 'lstn'; did you mean lstm\?"),
    "option": (("derive", "lstm", "--formt", "latex"), r"^unknown option '--formt'; did you mean --format"),
    "abbreviation": (("derive", "lstm", "--form=latex"), r"^unknown option '--form'; did you mean --format"),
    "short option": (("derive", "lstm", "-x"), r"^unexpected argument '-x'; see symrnn derive --help$"),
    "value": (("derive", "lstm", "--task"), r"^argument --task: expected one argument; see symrnn derive --help$"),
    "superfluous": (("derive", "lstm", "gru"), r"^unexpected argument 'gru'; see symrnn derive --help$"),
    "notation": (("derive", "lstm", "--notation", "note-000"), r"^unknown notation 'note-000'; did you mean notes-000 or"),
    "format": (("derive", "lstm", "--format", "latx"), r"^unknown format 'latx'; did you mean latex\?$"),
    "task": (("derive", "lstm", "--task", "many-to-on"), r"^unknown task 'many-to-on'; did you mean many-to-one"),
    "loss": (("derive", "lstm", "--loss", "cross"), r"^unknown loss 'cross'; "),
    "readout": (("derive", "lstm", "--readout", "softmx"), r"^unknown readout 'softmx'; did you mean softmax\?$"),
    "ends": (("derive", "lstm", "--readout", "linear", "--loss", "cross-entropy"), r"^cross-entropy needs a softmax readout"),
    "parameter": (("derive", "lstm", "--wrt", "W_g"), r"^unknown quantity 'W_g'; did you mean W_"),
    "target": (("derive", "lstm", "--wrt", "y"), r"^no gradient is taken in y, a target; choose one of "),
    "activation": (("derive", "rnn", "--activation", "tahn"), r"^unknown activation 'tahn'; did you mean tanh\?$"),
    "no such option": (("derive", "lstm", "--activation", "relu"), r"^cell 'lstm' has no option --activation; it takes --bias$"),
    "update gate": (("derive", "gru", "--update-gate", "odl"), r"^unknown update gate direction 'odl'; did you mean old\?$"),
    "over time": (("derive", "rnn", "--over-time", "men"), r"^unknown over_time 'men'; did you mean mean\?$"),
    "feed": (("derive", "rnn", "--task", "one-to-many", "--feed", "outputs"), r"^unknown feed 'outputs'; did you mean output\?$"),
    "mask": (("derive", "rnn", "--task", "one-to-one", "--mask"), r"^a mask weights the losses of several times"),
    "size": (("derive", "rnn", "--size", "D"), r"^argument --size: a size is a letter and a positive number, such as D=1; got 'D'"),
    "size zero": (("derive", "rnn", "--size", "D=0"), r"^argument --size: .* got 'D=0'"),
    "size letter": (("derive", "rnn", "--size", "Q=2"), r"^unknown size 'Q'; known: D, H, K, T$"),
    "style": (("code", "rnn", "--style", "fats"), r"^unknown style 'fats'; "),
    "judge": (("check", "rnn", "--judge", "ball"), r"^unknown judge 'ball'; did you mean balls\?$"),
    "seed": (("check", "rnn", "--seed", "x"), r"^argument --seed: expected a whole number from 0 on; got 'x'; see symrnn"),
    "negative seed": (("check", "rnn", "--seed", "-1"), r"^argument --seed: expected a whole number from 0 on; got '-1'"),
    "long name": (("derive", "rnn", "-o", "a" * 300), r"^cannot write a+: file name too long$"),
    "no file": (("derive", "missing.py:CELL"), r"^no such file: missing\.py$"),
    "no name": (("derive", "my_cell.py"), r"^which cell of my_cell\.py\? write my_cell\.py:NAME"),
    "directory": (("derive", "rnn", "-o", "."), r"^cannot write .*: it is a directory; add the name of a file$"),
    "no directory": (("derive", "rnn", "-o", "no/such/file"), r"^cannot write no/such/file: no such file or directory$"),
}


@pytest.mark.parametrize(("args", "message"), BAD.values(), ids=list(BAD))
def test_bad_input(args: tuple[str, ...], message: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert re.search(message, refused(capsys, *args))
    assert list(tmp_path.iterdir()) == []


HEAD = 'from symrnn import Cell, parameter, series, t, tanh\nx, h, c = series("x", "D"), series("h", "H"), series("c", "H")\n' \
       'W, U = parameter("W", "H", "H"), parameter("U", "H", "D")\n'
BAD_FILES = {
    "syntax": ("x = (\n", r"^my\.py, line 1: "),
    "raises": (HEAD + "1 / 0\n", r"^my\.py, line 4: ZeroDivisionError: division by zero$"),
    "exits": (HEAD + "raise SystemExit(0)\n", r"^my\.py, line 4: SystemExit: 0$"),
    "not a cell": ("CELL = 3\n", r"^my\.py: CELL is of type int; expected a symrnn\.Cell$"),
    "no cell": ("A = 3\n", r"^my\.py defines no 'CELL' and no symrnn\.Cell at all; add CELL = symrnn\.Cell\(\.\.\.\)$"),
    "misspelt": (HEAD + 'CEL = Cell("c", [(h[t], tanh(W @ h[t - 1]))], inputs=[x])\n',
                 r"^unknown cell of my\.py 'CELL'; did you mean CEL\?$"),
    "shape": (HEAD + 'CELL = Cell("c", [(h[t], tanh(W @ x[t]))], inputs=[x])\n', r"^my\.py, line 4: .*H×H.*D×1"),
    "undefined": (HEAD + 'CELL = Cell("c", [(h[t], tanh(W @ c[t]))], inputs=[x])\n',
                  r"^my\.py, line 4: cell 'c': the equation for h reads c_t, which nobody defines; add an equation"),
    "twice": (HEAD + 'CELL = Cell("c", [(h[t], U @ x[t]), (h[t], W @ h[t - 1])], inputs=[x])\n',
              r"^my\.py, line 4: cell 'c': two equations for h; keep one of them$"),
    "never updated": (HEAD + 'CELL = Cell("c", [(h[t], W @ c[t - 1])], inputs=[x])\n',
                      r"^my\.py, line 4: cell 'c': the equation for h reads c_\{t-1\}, a state that is never updated"),
    "cycle": (HEAD + 'CELL = Cell("c", [(h[t], W @ c[t]), (c[t], W @ h[t])], inputs=[x])\n', r"a cycle within a time step: h → c"),
    "not utf-8": (b"# \xff\n", r"^my\.py"),
    "empty list": (HEAD + 'CELL = Cell("c", [], inputs=[x])\n', r"^my\.py, line 4: cell 'c' has no equations"),
}


@pytest.mark.parametrize(("source", "message"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_bad_file(source: str | bytes, message: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.py").write_bytes(source if isinstance(source, bytes) else source.encode())
    assert re.search(message, refused(capsys, "derive", "my.py:CELL"))


def test_own_cell_works_in_every_command(own: Path, capsys: Capture) -> None:
    where = f"{own}:CELL"
    assert cli.main(["derive", where, "--wrt", "V"]) == 0
    out, err = capsys.readouterr()
    assert "∂L/∂V" in out
    assert err == "said while it was loaded\n"
    assert "def " in shown(capsys, "code", where)
    assert "every judge agrees" in shown(capsys, "check", where)
    assert cli.main(["derive", f"{own}:NUMBER"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"symrnn: error: {own}: NUMBER is of type int; expected a symrnn.Cell; the file's cells: CELL"]
    assert refused(capsys, "derive", where, "--activation", "relu").startswith("--activation is an option of the published")
    assert not list(own.parent.glob("__pycache__"))


def test_cells(capsys: Capture) -> None:
    out = shown(capsys, "cells")
    for name in symrnn.CELLS:
        assert re.search(rf"^{name}: ", out, re.MULTILINE)
    for line in ("  parameters  W_hh, W_xh, b_h", "H (D + H + 1) numbers", "4 H (D + H + 1) numbers", "3 H (D + H) numbers",
                 "h_t = o_t ⊙ tanh(c_t)", "  states      c, h", "  source      Elman 1990"):
        assert line in out


@pytest.mark.parametrize("name", symrnn.CELLS)
def test_parameter_counts(name: str) -> None:
    """The printed formula, with numbers put in, counts the numbers of the arrays."""
    of = symrnn.cell(name)
    formula = formula_text(parameter_count(of)).replace("²", "**2").replace(") ", ")*").replace(" (", "*(")
    values = {"D": 3, "H": 5, "K": 7}
    formula = re.sub(r"(?<=\w) (?=[A-Z(])", "*", formula)
    sizes = [[eval(str(d), dict(values)) for d in p.shape] for p in of.parameters]
    assert eval(formula, dict(values)) == sum(rows * cols for rows, cols in sizes)


def test_derive_formats(capsys: Capture) -> None:
    assert r"\begin{align" in shown(capsys, "derive", "gru", "--task", "many-to-one", "--format", "latex")
    assert "$$" in shown(capsys, "derive", "rnn", "--format", "markdown")
    read = symrnn.from_json(shown(capsys, "derive", "rnn", "--format", "json"))
    assert read is not None
    assert "δ" not in shown(capsys, "derive", "rnn", "--format", "latex")


def test_wrt_and_steps(capsys: Capture) -> None:
    part = shown(capsys, "derive", "lstm", "--wrt", "W_f", "--steps")
    assert "∂L/∂W_f" in part
    assert "∂L/∂W_o" not in part
    assert len(part) > len(shown(capsys, "derive", "lstm", "--wrt", "W_f"))


def test_options_reach_the_network(capsys: Capture) -> None:
    assert "φ" in shown(capsys, "derive", "rnn", "--activation", "phi")
    assert "b_" not in shown(capsys, "derive", "lstm", "--no-bias")
    assert "b_r" in shown(capsys, "derive", "gru", "--bias")
    assert "1ᵀ" in shown(capsys, "derive", "rnn", "--no-assume")
    assert "H×" not in shown(capsys, "derive", "rnn", "--size", "H=1", "--size", "D=1")
    assert shown(capsys, "derive", "gru") != shown(capsys, "derive", "gru", "--update-gate", "new")
    assert "m_t" in shown(capsys, "derive", "rnn", "--mask", "--over-time", "mean", "--over-batch", "mean")


def test_size_may_be_the_length(capsys: Capture) -> None:
    for length in ("1", "2", "7"):
        assert "every judge agrees" in shown(capsys, "check", "rnn", "--size", f"T={length}", "--judge", "entrywise")


def test_help_names_what_the_tables_have() -> None:
    text = parsing.COMMANDS["derive"].parser().format_help() + parsing.COMMANDS["check"].parser().format_help() + parsing.overview()
    hidden = {"cos", "exp", "log"}  # wholes of the table that nobody uses as the function of an rnn
    for name in [*TASKS, *LOSSES, *READOUTS, *FORMATS, *PROFILES, *JUDGES, *(set(FUNCTION_NAMES) - hidden)]:
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", text), name


@pytest.mark.parametrize("command", parsing.COMMANDS)
def test_help_teaches(command: str, capsys: Capture) -> None:
    text = shown(capsys, command, "--help")
    assert f"usage: symrnn {command}" in text
    examples = text.partition("examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith(f"  symrnn {command}") for line in examples)
    assert text.isascii()


def test_examples_of_the_help_run(own: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.parent)
    for command in ("cells", "networks", "derive", "code", "params"):
        for line in shown(capsys, command, "--help").partition("examples:\n")[2].splitlines():
            assert cli.main(line.split()[1:]) == 0, line
    assert {p.name for p in own.parent.iterdir()} == {"my_cell.py", "my_cell.md", "lstm_bptt.py", "fast_lstm.py", "compiled_lstm.py", "my_bptt.py"}


def test_version_and_overview(capsys: Capture) -> None:
    assert shown(capsys, "--version") == f"symrnn {symrnn.__version__}\n"
    assert "symrnn check lstm" in shown(capsys, "--help")


def report(*verdicts: str) -> JudgeReport:
    findings = tuple(Finding(f"q{i}", v, "detail") for i, v in enumerate(verdicts))
    return JudgeReport("balls", "code", "agreement", "nothing", findings, 0.5)


@pytest.mark.parametrize(("reports", "status", "words"), [
    ([report(AGREES), report(AGREES, AGREES)], 0, "every judge agrees"),
    ([report(AGREES), report(UNDECIDED, AGREES)], 3, "not refuted, but not everything could be decided"),
    ([report()], 3, "not refuted, but not everything could be decided"),
    ([report(UNDECIDED, REFUTED)], 1, "rnn, many-to-many: refuted"),
])
def test_check_status(
    reports: list[JudgeReport], status: int, words: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cli.MODULES, "check", __name__)
    monkeypatch.setattr(sys.modules[__name__], "check", lambda *_, **__: reports, raising=False)
    assert cli.main(["check", "rnn"]) == status
    out = capsys.readouterr().out
    assert words in out
    assert ("refuted" in out.partition("judge")[2].partition("q1")[0]) is True
    assert cli.main(["check", "rnn", "--json"]) == status
    read = json.loads(capsys.readouterr().out)
    assert read["version"] == 1
    assert read["ok"] == (status == 0)
    assert read["refuted"] == (status == 1)


def test_check_runs_three_judges(capsys: Capture) -> None:
    out = shown(capsys, "check", "rnn", "--all")
    assert len(re.findall(r"^[a-z ]+ +[1-9]\d* +0 +0 +\d+\.\d\d$", out, re.MULTILINE)) == len(JUDGES)
    assert out.count("  means ") == out.count("  blind to ") == len(JUDGES)


def test_internal_error_is_one_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug\nin two lines")

    monkeypatch.setitem(cli.RUN, "derive", broken)
    assert cli.main(["derive", "lstm"]) == 2
    err = capsys.readouterr().err
    assert re.fullmatch(r"symrnn: error: internal error, KeyError: .*; run again with --debug and report what it shows\n", err)
    assert cli.main(["derive", "lstm", "--debug"]) == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):\n")


def test_debug_shows_the_traceback(capsys: Capture) -> None:
    assert cli.main(["derive", "lstn", "--debug"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("symrnn: error: unknown cell 'lstn'")


def test_interrupt(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.RUN, "derive", interrupted)
    assert cli.main(["derive", "lstm"]) == 130
    assert capsys.readouterr().err == "symrnn: error: interrupted\n"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("args", [["derive", "lstm", "--steps"], ["cells"], ["check", "rnn", "--judge", "entrywise", "--all"]], ids=" ".join)
def test_ascii_terminal(args: list[str]) -> None:
    done = run(*args, encoding="ascii")
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout.isascii()
    assert b"?" not in done.stdout


def test_message_on_ascii_terminal() -> None:
    done = run("derive", "lstmé", encoding="ascii")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"symrnn: error: unknown cell 'lstm\\xe9'; did you mean lstm")


def test_closed_pipe_ends_quietly() -> None:
    command = f'"{sys.executable}" -m symrnn derive lstm --steps | head -n 1; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_full_disk_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "symrnn", "derive", "rnn"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr == b"symrnn: error: cannot write to standard output: no space left on device\n"


def test_closed_output_is_one_line() -> None:
    done = subprocess.run(["bash", "-c", f'"{sys.executable}" -m symrnn derive rnn >&-'], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"symrnn: error: standard output is closed; use -o FILE\n")


def test_output_file(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "out.md"
    assert cli.main(["derive", "rnn", "-o", str(path)]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"symrnn: wrote {path}\n")
    text = path.read_text(encoding="utf-8")
    assert "∂L/∂W_hh" in text
    assert refused(capsys, "derive", "lstm", "-o", str(path)) == (
        f"{path} exists; use --force to replace it, or choose another name")
    assert path.read_text(encoding="utf-8") == text
    assert cli.main(["derive", "lstm", "-o", str(path), "--force"]) == 0
    assert "∂L/∂W_f" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["out.md"]


def test_file_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old", encoding="utf-8")

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError, match=r"^cannot write .*kept\.txt: no space left on device$"):
        write_whole(path, "new", force=True)
    monkeypatch.undo()
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_file_keeps_its_mode_and_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, "new", force=True)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_device_is_written_to_and_stays() -> None:
    write_whole(os.devnull, "gone")
    assert not Path(os.devnull).is_file()


def test_code_of_a_file_runs(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "lstm_bptt.py"
    assert cli.main(["code", "lstm", "--task", "many-to-many", "-o", str(path)]) == 0
    capsys.readouterr()
    namespace: dict[str, object] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    assert any(callable(value) for value in namespace.values())
