"""Numbers of parameters: formulas, conventions, tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sympy import expand

from symrnn import CELLS, Cell, Given, Network, Scan, SpecError, cell, dim, network, parameter_counts
from symrnn.cli import main
from symrnn.counts import CONVENTIONS
from symrnn.equations import Equation
from symrnn.expr import t
from symrnn.functions import parameter, series, sigmoid, tanh
from symrnn.networks import NETWORKS, architecture

A, D, H, K, M, S, T, V = (dim(letter) for letter in "ADHKMSTV")
SIZES = ("--input", "64", "--hidden", "128", "--output", "10")


def assert_equal(one, other):
    assert expand(one - other) == 0, (one, other)


@pytest.mark.parametrize(("name", "convention", "expected"), [
    ("lstm", "formulas", 4 * H * (D + H + 1)),
    ("lstm", "pytorch", 4 * H * (D + H + 2)),
    ("lstm", "keras", 4 * H * (D + H + 1)),
    ("gru", "formulas", 3 * H * (D + H)),
    ("gru", "keras", 3 * H * (D + H + 1)),
    ("gru-reset-after", "formulas", 3 * H * (D + H) + 4 * H),
    ("gru-reset-after", "pytorch", 3 * H * (D + H + 2)),
    ("gru-reset-after", "keras", 3 * H * (D + H + 2)),
    ("rnn-block", "pytorch", H * (D + H + 2)),
    ("lstm-peephole", "formulas", 4 * H * (D + H + 1) + 3 * H),
    ("lstm-peephole", "keras", 4 * H * (D + H + 1) + 3 * H),
    ("indrnn", "pytorch", H * D + 3 * H),
])
def test_cells_are_counted_as_published(name, convention, expected):
    assert_equal(parameter_counts(cell(name), convention=convention).total, expected)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_network_adds_its_readout_and_counts_the_cell_alike(name, convention):
    alone = parameter_counts(cell(name), convention=convention)
    wired = parameter_counts(network(cell(name)), convention=convention)
    assert_equal(wired.of("cell"), alone.total)
    assert_equal(wired.of("readout"), K * (H + 1))
    assert_equal(wired.total, alone.total + K * (H + 1))
    assert alone.of("readout") == 0


@pytest.mark.parametrize("name", CELLS)
def test_formulas_count_every_entry_once(name):
    net = network(cell(name))
    assert_equal(parameter_counts(net).total, sum(p.shape[0] * p.shape[1] for p in net.parameters))
    named = [p for block in parameter_counts(net).blocks for p in block.parameters]
    assert sorted(named) == sorted(p.name for p in net.parameters)


@pytest.mark.parametrize("name", CELLS)
def test_without_biases_the_conventions_are_one(name):
    own = parameter_counts(cell(name, bias=False)).total
    for convention in ("pytorch", "keras"):
        assert_equal(parameter_counts(cell(name), convention=convention, bias=False).total, own)


@pytest.mark.parametrize(("block", "gates"), [("lstm-block", "lstm"), ("rnn-block", "rnn")])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_blocks_count_as_their_gates(block, gates, convention):
    counts = [parameter_counts(cell(name), convention=convention).total for name in (block, gates)]
    assert_equal(*counts)


def test_one_set_a_time():
    counts = parameter_counts(cell("lstm"))
    assert_equal(counts.unshared(), 4 * T * H * (D + H + 1))
    assert_equal(counts.unshared(7), 28 * H * (D + H + 1))


def test_what_runs_once_is_not_repeated():
    """One set a time is one for each time at which an equation reads it: a last readout once, a source S times."""
    cells = 4 * H * (D + H + 1)
    assert_equal(parameter_counts(network(cell("lstm"), task="many-to-one")).unshared(), T * cells + K * (H + 1))
    assert_equal(parameter_counts(network(cell("lstm"), task="one-to-one")).unshared(), cells + K * (H + 1))
    decoder = architecture("encoder-decoder", cell("rnn"))
    assert_equal(parameter_counts(decoder).unshared(), (S + T) * H * (D + H + 1) + T * K * (H + 1))
    assert_equal(parameter_counts(decoder).unshared(7), (S + 7) * H * (D + H + 1) + 7 * K * (H + 1))


def test_a_table_is_counted_once_and_read_twice():
    tied = parameter_counts(architecture("language-model", cell("rnn").with_sizes({H: D}), tied=True))
    assert_equal(tied.of("embedding"), D * V)
    assert_equal(tied.of("readout"), V)
    assert_equal(tied.total, D * V + D * (2 * D + 1) + V)
    assert_equal(tied.unshared(), 2 * T * D * V + T * D * (2 * D + 1) + T * V)
    both = parameter_counts(architecture("encoder-decoder", cell("rnn"), embed=True, attention="additive"))
    assert_equal(both.of("embedding"), D * (M + V))
    assert_equal(both.of("attention"), A * (2 * H + 1))
    assert_equal(both.of("cell"), H * (D + H + 1) + H * (D + 2 * H + 1))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("of", ["lstm", "gru-reset-after", "rnn-block"])
def test_every_network_counts_every_entry_once(name, of):
    net = architecture(name, cell(of))
    counts = parameter_counts(net)
    assert_equal(counts.total, sum(p.shape[0] * p.shape[1] for p in net.parameters))
    assert sorted(p for block in counts.blocks for p in block.parameters) == sorted(p.name for p in net.parameters)
    assert_equal(counts.total, sum(counts.of(*part) for part in counts.parts))
    for convention in ("pytorch", "keras"):
        other = parameter_counts(net, convention=convention)
        for part, mark in counts.parts:
            assert part == "cell" or counts.of(part, mark) == other.of(part, mark)


def test_layers_of_different_cells_have_their_own_biases():
    """Keras: two bias vectors where the equations of that layer need two, one in the others."""
    keras = parameter_counts(architecture("stacked", (cell("gru-reset-after"), cell("lstm"))), convention="keras")
    assert keras.parts == (("cell", "l1"), ("cell", "l2"), ("readout", ""))
    assert_equal(keras.of("cell", "l1"), 3 * H * (D + H + 2))
    assert_equal(keras.of("cell", "l2"), 4 * H * (2 * H + 1))


def test_a_network_without_parts_is_counted_by_the_roles_of_its_equations():
    whole = network(cell("gru-reset-after"))
    bare = Network(whole.name, whole.givens, whole.blocks, whole.loss, cell=whole.cell)
    assert isinstance(bare.blocks[0], Scan)
    assert all(isinstance(given, Given) for given in bare.givens)
    for convention in CONVENTIONS:
        one, other = (parameter_counts(net, convention=convention) for net in (bare, whole))
        assert [(b.name, b.part, b.count, b.unshared) for b in one.blocks] == [(b.name, b.part, b.count, b.unshared) for b in other.blocks]


def test_networks_in_the_table_and_as_json(capsys):
    args = ["lstm", "gru,rnn", "--network", "stacked", *SIZES, "--steps", "20"]
    assert main(["params", *args]) == 0
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert "layer l1 lstm 4 H (D + H + 1) 98,816" in rows
    assert "f_l2 W_f_l2, U_f_l2, b_f_l2 H (2 H + 1) 32,896" in rows
    assert "layer l2 rnn H (2 H + 1) 32,896" in rows
    assert main(["params", *args, "--json"]) == 0
    read = json.loads(capsys.readouterr().out)["cells"][0]["conventions"]["formulas"]["parts"]
    assert [(p["part"], p["mark"], p["number"]) for p in read] == [("cell", "l1", 98816), ("cell", "l2", 131584), ("readout", "", 1290)]
    assert main(["params", "gru", "--network", "language-model", "--size", "V=100", "--hidden", "8"]) == 0
    assert "V = 100 of the vocabulary" in capsys.readouterr().out


def test_blocks_are_named_by_what_they_serve():
    names = [(b.name, b.part) for b in parameter_counts(network(cell("gru-reset-after"))).blocks]
    assert names == [("r", "cell"), ("z", "cell"), ("n", "cell"), ("y_hat", "readout")]


def test_bad_input():
    with pytest.raises(SpecError, match=r"^unknown convention 'keres'; did you mean keras\?$"):
        parameter_counts(cell("rnn"), convention="keres")
    with pytest.raises(SpecError, match=r"^parameters are counted of a Cell or a Network; got str$"):
        parameter_counts("lstm")
    with pytest.raises(SpecError, match=r"^bias is True or False; got 'no'$"):
        parameter_counts(cell("lstm"), bias="no")


def test_the_table_compares_cells(capsys):
    assert main(["params", "lstm", "gru", "rnn", *SIZES, "--steps", "20"]) == 0
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert "f W_f, U_f, b_f H (D + H + 1) 24,704" in rows
    assert "cell, PyTorch's biases 99,328 74,496 24,832" in rows
    assert "with readout, as in the formulas 100,106 75,018 25,994" in rows
    assert "one set a time, with readout 2,002,120 1,500,360 519,880" in rows


def test_sizes_may_stay_open(capsys):
    assert main(["params", "lstm"]) == 0
    out = capsys.readouterr().out
    assert "4 H (D + H + 1)" in out
    assert "comparison" not in out


def test_json(capsys):
    assert main(["params", "gru-reset-after", "--input", "3", "--hidden", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    assert found["sizes"] == {"D": 3, "H": 5}
    conventions = found["cells"][0]["conventions"]
    assert {name: c["cell"]["number"] for name, c in conventions.items()} == {"formulas": 140, "pytorch": 150, "keras": 150}
    assert conventions["formulas"]["readout"] == {"formula": "K*(H + 1)", "number": None}


def test_no_bias_and_a_cell_of_ones_own(capsys, tmp_path, monkeypatch):
    assert main(["params", "rnn", "--no-bias", "--input", "2", "--hidden", "3", "--output", "4", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["cells"][0]["conventions"]
    assert {c["total"]["number"] for c in counts.values()} == {27}
    own = (Path(__file__).parents[1] / "examples" / "own_cell.py").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("my_cell.py").write_text(own, encoding="utf-8")
    assert main(["params", "my_cell.py:CELL", "rnn"]) == 0
    assert "my_cell.py:CELL" in capsys.readouterr().out


@pytest.mark.parametrize(("args", "message"), [
    (("lstm", "--hidden", "0"), "argument --hidden: expected a whole number from 1 on; got '0'; see symrnn params --help"),
    (("lstm", "--input", "-3"), "argument --input: expected a whole number from 1 on; got '-3'; see symrnn params --help"),
    (("lstm", "--output", "ten"), "argument --output: expected a whole number from 1 on; got 'ten'; see symrnn params --help"),
    (("lstm", "--steps", "1.5"), "argument --steps: expected a whole number from 1 on; got '1.5'; see symrnn params --help"),
    (("lstm", "--hidden", "3", "--size", "H=4"), "H is given twice, as 3 and as --size H=4; keep one of them"),
    (("lstm", "--size", "V=4"), "unknown size 'V'; known: D, H, K, T"),
    (("lstm", "--network", "stackd"), "unknown network 'stackd'; did you mean stacked?; symrnn networks lists them"),
    (("lstm", "--hiden", "3"), "unknown option '--hiden'; did you mean --hidden or --tied or --size?"),
    ((), "the following arguments are required: CELL; see symrnn params --help"),
])
def test_bad_numbers_are_refused_in_a_line(args, message, capsys):
    assert main(["params", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"symrnn: error: {message}\n"


def test_what_two_gates_read_stands_under_its_own_name():
    x, h, a, f = series("x", "D"), series("h", "H"), series("a", "H"), series("f", "H")
    W = parameter("W", "H", "D")
    read_twice = Equation(a[t], W @ x[t] + h[t - 1], role="pre-activation")
    shared = Cell("shared", [read_twice, (f[t], sigmoid(a[t])), (h[t], f[t] * tanh(a[t]))], inputs=[x])
    assert [block.name for block in parameter_counts(shared).blocks] == ["a"]
