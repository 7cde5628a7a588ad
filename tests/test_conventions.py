"""Conventions by name: a program that follows one passes with nothing but its name, wrong ones are refused; patterns are read."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from symrnn import cli, conventions
from symrnn.errors import DataError, SpecError
from symrnn.verify import Report
from symrnn.verify.handwritten.child import read_data
from symrnn.verify.handwritten.conventional import merged
from symrnn.verify.handwritten.files import Asked, request_of
from symrnn.verify.handwritten.inputs import Slot
from symrnn.verify.handwritten.patterns import Pattern, is_pattern
from symrnn.verify.handwritten.process import verify_file
from symrnn.verify.handwritten.settings import inputs_of, settings_of
from symrnn.verify.handwritten.verifying import verified as judged

FOLDER = Path(__file__).parent / "programs" / "conventions"
FINE = {"right", "right up to float64 constants"}
ALL = [(layout, key) for layout in conventions.names() for key in conventions.convention(layout).keys]
STEPS = [form for layout in conventions.names() for form in conventions.convention(layout).forms if form.kind == "step"]


def program(layout: str, cell: str) -> Path:
    return FOLDER / layout / f"{cell}.py"


def verdicts(path: Path, *, target: str = "", **names: str) -> Report:
    """Verdicts alone: what mistakes are called is tested elsewhere."""
    return judged(replace(request_of(path, Asked(target=target, **names), {}), diagnose=False))


def verified(path: Path | str, **options: str) -> Report:
    return verify_file(str(path), in_process=True, **options)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("layout", "cell"), ALL)
def test_a_program_passes_with_the_name_alone(layout: str, cell: str) -> None:
    report = verdicts(program(layout, cell), cell=cell, layout=layout)
    assert report.status == 0, str(report)
    clips = {"clipped"} if (layout, cell) == ("karpathy", "rnn") else set()
    assert {v.verdict for v in report.verdicts} <= FINE | clips
    assert len(report.verdicts) >= 4


@pytest.mark.parametrize("form", STEPS, ids=lambda form: f"{form.convention}-{form.key}")
def test_a_step_passes_where_it_is_named(form: conventions.Form) -> None:
    path = program(form.convention, form.key)
    names = {"target": form.classes[0]} if form.classes else {"forward": form.forward[0]}
    report = verdicts(path, layout=form.convention, **names)
    assert report.status == 0, str(report)
    assert f"{form.key} as a step" in str(report)
    assert {v.verdict for v in report.verdicts} <= FINE
    assert not re.search("by the order|by its shape", str(report))


class Edit(NamedTuple):
    """An edit of a right program that makes it wrong, and outputs that it spoils."""

    layout: str
    cell: str
    old: str
    new: str
    outputs: str


WRONG = [
    Edit("cs231n", "rnn", "(1 - next_h ** 2)", "(1 - next_h)", "dx dWx"),
    Edit("cs231n", "lstm", "[di, df, do, dg]", "[df, di, do, dg]", "dWx dWh db"),
    Edit("deeplearning.ai", "rnn", 'da_prevt = gradients["da_prev"]', "da_prevt = 0 * da_prevt", "gradients['dWaa']"),
    Edit("deeplearning.ai", "lstm", "ot * (1 - np.square(np.tanh(c_next))) * da_next", "ot * da_next", "gradients['dWf']"),
    Edit("dlfs", "rnn", "self.layers[t].backward(dhs[:, t, :] + dh)", "self.layers[t].backward(dhs[:, t, :])", "dxs"),
    Edit("dlfs", "lstm", "np.dot(dA, Wh.T), ds * f", "np.dot(dA, Wh.T), ds * i", "self.grads[0]"),
    Edit("dlfs", "gru", "+ r * dhr", "+ dhr", "dxs"),
    Edit("karpathy", "rnn", "dWhh += dhraw @ hs[t - 1].T", "dWhh += dhraw @ hs[t].T", "dWhh"),
    Edit("karpathy", "lstm", "dc = dc * f", "dc = dc * i", "dWLSTM dc0"),
    Edit("keras", "rnn", "dbias += db", "dbias = db", "dbias"),
    Edit("keras", "lstm", "dc * i * (1 - g ** 2)", "dc * i * (1 - g)", "dkernel"),
    Edit("keras", "gru", "dinner.sum(axis=0)]", "dx.sum(axis=0)]", "dbias"),
    Edit("onnx", "rnn", "dB[0] += np.tile", "dB[0] += 2 * np.tile", "dB"),
    Edit("onnx", "lstm", "dh, dc = da @ R[0], dc * f", "dh, dc = da @ R[0], dc * o", "dW dR dB"),
    Edit("onnx", "gru", "dn.T @ (r * before)", "dn.T @ before", "dR"),
    Edit("onnx", "gru-reset-after", "dinner.T @ before", "dn.T @ before", "dR"),
    Edit("pytorch", "rnn", "da.T @ input, da.T @ h_0", "da.T @ input, da.T @ h_1", "dweight_hh"),
    Edit("pytorch", "lstm", "dc = dc_1 + dh_1 * o", "dc = dh_1 * o", "dinput dweight_ih"),
    Edit("pytorch", "gru", "dh_0 = dh_1 * z + ", "dh_0 = ", "dinput dh_0"),
]


def test_each_program_has_a_wrong_edit() -> None:
    assert [(edit.layout, edit.cell) for edit in WRONG] == ALL


@pytest.mark.sampled(9)
@pytest.mark.parametrize("edit", WRONG, ids=lambda edit: f"{edit.layout}-{edit.cell}")
def test_a_wrong_program_is_refused(edit: Edit, tmp_path: Path) -> None:
    source = program(edit.layout, edit.cell).read_text(encoding="utf-8")
    assert source.count(edit.old) == 1
    path = tmp_path / f"{edit.cell}.py"
    path.write_text(source.replace(edit.old, edit.new), encoding="utf-8")
    report = verdicts(path, cell=edit.cell, layout=edit.layout)
    refused = {v.name for v in report.refused}
    assert report.status == 1, str(report)
    assert set(edit.outputs.split(" ")) <= refused, str(report)


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["verify", str(program("cs231n", "lstm")), "--cell", "lstm", "--layout", "cs231n"])
    shown = capsys.readouterr().out
    assert status == 0
    assert shown.startswith("lstm.py: lstm_forward and lstm_backward: 5 right\n")
    assert "note: lstm as a sequence, by the convention cs231n; lstm_step_forward is there as well" in shown


@pytest.mark.parametrize(("layout", "cell", "file", "options", "line"), [
    ("cs231m", "lstm", "cs231n/lstm", {}, r"^unknown layout 'cs231m'; did you mean cs231n\?; your own convention is a file, my_course\.toml$"),
    ("cs231n", "gru", "cs231n/lstm", {}, r"^the convention cs231n has no cell 'gru'; it has rnn, lstm; others are described by --args$"),
    ("cs231n", "rnn", "cs231n/lstm", {}, r"^lstm\.py has nothing that the convention cs231n calls a forward pass: looked for rnn_forward, "
                                         r"rnn_step_forward; name yours by --forward and --backward, or a class by FILE::CLASS$"),
    ("dlfs", "gru", "cs231n/lstm", {}, r"^lstm\.py has nothing .*: looked for class TimeGRU, class GRU; name yours"),
    ("cs231n", "lstm", "cs231n/lstm", {"forward": "lstm_forwards"}, r"^unknown function in lstm\.py 'lstm_forwards'; did you mean lstm_forward"),
    ("", "lstmm", "cs231n/lstm", {"forward": "lstm_forward", "args": "ARGS"}, r"^unknown cell 'lstmm'; did you mean lstm"),
    ("my.toml", "", "cs231n/lstm", {}, r"^cannot read my\.toml: no such file or directory$"),
])
def test_one_clear_line(layout, cell, file, options, line, tmp_path) -> None:
    if "args" in options:
        options = options | {"args": str(tmp_path / "args.toml")}
        (tmp_path / "args.toml").write_text('x = "N T D"\nh0 = "N H"\nWx = "D 4*H"\nWh = "H 4*H"\nb = "4*H"\n', encoding="utf-8")
    with pytest.raises(DataError, match=line) as caught:
        verified(FOLDER / f"{file}.py", cell=cell, layout=layout, **options)
    assert "\n" not in str(caught.value)


def edited(tmp_path: Path, layout: str, cell: str, *changes: tuple[str, str]) -> Path:
    source = program(layout, cell).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    path = tmp_path / f"{cell}.py"
    path.write_text(source, encoding="utf-8")
    return path


def test_a_backward_that_is_not_there(tmp_path: Path) -> None:
    path = edited(tmp_path, "cs231n", "rnn", ("rnn_backward", "back"))
    with pytest.raises(DataError, match=r"^rnn\.py has rnn_forward, and not its backward: looked for rnn_backward; name yours by --backward$"):
        verified(path, cell="rnn", layout="cs231n")
    assert verified(path, backward="back", cell="rnn", layout="cs231n").ok


def test_several_cells_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "both.py"
    path.write_text("".join(program("cs231n", cell).read_text(encoding="utf-8") for cell in ("rnn", "lstm")), encoding="utf-8")
    with pytest.raises(DataError, match=r"^both\.py has functions of rnn, lstm, by the convention cs231n; say which by --cell rnn$"):
        verified(path, layout="cs231n")
    assert verified(path, layout="cs231n", cell="lstm").ok


def test_functions_of_other_names_and_arguments_of_other_names(tmp_path: Path) -> None:
    path = edited(tmp_path, "cs231n", "rnn", ("rnn_forward", "run"), ("rnn_backward", "back"), ("(x, h0, Wx, Wh, b)", "(x, start, w_x, Wh, b)"),
                  ("state = h0", "state = h0 = start; Wx = w_x"), ("N, T, D = x.shape", "N, T, D = x.shape; h0 = start"))
    report = verified(path, forward="run", backward="back", cell="rnn", layout="cs231n")
    assert report.ok, str(report)
    assert "note: start is taken for h0, by the order" in str(report)
    assert "w_x is taken" not in str(report)  # the same name, written otherwise


def test_a_name_that_fits_two_cells_is_asked_for(tmp_path: Path) -> None:
    path = edited(tmp_path, "pytorch", "gru", ("gru_cell", "cell"), ("gru", "mine"))
    with pytest.raises(DataError, match=r"^mine_forward may be rnn or gru, by the convention pytorch; say which by --cell rnn$"):
        verified(path, forward="mine_forward", backward="mine_backward", layout="pytorch")
    assert verified(path, forward="mine_forward", backward="mine_backward", layout="pytorch", cell="gru-reset-after").ok


def test_args_win(tmp_path: Path) -> None:
    path = edited(tmp_path, "keras", "gru", ("bias[0]", "bias"), (" + bias[1]", " + bias"),
                  ("np.stack([dx.sum(axis=0), dinner.sum(axis=0)])", "dx.sum(axis=0) + dinner.sum(axis=0)"),
                  ("np.zeros((2, kernel.shape[1]))", "np.zeros(kernel.shape[1])"))
    (tmp_path / "args.toml").write_text('bias = "(z r h) H"\nN = 2\n', encoding="utf-8")
    report = verified(path, cell="gru", layout="keras", args=str(tmp_path / "args.toml"))
    assert report.ok, str(report)
    assert report.sizes["N"] == 2


def test_tables_are_put_together() -> None:
    args = {"x": "N T D", "params": {"W": "H D", "b": "H"}, "y": {"integers": "T", "below": "V"}, "accept": {"clipped": True}}
    assert merged(args, {"params": {"b": "H 1"}, "y": {"one_hot": "T V"}, "accept": {"truncated": True}}) == {
        "x": "N T D", "params": {"W": "H D", "b": "H 1"}, "y": {"one_hot": "T V"}, "accept": {"clipped": True, "truncated": True}}


def request(path: Path, data: dict[str, Any], **names: str) -> Any:
    return request_of(path, Asked(**names), data)


def test_the_request_says_cell_and_layout() -> None:
    found = request(program("pytorch", "gru"), {}, cell="gru", layout="pytorch")
    assert found.cell == "gru-reset-after"
    assert found.layout["weight_ih"] == "(r z n) H D"
    assert found.layout["output"] == "T N H"
    params = request(program("deeplearning.ai", "lstm"), {"cell": "lstm", "layout": "deeplearning.ai"})
    assert params.cell == "lstm"
    assert params.layout["parameters['Wf']"] == "H (H + D)"


def test_a_cell_that_the_functions_do_not_tell_is_left_open() -> None:
    path = program("onnx", "gru-reset-after")
    assert request(path, {}, layout="onnx").cell is None
    assert "gru or gru-reset-after as a sequence" in request(path, {}, layout="onnx", forward="gru_forward").notes[0]
    assert request(path, {}, layout="onnx", cell="gru-reset-after").cell == "gru-reset-after"


def test_a_table_of_patterns_without_a_convention() -> None:
    data = {"cell": "lstm", "x": "N T D", "h0": ["N", "H"], "Wx": "D (i f o g) H", "Wh": "H 4*H", "b": ["4*H"], "layout": {"b": "(i f o g) H"}}
    found = request(program("cs231n", "lstm"), data, forward="lstm_forward", backward="lstm_backward")
    assert found.cell == "lstm"
    assert found.layout == {"x": "N T D", "Wx": "D (i f o g) H", "Wh": "H 4*H", "b": "(i f o g) H"}


def test_a_cell_of_a_users_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import symrnn\nCELL = symrnn.cell('rnn')\n", encoding="utf-8")
    found = request(program("cs231n", "rnn"), {}, cell=f"{tmp_path / 'mine.py'}:CELL", layout="cs231n")
    assert found.cell.name == "rnn"
    assert found.layout["Wx"] == "D H"
    with pytest.raises(SpecError, match=r"^unknown cell of .*mine\.py 'CELLS'; did you mean CELL\?$"):
        request(program("cs231n", "rnn"), {}, cell=f"{tmp_path / 'mine.py'}:CELLS", layout="cs231n")


def test_an_own_convention(tmp_path: Path) -> None:
    path = edited(tmp_path, "cs231n", "rnn", ("rnn_forward", "ahead"), ("rnn_backward", "back"))
    own = tmp_path / "my_course.toml"
    own.write_text('title = "mine"\n[rnn.sequence]\nforward = ["ahead"]\nbackward = ["back"]\n[rnn.sequence.args]\n'
                   'x = "N T D"\nh0 = "N H"\nWx = "D H"\nWh = "H H"\nb = "H"\n', encoding="utf-8")
    assert verified(path, layout=str(own)).ok


@pytest.mark.parametrize(("text", "line"), [
    ("title = 3", r"a convention has a title = \"\.\.\.\" and tables such as \[lstm\.sequence\]; got none$"),
    ("[rnn", r"is no TOML: "),
    ("rnn = 3", r"rnn is a cell, with tables \[rnn\.sequence\] and \[rnn\.step\]; got 3$"),
    ("[rnn.sequences]", r"^unknown key in \[rnn\] of .* 'sequences'; did you mean sequence\?$"),
    ("[rnn.step]\nforwards = []", r"^unknown key in \[rnn\.step\] of .* 'forwards'; did you mean forward"),
    ("[rnn.step]\nforward = 'f'", r"forward is a list of names; got 'f'$"),
    ("[rnn.step]\nbackward = ['f']", r"it needs forward = \[\"name\"\] and a table \[rnn\.step\.args\]$"),
    ("[rnn]\ncell = 3\n[rnn.step]\nforward = ['f']", r"cell in \[rnn\] is a text; got 3$"),
])
def test_a_bad_convention(text: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=line) as caught:
        conventions.convention(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", conventions.names())
def test_the_files_are_whole(layout: str) -> None:
    found = conventions.convention(layout)
    assert found.title
    for form in found.forms:
        settings = settings_of(form.args, layout)
        described = {**settings.arguments, **settings.globals}
        assert described
        assert form.returns or settings.forward.get("returns")
        assert settings.patterns
        for text in settings.patterns.values():
            Pattern.parse(text)
        gates = {gates for text in settings.patterns.values() for gates in Pattern.parse(text).gates if gates}
        assert len(gates) <= 1, f"{form.title} has gates in two orders"


@pytest.mark.parametrize(("text", "shape", "gates", "parts"), [
    ("D (i f o g) H", ("D", "4*H"), ((), ("i", "f", "o", "g")), ((), ())),
    ("N T D", ("N", "T", "D"), ((), (), ()), ((), (), ())),
    ("(1 + D + H) (z r) H", ("1 + D + H", "2*H"), ((), ("z", "r")), (("1", "D", "H"), ())),
    ("1 ((i o) H + (i o) H)", (1, "2*H + 2*H"), ((), ()), ((), ("2*H", "2*H"))),
    ("H 1", ("H", 1), ((), ()), ((), ())),
    (" T_x  4 * H1 ", ("T_x", "4*H1"), ((), ()), ((), ())),
])
def test_patterns(text, shape, gates, parts) -> None:
    found = Pattern.parse(text)
    assert (found.shape, found.gates, found.parts) == (shape, gates, parts)


def test_parts_know_their_gates() -> None:
    axis = Pattern.parse("1 ((i o) H + 1)").axes[1]
    assert [(part.size, part.gates) for part in axis.parts] == [("2*H", ("i", "o")), (1, ())]


@pytest.mark.parametrize(("text", "place", "got"), [
    ("D (i f o g", 11, "the end"), ("D (i f i) H", 8, "'i'"), ("(i f o g)", 10, "the end"), ("D -H", 3, "'-'"), ("D (H +", 7, "the end"),
    ("D (H + )", 8, "')'"), ("am A text", 1, "'am'"), ("0 H", 1, "'0'"), ("", 1, "the end"), ("N,T", 2, "','"), ("() H", 2, "')'"),
    ("D ) H", 3, "')'"), ("N 3*", 5, "the end"), ("(H + D D)", 8, "'D'"),
])
def test_what_is_no_pattern_is_refused_with_the_place(text: str, place: int, got: str) -> None:
    with pytest.raises(SpecError, match=rf"^the pattern '{re.escape(text)}', character {place}: got {re.escape(got)}, expected .*; a pattern is such as "):
        Pattern.parse(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("N T D", True), ("H", True), ("4*H", True), ("(i f) H", True), ("T_x", True), ("H1 1", True),
    ("tanh", False), ("LSTM", False), ("Adam", False), ("mean", False), ("x.txt", False), ("N, T", False), ("3", False), ("", False),
])
def test_which_texts_are_patterns(text: str, expected: bool) -> None:
    assert is_pattern(text) is expected


def test_texts_and_sizes_beside_patterns() -> None:
    data = tomllib.loads('x = "N D"\nmode = "tanh"\norder = { text = "C" }\nvocab = { size = "V" }\nxs = { list = "T", of = "D 1" }\n'
                         'i = { integers = "T", below = "V" }\n[globals]\nvocab_size = { size = "V" }\n')
    settings = settings_of(data)
    assert settings.arguments["mode"] == "tanh"
    assert settings.arguments["order"] == "C"
    assert isinstance(settings.arguments["x"], Slot)
    assert settings.arguments["x"].shape == ("N", "D")
    assert settings.arguments["i"].shape == ("T",)
    assert settings.numbers["vocab_size"].letter == "V"
    assert settings.patterns == {"x": "N D", "xs": "D 1", "i": "T"}
    inputs = inputs_of(settings, ["x", "mode", "order", "vocab", "xs", "i"])
    assert inputs.sizes["V"] == 11
    values = {slot.name: slot.name for slot in inputs.slots if not slot.aslist}
    assert inputs.assembled(values)["vocab"] == 11


@pytest.mark.parametrize(("data", "line"), [
    ({"Wx": "D (i f o g H"}, r"^args\.toml: Wx: the pattern 'D \(i f o g H', character 13: got the end, .*; a text that is none is \{ text = "),
    ({"layout": {"Wx": "D (i i) H"}}, r"^args\.toml: \[layout\] Wx: the pattern 'D \(i i\) H', character 6: got 'i'"),
    ({"layout": {"Wx": 3}}, r"^args\.toml: \[layout\] Wx is a pattern such as \"D \(i f o g\) H\"; got 3$"),
    ({"x": {"integers": "t t t-"}}, r"^args\.toml: x: the pattern 't t t-', character 6: got '-'"),
    ({"p": {"W": "am A text"}}, r"^args\.toml: p\['W'\]: the pattern 'am A text', character 1: got 'am'"),
])
def test_bad_patterns_in_settings(data: dict[str, Any], line: str) -> None:
    with pytest.raises(SpecError, match=line):
        settings_of(data)


def test_an_argument_may_be_called_cell() -> None:
    assert settings_of({"cell": "N H"}).cell == ""
    assert settings_of({"cell": ["N", "H"]}).arguments["cell"].shape == ("N", "H")
    assert settings_of({"cell": "lstm"}).cell == "lstm"


def test_a_formula_has_no_layout(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "--formula", "x", "--cell", "rnn", "--layout", "keras"]) == 2
    assert capsys.readouterr().err == "symrnn: error: --layout says how the arrays of a file lie; a formula has none: leave it out\n"


def test_help_and_docs_name_each_convention(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "conventions.md").read_text(encoding="utf-8")
    for name in conventions.names():
        assert name in shown
        assert f"| `{name}` |" in page


def test_settings_are_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"^cannot read .*none\.toml: no such file or directory$"):
        read_data(tmp_path / "none.toml")
