"""``symrnn notation`` and ``--notation my.toml``: a start that works, and bad files refused with file, line and reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symrnn import cli
from symrnn.notation import PROFILES

Capture = pytest.CaptureFixture[str]


def ran(capsys: Capture, *args: str) -> tuple[int, str, str]:
    status = cli.main(args)
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_profiles_are_listed(capsys: Capture) -> None:
    status, out, err = ran(capsys, "notation")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(PROFILES)
    assert max(map(len, out.splitlines())) <= 120


def test_a_new_profile_works_as_it_is_and_with_every_comment_taken_off(capsys: Capture) -> None:
    assert ran(capsys, "notation", "--new", "my.toml") == (0, "", "symrnn: wrote my.toml\n")
    status, out, _ = ran(capsys, "derive", "rnn", "--notation", "my.toml")
    assert status == 0
    assert "∂L/∂W = Σ_{t=1}^T δa_t h_{t-1}ᵀ" in re.sub(" +", " ", out)
    text = Path("my.toml").read_text(encoding="utf-8")
    Path("all.toml").write_text(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE), encoding="utf-8")
    status, out, _ = ran(capsys, "derive", "gru", "--notation", "all.toml")
    assert status == 0
    assert "u_t     = σ(a_{z,t})" in out
    assert "J×D" in out


def test_a_profile_is_not_replaced_without_force(capsys: Capture) -> None:
    Path("my.toml").write_text("mine", encoding="utf-8")
    expected = "symrnn: error: my.toml exists; use --force to replace it, or choose another name\n"
    assert ran(capsys, "notation", "--new", "my.toml") == (2, "", expected)
    assert Path("my.toml").read_text(encoding="utf-8") == "mine"
    assert ran(capsys, "notation", "--new", "my.toml", "--force")[0] == 0
    assert Path("my.toml").read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(("args", "message"), [
    (("--new", "my.txt"), "a profile is a file whose name ends in .toml; got 'my.txt'; write --new my.txt.toml"),
    (("--force",), "--force goes with --new FILE; see symrnn notation --help"),
    (("gru",), "unexpected argument 'gru'; see symrnn notation --help"),
])
def test_bad_arguments(capsys: Capture, args: tuple[str, ...], message: str) -> None:
    assert ran(capsys, "notation", *args) == (2, "", f"symrnn: error: {message}\n")


BAD = {
    "an unknown key": ('title = "x"\ncolour = 1\n', "2: unknown key 'colour'; known: "),
    "a near key": ('title = "x"\nhadamrd = "⊙"\n', "2: unknown key 'hadamrd'; did you mean hadamard?"),
    "an unknown quantity": ('[letters]\nW_hh = "W"\nW_q = "Q"\n', "3: unknown quantity 'W_q'; did you mean W_"),
    "an unknown quantity of a cell": ('[letters]\nW_hh = "W"\n\n[cells."lstm*"]\nW_q = "Q"\n', "5: unknown quantity 'W_q'; "),
    "an unknown size": ('[symbols]\nJ = "H"\n', "2: unknown size or time 'J'; "),
    "an unknown function": ('[functions]\ntanhh = "tau"\n', "2: unknown function 'tanhh'; did you mean tanh?"),
    "two with one letter": (
        '[letters]\nW_hh = "W"\n# and\nW_xh = "W"\n',
        "4: W_xh and W_hh have the same letter 'W'; two quantities cannot look alike",
    ),
    "an open brace": (
        "[letters]\nW_hh = 'W'\nW_xh = '\\mathcal{W'\n",
        r"3: the letter '\mathcal{W' of W_xh: a brace opens and does not close",
    ),
    "two superscripts": ("[letters]\nW_hh = 'W^a^b'\n", "2: the letter 'W^a^b' of W_hh: a second ^ on one base"),
    "a letter in a cell": ("[cells.gru]\nW_z = '$W$'\n", "2: the letter '$W$' of W_z: a letter cannot hold '$'"),
    "no text": ("[letters]\nW_hh = 3\n", "2: the letter of W_hh is a text or a list of texts; got 3"),
    "no alternatives": ("[letters]\nW_hh = []\n", "2: the letter of W_hh is a text or a list of texts; got []"),
    "a choice": ('\ntime = "h(t)"\n', "2: unknown time 'h(t)'; one of h_t, h^(t), h^t"),
    "a form": ('form = "row"\n', "1: unknown form 'row'; one of columns, rows"),
    "a sign": ('hadamard = "x"\n', "1: hadamard is one of ⊙ ∗ ∘ * ⋆ or a pair of LaTeX and a sign"),
    "no table": ("letters = 1\n", "1: letters is a table: [letters] in a line of its own, then a line for each entry"),
    "no table of a cell": ("[cells]\ngru = 1\n", "2: cells holds one table a cell, such as [cells.gru]; gru is none"),
    "no TOML": ('title = "x"\n\nW = \n', "3: this is not TOML: invalid value"),
    "an end": ('title = "x"\nhadamard = ["a",', "2: this is not TOML: "),
    "a key twice": ('title = "x"\ntitle = "y"\n', "2: this is not TOML: cannot overwrite a value"),
    "a title in two lines": ('title = """\nx\ny"""\n', "1: title is a text in one line; got "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_file_line_and_reason(capsys: Capture, name: str) -> None:
    text, message = BAD[name]
    Path("my.toml").write_text(text, encoding="utf-8")
    status, out, err = ran(capsys, "derive", "gru", "--notation", "my.toml")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"symrnn: error: my.toml:{message}"), err


def test_a_file_that_is_no_text(capsys: Capture) -> None:
    Path("my.toml").write_bytes(b'title = "x"\n# \xff\n')
    assert ran(capsys, "derive", "rnn", "--notation", "my.toml") == (
        2, "", "symrnn: error: my.toml:2: this is not UTF-8; save the file as UTF-8\n")


def test_a_file_that_cannot_be_read(capsys: Capture) -> None:
    Path("folder.toml").mkdir()
    assert ran(capsys, "derive", "rnn", "--notation", "no.toml") == (
        2, "", "symrnn: error: no such file: no.toml; `symrnn notation --new no.toml` writes a start\n")
    assert ran(capsys, "derive", "rnn", "--notation", "folder.toml") == (
        2, "", "symrnn: error: cannot read folder.toml: is a directory\n")


def test_a_file_may_name_quantities_of_other_cells_and_of_ones_own(capsys: Capture) -> None:
    Path("my.toml").write_text('[letters]\nW_hh = "W"\np_i = "P"\nb_z = "b_u"\n', encoding="utf-8")
    assert ran(capsys, "derive", "gru", "--notation", "my.toml")[0] == 0
    assert "b_u" in ran(capsys, "derive", "gru", "--bias", "--notation", "my.toml")[1]


def test_a_letter_that_is_taken_is_said_in_the_conventions(capsys: Capture) -> None:
    Path("my.toml").write_text('[letters]\nh = "y"\n', encoding="utf-8")
    out = ran(capsys, "derive", "rnn", "--notation", "my.toml")[1]
    assert "h_t here is the y_t of my: in this network, y_t is a target." in out
