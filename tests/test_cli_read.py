"""``symrnn read``: what it prints, its exit status, and what it says where latexify-py is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from symrnn import cli
from symrnn.cells import cell
from symrnn.codegen.reading import forward_step
from symrnn.readings import package

Capture = pytest.CaptureFixture[str]
INSTALLED = package.has_latexify()
STEP = """\
raise RuntimeError("this file is read, not run")
def step(x_t, h_old, W_hh, W_xh, b_h):
    return np.tanh(W_hh @ h_old + W_xh @ x_t + b_h)

def wrong(x_t, h_old, W_hh, W_xh, b_h):
    return np.tanh(W_hh @ h_old + W_xh @ x_t)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my_step.py"
    path.write_text(STEP, encoding="utf-8")
    (tmp_path / "bad.toml").write_text('title = "bad"\n\n[letters]\nW_nobody = "R"\n', encoding="utf-8")
    return path


def ran(capsys: Capture, *args: str) -> tuple[int, str, str]:
    status = cli.main(["read", *args])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(("version", "message"), [
    ((3, 10), "latexify-py does not install on Python 3."),
    ((4, 0), "latexify-py is not installed; for the second reading, pip install 'symrnn[reading]'"),
])
def test_without_latexify(
    version: tuple[int, int], message: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "has_latexify", lambda: False)
    monkeypatch.setattr(package, "NEWEST", version)
    for args in (["rnn"], ["my_step.py:step", "--cell", "rnn", "--name", "h_old=h_prev"]):
        status, out, err = ran(capsys, *args)
        assert (status, out) == (2, "")
        assert err.startswith(f"symrnn: error: {message}")
        assert len(err.splitlines()) == 1
    assert ran(capsys, "rnn", "--source")[0] == 0


def test_source_is_the_forward_step(capsys: Capture) -> None:
    assert ran(capsys, "gru", "--source", "--bias", "--update-gate", "new") == (
        0, forward_step(cell("gru", bias=True, update_gate="new")).source, "")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(("args", "message"), [
    (["nothing"], "unknown cell 'nothing'; "),
    (["lstm-block"], "[a_t]_{1:H} has no form that latexify-py can read: it refuses slices such as a[0:H]; "),
    (["lstm", "--name", "h=h_prev"], "--name is about a function of your own; give --cell as well, the cell that it should be"),
    (["my_step.py:step", "--cell", "rnn", "--name", "h"], "argument --name: expected two names such as h_old=h_prev; got 'h'"),
    (["my_step.py:stop", "--cell", "rnn"], "unknown function of my_step.py 'stop'; did you mean step?"),
    (["no.py:step", "--cell", "rnn"], "cannot read no.py: No such file or directory"),
    (["step", "--cell", "rnn"], "'step' is not a function of a file; with --cell, write path.py:NAME"),
    (["lstm", "--activation", "relu"], "cell 'lstm' has no option --activation; it takes --bias"),
    (["rnn", "--notation", "mine"], "unknown notation 'mine'; "),
    (["rnn", "--notation", "bad.toml"], "bad.toml:4: unknown quantity 'W_nobody'; "),
])
def test_bad_input(args: list[str], message: str, capsys: Capture) -> None:
    status, out, err = ran(capsys, *args)
    assert (status, out) == (2, "")
    assert err.startswith(f"symrnn: error: {message}")
    assert len(err.splitlines()) == 1


if INSTALLED:

    def test_a_cell(capsys: Capture) -> None:
        assert ran(capsys, "rnn") == (0, "\n".join([
            "rnn, read by latexify-py: the same", "", "h: same",
            "  python  h_t = np.tanh(W_hh @ h_prev + W_xh @ x_t + b_h)",
            r"  ours    h_{t} = \tanh(W_{hh} h_{t-1} + W_{xh} x_{t} + b_{h})",
            r"  theirs  h_{t} = \tanh \mathopen{}\left( W_{hh} h_{t-1} + W_{xh} x_{t} + b_{h} \mathclose{}\right)", "",
        ]), "")
        status, out, _ = ran(capsys, "lstm", "--notation", "notes-000", "--no-bias")
        assert status == 0
        assert out.startswith("lstm, read by latexify-py: 6 equations, all the same\n")
        assert r"  ours    f^{(t)} = \sigma(W_{f} h^{(t-1)} + U_{f} x^{(t)})" in out

    def test_a_notation_of_ones_own(tmp_path: Path, capsys: Capture) -> None:
        path = tmp_path / "my.toml"
        path.write_text('title = "mine"\n\n[letters]\nW_hh = "R"\n', encoding="utf-8")
        status, out, err = ran(capsys, "rnn", "--notation", str(path))
        assert (status, err) == (0, "")
        assert r"  theirs  h_{t} = \tanh \mathopen{}\left( R h_{t-1} + W_{xh} x_{t} + b_{h} \mathclose{}\right)" in out

    @pytest.mark.usefixtures("own")
    def test_a_function_of_ones_own(capsys: Capture) -> None:
        status, out, err = ran(capsys, "my_step.py:step", "--cell", "rnn", "--name", "h_old=h_prev")
        assert (status, err) == (0, "")
        assert out.startswith("my_step.py:step, read by latexify-py: the same\n")
        status, out, err = ran(capsys, "my_step.py:wrong", "--cell", "rnn", "--name", "h_old=h_prev")
        assert (status, err) == (1, "")
        assert out.startswith("my_step.py:wrong, read by latexify-py: 1 of 1 differ\n")
        assert "\nh: ours has + b_{h} where theirs has nothing\n" in out
