"""What stops a verdict is one clear line; user code cannot hang, crash, flood or change files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from handwritten_programs import FOLDER, source_of, verdict_on

from symrnn import cli
from symrnn.errors import DataError
from symrnn.verify.handwritten.process import verify_file

CODE = """\
import numpy as np
def forward(x, W):
    return np.tanh(x @ W), (x, W)
def backward(dy, cache):
    x, W = cache
    da = dy * (1 - np.tanh(x @ W) ** 2)
    return da @ W.T, x.T @ da
"""
ARGS = 'N = 3\nD = 4\nH = 5\nx = ["N", "D"]\nW = ["D", "H"]\n'


@pytest.fixture
def run(tmp_path: Path):
    def verify(old="", new="", args=ARGS, file="code.py", in_process=True, **options):
        assert old in CODE
        (tmp_path / "code.py").write_text(CODE.replace(old, new) if old else new or CODE, encoding="utf-8")
        (tmp_path / "args.toml").write_text(args, encoding="utf-8")
        options = {"forward": "forward", "backward": "backward"} | options
        return verify_file(str(tmp_path / file), args=str(tmp_path / "args.toml") if args else "", in_process=in_process, **options)
    return verify


def test_the_code_is_right(run) -> None:
    assert run().ok


@pytest.mark.parametrize(("old", "new", "args", "line"), [
    ("import numpy as np\n", "import numpy as np\ndef broken(:\n", ARGS, r"^code\.py has a syntax error in line 2: invalid syntax$"),
    ("def forward", "def forwards", ARGS, r"^unknown function in code\.py 'forward'; did you mean .*'?forwards"),
    ("def backward", "backward = 3\ndef back", ARGS, r"^unknown function in code\.py 'backward'; did you mean|^backward in code\.py is int; expected a function$"),
    ("return np.tanh(x @ W), (x, W)", "return np.tanh(x @ V), (x, W)", ARGS,
     r"^the forward forward raised NameError in line 3 of code\.py: name 'V' is not defined$"),
    ("da = dy *", "da = dy[:, :2] *", ARGS, r"^the backward backward raised ValueError in line 6 of code\.py: operands could not be broadcast"),
    ("import numpy as np\n", "import numpy as np\nimport no_such_module\n", ARGS, r"^code\.py raised ModuleNotFoundError in line 2 of code\.py: No module"),
    ("import numpy as np\n", "import numpy as np\nraise SystemExit(3)\n", ARGS, r"^code\.py raised SystemExit in line 2 of code\.py: 3$"),
    ("np.tanh(x @ W), (x", "np.tanh(x @ W + np.random.randn()), (x", ARGS,
     r"^the forward forward is random: two runs on the same numbers return another result 1; fix the seed inside it"),
    ("def backward(dy, cache):", "def backward(dy, cache, extra):", ARGS,
     r"^the backward backward has an argument 'dy' and nothing says what it gets; add to args\.toml: \[backward\] call = \"backward\(dy, cache, extra\)\""),
    ("return np.tanh(x @ W), (x, W)", "return None", ARGS, r"^the forward forward returned NoneType, with no float array or number to differentiate"),
    ("", "", 'N = 3\nx = ["N", "D"]\n', r"^nothing says what the argument W of the forward look like; add to args\.toml"),
    ("", "", ARGS + 'V = ["D"]\n', r"^unknown argument in args\.toml 'V'; "),
    ("", "", "N = [", r"^.*args\.toml is no TOML: "),
    ("", "", ARGS + "[backward]\ncal = 'x'\n", r"^unknown key in \[backward\] of .*args\.toml 'cal'; did you mean call\?$"),
    ("", "", ARGS + "[accept]\nclip = true\n", r"^unknown key in \[accept\] of .*args\.toml 'clip'; did you mean clipped\?$"),
    ("", "", ARGS + "b = [1.5]\n", r"^.*args\.toml: the shape of b is a list of letters and numbers such as .*; got \[1\.5\]$"),
    ("", "", ARGS + 'b = ["4 H"]\n', r"^a size is a number, a letter or a sum such as 4\*H or H\+D; got '4 H'$"),
    ("", "", ARGS + "loss = 3\n", r"^.*args\.toml: loss is 3; expected str$"),
])
def test_one_clear_line(run, old, new, args, line) -> None:
    with pytest.raises(DataError, match=line) as caught:
        run(old, new, args)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("old", "new", "name", "verdict", "detail"), [
    ("return da @ W.T, x.T @ da", "return da @ W.T", "result 1", "right", ""),
    ("return da @ W.T, x.T @ da", "dx = da @ W.T\n    dW = (x.T @ da).T\n    return dx, dW", "dW", "wrong", r"^it has shape \(5, 4\) instead of \(4, 5\)"),
    ("return da @ W.T, x.T @ da", "dx = da @ W.T\n    dW = None\n    return dx, dW, da.sum()", "dx", "right", ""),
    ("return da @ W.T, x.T @ da", "dx = da @ W.T\n    dW = x.T @ da * np.nan\n    return dx, dW", "dW", "not checked", r"^because it holds NaN"),
    ("return da @ W.T, x.T @ da", "dx = np.empty(x.shape)\n    dW = x.T @ da\n    return dx, dW", "dx", "not checked", r"^because it holds NaN"),
    ("return da @ W.T, x.T @ da", "dx = np.full(x.shape, 0.25) * np.linspace(0, 1, 4)\n    dW = x.T @ da\n    return dx, dW", "dx", "wrong", r"entries"),
    ("return da @ W.T, x.T @ da", "dx = np.random.rand(*x.shape)\n    dW = x.T @ da\n    return dx, dW", "dx", "not checked", r"^because it lost its precision"),
    ("    da = dy *", "    dy *= 2\n    da = dy / 2 *", "dy", "side effect", r"^the backward backward changes its argument dy in place"),
    ("    da = dy *", "    x *= 2\n    x /= 2\n    W[0, 0] += 0 * dy[0, 0]\n    da = dy *", "result 1", "right", ""),
    ("np.tanh(x @ W), (x, W)", "np.tanh(x @ W), (x.astype(np.float32), np.array(W, dtype=float))", "result 1", "right", ""),
    ("return da @ W.T, x.T @ da", "dx = da @ W.T\n    dW = x.T @ da\n    return dx, -dW", "result 2", "wrong", "every entry is -1 times what is right"),
])
def test_what_is_said_of_a_result(run, old, new, name, verdict, detail) -> None:
    report = run(old, new)
    found = {v.name: v for v in report.verdicts}
    assert found[name].verdict == verdict, str(report)
    assert re.search(detail, found[name].detail), found[name].detail
    assert report.status == {"right": report.status, "wrong": 1, "not checked": 3, "side effect": 0}[verdict]


@pytest.mark.parametrize(("new", "line"), [
    pytest.param(
        "import numpy as np\nwhile True: pass\n",
        r"^code\.py did not end within 8 s \(in: loading the file\); .*only_definitions = true in args\.toml$", marks=pytest.mark.full,
    ),
    ("import os\nos._exit(7)\n", r"^the code of code\.py ended its process with status 7 \(in: loading the file\); remove the exit$"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", r"^the process of code\.py crashed with SIGSEGV"),
    ("import os\nos.system('true')\n", r"^code\.py raised PermissionError in line 2 of code\.py: the code starts another program"),
    ("import ctypes\nctypes.string_at(0)\n", r"^the process of code\.py crashed with SIGSEGV"),
])
def test_user_code_is_contained(run, new, line) -> None:
    with pytest.raises(DataError, match=line):
        run("", new, in_process=False, seconds=8.0 if "while" in new else 30.0)


def test_a_loop_in_the_backward_names_it(run) -> None:
    with pytest.raises(DataError, match=r"^code\.py did not end within 6 s \(in: first call\); look for a loop without end, or raise --timeout$"):
        run("    da =", "    while True: pass\n    da =", in_process=False, seconds=6.0)


def test_memory_is_limited(run) -> None:
    with pytest.raises(DataError, match=r"^.*(MemoryError|more memory|Unable to allocate)"):
        run("import numpy as np\n", "import numpy as np\nbig = [0] * 10**10\n", in_process=False, megabytes=1500)


def test_print_floods_and_files(run, tmp_path: Path) -> None:
    kept = tmp_path / "mine.txt"
    kept.write_text("mine")
    report = run("    x, W = cache\n", f"    x, W = cache\n    print('x' * 10**6)\n    try:\n        open({str(kept)!r}, 'w').write('lost')\n"
                 "    except PermissionError:\n        pass\n", in_process=False)
    assert report.ok
    assert kept.read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["args.toml", "code.py", "mine.txt"]


@pytest.mark.parametrize(("old", "new", "status"), [
    ("", "", 0), ("da @ W.T, x.T", "da @ W.T, -x.T", 1), ("da @ W.T, x.T @ da", "np.random.rand(3, 4), x.T @ da", 3), ("1 - np", "1 - npp", 2)])
def test_exit_statuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, status: int) -> None:
    (tmp_path / "code.py").write_text(CODE.replace(old, new), encoding="utf-8")
    (tmp_path / "args.toml").write_text(ARGS, encoding="utf-8")
    words = ["verify", str(tmp_path / "code.py"), "--forward", "forward", "--backward", "backward", "--args", str(tmp_path / "args.toml"), "--in-process"]
    assert cli.main(words) == status
    shown, errors = capsys.readouterr()
    assert (shown == "") == (status == 2)
    assert errors.count("\n") == (status == 2)
    assert cli.main([*words, "--json"]) == status
    out = capsys.readouterr().out
    assert not out if status == 2 else json.loads(out)["status"] == status


def test_accept_makes_it_pass(tmp_path: Path) -> None:
    path, args = tmp_path / "class_rnn.py", tmp_path / "args.toml"
    path.write_text(source_of("class_rnn").replace("da.sum(axis=0)", "da.mean(axis=0)"), encoding="utf-8")
    text = (FOLDER / "class_rnn.toml").read_text(encoding="utf-8")
    args.write_text(text + "\n[accept]\nfactor = true\n", encoding="utf-8")
    report = verdict_on("class_rnn", path, args=args)
    assert report.status == 0
    assert {v.factor for v in report.verdicts if v.accepted} == {"1/N"}
    report.assert_ok()
    args.write_text(text + '\n[accept]\nfactor = ["dWx"]\n', encoding="utf-8")
    with pytest.raises(AssertionError, match=r"^class_rnn\.py: RNN: 4 right, 1 right up to a factor\n"):
        verdict_on("class_rnn", path, args=args).assert_ok()
