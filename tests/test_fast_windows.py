"""Fast code in windows of a sequence, the table of its arrays, and the options of the command line about it."""

from __future__ import annotations

import numpy as np
import pytest
from fast_cases import case, random_values, readable
from test_scheduling_passes import changed

import symrnn
from symrnn import cli
from symrnn.codegen import memory, to_numpy
from symrnn.errors import NotSupportedError, SpecError
from symrnn.loading import load_network

SIZES = {"B": 64, "T": 100, "D": 128, "H": 256, "K": 128}
GRU = "gru, many-to-many"


def numbers(program, B, T):
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape) / 2 for name, shape in program.shapes({"D": 3, "H": 4, "K": 2}).items()}
    return params, rng.normal(size=(B, T, 3)), rng.integers(0, 2, (B, T))


@pytest.mark.sampled(7)
@pytest.mark.parametrize("every", [None, 1, 2, 3, 7, 50])
@pytest.mark.parametrize("layout", ["batch-first", "feature-first"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru-reset-after", "lstm-peephole", "lstm-block"])
def test_windows_give_the_gradients_of_the_whole(name, layout, every):
    derivation = symrnn.derive(symrnn.network(symrnn.cell(name)))
    program = to_numpy(derivation, style="fast", checkpoint=True, layout=layout)
    params, x, y = numbers(program, 3, 7)
    loss, gradients = program.names["loss_and_gradients"](params, x, y, every=every)
    right, others = to_numpy(derivation)(params, x, y)
    assert loss == pytest.approx(right, rel=1e-12)
    for key, array in gradients.items():
        np.testing.assert_allclose(array, others[key], rtol=1e-10, atol=1e-12)


def test_windows_keep_initial_states_masks_and_the_arguments():
    derivation = symrnn.derive(symrnn.network(symrnn.cell("gru"), mask=True))
    program = to_numpy(derivation, style="fast", checkpoint=True)
    params, x, y = numbers(program, 2, 5)
    given = {"h_0": np.full((2, 4), 0.5), "m": np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])}
    loss, gradients = program.names["loss_and_gradients"](params, x, y, every=2, **given)
    right, others = to_numpy(derivation)(params, x, y, **given)
    assert loss == pytest.approx(right, rel=1e-12)
    assert all(np.allclose(gradients[key], others[key], rtol=1e-10) for key in gradients)
    again, _ = program.names["loss_and_gradients"](params, x, y, every=5, **given)  # no edge of an earlier call is left
    assert again == pytest.approx(right, rel=1e-12)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["stacked", "four layers", "captions", "language model", "embedding", "squared error"])
def test_windows_of_networks(name):
    derivation = case(name)
    values = random_values(derivation)
    loss, gradients = to_numpy(derivation, style="fast", checkpoint=True).gradients({**values, "every": 2})
    right, others = readable(derivation).gradients(values)
    assert loss == pytest.approx(right, rel=1e-12)
    assert all(np.allclose(gradients[key], others[key], rtol=1e-10, atol=1e-12) for key in gradients)


@pytest.mark.parametrize(("name", "reason"), [
    ("windows", "do not depend on the number of the time"), ("lag", "at each time of one sequence"), ("additive", "at each time of one sequence"),
    ("dropout", "sums over the times that nothing but sums reads"), ("bidirectional", "an initial state for what is read at t-1"), ("rnn, one-to-one", "at each time of one sequence"),
])
def test_networks_without_windows_are_refused(name, reason):
    with pytest.raises(NotSupportedError, match=reason):
        to_numpy(case(name), style="fast", checkpoint=True)


@pytest.mark.parametrize(("options", "reason"), [
    ({"task": "many-to-one"}, "values at each time of one sequence"), ({"over_time": "mean"}, "plain sums over 1…T, not means"),
])
def test_windows_are_refused_with_the_reason(options, reason):
    derivation = symrnn.derive(symrnn.network(symrnn.cell("rnn"), **options))
    with pytest.raises(NotSupportedError, match=reason):
        to_numpy(derivation, style="fast", checkpoint=True)


def test_windows_are_for_parameters():
    with pytest.raises(NotSupportedError, match="write wrt=\"parameters\""):
        to_numpy(symrnn.derive(symrnn.network(symrnn.cell("rnn"))), style="fast", checkpoint=True, wrt="all")


def test_the_table_counts_what_a_workspace_makes():
    derivation = symrnn.derive(symrnn.network(symrnn.cell("lstm")))
    program = to_numpy(derivation, style="fast", layout="feature-first")
    sizes = {"B": 5, "T": 6, "D": 3, "H": 4, "K": 2}
    program.names["loss_and_gradients"](*numbers(program, 5, 6))
    kept = vars(program.names["_kept"][-1]).values()
    arrays = {id(a if a.base is None else a.base): a if a.base is None else a.base for a in kept if isinstance(a, np.ndarray)}
    rows = memory(derivation, sizes, layout="feature-first").splitlines()
    counted = sum(int(row.split()[-2].replace(",", "")) for row in rows if row.endswith("bytes"))
    assert counted == sum(a.nbytes for a in arrays.values())


def test_windows_take_less_memory():
    derivation = symrnn.derive(symrnn.network(symrnn.cell("lstm")))
    whole, window = (int(memory(derivation, SIZES, checkpoint=c).split()[-4].replace(",", "")) for c in (False, True))
    assert window < whole / 4
    small = int(memory(derivation, SIZES, dtype="float32").split()[-4].replace(",", ""))
    assert small == whole // 2


@pytest.mark.parametrize(("arguments", "shown"), [
    ("code lstm --style fast --memory B=3", "the size D is missing; give numbers for B, D, H, K, T"),
    ("code lstm --memory B=3", "--memory is about fast code; add --style fast"),
    ("code lstm --style fast --layout rows", "unknown layout 'rows'; known: batch-first, feature-first"),
    ("code lstm --layout batch-first", "a layout and checkpoints are for fast code"),
    ("code lstm --style fast --wrt W_g", "unknown gradient 'W_g'"),
    ("code rnn --style fast --memory B=3 --memory Q=2", "unknown size 'Q'"),
    ("code rnn --style fast --memory B=3 --dtype float16", "unknown dtype 'float16'"),
])
def test_wrong_options_are_one_line(arguments, shown, capsys):
    assert cli.main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert not out
    assert shown in err
    assert len(err.splitlines()) == 1


def test_asking_for_nothing_returns_nothing():
    derivation = symrnn.derive(symrnn.network(symrnn.cell("rnn")))
    for style in ("readable", "fast"):
        program = to_numpy(derivation, style=style, wrt=[])
        loss, gradients = program(*numbers(program, 2, 3))
        assert gradients == {}
        assert loss == pytest.approx(readable_loss(derivation, program))


def readable_loss(derivation, program):
    return to_numpy(derivation)(*numbers(program, 2, 3))[0]


def test_a_dtype_turns_what_is_given():
    derivation = symrnn.derive(symrnn.network(symrnn.cell("rnn")))
    program = to_numpy(derivation, style="fast", dtype="float32")
    loss, gradients = program(*numbers(program, 2, 3))
    assert loss.dtype == np.float32
    assert {array.dtype for array in gradients.values()} == {np.dtype(np.float32)}
    with pytest.raises(SpecError, match="unknown dtype 'half'; known: float32, float64"):
        to_numpy(derivation, dtype="half")


def test_blended_needs_one_product():
    gone, put = changed(GRU, "blended")
    assert gone[0][-1] == "h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ h̃_t, 1…T"
    assert put[0][-1] == "h_t = z_t ⊙ (h_{t-1} - h̃_t) + h̃_t, 1…T"
    assert gone[0][:-1] == put[0][:-1]


def test_the_gradient_of_an_embedding_makes_no_one_hot_rows():
    derivation = symrnn.derive(load_network("rnn", {}, {"embed": True}, {}))
    source = to_numpy(derivation, style="fast").source
    assert "d_E_w = scatter(" in source
    assert "one_hot(" not in source


def test_the_docstring_has_the_equations_that_are_computed():
    derivation = symrnn.derive(symrnn.network(symrnn.cell("lstm")))
    some, all_of_them = (to_numpy(derivation, style="fast", wrt=wrt).source.partition("import numpy")[0] for wrt in ("parameters", "all"))
    assert "δx_t" not in some
    assert "δx_t" in all_of_them
    assert all(f"∂L/∂{name}" in some for name in ("W_f", "U_c", "b_o", "W_hy"))
