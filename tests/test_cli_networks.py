"""Networks on the command line: what a user types, what reaches the network, and one line for each mistake."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli import OWN, refused, shown

from symrnn import Span, cli, dim
from symrnn.cli import main
from symrnn.errors import SpecError
from symrnn.loading.times import read_times
from symrnn.networks import NETWORKS
from symrnn.networks.plan import CHOICES
from symrnn.networks.truncation import FORMS
from symrnn.parsing import COMMANDS

T = dim("T")
Capture = pytest.CaptureFixture[str]

WORKS = [
    "lstm --network stacked --layers 2 --task many-to-one",
    "gru --network bidirectional --task many-to-many",
    "lstm --network encoder-decoder --attention additive",
    "rnn --task many-to-many --truncate 5",
    "rnn --truncate J",
    "rnn --truncate 2 --truncate-form lag",
    "gru,lstm --network stacked --residual --dropout same",
    "rnn,lstm,gru --network stacked --no-bias --size H=3 --size T=5",
    "rnn --network bidirectional --merge sum --layers 2 --dropout same",
    "gru --network encoder-decoder --feed output --source-mask --mask --over-time mean",
    "rnn --network captioning --image state",
    "gru-reset-after --network captioning --attention additive --feed output",
    "rnn --network language-model --task many-to-one",
    "rnn --embed --dropout each",
    "rnn --times 1,3,T --clip 5",
    "gru,lstm --network stacked --layer-norm --no-bias",
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("args", WORKS)
def test_what_a_user_types_is_derived_and_becomes_code(args: str, capsys: Capture) -> None:
    assert "∂L/∂" in shown(capsys, "derive", *args.split())
    compile(shown(capsys, "code", *args.split()), "code", "exec")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("args", [
    "lstm --network stacked --size D=2 --size H=2", "rnn --network bidirectional --times 2..T", "rnn --truncate 2",
    "gru --network encoder-decoder --attention dot --source-mask --size H=2 --size D=2 --size S=3", "rnn --clip 5 --truncate J", "rnn --layer-norm",
])
def test_the_judges_agree(args: str, capsys: Capture) -> None:
    assert "every judge agrees" in shown(capsys, "check", *args.split())


def test_options_reach_the_network(capsys: Capture) -> None:
    def derived(args: str) -> str:
        return shown(capsys, "derive", *args.split())

    assert "sg" in derived("rnn --truncate 5")
    assert derived("rnn --truncate 5") != derived("rnn --truncate 5 --truncate-form lag")
    assert "φ" not in derived("gru,rnn --network stacked")
    assert "φ" in derived("gru,rnn --network stacked --activation phi")
    assert "b_" not in derived("gru,lstm --network stacked --no-bias")
    assert "The lines hold for T ≥ 2." in derived("rnn --times 2..T")
    assert derived("rnn --network stacked --layers 2") == derived("rnn --network stacked")
    assert derived("rnn --clip 5") != derived("rnn")
    assert "α" in derived("rnn --network encoder-decoder --attention dot")
    assert shown(capsys, "export", *["rnn", "--network", "stacked", "--what", "dW_hh_l1"])


def test_a_cell_of_ones_own_is_a_layer(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "my_cell.py"
    path.write_text(OWN, encoding="utf-8")
    where = f"{path}:CELL,lstm"
    assert "∂L/∂" in shown(capsys, "derive", where, "--network", "stacked")
    assert "∂L/∂" in shown(capsys, "derive", where, "--network", "stacked", "--layer-norm")
    assert refused(capsys, "derive", where, "--network", "stacked", "--beta", "1").startswith("no cell of ")
    assert main(["derive", f"{path}:CEL,lstm", "--network", "stacked"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("symrnn: error: unknown cell of ")


BAD = {
    "network": ("rnn --network stackd", r"^unknown network 'stackd'; did you mean stacked\?; symrnn networks lists them$"),
    "layers 0": ("rnn --network stacked --layers 0", r"^argument --layers: expected a whole number from 1 on; got '0'; see"),
    "layers x": ("rnn --network stacked --layers x", r"^argument --layers: expected a whole number from 1 on; got 'x'; see"),
    "layers of one": ("rnn --layers 2", r"^network 'single' has no option --layers, which is for stacked and .*; it takes --task,"),
    "cells of one": ("gru,lstm", r"^2 cells are 2 layers, and the network 'single' has one; choose --network stacked or "),
    "cells and layers": ("gru,lstm --network stacked --layers 3", r"^2 cells for 3 layers; give one for all, or one for each$"),
    "no second cell": ("gru, --network stacked", r"^'gru,' names one cell for each layer, .* such as gru,lstm; one is missing$"),
    "second cell": ("gru,lstn --network stacked", r"^unknown cell 'lstn'; did you mean lstm\?; your own cell is path\.py:NAME$"),
    "option of no cell": ("rnn,lstm --network stacked --beta 1", r"^no cell of rnn,lstm has an option --beta; leave it out$"),
    "attention on stacked": ("rnn --network stacked --attention dot",
                             r"^network 'stacked' has no option --attention, which is for encoder-decoder and captioning; it takes"),
    "attention": ("rnn --network encoder-decoder --attention dott", r"^unknown attention 'dott'; did you mean dot\?$"),
    "task of a decoder": ("rnn --network encoder-decoder --task many-to-one", r"^network 'encoder-decoder' has no option --task"),
    "merge": ("rnn --network bidirectional --merge add", r"^unknown merge 'add'; known: concat, sum$"),
    "image": ("rnn --network captioning --image middle", r"^unknown image 'middle'; known: every, first, state$"),
    "image and attention": ("rnn --network captioning --image state --attention dot", r"^attention reads the image's locations"),
    "dropout": ("rnn --dropout often", r"^unknown dropout 'often'; known: each, same$"),
    "embed twice": ("rnn --network language-model --embed", r"^network 'language-model' has no option --embed, which is for "),
    "tied": ("rnn --tied", r"^tied: the readout's weight is the embedding's table; .*; add embed$"),
    "feed": ("rnn --feed output", r"^feed says what is read after the first time in one-to-many; .*; leave feed out$"),
    "feed of a decoder": ("rnn --network captioning --feed nothing", r"^a decoder reads the word before: choose feed teacher"),
    "truncate 0": ("rnn --truncate 0", r"^the window must be a positive whole number or a letter such as J; got 0$"),
    "truncate -3": ("rnn --truncate -3", r"^argument --truncate: expected a whole number of steps such as 5, or a letter"),
    "truncate K": ("rnn --truncate K", r"^the window K is a size of the network 'rnn, many-to-many'; give it a letter of its own"),
    "truncate word": ("rnn --truncate five", r"^argument --truncate: expected .*; got 'five'; see symrnn derive --help$"),
    "lag letter": ("rnn --truncate J --truncate-form lag", r"^a lag must be a positive whole number, .*; got J$"),
    "form": ("rnn --truncate 5 --truncate-form lagg", r"^unknown form 'lagg'; did you mean lag\?$"),
    "form alone": ("rnn --truncate-form lag", r"^--truncate-form says how --truncate works; give --truncate as well"),
    "clip 0": ("rnn --clip 0", r"^argument --clip: expected a positive number such as 5 or 0\.5; got '0'; see symrnn derive --help$"),
    "clip nan": ("rnn --clip nan", r"^argument --clip: expected a positive number such as 5 or 0\.5; got 'nan'"),
    "times before": ("rnn --times 0..T", r"^readout 'y_hat': loss at times 0…T, but what it reads is there at 1…T$"),
    "times after": ("rnn --times T+1", r"^readout 'y_hat': loss at times T \+ 1, but what it reads is there at 1…T$"),
    "times letter": ("rnn --times S", r"^readout 'y_hat': loss at times S, but what it reads is there at 1…T$"),
    "times twice": ("rnn --times 1..2,2..T", r"^readout 'y_hat': the times 1…2 and 2…T overlap; name each time once$"),
    "size twice": ("rnn --size H=2 --size H=3", r"^argument --size: H is given twice, H=2 and H=3; keep one of them; see"),
}


@pytest.mark.parametrize(("args", "message"), BAD.values(), ids=list(BAD))
def test_bad_input(args: str, message: str, capsys: Capture) -> None:
    assert re.search(message, refused(capsys, "derive", *args.split()))


@pytest.mark.parametrize(("text", "expected"), [
    ("T", (Span(T, T),)), ("2..T", (Span(2, T),)), ("1,3,T", (Span(1, 1), Span(3, 3), Span(T, T))),
    ("T-2..T", (Span(T - 2, T),)), ("1, 4..T-1", (Span(1, 1), Span(4, T - 1))), ("last", "last"), ("all", "all"),
])
def test_times_are_read(text: str, expected: object) -> None:
    assert read_times(text) == expected


@pytest.mark.parametrize(("text", "message"), [
    ("3..2", r"^--times 3\.\.2: the range 3\.\.2 ends before it begins; write it the other way round$"),
    ("T..2", r"^--times T\.\.2: the range T\.\.2 ends before it begins"),
    ("2...T", r"^--times 2\.\.\.T: '\.T' is no time; write times such as 1,3,T-1, ranges such as 2\.\.T, or all, last, first$"),
    ("", r"^--times : '' is no time"), ("1,,2", r"^--times 1,,2: '' is no time"), ("2T", r"^--times 2T: '2T' is no time"),
    ("lst", r"^--times lst: 'lst' is no time"), ("²", r"^--times ²: '²' is no time"),
])
def test_what_is_no_time_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_times(text)


def test_networks_are_listed_with_what_they_take(capsys: Capture) -> None:
    out = shown(capsys, "networks")
    for name, of in NETWORKS.items():
        assert f"{name}: {of.sketch}" in out
        for option in of.options:
            assert "--" + option.replace("_", "-") in out.partition(f"\n{name}: ")[2].partition("\n\n")[0] + out.partition("\n\n")[0]
    assert max(map(len, out.splitlines())) <= 110


def test_networks_on_an_ascii_terminal() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "symrnn", "networks"], capture_output=True, env=env, check=True)
    assert done.stdout.isascii()
    assert b"x_t -> layer -> " in done.stdout
    assert b"?" not in done.stdout


def test_help_names_what_the_tables_have() -> None:
    text = COMMANDS["derive"].parser().format_help()
    for name in (*NETWORKS, *FORMS, *(choice for known in CHOICES.values() for choice in known)):
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", text), name
    for of in NETWORKS.values():
        for option in of.options:
            assert "--" + option.replace("_", "-") in text


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_what_takes_long_shows_a_line_on_a_terminal(
    terminal: bool, seconds: float, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(options: argparse.Namespace, screen: object) -> tuple[str, int]:
        time.sleep(seconds)
        return f"{options.cell}\n", 0

    monkeypatch.setitem(cli.RUN, "derive", slow)
    monkeypatch.setattr(cli, "PATIENCE", 0.1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main(["derive", "rnn"]) == 0
    out, err = capsys.readouterr()
    assert out == "rnn\n"
    clear = "\r\x1b[K"
    assert err == ("" if not terminal else clear if not seconds else f"{clear}derive ...{clear}")


def test_the_line_goes_when_a_command_fails(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["derive", "rnn", "--network", "stackd"]) == 2
    assert capsys.readouterr().err.startswith("\r\x1b[Ksymrnn: error: unknown network")


OWN_NETWORK = """
import symrnn
from symrnn import Input, Layer, Readout, wire

print("loaded")
NET = wire(
    Input("x"), Layer("lower", symrnn.cell("rnn")), Layer("upper", symrnn.cell("gru"), reads="lower"), Readout(reads="upper"),
    name="two of my own",
)
"""


@pytest.fixture
def own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_net.py").write_text(OWN_NETWORK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "my_net.py:NET"


@pytest.mark.parametrize("command", ["derive", "code", "check", "params", "export"])
def test_a_network_of_a_file_works_in_every_command(command: str, own_network: str, capsys: Capture) -> None:
    assert main([command, own_network]) == 0
    out, err = capsys.readouterr()
    assert out
    assert err == "loaded\n"


@pytest.mark.parametrize(("args", "expected"), [
    (["--layers", "2"], r"^symrnn: error: --layers is for networks by name; my_net\.py:NET has its own wiring$"),
    (["--network", "stacked"], r"^symrnn: error: --network is for networks by name; my_net\.py:NET has its own wiring$"),
    (["--activation", "relu"], r"^symrnn: error: --activation is an option of the published cells; my_net\.py:NET has its own"),
])
def test_a_network_of_a_file_has_its_own_wiring(args: list[str], expected: str, own_network: str, capsys: Capture) -> None:
    assert main(["derive", own_network, *args]) == 2
    assert re.search(expected, capsys.readouterr().err.splitlines()[-1])
